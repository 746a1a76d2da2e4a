//! One candidate on the wall, out of the durable session. Pure.

use crate::convert::{self, small};
use crate::timeline;
use synaq_core::proctoring::{Class, Incident, IncidentStatus};
use synaq_core::session::{AcknowledgedText, ExamSession, MediaStep, Stage, Standing, State};
use synaq_core::time::At;
use synaq_wire::proctor::Tile;

/// What the session itself does not say.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// Which of several sittings of the wall; none where there is one
    pub(super) sitting: Option<uuid::Uuid>,
    /// Place on the wall
    pub(super) place: u32,
    /// The candidate
    pub(super) name: String,
    /// Number of the newest still
    pub(super) still: u64,
    /// Since when no socket lives, if that is known
    pub(super) offline_since: Option<At>,
    /// The tile before this one
    pub(super) before: Option<(String, Option<At>)>,
}

/// The most urgent thing to do.
struct Trouble {
    name: &'static str,
    rank: u32,
    since: Option<At>,
    code: Option<String>,
}

/// The whole tile.
pub(super) fn tile(session: &ExamSession, id: uuid::Uuid, around: &Around) -> Tile {
    let state = session.state();
    let trouble = trouble(session, around);
    let since = trouble.since.or_else(|| since_before(state, &trouble, around));
    let deadline = match &state.stage {
        Stage::Running { deadline, .. } => Some(deadline.0),
        _ => None,
    };
    let (online, closed) = (state.socket.is_some(), matches!(state.stage, Stage::Closed { .. }));
    let end_reason = match &state.stage {
        Stage::Closed { finish, .. } => Some(finish.name().to_owned()),
        _ => None,
    };
    Tile {
        session: id,
        sitting: around.sitting,
        place: around.place,
        name: around.name.clone(),
        version: state.seq.0,
        stage: convert::stage(&state.stage),
        step: step(state).to_owned(),
        online,
        online_changed_at: state.socket.map(|(_, since)| since).or(around.offline_since).map(|at| at.0),
        video: state.video,
        audio: state.audio,
        screen: session.wants_screen().then_some(state.screen),
        media_step: convert::media_step(session.media_step()),
        deadline,
        answered: small(state.answers.values().filter(|answer| !answer.shown.is_empty()).count()),
        total: state
            .form
            .as_ref()
            .map_or(session.context().programme.plan.questions(), |form| small(form.questions.len())),
        warnings: session.warnings_given(),
        open_incidents: u32::from(small(session.open_human_incidents().count())),
        open: timeline::open_incidents(session),
        ruled_incidents: u32::from(small(state.incidents.iter().filter(|held| ruled(held)).count())),
        warning_effective_at: match &state.standing {
            Standing::Warned(warning) => warning.effective.map(|(at, _)| at.0),
            Standing::Clean | Standing::Terminated { .. } => None,
        },
        started_at: state.started_at.map(|at| at.0),
        paused_for: state.pauses.keys().map(|cause| cause.name().to_owned()).collect(),
        away: convert::away(state),
        trouble: trouble.name.to_owned(),
        rank: if closed && trouble.name != "incident" { trouble.rank.min(1) } else { trouble.rank },
        trouble_since: since.map(|at| at.0),
        trouble_code: trouble.code,
        end_reason,
        still: around.still,
    }
}

/// By a person, of those that waited for one.
fn ruled(incident: &Incident) -> bool {
    let ruled =
        matches!(incident.status, IncidentStatus::ConfirmedHuman { .. } | IncidentStatus::Dismissed { .. });
    ruled && incident.class == Class::Human
}

/// What the log does not date stands since it was first seen so on this wall.
fn since_before(state: &State, trouble: &Trouble, around: &Around) -> Option<At> {
    match &around.before {
        _ if trouble.rank == 0 => None,
        Some((name, since)) if name == trouble.name => *since,
        _ => state.last_at,
    }
}

/// A ruling that may warn or end comes first, then whoever waits, then what is missing.
fn trouble(session: &ExamSession, around: &Around) -> Trouble {
    let state = session.state();
    let running = matches!(state.stage, Stage::Running { .. });
    let just = |name, rank, since| Trouble { name, rank, since, code: None };
    if state.end_proposal.is_some() && running {
        return just("end_proposal", 90, None);
    }
    if let Some(incident) = session.open_human_incidents().min_by_key(|incident| incident.began_at) {
        let code = Some(incident.code.name().to_owned());
        return Trouble { name: "incident", rank: 80, since: Some(incident.began_at), code };
    }
    if let Some(asked_at) = state.help_asked_at {
        return just("help", 70, Some(asked_at));
    }
    if let Some(away) = state.away.as_ref().filter(|away| running && away.granted.is_none()) {
        return just("break", 66, Some(away.asked_at));
    }
    if let Some(recheck) = state.recheck.as_ref().filter(|recheck| running && recheck.submitted) {
        return just("recheck", 64, Some(recheck.asked_at));
    }
    if let Some(asked_at) = state.challenge.as_ref().and_then(|held| held.asked_at).filter(|_| running) {
        return just("gesture", 62, Some(asked_at));
    }
    if state.identity_submitted && state.admitted.is_none() && !matches!(state.stage, Stage::Closed { .. }) {
        return just("identity", 60, None);
    }
    if state.waiting_device.is_some() {
        return just("device", 50, None);
    }
    if running && state.socket.is_none() && !state.on_break() {
        return just("offline", 40, around.offline_since);
    }
    if running && !state.video && !state.on_break() {
        return just("camera", 45, state.unsupervised_since);
    }
    // A line that carries less of the picture carries less of the screen too: that is said elsewhere.
    if running && !state.screen && session.wants_screen() && session.media_step() == MediaStep::Full {
        return just("screen", 35, None);
    }
    if running && unrecorded(state) {
        return just("recording", 30, state.evidence_gaps.last().map(|(at, ..)| *at));
    }
    match &state.standing {
        Standing::Warned(warning) => just("warned", 10, Some(warning.given_at)),
        Standing::Clean | Standing::Terminated { .. } => just("none", 0, None),
    }
}

/// The picture comes, and since a piece of its recording could not be written no other was begun: the disk of the
/// evidence is full or does not answer. The exam goes on.
fn unrecorded(state: &State) -> bool {
    let writing = state.evidence_open.iter().any(|name| name.starts_with("webcam-"));
    let failed = |why: &str| why.contains(" ends early: ") || why.contains(" cannot be read: ");
    state.video && state.recording && !writing && state.evidence_gaps.iter().any(|(_, _, why)| failed(why))
}

/// What the candidate is doing.
fn step(state: &State) -> &'static str {
    match &state.stage {
        Stage::Running { .. } => return "exam",
        Stage::Closed { .. } => return "ended",
        Stage::Absent | Stage::Preparing => {}
    }
    let briefed = AcknowledgedText::ALL.iter().all(|text| state.acknowledged.contains_key(text));
    if state.binding.is_none() {
        "link"
    } else if state.lang.is_none() {
        "language"
    } else if state.consent.is_none() {
        "consent"
    } else if state.device_report.is_none() {
        "device_check"
    } else if state.admitted.is_none() {
        "identity"
    } else if !briefed {
        "briefing"
    } else {
        "waiting"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::script::{Script, at, bound, closed, prepared, running, submitted};
    use synaq_core::ids::{DeviceHash, SocketId, TabId};
    use synaq_core::proctoring::Code;
    use synaq_core::session::{Command, EvidenceRef, Input, MediaFact, StaffCommand, StaffEndReason};
    use synaq_core::time::Span;
    use uuid::Uuid;

    fn shown(script: &Script) -> Tile {
        let around = Around {
            sitting: None,
            place: 3,
            name: "N".to_owned(),
            still: 9,
            offline_since: Some(at(7)),
            before: None,
        };
        tile(&script.session, Uuid::nil(), &around)
    }

    fn second_device(script: &mut Script) {
        let (device, tab) = (DeviceHash([2; 32]), TabId(Uuid::from_u128(9)));
        script.input(at(5), Input::Attach { device, tab, socket: SocketId(Uuid::from_u128(10)) });
    }

    #[test]
    fn each_trouble_has_its_name_and_a_graver_one_hides_it() {
        let mut script = running();
        let mut last = 0;
        let mut graver = |script: &Script, name: &str| {
            let tile = shown(script);
            assert_eq!(tile.trouble, name);
            assert!(tile.rank > last || name == "none", "{name}");
            last = tile.rank;
        };
        graver(&script, "none");
        let record =
            |code, warnings_seen| StaffCommand::Record { code, began_at: at(1), warnings_seen, note: None };
        script.staff(at(1), record(Code::Headphones, 0));
        graver(&script, "warned");
        script.detach(at(4));
        graver(&script, "offline");
        script.command(at(6), Command::CallProctor);
        graver(&script, "help");
        let end = StaffCommand::End { why: StaffEndReason::Impersonation, note: "x".to_owned() };
        script.staff(at(7), end);
        graver(&script, "end_proposal");
    }

    #[test]
    fn whoever_waits_before_the_exam_is_named() {
        assert_eq!(shown(&bound()).trouble, "none");
        assert_eq!(shown(&submitted()).trouble, "identity");
        let mut script = prepared();
        second_device(&mut script);
        assert_eq!(shown(&script).trouble, "device");
    }

    #[test]
    fn a_second_device_in_the_exam_is_an_incident_that_waits_for_a_person() {
        let mut script = running();
        second_device(&mut script);
        let tile = shown(&script);
        assert_eq!(
            (tile.trouble.as_str(), tile.trouble_code.as_deref()),
            ("incident", Some("SECOND_CONNECTION"))
        );
        assert_eq!((tile.open_incidents, tile.trouble_since), (1, Some(at(5).0)));
    }

    #[test]
    fn a_lost_picture_is_told_since_when() {
        let mut script = running();
        script.media(at(20), false, true);
        let tile = shown(&script);
        assert_eq!((tile.trouble.as_str(), tile.trouble_since), ("camera", Some(at(20).0)));
        assert_eq!((tile.online, tile.online_changed_at), (true, Some(at(0).0)));
        script.detach(at(30));
        let tile = shown(&script);
        assert_eq!((tile.trouble.as_str(), tile.trouble_since), ("offline", Some(at(7).0)));
    }

    #[test]
    fn a_recording_that_cannot_be_written_is_told_until_it_goes_on() {
        let mut script = running();
        let mut tell = |seconds, fact| {
            script.input(at(seconds), Input::Media(fact));
            shown(&script)
        };
        let opened = |name: &str| MediaFact::Opened { name: name.to_owned() };
        tell(20, MediaFact::Recording(true));
        assert_eq!(tell(21, opened("webcam-0001.webm")).trouble, "none");
        let (name, sha256) = ("webcam-0001.webm".to_owned(), "0".repeat(64));
        tell(30, MediaFact::Stored(EvidenceRef { name, sha256, bytes: 1 }));
        let why = "webcam-0001.webm ends early: no storage space".to_owned();
        let tile = tell(31, MediaFact::Gap { span: Span::ZERO, why, name: None });
        assert_eq!((tile.trouble.as_str(), tile.trouble_since), ("recording", Some(at(31).0)));
        assert_eq!(tell(40, opened("webcam-0002.webm")).trouble, "none");
    }

    #[test]
    fn steps_follow_the_candidate() {
        for (script, step) in [
            (bound(), "language"),
            (submitted(), "identity"),
            (prepared(), "waiting"),
            (running(), "exam"),
            (closed(), "ended"),
        ] {
            assert_eq!(shown(&script).step, step);
        }
        let tile = shown(&closed());
        assert_eq!((tile.end_reason.as_deref(), tile.deadline, tile.total), (Some("submitted"), None, 40));
    }

    #[test]
    fn a_trouble_without_a_date_keeps_the_time_it_was_first_seen() {
        let script = submitted();
        let before = Some(("identity".to_owned(), Some(at(-5))));
        let around =
            Around { sitting: None, place: 0, name: String::new(), still: 0, offline_since: None, before };
        assert_eq!(tile(&script.session, Uuid::nil(), &around).trouble_since, Some(at(-5).0));
        assert_eq!(shown(&script).trouble_since, Some(at(0).0));
    }
}

//! One candidate on the wall, out of the durable session. Pure.

use crate::convert::{self, small};
use synaq_core::session::{AcknowledgedText, ExamSession, Stage, Standing, State};
use synaq_core::time::At;
use synaq_wire::proctor::Tile;

/// What the session itself does not say.
#[derive(Clone, Debug)]
pub(super) struct Around {
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
        Stage::Closed { finish, .. } => Some(convert::finish(finish).to_owned()),
        _ => None,
    };
    Tile {
        session: id,
        place: around.place,
        name: around.name.clone(),
        version: state.seq.0,
        stage: convert::stage(&state.stage),
        step: step(state).to_owned(),
        online,
        online_changed_at: state.socket.map(|(_, since)| since).or(around.offline_since).map(|at| at.0),
        video: state.video,
        audio: state.audio,
        deadline,
        answered: small(state.answers.values().filter(|answer| !answer.shown.is_empty()).count()),
        total: state
            .form
            .as_ref()
            .map_or(session.context().programme.plan.questions(), |form| small(form.questions.len())),
        warnings: session.warnings_given(),
        open_incidents: u32::from(small(session.open_human_incidents().count())),
        trouble: trouble.name.to_owned(),
        rank: if closed && trouble.name != "incident" { trouble.rank.min(1) } else { trouble.rank },
        trouble_since: since.map(|at| at.0),
        trouble_code: trouble.code,
        end_reason,
        still: around.still,
    }
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
    if state.identity_submitted && state.admitted.is_none() && !matches!(state.stage, Stage::Closed { .. }) {
        return just("identity", 60, None);
    }
    if state.waiting_device.is_some() {
        return just("device", 50, None);
    }
    if running && state.socket.is_none() {
        return just("offline", 40, around.offline_since);
    }
    if running && !state.video {
        return just("camera", 45, state.unsupervised_since);
    }
    match &state.standing {
        Standing::Warned(warning) => just("warned", 10, Some(warning.given_at)),
        Standing::Clean | Standing::Terminated { .. } => just("none", 0, None),
    }
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

//! Everything a candidate's page shows, out of the durable session. Pure.

use crate::convert::{self, small};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;
use synaq_core::calendar::{Calendar, legal_date};
use synaq_core::decision;
use synaq_core::form::commitment;
use synaq_core::ids::hex32;
use synaq_core::proctoring::{Class, IncidentStatus};
use synaq_core::session::{
    AcknowledgedText as CoreText, ExamSession, Finish, MessageFrom, PhotoKind, Stage, Standing,
};
use synaq_core::time::At;
use synaq_wire::candidate::{
    AcknowledgedText, Attach, Attention, CandidateView, ChatLine, Clock, EndView, GestureAsked, Identity,
    MediaFlow, QuestionMark, RecheckAsked, ResultView, Steps, WarningView,
};

/// Lines of the conversation in a view, the newest: it goes out whole after every change.
const MESSAGES_MAX: usize = 100;

/// What the session itself does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Server time
    pub(super) now: At,
    /// Grows with every frame of this socket, and from socket to socket
    pub(super) version: u64,
    /// A wall of the sitting is open
    pub(super) proctor_present: bool,
    /// The live picture is open at a proctor's
    pub(super) looked_at: bool,
    /// This socket's place
    pub(super) attach: Attach,
}

/// The whole view. A tab that waits sees neither answers nor result, neither the warning nor what was said: nobody
/// has said yet whose it is.
pub(super) fn view(session: &ExamSession, around: Around) -> CandidateView {
    let state = session.state();
    let in_charge = around.attach == Attach::InCharge;
    CandidateView {
        version: around.version,
        stage: convert::stage(&state.stage),
        attach: around.attach,
        steps: steps(session, around.now),
        draw_commitment: state
            .draw_secret
            .map_or(String::new(), |secret| hex32::encode(&commitment(&secret.0))),
        opens_at: state.opens_at.map_or(0, |at| at.0),
        closes_at: state.closes_at.map_or(0, |at| at.0),
        clock: clock(session, around.now),
        questions: if in_charge { questions(session) } else { Vec::new() },
        warning: if in_charge { warning(session, around.now) } else { None },
        attention: if in_charge { attention(session, around.now) } else { None },
        media: MediaFlow {
            video: state.video,
            audio: state.audio,
            screen: session.wants_screen().then_some(state.screen),
        },
        local_waits: small(state.local_open().count()),
        proctor_present: around.proctor_present,
        // An open picture without anything in it shows nobody, and whoever has left looks no longer.
        watched_live: around.looked_at
            && around.proctor_present
            && (state.video || state.audio || state.screen),
        messages: if in_charge { messages(session) } else { Vec::new() },
        help_asked: state.help_asked_at.is_some(),
        away: convert::away(state).filter(|_| in_charge),
        break_refused: state.break_refused.as_ref().filter(|_| in_charge).map(|(_, reason)| reason.clone()),
        recheck: if in_charge { recheck(session) } else { None },
        gesture: if in_charge { gesture(session) } else { None },
        end: end(session, in_charge),
    }
}

/// What a page is shown, in eight bytes: of two views that agree in them the second need not be sent. Left out is what
/// the page counts by itself, and the answers: it gave them, and their acknowledgements said that they are here.
pub(super) fn digest(view: &mut CandidateView) -> u64 {
    let (version, questions) = (std::mem::take(&mut view.version), std::mem::take(&mut view.questions));
    let left = view.clock.as_mut().map(|clock| std::mem::take(&mut clock.remaining_ms));
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(view).expect("views are plain JSON").hash(&mut hasher);
    questions.iter().for_each(|question| question.flagged.hash(&mut hasher));
    (view.version, view.questions) = (version, questions);
    if let (Some(clock), Some(left)) = (&mut view.clock, left) {
        clock.remaining_ms = left;
    }
    hasher.finish()
}

fn steps(session: &ExamSession, now: At) -> Steps {
    let state = session.state();
    let identity = if state.admitted.is_some() {
        Identity::Admitted
    } else if state.identity_submitted {
        Identity::Submitted
    } else if state.asked_again.is_some() {
        Identity::AskedAgain
    } else {
        Identity::Missing
    };
    Steps {
        lang: state.lang.map(convert::lang),
        consent: state.consent.is_some(),
        device_check: state.device_report.is_some(),
        face_photo: state.photos.contains_key(&PhotoKind::Face),
        document_photo: state.photos.contains_key(&PhotoKind::Document),
        identity,
        asked_again: state.asked_again.clone(),
        acknowledged: state.acknowledged.keys().copied().map(acknowledged).collect(),
        paper: state.form.is_some(),
        ready: session.may_begin(now).is_ok(),
    }
}

fn recheck(session: &ExamSession) -> Option<RecheckAsked> {
    session.state().recheck.as_ref().map(|held| RecheckAsked {
        reason: held.reason.clone(),
        face_photo: held.photos.contains_key(&PhotoKind::Face),
        document_photo: held.photos.contains_key(&PhotoKind::Document),
        submitted: held.submitted,
    })
}

/// Nobody learns of a gesture before its moment.
fn gesture(session: &ExamSession) -> Option<GestureAsked> {
    let asked = session.state().challenge.as_ref().filter(|held| held.asked_at.is_some())?;
    Some(GestureAsked { gesture: convert::gesture(asked.gesture), answered: asked.answered.is_some() })
}

const fn acknowledged(text: CoreText) -> AcknowledgedText {
    match text {
        CoreText::Methodology => AcknowledgedText::Methodology,
        CoreText::AppealProcedure => AcknowledgedText::AppealProcedure,
        CoreText::ForbiddenItems => AcknowledgedText::ForbiddenItems,
        CoreText::Conduct => AcknowledgedText::Conduct,
    }
}

fn clock(session: &ExamSession, now: At) -> Option<Clock> {
    let state = session.state();
    let Stage::Running { deadline, paused_since } = &state.stage else { return None };
    Some(Clock {
        deadline: deadline.0,
        version: state.deadline_version,
        remaining_ms: session.remaining(now).0,
        total_ms: (state.planned + state.extra + state.credited).0,
        paused: paused_since.is_some(),
    })
}

fn questions(session: &ExamSession) -> Vec<QuestionMark> {
    let state = session.state();
    let form = state.form.as_ref().filter(|_| state.started_at.is_some());
    let count = form.map_or(0, |form| small(form.questions.len()));
    let mark = |index: u16| {
        let answer = state.answers.get(&index);
        QuestionMark {
            shown: answer.map_or(Vec::new(), |answer| answer.shown.iter().copied().collect()),
            client_seq: answer.map_or(0, |answer| answer.client_seq),
            flagged: state.flags.contains(&index),
        }
    };
    (0..count).map(mark).collect()
}

fn warning(session: &ExamSession, now: At) -> Option<WarningView> {
    let state = session.state();
    let (Standing::Warned(warning) | Standing::Terminated { warning, .. }) = &state.standing else {
        return None;
    };
    let incident = convert::incident(state, warning.incident)?;
    let paused = matches!(state.stage, Stage::Running { paused_since: Some(_), .. });
    let covered = !paused && session.questions_covered(now);
    let until = session.covered_until().filter(|_| covered);
    Some(WarningView {
        ordinal: warning.ordinal,
        code: incident.code.name().to_owned(),
        note: incident
            .note
            .clone()
            .filter(|_| matches!(incident.status, IncidentStatus::ConfirmedHuman { .. })),
        began_at: incident.began_at.0,
        given_at: warning.given_at.0,
        displayed: warning.displayed_at.is_some(),
        acknowledged: warning.acknowledged_at.is_some(),
        covered_until: until.map(|until| until.0),
    })
}

/// The running automatic incident that counts next, or that counts once a restore has failed.
fn attention(session: &ExamSession, now: At) -> Option<Attention> {
    let state = session.state();
    if !matches!(state.stage, Stage::Running { paused_since: None, .. }) {
        return None;
    }
    let goes_on = state.incidents.iter().filter(|incident| {
        let held = state.held.keys().any(|held| held.same_behaviour(incident.code));
        incident.class == Class::Auto && incident.ended_at.is_none() && held
    });
    let with_time = goes_on.map(|incident| (session.counts_at(incident), incident));
    let pressing = with_time.filter(|(at, incident)| at.is_some() || incident.status == IncidentStatus::Open);
    let (counts_at, incident) = pressing.min_by_key(|(at, _)| at.map_or(i64::MAX, |at| at.0))?;
    let effective = matches!(&state.standing, Standing::Warned(warning) if warning.effective.is_some());
    Some(Attention {
        code: incident.code.name().to_owned(),
        since: incident.began_at.0,
        counts_at: counts_at.map(|at| at.max(now).0),
        would_end: effective,
    })
}

fn messages(session: &ExamSession) -> Vec<ChatLine> {
    let all = &session.state().messages;
    all[all.len().saturating_sub(MESSAGES_MAX)..].iter().map(chat_line).collect()
}

/// A line of the conversation, for either side.
pub(crate) fn chat_line(message: &synaq_core::session::Message) -> ChatLine {
    ChatLine {
        seq: message.seq.0,
        at: message.at.0,
        from_candidate: message.from == MessageFrom::Candidate,
        text: message.text.clone(),
    }
}

/// The end screen; a tab that waits sees no result.
pub(super) fn end(session: &ExamSession, in_charge: bool) -> Option<EndView> {
    let state = session.state();
    let Stage::Closed { finish, at } = &state.stage else { return None };
    let answered = state.answers.values().filter(|answer| !answer.shown.is_empty()).count();
    Some(EndView {
        at: at.0,
        reason: finish.name().to_owned(),
        answered: small(answered),
        total: state.form.as_ref().map_or(0, |form| small(form.questions.len())),
        result: if in_charge { result(session, finish) } else { None },
        sealed: state.sealed.is_some(),
        approved: state.approved.is_some(),
        appeal_until: state.approved.and_then(|(_, informed_at)| appeal_until(informed_at)),
        valid: state.ruling.as_ref().map(|ruling| ruling.valid),
        late_answers: small(state.late_answers.len()),
    })
}

/// LAW-41: five working days from the day the candidate can read the approved result here.
fn appeal_until(informed_at: At) -> Option<String> {
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::kazakhstan);
    let deadline = CALENDAR.appeal_deadline(informed_at).and_then(legal_date);
    deadline.ok().map(|date| date.to_string())
}

/// The law knows a score only for a hand-in and for the end of time, and only of an exam that stands.
fn result(session: &ExamSession, finish: &Finish) -> Option<ResultView> {
    if !matches!(finish, Finish::Submitted | Finish::TimeExpired) || session.ruled_not_valid() {
        return None;
    }
    let score = session.score()?;
    let threshold_pct = session.context().programme.plan.threshold_pct;
    Some(ResultView {
        passed: decision::passed(u64::from(score.correct), u64::from(score.total), threshold_pct),
        correct: u16::try_from(score.correct).unwrap_or(u16::MAX),
        total: u16::try_from(score.total).unwrap_or(u16::MAX),
        threshold_pct,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::script::{at, closed, prepared, running};
    use synaq_core::proctoring::{Code, SignalPhase};
    use synaq_core::session::{AcknowledgedText as Text, Command, Input, StaffCommand};
    use synaq_core::time::Span;

    fn seen(session: &ExamSession, now: At) -> CandidateView {
        view(
            session,
            Around { now, version: 1, proctor_present: false, looked_at: false, attach: Attach::InCharge },
        )
    }

    #[test]
    fn ready_is_what_core_would_accept() {
        let mut script = prepared();
        assert!(seen(&script.session, at(0)).steps.ready);
        assert!(!seen(&script.session, at(-3_600)).steps.ready, "the sitting has not opened");
        assert!(!seen(&script.session, at(86_400)).steps.ready, "the sitting is over");
        script.media(at(1), true, false);
        assert!(!seen(&script.session, at(1)).steps.ready, "no sound reaches the server");
        assert_eq!(seen(&script.session, at(1)).steps.acknowledged.len(), Text::ALL.len());
    }

    #[test]
    fn the_clock_stands_while_paused_and_counts_down_without_being_sent_again() {
        let mut script = running();
        let (mut early, mut later) = (seen(&script.session, at(10)), seen(&script.session, at(20)));
        assert_eq!(digest(&mut early), digest(&mut later), "the page counts by itself");
        script.command(at(20), Command::Answer { question: 0, shown: [0].into() });
        assert_eq!(digest(&mut seen(&script.session, at(20))), digest(&mut later), "the page gave it");
        script.command(at(20), Command::Flag { question: 0, on: true });
        assert_ne!(digest(&mut seen(&script.session, at(20))), digest(&mut later));
        assert_eq!(later.clock.unwrap().remaining_ms, Span::mins(60).0 - 20_000);
        script.staff(at(30), StaffCommand::Pause { reason: "x".to_owned() });
        let clock = seen(&script.session, at(500)).clock.unwrap();
        assert_eq!((clock.paused, clock.remaining_ms), (true, Span::mins(60).0 - 30_000));
    }

    #[test]
    fn leaving_the_window_is_pointed_out_before_it_counts_and_covered_after() {
        let mut script = running();
        script.signal(at(100), Code::WindowBlur, SignalPhase::Begin);
        let attention = seen(&script.session, at(101)).attention.unwrap();
        assert_eq!((attention.since, attention.counts_at), (at(100).0, Some(at(110).0)));
        assert!(!attention.would_end);
        script.tick(at(110));
        let view = seen(&script.session, at(110));
        let warning = view.warning.unwrap();
        assert_eq!((warning.code.as_str(), warning.acknowledged), ("WINDOW_BLUR", false));
        assert_eq!(warning.covered_until, Some(at(170).0), "60 s of live socket");
        script.command(at(112), Command::AcknowledgeWarning { ordinal: 1 });
        let warning = seen(&script.session, at(112)).warning.unwrap();
        assert_eq!((warning.acknowledged, warning.covered_until), (true, None));
    }

    #[test]
    fn watched_live_means_that_something_is_seen_or_heard() {
        let mut script = running();
        let around = Around {
            now: at(1),
            version: 1,
            proctor_present: true,
            looked_at: true,
            attach: Attach::InCharge,
        };
        assert!(view(&script.session, around).watched_live);
        script.media(at(1), false, false);
        assert!(!view(&script.session, around).watched_live, "the open picture is empty");
        script.media(at(2), true, true);
        assert!(!view(&script.session, Around { looked_at: false, ..around }).watched_live);
        assert!(!view(&script.session, Around { proctor_present: false, ..around }).watched_live);
    }

    #[test]
    fn an_exam_ruled_not_valid_has_no_result() {
        let mut script = running();
        script.media(at(10), false, true);
        script.command(at(900), Command::HandIn);
        script.input(at(901), Input::Sealed { sha256: "ab".repeat(32), kid: "k".to_owned() });
        assert!(seen(&script.session, at(901)).end.unwrap().result.is_some());
        let ruling =
            Some(synaq_core::session::Ruling { valid: false, note: "nobody saw the room".to_owned() });
        script.staff(at(902), StaffCommand::Approve { sha256: "ab".repeat(32), note: None, ruling });
        let end = seen(&script.session, at(903)).end.unwrap();
        assert_eq!((end.result, end.valid, end.approved), (None, Some(false), true));
    }

    #[test]
    fn a_tab_that_waits_sees_neither_answers_nor_result() {
        let script = closed();
        let around = Around {
            now: at(60),
            version: 1,
            proctor_present: true,
            looked_at: true,
            attach: Attach::Waiting,
        };
        let waiting = view(&script.session, around);
        assert!(waiting.questions.is_empty() && waiting.end.unwrap().result.is_none());
        let mut script = running();
        script.command(at(1), Command::Say("my name is Aigerim".to_owned()));
        script.signal(at(100), Code::WindowBlur, SignalPhase::Begin);
        script.tick(at(110));
        let around = Around { now: at(111), ..around };
        let waiting = view(&script.session, around);
        assert_eq!(
            (waiting.messages.len(), waiting.warning),
            (0, None),
            "nor what was said, nor the warning"
        );
        assert_eq!(view(&script.session, Around { attach: Attach::InCharge, ..around }).messages.len(), 1);
        let script = closed();
        let end = seen(&script.session, at(60)).end.unwrap();
        assert_eq!((end.reason.as_str(), end.total), ("submitted", 40));
        assert_eq!(end.result.unwrap().correct, 0);
    }
}

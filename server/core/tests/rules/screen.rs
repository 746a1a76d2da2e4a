//! The shared screen, where the programme asks for it.

use crate::support::{Exam, START, context, t};
use std::sync::Arc;
use synaq_core::proctoring::{Class, Code, IncidentStatus, RuleTable, SignalPhase};
use synaq_core::session::{Command, Context, Event, ExamSession, Fact, Input, MediaFact, Refusal};

/// Everything before Begin, under a programme that asks for the screen.
fn ready(rules: RuleTable) -> Exam {
    let mut exam = Exam::ready(rules.clone());
    let plain = context(rules);
    let mut programme = plain.programme.clone();
    programme.screen = true;
    exam.session = ExamSession::new(Arc::new(Context { programme, ..(*plain).clone() }));
    for event in &exam.log {
        exam.session.apply(event);
    }
    exam
}

fn screen(exam: &mut Exam, at: i64, live: bool) -> Vec<Fact> {
    let decision = exam.accept(t(at), Input::Media(MediaFact::Screen(live)));
    decision.events.into_iter().map(|Event { fact, .. }| fact).collect()
}

fn running() -> Exam {
    let mut exam = ready(RuleTable::default());
    screen(&mut exam, -10, true);
    exam.command(START, Command::Begin);
    exam
}

#[test]
fn the_screen_must_reach_the_server_to_start_and_is_told_once() {
    let mut exam = ready(RuleTable::default());
    assert!(exam.session.wants_screen());
    assert_eq!(exam.command_refused(t(-20), Command::Begin), Refusal::MediaMissing);
    assert_eq!(screen(&mut exam, -10, true), [Fact::ScreenChanged { live: true }]);
    assert_eq!(screen(&mut exam, -9, true), []);
    exam.command(t(-8), Command::Begin);
    let text = serde_json::to_string(&Fact::ScreenChanged { live: false }).unwrap();
    assert_eq!(text, r#"{"type":"screen_changed","live":false}"#);
}

#[test]
fn neither_another_programme_nor_an_accommodation_asks_for_it() {
    assert!(!Exam::ready(RuleTable::default()).session.wants_screen());
    let rules = RuleTable { switched_off: [Code::ScreenShareEnded].into(), ..RuleTable::default() };
    let mut exam = ready(rules);
    assert!(!exam.session.wants_screen());
    exam.command(t(-8), Command::Begin);
}

#[test]
fn a_share_ended_by_hand_confirms_itself_after_a_failed_attempt_and_a_short_one_is_for_the_record() {
    let mut exam = running();
    exam.signal(t(100), Code::ScreenShareEnded, SignalPhase::Begin);
    screen(&mut exam, 105, false);
    exam.signal(t(108), Code::ScreenShareEnded, SignalPhase::RestoreFailed);
    exam.run_to(t(114));
    assert_eq!(exam.session.warnings_given(), 0);
    exam.run_to(t(116));
    let incident = &exam.session.state().incidents[0];
    assert_eq!(
        (incident.class, incident.status.clone()),
        (Class::Auto, IncidentStatus::ConfirmedAuto { at: t(115) })
    );
    assert_eq!(exam.session.warnings_given(), 1);

    let mut short = running();
    short.signal(t(100), Code::ScreenShareEnded, SignalPhase::Begin);
    short.signal(t(103), Code::ScreenShareEnded, SignalPhase::RestoreFailed);
    short.signal(t(110), Code::ScreenShareEnded, SignalPhase::End);
    short.run_to(t(200));
    assert_eq!(short.session.state().incidents[0].status, IncidentStatus::Recorded);
    assert_eq!(short.session.warnings_given(), 0);
}

#[test]
fn a_screen_lost_with_the_line_or_with_us_is_technical_and_no_time_without_supervision() {
    let mut exam = running();
    exam.disconnect(t(50), 0);
    screen(&mut exam, 55, false);
    exam.run_to(t(400));
    let state = exam.session.state();
    assert!(state.incidents.is_empty() && !state.screen && state.video);
    let unsupervised = state.unsupervised;

    let mut exam = running();
    let decision = exam.input(t(60), Input::Recover { down_from: t(50) });
    assert!(decision.events.iter().any(|event| event.fact == Fact::ScreenChanged { live: false }));
    assert!(exam.session.state().incidents.is_empty());
    assert_eq!(unsupervised, synaq_core::time::Span::ZERO);
}

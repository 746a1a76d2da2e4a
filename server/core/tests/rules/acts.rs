//! A day's acts of a proctor: breaks, checks of the identity in mid-exam, gestures, everybody's clock, a slip undone.

use crate::support::{Exam, PROCTOR, SECOND_PROCTOR, context, evidence, t};
use std::collections::BTreeSet;
use std::sync::Arc;
use synaq_core::bank::Breaks;
use synaq_core::ids::IncidentNo;
use synaq_core::proctoring::{Code, IncidentStatus, RuleTable, SignalPhase};
use synaq_core::session::{
    BreakWhy, Command, Context, ExamSession, Fact, Gesture, Input, PhotoKind, PhotosSeen, Refusal, SealWaits,
    StaffCommand,
};
use synaq_core::time::Span;

fn reason() -> String {
    "fire alarm".to_owned()
}

/// As [`Exam::running`], under a programme with that rule for breaks.
fn running_with(breaks: Breaks) -> Exam {
    let mut exam = Exam::running();
    let usual = context(RuleTable::default());
    let mut programme = usual.programme.clone();
    programme.breaks = breaks;
    let mut session = ExamSession::new(Arc::new(Context { programme, ..(*usual).clone() }));
    exam.log.iter().for_each(|event| session.apply(event));
    exam.session = session;
    exam
}

fn on_break(mut exam: Exam) -> Exam {
    exam.command(t(100), Command::AskBreak(BreakWhy::Toilet));
    exam.staff(t(110), StaffCommand::GrantBreak { minutes: None });
    exam
}

#[test]
fn a_break_runs_the_clock_unless_the_programme_stops_it() {
    let mut exam = on_break(Exam::running());
    assert!(exam.session.questions_covered(t(120)));
    assert_eq!(exam.deadline(), t(3_600));
    exam.command(t(400), Command::ReturnFromBreak);
    assert_eq!(exam.deadline(), t(3_600));
    assert!(!exam.session.questions_covered(t(401)));

    let mut exam = on_break(running_with(Breaks { stop_clock: true, minutes: 5 }));
    assert_eq!(exam.session.remaining(t(300)), Span::secs(3_490));
    exam.command(t(310), Command::ReturnFromBreak);
    assert_eq!(exam.deadline(), t(3_600 + 200), "the time away is given back");
    assert_eq!(exam.session.state().breaks.len(), 1);
}

#[test]
fn a_break_can_be_refused_or_taken_back_and_is_granted_once() {
    let mut exam = Exam::running();
    let nobody = StaffCommand::GrantBreak { minutes: None };
    assert_eq!(exam.staff_refused(t(1), nobody), Refusal::NothingWaits);
    exam.command(t(2), Command::AskBreak(BreakWhy::Illness));
    let silent = StaffCommand::RefuseBreak { reason: String::new() };
    assert_eq!(exam.staff_refused(t(3), silent), Refusal::OutOfLimits);
    exam.staff(t(4), StaffCommand::RefuseBreak { reason: "five minutes are left".to_owned() });
    assert!(exam.session.state().break_refused.is_some() && exam.session.state().away.is_none());
    exam.command(t(5), Command::AskBreak(BreakWhy::Toilet));
    assert!(exam.session.state().break_refused.is_none());
    exam.command(t(6), Command::WithdrawBreak);
    exam.command(t(7), Command::AskBreak(BreakWhy::Toilet));
    let long = StaffCommand::GrantBreak { minutes: Some(61) };
    assert_eq!(exam.staff_refused(t(8), long), Refusal::OutOfLimits);
    exam.staff(t(9), StaffCommand::GrantBreak { minutes: Some(3) });
    let twice = StaffCommand::GrantBreak { minutes: None };
    assert_eq!(exam.staff_refused(t(10), twice), Refusal::NothingWaits);
    exam.staff(t(20), StaffCommand::EndBreak);
    assert_eq!(exam.staff_refused(t(21), StaffCommand::EndBreak), Refusal::NothingWaits);
}

#[test]
fn who_is_not_back_in_time_is_an_incident_for_a_person_and_nothing_more() {
    let mut exam = on_break(Exam::running());
    exam.run_to(t(110 + 600 + 90));
    let state = exam.session.state();
    assert_eq!(state.incidents.len(), 1);
    let incident = &state.incidents[0];
    assert_eq!((incident.code, incident.began_at), (Code::LeftPlace, t(710)));
    assert!(incident.awaits_person());
    assert_eq!(exam.session.warnings_given(), 0);
    exam.command(t(900), Command::ReturnFromBreak);
    let incident = &exam.session.state().incidents[0];
    assert_eq!(incident.ended_at, Some(t(900)), "it lasted until the candidate was back");
    assert!(exam.session.state().breaks[0].overran);
}

#[test]
fn nothing_of_a_break_is_held_against_anybody() {
    let mut exam = on_break(Exam::running());
    exam.model(t(150), Code::NoFace, SignalPhase::Seen, 90);
    exam.run_to(t(300));
    assert!(exam.session.state().incidents.is_empty());
    // An accommodation: no limit to the break either.
    let rules = RuleTable { switched_off: BTreeSet::from([Code::LeftPlace]), ..RuleTable::default() };
    let mut exam = on_break(Exam::running_with(rules));
    exam.run_to(t(2_000));
    assert!(exam.session.state().incidents.is_empty());
}

#[test]
fn an_alarm_stops_everybody_and_gives_the_time_back_once() {
    let mut exam = on_break(running_with(Breaks { stop_clock: true, minutes: 5 }));
    exam.staff(t(200), StaffCommand::PauseEverybody { reason: reason() });
    let twice = StaffCommand::PauseEverybody { reason: reason() };
    assert_eq!(exam.staff_refused(t(201), twice), Refusal::WrongStage);
    exam.run_to(t(1_000));
    assert!(exam.session.state().incidents.is_empty(), "an alarm calls away too");
    exam.command(t(1_050), Command::ReturnFromBreak);
    assert_eq!(exam.session.remaining(t(1_100)), Span::secs(3_490), "the alarm still holds the clock");
    exam.staff(t(1_110), StaffCommand::ResumeEverybody);
    assert_eq!(
        exam.deadline(),
        t(3_600 + 1_000),
        "from the beginning of the break to the end of the alarm, once"
    );
    assert_eq!(exam.staff_refused(t(1_111), StaffCommand::ResumeEverybody), Refusal::WrongStage);
    let spans: Vec<_> =
        exam.session.state().time_changes.iter().map(|change| change.span.0 / 1_000).collect();
    assert_eq!(spans, [940, 910]);
}

#[test]
fn resume_of_one_ends_the_alarm_for_that_one() {
    let mut exam = Exam::running();
    exam.staff(t(10), StaffCommand::PauseEverybody { reason: reason() });
    exam.staff(t(20), StaffCommand::Resume);
    assert_eq!(exam.deadline(), t(3_610));
}

fn seen(exam: &Exam) -> Option<PhotosSeen> {
    let recheck = exam.session.state().recheck.as_ref()?;
    let digest = |kind| recheck.photos.get(&kind).map(|photo| photo.sha256.clone());
    Some(PhotosSeen { face: digest(PhotoKind::Face), document: digest(PhotoKind::Document) })
}

fn rechecked(stop: bool) -> Exam {
    let mut exam = Exam::running();
    exam.staff(t(100), StaffCommand::AskRecheck { reason: "another voice".to_owned(), stop });
    exam.accept(t(110), Input::Photo { kind: PhotoKind::Face, evidence: evidence("face-2") });
    exam.accept(t(111), Input::Photo { kind: PhotoKind::Document, evidence: evidence("document-2") });
    exam.command(t(120), Command::SubmitIdentity);
    exam
}

#[test]
fn a_check_in_mid_exam_keeps_the_first_photos_beside_the_new_ones() {
    let mut exam = rechecked(true);
    let first = exam.session.state().photos.get(&PhotoKind::Face).unwrap().name.clone();
    assert_eq!(first, "face-1");
    assert_eq!(exam.session.remaining(t(150)), Span::secs(3_500), "the proctor stopped the clock for it");
    let other = Some(PhotosSeen { face: None, document: None });
    let unseen = StaffCommand::RuleRecheck { accepted: true, seen: other, note: None };
    assert_eq!(exam.staff_refused(t(151), unseen), Refusal::PhotosChanged);
    let seen = seen(&exam);
    exam.staff(t(160), StaffCommand::RuleRecheck { accepted: true, seen, note: None });
    assert_eq!(exam.deadline(), t(3_660));
    assert!(exam.session.state().incidents.is_empty() && exam.session.state().recheck.is_none());
    let photo = Input::Photo { kind: PhotoKind::Face, evidence: evidence("face-3") };
    assert_eq!(exam.refuse(t(170), photo), Refusal::WrongStage);
}

#[test]
fn a_raised_identity_waits_for_a_person_and_needs_words() {
    let mut exam = rechecked(false);
    let silent = StaffCommand::RuleRecheck { accepted: false, seen: None, note: None };
    assert_eq!(exam.staff_refused(t(150), silent), Refusal::OutOfLimits);
    let note = Some("not the same face".to_owned());
    exam.staff(t(160), StaffCommand::RuleRecheck { accepted: false, seen: None, note });
    let incident = &exam.session.state().incidents[0];
    assert!(incident.code == Code::FaceMismatch && incident.awaits_person());
    assert_eq!(exam.session.warnings_given(), 0);
}

#[test]
fn poor_photos_are_asked_for_again_and_a_check_can_be_withdrawn() {
    let mut exam = rechecked(true);
    let again = |stop| StaffCommand::AskRecheck { reason: "too dark".to_owned(), stop };
    exam.staff(t(130), again(true));
    assert!(exam.session.state().recheck.as_ref().unwrap().photos.is_empty());
    assert_eq!(exam.staff_refused(t(131), again(true)), Refusal::WrongStage);
    exam.staff(t(140), StaffCommand::WithdrawRecheck);
    assert_eq!(exam.deadline(), t(3_640));
    assert_eq!(exam.staff_refused(t(141), StaffCommand::WithdrawRecheck), Refusal::NothingWaits);
}

fn plan_gesture(after: Span) -> StaffCommand {
    StaffCommand::PlanGesture { gesture: Gesture::RaiseHand, after }
}

#[test]
fn a_gesture_is_asked_for_at_its_moment_and_a_person_judges_it() {
    let mut exam = Exam::running();
    exam.staff(t(100), plan_gesture(Span::secs(300)));
    let early = Command::AnswerGesture { alternative: false };
    assert_eq!(exam.command_refused(t(200), early.clone()), Refusal::NothingWaits);
    let judge = |accepted| StaffCommand::JudgeGesture { accepted, note: None };
    assert_eq!(exam.staff_refused(t(201), judge(true)), Refusal::NothingWaits);
    exam.run_to(t(400));
    assert_eq!(exam.session.state().challenge.as_ref().unwrap().asked_at, Some(t(400)));
    exam.command(t(410), Command::AnswerGesture { alternative: true });
    assert_eq!(exam.command_refused(t(411), early), Refusal::NothingWaits);
    exam.staff(t(420), judge(true));
    let done = &exam.session.state().challenges[0];
    assert!(done.alternative && done.accepted);
    assert!(exam.session.state().incidents.is_empty());
    exam.staff(t(430), plan_gesture(Span::ZERO));
    exam.staff(t(440), judge(false));
    let incident = &exam.session.state().incidents[0];
    assert!(incident.code == Code::ProctorOrderIgnored && incident.awaits_person());
    assert_eq!(exam.session.warnings_given(), 0);
}

#[test]
fn a_gesture_waits_for_the_clock_and_an_accommodation_switches_it_off() {
    let mut exam = Exam::running();
    exam.staff(t(100), plan_gesture(Span::secs(60)));
    exam.staff(t(120), StaffCommand::Pause { reason: reason() });
    exam.run_to(t(900));
    assert_eq!(exam.session.state().challenge.as_ref().unwrap().asked_at, None);
    exam.staff(t(1_000), StaffCommand::Resume);
    assert_eq!(exam.session.state().challenge.as_ref().unwrap().asked_at, Some(t(1_000)));
    exam.staff(t(1_010), StaffCommand::WithdrawGesture);
    let late = plan_gesture(Span::mins(16));
    assert_eq!(exam.staff_refused(t(1_020), late), Refusal::OutOfLimits);

    let rules =
        RuleTable { switched_off: BTreeSet::from([Code::ProctorOrderIgnored]), ..RuleTable::default() };
    let mut exam = Exam::running_with(rules);
    assert_eq!(exam.staff_refused(t(1), plan_gesture(Span::ZERO)), Refusal::CodeSwitchedOff);
}

fn set_aside(exam: &mut Exam) -> IncidentNo {
    exam.model(t(100), Code::SecondPerson, SignalPhase::Seen, 90);
    let incident = exam.session.state().incidents[0].no;
    exam.staff(t(110), StaffCommand::SetAside { incident, note: None });
    incident
}

#[test]
fn a_dismissal_is_there_at_once_and_can_be_taken_back_for_a_moment() {
    let mut exam = Exam::running();
    let incident = set_aside(&mut exam);
    assert_eq!(exam.session.open_human_incidents().count(), 0, "nothing is left open if the page goes now");
    let other = Input::Staff { by: SECOND_PROCTOR, command: StaffCommand::UndoDismiss { incident } };
    assert_eq!(exam.refuse(t(111), other), Refusal::NothingWaits);
    exam.staff(t(115), StaffCommand::UndoDismiss { incident });
    assert_eq!(exam.session.open_human_incidents().count(), 1);
    exam.staff(t(116), StaffCommand::SetAside { incident, note: None });
    exam.run_to(t(130));
    let last = &exam.log.last().unwrap().fact;
    assert_eq!(last, &Fact::DismissalFinal { no: incident });
    assert_eq!(exam.staff_refused(t(131), StaffCommand::UndoDismiss { incident }), Refusal::NothingWaits);
    let status = &exam.session.state().incidents[0].status;
    assert!(matches!(status, IncidentStatus::Dismissed { by: PROCTOR, .. }));
}

#[test]
fn the_record_waits_until_a_dismissal_can_no_longer_be_taken_back() {
    let mut exam = Exam::running();
    set_aside(&mut exam);
    exam.command(t(112), Command::HandIn);
    assert_eq!(exam.session.seal_waits(t(113)), Some(SealWaits::Undo(t(118))));
    exam.run_to(t(118));
    assert_eq!(exam.session.seal_waits(t(118)), None);
}

#[test]
fn an_exam_that_ends_in_a_break_says_so_and_leaves_nothing_waiting() {
    let mut exam = on_break(running_with(Breaks { stop_clock: true, minutes: 5 }));
    exam.command(t(200), Command::HandIn);
    let state = exam.session.state();
    assert!(state.away.is_none() && state.pauses.is_empty());
    assert_eq!(state.breaks[0].ended_at, t(200));
    assert_eq!(state.credited, Span::secs(90));
}

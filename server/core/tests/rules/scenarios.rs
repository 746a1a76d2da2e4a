//! The violation scenarios of domain.md section 10, by their numbers.

use crate::support::{Exam, PROCTOR, SECOND_PROCTOR, START, switched_off, t};
use synaq_core::proctoring::{Code, IncidentStatus, SignalPhase};
use synaq_core::session::{Command, Consequence, Finish, Input, Refusal, StaffCommand};
use synaq_core::time::Span;

fn confirm(incident: u32, began_at: synaq_core::time::At, warnings_seen: u32) -> StaffCommand {
    let incident = synaq_core::ids::IncidentNo(incident);
    StaffCommand::Confirm { incident, began_at, warnings_seen, note: None }
}

#[test]
fn s1_a_phone_in_view_for_forty_seconds_is_one_incident_and_one_warning() {
    let mut exam = Exam::running();
    for second in (10..=50).step_by(5) {
        exam.model(t(second), Code::ForbiddenItem, SignalPhase::Seen, 80);
    }
    assert_eq!(exam.session.state().incidents.len(), 1);
    exam.staff(t(52), confirm(1, t(10), 0));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    exam.run_to(t(200));
    assert_eq!(exam.session.state().incidents.len(), 1);
    assert_eq!(exam.finish(), None);
}

#[test]
fn s2_an_incident_that_began_two_seconds_before_the_warning_took_effect_is_not_repeated() {
    let mut exam = Exam::warned(t(100));
    exam.command(t(101), Command::WarningDisplayed { ordinal: 1 });
    // Effective at 111 by display.
    exam.model(t(109), Code::SecondPerson, SignalPhase::Seen, 90);
    exam.staff(t(120), confirm(2, t(109), 1));
    assert_eq!(exam.consequences(), [Consequence::Warning, Consequence::None]);
    assert_eq!(exam.effective_at(), Some(t(111)));
    assert_eq!(exam.finish(), None);
}

#[test]
fn s3_an_incident_of_another_kind_after_the_acknowledgement_ends_the_exam_without_a_click() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(105));
    exam.signal(t(130), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(200));
    assert_eq!(exam.consequences(), [Consequence::Warning, Consequence::Termination]);
    let incident = synaq_core::ids::IncidentNo(2);
    assert_eq!(exam.finish(), Some((Finish::Violation { incident }, t(140))));
}

#[test]
fn s4_a_disconnect_during_the_warning_leaves_it_pending_and_the_counter_at_one() {
    let mut exam = Exam::warned(t(100));
    exam.disconnect(t(105), 0);
    exam.run_to(t(500));
    assert_eq!(exam.effective_at(), None, "a warning nobody could see takes no effect");
    exam.reconnect(t(500), 1);
    assert!(exam.session.questions_covered(t(501)));
    assert_eq!(exam.session.warnings_given(), 1);
    exam.run_to(t(600));
    assert_eq!(exam.effective_at(), Some(t(525)), "5 s before and 25 s after make 30 s of live socket");
}

#[test]
fn s5_a_restart_between_confirmation_and_push_warns_once() {
    let mut exam = Exam::warned(t(100));
    exam.session = exam.replayed();
    exam.accept(t(130), Input::Recover { down_from: t(101) });
    exam.reconnect(t(131), 1);
    exam.acknowledge(t(140));
    assert_eq!(exam.session.warnings_given(), 1);
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn s6_hand_in_and_second_violation_at_one_instant_are_settled_by_queue_order() {
    let mut handed_in = Exam::warned(t(100));
    handed_in.acknowledge(t(105));
    handed_in.command(t(200), Command::HandIn);
    handed_in.record(t(200), Code::SecondPerson, t(199), 1);
    assert_eq!(handed_in.finish(), Some((Finish::Submitted, t(200))));
    assert_eq!(handed_in.consequences(), [Consequence::Warning, Consequence::None]);

    let mut ended = Exam::warned(t(100));
    ended.acknowledge(t(105));
    ended.record(t(200), Code::SecondPerson, t(199), 1);
    assert!(ended.terminated());
    assert_eq!(ended.command_refused(t(200), Command::HandIn), Refusal::ExamEnded);
}

#[test]
fn s7_page_hidden_and_full_screen_left_together_are_one_incident() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::FullscreenExit, SignalPhase::Begin);
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(25));
    assert_eq!(exam.session.state().incidents.len(), 1);
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    exam.signal(t(26), Code::WindowBlur, SignalPhase::End);
    assert_eq!(exam.incident(1).ended_at, None, "full screen is still left");
    exam.signal(t(27), Code::FullscreenExit, SignalPhase::End);
    assert_eq!(exam.incident(1).ended_at, Some(t(27)));
}

#[test]
fn s7_a_phone_marked_by_two_proctors_and_a_detector_is_one_violation() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::ForbiddenItem, SignalPhase::Seen, 90);
    exam.record(t(15), Code::ForbiddenItem, t(9), 0);
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    let second =
        StaffCommand::Record { code: Code::ForbiddenItem, began_at: t(11), warnings_seen: 0, note: None };
    assert_eq!(
        exam.refuse(t(16), Input::Staff { by: SECOND_PROCTOR, command: second.clone() }),
        Refusal::WarningsChanged
    );
    let StaffCommand::Record { code, began_at, note, .. } = second else { unreachable!() };
    let again = StaffCommand::Record { code, began_at, warnings_seen: 1, note };
    exam.accept(t(17), Input::Staff { by: SECOND_PROCTOR, command: again });
    assert_eq!(exam.session.state().incidents.len(), 1);
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn s8_a_hearing_aid_accommodation_raises_no_headphones() {
    let mut exam = Exam::running_with(switched_off(Code::Headphones));
    exam.model(t(10), Code::Headphones, SignalPhase::Seen, 99);
    assert!(exam.session.state().incidents.is_empty());
    let command =
        StaffCommand::Record { code: Code::Headphones, began_at: t(10), warnings_seen: 0, note: None };
    assert_eq!(exam.staff_refused(t(11), command), Refusal::CodeSwitchedOff);
}

#[test]
fn s9_a_dismissal_before_the_minimum_duration_leaves_no_violation() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    let incident = exam.incident(1).no;
    exam.staff(t(15), StaffCommand::Dismiss { incident, note: Some("fire alarm".to_owned()) });
    exam.run_to(t(100));
    assert_eq!(exam.consequences(), []);
    assert_eq!(exam.incident(1).status, IncidentStatus::Dismissed { by: PROCTOR, at: t(15) });
}

#[test]
fn s10_a_termination_cannot_be_undone_here() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(105));
    exam.record(t(200), Code::SecondPerson, t(199), 1);
    let incident = exam.incident(2).no;
    let dismiss = StaffCommand::Dismiss { incident, note: None };
    assert_eq!(exam.staff_refused(t(210), dismiss), Refusal::IncidentNotOpen);
    assert_eq!(exam.staff_refused(t(210), StaffCommand::Resume), Refusal::ExamEnded);
    assert!(exam.terminated());
}

#[test]
fn the_warning_is_effective_ten_seconds_after_display() {
    let mut exam = Exam::warned(t(100));
    exam.command(t(102), Command::WarningDisplayed { ordinal: 1 });
    // One late tick, long after: the computed instant stands.
    exam.tick(t(150));
    assert_eq!(exam.effective_at(), Some(t(112)));
}

#[test]
fn an_undisplayed_warning_is_effective_after_thirty_seconds_of_live_socket() {
    let mut exam = Exam::warned(t(100));
    exam.run_to(t(200));
    assert_eq!(exam.effective_at(), Some(t(130)));
}

#[test]
fn an_acknowledgement_makes_the_warning_effective_at_once() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(101));
    assert_eq!(exam.effective_at(), Some(t(101)));
    assert!(!exam.session.questions_covered(t(101)));
}

#[test]
fn second_violation_after_unacknowledged_warning_still_terminates() {
    let mut exam = Exam::warned(t(100));
    exam.run_to(t(300));
    exam.record(t(301), Code::SecondPerson, t(300), 1);
    assert!(exam.terminated());
}

#[test]
fn the_questions_come_back_after_sixty_seconds() {
    let mut exam = Exam::warned(t(100));
    exam.command(t(101), Command::WarningDisplayed { ordinal: 1 });
    assert!(exam.session.questions_covered(t(159)));
    exam.run_to(t(160));
    assert!(!exam.session.questions_covered(t(160)));
    assert_eq!(exam.effective_at(), Some(t(111)));
}

#[test]
fn an_incident_that_goes_on_becomes_a_new_one_thirty_seconds_after_the_warning_took_effect() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(20));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    exam.acknowledge(t(25));
    assert_eq!(exam.session.countdown_to_second(t(30)), Some(Span::secs(25)));
    exam.tick(t(300));
    assert_eq!(exam.incident(1).ended_at, Some(t(55)));
    assert_eq!(exam.incident(2).began_at, t(55));
    let incident = exam.incident(2).no;
    assert_eq!(exam.finish(), Some((Finish::Violation { incident }, t(55))));
}

#[test]
fn an_incident_that_ends_within_thirty_seconds_of_the_warning_does_not_count_again() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(20));
    exam.acknowledge(t(25));
    exam.signal(t(54), Code::WindowBlur, SignalPhase::End);
    assert_eq!(exam.session.countdown_to_second(t(54)), None);
    exam.run_to(t(300));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    assert_eq!(exam.finish(), None);
}

#[test]
fn a_confirmation_names_the_warning_count_its_proctor_saw() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 90);
    exam.model(t(10), Code::ForbiddenItem, SignalPhase::Seen, 90);
    exam.staff(t(20), confirm(1, t(10), 0));
    assert_eq!(exam.staff_refused(t(21), confirm(2, t(10), 0)), Refusal::WarningsChanged);
    exam.staff(t(22), confirm(2, t(10), 1));
    assert_eq!(exam.consequences(), [Consequence::Warning, Consequence::None]);
    assert_eq!(exam.staff_refused(t(23), confirm(2, t(10), 1)), Refusal::IncidentNotOpen);
}

#[test]
fn a_beginning_must_lie_within_the_exam_and_not_in_the_future() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 90);
    assert_eq!(exam.staff_refused(t(20), confirm(1, t(21), 0)), Refusal::BeginningOutOfRange);
    let early = START - Span(1);
    assert_eq!(exam.staff_refused(t(20), confirm(1, early, 0)), Refusal::BeginningOutOfRange);
}

#[test]
fn technical_faults_are_never_violations() {
    let mut exam = Exam::running();
    for code in [Code::NetworkLost, Code::DeviceFailure, Code::PowerLoss, Code::ServerFault] {
        exam.signal(t(10), code, SignalPhase::Begin);
        let command = StaffCommand::Record { code, began_at: t(10), warnings_seen: 0, note: None };
        assert_eq!(exam.staff_refused(t(11), command), Refusal::TechnicalCode);
    }
    exam.run_to(t(100));
    assert!(exam.session.state().incidents.is_empty());
}

#[test]
fn after_the_end_a_confirmation_has_no_consequence() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 90);
    exam.command(t(20), Command::HandIn);
    exam.staff(t(30), confirm(1, t(10), 0));
    assert_eq!(exam.consequences(), [Consequence::None]);
    assert_eq!(exam.session.warnings_given(), 0);
}

#[test]
fn what_begins_at_the_effective_moment_counts_and_a_millisecond_earlier_does_not() {
    for (early, wanted) in [(0, Consequence::Termination), (1, Consequence::None)] {
        let mut exam = Exam::warned(t(100));
        exam.acknowledge(t(105));
        exam.record(t(110), Code::SecondPerson, t(105) - Span(early), 1);
        assert_eq!(exam.consequences(), [Consequence::Warning, wanted]);
    }
}

#[test]
fn a_blur_right_after_the_warning_counts_from_ten_seconds_after_it_closed() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(105));
    exam.signal(t(106), Code::WindowBlur, SignalPhase::Begin);
    assert_eq!(exam.session.countdown_to_second(t(110)), Some(Span::secs(15)));
    exam.run_to(t(124));
    assert_eq!(exam.finish(), None);
    exam.run_to(t(125));
    assert_eq!(exam.incident(2).began_at, t(115));
    assert!(exam.terminated());
}

#[test]
fn what_begins_with_the_warnings_effect_is_no_tail_of_the_first() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(105));
    exam.signal(t(105), Code::CameraOff, SignalPhase::Begin);
    exam.run_to(t(200));
    assert_eq!(
        exam.session.state().incidents.len(),
        2,
        "it waits for a failed restore, not for a new beginning"
    );
    exam.signal(t(201), Code::CameraOff, SignalPhase::RestoreFailed);
    assert!(exam.terminated());
}

#[test]
fn the_countdown_is_to_what_ends_the_exam_and_not_to_a_confirmation_without_consequence() {
    let mut exam = Exam::warned(t(100));
    exam.signal(t(103), Code::CameraOff, SignalPhase::Begin);
    exam.signal(t(104), Code::CameraOff, SignalPhase::RestoreFailed);
    exam.acknowledge(t(105));
    assert_eq!(exam.session.countdown_to_second(t(106)), Some(Span::secs(29)));
    exam.run_to(t(134));
    assert_eq!(exam.consequences(), [Consequence::Warning, Consequence::None]);
    exam.run_to(t(135));
    assert!(exam.terminated());
}

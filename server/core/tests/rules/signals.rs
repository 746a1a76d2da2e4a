use crate::support::{Exam, PROCTOR, switched_off, t};
use synaq_core::ids::{IncidentNo, SocketId};
use synaq_core::proctoring::{
    Class, Code, DetectorEvent, IncidentStatus, Rule, RuleTable, SignalPhase, Source,
};
use synaq_core::session::{Command, Consequence, Fact, Input, Refusal, StaffCommand};
use synaq_core::time::Span;
use uuid::Uuid;

#[test]
fn a_hidden_page_confirms_itself_after_ten_seconds() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    assert_eq!(exam.session.next_deadline(), Some(t(20)));
    exam.tick(t(19));
    assert_eq!(exam.consequences(), []);
    exam.tick(t(20));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    assert_eq!(exam.incident(1).status, IncidentStatus::ConfirmedAuto { at: t(20) });
}

#[test]
fn a_shorter_absence_is_for_the_record_only() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(19), Code::WindowBlur, SignalPhase::End);
    exam.run_to(t(60));
    assert_eq!(exam.incident(1).status, IncidentStatus::Recorded);
    assert_eq!(exam.consequences(), []);
}

#[test]
fn events_within_the_merge_gap_are_one_incident_even_after_it_was_confirmed() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(25), Code::WindowBlur, SignalPhase::End);
    exam.signal(t(29), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(33), Code::WindowBlur, SignalPhase::End);
    assert_eq!(exam.session.state().incidents.len(), 1);
    exam.signal(t(40), Code::WindowBlur, SignalPhase::Begin);
    assert_eq!(exam.session.state().incidents.len(), 2);
}

#[test]
fn a_camera_off_needs_fifteen_seconds_and_a_failed_restore() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::CameraOff, SignalPhase::Begin);
    exam.run_to(t(40));
    assert_eq!(exam.consequences(), [], "nobody was asked to restore it yet");
    exam.signal(t(41), Code::CameraOff, SignalPhase::RestoreFailed);
    assert_eq!(exam.consequences(), [Consequence::Warning]);

    let mut early = Exam::running();
    early.signal(t(10), Code::CameraOff, SignalPhase::Begin);
    early.signal(t(12), Code::CameraOff, SignalPhase::RestoreFailed);
    early.run_to(t(24));
    assert_eq!(early.consequences(), []);
    early.run_to(t(25));
    assert_eq!(early.consequences(), [Consequence::Warning]);
}

#[test]
fn a_disconnect_ends_a_device_claim() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::CameraOff, SignalPhase::Begin);
    exam.signal(t(12), Code::CameraOff, SignalPhase::RestoreFailed);
    exam.disconnect(t(20), 0);
    exam.run_to(t(60));
    exam.reconnect(t(60), 1);
    exam.run_to(t(100));
    assert_eq!(exam.consequences(), []);
    exam.signal(t(101), Code::CameraOff, SignalPhase::RestoreFailed);
    exam.run_to(t(120));
    assert_eq!(exam.incident(2).began_at, t(101));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn a_device_claim_queued_offline_counts_from_the_reconnect_only() {
    let mut exam = Exam::running();
    exam.disconnect(t(20), 0);
    exam.reconnect(t(100), 1);
    exam.signal_ago(t(101), Code::MicOff, SignalPhase::Begin, Span::secs(60));
    exam.signal(t(101), Code::MicOff, SignalPhase::RestoreFailed);
    assert_eq!(exam.incident(1).began_at, t(100));
    exam.run_to(t(114));
    assert_eq!(exam.consequences(), []);
    exam.run_to(t(115));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn an_absence_cut_off_by_a_lost_connection_keeps_its_true_length() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.disconnect(t(13), 0);
    exam.run_to(t(60));
    exam.reconnect(t(60), 1);
    exam.signal_ago(t(61), Code::WindowBlur, SignalPhase::End, Span::secs(43));
    exam.run_to(t(90));
    assert_eq!(exam.incident(1).ended_at, Some(t(18)));
    assert_eq!(exam.incident(1).status, IncidentStatus::Recorded, "8 s are no violation");

    let mut longer = Exam::running();
    longer.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    longer.disconnect(t(13), 0);
    longer.reconnect(t(60), 1);
    longer.signal_ago(t(61), Code::WindowBlur, SignalPhase::End, Span::secs(31));
    assert_eq!(longer.incident(1).ended_at, Some(t(30)));
    assert_eq!(longer.consequences(), [Consequence::Warning]);
}

#[test]
fn an_absence_nobody_reports_on_after_a_reconnect_is_forgotten() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::FullscreenExit, SignalPhase::Begin);
    exam.disconnect(t(13), 0);
    exam.reconnect(t(20), 1);
    exam.run_to(t(60));
    assert_eq!(exam.incident(1).status, IncidentStatus::Recorded);
    exam.signal(t(100), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(104), Code::WindowBlur, SignalPhase::End);
    exam.run_to(t(150));
    assert_eq!(exam.incident(2).ended_at, Some(t(104)));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn a_signal_queued_offline_carries_its_true_time() {
    let mut exam = Exam::running();
    exam.signal_ago(t(100), Code::WindowBlur, SignalPhase::Begin, Span::secs(40));
    exam.signal_ago(t(100), Code::WindowBlur, SignalPhase::End, Span::secs(20));
    assert_eq!(exam.incident(1).began_at, t(60));
    assert_eq!(exam.incident(1).ended_at, Some(t(80)));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn claims_never_lie_before_the_start_nor_before_an_earlier_claim_nor_in_the_future() {
    let mut exam = Exam::running();
    exam.signal_ago(t(5), Code::WindowBlur, SignalPhase::Begin, Span::mins(30));
    assert_eq!(exam.incident(1).began_at, t(0));
    exam.signal(t(6), Code::WindowBlur, SignalPhase::End);
    exam.signal_ago(t(20), Code::WindowBlur, SignalPhase::Begin, Span::secs(60));
    exam.signal_ago(t(21), Code::WindowBlur, SignalPhase::End, Span::secs(-60));
    assert!(exam.session.state().incidents.iter().all(|held| held.began_at >= t(0)));
    assert!(exam.session.state().incidents.iter().all(|held| held.ended_at <= Some(t(21))));
    assert_eq!(exam.session.state().last_claim_at, Some(t(21)));
}

#[test]
fn nothing_counts_before_the_start_or_while_paused() {
    let mut exam = Exam::ready(RuleTable::default());
    exam.signal(t(-100), Code::WindowBlur, SignalPhase::Begin);
    exam.command(t(0), Command::Begin);
    exam.run_to(t(30));
    exam.staff(t(30), StaffCommand::Pause { reason: "fire alarm".to_owned() });
    exam.signal(t(31), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(100));
    exam.staff(t(100), StaffCommand::Resume);
    exam.signal_ago(t(101), Code::WindowBlur, SignalPhase::End, Span::ZERO);
    exam.run_to(t(200));
    assert!(exam.session.state().incidents.is_empty());
}

#[test]
fn a_pause_ends_what_runs() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.staff(t(15), StaffCommand::Pause { reason: "call".to_owned() });
    exam.run_to(t(300));
    assert_eq!(exam.incident(1).ended_at, Some(t(15)));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn blurs_while_our_prompt_is_open_and_ten_seconds_after_do_not_count() {
    let mut exam = Exam::running();
    exam.command(t(9), Command::Prompt { open: true });
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.command(t(30), Command::Prompt { open: false });
    exam.signal(t(45), Code::WindowBlur, SignalPhase::End);
    exam.run_to(t(60));
    assert_eq!(exam.incident(1).status, IncidentStatus::Recorded, "40 to 45 is all that counts");

    let mut longer = Exam::running();
    longer.command(t(9), Command::Prompt { open: true });
    longer.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    longer.command(t(30), Command::Prompt { open: false });
    assert_eq!(longer.session.next_deadline(), Some(t(50)));
    longer.run_to(t(50));
    assert_eq!(longer.incident(1).began_at, t(40));
    assert_eq!(longer.consequences(), [Consequence::Warning]);
}

#[test]
fn a_prompt_shields_no_longer_than_sixty_seconds() {
    let mut exam = Exam::running();
    exam.command(t(0), Command::Prompt { open: true });
    exam.signal(t(1), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(79));
    assert_eq!(exam.consequences(), []);
    exam.run_to(t(80));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
}

#[test]
fn blurs_while_the_warning_is_open_and_ten_seconds_after_do_not_count() {
    let mut exam = Exam::warned(t(100));
    exam.command(t(101), Command::WarningDisplayed { ordinal: 1 });
    exam.signal(t(115), Code::WindowBlur, SignalPhase::Begin);
    exam.acknowledge(t(140));
    exam.signal(t(149), Code::WindowBlur, SignalPhase::End);
    exam.run_to(t(300));
    assert_eq!(exam.consequences(), [Consequence::Warning]);
    assert_eq!(exam.finish(), None);
}

#[test]
fn human_codes_wait_for_a_person_and_end_when_no_longer_seen() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 70);
    exam.model(t(40), Code::SecondPerson, SignalPhase::Seen, 70);
    exam.run_to(t(300));
    assert_eq!(exam.incident(1).ended_at, Some(t(40)));
    assert!(exam.incident(1).awaits_person());
    assert_eq!(exam.session.open_human_incidents().count(), 1);
    assert_eq!(exam.consequences(), []);
}

#[test]
fn a_face_missed_for_less_than_ten_seconds_bothers_nobody() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::NoFace, SignalPhase::Begin, 70);
    exam.model(t(15), Code::NoFace, SignalPhase::End, 70);
    exam.run_to(t(100));
    assert_eq!(exam.incident(1).status, IncidentStatus::Recorded);
    assert_eq!(exam.session.open_human_incidents().count(), 0);
}

#[test]
fn weak_informative_and_switched_off_claims_are_recorded_only() {
    let mut exam = Exam::running_with(switched_off(Code::LookingAwayLong));
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 39);
    exam.signal(t(11), Code::CopyPaste, SignalPhase::Seen);
    exam.model(t(12), Code::LookingAwayLong, SignalPhase::Begin, 99);
    assert!(exam.session.state().incidents.is_empty());
    let reported = |event: &&synaq_core::session::Event| {
        matches!(event.fact, synaq_core::session::Fact::DetectorReported { .. })
    };
    assert_eq!(exam.log.iter().filter(reported).count(), 3);
}

#[test]
fn a_centre_can_hand_an_automatic_code_to_a_person() {
    let mut rules = RuleTable::default();
    rules.changed.insert(Code::WindowBlur, Rule { class: Class::Human, ..Code::WindowBlur.default_rule() });
    let mut exam = Exam::running_with(rules);
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(100));
    assert_eq!(exam.consequences(), []);
    assert_eq!(exam.session.open_human_incidents().count(), 1);
}

#[test]
fn the_tail_of_a_human_incident_becomes_a_new_one_for_a_person() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Begin, 90);
    let incident = IncidentNo(1);
    let confirm = StaffCommand::Confirm { incident, began_at: t(10), warnings_seen: 0, note: None };
    exam.staff(t(15), confirm);
    exam.acknowledge(t(20));
    exam.run_to(t(50));
    assert_eq!(exam.incident(1).ended_at, Some(t(50)));
    assert!(exam.incident(2).awaits_person(), "a person decides what a detector saw");
    assert_eq!(exam.session.countdown_to_second(t(40)), None);
    assert_eq!(exam.finish(), None);
}

#[test]
fn a_device_still_off_after_the_warning_ends_the_exam_only_after_its_restore_failed() {
    let mut exam = Exam::warned(t(100));
    exam.signal(t(101), Code::CameraOff, SignalPhase::Begin);
    exam.acknowledge(t(102));
    exam.run_to(t(140));
    assert_eq!(exam.finish(), None);
    assert_eq!(exam.incident(3).began_at, t(132));
    exam.signal(t(150), Code::CameraOff, SignalPhase::RestoreFailed);
    assert!(exam.terminated());
}

#[test]
fn the_proctors_record_of_a_stale_incident_is_a_new_violation_once_its_tail_is_over() {
    let mut exam = Exam::warned(t(100));
    exam.acknowledge(t(102));
    exam.record(t(125), Code::ForbiddenItem, t(120), 1);
    assert_eq!(exam.consequences(), [Consequence::Warning], "still the same phone");
    exam.record(t(140), Code::ForbiddenItem, t(135), 1);
    assert!(exam.terminated());
}

#[test]
fn a_flood_of_signals_leaves_room_for_answers_and_the_hand_in() {
    let mut exam = Exam::running();
    let mut refused = None;
    for n in 0..16_000 {
        let client = exam.client(t(1));
        let command =
            Command::Signal { code: Code::Devtools, phase: SignalPhase::Seen, ago: Span::ZERO, note: None };
        let decision = exam.input(t(1), Input::Candidate { client, command });
        if let Some(synaq_core::session::Effect::Refused(refusal)) = decision.effects.last() {
            refused = Some((n, refusal.clone()));
            break;
        }
    }
    assert!(matches!(refused, Some((_, Refusal::TooManyEvents))));
    let event = DetectorEvent {
        code: Code::NoFace,
        phase: SignalPhase::Seen,
        source: Source::Model,
        confidence_pct: 90,
        at: t(1),
        note: None,
        measured: None,
    };
    assert_eq!(exam.refuse(t(1), Input::Detect(event)), Refusal::TooManyEvents);
    exam.answer(t(2), 0, &[1]);
    exam.command(t(3), Command::HandIn);
    assert!(exam.finish().is_some());
}

#[test]
fn ids_of_strangers_change_nothing() {
    let mut exam = Exam::running();
    let before = exam.log.len();
    let socket = SocketId(Uuid::from_u128(0xFFFF));
    exam.input(t(5), Input::Detach { socket, reason: String::new() });
    let incident = IncidentNo(99);
    let dismiss = Input::Staff { by: PROCTOR, command: StaffCommand::Dismiss { incident, note: None } };
    assert_eq!(exam.refuse(t(5), dismiss), Refusal::IncidentNotOpen);
    assert_eq!(exam.log.len(), before);
}

#[test]
fn a_short_absence_queued_offline_does_not_warn_before_its_end_arrives() {
    let mut exam = Exam::running();
    exam.signal_ago(t(100), Code::WindowBlur, SignalPhase::Begin, Span::secs(40));
    assert_eq!(exam.consequences(), [], "its end may be queued behind it");
    exam.signal_ago(t(100), Code::WindowBlur, SignalPhase::End, Span::secs(36));
    exam.run_to(t(200));
    assert_eq!(exam.incident(1).ended_at, Some(t(64)));
    assert_eq!(exam.consequences(), []);

    let mut endless = Exam::running();
    endless.signal_ago(t(100), Code::WindowBlur, SignalPhase::Begin, Span::secs(40));
    endless.run_to(t(110));
    assert_eq!(endless.consequences(), [Consequence::Warning], "no end came");
    assert_eq!(endless.incident(1).began_at, t(60));
}

#[test]
fn a_late_end_of_a_long_absence_ends_the_same_incident() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(20));
    exam.signal(t(49), Code::WindowBlur, SignalPhase::End);
    assert_eq!(exam.incident(1).ended_at, Some(t(49)));
}

#[test]
fn a_dismissed_incident_that_is_seen_again_is_not_put_before_the_proctor_twice() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::ForbiddenItem, SignalPhase::Seen, 90);
    exam.staff(t(12), StaffCommand::Dismiss { incident: IncidentNo(1), note: None });
    exam.model(t(15), Code::ForbiddenItem, SignalPhase::Seen, 90);
    assert_eq!(exam.session.open_human_incidents().count(), 0);
    exam.model(t(200), Code::ForbiddenItem, SignalPhase::Seen, 90);
    assert_eq!(exam.session.open_human_incidents().count(), 1);
}

#[test]
fn a_device_claim_of_the_server_itself_ends_with_the_socket_too() {
    let mut exam = Exam::running();
    let (code, phase, source) = (Code::CameraOff, SignalPhase::Begin, Source::Server);
    let event =
        DetectorEvent { code, phase, source, confidence_pct: 100, at: t(10), note: None, measured: None };
    exam.accept(t(10), Input::Detect(event));
    exam.disconnect(t(12), 0);
    exam.reconnect(t(14), 1);
    assert!(exam.session.state().held.is_empty());
    exam.run_to(t(60));
    assert_eq!(exam.incident(1).ended_at, Some(t(12)));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn word_owed_from_one_connection_is_not_paid_two_connections_later() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::SecondScreen, SignalPhase::Begin);
    exam.disconnect(t(25), 0);
    exam.reconnect(t(30), 1);
    exam.run_to(t(1_200));
    exam.disconnect(t(1_200), 1);
    exam.reconnect(t(1_210), 2);
    exam.signal(t(1_211), Code::SecondScreen, SignalPhase::Begin);
    assert_eq!(exam.session.state().incidents.len(), 2, "a new one, not the tail of an old one");
}

#[test]
fn the_end_of_the_exam_ends_what_runs() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.model(t(12), Code::NoFace, SignalPhase::Begin, 90);
    exam.command(t(15), Command::HandIn);
    for no in [1, 2] {
        assert_eq!(exam.incident(no).ended_at, Some(t(15)));
        assert_eq!(exam.incident(no).status, IncidentStatus::Recorded, "too short to bother anybody");
    }
    assert_eq!(exam.session.seal_waits(t(15)), None);
}

#[test]
fn a_camera_left_off_after_its_warning_ends_the_exam() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::CameraOff, SignalPhase::Begin);
    exam.signal(t(15), Code::CameraOff, SignalPhase::RestoreFailed);
    exam.run_to(t(25));
    exam.acknowledge(t(30));
    exam.run_to(t(60));
    assert!(exam.incident(2).restore_failed);
    assert!(exam.terminated());
}

#[test]
fn a_tail_queued_offline_waits_for_its_queued_end() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(24), Code::WindowBlur, SignalPhase::End);
    exam.acknowledge(t(25));
    exam.signal_ago(t(60), Code::WindowBlur, SignalPhase::Begin, Span::secs(32));
    assert_eq!(exam.finish(), None);
    exam.signal_ago(t(60), Code::WindowBlur, SignalPhase::End, Span::secs(25));
    exam.run_to(t(300));
    assert_eq!(exam.incident(1).ended_at, Some(t(35)));
    assert_eq!(exam.finish(), None);
}

#[test]
fn an_absence_that_outlasted_a_lost_connection_and_the_tail_counts_from_the_reconnect() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    exam.run_to(t(21));
    exam.command(t(21), Command::WarningDisplayed { ordinal: 1 });
    exam.disconnect(t(25), 0);
    exam.reconnect(t(300), 1);
    exam.signal(t(301), Code::WindowBlur, SignalPhase::Seen);
    assert_eq!(exam.finish(), None, "no end without a countdown");
    assert_eq!(exam.incident(2).began_at, t(301));
}

#[test]
fn a_claim_from_a_pause_counts_from_the_resumption() {
    let mut exam = Exam::running();
    exam.staff(t(30), StaffCommand::Pause { reason: "fire alarm".to_owned() });
    exam.staff(t(100), StaffCommand::Resume);
    exam.signal_ago(t(101), Code::WindowBlur, SignalPhase::Begin, Span::secs(40));
    assert_eq!(exam.incident(1).began_at, t(100));
}

/// A page that opens and closes its own prompt all the time gets five minutes of it, not the whole exam.
#[test]
fn prompts_shield_no_longer_than_their_sum() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::WindowBlur, SignalPhase::Begin);
    for second in (11..900).step_by(9) {
        if exam.session.warnings_given() > 0 {
            break;
        }
        exam.command(t(second), Command::Prompt { open: true });
        exam.command(t(second + 8), Command::Prompt { open: false });
    }
    let confirmed = exam.log.iter().find(|event| matches!(event.fact, Fact::IncidentConfirmed { .. }));
    let at = confirmed.expect("the shield has an end").at;
    assert!((t(310)..=t(350)).contains(&at), "{at}");
}

#[test]
fn prompts_of_the_preparation_leave_the_exam_its_shield() {
    let mut exam = Exam::ready(RuleTable::default());
    for second in (-500..-20).step_by(60) {
        exam.command(t(second), Command::Prompt { open: true });
        exam.command(t(second + 59), Command::Prompt { open: false });
    }
    exam.command(t(0), Command::Begin);
    exam.command(t(100), Command::Prompt { open: true });
    exam.signal(t(101), Code::WindowBlur, SignalPhase::Begin);
    exam.signal(t(130), Code::WindowBlur, SignalPhase::End);
    exam.command(t(131), Command::Prompt { open: false });
    exam.run_to(t(200));
    assert_eq!(exam.consequences(), []);
}

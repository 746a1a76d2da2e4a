use crate::support::{DEVICE, Exam, OTHER_DEVICE, OTHER_TAB, TAB, creation, socket, t};
use synaq_core::ids::Epoch;
use synaq_core::proctoring::{Code, RuleTable, SignalPhase};
use synaq_core::session::limits::{SERVER_STOPPED, TAB_RETURN_GRACE};
use synaq_core::session::{ClientRef, Command, Effect, Fact, Input, Refusal, StaffCommand};

const ADMIT: StaffCommand = StaffCommand::AdmitDevice { waiting: None };

fn attach(device: synaq_core::ids::DeviceHash, tab: synaq_core::ids::TabId, n: u128) -> Input {
    Input::Attach { device, tab, socket: socket(n) }
}

#[test]
fn the_first_device_is_bound_and_the_same_one_again_is_welcome() {
    let mut exam = Exam::created(RuleTable::default());
    let first = exam.input(t(-500), Input::Bind { device: DEVICE, tab: TAB });
    assert_eq!(first.effects, [Effect::Attached(Epoch(1))]);
    let again = exam.input(t(-400), Input::Bind { device: DEVICE, tab: OTHER_TAB });
    assert_eq!(again.effects, [Effect::Attached(Epoch(1))]);
    assert!(again.events.is_empty());
    let other = exam.refuse(t(-300), Input::Bind { device: OTHER_DEVICE, tab: TAB });
    assert_eq!(other, Refusal::OtherDevice);
}

#[test]
fn a_link_is_dead_after_the_end_of_the_sitting() {
    let mut exam = Exam::created(RuleTable::default());
    let after = creation().closes_at + synaq_core::time::Span(1);
    assert_eq!(exam.refuse(after, Input::Bind { device: DEVICE, tab: TAB }), Refusal::LinkExpired);
    assert_eq!(exam.refuse(after, attach(DEVICE, TAB, 0)), Refusal::WrongStage);
}

#[test]
fn the_same_tab_replaces_its_old_socket_silently() {
    let mut exam = Exam::running();
    let decision = exam.input(t(5), attach(DEVICE, TAB, 1));
    assert_eq!(decision.effects, [Effect::CloseSocket(socket(0)), Effect::Attached(Epoch(1))]);
    assert!(exam.session.state().incidents.is_empty());
    exam.disconnect(t(6), 0);
    assert_eq!(exam.session.state().socket, Some((socket(1), t(5))), "the old socket's end changes nothing");
    assert_eq!(exam.session.state().interruptions, 0);
}

#[test]
fn another_tab_of_the_same_device_takes_over_when_the_first_is_gone_for_good() {
    let mut exam = Exam::running();
    exam.disconnect(t(5), 0);
    let decision = exam.input(t(10), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(decision.effects, [Effect::Attached(Epoch(2))]);
    assert_eq!(exam.session.state().interruptions, 1);
    let unasked = |event: &synaq_core::session::Event| {
        matches!(event.fact, Fact::DeviceBound { epoch: Epoch(2), tab: OTHER_TAB, admitted_by: None, .. })
    };
    assert!(decision.events.iter().any(unasked));
}

/// A person who closed the tab and opened the link again is nobody's second connection.
#[test]
fn a_new_tab_right_after_the_first_was_closed_waits_out_the_grace_and_is_no_incident() {
    let mut exam = Exam::running();
    exam.disconnect(t(5), 0);
    assert_eq!(exam.input(t(6), attach(DEVICE, OTHER_TAB, 1)).effects, [Effect::AttachWaits]);
    assert_eq!(exam.session.next_deadline(), Some(t(10)));
    exam.run_to(t(10));
    assert_eq!(exam.session.state().socket, Some((socket(1), t(10))));
    assert!(exam.session.state().incidents.is_empty());
}

#[test]
fn a_reload_of_the_same_tab_keeps_its_epoch() {
    let mut exam = Exam::running();
    exam.disconnect(t(5), 0);
    let decision = exam.input(t(6), attach(DEVICE, TAB, 1));
    assert_eq!(decision.effects, [Effect::Attached(Epoch(1))]);
}

/// Both tabs count from the same number: the former one's answer must never be told saved by the latter's receipt.
#[test]
fn two_tabs_that_count_alike_never_take_each_others_receipts() {
    let mut exam = Exam::running();
    let put = |epoch: u32, question: u16, option: u8| Input::Candidate {
        client: ClientRef { epoch: Epoch(epoch), client_seq: 50, client_at: t(5) },
        command: Command::Answer { question, shown: [option].into() },
    };
    exam.disconnect(t(5), 0);
    exam.input(t(10), attach(DEVICE, OTHER_TAB, 1));
    exam.accept(t(11), put(2, 0, 1));
    assert_eq!(exam.refuse(t(12), put(1, 3, 2)), Refusal::SupersededEpoch);
    assert!(matches!(exam.log.last().unwrap().fact, Fact::AnswerSuperseded { question: 3, .. }));
    assert!(!exam.session.state().answers.contains_key(&3));
}

#[test]
fn a_waiting_tab_of_the_same_device_goes_on_when_the_first_stays_away() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    exam.disconnect(t(7), 0);
    assert_eq!(exam.session.state().socket, None, "the first may still come back");
    exam.run_to(t(7) + TAB_RETURN_GRACE);
    let state = exam.session.state();
    let binding = state.binding.clone().unwrap();
    assert_eq!((binding.epoch, binding.tab), (Epoch(2), OTHER_TAB));
    assert_eq!(state.socket, Some((socket(1), t(12))));
    assert_eq!(state.waiting_device, None);
    let again = exam.input(t(13), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(again.effects, [Effect::Attached(Epoch(2))]);
    assert!(again.events.is_empty());
}

#[test]
fn a_reload_of_the_first_tab_keeps_the_exam_while_a_second_waits() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    exam.disconnect(t(7), 0);
    let back = exam.input(t(11), attach(DEVICE, TAB, 2));
    assert_eq!(back.effects, [Effect::Attached(Epoch(1))]);
    exam.run_to(t(60));
    assert_eq!(exam.session.state().socket, Some((socket(2), t(11))));
    assert_eq!(exam.session.state().waiting_device, Some((DEVICE, OTHER_TAB, socket(1))));
    assert_eq!(exam.session.state().incidents.len(), 1, "one second connection, told once");
}

#[test]
fn a_waiting_tab_that_left_in_the_grace_is_not_put_in_charge() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    exam.disconnect(t(7), 0);
    exam.disconnect(t(8), 1);
    exam.run_to(t(60));
    assert_eq!(exam.session.state().binding.clone().unwrap().epoch, Epoch(1));
}

#[test]
fn the_grace_holds_before_the_start_too() {
    let mut exam = Exam::attached();
    exam.input(t(-450), attach(DEVICE, OTHER_TAB, 1));
    exam.disconnect(t(-400), 0);
    assert_eq!(exam.session.next_deadline(), Some(t(-395)));
    exam.run_to(t(-395));
    assert_eq!(exam.session.state().socket, Some((socket(1), t(-395))));
}

/// After a fall of ours every tab comes back at once, and the order of their arrival says nothing.
#[test]
fn after_our_fall_the_tab_in_charge_keeps_the_exam_though_the_other_came_first() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    exam.input(t(60), Input::Recover { down_from: t(30) });
    assert_eq!(exam.input(t(61), attach(DEVICE, OTHER_TAB, 2)).effects, [Effect::AttachWaits]);
    assert_eq!(exam.input(t(63), attach(DEVICE, TAB, 3)).effects, [Effect::Attached(Epoch(1))]);
}

/// It comes to hand over what it gathered under its old epoch; a person has nothing to judge there.
#[test]
fn a_device_that_was_in_charge_before_and_comes_back_is_no_second_connection() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    exam.staff(t(6), ADMIT);
    let told = exam.session.state().incidents.len();
    assert_eq!(exam.input(t(60), attach(DEVICE, TAB, 2)).effects, [Effect::AttachWaits]);
    let late = Input::Candidate {
        client: ClientRef { epoch: Epoch(1), client_seq: 50, client_at: t(5) },
        command: Command::Answer { question: 3, shown: [2].into() },
    };
    assert_eq!(exam.refuse(t(61), late), Refusal::SupersededEpoch);
    assert!(matches!(exam.log.last().unwrap().fact, Fact::AnswerSuperseded { question: 3, .. }));
    assert_eq!(exam.session.state().incidents.len(), told);
}

#[test]
fn a_stranger_that_came_in_the_grace_is_told_when_the_first_is_back() {
    let mut exam = Exam::running();
    exam.disconnect(t(5), 0);
    exam.input(t(6), attach(DEVICE, OTHER_TAB, 1));
    assert!(exam.session.state().incidents.is_empty());
    exam.input(t(8), attach(DEVICE, TAB, 2));
    assert_eq!(exam.incident(1).code, Code::SecondConnection);
}

#[test]
fn another_device_is_never_let_in_by_the_firsts_leaving() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    exam.disconnect(t(7), 0);
    assert_eq!(exam.session.state().socket, None);
    assert_eq!(exam.session.state().waiting_device, Some((OTHER_DEVICE, TAB, socket(1))));
    exam.input(t(8), attach(DEVICE, OTHER_TAB, 2));
    assert_eq!(exam.session.state().waiting_device, Some((OTHER_DEVICE, TAB, socket(1))), "it still waits");
}

#[test]
fn a_device_that_came_after_the_proctor_looked_is_not_admitted() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    exam.input(t(6), attach(OTHER_DEVICE, OTHER_TAB, 2));
    let admit = |n| StaffCommand::AdmitDevice { waiting: Some(socket(n)) };
    assert_eq!(exam.staff_refused(t(7), admit(1)), Refusal::NothingWaits);
    exam.staff(t(8), admit(2));
    assert_eq!(exam.session.state().socket, Some((socket(2), t(8))));
}

#[test]
fn another_tab_beside_a_live_one_waits_and_is_an_incident_for_a_person() {
    let mut exam = Exam::running();
    let decision = exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(decision.effects, [Effect::AttachWaits]);
    assert_eq!(exam.incident(1).code, Code::SecondConnection);
    assert!(exam.incident(1).awaits_person());
    assert_eq!(exam.consequences(), []);
}

#[test]
fn before_the_start_a_second_device_waits_without_an_incident() {
    let mut exam = Exam::attached();
    exam.disconnect(t(-400), 0);
    let decision = exam.input(t(-300), attach(OTHER_DEVICE, TAB, 1));
    assert_eq!(decision.effects, [Effect::AttachWaits]);
    assert!(exam.session.state().incidents.is_empty());
}

#[test]
fn an_admitted_device_gets_a_new_epoch_and_the_old_socket_is_closed() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    let decision = exam.staff(t(6), ADMIT);
    assert_eq!(decision.effects, [Effect::Accepted, Effect::CloseSocket(socket(0))]);
    let binding = exam.session.state().binding.clone().unwrap();
    assert_eq!((binding.epoch, binding.device), (Epoch(2), OTHER_DEVICE));
    assert_eq!(exam.session.state().socket, Some((socket(1), t(6))));
    assert_eq!(exam.staff_refused(t(7), ADMIT), Refusal::NothingWaits);
    assert_eq!(exam.command_refused(t(8), Command::CallProctor), Refusal::SupersededEpoch);
    let old = exam.input(t(9), attach(DEVICE, TAB, 2));
    assert_eq!(old.effects, [Effect::AttachWaits], "the old device is now the other one");
}

#[test]
fn a_waiting_device_that_leaves_waits_no_longer() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    exam.disconnect(t(6), 1);
    assert_eq!(exam.staff_refused(t(7), ADMIT), Refusal::NothingWaits);
    assert_eq!(exam.session.state().interruptions, 0);
}

#[test]
fn a_reload_of_the_page_ends_what_its_browser_claimed() {
    let mut exam = Exam::running();
    exam.signal(t(10), Code::CameraOff, SignalPhase::Begin);
    exam.signal(t(11), Code::CameraOff, SignalPhase::RestoreFailed);
    exam.input(t(14), attach(DEVICE, TAB, 1));
    exam.run_to(t(60));
    assert_eq!(exam.incident(1).ended_at, Some(t(14)));
    assert_eq!(exam.consequences(), []);
}

#[test]
fn only_losses_while_the_clock_runs_are_interruptions() {
    let mut exam = Exam::attached();
    exam.disconnect(t(-400), 0);
    assert_eq!(exam.session.state().interruptions, 0);
    let mut paused = Exam::running();
    paused.staff(t(5), StaffCommand::Pause { reason: "break".to_owned() });
    paused.disconnect(t(6), 0);
    assert_eq!(paused.session.state().interruptions, 0);
}

#[test]
fn a_line_that_we_end_because_we_are_stopped_is_no_interruption() {
    let mut exam = Exam::running();
    exam.input(t(5), Input::Detach { socket: socket(0), reason: SERVER_STOPPED.to_owned() });
    assert_eq!(exam.session.state().interruptions, 0);
    exam.reconnect(t(6), 1);
    exam.disconnect(t(7), 1);
    assert_eq!(exam.session.state().interruptions, 1);
}

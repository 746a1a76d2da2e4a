use crate::support::{DEVICE, Exam, OTHER_DEVICE, OTHER_TAB, TAB, creation, socket, t};
use synaq_core::ids::Epoch;
use synaq_core::proctoring::{Code, RuleTable, SignalPhase};
use synaq_core::session::{Command, Effect, Input, Refusal, StaffCommand};

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
fn another_tab_of_the_same_device_takes_over_when_no_socket_lives() {
    let mut exam = Exam::running();
    exam.disconnect(t(5), 0);
    let decision = exam.input(t(6), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(decision.effects, [Effect::Attached(Epoch(1))]);
    assert_eq!(exam.session.state().interruptions, 1);
}

#[test]
fn another_tab_beside_a_live_one_waits_and_is_an_incident_for_a_person() {
    let mut exam = Exam::running();
    let decision = exam.input(t(5), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(decision.effects, [Effect::AttachWaits]);
    assert_eq!(exam.incident(1).code, Code::SecondConnection);
    assert!(exam.incident(1).awaits_person());
    assert_eq!(exam.consequences(), []);
    exam.disconnect(t(7), 0);
    let taken = exam.input(t(8), attach(DEVICE, OTHER_TAB, 1));
    assert_eq!(taken.effects, [Effect::Attached(Epoch(1))]);
    assert_eq!(exam.session.state().waiting_device, None);
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
    let decision = exam.staff(t(6), StaffCommand::AdmitDevice);
    assert_eq!(decision.effects, [Effect::Accepted, Effect::CloseSocket(socket(0))]);
    let binding = exam.session.state().binding.clone().unwrap();
    assert_eq!((binding.epoch, binding.device), (Epoch(2), OTHER_DEVICE));
    assert_eq!(exam.session.state().socket, Some((socket(1), t(6))));
    assert_eq!(exam.staff_refused(t(7), StaffCommand::AdmitDevice), Refusal::NothingWaits);
    assert_eq!(exam.command_refused(t(8), Command::CallProctor), Refusal::SupersededEpoch);
    let old = exam.input(t(9), attach(DEVICE, TAB, 2));
    assert_eq!(old.effects, [Effect::AttachWaits], "the old device is now the other one");
}

#[test]
fn a_waiting_device_that_leaves_waits_no_longer() {
    let mut exam = Exam::running();
    exam.input(t(5), attach(OTHER_DEVICE, TAB, 1));
    exam.disconnect(t(6), 1);
    assert_eq!(exam.staff_refused(t(7), StaffCommand::AdmitDevice), Refusal::NothingWaits);
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

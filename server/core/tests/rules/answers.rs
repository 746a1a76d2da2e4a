use crate::support::{DEVICE, Exam, OTHER_TAB, START, TAB, socket, t};
use std::collections::BTreeSet;
use synaq_core::form::Seed;
use synaq_core::ids::{Epoch, Seq};
use synaq_core::proctoring::{Code, RuleTable, SignalPhase};
use synaq_core::session::{
    ClientRef, Command, Effect, Event, ExamSession, Fact, Fingerprint, Finish, Input, Refusal, SealWaits,
    StaffCommand,
};
use synaq_core::time::{At, Span};

fn answer(epoch: u32, client_seq: u64, client_at: At, question: u16, shown: &[u8]) -> Input {
    Input::Candidate {
        client: ClientRef { epoch: Epoch(epoch), client_seq, client_at },
        command: Command::Answer { question, shown: shown.iter().copied().collect() },
    }
}

fn shown(exam: &Exam, question: u16) -> Option<Vec<u8>> {
    exam.session.state().answers.get(&question).map(|held| held.shown.iter().copied().collect())
}

#[test]
fn a_repeated_command_yields_its_earlier_receipt() {
    let mut exam = Exam::running();
    exam.accept(t(1), answer(1, 50, t(1), 0, &[1]));
    let seq = exam.session.state().seq;
    let again = exam.input(t(9), answer(1, 50, t(1), 0, &[1]));
    assert_eq!(again.effects, [Effect::AlreadyDone(seq)]);
    assert!(again.events.is_empty());
}

#[test]
fn a_number_given_to_another_command_is_refused_even_after_a_restart() {
    let mut exam = Exam::running();
    exam.accept(t(1), answer(1, 50, t(1), 0, &[1]));
    assert_eq!(exam.refuse(t(2), answer(1, 50, t(1), 0, &[2])), Refusal::ClientSeqReused);
    assert_eq!(exam.refuse(t(2), answer(1, 50, t(1), 1, &[1])), Refusal::ClientSeqReused);
    assert_eq!(shown(&exam, 0), Some(vec![1]));
    let stored = serde_json::to_string(&exam.log).unwrap();
    let log: Vec<Event> = serde_json::from_str(&stored).unwrap();
    exam.session = ExamSession::new(exam.session.context().clone());
    log.iter().for_each(|event| exam.session.apply(event));
    assert_eq!(exam.refuse(t(3), answer(1, 50, t(1), 0, &[2])), Refusal::ClientSeqReused);
    assert!(matches!(exam.input(t(4), answer(1, 50, t(1), 0, &[1])).effects[..], [Effect::AlreadyDone(_)]));
}

#[test]
fn a_log_from_before_fingerprints_yields_its_receipts() {
    let mut exam = Exam::running();
    exam.accept(t(1), answer(1, 50, t(1), 0, &[1]));
    let mut stored = serde_json::to_value(&exam.log).unwrap();
    for event in stored.as_array_mut().unwrap() {
        event.as_object_mut().unwrap().remove("fingerprint");
    }
    let log: Vec<Event> = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&log).unwrap(), stored, "the hash chain still holds");
    exam.session = ExamSession::new(exam.session.context().clone());
    log.iter().for_each(|event| exam.session.apply(event));
    assert!(matches!(exam.input(t(4), answer(1, 50, t(1), 0, &[2])).effects[..], [Effect::AlreadyDone(_)]));
}

/// A queued signal is sent again with a new age, a second half of the draw is another command.
#[test]
fn a_repetition_is_told_from_another_command_by_what_it_says() {
    let signal = |ago| Command::Signal {
        code: Code::WindowBlur,
        phase: SignalPhase::Begin,
        ago: Span::secs(ago),
        note: None,
    };
    assert_eq!(Fingerprint::of(&signal(1)), Fingerprint::of(&signal(9)));
    let ready = |byte| Command::Ready { nonce: Seed([byte; 32]) };
    assert_ne!(Fingerprint::of(&ready(1)), Fingerprint::of(&ready(2)));
    assert_ne!(Fingerprint::of(&Command::HandIn), Fingerprint::of(&Command::Drained));
}

#[test]
fn a_line_that_breaks_all_the_time_leaves_the_answers_their_room() {
    let mut exam = Exam::running();
    let seq = exam.session.state().seq.0;
    for n in 0..11_000_u128 {
        let (at, socket) = (t(1), socket(100 + n));
        for input in [
            Input::Attach { device: DEVICE, tab: TAB, socket },
            Input::Detach { socket, reason: String::new() },
        ] {
            for event in exam.session.decide(at, input).events {
                exam.session.apply(&event);
            }
        }
    }
    assert!(exam.session.state().seq.0 > seq + 20_000);
    exam.log.clear();
    exam.answer(t(2), 0, &[1]);
    exam.signal(t(3), Code::WindowBlur, SignalPhase::Begin);
}

#[test]
fn a_receipt_names_the_commands_own_event_and_not_what_was_due_before() {
    let mut exam = Exam::warned(t(100));
    let decision = exam.input(t(200), answer(1, 90, t(200), 0, &[1]));
    assert!(decision.events.len() > 1, "the warning took effect first");
    let again = exam.input(t(201), answer(1, 90, t(200), 0, &[1]));
    let last = Seq(u64::try_from(exam.log.len()).unwrap());
    assert_eq!(again.effects, [Effect::AlreadyDone(last)]);
}

#[test]
fn an_earlier_command_delivered_later_is_accepted_and_never_overwrites() {
    let mut exam = Exam::running();
    exam.accept(t(1), answer(1, 52, t(1), 0, &[2]));
    exam.accept(t(2), answer(1, 51, t(0), 0, &[1]));
    exam.accept(t(2), answer(1, 50, t(0), 3, &[1]));
    assert_eq!(shown(&exam, 0), Some(vec![2]));
    assert_eq!(shown(&exam, 3), Some(vec![1]));
}

#[test]
fn an_empty_answer_clears() {
    let mut exam = Exam::running();
    exam.answer(t(1), 0, &[1]);
    exam.answer(t(2), 0, &[]);
    assert_eq!(shown(&exam, 0), Some(vec![]));
    assert_eq!(exam.session.score().unwrap().correct, 0);
}

#[test]
fn places_outside_the_form_are_refused() {
    let mut exam = Exam::running();
    let single = (0..10).find(|n| exam.right(*n).len() == 1).unwrap();
    let put = |question, shown: &[u8]| Command::Answer { question, shown: shown.iter().copied().collect() };
    assert_eq!(exam.command_refused(t(1), put(10, &[0])), Refusal::NoSuchQuestion);
    assert_eq!(exam.command_refused(t(1), put(0, &[4])), Refusal::NoSuchOption);
    assert_eq!(exam.command_refused(t(1), put(single, &[0, 1])), Refusal::NoSuchOption);
    assert_eq!(exam.command_refused(t(1), Command::Flag { question: 10, on: true }), Refusal::NoSuchQuestion);
    assert!(exam.session.state().answers.is_empty());
}

#[test]
fn an_answer_before_the_start_is_refused() {
    let mut exam = Exam::ready(RuleTable::default());
    let put = Command::Answer { question: 0, shown: BTreeSet::from([0]) };
    assert_eq!(exam.command_refused(t(-1), put), Refusal::WrongStage);
}

#[test]
fn an_answer_one_millisecond_after_the_deadline_closes_first_and_is_late() {
    let mut exam = Exam::running();
    let deadline = exam.deadline();
    exam.accept(At(deadline.0 - 1), answer(1, 50, deadline, 0, &[1]));
    let decision = exam.accept(At(deadline.0 + 1), answer(1, 51, At(deadline.0 - 5), 1, &[1]));
    assert_eq!(decision.events[0].at, deadline);
    assert!(matches!(decision.events[0].fact, Fact::Closed { finish: Finish::TimeExpired, .. }));
    assert!(matches!(decision.events[1].fact, Fact::AnswerLate { .. }));
    assert_eq!(shown(&exam, 1), None, "late answers are not scored");
    assert_eq!(exam.session.state().late_answers.len(), 1);
}

#[test]
fn at_the_deadline_itself_nothing_remains() {
    let mut exam = Exam::running();
    let deadline = exam.deadline();
    assert_eq!(exam.command_refused(deadline, Command::HandIn), Refusal::ExamEnded);
    assert_eq!(exam.finish(), Some((Finish::TimeExpired, deadline)));
}

#[test]
fn an_answer_claimed_after_the_deadline_or_delivered_too_late_is_refused() {
    let mut exam = Exam::running();
    let deadline = exam.deadline();
    let after = t(3_610);
    assert_eq!(exam.refuse(after, answer(1, 50, deadline, 0, &[1])), Refusal::ExamEnded);
    let last = At(deadline.0 + 599_999);
    exam.accept(last, answer(1, 51, START, 0, &[1]));
    assert_eq!(exam.refuse(At(last.0 + 1), answer(1, 52, START, 0, &[2])), Refusal::ExamEnded);
    assert_eq!(exam.session.next_deadline(), None);
}

#[test]
fn after_the_hand_in_no_answer_is_taken() {
    let mut exam = Exam::running();
    exam.command(t(10), Command::HandIn);
    assert_eq!(exam.refuse(t(11), answer(1, 50, t(5), 0, &[1])), Refusal::ExamEnded);
    assert_eq!(exam.command_refused(t(12), Command::HandIn), Refusal::ExamEnded);
}

#[test]
fn neither_a_warning_nor_a_pause_loses_an_answer() {
    let mut exam = Exam::warned(t(100));
    assert!(exam.session.questions_covered(t(101)));
    exam.answer(t(101), 0, &[1]);
    exam.staff(t(102), StaffCommand::Pause { reason: "call".to_owned() });
    assert!(exam.session.questions_covered(t(103)));
    exam.answer(t(103), 1, &[1]);
    assert_eq!((shown(&exam, 0), shown(&exam, 1)), (Some(vec![1]), Some(vec![1])));
}

#[test]
fn the_hand_in_is_accepted_while_warned_and_paused() {
    let mut exam = Exam::warned(t(100));
    exam.staff(t(102), StaffCommand::Pause { reason: "call".to_owned() });
    exam.command(t(110), Command::HandIn);
    assert_eq!(exam.finish(), Some((Finish::Submitted, t(110))));
}

#[test]
fn a_superseded_device_is_heard_as_evidence_once_and_never_acknowledged() {
    let mut exam = Exam::running();
    exam.accept(t(1), answer(1, 50, t(1), 0, &[1]));
    exam.input(t(2), Input::Attach { device: DEVICE, tab: OTHER_TAB, socket: socket(5) });
    exam.staff(t(3), StaffCommand::AdmitDevice { waiting: None });
    assert_eq!(exam.refuse(t(4), answer(1, 51, t(2), 0, &[2])), Refusal::SupersededEpoch);
    let seq = exam.session.state().seq;
    assert_eq!(exam.refuse(t(5), answer(1, 51, t(2), 0, &[2])), Refusal::SupersededEpoch);
    assert_eq!(exam.session.state().seq, seq, "kept once");
    assert!(matches!(exam.log.last().unwrap().fact, Fact::AnswerSuperseded { .. }));
    assert_eq!(shown(&exam, 0), Some(vec![1]));
    let receipt = exam.input(t(6), answer(1, 50, t(1), 0, &[1]));
    assert!(matches!(receipt.effects[..], [Effect::AlreadyDone(_)]), "what was done before stays done");
    exam.accept(t(7), answer(2, 1, t(7), 0, &[3]));
    assert_eq!(shown(&exam, 0), Some(vec![3]), "a new binding counts from one and is newer");
    assert!(exam.session.is_evidence_only(Epoch(1)));
    assert!(!exam.session.is_evidence_only(Epoch(2)));
}

#[test]
fn an_epoch_from_nowhere_is_refused() {
    let mut exam = Exam::running();
    assert_eq!(exam.refuse(t(1), answer(2, 1, t(1), 0, &[1])), Refusal::OtherDevice);
    assert_eq!(exam.refuse(t(1), answer(1, 0, t(1), 0, &[1])), Refusal::OutOfLimits);
}

#[test]
fn the_record_waits_for_late_answers_until_the_device_is_drained() {
    let mut exam = Exam::running();
    exam.run_to(t(3_600));
    let until = t(3_600 + 600);
    assert_eq!(exam.session.seal_waits(t(3_700)), Some(SealWaits::LateWindow(until)));
    assert_eq!(exam.session.next_deadline(), Some(until));
    let mut undrained = Exam::running();
    undrained.run_to(until);
    assert_eq!(undrained.session.seal_waits(until), None);
    exam.command(t(3_700), Command::Drained);
    assert_eq!(exam.session.seal_waits(t(3_700)), None);
    assert_eq!(exam.session.next_deadline(), None);
}

#[test]
fn no_late_answer_reaches_a_sealed_record() {
    let mut exam = Exam::running();
    exam.run_to(t(3_600));
    exam.command(t(3_700), Command::Drained);
    exam.accept(t(3_701), Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() });
    assert_eq!(exam.refuse(t(3_702), answer(1, 90, START, 0, &[1])), Refusal::ExamEnded);
}

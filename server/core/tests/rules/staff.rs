use crate::support::{Exam, PROCTOR, SECOND_PROCTOR, t};
use synaq_core::ids::IncidentNo;
use synaq_core::proctoring::{Code, SignalPhase};
use synaq_core::session::{Command, Finish, Input, Refusal, Ruling, SealWaits, StaffCommand, StaffEndReason};

fn end(why: StaffEndReason) -> StaffCommand {
    StaffCommand::End { why, note: "smoke in the house".to_owned() }
}

#[test]
fn safety_technical_and_request_end_at_once() {
    for why in [StaffEndReason::Safety, StaffEndReason::Technical, StaffEndReason::CandidateRequest] {
        let mut exam = Exam::running();
        exam.staff(t(10), end(why));
        assert_eq!(exam.finish(), Some((Finish::Staff { why, by: PROCTOR, second: None }, t(10))));
        assert_eq!(exam.session.state().finish_note.as_deref(), Some("smoke in the house"));
    }
}

#[test]
fn impersonation_needs_a_second_person() {
    let why = StaffEndReason::Impersonation;
    let mut exam = Exam::running();
    exam.staff(t(10), end(why));
    assert_eq!(exam.finish(), None);
    assert_eq!(exam.staff_refused(t(11), end(why)), Refusal::SecondPersonNeeded);
    exam.accept(t(12), Input::Staff { by: SECOND_PROCTOR, command: end(why) });
    let finish = Finish::Staff { why, by: PROCTOR, second: Some(SECOND_PROCTOR) };
    assert_eq!(exam.finish(), Some((finish, t(12))));
}

#[test]
fn a_proposal_can_be_taken_back() {
    let why = StaffEndReason::Impersonation;
    let mut exam = Exam::running();
    assert_eq!(exam.staff_refused(t(9), StaffCommand::WithdrawEnd), Refusal::NothingWaits);
    exam.staff(t(10), end(why));
    exam.staff(t(11), StaffCommand::WithdrawEnd);
    exam.accept(t(12), Input::Staff { by: SECOND_PROCTOR, command: end(why) });
    assert_eq!(exam.finish(), None, "the second person is now the first");
}

#[test]
fn an_end_says_why() {
    let mut exam = Exam::running();
    let silent = StaffCommand::End { why: StaffEndReason::Safety, note: " ".to_owned() };
    assert_eq!(exam.staff_refused(t(10), silent), Refusal::OutOfLimits);
    exam.staff(t(11), end(StaffEndReason::Safety));
    assert_eq!(exam.staff_refused(t(12), end(StaffEndReason::Safety)), Refusal::ExamEnded);
}

#[test]
fn a_record_is_not_sealed_while_a_person_must_rule() {
    let mut exam = Exam::running();
    exam.model(t(10), Code::SecondPerson, SignalPhase::Seen, 90);
    exam.command(t(20), Command::HandIn);
    assert_eq!(exam.session.seal_waits(t(20)), Some(SealWaits::HumanIncidents(1)));
    let sealed = Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() };
    assert_eq!(exam.refuse(t(21), sealed.clone()), Refusal::WrongStage);
    exam.staff(t(22), StaffCommand::Dismiss { incident: IncidentNo(1), note: None });
    assert_eq!(exam.session.seal_waits(t(22)), None);
    exam.accept(t(23), sealed.clone());
    assert_eq!(exam.session.seal_waits(t(23)), Some(SealWaits::AlreadySealed));
    assert_eq!(exam.refuse(t(24), sealed), Refusal::WrongStage);
}

#[test]
fn after_ten_minutes_without_supervision_the_commission_says_whether_the_exam_stands() {
    let approve = |ruling| StaffCommand::Approve { sha256: "ef".repeat(32), note: None, ruling };
    let ruling = |valid, note: &str| Some(Ruling { valid, note: note.to_owned() });
    let sealed = |dark: i64| {
        let mut exam = Exam::running();
        exam.flow(t(100), false, true);
        exam.run_to(t(100 + dark));
        exam.command(t(100 + dark), Command::HandIn);
        exam.accept(t(2_000), Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() });
        exam
    };
    let mut watched = sealed(600);
    watched.staff(t(2_001), approve(None));
    assert_eq!(watched.session.state().ruling, None);
    let mut exam = sealed(601);
    assert_eq!(exam.staff_refused(t(2_001), approve(None)), Refusal::ValidityRulingMissing);
    assert_eq!(exam.staff_refused(t(2_002), approve(ruling(true, " "))), Refusal::OutOfLimits);
    exam.staff(t(2_003), approve(ruling(false, "the room was dark")));
    assert_eq!(exam.session.state().ruling, ruling(false, "the room was dark"));
    assert_eq!(exam.replayed().state(), exam.session.state());
}

#[test]
fn the_commission_approves_exactly_the_sealed_bytes() {
    let approve =
        |digest: &str| StaffCommand::Approve { sha256: digest.repeat(32), note: None, ruling: None };
    let mut exam = Exam::running();
    exam.command(t(20), Command::HandIn);
    assert_eq!(exam.staff_refused(t(21), approve("ef")), Refusal::RecordMismatch);
    exam.accept(t(22), Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() });
    assert_eq!(exam.staff_refused(t(23), approve("ee")), Refusal::RecordMismatch);
    exam.staff(t(24), approve("ef"));
    assert_eq!(exam.session.state().approved, Some((PROCTOR, t(24))));
    assert_eq!(exam.staff_refused(t(25), approve("ef")), Refusal::NothingWaits);
    let late = StaffCommand::Record { code: Code::Other, began_at: t(5), warnings_seen: 0, note: None };
    assert_eq!(exam.staff_refused(t(26), late), Refusal::WrongStage, "sealed is sealed");
}

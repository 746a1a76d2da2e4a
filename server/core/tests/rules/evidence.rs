//! What was recorded is in the record, or the record says that it is missing.

use crate::support::{Exam, evidence, t};
use synaq_core::session::limits::EVIDENCE_WAIT;
use synaq_core::session::{Command, Fact, Input, MediaFact, Refusal, SealWaits};
use synaq_core::time::Span;

const WEBCAM: &str = "webcam-0001.webm";
const STILLS: &str = "stills-0001";

fn opened(name: &str) -> Input {
    Input::Media(MediaFact::Opened { name: name.to_owned() })
}

fn stored(name: &str) -> Input {
    Input::Media(MediaFact::Stored(evidence(name)))
}

fn recording(on: bool) -> Input {
    Input::Media(MediaFact::Recording(on))
}

/// Handed in at 10 s with a recorder that has two pieces open.
fn handed_in() -> Exam {
    let mut exam = Exam::running();
    exam.accept(t(0), recording(true));
    exam.accept(t(1), opened(WEBCAM));
    exam.accept(t(1), opened(STILLS));
    exam.command(t(10), Command::HandIn);
    exam
}

#[test]
fn the_record_waits_for_what_the_recorder_still_has_open() {
    let mut exam = handed_in();
    let until = t(10) + EVIDENCE_WAIT;
    assert_eq!(exam.session.seal_waits(t(10)), Some(SealWaits::Evidence(until)));
    assert_eq!(exam.session.next_deadline(), Some(until));
    exam.accept(t(11), stored(WEBCAM));
    exam.accept(t(11), stored(STILLS));
    assert_eq!(exam.session.seal_waits(t(11)), Some(SealWaits::Evidence(until)), "another may be begun");
    exam.accept(t(11), recording(false));
    assert_eq!(exam.session.seal_waits(t(11)), None);
    assert_eq!(exam.session.next_deadline(), None);
    let names: Vec<_> = exam.session.state().evidence.iter().map(|held| held.name.as_str()).collect();
    assert!(names.ends_with(&[WEBCAM, STILLS]), "{names:?}");
    assert!(exam.session.state().evidence_gaps.is_empty());
}

#[test]
fn what_is_not_finished_in_time_is_named_as_missing_and_sealing_goes_on() {
    let mut exam = handed_in();
    exam.accept(t(11), stored(STILLS));
    let until = t(10) + EVIDENCE_WAIT;
    exam.run_to(until);
    assert_eq!(exam.session.seal_waits(until), None);
    assert_eq!(exam.session.next_deadline(), None);
    let gaps: Vec<_> =
        exam.session.state().evidence_gaps.iter().map(|(at, span, why)| (*at, *span, &**why)).collect();
    let missing = "webcam-0001.webm was not finished in time";
    assert_eq!(gaps, [(until, Span::ZERO, missing), (until, Span::ZERO, "the recorder did not end in time")]);
    assert_eq!(exam.replayed().state(), exam.session.state());
}

#[test]
fn a_piece_that_cannot_be_stored_is_a_gap_and_not_waited_for() {
    let mut exam = handed_in();
    exam.accept(t(11), stored(STILLS));
    let gap = MediaFact::Gap { span: Span::ZERO, why: "disk full".to_owned(), name: Some(WEBCAM.to_owned()) };
    exam.accept(t(12), Input::Media(gap));
    exam.accept(t(12), recording(false));
    assert_eq!(exam.session.seal_waits(t(12)), None);
}

#[test]
fn a_fact_sent_twice_is_one_event() {
    let mut exam = Exam::running();
    exam.accept(t(1), recording(true));
    exam.accept(t(1), opened(WEBCAM));
    exam.accept(t(2), stored(WEBCAM));
    let events = exam.log.len();
    for again in [recording(true), stored(WEBCAM), opened(WEBCAM)] {
        exam.accept(t(3), again);
    }
    assert_eq!(exam.log.len(), events);
}

#[test]
fn after_a_restart_of_ours_the_wait_begins_anew() {
    let mut exam = handed_in();
    let back = t(3_000);
    exam.input(back, Input::Recover { down_from: t(12) });
    assert_eq!(exam.session.seal_waits(back), Some(SealWaits::Evidence(back + EVIDENCE_WAIT)));
    assert!(exam.session.state().evidence_gaps.is_empty(), "nobody had the time to read what was left");
    exam.accept(back, stored(WEBCAM));
    exam.accept(back, stored(STILLS));
    assert_eq!(exam.session.seal_waits(back), None, "the recorder went down with us");
}

#[test]
fn nothing_begins_in_a_sealed_record() {
    let mut exam = Exam::running();
    exam.command(t(10), Command::HandIn);
    exam.accept(t(11), Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() });
    assert_eq!(exam.refuse(t(12), opened(WEBCAM)), Refusal::ExamEnded);
    assert_eq!(exam.refuse(t(12), recording(true)), Refusal::ExamEnded);
    exam.accept(t(12), stored(WEBCAM));
    assert_eq!(exam.session.next_deadline(), None);
}

#[test]
fn a_gap_of_an_older_log_reads_as_before_and_writes_the_same_bytes() {
    let old = r#"{"type":"evidence_gap","span":5,"why":"media lost"}"#;
    let fact: Fact = serde_json::from_str(old).unwrap();
    assert_eq!(fact, Fact::EvidenceGap { span: Span(5), why: "media lost".to_owned(), name: None });
    assert_eq!(serde_json::to_string(&fact).unwrap(), old);
}

#[test]
fn how_far_a_recording_has_come_is_in_the_log_until_the_record_is_sealed() {
    let checkpoint = |bytes: u64, head: &str| {
        let (name, head) = (WEBCAM.to_owned(), head.to_owned());
        Input::Media(MediaFact::Checkpoint { name, chunks: 2, bytes, head })
    };
    let head = "ab".repeat(32);
    let mut exam = Exam::running();
    exam.accept(t(1), opened(WEBCAM));
    exam.accept(t(30), checkpoint(900, &head));
    let noted =
        exam.log.iter().filter(|event| matches!(event.fact, Fact::EvidenceCheckpoint { bytes: 900, .. }));
    assert_eq!(noted.count(), 1);
    assert_eq!(exam.refuse(t(31), checkpoint(1_000, "not hex")), Refusal::OutOfLimits);
    exam.accept(t(40), stored(WEBCAM));
    exam.command(t(41), Command::HandIn);
    exam.accept(t(42), Input::Sealed { sha256: "ef".repeat(32), kid: "key-1".to_owned() });
    let events = exam.log.len();
    exam.accept(t(43), checkpoint(1_000, &head));
    assert_eq!(exam.log.len(), events);
    assert_eq!(exam.replayed().state(), exam.session.state());
}

//! The checker itself: every fault that it must find is planted into a sound case, and found under its own name.

use super::chain::{canonical, hex, sha256};
use super::{Bundle, Case, Count, Event, Findings, Outage, judge};
use crate::journal::{Answer, Entry};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const SESSION: &str = "0193b3f0-0000-7000-8000-000000000001";
const START: i64 = 1_000_000;
const PLANNED_MS: i64 = 3_600_000;
/// The server was gone in the middle, and gave it back.
const OUTAGE: Outage = Outage { from: START + 20_000, to: START + 30_000, dead: true };

/// What the server stored and sealed, before it is put into a bundle.
struct Log {
    events: Vec<(i64, &'static str, Value)>,
    answered: Vec<Vec<u64>>,
    credited_ms: i64,
}

fn answer(question: u64, value: u64, client_seq: u64) -> Answer {
    Answer { session: SESSION.to_owned(), question, value: vec![value], client_seq, epoch: 1 }
}

fn put(answer: &Answer) -> Value {
    json!({
        "client": { "epoch": answer.epoch, "client_seq": answer.client_seq },
        "fact": { "question": answer.question, "shown": answer.value },
    })
}

/// Three answers, one of them changed, an outage that was given back, and the hand-in.
fn given() -> [Answer; 4] {
    [answer(0, 1, 1), answer(1, 2, 2), answer(1, 0, 3), answer(2, 2, 4)]
}

fn sound() -> Log {
    let [first, second, changed, third] = given();
    Log {
        events: vec![
            (START, "started", json!({ "fact": { "deadline": START + PLANNED_MS } })),
            (START + 5_000, "answer_put", put(&first)),
            (START + 10_000, "answer_put", put(&second)),
            (
                OUTAGE.to,
                "downtime_credited",
                json!({ "fact": { "span": { "from": OUTAGE.from, "to": OUTAGE.to } } }),
            ),
            (START + 40_000, "answer_put", put(&changed)),
            (START + 41_000, "answer_put", put(&third)),
            (START + 50_000, "closed", json!({ "fact": {} })),
        ],
        answered: vec![vec![1], vec![0], vec![2]],
        credited_ms: OUTAGE.to - OUTAGE.from,
    }
}

impl Log {
    /// With a chain that verifies, sealed, delivered, and acknowledged as it stands here.
    fn case(&self) -> Case {
        let (mut head, mut events) = ([0; 32], Vec::new());
        for (place, (at, kind, body)) in self.events.iter().enumerate() {
            let seq = place as u64 + 1;
            let leaf = json!({ "at": at, "body": body, "kind": kind, "seq": seq, "sid": SESSION });
            head = sha256(&[&[2], &head, canonical(&leaf).as_bytes()]);
            events.push(Event {
                sid: SESSION.to_owned(),
                seq,
                at: *at,
                kind: (*kind).to_owned(),
                body: body.clone(),
                hash: hex(&head),
            });
        }
        let record = json!({
            "event_log": { "head": hex(&head), "count": events.len() },
            "questions": self.answered.iter().map(|answered| json!({ "answered": answered })).collect::<Vec<_>>(),
            "theory": { "planned_ms": PLANNED_MS, "extra_ms": 0, "credited_ms": self.credited_ms },
        });
        let digest = hex(&sha256(&[record.to_string().as_bytes()]));
        let about = json!({ "record_sha256": digest }).to_string();
        let receipt = json!({ "payload": URL_SAFE_NO_PAD.encode(about) });
        let bundle = Bundle { record, digest: digest.clone(), events, receipt: Some(receipt) };
        Case { session: SESSION.to_owned(), journal: journal(&bundle), bundle, at_platform: vec![digest] }
    }
}

/// A candidate who was told about every answer that is in the log, and about the others as if they had been.
fn journal(bundle: &Bundle) -> Vec<Entry> {
    let told = |answer: Answer| {
        let event = bundle.events.iter().find(|event| event.command() == Some((1, answer.client_seq)));
        let (seq, at, hash) =
            event.map_or((9, START, String::new()), |event| (event.seq, event.at, event.hash.clone()));
        [Entry::Sent(answer.clone()), Entry::Acked { answer, acked_at: at, seq, at, hash }]
    };
    let entries = given().map(told).into_iter().flatten();
    entries.chain([Entry::HandedIn { at: START + 50_000 }]).collect()
}

fn found(case: Case) -> (Count, Vec<&'static str>) {
    let mut findings = Findings::default();
    let count = judge(&[case], &[OUTAGE], &mut findings);
    let broken = findings.all().filter(|(_, faults)| !faults.is_empty()).map(|(name, _)| name).collect();
    (count, broken)
}

/// What is found after `plant` has changed what the server stored.
fn found_in(plant: impl FnOnce(&mut Log)) -> (Count, Vec<&'static str>) {
    let mut log = sound();
    plant(&mut log);
    found(log.case())
}

#[test]
fn a_sound_case_has_no_fault() {
    assert_eq!(found_in(|_| {}), (Count { acked: 4, lost: 0 }, vec![]));
}

#[test]
fn an_acknowledged_answer_that_is_not_stored_is_found_wherever_it_stood() {
    for place in [1, 2, 4, 5] {
        let (count, broken) = found_in(|log| drop(log.events.remove(place)));
        assert_eq!(count, Count { acked: 4, lost: 1 }, "place {place}");
        assert!(broken.contains(&"no_acknowledged_answer_lost"), "place {place}: {broken:?}");
    }
}

#[test]
fn a_stored_answer_with_another_value_is_lost_and_foreign() {
    let (count, broken) = found_in(|log| log.events[5].2["fact"]["shown"] = json!([1]));
    assert_eq!(count.lost, 1);
    assert_eq!(broken, ["no_acknowledged_answer_lost", "no_foreign_answer"]);
}

#[test]
fn an_answer_that_is_stored_twice_is_found() {
    let twice = |log: &mut Log| {
        let again = log.events[5].clone();
        log.events.insert(6, again);
    };
    assert_eq!(found_in(twice), (Count { acked: 4, lost: 0 }, vec!["each_answer_once"]));
}

#[test]
fn an_answer_that_is_accepted_behind_the_end_is_found() {
    let late = |log: &mut Log| log.events.swap(5, 6);
    assert_eq!(found_in(late).1, ["nothing_after_the_end"]);
}

#[test]
fn an_answer_that_is_accepted_after_the_deadline_is_found_and_one_in_given_time_is_not() {
    let deadline = START + PLANNED_MS;
    for (at, faults) in [(deadline + 5_000, vec![]), (deadline + 10_001, vec!["nothing_after_the_end"])] {
        let late = |log: &mut Log| {
            log.events[5].0 = at;
            log.events[6].0 = at + 1;
        };
        assert_eq!(found_in(late).1, faults, "{at}");
    }
}

#[test]
fn an_answer_that_nobody_gave_is_found() {
    let foreign = |log: &mut Log| {
        log.events.insert(5, (START + 40_500, "answer_put", put(&answer(2, 0, 77))));
    };
    assert_eq!(found_in(foreign).1, ["no_foreign_answer"]);
}

#[test]
fn a_record_that_seals_another_answer_than_the_last_one_is_found() {
    assert_eq!(found_in(|log| log.answered[1] = vec![2]).1, ["sealed_is_last_acknowledged"]);
}

#[test]
fn a_receipt_for_another_event_is_found() {
    let mut case = sound().case();
    let acked = case.journal.iter_mut().find_map(|entry| match entry {
        Entry::Acked { hash, .. } => Some(hash),
        _ => None,
    });
    *acked.unwrap() = hex(&[7; 32]);
    assert_eq!(found(case).1, ["no_acknowledged_answer_lost"]);
}

#[test]
fn an_event_that_was_changed_behind_its_hash_is_found() {
    let mut case = sound().case();
    case.bundle.events[3].at += 1;
    assert_eq!(found(case).1, ["chain_verifies"]);
}

#[test]
fn an_outage_that_the_candidate_pays_for_is_found_and_so_is_time_for_nothing() {
    let unpaid = |log: &mut Log| {
        log.events.remove(3);
        log.credited_ms = 0;
    };
    assert_eq!(found_in(unpaid).1, ["downtime_credited"]);
    let gift = |log: &mut Log| {
        let span = json!({ "from": START + 31_000, "to": START + 39_000 });
        log.events.insert(4, (START + 39_000, "downtime_credited", json!({ "fact": { "span": span } })));
        log.credited_ms += 8_000;
    };
    assert_eq!(found_in(gift).1, ["downtime_credited"]);
    assert_eq!(found_in(|log| log.credited_ms += 1).1, ["deadline_sum_exact"]);
}

#[test]
fn a_second_record_at_the_platform_and_a_missing_receipt_are_found() {
    let mut twice = sound().case();
    twice.at_platform.push(hex(&[7; 32]));
    assert_eq!(found(twice).1, ["one_receipt_each"]);
    let mut without = sound().case();
    without.bundle.receipt = None;
    assert_eq!(found(without).1, ["one_receipt_each"]);
}

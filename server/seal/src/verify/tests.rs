use ring::rand::SystemRandom;
use serde_json::{Value, json};

use super::*;
use crate::bundle::Event;
use crate::key::{Algorithm, SigningKey, TrustedKey};
use crate::{b64, merkle};

const NOW: i64 = 1_790_000_000_000;

/// One installation's keys, and who trusts them.
struct Keys {
    seal: SigningKey,
    approval: SigningKey,
    platform: SigningKey,
    trust: TrustSet,
}

fn keys() -> Keys {
    let make = |algorithm| SigningKey::generate(algorithm, &SystemRandom::new()).unwrap();
    let (seal, approval, platform) =
        (make(Algorithm::Es256), make(Algorithm::Ed25519), make(Algorithm::Ed25519));
    let trusted = |key: &SigningKey, purpose| TrustedKey {
        key: key.public().clone(),
        purpose,
        use_from: NOW - 1_000_000,
        use_to: Some(NOW + 1_000_000),
    };
    let trust = TrustSet::new(vec![
        trusted(&seal, Purpose::Seal),
        trusted(&approval, Purpose::Approval),
        trusted(&platform, Purpose::Platform),
    ]);
    Keys { trust: trust.unwrap(), seal, approval, platform }
}

fn events() -> Vec<Event> {
    let mut prev = chain::GENESIS;
    let bodies = [json!({}), json!({"question": 1, "options": [2]}), json!({"reason": "submitted"})];
    let kinds = ["SessionCreated", "AnswerPut", "Finished"];
    (1..)
        .zip(kinds.into_iter().zip(bodies))
        .map(|(seq, (kind, body))| {
            let at = NOW - 10_000 + i64::try_from(seq).unwrap();
            let mut event = Event { sid: "s-1".into(), seq, at, kind: kind.into(), body, hash: prev };
            event.hash = chain::next(&prev, &event.leaf().unwrap());
            prev = event.hash;
            event
        })
        .collect()
}

fn record() -> Value {
    let events = events();
    json!({
        "kind": RECORD_KIND, "v": RECORD_VERSION, "session": "s-1", "sealed_at": NOW,
        "candidate": "Әлия", "not_checked_by_this_system": ["contract", "notice", "practice"],
        "event_log": {
            "count": events.len(),
            "head": events.last().unwrap().hash,
            "root": merkle::root(events.iter().map(|event| event.leaf().unwrap())),
        },
        "theory": {"total": 40, "correct": 29, "threshold_pct": 70, "passed": true, "finish_reason": "submitted"},
        "evidence": [
            {"name": "face-1", "sha256": digest::sha256(b"face"), "bytes": 4},
            {"name": "webcam-1.webm", "sha256": digest::sha256(b"video"), "bytes": 5, "chunks": 1},
        ],
    })
}

fn statement(record: &[u8], member: &str) -> Vec<u8> {
    let about = json!({ "member": member }).as_object().unwrap().clone();
    Statement { record_sha256: digest::sha256(record), at: NOW, about }.to_bytes().unwrap()
}

fn sign(payload: &[u8], typ: &str, key: &SigningKey) -> Jws {
    jws::sign(payload, typ, key, &SystemRandom::new()).unwrap()
}

fn bundle_of(keys: &Keys, record: &Value) -> Bundle {
    let payload = json::canonical(record).unwrap();
    let mut bundle = Bundle::new(sign(&payload, RECORD_TYP, &keys.seal));
    bundle.approvals =
        ["A", "B"].map(|member| sign(&statement(&payload, member), APPROVAL_TYP, &keys.approval)).to_vec();
    bundle.events = Some(events());
    bundle.evidence =
        Some(vec![Evidence { name: "face-1".into(), sha256: digest::sha256(b"face"), bytes: 4 }]);
    bundle.receipt = Some(sign(&statement(&payload, "platform"), RECEIPT_TYP, &keys.platform));
    bundle
}

fn report(keys: &Keys, bundle: &Bundle) -> Report {
    super::bundle(&bundle.to_bytes().unwrap(), &keys.trust, Some(NOW))
}

/// The names of the checks that failed after `change` to a sound bundle.
fn failed_after(change: impl FnOnce(&Keys, &mut Bundle)) -> Vec<Name> {
    let keys = keys();
    let mut bundle = bundle_of(&keys, &record());
    change(&keys, &mut bundle);
    failed(&report(&keys, &bundle))
}

/// The same for a change to the record before it is sealed.
fn failed_for(change: impl FnOnce(&mut Value)) -> Vec<Name> {
    let (keys, mut record) = (keys(), record());
    change(&mut record);
    failed(&report(&keys, &bundle_of(&keys, &record)))
}

fn failed(report: &Report) -> Vec<Name> {
    let failed = report.checks().iter().filter(|check| matches!(check.outcome, Outcome::Failed(_)));
    failed.map(|check| check.name).collect()
}

#[test]
fn sound_bundle_passes_every_check() {
    let keys = keys();
    let bundle = bundle_of(&keys, &record());
    let report = report(&keys, &bundle);
    assert!(report.checks().iter().all(|check| matches!(check.outcome, Outcome::Ok)), "{report:?}");
    assert_eq!((report.checks().len(), report.exit_code()), (11, 0));
    assert_eq!(report.record_sha256, Some(digest::sha256(&bundle.decode_payload().unwrap())));
    assert_eq!(Bundle::parse(&bundle.to_bytes().unwrap()).unwrap(), bundle);
}

#[test]
fn parts_that_are_absent_are_said_to_be() {
    let keys = keys();
    let bundle = Bundle::new(bundle_of(&keys, &record()).seal());
    let report = report(&keys, &bundle);
    assert!(report.ok());
    let absent = report.checks().iter().filter(|check| matches!(check.outcome, Outcome::NotPresent)).count();
    assert_eq!(absent, 6);
    assert!(matches!(report.outcome(Name::Seal), Some(Outcome::Ok)));
}

#[test]
fn every_changed_byte_of_a_bundle_fails() {
    let keys = keys();
    let whole = bundle_of(&keys, &record()).to_bytes().unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        // Stays within base64url, digits and letters as often as it can, so that the form hides nothing.
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        let report = super::bundle(&bytes, &keys.trust, Some(NOW));
        assert!(!report.ok(), "byte {at}");
        bytes[at] = whole[at] ^ 0x20;
        assert!(!super::bundle(&bytes, &keys.trust, Some(NOW)).ok(), "byte {at}");
    }
}

#[test]
fn every_truncation_of_a_bundle_fails() {
    let keys = keys();
    let whole = bundle_of(&keys, &record()).to_bytes().unwrap();
    assert!((0..whole.len()).all(|len| !super::bundle(&whole[..len], &keys.trust, Some(NOW)).ok()));
}

#[test]
fn whole_resigning_with_another_key_fails() {
    let (own, thief) = (keys(), keys());
    let report = report(&own, &bundle_of(&thief, &record()));
    assert_eq!(failed(&report), [Name::Seal, Name::Approvals, Name::Receipt]);
    assert_eq!(report.exit_code(), 13);
}

#[test]
fn key_inside_the_bundle_is_never_trusted() {
    let (own, thief) = (keys(), keys());
    let payload = json::canonical(&record()).unwrap();
    let header = json!({"alg": "ES256", "kid": thief.seal.public().kid(), "typ": RECORD_TYP,
        "jwk": thief.seal.public().to_jwk()});
    let (protected, payload) = (b64::encode(&json::canonical(&header).unwrap()), b64::encode(&payload));
    let raw = thief.seal.sign(format!("{protected}.{payload}").as_bytes(), &SystemRandom::new()).unwrap();
    let signatures = vec![jws::Signature { protected, signature: b64::encode(&raw) }];
    assert_eq!(failed(&report(&own, &Bundle::new(Jws { payload, signatures }))), [Name::Seal]);
    let mut text = serde_json::to_value(bundle_of(&own, &record())).unwrap();
    text["keys"] = json!([thief.seal.public().to_jwk()]);
    let report = super::bundle(&json::canonical(&text).unwrap(), &own.trust, Some(NOW));
    assert_eq!(failed(&report), [Name::Bundle]);
}

#[test]
fn key_of_another_purpose_does_not_seal_approve_or_receipt() {
    let failed = failed_after(|keys, bundle| {
        let payload = bundle.decode_payload().unwrap();
        bundle.signatures = sign(&payload, RECORD_TYP, &keys.platform).signatures;
        bundle.approvals = vec![sign(&statement(&payload, "A"), APPROVAL_TYP, &keys.seal)];
        bundle.receipt = Some(sign(&statement(&payload, "p"), RECEIPT_TYP, &keys.approval));
    });
    assert_eq!(failed, [Name::Seal, Name::Approvals, Name::Receipt]);
}

#[test]
fn bundle_in_another_spelling_fails() {
    let keys = keys();
    let bundle = bundle_of(&keys, &record());
    let pretty = serde_json::to_vec_pretty(&bundle).unwrap();
    let report = super::bundle(&pretty, &keys.trust, Some(NOW));
    assert!(matches!(
        report.outcome(Name::Bundle),
        Some(Outcome::Failed(Failure::Bundle(bundle::Error::NotCanonical)))
    ));
    assert_eq!(report.exit_code(), 10);
}

#[test]
fn sealed_record_in_another_spelling_fails() {
    let keys = keys();
    for (payload, name) in [
        (serde_json::to_vec_pretty(&record()).unwrap(), Name::Canonical),
        (br#"{"a":1.5}"#.to_vec(), Name::Canonical),
        (b"{}".to_vec(), Name::Record),
    ] {
        let report = report(&keys, &Bundle::new(sign(&payload, RECORD_TYP, &keys.seal)));
        assert_eq!(failed(&report), [name]);
        assert!(matches!(report.outcome(Name::Seal), Some(Outcome::Ok)));
    }
}

#[test]
fn record_of_another_kind_version_or_from_the_future_fails() {
    assert_eq!(failed_for(|record| record["kind"] = json!("practice-stage-record")), [Name::Record]);
    assert_eq!(failed_for(|record| record["v"] = json!(2)), [Name::Record]);
    assert_eq!(failed_for(|record| record["sealed_at"] = json!(NOW + CLOCK_SKEW_MS + 1)), [Name::Record]);
    assert!(failed_for(|record| record["sealed_at"] = json!(NOW + CLOCK_SKEW_MS)).is_empty());
}

#[test]
fn seal_key_must_have_been_in_use_when_the_record_was_sealed() {
    assert_eq!(failed_for(|record| record["sealed_at"] = json!(NOW - 1_000_001)), [Name::Seal]);
    // Years later the retired key still counts for what it sealed in its time.
    let keys = keys();
    let bytes = bundle_of(&keys, &record()).to_bytes().unwrap();
    assert!(super::bundle(&bytes, &keys.trust, Some(NOW * 2)).ok());
    assert!(super::bundle(&bytes, &keys.trust, None).ok());
}

#[test]
fn changed_dropped_added_or_swapped_events_fail() {
    let failed_with =
        |change: &dyn Fn(&mut Vec<Event>)| failed_after(|_, b| change(b.events.as_mut().unwrap()));
    let all = [Name::EventChain, Name::EventRoot, Name::EventSequence];
    assert_eq!(failed_with(&|list| list[1].body = json!({"question": 1, "options": [3]})), all[..2]);
    assert_eq!(failed_with(&|list| list[1].at += 1), all[..2]);
    assert_eq!(failed_with(&|list| list[1].hash = list[0].hash), all[..1]);
    assert_eq!(failed_with(&|list| drop(list.remove(1))), all);
    assert_eq!(failed_with(&|list| drop(list.pop())), all[..2]);
    assert_eq!(failed_with(&|list| list.clear()), all[..2]);
    assert_eq!(failed_with(&|list| list.swap(0, 1)), all);
    assert_eq!(failed_with(&|list| list.push(list[2].clone())), all);
    assert_eq!(failed_with(&|list| list[2].seq = u64::MAX >> 11), all);
    assert_eq!(failed_with(&|list| list[0].sid = "s-2".into()), all);
}

#[test]
fn result_must_follow_from_the_score() {
    let theory = |correct: u64, total: u64, threshold: u64, passed: bool, reason: &str| {
        !failed_for(|record| {
            record["theory"] = json!({"total": total, "correct": correct, "threshold_pct": threshold,
                "passed": passed, "finish_reason": reason});
        })
        .contains(&Name::Score)
    };
    assert!(theory(28, 40, 70, false, "submitted"), "exactly 70 % fails");
    assert!(!theory(28, 40, 70, true, "submitted"));
    assert!(theory(29, 40, 70, true, "time_expired"));
    assert!(!theory(29, 40, 70, false, "submitted"));
    assert!(!theory(40, 40, 70, true, "violation"));
    assert!(theory(40, 40, 70, false, "violation"));
    assert!(theory(40, 40, 70, false, "staff"));
    assert!(!theory(40, 40, 70, true, "staff"));
    assert!(!theory(29, 40, 69, true, "submitted"));
    assert!(!theory(29, 40, 101, false, "submitted"));
    assert!(!theory(41, 40, 70, true, "submitted"));
    assert!(!theory(0, 0, 70, false, "submitted"));
}

#[test]
fn number_of_questions_is_read_in_either_form_and_must_agree() {
    let score = |change: &dyn Fn(&mut Value)| failed_for(|record| change(&mut record["theory"])).is_empty();
    let instead = |theory: &mut Value, questions: Value| {
        theory.as_object_mut().unwrap().remove("total");
        theory["questions"] = questions;
    };
    assert!(score(&|theory| instead(theory, json!(40))));
    assert!(score(&|theory| instead(theory, json!(vec!["q"; 40]))));
    assert!(score(&|theory| theory["finish_reason"] = json!({"reason": "submitted"})));
    assert!(!score(&|theory| theory["questions"] = json!(39)));
    assert!(!score(&|theory| drop(theory.as_object_mut().unwrap().remove("total"))));
}

#[test]
fn evidence_must_be_as_the_record_lists_it() {
    let failed_with =
        |change: &dyn Fn(&mut Vec<Evidence>)| failed_after(|_, b| change(b.evidence.as_mut().unwrap()));
    assert_eq!(failed_with(&|list| list[0].name = "face-2".into()), [Name::Evidence]);
    assert_eq!(failed_with(&|list| list[0].bytes += 1), [Name::Evidence]);
    assert_eq!(failed_with(&|list| list[0].sha256 = digest::sha256(b"other")), [Name::Evidence]);
    assert_eq!(failed_with(&|list| list.push(list[0].clone())), [Name::Evidence]);
    let twice = |record: &mut Value| record["evidence"][1] = record["evidence"][0].clone();
    assert_eq!(failed_for(twice), [Name::Record]);
}

#[test]
fn evidence_file_is_held_against_its_entry() {
    let entry = Evidence { name: "face-1".into(), sha256: digest::sha256(b"face"), bytes: 4 };
    assert!(evidence_file(&entry, &b"face"[..]).is_ok());
    for other in [&b"fac"[..], b"fate", b"face1", b""] {
        assert!(matches!(evidence_file(&entry, other), Err(Failure::EvidenceDiffers { .. })));
    }
}

#[test]
fn approval_and_receipt_of_another_record_or_time_fail() {
    let failed = failed_after(|keys, bundle| {
        bundle.approvals.push(sign(&statement(b"other", "C"), APPROVAL_TYP, &keys.approval));
        let text = statement(&bundle.decode_payload().unwrap(), "p");
        let mut late: Statement = serde_json::from_slice(&text).unwrap();
        late.at = NOW + CLOCK_SKEW_MS + 1;
        bundle.receipt = Some(sign(&late.to_bytes().unwrap(), RECEIPT_TYP, &keys.platform));
    });
    assert_eq!(failed, [Name::Approvals, Name::Receipt]);
    let failed = failed_after(|keys, bundle| {
        bundle.approvals = vec![sign(b"{}", APPROVAL_TYP, &keys.approval)];
        bundle.receipt = Some(bundle.approvals[0].clone());
    });
    assert_eq!(failed, [Name::Approvals, Name::Receipt]);
}

#[test]
fn what_was_erased_is_said_when_the_installation_signed_it_and_fails_otherwise() {
    let keys = keys();
    let payload = json::canonical(&record()).unwrap();
    let about = serde_json::from_value(
        json!({ "class": "recordings", "date": "2026-11-21", "rule": "recordings_days=120" }),
    );
    let said = Statement { record_sha256: digest::sha256(&payload), at: NOW, about: about.unwrap() };
    let erased = |key: &SigningKey, typ: &str, said: &Statement| {
        let mut bundle = bundle_of(&keys, &record());
        bundle.erasures = vec![sign(&said.to_bytes().unwrap(), typ, key)];
        report(&keys, &bundle)
    };
    let sound = erased(&keys.seal, ERASED_TYP, &said);
    assert_eq!(failed(&sound), []);
    let line = "erased       recordings: erased under retention on 2026-11-21 by recordings_days=120";
    assert_eq!(sound.lines().last().unwrap(), line);
    assert_eq!(serde_json::to_value(&sound).unwrap()["erased"][0]["rule"], "recordings_days=120");
    let other = Statement { record_sha256: digest::sha256(b"another"), ..said.clone() };
    for report in [
        erased(&keys.platform, ERASED_TYP, &said),
        erased(&keys.seal, APPROVAL_TYP, &said),
        erased(&keys.seal, ERASED_TYP, &other),
    ] {
        assert_eq!((failed(&report), report.erased.len()), (vec![Name::Erasures], 0));
    }
}

#[test]
fn approval_does_not_serve_as_a_receipt_even_with_one_key_for_both() {
    let keys = keys();
    let payload = json::canonical(&record()).unwrap();
    let mut bundle = Bundle::new(sign(&payload, RECORD_TYP, &keys.seal));
    bundle.receipt = Some(sign(&statement(&payload, "A"), APPROVAL_TYP, &keys.platform));
    assert_eq!(failed(&report(&keys, &bundle)), [Name::Receipt]);
}

#[test]
fn report_reads_as_lines_and_as_json() {
    let (own, thief) = (keys(), keys());
    let report = report(&own, &Bundle::new(bundle_of(&thief, &record()).seal()));
    let lines: Vec<String> = report.lines().collect();
    assert_eq!(lines[0], "ok           bundle");
    let seal = lines.iter().find(|line| line.contains("seal:")).unwrap();
    assert!(seal.starts_with("FAILED") && seal.contains("not among the trusted keys"), "{seal}");
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!((&value["ok"], &value["exit_code"]), (&json!(false), &json!(13)));
    assert_eq!(value["checks"][3]["name"], "seal");
    assert_eq!(value["checks"][3]["outcome"], "failed");
    assert_eq!(value["checks"][0], json!({"name": "bundle", "outcome": "ok"}));
}

#[test]
fn hostile_text_in_a_failure_does_not_reach_the_terminal_raw() {
    let keys = keys();
    let header = json!({"alg": "ES256", "kid": "\u{1b}[2J\n", "typ": RECORD_TYP});
    let protected = b64::encode(&json::canonical(&header).unwrap());
    let signatures = vec![jws::Signature { protected, signature: "AA".into() }];
    let report = report(&keys, &Bundle { signatures, ..bundle_of(&keys, &record()) });
    let lines: Vec<String> = report.lines().collect();
    assert!(lines.iter().any(|line| line.contains("\\u{1b}[2J")));
    assert!(lines.iter().all(|line| !line.contains(char::is_control)));
}

#[test]
fn lists_end_at_their_limits() {
    let keys = keys();
    let sound = bundle_of(&keys, &record());
    let refused = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = sound.clone();
        change(&mut bundle);
        let bytes = json::canonical(&bundle).unwrap();
        assert!(bundle.to_bytes().is_err());
        failed(&super::bundle(&bytes, &keys.trust, Some(NOW))) == [Name::Bundle]
    };
    assert!(refused(&|bundle| bundle.v = 2));
    assert!(refused(&|bundle| bundle.approvals = vec![bundle.approvals[0].clone(); 65]));
    assert!(refused(&|bundle| bundle.signatures = vec![bundle.signatures[0].clone(); 5]));
    assert!(refused(&|bundle| bundle.payload = "A".repeat(bundle::MAX_PAYLOAD_BYTES * 4 / 3 + 4)));
}

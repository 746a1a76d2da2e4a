//! The end: sealed, put into the outbox in the same transaction, delivered until a verified receipt.

use crate::support::{Bench, Mood, PROCTOR, SESSION};
use std::sync::atomic::Ordering;
use synaq_core::ids::SessionId;
use synaq_core::session::{Command, Effect, Input, MediaFact, Refusal, Ruling, StaffCommand, Stage};
use synaq_core::time::Span;
use synaq_runtime::Clock as _;
use synaq_store::{Delivery, DeliveryState, EventLog as _, MessageKind, Outbox as _};
use uuid::Uuid;

/// Waits on the condition itself; the relay's timers run on paused time.
async fn delivered(bench: &Bench, met: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
    for _ in 0..2_000 {
        let all = bench.store.deliveries(&[SESSION]).await.unwrap();
        if met(&all) {
            return all;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        bench.clock.advance(Span(100));
    }
    panic!("not delivered: {:?}", bench.store.deliveries(&[SESSION]).await.unwrap());
}

/// Lets both clocks run together.
async fn pass(bench: &Bench, span: Span) {
    for _ in 0..span.0 / 1_000 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        bench.clock.advance(Span::secs(1));
    }
}

fn accepted(messages: &[Delivery]) -> bool {
    messages.iter().any(|message| message.state == DeliveryState::Accepted)
}

async fn hand_in_all_right(bench: &Bench) {
    bench.begin().await;
    for question in 0..4 {
        bench.accept(bench.right(question).await).await;
    }
    bench.accept(Command::HandIn).await;
}

#[tokio::test(start_paused = true)]
async fn a_handed_in_exam_is_sealed_and_delivered_once() {
    let bench = Bench::start().await;
    hand_in_all_right(&bench).await;
    let messages = delivered(&bench, accepted).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].platform_ref.as_deref(), Some("T-1"));
    let stored = bench.store.record(SESSION).await.unwrap().unwrap();
    assert_eq!(stored.record.sha256, messages[0].message.sha256);
    let record: serde_json::Value = serde_json::from_slice(&stored.record.payload).unwrap();
    assert_eq!(record["theory"]["passed"], true);
    assert_eq!(record["decision"], "none");
    assert_eq!(record["gates_not_checked"], serde_json::json!(["contract", "notice", "practice"]));
    assert!(synaq_seal::json::is_canonical(&stored.record.payload).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_down_delays_delivery_and_nothing_else() {
    let bench = Bench::start().await;
    bench.platform.set(Mood::Down);
    hand_in_all_right(&bench).await;
    delivered(&bench, |all| all.iter().any(|message| message.attempts >= 3)).await;
    assert!(bench.runtime.look(SESSION).await.unwrap().session.state().sealed.is_some());
    bench.platform.set(Mood::Honest);
    delivered(&bench, accepted).await;
    assert_eq!(bench.platform.kept.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_success_without_a_valid_receipt_is_none() {
    let bench = Bench::start().await;
    bench.platform.set(Mood::Lies);
    hand_in_all_right(&bench).await;
    let messages = delivered(&bench, |all| all.iter().any(|message| message.attempts >= 2)).await;
    assert_eq!(messages[0].state, DeliveryState::Queued);
    assert!(messages[0].why.as_deref().unwrap().contains("another digest"));
    bench.platform.set(Mood::Honest);
    delivered(&bench, accepted).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_waits_for_a_person() {
    let bench = Bench::start().await;
    bench.platform.set(Mood::Refuses);
    hand_in_all_right(&bench).await;
    delivered(&bench, |all| all.iter().any(|message| message.state == DeliveryState::Refused)).await;
    assert_eq!(bench.platform.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_approval_is_signed_over_the_sealed_digest_and_follows_the_record() {
    let bench = Bench::start().await;
    hand_in_all_right(&bench).await;
    delivered(&bench, accepted).await;
    let wrong = StaffCommand::Approve { sha256: "0".repeat(64), note: None, ruling: None };
    assert!(matches!(bench.staff(wrong).await.effects[..], [Effect::Refused(_)]));
    let sha256 = bench.store.record(SESSION).await.unwrap().unwrap().record.sha256.to_string();
    let approve =
        StaffCommand::Approve {
            sha256: sha256.clone(), note: Some("қаралды".to_owned()), ruling: None
        };
    assert_eq!(bench.staff(approve).await.effects, [Effect::Accepted]);
    let stored = bench.store.record(SESSION).await.unwrap().unwrap();
    let jws: synaq_seal::jws::Jws = serde_json::from_str(&stored.approvals[0]).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&jws.decode_payload().unwrap()).unwrap();
    assert_eq!(statement["record_sha256"], sha256.as_str());
    assert_eq!(statement["approved_by"]["id"], PROCTOR.to_string());
    let all =
        delivered(&bench, |all| all.len() == 2 && all.iter().all(|m| m.state == DeliveryState::Accepted))
            .await;
    assert_eq!(all[1].message.kind, MessageKind::Approval);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_voided_after_its_record_is_told_to_the_platform_by_a_signed_notice() {
    let bench = Bench::start().await;
    hand_in_all_right(&bench).await;
    delivered(&bench, accepted).await;
    let void = |replaced_by| StaffCommand::Void {
        ground: "technical".to_owned(),
        reason: "Сервер тоқтады".to_owned(),
        replaced_by,
    };
    assert_eq!(bench.staff(void(None)).await.effects, [Effect::Accepted]);
    let all = delivered(&bench, |all| all.len() == 2 && accepted(&all[1..])).await;
    assert_eq!(all[1].message.kind, MessageKind::Void);
    let jws: synaq_seal::jws::Jws = serde_json::from_str(&all[1].message.body).unwrap();
    let notice: serde_json::Value = serde_json::from_slice(&jws.decode_payload().unwrap()).unwrap();
    let record = bench.store.record(SESSION).await.unwrap().unwrap().record;
    assert_eq!(notice["record_sha256"], record.sha256.to_string());
    assert_eq!((&notice["kind"], &notice["ground"]), (&"attempt-void".into(), &"technical".into()));
    assert_eq!(notice["voided_by"]["id"], PROCTOR.to_string());
    assert!(notice.get("reason").is_none() && notice.get("replaced_by").is_none());

    // Said again it says nothing new; with a new attempt it does.
    bench.staff(void(None)).await;
    bench.staff(void(Some(SessionId(Uuid::from_u128(77))))).await;
    let all = delivered(&bench, |all| all.len() == 3 && accepted(&all[2..])).await;
    let jws: synaq_seal::jws::Jws = serde_json::from_str(&all[2].message.body).unwrap();
    let notice: serde_json::Value = serde_json::from_slice(&jws.decode_payload().unwrap()).unwrap();
    assert_eq!(notice["replaced_by"], Uuid::from_u128(77).to_string());
}

#[tokio::test(start_paused = true)]
async fn an_exam_ruled_not_valid_says_so_in_its_approval_and_has_no_result_in_the_lists() {
    let bench = Bench::start().await;
    bench.begin().await;
    for question in 0..4 {
        bench.accept(bench.right(question).await).await;
    }
    let dark = Input::Media(MediaFact::Flow { video: false, audio: true });
    bench.runtime.submit(SESSION, dark).await.unwrap();
    bench.pass(Span::mins(11)).await;
    bench.accept(Command::HandIn).await;
    delivered(&bench, accepted).await;
    let summary = || async { bench.store.summaries(&[SESSION]).await.unwrap().remove(0) };
    assert_eq!(summary().await.outcome.as_deref(), Some("passed"));
    let sha256 = bench.store.record(SESSION).await.unwrap().unwrap().record.sha256.to_string();
    let approve = |ruling| StaffCommand::Approve { sha256: sha256.clone(), note: None, ruling };
    let silent = bench.staff(approve(None)).await.effects;
    assert_eq!(silent, [Effect::Refused(Refusal::ValidityRulingMissing)]);
    let ruling = Ruling { valid: false, note: "бөлме көрінбеді".to_owned() };
    assert_eq!(bench.staff(approve(Some(ruling))).await.effects, [Effect::Accepted]);
    let summary = summary().await;
    assert_eq!((summary.outcome.as_deref(), summary.correct), (Some("no_result"), None));
    let stored = bench.store.record(SESSION).await.unwrap().unwrap();
    let jws: synaq_seal::jws::Jws = serde_json::from_str(&stored.approvals[0]).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&jws.decode_payload().unwrap()).unwrap();
    assert_eq!(statement["ruling"], serde_json::json!({ "valid": false, "note": "бөлме көрінбеді" }));
}

#[tokio::test(start_paused = true)]
async fn a_closed_exam_whose_seal_was_lost_in_a_crash_is_sealed_after_the_restart() {
    let bench = Bench::start().await;
    bench.begin().await;
    // The close is stored, the seal's own transaction is not.
    let hand_in = bench.next_seq();
    let mut done = Box::pin(bench.send(hand_in, Command::HandIn));
    bench.store.hold();
    tokio::select! {
        biased;
        _ = &mut done => panic!("held"),
        () = async { while bench.store.waiting() == 0 { tokio::task::yield_now().await } } => {}
    }
    bench.store.fail_next(synaq_store::Fault::AfterCommit);
    bench.store.release();
    assert!(done.await.is_err());
    let bench = bench.restart().await;
    delivered(&bench, accepted).await;
    assert!(bench.store.record(SESSION).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_session_dropped_by_a_full_disk_comes_back_by_itself() {
    for fault in [synaq_store::Fault::DiskFull, synaq_store::Fault::AfterCommit] {
        let bench = Bench::start().await;
        bench.begin().await;
        let Stage::Running { deadline, .. } =
            bench.runtime.look(SESSION).await.unwrap().session.state().stage
        else {
            panic!("running")
        };
        bench.store.fail_next(fault);
        assert!(bench.send(bench.next_seq(), bench.right(0).await).await.is_err());
        // Nobody touches the session again: its deadline, its late window and its seal are the shard's own business.
        let late_window = Span::mins(11);
        pass(&bench, deadline - bench.clock.now() + late_window).await;
        delivered(&bench, accepted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_seal_that_was_not_stored_is_made_again_without_any_input() {
    let bench = Bench::start().await;
    bench.begin().await;
    bench.accept(Command::HandIn).await;
    bench.store.fail_next(synaq_store::Fault::DiskFull);
    delivered(&bench, accepted).await;
    let stored = bench.store.record(SESSION).await.unwrap().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&stored.record.payload).unwrap();
    assert_eq!(record["candidate"]["name"], "Байжан");
}

//! The event log.

use super::Engine;
use super::fixtures::{
    NOW, approval, digest, event, events, lease, message, record, refused, session, summary,
};
use crate::{Batch, Error, EventLog, Lease, MessageKind, NewRecord, Outbox, Recorded, StoredRecord};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use uuid::Uuid;

/// More than the largest multi-row statement of an engine, and not a multiple of any.
const LARGE: u64 = 1_337;

const NOTHING: [u64; 0] = [];

async fn positions(store: &impl EventLog, stream: SessionId) -> Vec<u64> {
    store.load(stream, Seq(0)).await.unwrap().iter().map(|event| event.seq.0).collect()
}

/// The append was refused because of one session's part, for this reason.
fn whose_part<T: std::fmt::Debug>(answer: Result<T, Error>, session: SessionId, expected: &str) {
    match answer {
        Err(Error::Refused { session: named, why }) => assert_eq!((named, why), (session.0, expected)),
        other => panic!("expected Refused, got {other:?}"),
    }
}

/// Bytes come back as they went in, per stream, in order, and paging by position works.
pub async fn events_come_back_in_order_after_any_position(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let (a, b) = (session(1), session(2));
    let first = [event(a, 1), event(b, 1), event(a, 2), event(b, 2)];
    let stored = store.append(lease, events(first.clone()).into()).await.unwrap();
    assert_eq!(stored.get().events, first);
    store.append(lease, events([event(a, 3)]).into()).await.unwrap();

    let expected = |seq| {
        let event = event(a, seq);
        Recorded { seq: event.seq, at: event.at, kind: event.kind, body: event.body, hash: event.hash }
    };
    assert_eq!(store.load(a, Seq(0)).await.unwrap(), [expected(1), expected(2), expected(3)]);
    assert_eq!(store.load(a, Seq(2)).await.unwrap(), [expected(3)]);
    assert_eq!(store.load(a, Seq(3)).await.unwrap(), []);
    assert_eq!(store.load(session(3), Seq(0)).await.unwrap(), []);
    assert_eq!(positions(&store, b).await, [1, 2]);
}

/// The answer names stream and position; neighbours in the batch are not stored either.
pub async fn a_taken_position_is_named_and_nothing_of_its_batch_is_stored(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let (a, b) = (session(1), session(2));
    store.append(lease, events([event(a, 1), event(a, 2)]).into()).await.unwrap();

    let clash = events([event(b, 1), event(a, 2), event(a, 3)]);
    match store.append(lease, clash.into()).await {
        Err(Error::Duplicate { stream, seq }) => assert_eq!((stream, seq), (a.0, 2)),
        other => panic!("expected Duplicate, got {other:?}"),
    }
    assert_eq!(positions(&store, a).await, [1, 2]);
    assert_eq!(positions(&store, b).await, NOTHING);
    store.append(lease, events([event(b, 1), event(a, 3)]).into()).await.unwrap();
}

/// A batch cannot contradict itself.
pub async fn a_position_twice_in_one_batch_is_refused(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let twice = events([event(session(1), 1), event(session(2), 1), event(session(1), 1)]);
    match store.append(lease, twice.into()).await {
        Err(Error::Duplicate { stream, seq }) => assert_eq!((stream, seq), (session(1).0, 1)),
        other => panic!("expected Duplicate, got {other:?}"),
    }
    assert_eq!(positions(&store, session(2)).await, NOTHING);
}

/// Batches of many statements are one transaction.
pub async fn a_large_batch_is_stored_whole(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let (a, b) = (session(1), session(2));
    let interleaved = (1..=LARGE).flat_map(|seq| [event(a, seq), event(b, seq)]);
    store.append(lease, events(interleaved).into()).await.unwrap();
    assert_eq!(positions(&store, a).await, (1..=LARGE).collect::<Vec<_>>());
    assert_eq!(positions(&store, b).await.len(), positions(&store, a).await.len());

    let clash_at_the_end = (1..=LARGE).map(|seq| event(session(3), seq)).chain([event(a, LARGE)]);
    refused!(store.append(lease, events(clash_at_the_end).into()).await, Error::Duplicate { seq: LARGE, .. });
    assert_eq!(positions(&store, session(3)).await, NOTHING);
}

/// Loading a stream with a missing position says so instead of replaying a different history.
pub async fn a_hole_in_a_stream_is_damage(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    store.append(lease, events([event(session(1), 1), event(session(1), 3)]).into()).await.unwrap();
    refused!(store.load(session(1), Seq(0)).await, Error::Damaged(_));
    refused!(store.load(session(1), Seq(1)).await, Error::Damaged(_));
}

/// Neither an older epoch nor another node's lease appends or marks.
pub async fn an_older_lease_is_fenced(engine: &impl Engine) {
    let store = engine.fresh().await;
    let old = lease(&store).await;
    store.append(old, events([event(session(1), 1)]).into()).await.unwrap();
    let new = store.take_lease(Uuid::from_u128(0xB), NOW).await.unwrap();
    assert_eq!(new.node, Uuid::from_u128(0xB));
    assert!(new.epoch > old.epoch);

    for stale in [old, Lease { epoch: old.epoch, ..new }, Lease { node: old.node, ..new }] {
        refused!(store.append(stale, events([event(session(1), 2)]).into()).await, Error::Fenced);
        refused!(store.append(stale, Batch::default().into()).await, Error::Fenced);
        refused!(store.mark(stale, NOW).await, Error::Fenced);
    }
    assert_eq!(positions(&store, session(1)).await, [1]);
    store.append(new, events([event(session(1), 2)]).into()).await.unwrap();
    store.mark(new, NOW).await.unwrap();
}

/// Events, summaries, records, approvals and messages stand or fall together.
pub async fn a_batch_is_stored_whole_or_not_at_all(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let whole = |number: u32| {
        let session = session(number);
        Batch {
            events: vec![event(session, 1)],
            summaries: vec![summary(session, true)],
            records: vec![record(session)],
            approvals: vec![approval(session, "a")],
            messages: vec![message(number, session, MessageKind::Record)],
        }
    };
    store.append(lease, whole(1).into()).await.unwrap();
    assert_eq!(positions(&store, session(1)).await, [1]);
    assert_eq!(store.live().await.unwrap(), [session(1)]);
    let stored = StoredRecord { record: record(session(1)), approvals: vec!["a".into()] };
    assert_eq!(store.record(session(1)).await.unwrap(), Some(stored));
    assert_eq!(store.deliveries(&[session(1)]).await.unwrap().len(), 1);

    // The last thing of the second batch clashes with the first batch.
    let mut clash = whole(2);
    clash.messages.push(message(1, session(2), MessageKind::Approval));
    whose_part(store.append(lease, clash.into()).await, session(2), Error::MESSAGE_TAKEN);
    assert_eq!(positions(&store, session(2)).await, NOTHING);
    assert_eq!(store.summaries(&[session(2)]).await.unwrap(), []);
    assert_eq!(store.live().await.unwrap(), [session(1)]);
    assert_eq!(store.record(session(2)).await.unwrap(), None);
    assert_eq!(store.deliveries(&[session(2)]).await.unwrap(), []);
    store.append(lease, whole(2).into()).await.unwrap();
}

/// Whatever is wrong with one session's part, the error names that session, and the batch without it is stored.
pub async fn a_refused_part_is_named_and_the_rest_can_be_sent_again(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let (good, bad) = (session(1), session(2));
    let taken = message(9, session(9), MessageKind::Record);
    let before = Batch { records: vec![record(bad)], messages: vec![taken], ..events([event(bad, 1)]) };
    store.append(lease, before.into()).await.unwrap();

    let unsealed = session(3);
    let poisons = [
        (bad, events([event(bad, 1)])),
        (bad, Batch { records: vec![record(bad)], ..Batch::default() }),
        (unsealed, Batch { approvals: vec![approval(unsealed, "early")], ..Batch::default() }),
        (bad, Batch { messages: vec![message(9, bad, MessageKind::Record)], ..Batch::default() }),
    ];
    for (seq, (whose, poison)) in (1..).zip(poisons) {
        let mut batch = Batch { summaries: vec![summary(good, true)], ..poison };
        batch.events.insert(0, event(good, seq));
        batch.messages.insert(0, message(100 + u32::try_from(seq).unwrap(), good, MessageKind::Approval));
        let refusal = store.append(lease, batch.clone().into()).await.unwrap_err();
        assert_eq!(refusal.refused_session(), Some(whose), "{refusal:?}");
        assert_eq!(positions(&store, good).await.len() as u64, seq - 1, "{refusal:?}");

        batch.events.retain(|event| event.stream == good);
        batch.records.clear();
        batch.approvals.clear();
        batch.messages.retain(|message| message.session == good);
        store.append(lease, batch.into()).await.unwrap();
    }
    assert_eq!(positions(&store, good).await, [1, 2, 3, 4]);
    assert_eq!(positions(&store, bad).await, [1]);
    assert_eq!(store.deliveries(&[good]).await.unwrap().len(), 4);
    assert_eq!(Error::Fenced.refused_session(), None);
}

/// The record of a session is written once.
pub async fn a_session_is_sealed_once(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let sealed = Batch { records: vec![record(session(1))], ..Batch::default() };
    store.append(lease, sealed.into()).await.unwrap();
    let other = NewRecord { payload: vec![1], sha256: digest("other"), ..record(session(1)) };
    let again = Batch { events: vec![event(session(1), 1)], records: vec![other], ..Batch::default() };
    whose_part(store.append(lease, again.into()).await, session(1), Error::SEALED_ALREADY);
    assert_eq!(store.record(session(1)).await.unwrap().unwrap().record, record(session(1)));
    assert_eq!(positions(&store, session(1)).await, NOTHING);
}

/// Nothing is approved that was not sealed; several members of a commission may approve.
pub async fn an_approval_needs_its_record(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let approve = |jws| Batch { approvals: vec![approval(session(1), jws)], ..Batch::default() };
    whose_part(store.append(lease, approve("early").into()).await, session(1), Error::NOT_SEALED);
    let sealed = Batch { records: vec![record(session(1))], ..Batch::default() };
    store.append(lease, sealed.into()).await.unwrap();
    store.append(lease, approve("first").into()).await.unwrap();
    store.append(lease, approve("second").into()).await.unwrap();
    assert_eq!(store.record(session(1)).await.unwrap().unwrap().approvals, ["first", "second"]);
}

/// A summary replaces the one before it, with every field.
pub async fn the_newest_summary_counts(engine: &impl Engine) {
    let store = engine.fresh().await;
    let lease = lease(&store).await;
    let summaries = |summaries| Batch { summaries, ..Batch::default() };
    let started = (1..=20).map(|number| summary(session(number), true)).collect();
    store.append(lease, summaries(started).into()).await.unwrap();
    let mut done = summary(session(2), false);
    done.state = "sealed".into();
    done.finish = Some("submitted".into());
    done.outcome = Some("passed".into());
    done.correct = Some(31);
    done.finished_at = Some(At(NOW.0 + 5));
    store.append(lease, summaries(vec![done.clone()]).into()).await.unwrap();

    assert_eq!(store.summaries(&[session(2), session(99)]).await.unwrap(), [done]);
    assert_eq!(store.summaries(&[session(3)]).await.unwrap(), [summary(session(3), true)]);
    assert_eq!(store.summaries(&[]).await.unwrap(), []);
    let mut live = store.live().await.unwrap();
    live.sort();
    let expected: Vec<_> = (1..=20).filter(|number| *number != 2).map(session).collect();
    assert_eq!(live, expected);
}

/// Own marks do not hide the end of the process before, not even of one that never marked.
pub async fn the_last_mark_is_of_the_process_before(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = lease(&store).await;
    assert_eq!(store.last_mark().await.unwrap(), None);
    store.mark(first, At(NOW.0 + 1_000)).await.unwrap();
    store.mark(first, At(NOW.0 + 2_000)).await.unwrap();
    assert_eq!(store.last_mark().await.unwrap(), None);

    let store = engine.reopen(store).await;
    assert_eq!(store.last_mark().await.unwrap(), Some(At(NOW.0 + 2_000)));
    let second = lease(&store).await;
    store.mark(second, At(NOW.0 + 9_000)).await.unwrap();
    assert_eq!(store.last_mark().await.unwrap(), Some(At(NOW.0 + 2_000)));

    let store = engine.reopen(store).await;
    lease(&store).await;
    let store = engine.reopen(store).await;
    lease(&store).await;
    assert_eq!(store.last_mark().await.unwrap(), Some(At(NOW.0 + 9_000)));
}

/// Ok means durable, and a restart takes the lease further, never back.
pub async fn what_was_acknowledged_survives_a_restart(engine: &impl Engine) {
    let store = engine.fresh().await;
    let before = lease(&store).await;
    let batch = Batch {
        events: vec![event(session(1), 1)],
        summaries: vec![summary(session(1), true)],
        records: vec![record(session(1))],
        approvals: vec![approval(session(1), "a")],
        messages: vec![message(1, session(1), MessageKind::Record)],
    };
    store.append(before, batch.into()).await.unwrap();
    let store = engine.reopen(store).await;
    assert_eq!(positions(&store, session(1)).await, [1]);
    assert_eq!(store.summaries(&[session(1)]).await.unwrap(), [summary(session(1), true)]);
    assert_eq!(store.record(session(1)).await.unwrap().unwrap().record, record(session(1)));
    let delivery = store.deliveries(&[session(1)]).await.unwrap().remove(0);
    assert_eq!(delivery.message, message(1, session(1), MessageKind::Record));
    let after = lease(&store).await;
    assert!(after.epoch > before.epoch);
    refused!(store.append(before, events([event(session(1), 2)]).into()).await, Error::Fenced);
}

//! The outbox.

use super::Engine;
use super::fixtures::{NOW, lease, message, refused, session, uuid};
use crate::{
    Backlog, Batch, Claimed, DeliveryState, Error, EventLog, MessageKind, NewMessage, Outbox, Settlement,
};
use synaq_core::time::{At, Span};

const CLAIM: Span = Span::secs(30);

async fn queue(store: &impl EventLog, messages: impl IntoIterator<Item = NewMessage>) {
    let lease = lease(store).await;
    let batch = Batch { messages: messages.into_iter().collect(), ..Batch::default() };
    store.append(lease, batch.into()).await.unwrap();
}

async fn claimed(store: &impl Outbox, now: At) -> Vec<Claimed> {
    store.claim(now, now + CLAIM, 100).await.unwrap()
}

fn accepted(receipt: &str) -> Settlement {
    Settlement::Accepted { receipt: receipt.into(), platform_ref: "ref".into() }
}

fn retry(next_at: At) -> Settlement {
    Settlement::Retry { next_at, why: "timeout".into() }
}

fn refusal() -> Settlement {
    Settlement::Refused { why: "unknown centre".into() }
}

/// A claimed message is nobody else's until the claim runs out; then it is due again, with the attempt counted.
pub async fn a_claim_holds_until_it_runs_out(engine: &impl Engine) {
    let store = engine.fresh().await;
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(claimed(&store, NOW).await, []);
    queue(&store, [message(1, session(1), MessageKind::Record)]).await;
    assert_eq!(store.next_due().await.unwrap(), Some(NOW));
    assert_eq!(claimed(&store, NOW - Span(1)).await, []);

    let expected = message(1, session(1), MessageKind::Record);
    assert_eq!(claimed(&store, NOW).await, [Claimed { message: expected.clone(), attempts: 0 }]);
    assert_eq!(store.next_due().await.unwrap(), Some(NOW + CLAIM));
    assert_eq!(claimed(&store, NOW + CLAIM - Span(1)).await, []);
    let store = engine.reopen(store).await;
    assert_eq!(claimed(&store, NOW + CLAIM).await, [Claimed { message: expected, attempts: 1 }]);
}

/// The backlog is what no receipt has closed, whether it is due or not.
pub async fn the_backlog_counts_what_is_not_accepted(engine: &impl Engine) {
    let store = engine.fresh().await;
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    let made =
        |number, at| NewMessage { created_at: at, ..message(number, session(number), MessageKind::Record) };
    queue(&store, [made(1, NOW), made(2, NOW - Span(7)), made(3, NOW - Span(9)), made(4, NOW)]).await;
    store.settle(uuid(3), NOW, accepted("r")).await.unwrap();
    store.settle(uuid(4), NOW, refusal()).await.unwrap();
    store.settle(uuid(1), NOW, retry(NOW + Span::secs(60))).await.unwrap();
    let expected = Backlog { queued: 2, oldest: Some(NOW - Span(7)), refused: 1 };
    assert_eq!(store.backlog().await.unwrap(), expected);
}

/// Whoever has waited longest goes first.
pub async fn a_claim_takes_the_longest_due_up_to_its_limit(engine: &impl Engine) {
    let store = engine.fresh().await;
    let messages = (1..=5).map(|number| message(number, session(number), MessageKind::Record));
    queue(&store, messages).await;
    store.settle(uuid(1), NOW, retry(NOW + Span::secs(1))).await.unwrap();
    let later = NOW + Span::secs(2);
    let mut order = Vec::new();
    for _ in 0..3 {
        let ids = store.claim(later, later + CLAIM, 2).await.unwrap();
        order.push(ids.iter().map(|claimed| claimed.message.id).collect::<Vec<_>>());
    }
    assert_eq!(order, [vec![uuid(2), uuid(3)], vec![uuid(4), uuid(5)], vec![uuid(1)]]);
}

/// The platform never sees an approval of a record it does not have.
pub async fn an_approval_waits_for_the_receipt_of_its_record(engine: &impl Engine) {
    let store = engine.fresh().await;
    queue(
        &store,
        [
            message(11, session(1), MessageKind::Approval),
            message(21, session(2), MessageKind::Approval),
            message(10, session(1), MessageKind::Record),
        ],
    )
    .await;
    let ids = |claimed: Vec<Claimed>| claimed.iter().map(|c| c.message.id).collect::<Vec<_>>();
    assert_eq!(ids(claimed(&store, NOW).await), [uuid(10)]);
    // Only the record's own claim is due again: a waiting approval must not keep the relay awake.
    assert_eq!(store.next_due().await.unwrap(), Some(NOW + CLAIM));
    assert_eq!(claimed(&store, NOW + Span(1)).await, []);
    store.settle(uuid(10), NOW, accepted("r")).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(NOW));
    assert_eq!(ids(claimed(&store, NOW + Span(1)).await), [uuid(11)]);
}

/// Backoff is the caller's; the store keeps it.
pub async fn a_retry_waits_until_its_time(engine: &impl Engine) {
    let store = engine.fresh().await;
    queue(&store, [message(1, session(1), MessageKind::Record)]).await;
    claimed(&store, NOW).await;
    let next = NOW + Span::mins(5);
    store.settle(uuid(1), NOW, retry(next)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(next));
    assert_eq!(claimed(&store, next - Span(1)).await, []);
    let delivery = store.deliveries(&[session(1)]).await.unwrap().remove(0);
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Queued, 1));
    assert_eq!(delivery.why.as_deref(), Some("timeout"));
    assert_eq!(claimed(&store, next).await[0].attempts, 1);
}

/// A slower attempt with worse news changes nothing, nor does a second receipt.
pub async fn a_receipt_closes_for_good(engine: &impl Engine) {
    let store = engine.fresh().await;
    queue(&store, [message(1, session(1), MessageKind::Record)]).await;
    claimed(&store, NOW).await;
    store.settle(uuid(1), NOW, accepted("receipt")).await.unwrap();
    for late in [retry(NOW), refusal(), accepted("another")] {
        store.settle(uuid(1), NOW + Span::mins(1), late).await.unwrap();
    }
    let store = engine.reopen(store).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(claimed(&store, NOW + Span::mins(60)).await, []);
    let delivery = store.deliveries(&[session(1), session(2)]).await.unwrap().remove(0);
    assert_eq!(delivery.state, DeliveryState::Accepted);
    assert_eq!(delivery.receipt.as_deref(), Some("receipt"));
    assert_eq!((delivery.platform_ref.as_deref(), delivery.settled_at), (Some("ref"), Some(NOW)));
}

/// A refused message is kept, and not sent again by itself.
pub async fn a_refusal_waits_for_a_person_and_a_late_receipt_still_closes_it(engine: &impl Engine) {
    let store = engine.fresh().await;
    queue(&store, [message(1, session(1), MessageKind::Record)]).await;
    claimed(&store, NOW).await;
    store.settle(uuid(1), NOW, refusal()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(claimed(&store, NOW + Span::mins(60)).await, []);
    let delivery = store.deliveries(&[session(1)]).await.unwrap().remove(0);
    assert_eq!(delivery.state, DeliveryState::Refused);
    assert_eq!(delivery.why.as_deref(), Some("unknown centre"));
    assert_eq!(delivery.message, message(1, session(1), MessageKind::Record));
    store.settle(uuid(1), NOW, accepted("late")).await.unwrap();
    let delivery = store.deliveries(&[session(1)]).await.unwrap().remove(0);
    assert_eq!((delivery.state, delivery.receipt.as_deref()), (DeliveryState::Accepted, Some("late")));
}

/// Settling what was never queued is a bug worth hearing of.
pub async fn an_unknown_message_is_not_found(engine: &impl Engine) {
    let store = engine.fresh().await;
    refused!(store.settle(uuid(1), NOW, accepted("r")).await, Error::NotFound);
    refused!(store.settle(uuid(1), NOW, retry(NOW)).await, Error::NotFound);
    assert_eq!(store.deliveries(&[session(1)]).await.unwrap(), []);
}

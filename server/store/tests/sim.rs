//! The store in memory keeps the engines' contract, and fails as it was told.

use async_trait::async_trait;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::conformance::Engine;
use synaq_store::{Append, Batch, Error, EventLog, Fault, Outage, Outbox, SimStore, conformance_tests};
use uuid::Uuid;

struct Sim;

#[async_trait]
impl Engine for Sim {
    type Store = SimStore;

    async fn fresh(&self) -> SimStore {
        SimStore::new()
    }

    async fn reopen(&self, store: SimStore) -> SimStore {
        store.another_process()
    }
}

conformance_tests!(Sim);

const STREAM: SessionId = SessionId(Uuid::from_u128(1));

fn one(seq: u64) -> Batch {
    let event = Append {
        stream: STREAM,
        seq: Seq(seq),
        at: At(1),
        kind: "k".into(),
        body: "{}".into(),
        hash: sha256(b"{}"),
    };
    Batch { events: vec![event], ..Batch::default() }
}

async fn stored(store: &SimStore) -> usize {
    store.load(STREAM, Seq(0)).await.expect("the stream has no hole").len()
}

#[tokio::test]
async fn faults_come_in_order_and_once() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.fail_next(Fault::BeforeCommit);
    store.fail_next(Fault::DiskFull);
    store.fail_next(Fault::AfterCommit);
    assert!(matches!(store.append(lease, one(1).into()).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.append(lease, one(1).into()).await, Err(Error::DiskFull)));
    assert_eq!(stored(&store).await, 0);
    assert!(matches!(store.append(lease, one(1).into()).await, Err(Error::Unavailable(_))));
    assert_eq!(stored(&store).await, 1);
    store.append(lease, one(2).into()).await.unwrap();
    assert_eq!(store.stored_batches(), [1, 1]);
}

#[tokio::test]
async fn a_take_over_fences_until_the_lease_is_taken_again() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.fail_next(Fault::TakeOver);
    for _ in 0..2 {
        assert!(matches!(store.append(lease, one(1).into()).await, Err(Error::Fenced)));
    }
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.append(lease, one(1).into()).await.unwrap();
}

#[tokio::test]
async fn a_held_append_stores_nothing_before_its_release() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.hold();
    let mut append = pin!(store.append(lease, one(1).into()));
    assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!((store.waiting(), stored(&store).await), (1, 0));
    store.release();
    match append.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(_)) => assert_eq!(stored(&store).await, 1),
        other => panic!("released, yet {other:?}"),
    }
}

#[tokio::test]
async fn an_append_held_after_its_commit_has_stored_everything() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.fail_next(Fault::HeldAfterCommit);
    let mut append = pin!(store.append(lease, one(1).into()));
    assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!((store.waiting(), stored(&store).await), (1, 1));
    store.release();
    assert!(matches!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn an_outage_lasts_until_its_end_and_is_not_inherited() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    for outage in [Outage::FullDisk, Outage::Loads, Outage::Marks, Outage::Claims, Outage::Settles] {
        store.begin(outage);
    }
    for _ in 0..2 {
        assert!(matches!(store.append(lease, one(1).into()).await, Err(Error::DiskFull)));
        assert!(matches!(store.load(STREAM, Seq(0)).await, Err(Error::Unavailable(_))));
        assert!(matches!(store.mark(lease, At(1)).await, Err(Error::Unavailable(_))));
        assert!(matches!(store.claim(At(1), At(2), 1).await, Err(Error::Unavailable(_))));
    }
    store.end(Outage::FullDisk);
    store.append(lease, one(1).into()).await.unwrap();
    assert_eq!(stored(&store.another_process()).await, 1);
}

#[tokio::test]
async fn a_fault_can_be_taken_back_until_it_strikes() {
    let store = SimStore::new();
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    store.fail_next(Fault::BeforeCommit);
    assert!(store.take_back(Fault::BeforeCommit));
    store.append(lease, one(1).into()).await.unwrap();
    assert!(!store.take_back(Fault::BeforeCommit));
}

//! The lease, the lock, and what lies between an answer and its commit.

use crate::support::{House, events};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::time::At;
use synaq_store::{Error, EventLog as _};
use synaq_store_postgres::PostgresStore;
use uuid::Uuid;

#[tokio::test]
async fn a_second_server_is_kept_out_until_the_first_is_gone() {
    let house = House::new().await;
    match PostgresStore::open(&house.database).await {
        Err(Error::Open(why)) => {
            assert!(why.contains("another synaq runs on this database; stop it first"), "{why}");
        }
        other => panic!("expected Open, got {other:?}"),
    }
    PostgresStore::probe(&house.database).await.unwrap();
    let database = house.database.clone();
    drop(house);
    PostgresStore::open(&database).await.unwrap();
}

#[tokio::test]
async fn a_take_over_waits_for_an_append_under_way_and_fences_the_next() {
    let house = House::new().await;
    house.fault("TRIGGER fault BEFORE INSERT ON event", "PERFORM pg_sleep(0.5);");
    let (store, lease) = (Arc::clone(&house.store), house.lease);
    let under_way = tokio::spawn(async move { store.append(lease, events([1])).await.map(drop) });
    house.until_active("wait_event = 'PgSleep'").await;
    let taken = house.store.take_lease(Uuid::max(), At(1)).await.unwrap();
    assert_eq!(house.stored().await, 1, "the take-over did not wait");
    under_way.await.unwrap().unwrap();
    house.mend();
    assert!(matches!(house.store.append(house.lease, events([2])).await, Err(Error::Fenced)));
    assert!(matches!(house.store.mark(house.lease, At(2)).await, Err(Error::Fenced)));
    assert_eq!(house.stored().await, 1);
    house.store.append(taken, events([2])).await.unwrap();
}

#[tokio::test]
async fn an_append_that_meets_a_take_over_under_way_is_fenced_when_it_commits() {
    let house = House::new().await;
    let take_over =
        house.sql_aside("BEGIN; UPDATE lease SET epoch = epoch + 1; SELECT pg_sleep(0.5); COMMIT");
    house.until_active("wait_event = 'PgSleep'").await;
    assert!(matches!(house.store.append(house.lease, events([1])).await, Err(Error::Fenced)));
    take_over.join().unwrap().unwrap();
    assert_eq!(house.stored().await, 0);
}

#[tokio::test]
async fn a_commit_that_fails_after_the_rows_were_answered_is_not_acknowledged() {
    let house = House::new().await;
    house.fault(
        "CONSTRAINT TRIGGER fault AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED",
        "RAISE EXCEPTION 'at the commit';",
    );
    assert!(matches!(house.store.append(house.lease, events([1])).await, Err(Error::Unavailable(_))));
    house.mend();
    assert_eq!(house.stored().await, 0);
    house.store.append(house.lease, events([1])).await.unwrap();
}

#[tokio::test]
async fn lost_connections_are_opened_again_and_the_lock_is_taken_again() {
    let house = House::new().await;
    house.store.append(house.lease, events([1])).await.unwrap();
    house
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .unwrap();
    // The runtime's mark of each second finds out, and the other connections are not tried one by one.
    assert!(matches!(house.store.mark(house.lease, At(1)).await, Err(Error::Unavailable(_))));
    house.store.mark(house.lease, At(2)).await.unwrap();
    house.store.append(house.lease, events([2])).await.unwrap();
    assert_eq!(house.stored().await, 2);
    assert!(matches!(PostgresStore::open(&house.database).await, Err(Error::Open(_))));
}

#[tokio::test]
async fn a_cancelled_append_blocks_none_that_follow() {
    let house = House::new().await;
    let mut stored = 0;
    // Any of these may be cut off at any of its steps, or not at all: each outcome must leave a working store.
    for microseconds in (0..3_000).step_by(60) {
        let append = house.store.append(house.lease, events([stored + 1]));
        tokio::time::timeout(Duration::from_micros(microseconds), append).await.ok();
        // Whether the cut-off one is stored shows when this one settles it.
        stored += 1;
        match house.store.append(house.lease, events([stored])).await {
            Ok(_) | Err(Error::Duplicate { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(house.stored().await as u64, stored);
}

//! PostgreSQL itself is killed, held and started again under appends. (That a killed server of ours loses nothing is
//! shown on the real binary, by the fault rig.)

use crate::support::event;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_store::{Batch, Error, EventLog as _, Lease};
use synaq_store_postgres::{Database, PostgresStore};
use synaq_test_postgres::{Cluster, Options, Stop};
use tokio::task::JoinSet;
use uuid::Uuid;

const ROUNDS: u64 = 10;
/// Appends under way at a time, each of its own streams.
const WRITERS: u128 = 4;
/// Streams per batch.
const STREAMS: u128 = 20;
/// From a fault's end to the first append that is stored.
const HEALED_WITHIN: Duration = Duration::from_secs(10);
/// A paused server is given up after this, with some room for a busy machine.
const ERROR_WITHIN: Duration = Duration::from_secs(10);

/// Connecting in vain takes 5 s.
const TOLD_WITHIN: Duration = Duration::from_secs(7);

struct Writer {
    store: Arc<PostgresStore>,
    lease: Lease,
    number: u128,
    /// Batches acknowledged
    acknowledged: u64,
}

impl Writer {
    fn stream(&self, number: u128) -> SessionId {
        SessionId(Uuid::from_u128(self.number * STREAMS + number + 1))
    }

    fn batch(&self, seq: u64) -> Arc<Batch> {
        let body = "x".repeat(200);
        let events = (0..STREAMS).map(|number| event(self.stream(number), seq, &body)).collect();
        Arc::new(Batch { events, ..Batch::default() })
    }

    async fn append_until_it_breaks(mut self, all: Arc<AtomicU64>) -> Self {
        while self.store.append(self.lease, self.batch(self.acknowledged + 1)).await.is_ok() {
            self.acknowledged += 1;
            all.fetch_add(1, Ordering::Relaxed);
        }
        self
    }

    /// Reads what is stored, as soon as PostgreSQL answers; every batch is whole.
    async fn compare(&mut self) {
        let began = Instant::now();
        let stored = loop {
            match self.store.load(self.stream(0), Seq(0)).await {
                Ok(events) => break events.len() as u64,
                Err(Error::Unavailable(_)) if began.elapsed() < HEALED_WITHIN => {}
                Err(error) => panic!("it did not heal: {error:?}"),
            }
        };
        // One batch at most was in flight.
        let possible = self.acknowledged..=self.acknowledged + 1;
        assert!(possible.contains(&stored), "{} acknowledged, {stored} stored", self.acknowledged);
        for number in 1..STREAMS {
            let events = self.store.load(self.stream(number), Seq(0)).await.unwrap();
            assert_eq!(events.len() as u64, stored, "a batch was torn");
        }
        self.acknowledged = stored;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_postgres_is_killed_and_started_again() {
    let cluster = Arc::new(Cluster::start(Options::default()).unwrap());
    let database = Database::parse(&cluster.fresh_database().unwrap()).unwrap();
    let store = Arc::new(PostgresStore::open(&database).await.unwrap());
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| Writer { store: Arc::clone(&store), lease, number, acknowledged: 0 })
        .collect();
    for round in 0..ROUNDS {
        let all = Arc::new(AtomicU64::new(0));
        let mut writing = JoinSet::new();
        for writer in writers.drain(..) {
            writing.spawn(writer.append_until_it_breaks(Arc::clone(&all)));
        }
        // At a moment of its own in each round.
        let until = 5 + round * 37 % 100;
        while all.load(Ordering::Relaxed) < until {
            assert_eq!(writing.len() as u128, WRITERS, "a writer stopped before the kill");
            tokio::task::yield_now().await;
        }
        let how = if round % 2 == 0 { Stop::Immediate } else { Stop::Kill };
        let restarted = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || restarted.stop(how).and_then(|()| restarted.start_again()))
            .await
            .unwrap()
            .unwrap();
        while let Some(writer) = writing.join_next().await {
            writers.push(writer.unwrap());
        }
        for writer in &mut writers {
            writer.compare().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_postgres_acknowledges_nothing_and_heals_when_it_goes_on() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let database = Database::parse(&cluster.fresh_database().unwrap()).unwrap();
    let store = Arc::new(PostgresStore::open(&database).await.unwrap());
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    let mut writer = Writer { store: Arc::clone(&store), lease, number: 0, acknowledged: 0 };
    store.append(lease, writer.batch(1)).await.unwrap();
    writer.acknowledged = 1;

    cluster.pause().unwrap();
    let began = Instant::now();
    // More callers than there are connections: whoever waits for a turn hears of it in time as well.
    let mut asking = JoinSet::new();
    for number in 1..=50 {
        let (store, late) =
            (Arc::clone(&store), Writer { store: Arc::clone(&store), lease, number, acknowledged: 0 });
        asking.spawn(async move { store.append(lease, late.batch(1)).await.map(drop) });
        let store = Arc::clone(&writer.store);
        asking.spawn(async move { store.load(SessionId(Uuid::nil()), Seq(0)).await.map(drop) });
    }
    let second = store.append(lease, writer.batch(2)).await;
    assert!(matches!(second, Err(Error::Unavailable(_))), "{second:?}");
    while let Some(answer) = asking.join_next().await {
        assert!(matches!(answer.unwrap(), Err(Error::Unavailable(_))));
    }
    assert!(began.elapsed() < ERROR_WITHIN, "callers waited {:?}", began.elapsed());
    // Known to be silent, it is tried by one caller at a time, and nobody waits behind that one.
    let (began, loads) = (Instant::now(), 0..50);
    let mut asking = JoinSet::new();
    for _ in loads {
        let store = Arc::clone(&store);
        asking.spawn(async move { store.load(SessionId(Uuid::nil()), Seq(0)).await.map(drop) });
    }
    assert!(asking.join_all().await.iter().all(Result::is_err));
    assert!(began.elapsed() < TOLD_WITHIN, "callers waited {:?}", began.elapsed());

    cluster.resume().unwrap();
    let resumed = Instant::now();
    // What the server had received before it was held may come now, or has come, or was lost with its connection.
    loop {
        match store.append(lease, writer.batch(2)).await {
            Ok(_) | Err(Error::Duplicate { .. }) => break,
            Err(Error::Unavailable(_)) if resumed.elapsed() < HEALED_WITHIN => {}
            Err(error) => panic!("it did not heal: {error:?}"),
        }
    }
    writer.acknowledged = 2;
    writer.compare().await;
    store.append(lease, writer.batch(3)).await.unwrap();
    store.mark(lease, At(1)).await.unwrap();
}

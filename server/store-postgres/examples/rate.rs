//! Durable appends a second on a private cluster, as the runtime makes them: each writer sends whatever its sessions
//! have ready, and each session the next event when the last one is stored. Beside it one transaction per answer.
//!
//! `cargo run --release -p synaq-store-postgres --example rate [SECONDS]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for its reader")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::{Append, Batch, EventLog as _, Lease};
use synaq_store_postgres::{Database, PostgresStore};
use synaq_test_postgres::{Cluster, Options};
use tokio::task::JoinSet;
use uuid::Uuid;

const WARM_UP: Duration = Duration::from_millis(700);
/// Largest group of the runtime.
const GROUP: u64 = 4_096;

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(3.0, |text| text.parse().unwrap());
    let window = Duration::from_secs_f64(seconds);
    let cluster = Cluster::start(Options::default()).unwrap();
    println!("sessions  writers  appends/s   ms a commit");
    for sessions in [1, 100, 1_000, 10_000] {
        for writers in [1, 4] {
            if sessions >= writers {
                measure(&cluster, sessions, writers, sessions / writers, window).await;
            }
        }
    }
    println!("one transaction per answer, as many writers as the store has connections:");
    measure(&cluster, 1_000, 1_000, 1, window).await;
}

/// `group` events a batch, one of each session of the writer.
async fn measure(cluster: &Cluster, sessions: u64, writers: u64, group: u64, window: Duration) {
    let database = Database::parse(&cluster.fresh_database().unwrap()).unwrap();
    let store = Arc::new(PostgresStore::open(&database).await.unwrap());
    let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
    let (stored, commits) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut writing = JoinSet::new();
    for writer in 0..writers {
        let first = writer * group;
        writing.spawn(write(
            Arc::clone(&store),
            lease,
            first..first + group,
            Arc::clone(&stored),
            Arc::clone(&commits),
        ));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = (stored.load(Ordering::Relaxed), commits.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(window).await;
    let (events, batches) =
        (stored.load(Ordering::Relaxed) - before.0, commits.load(Ordering::Relaxed) - before.1);
    let took = before.2.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds, for a table")]
    let (rate, each) = (events as f64 / took, took * 1e3 * writers as f64 / batches.max(1) as f64);
    println!("{sessions:8}  {writers:7}  {rate:9.0}   {each:.2}");
}

async fn write(
    store: Arc<PostgresStore>,
    lease: Lease,
    sessions: std::ops::Range<u64>,
    stored: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
) {
    let body = format!("{{\"fact\":\"answer_put\",\"text\":\"{}\"}}", "x".repeat(120));
    let sessions: Vec<u64> = sessions.collect();
    for seq in 1.. {
        for group in sessions.chunks(usize::try_from(GROUP).unwrap()) {
            let event = |session: &u64| Append {
                stream: SessionId(Uuid::from_u128(
                    u128::from(*session).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C) + 1,
                )),
                seq: Seq(seq),
                at: At(0),
                kind: "answer_put".into(),
                hash: sha256(body.as_bytes()),
                body: body.clone(),
            };
            let batch = Batch { events: group.iter().map(event).collect(), ..Batch::default() };
            store.append(lease, Arc::new(batch)).await.unwrap();
            stored.fetch_add(group.len() as u64, Ordering::Relaxed);
            commits.fetch_add(1, Ordering::Relaxed);
        }
    }
}

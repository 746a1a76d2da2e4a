//! SIGKILL at any moment of an append: what was acknowledged is there, what was not is there whole or not at all.
//! (The page cache outlives a killed process; that FULL also survives a power cut is SQLite's promise, and the reason
//! why opening checks the mode.) Without the test harness, because the program starts itself as the victim.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::{Append, Batch, EventLog, MessageKind, NewMessage, Outbox, Summary};
use synaq_store_sqlite::SqliteStore;
use tokio::runtime::Runtime;
use uuid::Uuid;

const VICTIM: &str = "be-the-victim-on";
const ROUNDS: u64 = 20;
/// More than one multi-row statement per batch.
const STREAMS: u128 = 70;

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == VICTIM) {
        let path = PathBuf::from(arguments.next().expect("the parent names a file"));
        runtime.block_on(append_for_ever(&path));
    }
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("synaq.db");
    let mut stored = 0;
    for round in 0..ROUNDS {
        // Steps prime to the spread, so that the rounds fall on all parts of an append (about 1 ms).
        let moment = Duration::from_micros(round * 137 % 2_000);
        let acknowledged = kill_after(1 + round * 7 % 31, moment, &path).max(stored);
        stored = runtime.block_on(count(&path));
        // One batch at most was in flight.
        assert!(
            (acknowledged..=acknowledged + 1).contains(&stored),
            "round {round}: {acknowledged} acknowledged, {stored} stored"
        );
    }
    println!("{ROUNDS} kills, {stored} batches, none lost");
}

fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number + 1))
}

/// Prints the number of each batch after it was acknowledged.
async fn append_for_ever(path: &Path) -> ! {
    let store = SqliteStore::open(path).await.expect("the victim opens the file");
    let lease = store.take_lease(Uuid::nil(), At(0)).await.expect("the victim takes the lease");
    let before = store.load(session(0), Seq(0)).await.expect("the stream has no hole").len();
    let before = u64::try_from(before).expect("a count fits");
    for number in before + 1.. {
        store.append(lease, batch(number).into()).await.expect("the victim appends");
        let mut out = std::io::stdout().lock();
        writeln!(out, "{number}").and_then(|()| out.flush()).expect("the parent reads");
    }
    unreachable!("the parent kills the process")
}

fn batch(number: u64) -> Batch {
    let body = "x".repeat(200);
    let events = (0..STREAMS).map(|stream| Append {
        stream: session(stream),
        seq: Seq(number),
        at: At(0),
        kind: "answer_put".into(),
        hash: sha256(body.as_bytes()),
        body: body.clone(),
    });
    let message = NewMessage {
        id: Uuid::from_u128(u128::from(number)),
        session: session(0),
        kind: MessageKind::Record,
        sha256: sha256(body.as_bytes()),
        body: body.clone(),
        created_at: At(0),
    };
    let summary = Summary {
        session: session(0),
        state: number.to_string(),
        finish: None,
        outcome: None,
        correct: None,
        total: None,
        warnings: 0,
        incidents: std::collections::BTreeMap::new(),
        started_at: None,
        finished_at: None,
        live: true,
    };
    Batch { events: events.collect(), messages: vec![message], summaries: vec![summary], ..Batch::default() }
}

/// The last batch that the victim acknowledged before it died, some moment after it had acknowledged so many.
fn kill_after(batches: u64, moment: Duration, path: &Path) -> u64 {
    let mut victim: Child = Command::new(std::env::current_exe().expect("a program knows itself"))
        .arg(VICTIM)
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the victim starts");
    let mut lines = BufReader::new(victim.stdout.take().expect("the output is piped")).lines();
    let mut acknowledged = 0;
    for _ in 0..batches {
        let line = lines.next().expect("the victim goes on until it is killed").expect("a line of text");
        acknowledged = line.parse().expect("a number per line");
    }
    std::thread::sleep(moment);
    victim.kill().expect("the victim can be killed");
    // What it printed between the last line read and its death was acknowledged too; a torn line was not printed.
    for line in lines.map_while(Result::ok) {
        acknowledged = line.parse().expect("a number per line");
    }
    victim.wait().expect("the victim is gone");
    acknowledged
}

/// Stored batches, after checking that each of them is whole.
async fn count(path: &Path) -> u64 {
    let store = SqliteStore::open(path).await.expect("the lock died with the victim");
    let stored = store.load(session(0), Seq(0)).await.expect("the stream has no hole").len();
    for stream in 1..STREAMS {
        let events = store.load(session(stream), Seq(0)).await.expect("the stream has no hole");
        assert_eq!(events.len(), stored, "a batch was torn");
    }
    let messages = store.deliveries(&[session(0)]).await.expect("messages can be read");
    assert_eq!(messages.len(), stored, "events without their messages");
    let summary = store.summaries(&[session(0)]).await.expect("summaries can be read").remove(0);
    assert_eq!(summary.state, stored.to_string(), "events without their summary");
    u64::try_from(stored).expect("a count fits")
}

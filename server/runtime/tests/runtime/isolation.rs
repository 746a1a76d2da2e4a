//! One session's trouble is its own: neighbours of the same commit and of the same shard go on.

use crate::support::{Bench, SESSION, START, TestSource};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Command, Effect, Input, Stage};
use synaq_core::time::{At, Span};
use synaq_runtime::{Change, Done, SubmitError};
use synaq_seal::{chain, sha256};
use synaq_store::{Append, Batch, EventLog as _, Fault, Lease, NewRecord, Outage, SimStore};
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

/// Of the bench's first process.
const LEASE: Lease = Lease { node: Uuid::from_u128(9), epoch: 1 };
const NEIGHBOUR: SessionId = SessionId(Uuid::from_u128(0x0b));
/// Whose commit is held while the others say something.
const EARLIER: SessionId = SessionId(Uuid::from_u128(0x0a));
const OTHER_NEIGHBOUR: SessionId = SessionId(Uuid::from_u128(0x0c));

/// Puts the newest event of a stream into it again, at the position that the runtime takes for free.
async fn get_ahead_of_the_runtime(bench: &Bench, session: SessionId) {
    let last = bench.store.load(session, Seq(0)).await.unwrap().pop().unwrap();
    let seq = Seq(last.seq.0 + 1);
    let body = serde_json::from_str(&last.body).unwrap();
    let leaf = chain::leaf(&session.to_string(), seq.0, last.at.0, &last.kind, &body).unwrap();
    let event = Append {
        stream: session,
        seq,
        at: last.at,
        kind: last.kind,
        body: last.body,
        hash: chain::next(&last.hash, &leaf),
    };
    let batch = Batch { events: vec![event], ..Batch::default() };
    bench.store.append(LEASE, batch.into()).await.unwrap();
}

/// Everybody says something while a commit is held, so that one commit follows for them all.
async fn say_in_one_commit(bench: &Bench, sessions: &[SessionId]) -> Vec<Result<Done, SubmitError>> {
    let say = |session| {
        let (runtime, client) = (bench.runtime.clone(), bench.client(bench.next_seq()));
        let input = Input::Candidate { client, command: Command::Say("?".to_owned()) };
        tokio::spawn(async move { runtime.submit(session, input).await })
    };
    bench.store.hold();
    let first = say(EARLIER);
    while bench.store.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let together: Vec<_> = sessions.iter().map(|session| say(*session)).collect();
    tokio::task::yield_now().await;
    bench.store.release();
    first.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for said in together {
        outcomes.push(said.await.unwrap());
    }
    outcomes
}

async fn exams() -> Bench {
    let bench = Bench::start().await;
    for session in [SESSION, NEIGHBOUR, OTHER_NEIGHBOUR, EARLIER] {
        bench.seat(session).begin().await;
    }
    bench
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_part_fails_alone_and_its_session_is_loaded_again() {
    let bench = exams().await;
    get_ahead_of_the_runtime(&bench, NEIGHBOUR).await;
    let before = bench.store.stored_batches().len();
    let outcomes = say_in_one_commit(&bench, &[SESSION, NEIGHBOUR, OTHER_NEIGHBOUR, NEIGHBOUR]).await;
    assert_eq!(outcomes[0].as_ref().unwrap().effects, [Effect::Accepted]);
    assert_eq!(outcomes[2].as_ref().unwrap().effects, [Effect::Accepted]);
    assert!(matches!(outcomes[1], Err(SubmitError::Store)), "{:?}", outcomes[1]);
    assert!(matches!(outcomes[3], Err(SubmitError::Store)), "{:?}", outcomes[3]);
    // The neighbours waited for one refused attempt and one that was stored, of both of them.
    assert_eq!(bench.store.stored_batches()[before..], [1, 2]);
    bench.seat(NEIGHBOUR).accept(Command::CallProctor).await;
}

#[tokio::test(start_paused = true)]
async fn several_poisoned_parts_fail_alone_too() {
    let bench = exams().await;
    get_ahead_of_the_runtime(&bench, NEIGHBOUR).await;
    get_ahead_of_the_runtime(&bench, SESSION).await;
    let outcomes = say_in_one_commit(&bench, &[SESSION, OTHER_NEIGHBOUR, NEIGHBOUR]).await;
    assert!(
        matches!(&outcomes[..], [Err(SubmitError::Store), Ok(_), Err(SubmitError::Store)]),
        "{outcomes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_sealed_holds_nobody_up() {
    let bench = exams().await;
    // Its record would be the second one.
    let record = NewRecord {
        session: NEIGHBOUR,
        payload: b"{}".to_vec(),
        sha256: sha256(b"{}"),
        jws: String::new(),
        kid: String::new(),
        sealed_at: START,
    };
    let batch = Batch { records: vec![record], ..Batch::default() };
    bench.store.append(LEASE, batch.into()).await.unwrap();
    bench.seat(NEIGHBOUR).accept(Command::HandIn).await;
    bench.accept(Command::HandIn).await;
    while bench.store.record(SESSION).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    bench.seat(OTHER_NEIGHBOUR).accept(Command::CallProctor).await;
    let state = bench.runtime.look(NEIGHBOUR).await.unwrap();
    assert!(state.session.state().sealed.is_none());
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Log,
    Source,
}

impl Trouble {
    fn set(self, store: &SimStore, source: &TestSource, down: bool) {
        match self {
            Self::Log if down => store.begin(Outage::Loads),
            Self::Log => store.end(Outage::Loads),
            Self::Source => source.set_down(down),
        }
    }
}

/// Nobody asks for the session: it must come back by itself.
async fn comes_back(changes: &mut Receiver<Change>) {
    let back = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await;
    assert_eq!(back.expect("by timer").unwrap().session, SESSION);
}

async fn deadline(bench: &Bench) -> At {
    match bench.runtime.look(SESSION).await.unwrap().session.state().stage {
        Stage::Running { deadline, .. } => deadline,
        ref stage => panic!("{stage:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_loaded_at_the_start_comes_back_by_timer_with_the_time_returned() {
    for trouble in [Trouble::Log, Trouble::Source] {
        let bench = Bench::start().await;
        bench.begin().await;
        let before = deadline(&bench).await;
        bench.clock.advance(Span::mins(7));
        let source = Arc::clone(&bench.source);
        let bench = bench.restart_with(|store| trouble.set(store, &source, true)).await;
        let looked = bench.runtime.look(SESSION).await;
        assert!(matches!(looked, Err(SubmitError::Store)), "{trouble:?}: {looked:?}");
        let mut changes = bench.runtime.changes();
        bench.clock.advance(Span::mins(2));
        trouble.set(&bench.store, &source, false);
        comes_back(&mut changes).await;
        // Since the last mark of the process before, whatever kept the session away in this one.
        assert_eq!(deadline(&bench).await - before, Span::mins(9), "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_lost_in_an_outage_comes_back_by_timer_with_the_time_returned() {
    for trouble in [Trouble::Log, Trouble::Source] {
        let bench = Bench::start().await;
        bench.begin().await;
        let before = deadline(&bench).await;
        trouble.set(&bench.store, &bench.source, true);
        bench.store.fail_next(Fault::BeforeCommit);
        for _ in 0..3 {
            let told = bench.send(bench.next_seq(), Command::CallProctor).await;
            assert!(matches!(told, Err(SubmitError::Store)), "{trouble:?}: {told:?}");
        }
        let mut changes = bench.runtime.changes();
        bench.clock.advance(Span::mins(3));
        trouble.set(&bench.store, &bench.source, false);
        comes_back(&mut changes).await;
        assert_eq!(deadline(&bench).await - before, Span::mins(3), "{trouble:?}");
        bench.attach().await;
        bench.accept(Command::CallProctor).await;
    }
}

/// A full disk can be read: the session is back at once, and lost again with its next command.
#[tokio::test(start_paused = true)]
async fn a_store_that_reads_and_does_not_write_is_down_for_the_whole_time() {
    let bench = Bench::start().await;
    bench.begin().await;
    let before = deadline(&bench).await;
    bench.store.begin(Outage::FullDisk);
    for _ in 0..6 {
        let told = bench.send(bench.next_seq(), Command::CallProctor).await;
        assert!(matches!(told, Err(SubmitError::Store)), "{told:?}");
        bench.clock.advance(Span::secs(1));
    }
    bench.store.end(Outage::FullDisk);
    bench.attach().await;
    bench.accept(Command::CallProctor).await;
    assert_eq!(deadline(&bench).await - before, Span::secs(6));
}

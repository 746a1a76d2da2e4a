//! While a large batch is on its way to the disk, the next one is decided: of other sessions only.

use crate::support::{Bench, SESSION};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Command, Effect, Input};
use synaq_core::time::{At, Span};
use synaq_runtime::{Done, SubmitError};
use synaq_store::{EventLog as _, Fault};
use tokio::task::JoinHandle;
use uuid::Uuid;

const NEIGHBOUR: SessionId = SessionId(Uuid::from_u128(0x0b));
/// Enough that the commit goes to another thread.
const LARGE: usize = 20;
/// Less than a machine that stands still.
const MEANWHILE: Span = Span::secs(1);

type Said = JoinHandle<Result<Done, SubmitError>>;

async fn two_exams() -> Bench {
    let bench = Bench::start().await;
    for session in [SESSION, NEIGHBOUR] {
        bench.seat(session).begin().await;
    }
    bench
}

fn say(bench: &Bench, session: SessionId, text: &str) -> Said {
    let (runtime, client) = (bench.runtime.clone(), bench.client(bench.next_seq()));
    let input = Input::Candidate { client, command: Command::Say(text.to_owned()) };
    tokio::spawn(async move { runtime.submit(session, input).await })
}

/// A large batch of one session is on its way and held; then both sessions say something more.
async fn large_and_after(bench: &Bench) -> (Vec<Said>, [Said; 2]) {
    bench.store.hold();
    let large: Vec<_> = (0..LARGE).map(|_| say(bench, SESSION, "large")).collect();
    while bench.store.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let after = [say(bench, SESSION, "after"), say(bench, NEIGHBOUR, "after")];
    // Every task has run until it waits: two rounds, one to post and one to decide.
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(MEANWHILE);
    (large, after)
}

/// When a session said its last, by the log.
async fn last_at(bench: &Bench, session: SessionId) -> At {
    bench.store.load(session, Seq(0)).await.unwrap().last().unwrap().at
}

#[tokio::test]
async fn others_are_decided_during_a_large_commit_and_its_own_sessions_after_it() {
    let bench = two_exams().await;
    let (large, after) = large_and_after(&bench).await;
    bench.store.release();
    for said in large.into_iter().chain(after) {
        assert_eq!(said.await.unwrap().unwrap().effects, [Effect::Accepted]);
    }
    assert!(bench.store.stored_batches().ends_with(&[LARGE, 2]), "{:?}", bench.store.stored_batches());
    assert_eq!(last_at(&bench, SESSION).await - last_at(&bench, NEIGHBOUR).await, MEANWHILE);
}

#[tokio::test]
async fn what_was_decided_meanwhile_outlives_the_failure_of_the_large_batch() {
    let bench = two_exams().await;
    bench.store.fail_next(Fault::BeforeCommit);
    let (large, [same, other]) = large_and_after(&bench).await;
    bench.store.release();
    for said in large {
        assert!(matches!(said.await.unwrap(), Err(SubmitError::Store)));
    }
    assert_eq!(other.await.unwrap().unwrap().effects, [Effect::Accepted]);
    // It waited, and was decided on what the log holds.
    assert_eq!(same.await.unwrap().unwrap().effects, [Effect::Accepted]);
    let log = bench.store.load(SESSION, Seq(0)).await.unwrap();
    assert!(!log.iter().any(|event| event.body.contains("large")));
    assert!(log.iter().any(|event| event.body.contains("after")));
}

#[tokio::test]
async fn nobody_is_shown_what_was_decided_before_it_is_durable() {
    let bench = two_exams().await;
    let mut shown = bench.runtime.watch(NEIGHBOUR).await.unwrap();
    let before = shown.borrow_and_update().session.state().seq;
    let (large, [same, other]) = large_and_after(&bench).await;
    assert_eq!(shown.borrow().session.state().seq, before);
    bench.store.release();
    for said in large.into_iter().chain([same, other]) {
        said.await.unwrap().unwrap();
    }
    assert!(shown.borrow().session.state().seq > before);
}

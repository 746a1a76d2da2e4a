//! Several shards, each on a thread of its own: one lease, every session in one place.

use crate::support::Bench;
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Command, Stage};
use synaq_core::time::Span;
use synaq_runtime::{Options, SubmitError};
use synaq_store::{EventLog as _, Fault};
use uuid::Uuid;

const SHARDS: usize = 4;
const SESSIONS: u128 = 24;

fn sessions() -> impl Iterator<Item = SessionId> {
    (1..=SESSIONS).map(|number| SessionId(Uuid::from_u128(number)))
}

async fn sharded() -> Bench {
    Bench::start_with(Options { shards: SHARDS, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_of_every_shard_comes_back_with_its_answers_and_the_time_returned() {
    let bench = sharded().await;
    for session in sessions() {
        let seat = bench.seat(session);
        seat.begin().await;
        seat.accept(seat.right(0).await).await;
    }
    bench.clock.advance(Span::mins(5));
    let bench = bench.restart().await;
    for session in sessions() {
        let snapshot = bench.runtime.look(session).await.unwrap();
        let state = snapshot.session.state();
        assert!(matches!(state.stage, Stage::Running { .. }));
        assert_eq!((state.answers.len(), state.credited), (1, Span::mins(5)));
        let log = bench.store.load(session, Seq(0)).await.unwrap();
        assert_eq!(log.last().unwrap().hash, snapshot.head);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_take_over_that_one_shard_meets_ends_the_process_and_fences_them_all() {
    let mut bench = sharded().await;
    for session in sessions() {
        bench.seat(session).begin().await;
    }
    bench.store.fail_next(Fault::TakeOver);
    for session in sessions() {
        let told = bench.seat(session).send(bench.next_seq(), Command::CallProctor).await;
        assert!(matches!(told, Err(SubmitError::Store | SubmitError::ShuttingDown)), "{told:?}");
    }
    tokio::time::timeout(Duration::from_secs(5), bench.running.ended()).await.expect("ends by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_waits_for_what_every_shard_took_in() {
    let bench = sharded().await;
    for session in sessions() {
        bench.seat(session).begin().await;
    }
    bench.store.hold();
    let said: Vec<_> = sessions()
        .map(|session| {
            let (runtime, client) = (bench.runtime.clone(), bench.client(bench.next_seq()));
            let input = synaq_core::session::Input::Candidate { client, command: Command::CallProctor };
            tokio::spawn(async move { runtime.submit(session, input).await })
        })
        .collect();
    while bench.store.waiting() < SHARDS {
        tokio::task::yield_now().await;
    }
    let stop = tokio::spawn(bench.running.stop());
    bench.store.release();
    for said in said {
        // What came after the mailboxes were closed was told so; nothing was taken in and forgotten.
        let told = said.await.unwrap();
        assert!(matches!(told, Ok(_) | Err(SubmitError::ShuttingDown)), "{told:?}");
    }
    tokio::time::timeout(Duration::from_secs(5), stop).await.expect("stops by itself").unwrap();
}

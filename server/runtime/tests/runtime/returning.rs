//! After a fall the mailboxes are open at once, and sessions come back behind them.

use crate::support::{Bench, SESSION, START, TestSource};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Effect, Stage};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock as _, SubmitError};
use synaq_store::EventLog as _;
use tokio::time::timeout;
use uuid::Uuid;

const NEIGHBOUR: SessionId = SessionId(Uuid::from_u128(0x0b));
const LONG: Duration = Duration::from_secs(60);
/// More than are loaded at once.
const CROWD: u128 = 200;

async fn exams(sessions: &[SessionId]) -> Bench {
    let bench = Bench::start().await;
    for session in sessions {
        bench.seat(*session).begin().await;
    }
    bench
}

/// The next process, whose directory answers for nobody yet.
async fn fall(bench: Bench) -> (Bench, Arc<TestSource>) {
    let source = Arc::clone(&bench.source);
    let bench = bench
        .restart_with(|_| {
            source.let_in(|_| false);
            source.forget_asked();
        })
        .await;
    (bench, source)
}

async fn all_back(bench: &Bench) {
    timeout(LONG, bench.runtime.everybody_back()).await.expect("they come back by themselves");
}

async fn deadline(bench: &Bench, session: SessionId) -> At {
    let looked = timeout(LONG, bench.runtime.look(session)).await.expect("it comes").unwrap();
    let Stage::Running { deadline, .. } = looked.session.state().stage else { panic!("running") };
    deadline
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_for_comes_before_those_who_are_not() {
    let crowd: Vec<_> = (1..=CROWD).map(|n| SessionId(Uuid::from_u128(n))).collect();
    let last = *crowd.last().unwrap();
    let (bench, source) = fall(exams(&crowd).await).await;
    assert_eq!(bench.runtime.coming_back(), crowd.len());
    let look = tokio::spawn({
        let runtime = bench.runtime.clone();
        async move { runtime.look(last).await }
    });
    // Time that stands still goes on when everybody has done what there is to do.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let begun = source.asked_for();
    assert!(!begun.is_empty() && !begun.contains(&last), "too few sessions to tell: {}", begun.len());
    source.let_in(|_| true);
    timeout(LONG, look).await.unwrap().unwrap().unwrap();
    assert_eq!(source.asked_for()[begun.len()], last);
    all_back(&bench).await;
    assert_eq!(bench.runtime.coming_back(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_who_is_back_before_the_session_gets_it_with_the_time_returned() {
    let bench = exams(&[SESSION, NEIGHBOUR]).await;
    let (seq, answer) = (bench.next_seq(), bench.right(0).await);
    let first = bench.send(seq, answer.clone()).await.unwrap();
    let before = deadline(&bench, SESSION).await;
    bench.clock.advance(Span::mins(5));
    let (bench, source) = fall(bench).await;
    bench.clock.advance(Span::mins(1));
    let mut resent = Box::pin(bench.send(seq, answer));
    let early = timeout(Duration::from_millis(1), &mut resent).await;
    assert!(early.is_err(), "answered before the session was there: {early:?}");
    source.let_in(|session| session == SESSION);
    let again = timeout(LONG, resent).await.expect("it comes").unwrap();
    assert_eq!(again.receipt, first.receipt, "it was in the log all the time");
    assert_eq!(bench.runtime.coming_back(), 1, "the other is still away");
    assert_eq!(deadline(&bench, SESSION).await - before, Span::mins(6));
    bench.attach().await;
    bench.accept(bench.right(1).await).await;
}

#[tokio::test]
async fn a_session_nobody_asks_for_ends_when_its_time_is_over_and_not_before_it_is_there() {
    let bench = exams(&[SESSION, NEIGHBOUR]).await;
    let before = deadline(&bench, NEIGHBOUR).await;
    bench.clock.advance(Span::mins(5));
    let (bench, source) = fall(bench).await;
    // Longer than the exam: while it is not there, its time does not run.
    bench.clock.advance(Span::mins(90));
    source.let_in(|_| true);
    all_back(&bench).await;
    let returned = bench.clock.now() - START;
    assert_eq!(returned, Span::mins(95));
    let kinds =
        |log: &[synaq_store::Recorded]| log.iter().map(|event| event.kind.clone()).collect::<Vec<_>>();
    let log = bench.store.load(NEIGHBOUR, Seq(0)).await.unwrap();
    assert!(!kinds(&log).contains(&"closed".to_owned()), "{:?}", kinds(&log));
    let due = before + returned;
    bench.pass(due - bench.clock.now() + Span::secs(30)).await;
    let log = bench.store.load(NEIGHBOUR, Seq(0)).await.unwrap();
    let closed = log.iter().find(|event| event.kind == "closed").expect("its time is over");
    assert!(closed.at >= due && closed.at - due <= Span::secs(15), "{:?} after {due:?}", closed.at);
}

#[tokio::test(start_paused = true)]
async fn a_second_fall_while_sessions_come_back_loses_no_time_and_no_answer() {
    let bench = exams(&[SESSION, NEIGHBOUR]).await;
    bench.accept(bench.right(0).await).await;
    let (first, second) = (deadline(&bench, SESSION).await, deadline(&bench, NEIGHBOUR).await);
    bench.clock.advance(Span::mins(5));
    let (bench, source) = fall(bench).await;
    source.let_in(|session| session == SESSION);
    bench.attach().await;
    bench.accept(bench.right(1).await).await;
    // Time enough for marks, if one could be written while somebody is still away.
    for _ in 0..5 {
        bench.clock.advance(Span::secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(bench.runtime.coming_back(), 1);
    let (bench, source) = fall(bench).await;
    bench.clock.advance(Span::mins(2));
    source.let_in(|_| true);
    all_back(&bench).await;
    let down = Span::mins(7) + Span::secs(5);
    assert_eq!(deadline(&bench, NEIGHBOUR).await - second, down);
    let given = deadline(&bench, SESSION).await - first;
    assert!(given >= Span::mins(7) && given <= down, "{given:?}");
    let looked = bench.runtime.look(SESSION).await.unwrap();
    assert_eq!(looked.session.state().answers.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_loaded_is_tried_again_and_holds_nobody_up() {
    let bench = exams(&[SESSION, NEIGHBOUR]).await;
    let before = deadline(&bench, NEIGHBOUR).await;
    bench.clock.advance(Span::mins(5));
    let source = Arc::clone(&bench.source);
    let bench = bench.restart_with(|_| source.fail_for(Some(NEIGHBOUR))).await;
    bench.attach().await;
    let done = bench.accept(bench.right(0).await).await;
    assert_eq!(done.effects, [Effect::Accepted]);
    assert_eq!(bench.runtime.coming_back(), 1);
    assert!(matches!(bench.runtime.look(NEIGHBOUR).await, Err(SubmitError::Store)));
    for _ in 0..3 {
        bench.clock.advance(Span::secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    source.fail_for(None);
    while bench.runtime.coming_back() > 0 {
        bench.clock.advance(Span::secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let returned = bench.clock.now() - START;
    assert_eq!(deadline(&bench, NEIGHBOUR).await - before, returned);
}

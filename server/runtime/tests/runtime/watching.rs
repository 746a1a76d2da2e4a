//! What watchers see follows the log, and answers wake nobody.

use crate::support::{Bench, SESSION};
use synaq_core::ids::Seq;
use synaq_core::session::Command;
use synaq_store::EventLog as _;

#[tokio::test]
async fn a_watcher_finds_each_answer_and_is_woken_by_more_than_answers_only() {
    let bench = Bench::start().await;
    bench.begin().await;
    let mut seen = bench.runtime.watch(SESSION).await.unwrap();
    let sitting = seen.borrow_and_update().session.state().sitting.unwrap();
    let (mut wall, mut all) = (bench.runtime.changes_of(sitting), bench.runtime.changes());
    let kept = seen.borrow().clone();
    for question in 0..3 {
        let answer = bench.right(question).await;
        let receipt = bench.accept(answer).await.receipt.unwrap();
        assert!(!seen.has_changed().unwrap(), "nobody is woken by an answer");
        assert_eq!(seen.borrow().head, receipt.hash);
        assert!(seen.borrow().session.state().answers.contains_key(&question));
        assert_eq!(wall.try_recv().unwrap().session, SESSION, "but the wall of the sitting is");
    }
    assert!(all.try_recv().is_err());
    assert!(kept.session.state().answers.is_empty(), "what somebody holds does not change under them");
    bench.accept(Command::Flag { question: 1, on: true }).await;
    assert!(seen.has_changed().unwrap());
    assert_eq!(all.try_recv().unwrap().session, SESSION);

    // The same as from the log.
    let now = seen.borrow_and_update().clone();
    let log = bench.store.load(SESSION, Seq(0)).await.unwrap();
    assert_eq!((now.session.state().seq.0, now.head), (log.len() as u64, log.last().unwrap().hash));
    let bench = bench.restart().await;
    let again = bench.runtime.look(SESSION).await.unwrap();
    assert_eq!(again.session.state().answers, now.session.state().answers);
}

#[tokio::test]
async fn a_watcher_that_comes_after_nobody_watched_misses_nothing() {
    let bench = Bench::start().await;
    bench.begin().await;
    drop(bench.runtime.watch(SESSION).await.unwrap());
    let before = bench.runtime.look(SESSION).await.unwrap().session.state().seq;
    let answer = bench.right(0).await;
    bench.accept(answer).await;
    let snapshot = bench.runtime.watch(SESSION).await.unwrap();
    assert_eq!(snapshot.borrow().session.state().seq.0, before.0 + 1);
}

#[tokio::test]
async fn an_asked_input_lies_in_its_mailbox_in_the_order_of_asking() {
    let bench = Bench::start().await;
    bench.begin().await;
    assert_eq!(bench.runtime.fill_pct(), 0);
    let answers: Vec<_> = (0..50_u16).map(|n| (bench.next_seq(), n % 3)).collect();
    let input = |(seq, question): (u64, u16)| synaq_core::session::Input::Candidate {
        client: bench.client(seq),
        command: Command::Answer { question, shown: [0].into() },
    };
    let asked: Vec<_> =
        answers.into_iter().map(|answer| bench.runtime.ask(SESSION, input(answer)).unwrap()).collect();
    assert!(bench.runtime.fill_pct() >= 1);
    let mut last = 0;
    for asked in asked {
        let seq = asked.await.unwrap().receipt.unwrap().seq.0;
        assert!(seq > last);
        last = seq;
    }
}

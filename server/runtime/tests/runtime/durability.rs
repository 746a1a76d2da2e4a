//! Apply early, speak late: what is acknowledged is in the log, whatever fails.

use crate::support::{Bench, SESSION, START};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::Seq;
use synaq_core::session::{Command, Effect, Input, Refusal, Stage};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock as _, SubmitError};
use synaq_store::EventLog as _;
use synaq_store::Fault;

async fn until(mut met: impl FnMut() -> bool) {
    while !met() {
        tokio::task::yield_now().await;
    }
}

/// The append of what was asked is under way, and nobody has heard of it.
async fn waits_for_its_commit<T>(bench: &Bench, asked: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = asked => panic!("acknowledged before the commit"),
        () = until(|| bench.store.waiting() == 1) => {}
    }
}

#[tokio::test]
async fn an_answer_is_acknowledged_only_after_its_commit() {
    let bench = Bench::start().await;
    bench.begin().await;
    let answer = bench.right(0).await;
    bench.store.hold();
    let mut pending = Box::pin(bench.send(bench.next_seq(), answer));
    waits_for_its_commit(&bench, &mut pending).await;
    bench.store.release();
    let done = pending.await.unwrap();
    let receipt = done.receipt.unwrap();
    let stored = bench.store.load(SESSION, Seq(receipt.seq.0 - 1)).await.unwrap();
    assert_eq!((stored[0].kind.as_str(), stored[0].hash), ("answer_put", receipt.hash));
}

#[tokio::test]
async fn what_arrives_during_a_commit_shares_the_next_one() {
    let bench = Bench::start().await;
    bench.begin().await;
    let answer = bench.right(1).await;
    bench.store.hold();
    let first = tokio::spawn({
        let (runtime, client, answer) =
            (bench.runtime.clone(), bench.client(bench.next_seq()), answer.clone());
        async move { runtime.submit(SESSION, Input::Candidate { client, command: answer }).await }
    });
    until(|| bench.store.waiting() == 1).await;
    let later: Vec<_> = (0..20)
        .map(|_| {
            let (runtime, client, command) =
                (bench.runtime.clone(), bench.client(bench.next_seq()), answer.clone());
            let input = Input::Candidate { client, command };
            tokio::spawn(async move { runtime.submit(SESSION, input).await })
        })
        .collect();
    tokio::task::yield_now().await;
    bench.store.release();
    first.await.unwrap().unwrap();
    for done in later {
        assert_eq!(done.await.unwrap().unwrap().effects, [Effect::Accepted]);
    }
    assert!(bench.store.stored_batches().ends_with(&[1, 20]), "{:?}", bench.store.stored_batches());
}

#[tokio::test]
async fn a_failed_commit_is_told_and_the_resent_answer_counts_once() {
    for fault in [Fault::BeforeCommit, Fault::AfterCommit, Fault::DiskFull] {
        let bench = Bench::start().await;
        bench.begin().await;
        let (seq, answer) = (bench.next_seq(), bench.right(0).await);
        bench.store.fail_next(fault);
        assert!(matches!(bench.send(seq, answer.clone()).await, Err(SubmitError::Store)), "{fault:?}");
        let again = bench.send(seq, answer).await.unwrap();
        match fault {
            Fault::AfterCommit => assert!(matches!(again.effects[..], [Effect::AlreadyDone(_)]), "{again:?}"),
            _ => assert_eq!(again.effects, [Effect::Accepted]),
        }
        assert!(again.receipt.is_some());
        let log = bench.store.load(SESSION, Seq(0)).await.unwrap();
        assert_eq!(log.iter().filter(|event| event.kind == "answer_put").count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_repeated_command_gets_its_first_receipt() {
    let bench = Bench::start().await;
    bench.begin().await;
    let (seq, answer) = (bench.next_seq(), bench.right(2).await);
    let first = bench.send(seq, answer.clone()).await.unwrap();
    bench.accept(bench.right(3).await).await;
    assert_eq!(bench.send(seq, answer).await.unwrap().receipt, first.receipt);
}

#[tokio::test]
async fn a_restart_keeps_every_answer_and_gives_our_downtime_back() {
    let bench = Bench::start().await;
    bench.begin().await;
    bench.accept(bench.right(0).await).await;
    let Stage::Running { deadline: before, .. } =
        bench.runtime.look(SESSION).await.unwrap().session.state().stage
    else {
        panic!("running")
    };
    // The last time mark was written at START: everything since is ours.
    bench.clock.advance(Span::mins(7));
    let bench = bench.restart().await;
    bench.attach().await;
    let snapshot = bench.runtime.look(SESSION).await.unwrap();
    let state = snapshot.session.state();
    let Stage::Running { deadline, .. } = state.stage else { panic!("running") };
    assert_eq!(deadline - before, Span::mins(7));
    assert_eq!(bench.clock.now() - START, Span::mins(7));
    assert_eq!(state.answers.len(), 1);
    bench.accept(bench.right(1).await).await;
}

async fn deadline(bench: &Bench) -> At {
    let Stage::Running { deadline, .. } = bench.runtime.look(SESSION).await.unwrap().session.state().stage
    else {
        panic!("running")
    };
    deadline
}

#[tokio::test]
async fn a_machine_that_stood_still_gives_the_time_back_before_it_judges_anything() {
    let bench = Bench::start().await;
    bench.begin().await;
    let before = deadline(&bench).await;
    // Longer than the exam: the answer that comes now is in time, and so is who says nothing.
    bench.clock.advance(Span::mins(90));
    bench.accept(bench.right(0).await).await;
    assert_eq!(deadline(&bench).await - before, Span::mins(90));
    bench.pass(Span::secs(30)).await;
    assert_eq!(deadline(&bench).await - before, Span::mins(90), "time that goes by is nobody's gift");
}

#[tokio::test]
async fn a_stored_answer_that_took_long_gives_the_time_back() {
    let bench = Bench::start().await;
    bench.begin().await;
    let before = deadline(&bench).await;
    let answer = bench.right(0).await;
    bench.store.hold();
    let mut pending = Box::pin(bench.send(bench.next_seq(), answer));
    waits_for_its_commit(&bench, &mut pending).await;
    bench.clock.advance(Span::secs(20));
    bench.store.release();
    assert_eq!(pending.await.unwrap().effects, [Effect::Accepted]);
    bench.accept(bench.right(1).await).await;
    assert_eq!(deadline(&bench).await - before, Span::secs(20));
}

#[tokio::test(start_paused = true)]
async fn two_falls_in_a_row_give_back_the_time_since_the_first() {
    let bench = Bench::start().await;
    bench.begin().await;
    let before = deadline(&bench).await;
    bench.clock.advance(Span::mins(5));
    let source = Arc::clone(&bench.source);
    // The second process lives for half a minute and never gets to this session.
    let bench = bench.restart_with(|_| source.set_down(true)).await;
    for _ in 0..5 {
        bench.clock.advance(Span::secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    bench.clock.advance(Span::mins(2));
    let bench = bench.restart_with(|_| source.set_down(false)).await;
    assert_eq!(deadline(&bench).await - before, Span::mins(7) + Span::secs(5));
}

#[tokio::test]
async fn a_process_whose_store_was_taken_over_stops_speaking() {
    let mut bench = Bench::start().await;
    bench.begin().await;
    bench.store.fail_next(Fault::TakeOver);
    let answer = bench.right(0).await;
    assert!(matches!(bench.send(bench.next_seq(), answer).await, Err(SubmitError::Store)));
    tokio::time::timeout(Duration::from_secs(5), bench.running.ended())
        .await
        .expect("the runtime ends by itself");
    assert!(matches!(bench.send(99, Command::CallProctor).await, Err(SubmitError::ShuttingDown)));
}

#[tokio::test]
async fn stopping_drains_the_mailbox_even_while_somebody_holds_a_handle() {
    let bench = Bench::start().await;
    bench.begin().await;
    let (answer, client) = (bench.right(0).await, bench.client(bench.next_seq()));
    bench.store.hold();
    let runtime = bench.runtime.clone();
    let pending = tokio::spawn({
        let (runtime, command) = (runtime.clone(), answer.clone());
        async move { runtime.submit(SESSION, Input::Candidate { client, command }).await }
    });
    until(|| bench.store.waiting() == 1).await;
    let stop = tokio::spawn(bench.running.stop());
    bench.store.release();
    assert_eq!(pending.await.unwrap().unwrap().effects, [Effect::Accepted]);
    tokio::time::timeout(Duration::from_secs(5), stop).await.expect("stops by itself").unwrap();
    let late = runtime.submit(SESSION, Input::Tick).await;
    assert!(matches!(late, Err(SubmitError::ShuttingDown)), "{late:?}");
}

#[tokio::test]
async fn decomposed_letters_are_stored_composed_and_block_nothing() {
    let bench = Bench::start().await;
    bench.begin().await;
    // The short i as two code points, as some keyboards write it.
    bench.accept(Command::Say("и\u{306}".to_owned())).await;
    let snapshot = bench.runtime.look(SESSION).await.unwrap();
    assert_eq!(snapshot.session.state().messages[0].text, "й");
    bench.accept(Command::HandIn).await;
    let again = bench.restart().await;
    assert_eq!(again.runtime.look(SESSION).await.unwrap().session.state().messages[0].text, "й");
}

#[tokio::test]
async fn a_restart_before_the_exam_forgets_sockets_and_media_of_the_old_process() {
    let bench = Bench::start().await;
    bench.prepare().await;
    let before = bench.runtime.look(SESSION).await.unwrap();
    assert!(before.session.state().video && before.session.state().socket.is_some());
    let bench = bench.restart().await;
    let after = bench.runtime.look(SESSION).await.unwrap();
    let state = after.session.state();
    assert!(!state.video && !state.audio && state.socket.is_none());
    bench.attach().await;
    let begin = bench.send(bench.next_seq(), Command::Begin).await.unwrap();
    assert!(matches!(begin.effects[..], [Effect::Refused(Refusal::MediaMissing)]), "{begin:?}");
}

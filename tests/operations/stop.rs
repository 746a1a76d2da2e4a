//! SIGTERM while everybody answers.

use crate::house::{House, all, ask, now_ms};
use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_wire::candidate::CandidateCommand;
use tokio::task::JoinSet;

const CANDIDATES: usize = 12;
/// Acknowledged before the signal, so that it meets a server at work.
const ACKS: u64 = 200;
/// What the server promises for a whole stop; on this machine it takes a tenth of that.
const LIMIT: Duration = Duration::from_secs(30);

/// Newest acknowledged answer of each question.
pub(crate) type Acknowledged = BTreeMap<u16, Answer>;

/// An answer whose acknowledgement was read.
pub(crate) struct Answer {
    pub(crate) client_seq: u64,
    pub(crate) shown: Vec<u8>,
    /// When it was read, ms UTC
    pub(crate) acked_at: i64,
}

/// Answers until the socket ends; gives back what was acknowledged and the last words.
pub(crate) async fn answer_until_it_ends(
    mut candidate: Candidate,
    acks: Arc<AtomicU64>,
) -> anyhow::Result<(Candidate, Acknowledged, String)> {
    let questions = u16::try_from(candidate.view()?.questions.len())?;
    let mut acknowledged = Acknowledged::new();
    for turn in 0_u64.. {
        let question = u16::try_from(turn % u64::from(questions))?;
        let shown = vec![u8::try_from(turn / u64::from(questions) % 3)?];
        let command = CandidateCommand::Answer { question, shown: shown.clone() };
        match candidate.command(command).await {
            Ok(done) => {
                acknowledged
                    .insert(question, Answer { client_seq: done.client_seq, shown, acked_at: now_ms()? });
                acks.fetch_add(1, Ordering::Relaxed);
            }
            Err(end) => return Ok((candidate, acknowledged, format!("{end:#}"))),
        }
    }
    anyhow::bail!("a candidate does not answer for ever")
}

/// The welcome shows every acknowledged answer, or a newer one whose acknowledgement was lost.
pub(crate) fn missing(candidate: &Candidate, acknowledged: &Acknowledged) -> anyhow::Result<Vec<u16>> {
    let view = candidate.view()?;
    let held = |question: u16, answer: &Answer| {
        let mark = view.questions.get(usize::from(question)).context("the paper has shrunk")?;
        let newer = mark.client_seq > answer.client_seq;
        anyhow::Ok(newer || (mark.client_seq == answer.client_seq && mark.shown == answer.shown))
    };
    let mut missing = Vec::new();
    for (question, answer) in acknowledged {
        if !held(*question, answer)? {
            missing.push(*question);
        }
    }
    Ok(missing)
}

async fn stop(signals: &[&str]) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut house = House::open(folder.path(), "info")?;
    let acks = Arc::new(AtomicU64::new(0));
    let mut answering = JoinSet::new();
    for candidate in house.running(CANDIDATES).await? {
        answering.spawn(answer_until_it_ends(candidate, Arc::clone(&acks)));
    }
    while acks.load(Ordering::Relaxed) < ACKS {
        ensure!(answering.len() == CANDIDATES, "a candidate was cut off before the stop: {}", house.words());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let readyz = format!("{}/readyz", house.demo.ops_url);
    ensure!(ask(&readyz).await?.0 == 200, "not ready at work: {:?}", ask(&readyz).await?);
    let begun = Instant::now();
    for signal in signals {
        house.signal(signal)?;
    }
    let status = house.ended().await?;
    let ordered = signals == ["TERM"];
    if ordered {
        ensure!(status.success(), "{status}: {}", house.words());
        ensure!(begun.elapsed() < LIMIT, "it took {:?}", begun.elapsed());
        ensure!(house.words().contains("stopped"), "{}", house.words());
    }
    ensure!(ask(&readyz).await.is_err(), "somebody answers for a server that has ended");
    let seats = all(answering).await?;
    if ordered {
        for (_, _, last_words) in &seats {
            ensure!(last_words.contains("ShuttingDown"), "not told why: {last_words}");
        }
    }
    let _again = house.again("info")?;
    for (mut candidate, acknowledged, _) in seats {
        ensure!(!acknowledged.is_empty(), "somebody was not heard at all");
        candidate.connect().await?;
        let missing = missing(&candidate, &acknowledged)?;
        ensure!(missing.is_empty(), "acknowledged and not there: {missing:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_everybody_why_and_loses_no_acknowledged_answer() -> anyhow::Result<()> {
    stop(&["TERM"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_wait_and_loses_nothing_either() -> anyhow::Result<()> {
    stop(&["TERM", "TERM"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_the_stop_loses_nothing_either() -> anyhow::Result<()> {
    stop(&["TERM", "KILL"]).await
}

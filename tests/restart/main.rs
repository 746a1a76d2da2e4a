//! Twenty candidates answer as fast as the server acknowledges; the server is killed at a random moment, again and
//! again. Whatever was acknowledged is there afterwards: in the view of the next socket, with the same receipt, and in
//! the sealed record.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use anyhow::{Context as _, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::server::Server;
use synaq_load_tests::site::Site;
use synaq_load_tests::staff::Centre;
use synaq_test_postgres::{Cluster, Options, Stop};
use synaq_wire::candidate::{CandidateCommand, Lang};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use uuid::Uuid;

/// The demo's seats do not suffice, a sitting of its own is made.
const CANDIDATES: usize = 20;
const KILLS: usize = 4;
/// Every question of the demo's programme has at least this many options.
const OPTIONS: u8 = 3;
/// Acknowledgements between two kills: a kill at a random one of them hits every part of a commit.
const ACKS_BETWEEN_KILLS: std::ops::Range<u64> = 50..400;

/// Until the last socket is closed: the server tries for some seconds to store that it ended.
const OUTAGE_TOLD_WITHIN: Duration = Duration::from_secs(40);
/// From the end of an outage until everybody is back.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// What the server has confirmed to one candidate: the newest answer of each question.
type Acknowledged = BTreeMap<u16, (u64, Vec<u8>)>;

/// A killed server's ports are free for a moment, and must not be another test's when it comes back.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

struct Seat {
    candidate: Candidate,
    acknowledged: Acknowledged,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_answer_is_missing_after_sigkill() -> anyhow::Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir()?;
    survive_kills(Server::start(folder.path())?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_answer_is_missing_after_sigkill_on_postgres() -> anyhow::Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let cluster = synaq_test_postgres::shared().map_err(anyhow::Error::msg)?;
    let store = cluster.fresh_database().map_err(anyhow::Error::msg)?;
    let folder = tempfile::tempdir()?;
    survive_kills(Server::start_on(folder.path(), &store)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_answer_is_missing_when_postgres_is_gone_for_a_while() -> anyhow::Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let cluster = Cluster::start(Options::default()).map_err(anyhow::Error::msg)?;
    let store = cluster.fresh_database().map_err(anyhow::Error::msg)?;
    let folder = tempfile::tempdir()?;
    let server = Server::start_on(folder.path(), &store)?;
    let (centre, mut seats) = seated(&server).await?;
    for how in [Stop::Immediate, Stop::Kill] {
        let answering = answer_for_a_while(&mut seats).await?;
        cluster.stop(how).map_err(anyhow::Error::msg)?;
        // The server lives, and says to each that nothing is stored.
        let cut_off = tokio::time::timeout(OUTAGE_TOLD_WITHIN, answering.join_all());
        seats = cut_off.await.context("somebody was left without an answer")?;
        cluster.start_again().map_err(anyhow::Error::msg)?;
        let back = Instant::now();
        for seat in &mut seats {
            while let Err(error) = seat.candidate.connect().await {
                ensure!(back.elapsed() < BACK_WITHIN, "not back in time: {error:#}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            compare(seat).await?;
        }
    }
    sealed(&centre, seats).await
}

async fn survive_kills(mut server: Server) -> anyhow::Result<()> {
    let (centre, mut seats) = seated(&server).await?;
    for _ in 0..KILLS {
        let answering = answer_for_a_while(&mut seats).await?;
        server = server.kill_and_restart()?;
        seats = answering.join_all().await;
        for seat in &mut seats {
            seat.candidate.connect().await?;
            compare(seat).await?;
        }
    }
    sealed(&centre, seats).await
}

/// A sitting of its own, and its candidates at their first question.
async fn seated(server: &Server) -> anyhow::Result<(Centre, Vec<Seat>)> {
    let site = Site::new(&server.demo.base_url)?;
    let account = &server.demo.centre;
    let centre = Centre::sign_in(site.clone(), &account.login, &account.password).await?;
    let sitting = centre.sitting(CANDIDATES).await?;
    let links: Vec<String> = sitting.candidates.iter().map(|row| row.link.clone()).collect();
    let seats = begin(server, &site, sitting.sitting, &links).await?;
    Ok((centre, seats))
}

/// Everybody answers on and on, until something breaks; up to a random acknowledgement nothing did.
async fn answer_for_a_while(seats: &mut Vec<Seat>) -> anyhow::Result<JoinSet<Seat>> {
    let acks = Arc::new(AtomicU64::new(0));
    let until = rand::random_range(ACKS_BETWEEN_KILLS);
    let mut answering = JoinSet::new();
    for seat in seats.drain(..) {
        answering.spawn(answer_until_it_breaks(seat, Arc::clone(&acks)));
    }
    while acks.load(Ordering::Relaxed) < until {
        ensure!(answering.try_join_next().is_none(), "a candidate was cut off before the fault");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(answering)
}

/// Everybody up to the first question.
async fn begin(server: &Server, site: &Site, sitting: Uuid, links: &[String]) -> anyhow::Result<Vec<Seat>> {
    let mut preparing = JoinSet::new();
    for link in links {
        let (site, link) = (site.clone(), link.clone());
        preparing.spawn(async move {
            let mut candidate = Candidate::open(site, &link).await?;
            candidate.connect().await?;
            candidate.prepare(Lang::Kk).await?;
            anyhow::Ok(candidate)
        });
    }
    let mut candidates = Vec::new();
    while let Some(candidate) = preparing.join_next().await {
        candidates.push(candidate??);
    }
    let account = &server.demo.proctor;
    let mut proctor = Proctor::watch(site, &account.login, &account.password, sitting).await?;
    let sessions: BTreeSet<_> = candidates.iter().map(Candidate::session).collect();
    proctor.admit(&sessions).await?;
    let mut beginning = JoinSet::new();
    for mut candidate in candidates {
        beginning.spawn(async move {
            candidate.begin(Lang::Kk).await?;
            anyhow::Ok(Seat { candidate, acknowledged: Acknowledged::new() })
        });
    }
    let mut seats = Vec::new();
    while let Some(seat) = beginning.join_next().await {
        seats.push(seat??);
    }
    Ok(seats)
}

async fn answer_until_it_breaks(mut seat: Seat, acks: Arc<AtomicU64>) -> Seat {
    let questions = u16::try_from(seat.candidate.view().unwrap().questions.len()).unwrap();
    loop {
        let question = rand::random_range(0..questions);
        let shown = vec![rand::random_range(0..OPTIONS)];
        let command = CandidateCommand::Answer { question, shown: shown.clone() };
        let Ok(done) = seat.candidate.command(command).await else { return seat };
        seat.acknowledged.insert(question, (done.client_seq, shown));
        acks.fetch_add(1, Ordering::Relaxed);
    }
}

/// The welcome shows every acknowledged answer, or the one that was on its way when the server was killed.
async fn compare(seat: &mut Seat) -> anyhow::Result<()> {
    let view = seat.candidate.view()?.clone();
    for (question, (client_seq, shown)) in &mut seat.acknowledged {
        let mark = view.questions.get(usize::from(*question)).context("the paper has shrunk")?;
        ensure!(
            mark.client_seq >= *client_seq,
            "question {question}: command {client_seq} was acknowledged, the server knows {}",
            mark.client_seq
        );
        if mark.client_seq > *client_seq {
            // Stored, but its acknowledgement was lost with the server: from now on it is what counts.
            (*client_seq, *shown) = (mark.client_seq, mark.shown.clone());
        }
        ensure!(
            mark.shown == *shown,
            "question {question}: {shown:?} was acknowledged, not {:?}",
            mark.shown
        );
    }
    Ok(())
}

/// Everybody hands in; the sealed logs hold the same.
async fn sealed(centre: &Centre, seats: Vec<Seat>) -> anyhow::Result<()> {
    for mut seat in seats {
        seat.candidate.command(CandidateCommand::HandIn).await?;
        let session = seat.candidate.session();
        let mut stored = BTreeMap::new();
        for event in centre.sealed_events(session).await? {
            if event["kind"] == "answer_put" {
                let fact = &event["body"]["fact"];
                let shown: Vec<u8> = serde_json::from_value(fact["shown"].clone())?;
                stored.insert(
                    u16::try_from(fact["question"].as_u64().context("a question has a number")?)?,
                    shown,
                );
            }
        }
        for (question, (_, shown)) in &seat.acknowledged {
            ensure!(
                stored.get(question) == Some(shown),
                "{session}, question {question}: {shown:?} was acknowledged, {:?} is sealed",
                stored.get(question)
            );
        }
    }
    Ok(())
}

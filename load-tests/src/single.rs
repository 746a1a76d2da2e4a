//! One candidate alone: how long one answer takes, beside a raw log of the same disk. Without a crowd nothing is shared:
//! each answer is a commit of its own.

use crate::candidate::Candidate;
use crate::metrics::Buckets;
use crate::proctor::Proctor;
use crate::report::{Figure, Run};
use crate::server::Server;
use crate::site::Site;
use crate::staff::Centre;
use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use synaq_wire::candidate::{CandidateCommand, Lang};

/// Rounds of log appends and of answers, taken in turns so that a busy moment of the disk hits both.
const ROUNDS: usize = 20;
const PER_ROUND: usize = 100;
/// Half the rate of one socket (50 frames a second on average), so that what was taken in a row comes back.
const ANSWER_GAP: Duration = Duration::from_millis(40);
/// About what one answer adds to the log: event body, hash, ids.
const APPEND_BYTES: usize = 400;
/// The server's own histogram: frame received to acknowledgement handed to the socket.
const ACK: &str = "synaq_ack_seconds";
/// p50 of an answer within the server, at most so many times that of the raw log.
const RATIO_MAX: f64 = 2.0;
/// Longest time a figure can have.
const MOST_US: u64 = 60_000_000;
/// Questions of a paper that are answered in turn.
const QUESTIONS: u16 = 40;

/// How it is taken.
pub const ABOUT: &str = "One candidate answers alone, in turns of 100 with appends of 400 bytes and an fdatasync each on the same disk";

/// A server of its own below `folder`, and one candidate at it.
///
/// # Errors
/// If the server or the candidate does not come to the end.
pub async fn run(folder: &Path) -> anyhow::Result<Run> {
    let scratch = tempfile::tempdir_in(folder)?;
    let data = scratch.path().join("data");
    std::fs::create_dir(&data)?;
    let server = Server::start(&data)?;
    let site = Site::new(&server.demo.base_url)?;
    let account = &server.demo.centre;
    let centre = Centre::sign_in(site.clone(), &account.login, &account.password).await?;
    let sitting = centre.sitting(1).await?;
    let link = &sitting.candidates.first().context("nobody was added")?.link;
    let mut candidate = Candidate::open(site.clone(), link).await?;
    candidate.connect().await?;
    candidate.prepare(Lang::Kk).await?;
    let account = &server.demo.proctor;
    let mut proctor = Proctor::watch(&site, &account.login, &account.password, sitting.sitting).await?;
    proctor.admit(&BTreeSet::from([candidate.session()])).await?;
    drop(proctor);
    candidate.begin(Lang::Kk).await?;
    candidate.stop_publishing();
    measure(scratch.path(), &mut candidate, &server.demo.ops_url).await
}

/// Answers to their acknowledgements, and appends of a raw log in `folder`, in turns.
///
/// # Errors
/// If an answer is not acknowledged.
pub async fn measure(folder: &Path, candidate: &mut Candidate, ops_url: &str) -> anyhow::Result<Run> {
    let mut log = File::create(folder.join("raw.log"))?;
    let mut appends = Histogram::<u64>::new_with_bounds(1, MOST_US, 3)?;
    let (mut in_a_row, mut apart) = (appends.clone(), appends.clone());
    let mut number = 0_u16;
    // None before the first answer: what is not there yet is empty.
    let mut last = Buckets::read(ops_url, ACK).await.unwrap_or_default();
    let mut inside = Buckets::default();
    for _ in 0..ROUNDS {
        for _ in 0..PER_ROUND {
            let began = Instant::now();
            log.write_all(&[0x2e; APPEND_BYTES])?;
            log.sync_data()?;
            appends.record(us(began.elapsed()))?;
        }
        for (gap, figures) in [(Duration::ZERO, &mut in_a_row), (ANSWER_GAP, &mut apart)] {
            for _ in 0..PER_ROUND {
                number = number.wrapping_add(1);
                tokio::time::sleep(gap).await;
                let shown = vec![u8::from(number.is_multiple_of(2))];
                let command = CandidateCommand::Answer { question: number % QUESTIONS, shown };
                figures.record(us(candidate.command(command).await?.took))?;
            }
            let now = Buckets::read(ops_url, ACK).await?;
            if gap.is_zero() {
                inside.add_between(&last, &now);
            }
            last = now;
        }
    }
    ensure!(in_a_row.len() == appends.len(), "as many answers as appends");
    ensure!(inside.count() > 0, "the server counted no answer");
    figures(&appends, &in_a_row, &apart, &inside)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds below a minute")]
fn figures(
    appends: &Histogram<u64>,
    in_a_row: &Histogram<u64>,
    apart: &Histogram<u64>,
    inside: &Buckets,
) -> anyhow::Result<Run> {
    let mut run = Run::default();
    for (name, of) in [
        ("raw log, write + fdatasync", appends),
        ("answers in a row", in_a_row),
        ("answers 40 ms apart", apart),
    ] {
        for (quantile, called) in [(0.5, "p50"), (0.99, "p99")] {
            let value = of.value_at_quantile(quantile) as f64;
            run.figures.push(Figure::new(&format!("{name}, {called}"), "us", value));
        }
    }
    let raw = appends.value_at_quantile(0.5) as f64;
    let served = inside.quantile_us(0.5).context("the server's own times are above its histogram")?;
    run.figures.push(Figure::new("server's part of an answer, p50", "us", served));
    run.figures.push(Figure::new("server's part / raw log, p50", "x", served / raw).at_most(RATIO_MAX));
    let whole = in_a_row.value_at_quantile(0.5) as f64 / raw;
    run.figures.push(Figure::new("end to end over loopback / raw log, p50", "x", whole));
    Ok(run)
}

fn us(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(MOST_US).clamp(1, MOST_US)
}

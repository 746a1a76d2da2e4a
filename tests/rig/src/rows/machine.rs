//! Rows 10, 11, 12, 25 and 26: descriptors, memory, processor, clocks.

use super::Stage;
use super::storage::flows;
use crate::bot::Mode;
use crate::journal::now_ms;
use crate::machine::{Group, Held, Limit, next_descriptor};
use crate::process::run;
use crate::report::Report;
use crate::scene::Scene;
use crate::watch::{lock, per_mille};
use anyhow::{Context as _, ensure};
use std::fs;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 10;
const EVERY_MS: u64 = 40;
const ACKS: Duration = Duration::from_secs(30);
/// Row 12.
const SHARE: u64 = 5;
const ACK_P99: Duration = Duration::from_secs(2);

/// Row 10.
pub(super) async fn descriptors_run_out(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    let pid = scene.house.pid()?;
    let limit =
        |count: usize| run("prlimit", &["--pid", &pid.to_string(), &format!("--nofile={count}:20000")]);
    limit(next_descriptor(pid)?)?;
    let acks = scene.acks_within(Duration::from_secs(2)).await;
    let refused = (0..5).filter(|_| scene.http("/healthz").is_none()).count();
    let breaks = scene.breaks();
    limit(20_000)?;
    let began = Instant::now();
    while scene.http("/healthz").is_none() {
        ensure!(began.elapsed() < ACKS, "the listener does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    report.note(format!(
        "{acks} acknowledged without a free descriptor, {refused} of 5 new connections got no answer, {breaks} sockets \
         broke, new ones {:?} after there were descriptors again",
        began.elapsed()
    ));
    report.that("live_sessions_go_on", acks > 0 && breaks == 0, || format!("{acks} acks, {breaks} broke"));
    report.that("new_ones_wait", refused == 5, || format!("{refused} of 5"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 11.
pub(super) async fn memory_runs_out(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(10));
    scene.more_acks(50, ACKS).await?;
    // Of what it asks for from now on.
    let group = Group::limit(scene.house.pid()?, Limit::Memory(1_500_000))?;
    let began = Instant::now();
    while !scene.house.ended() {
        ensure!(began.elapsed() < 3 * ACKS, "the kernel does not end it");
        let _ = scene.http("/");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (from, gone) = (now_ms(), Instant::now());
    drop(group);
    scene.house.start()?;
    scene.outage_since(from);
    let back = scene.back_since(gone).await;
    report.note(format!(
        "the kernel ended it after {:?}, everybody back {back:?} after the start",
        began.elapsed()
    ));
    report.that("everybody_back_within_10_s", back.is_ok(), || format!("{back:?}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 12.
pub(super) async fn processor_is_scarce(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let scene = stage.scene(4).await?;
    scene.do_now(Mode::Answer(200));
    scene.more_acks(20, ACKS).await?;
    let _ = scene.watched.take_latencies();
    let group = Group::limit(scene.house.pid()?, Limit::Processor(SHARE))?;
    let acks = scene.acks_within(stage.of(Duration::from_secs(20), Duration::from_secs(6))).await;
    let late = scene.watched.take_latencies();
    let throttled = group.throttled()?;
    drop(group);
    let (p99, breaks) = (per_mille(&late, 990), scene.breaks());
    report.note(format!("{acks} acknowledged with {SHARE} % of one processor and 4 cameras, p99 {p99:?}, {breaks} broke, throttled {throttled} times"));
    report.that("the_processor_was_scarce", throttled > 0, || "it had enough".to_owned());
    report.that("ack_p99_below_2_s", acks > 0 && p99 < ACK_P99, || format!("{p99:?} of {acks}"));
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 26.
pub(super) async fn suspended(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let span = stage.of(Duration::from_secs(60), Duration::from_secs(8));
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    let before = scene.deadlines();
    let (from, held) = (now_ms(), Held::stop(scene.house.pid()?)?);
    tokio::time::sleep(span).await;
    drop(held);
    scene.outage_since(from);
    let flowing = flows(&scene).await;
    let after = scene.deadlines();
    let moved: Vec<i64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
    report.note(format!(
        "held for {} s, answers flow {flowing:?} later, deadlines moved by {:?}..{:?} ms",
        span.as_secs(),
        moved.iter().min(),
        moved.iter().max()
    ));
    report.that("answers_flow_again_within_10_s", flowing.is_ok(), || format!("{flowing:?}"));
    scene.judge(report).await?;
    Ok(())
}

/// Where Debian's package puts it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Row 25: the wall clock jumps while the server runs, and again while it is down.
pub(super) async fn clock_jumps(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let library = ["x86_64", "aarch64"]
        .map(|machine| FAKETIME.replace("x86_64", machine))
        .into_iter()
        .find(|library| fs::exists(library).unwrap_or(false))
        .context("libfaketime is missing; `cargo xtask test --only needs` installs it")?;
    let file = stage.folder.join("offset");
    let jump = |offset: &str| fs::write(&file, offset);
    jump("+0\n")?;
    let mut house = stage.house()?;
    house.env = vec![
        ("LD_PRELOAD".to_owned(), library),
        ("FAKETIME_TIMESTAMP_FILE".to_owned(), file.display().to_string()),
        ("FAKETIME_NO_CACHE".to_owned(), "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
    ];
    house.start()?;
    let mut scene = Scene::begin(house, &stage.folder, CANDIDATES).await?;
    scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    let mut worst = 0;
    for offset in ["+3600", "-3600", "+0"] {
        let before = scene.remaining();
        jump(&format!("{offset}\n"))?;
        scene.more_acks(50, ACKS).await?;
        worst = worst.max(drift(&before, &scene.remaining()));
    }
    report.note(format!("jumps while running moved the remaining time by {worst} ms at worst"));
    report.that("running_clock_does_not_care", worst < 2_000, || format!("{worst} ms"));
    for offset in ["+3600", "+0"] {
        let before = scene.remaining();
        jump(&format!("{offset}\n"))?;
        let gone = Instant::now();
        scene.house.kill()?;
        scene.house.start()?;
        scene.back_since(gone).await.with_context(|| format!("restart at {offset}"))?;
        let flowing = scene.more_acks(50, ACKS).await;
        report.that("answers_flow_after_a_restart", flowing.is_ok(), || format!("at {offset}: {flowing:?}"));
        let charged = charged(&before, &scene.remaining());
        report.note(format!("restart at {offset}: {charged} ms charged at worst"));
        report.that("no_candidate_pays", charged < 5_000, || format!("{charged} ms at {offset}"));
    }
    scene.forgive_credits();
    scene.judge(report).await?;
    Ok(())
}

type Remaining = Vec<(Instant, i64)>;

/// By how much the remaining time differs from what the time between the two looks explains.
fn drift(before: &Remaining, after: &Remaining) -> i64 {
    errors(before, after).map(i64::abs).max().unwrap_or(i64::MAX)
}

/// The same, only what a candidate lost.
fn charged(before: &Remaining, after: &Remaining) -> i64 {
    errors(before, after).map(|error| -error).max().unwrap_or(i64::MAX)
}

fn errors(before: &Remaining, after: &Remaining) -> impl Iterator<Item = i64> {
    before.iter().zip(after).map(|((then, had), (now, has))| {
        let passed = i64::try_from(now.duration_since(*then).as_millis()).unwrap_or(i64::MAX);
        has - (had - passed)
    })
}

impl Scene {
    /// What every candidate was last told of the time that is left.
    #[must_use]
    pub fn remaining(&self) -> Remaining {
        self.watched.all().iter().filter_map(|(_, seen)| lock(seen).remaining).collect()
    }

    /// What every candidate was last told of the deadline.
    #[must_use]
    pub fn deadlines(&self) -> Vec<i64> {
        self.watched.all().iter().filter_map(|(_, seen)| lock(seen).deadline).collect()
    }

    /// Candidates with an open socket.
    pub(super) fn connected(&self) -> usize {
        self.watched.all().iter().filter(|(_, seen)| lock(seen).connected).count()
    }

    /// Sockets that broke so far.
    #[must_use]
    pub fn breaks(&self) -> u64 {
        self.watched.all().iter().map(|(_, seen)| lock(seen).breaks).sum()
    }
}

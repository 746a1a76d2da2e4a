//! Rows 1, 2 and 27: the server ends, with and without a farewell.

use super::Stage;
use crate::bot::Mode;
use crate::journal::now_ms;
use crate::machine::Syscalls;
use crate::report::Report;
use crate::scene::Scene;
use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 20;
/// Each candidate about thirty times a second: below what a socket may send.
const EVERY_MS: u64 = 33;
const ACKS: Duration = Duration::from_secs(20);
/// Row 2: if so many kills hit no gap, there is none to hit.
const GAP_KILLS_MAX: u32 = 20;
/// Row 27: no socket is gone for longer.
const GONE: Duration = Duration::from_secs(3);

/// Row 1.
pub(super) async fn at_random_moments(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let kills = stage.of(100, 6);
    let mut chance = stage.chance();
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        scene
            .more_acks(chance.random_range(20..200), ACKS)
            .await
            .with_context(|| format!("before kill {kill}"))?;
        // Acknowledgements come in groups: a wait of its own puts the kill between and into them.
        tokio::time::sleep(Duration::from_micros(chance.random_range(0..20_000))).await;
        slowest = slowest.max(scene.kill_and_restart().await.with_context(|| format!("kill {kill}"))?);
    }
    report.note(format!(
        "{kills} kills, slowest return {:.1} s after the server answered",
        slowest.as_secs_f64()
    ));
    report.that("everybody_back_within_10_s", true, String::new);
    scene.judge(report).await?;
    Ok(())
}

/// Row 2: the process dies as it enters the call that would have sent an acknowledgement.
pub(super) async fn between_commit_and_ack(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let least = stage.of(20, 2);
    let mut chance = stage.chance();
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    let mut kills: u32 = 0;
    // Whether a kill hits the gap is chance: a short run goes on until one did.
    while kills < least || (scene.watched.stored_unacked() == 0 && kills < GAP_KILLS_MAX) {
        kills += 1;
        let kill = kills;
        scene.more_acks(20, ACKS).await?;
        let call = chance.random_range(1..60);
        let rule = format!("sendto,sendmsg,write,writev:signal=KILL:when={call}");
        let calls = Syscalls::inject(scene.house.pid()?, &rule, &stage.folder)?;
        let began = Instant::now();
        while !scene.house.ended() {
            ensure!(began.elapsed() < ACKS, "kill {kill}: the process sends nothing");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (from, gone) = (now_ms(), Instant::now());
        drop(calls);
        scene.house.start()?;
        scene.outage_since(from);
        scene.back_since(gone).await?;
    }
    let stored = scene.watched.stored_unacked();
    report.note(format!("{kills} kills; {stored} answers were stored and not acknowledged, then sent again"));
    // Otherwise the gap was never hit.
    report.that("the_gap_was_hit", stored > 0, || {
        "no answer was stored without its acknowledgement".to_owned()
    });
    scene.judge(report).await?;
    Ok(())
}

/// Row 27.
pub(super) async fn drained(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let times = stage.of(10, 1);
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    let (mut slowest, mut stops) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..times {
        scene.more_acks(100, ACKS).await?;
        let (from, gone) = (now_ms(), Instant::now());
        stops = stops.max(scene.house.stop()?);
        scene.house.start()?;
        scene.outage_since(from);
        scene.back_since(gone).await?;
        slowest = slowest.max(gone.elapsed());
    }
    let told = scene.watched.heard("shutting_down");
    report.note(format!(
        "{times} restarts, slowest stop {:.1} s, everybody back {:.1} s after the signal at worst, shutting_down heard {told} times",
        stops.as_secs_f64(),
        slowest.as_secs_f64()
    ));
    report.that("no_socket_gone_for_3_s", slowest < GONE, || format!("{slowest:?}"));
    report.that("candidates_are_told", told > 0, || format!("codes: {:?}", scene.watched.codes()));
    scene.judge(report).await?;
    Ok(())
}

impl Stage {
    /// A sitting whose cameras are gone: less work for the machine.
    pub(super) async fn scene_without_cameras(&self, candidates: usize) -> anyhow::Result<Scene> {
        let mut scene = self.scene(candidates).await?;
        scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
        Ok(scene)
    }
}

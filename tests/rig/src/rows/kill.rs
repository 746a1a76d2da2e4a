//! Rows 1 and 2: SIGKILL.

use super::Stage;
use crate::bot::Mode;
use crate::report::Report;
use anyhow::Context as _;
use rand::RngExt as _;
use std::time::Duration;

const CANDIDATES: usize = 20;
/// Each candidate about thirty times a second: below what a socket may send.
const EVERY_MS: u64 = 33;
const ACKS: Duration = Duration::from_secs(20);

/// Row 1.
pub(super) async fn at_random_moments(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let kills = stage.of(100, 6);
    let mut chance = stage.chance();
    let mut scene = stage.scene(CANDIDATES).await?;
    scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
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
    report.note(format!("{kills} kills, slowest return {:.1} s", slowest.as_secs_f64()));
    report.that("everybody_back_within_10_s", true, String::new);
    scene.judge(report).await?;
    Ok(())
}

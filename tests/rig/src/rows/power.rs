//! Rows 3 and 4: the power is cut.

use super::Stage;
use crate::bot::Mode;
use crate::disk::{Cut, PowerDisk};
use crate::journal::now_ms;
use crate::report::Report;
use crate::scene::Scene;
use anyhow::Context as _;
use rand::RngExt as _;
use rand::rngs::StdRng;
use std::fs;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 10;
const EVERY_MS: u64 = 33;
const ACKS: Duration = Duration::from_secs(20);

/// Row 3.
pub(super) async fn drops_what_was_not_synced(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    cut(stage, report, Cut::Nothing).await
}

/// Row 4.
pub(super) async fn tears_what_was_not_synced(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    cut(stage, report, Cut::Torn).await
}

async fn cut(stage: &Stage, report: &mut Report, cut: Cut) -> anyhow::Result<()> {
    let cuts = stage.of(30, 3);
    let mut chance = stage.chance();
    let place = stage.folder.join("disk");
    fs::create_dir_all(&place)?;
    let mut disk = PowerDisk::mount(&place)?;
    let mut house = stage.house_in(&place.join("data"))?;
    // The platform is another building: it keeps its power.
    house.move_platform(&stage.folder.join("platform"))?;
    house.start()?;
    let mut scene = Scene::begin(house, &stage.folder, CANDIDATES).await?;
    scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
    scene.do_now(Mode::Answer(EVERY_MS));
    let mut dropped = 0;
    for number in 0..cuts {
        dropped += once(&mut scene, &mut disk, cut, &mut chance)
            .await
            .with_context(|| format!("power cut {number}"))?;
    }
    report.note(format!("{cuts} power cuts took {dropped} unsynced writes"));
    // Otherwise the row proves nothing.
    report.that("unsynced_writes_were_lost", dropped > 0, || "every write was synced".to_owned());
    report.that("everybody_back_within_10_s", true, String::new);
    let mut house = scene.judge(report).await?;
    house.stop()?;
    let whole = integrity(&house.data.join("synaq.db"))?;
    report.that("database_is_whole", whole == "ok", || whole.clone());
    Ok(())
}

async fn once(scene: &mut Scene, disk: &mut PowerDisk, cut: Cut, chance: &mut StdRng) -> anyhow::Result<u64> {
    scene.more_acks(chance.random_range(20..150), ACKS).await?;
    tokio::time::sleep(Duration::from_micros(chance.random_range(0..20_000))).await;
    let from = now_ms();
    scene.house.kill()?;
    let gone = Instant::now();
    let dropped = disk.lose_power(cut, chance)?;
    scene.house.start()?;
    scene.outage_since(from);
    scene.back_since(gone).await?;
    Ok(dropped)
}

/// What SQLite says of a database that nobody has open.
pub(super) fn integrity(database: &std::path::Path) -> anyhow::Result<String> {
    crate::process::output("sqlite3", &[&database.display().to_string(), "pragma integrity_check"])
}

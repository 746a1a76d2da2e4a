//! Rows 3, 4 and 4b: the power is cut.

use super::Stage;
use crate::bot::Mode;
use crate::disk::{Cut, PowerDisk};
use crate::journal::now_ms;
use crate::report::Report;
use crate::scene::{Look, Scene};
use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 10;
const EVERY_MS: u64 = 33;
const ACKS: Duration = Duration::from_secs(20);
/// Row 4b: cameras, and answers beside them.
const CAMERAS: usize = 4;
const BESIDE_MS: u64 = 200;
/// A recording is some seconds behind what was filmed, and is then watched growing.
const FILMED: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The promise of MEDIA.md.
const LOST_AT_MOST_MS: i64 = 10_000;

/// Row 3.
pub(super) async fn drops_what_was_not_synced(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    cut(stage, report, Cut::Nothing).await
}

/// Row 4.
pub(super) async fn tears_what_was_not_synced(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    cut(stage, report, Cut::Torn).await
}

/// Exams on a disk that can lose its power.
async fn powered(stage: &Stage, candidates: usize) -> anyhow::Result<(PowerDisk, Scene)> {
    let place = stage.folder.join("disk");
    fs::create_dir_all(&place)?;
    let disk = PowerDisk::mount(&place)?;
    let mut house = stage.house_in(&place.join("data"))?;
    // The platform is another building: it keeps its power.
    house.move_platform(&stage.folder.join("platform"))?;
    house.start()?;
    Ok((disk, Scene::begin(house, &stage.folder, candidates).await?))
}

async fn cut(stage: &Stage, report: &mut Report, cut: Cut) -> anyhow::Result<()> {
    let cuts = stage.of(30, 3);
    let mut chance = stage.chance();
    let (mut disk, mut scene) = powered(stage, CANDIDATES).await?;
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
    Ok(black_out(scene, disk, cut, chance).await?.1)
}

/// When it was, and how many writes it took.
async fn black_out(
    scene: &mut Scene,
    disk: &mut PowerDisk,
    cut: Cut,
    chance: &mut StdRng,
) -> anyhow::Result<(i64, u64)> {
    let at = now_ms();
    scene.house.kill()?;
    let gone = Instant::now();
    let dropped = disk.lose_power(cut, chance)?;
    scene.house.start()?;
    scene.outage_since(at);
    scene.back_since(gone).await?;
    Ok((at, dropped))
}

/// Row 4b.
pub(super) async fn while_cameras_record(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let cuts = stage.of(6, 1);
    let mut chance = stage.chance();
    let (mut disk, mut scene) = powered(stage, CAMERAS).await?;
    scene.do_now(Mode::Answer(BESIDE_MS));
    let look = scene.look();
    let sessions: Vec<String> = scene.watched.all().into_iter().map(|(session, _)| session).collect();
    let (mut marks, mut dropped) = (Vec::new(), 0);
    for number in 0..cuts {
        // Between two syncs, wherever that is.
        filmed(&look, &sessions, marks.last().copied(), chance.random_range(11_000..18_000)).await?;
        let cut = if number % 2 == 0 { Cut::Nothing } else { Cut::Torn };
        let cut = black_out(&mut scene, &mut disk, cut, &mut chance);
        let (at, lost) = cut.await.with_context(|| format!("power cut {number}"))?;
        marks.push(at);
        dropped += lost;
        // As the pages do.
        for candidate in &mut scene.candidates {
            candidate.publish().await?;
        }
    }
    filmed(&look, &sessions, marks.last().copied(), 1_000).await?;
    let mut lines = Vec::new();
    for session in &sessions {
        lines.push(look.json(&format!("/api/v1/playback/{session}")).await?);
    }
    let lost = judge_lines(&lines, &marks, report);
    report.note(format!(
        "{cuts} power cuts took {dropped} unsynced writes and at most {lost} ms of a recording"
    ));
    report.that("unsynced_writes_were_lost", dropped > 0, || "every write was synced".to_owned());
    report.that("everybody_back_within_10_s", true, String::new);
    for part in lines.iter().flat_map(parts) {
        let (status, bytes) = look.bytes(part["url"].as_str().context("a link")?, None).await?;
        report
            .that("what_is_left_reads", status == 200 && bytes.len() > 1_000, || format!("{part}: {status}"));
    }
    let mut house = scene.judge(report).await?;
    house.stop()?;
    let whole = integrity(&house.data.join("synaq.db"))?;
    report.that("database_is_whole", whole == "ok", || whole.clone());
    Ok(())
}

/// Recordings of the webcam on a session's line of time, oldest first.
fn parts(line: &Value) -> impl Iterator<Item = &Value> {
    line["tracks"][0]["parts"].as_array().into_iter().flatten()
}

/// When a recording began and ended, milliseconds UTC.
fn span(part: &Value) -> (i64, i64) {
    let [at, ms] = ["at", "ms"].map(|field| part[field].as_i64().unwrap_or_default());
    (at, at + ms)
}

/// Waits until every session has a recording of so many milliseconds that began after `since`.
async fn filmed(look: &Look, sessions: &[String], since: Option<i64>, ms: i64) -> anyhow::Result<()> {
    let end = Instant::now() + FILMED;
    for session in sessions {
        loop {
            let line = look.json(&format!("/api/v1/playback/{session}")).await?;
            let long = |(from, to): (i64, i64)| since.is_none_or(|since| from > since) && to - from >= ms;
            if parts(&line).map(span).any(long) {
                break;
            }
            ensure!(Instant::now() < end, "{ms} ms were not recorded after {since:?}: {}", line["tracks"]);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}

/// The most that a cut took of a recording, ms.
fn judge_lines(lines: &[Value], marks: &[i64], report: &mut Report) -> i64 {
    let mut most = 0;
    for (line, mark) in lines.iter().flat_map(|line| marks.iter().map(move |mark| (line, *mark))) {
        let before = parts(line).map(span).filter(|(from, _)| *from < mark);
        let lost = before.map(|(_, to)| mark - to).min().unwrap_or(i64::MAX);
        most = most.max(lost);
        report.that("at_most_10_s_of_recording_lost", lost <= LOST_AT_MOST_MS, || {
            format!("{lost} ms before {mark}: {}", line["tracks"])
        });
        let holds = |gap: &Value| {
            let [from, to] = ["from", "to"].map(|end| gap[end].as_i64().unwrap_or_default());
            (from..=to).contains(&mark)
        };
        let stated = line["gaps"].as_array().is_some_and(|gaps| gaps.iter().any(holds));
        report.that("the_gap_is_stated", stated, || format!("{mark} is in none of {}", line["gaps"]));
    }
    most
}

/// What SQLite says of a database that nobody has open.
pub(super) fn integrity(database: &std::path::Path) -> anyhow::Result<String> {
    crate::process::output("sqlite3", &[&database.display().to_string(), "pragma integrity_check"])
}

//! Rows 6 to 9: a disk that fails, is slow or full.

use super::Stage;
use crate::bot::Mode;
use crate::journal::now_ms;
use crate::machine::{SmallDisk, Syscalls};
use crate::report::Report;
use crate::scene::Scene;
use crate::watch::per_mille;
use anyhow::ensure;
use std::fs;
use std::time::{Duration, Instant};

const CANDIDATES: usize = 10;
const EVERY_MS: u64 = 40;
const ACKS: Duration = Duration::from_secs(30);
/// After the fault is gone, answers flow again within this.
const HEALED: Duration = Duration::from_secs(10);

/// Row 6.
pub(super) async fn sync_fails(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    let rule = "fdatasync,fsync,sync_file_range:error=EIO";
    let calls = Syscalls::inject(scene.house.pid()?, rule, &stage.folder)?;
    // What was synced before strace was there may still be on its way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let from = now_ms();
    let acks = scene.acks_within(stage.of(Duration::from_secs(8), Duration::from_secs(2))).await;
    let ended = scene.house.ended();
    drop(calls);
    if ended {
        scene.house.start()?;
    }
    healed(&mut scene, from, report).await?;
    let refused = scene.watched.heard("store_unavailable");
    report.note(format!(
        "{acks} acknowledged meanwhile, store_unavailable heard {refused} times, the process {}",
        if ended { "ended and was started again" } else { "went on" }
    ));
    report.that("nothing_acknowledged_meanwhile", acks == 0, || format!("{acks}"));
    report.that("candidates_are_told", refused > 0 || ended, || format!("{:?}", scene.watched.codes()));
    alarm(&scene, report);
    scene.judge(report).await?;
    Ok(())
}

/// Row 7.
pub(super) async fn sync_is_slow(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    let calls = Syscalls::inject(scene.house.pid()?, "fdatasync,fsync:delay_enter=500000", &stage.folder)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let _ = scene.watched.take_latencies();
    let acks = scene.acks_within(stage.of(Duration::from_secs(20), Duration::from_secs(4))).await;
    let late = scene.watched.take_latencies();
    drop(calls);
    let healed = flows(&scene).await?;
    let breaks: u64 = scene.breaks();
    report.note(format!(
        "{acks} acknowledged meanwhile, p50 {:?}, slowest {:?}, {breaks} sockets broke, flowed again after {healed:?}",
        per_mille(&late, 500),
        late.last().copied().unwrap_or_default()
    ));
    report.that("answers_are_late_but_come", acks > 0, || "none".to_owned());
    let slow = per_mille(&late, 500) >= Duration::from_millis(400);
    report.that("the_disk_was_slow", slow, || format!("{late:?}"));
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 8.
pub(super) async fn database_disk_full(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let place = stage.folder.join("disk");
    let disk = SmallDisk::mount(&place, 64)?;
    let mut house = stage.house_in(&place.join("data"))?;
    house.move_platform(&stage.folder.join("platform"))?;
    house.start()?;
    let mut scene = Scene::begin(house, &stage.folder, CANDIDATES).await?;
    scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    disk.fill()?;
    let full = Instant::now();
    // The write-ahead log has room of its own for a while.
    while scene.watched.heard("store_unavailable") == 0 {
        ensure!(full.elapsed() < 2 * ACKS, "a full disk is not noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let noticed = full.elapsed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let from = now_ms();
    let acks = scene.acks_within(stage.of(Duration::from_secs(8), Duration::from_secs(2))).await;
    disk.free()?;
    healed(&mut scene, from, report).await?;
    report.note(format!("noticed after {noticed:?}, {acks} acknowledged while full"));
    report.that("nothing_acknowledged_meanwhile", acks == 0, || format!("{acks}"));
    let refused = scene.watched.heard("store_unavailable");
    report.that("candidates_are_told", refused > 0, || format!("{:?}", scene.watched.codes()));
    alarm(&scene, report);
    let house = scene.judge(report).await?;
    drop(house);
    drop(disk);
    Ok(())
}

/// What the log says of it.
const DISK_FULL: &str = "no storage space";

/// Row 9.
pub(super) async fn recording_disk_full(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let mut house = stage.house()?;
    fs::create_dir_all(house.data.join("evidence"))?;
    let disk = SmallDisk::mount(&house.data.join("evidence"), 16)?;
    house.more = "[ops]\ndisk_reserve_mib = 1\n".to_owned();
    house.start()?;
    let scene = Scene::begin(house, &stage.folder, 4).await?;
    scene.do_now(Mode::Answer(200));
    scene.more_acks(20, ACKS).await?;
    let before = scene.http("/readyz").unwrap_or_default();
    disk.fill()?;
    let acks = scene.acks_within(stage.of(Duration::from_secs(25), Duration::from_secs(12))).await;
    let meanwhile = scene.http("/readyz").unwrap_or_default();
    let troubles = scene.wall.as_ref().map(|wall| wall.troubles()).unwrap_or_default();
    let told = scene.wall.as_ref().is_some_and(|wall| wall.page_told("evidence_gap"));
    disk.free()?;
    let sessions: Vec<String> = scene.watched.all().into_iter().map(|(session, _)| session).collect();
    report.note(format!("{acks} acknowledged meanwhile, the wall said {troubles:?}, the candidate's page names the gap: {told}"));
    report.that("answers_go_on", acks > 20, || format!("{acks}"));
    let all_told = scene.wall.as_ref().map(|wall| wall.told()).unwrap_or_default();
    let on_the_tile = troubles.contains_key("recording");
    report.that("proctor_is_told", told && on_the_tile, || {
        format!("on the wall {troubles:?}, on the page {all_told:?}")
    });
    let ready = before.contains(" 200 ") && meanwhile.contains(" 503 ") && meanwhile.contains("\"disk\"");
    let logged = scene.house.said().lines().any(|line| line.contains("ERROR") && line.contains(DISK_FULL));
    report.that("operator_is_told", ready && logged, || {
        format!("/readyz said {before:?}, then {meanwhile:?}; the log names the disk: {logged}")
    });
    let gaps = scene.judge_and_count(report, "evidence_gap").await?;
    let all = sessions.len();
    report.that("a_gap_is_in_the_log_of_each", gaps >= all, || format!("{gaps} gaps in {all} sessions"));
    Ok(())
}

/// Waits until answers flow again; the time since `from` was nobody's.
async fn healed(scene: &mut Scene, from: i64, report: &mut Report) -> anyhow::Result<()> {
    let healed = flows(scene).await;
    scene.store_outage_since(from);
    report.that("answers_flow_again_within_10_s", healed.is_ok(), || format!("{healed:?}"));
    report.note(format!("candidates heard {:?}", scene.watched.codes()));
    no_page_stops(scene, report);
    healed.map(drop)
}

pub(super) async fn flows(scene: &Scene) -> anyhow::Result<Duration> {
    let began = Instant::now();
    scene.everybody_back(HEALED).await?;
    scene.more_acks(20, HEALED).await?;
    Ok(began.elapsed())
}

/// These codes end a page's tries for good.
pub(super) fn no_page_stops(scene: &Scene, report: &mut Report) {
    let stopped = scene.watched.heard("other_device") + scene.watched.heard("superseded_epoch");
    report.that("no_page_stops", stopped == 0, || format!("{:?}", scene.watched.codes()));
}

/// The operator reads of it.
pub(super) fn alarm(scene: &Scene, report: &mut Report) {
    let said = scene.house.said();
    let loud = said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
    let store =
        loud.filter(|line| line.contains("store") || line.contains("append") || line.contains("commit"));
    let first = store.take(1).next().map(str::to_owned);
    report.that("the_log_says_so", first.is_some(), || "no warning about the store".to_owned());
}

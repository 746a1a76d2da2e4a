//! Rows 13 and 14: PostgreSQL ends or stands still.

use super::Stage;
use super::storage::{alarm, flows, no_page_stops};
use crate::bot::Mode;
use crate::journal::now_ms;
use crate::report::Report;
use anyhow::Context as _;
use std::time::{Duration, Instant};
use synaq_test_postgres::Stop;
use tokio::task::block_in_place;

const CANDIDATES: usize = 10;
const EVERY_MS: u64 = 40;
const ACKS: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(60);
/// A statement's patience (8 s), and then the patience with a session that cannot be read (5 s), on a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Row 13.
pub(super) async fn ends(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let cluster = stage.cluster.clone().context("row 13 is PostgreSQL's")?;
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    let mut slowest = Duration::ZERO;
    let (mut meanwhile, mut ended) = (0, false);
    let ways = [Stop::Kill, Stop::Immediate, Stop::Fast, Stop::Kill, Stop::Fast];
    for how in ways.into_iter().take(stage.of(5, 1)) {
        scene.more_acks(50, ACKS).await?;
        block_in_place(|| cluster.stop(how)).map_err(anyhow::Error::msg)?;
        let from = now_ms();
        // Acknowledgements that were on their way.
        tokio::time::sleep(Duration::from_millis(200)).await;
        meanwhile += scene.acks_within(Duration::from_secs(5)).await;
        block_in_place(|| cluster.start_again()).map_err(anyhow::Error::msg)?;
        if scene.house.ended() {
            ended = true;
            scene.house.start()?;
        }
        let healed = flows(&scene).await;
        scene.store_outage_since(from);
        report
            .that("answers_flow_again_within_10_s", healed.is_ok(), || format!("after {how:?}: {healed:?}"));
        slowest = slowest.max(healed.unwrap_or_default());
    }
    report.note(format!(
        "{meanwhile} acknowledged meanwhile, answers at worst {slowest:?} after the database was back, heard {:?}{}",
        scene.watched.codes(),
        if ended { ", the server ended and was started again" } else { "" }
    ));
    report.that("nothing_acknowledged_meanwhile", meanwhile == 0, || format!("{meanwhile}"));
    report.that("the_server_goes_on", !ended, || "it ended".to_owned());
    alarm(&scene, report);
    no_page_stops(&scene, report);
    scene.judge(report).await?;
    Ok(())
}

/// Row 14.
pub(super) async fn stands_still(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let cluster = stage.cluster.clone().context("row 14 is PostgreSQL's")?;
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    block_in_place(|| cluster.pause()).map_err(anyhow::Error::msg)?;
    let from = now_ms();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (pause, acks, began) = (stage.of(PAUSE, PAUSE / 2), scene.watched.acks(), Instant::now());
    while scene.connected() > 0 && began.elapsed() < TOLD_WITHIN {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (left, gone_after) = (scene.connected(), began.elapsed());
    tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
    let meanwhile = scene.watched.acks() - acks;
    let told = scene.watched.heard("store_unavailable");
    block_in_place(|| cluster.resume()).map_err(anyhow::Error::msg)?;
    let ended = scene.house.ended();
    if ended {
        scene.house.start()?;
    }
    let healed = flows(&scene).await;
    scene.store_outage_since(from);
    report.note(format!(
        "{meanwhile} acknowledged meanwhile, store_unavailable heard {told} times, every page left its socket after \
         {gone_after:?}, answers {healed:?} after it went on, {} sockets broke",
        scene.breaks()
    ));
    report.that("no_page_waits_before_a_dead_socket", left == 0, || {
        format!("{left} pages after {gone_after:?}")
    });
    report.that("nothing_acknowledged_meanwhile", meanwhile == 0, || format!("{meanwhile}"));
    no_page_stops(&scene, report);
    report.that("candidates_are_told", told > 0, || format!("{:?}", scene.watched.codes()));
    report.that("answers_flow_again_within_10_s", healed.is_ok(), || format!("{healed:?}"));
    report.that("the_server_goes_on", !ended, || "it ended".to_owned());
    scene.judge(report).await?;
    Ok(())
}

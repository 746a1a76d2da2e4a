//! Rows 17 and 18: the central platform is down, slow, broken, or lies.

use super::Stage;
use crate::bot::Mode;
use crate::house::Outside;
use crate::report::Report;
use crate::scene::Scene;
use crate::standin::{Manner, StandIn};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const CANDIDATES: usize = 6;
const EVERY_MS: u64 = 100;
const ACKS: Duration = Duration::from_secs(20);
/// No message is offered more often: the first wait is at least a tenth of 5 s.
const NO_STORM: Duration = Duration::from_millis(400);

async fn sitting(stage: &Stage) -> anyhow::Result<(Scene, StandIn)> {
    let mut house = stage.house()?;
    let platform = StandIn::before(house.ports.platform).await?;
    house.set_outside(Outside { platform: Some(platform.port()), ..Outside::default() });
    house.start()?;
    let mut scene = Scene::begin(house, &stage.folder, CANDIDATES).await?;
    scene.candidates.iter_mut().for_each(synaq_load_tests::candidate::Candidate::stop_publishing);
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(50, ACKS).await?;
    Ok((scene, platform))
}

/// Row 17.
pub(super) async fn down_and_slow(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let (mut scene, platform) = sitting(stage).await?;
    scene.house.kill_platform()?;
    platform.set(Manner::Silent);
    scene.everybody_hands_in().await?;
    sleep(stage.of(Duration::from_secs(20), Duration::from_secs(2))).await;
    platform.set(Manner::Broken);
    sleep(stage.of(Duration::from_secs(20), Duration::from_secs(8))).await;
    let held = scene.held_at_platform()?;
    report.that("nothing_is_accepted_meanwhile", held == 0, || format!("{held}"));
    scene.house.start_platform()?;
    platform.set(Manner::Slow(Duration::from_secs(2)));
    let back = Instant::now();
    let house = scene.judge(report).await?;
    let quickest = quickest(&platform);
    report.note(format!(
        "{} offers in all, no two of one message within {quickest:?}; all delivered {:.0} s after the platform was back",
        platform.knocks().len(),
        back.elapsed().as_secs_f64()
    ));
    report.that("no_storm", quickest >= NO_STORM, || format!("{quickest:?}"));
    drop(house);
    Ok(())
}

/// Row 18.
pub(super) async fn lies(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let (scene, platform) = sitting(stage).await?;
    platform.set(Manner::NoReceipt);
    scene.everybody_hands_in().await?;
    for manner in [Manner::NoReceipt, Manner::ForgedReceipt, Manner::OthersReceipt] {
        platform.set(manner);
        let offers = platform.knocks().len();
        let began = Instant::now();
        // Until it has lied to at least two offers.
        while platform.knocks().len() < offers + 2 && began.elapsed() < 3 * ACKS {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_millis(300)).await;
        let closed = scene.receipts_accepted().await;
        report
            .that("no_lie_is_accepted", closed == 0, || format!("{manner:?}: {closed} messages were closed"));
    }
    platform.set(Manner::Honest);
    let said = scene.house.said();
    let offers = said.lines().filter(|line| line.contains("offered to the platform")).count();
    let alarms = said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
    let alarm = alarms.filter(|line| line.contains("platform") || line.contains("receipt")).count();
    report.note(format!("{offers} offers in the log, {alarm} of its lines are warnings about it"));
    report.that("the_log_says_so", alarm > 0, || format!("{offers} offers, none a warning"));
    let house = scene.judge(report).await?;
    drop(house);
    Ok(())
}

/// Shortest time between two offers of one message.
fn quickest(platform: &StandIn) -> Duration {
    let mut last: BTreeMap<String, Instant> = BTreeMap::new();
    let mut quickest = Duration::MAX;
    for knock in platform.knocks() {
        if let Some(before) = last.insert(knock.path, knock.at) {
            quickest = quickest.min(knock.at - before);
        }
    }
    quickest
}

//! Each scenario, small and short, against the real server: no errors and nothing lost. Nothing here is timed.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::path::PathBuf;
use std::process::Command;
use synaq_load_tests::cameras::Profile;
use synaq_load_tests::scenario::{Place, ProctoredPlan, Scenario};
use synaq_load_tests::usage::raise_open_files;
use tempfile::TempDir;

const CANDIDATES: usize = 50;

/// The server of this working tree, built with the profile of this test.
fn server() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--package", "synaq-app", "--bin", "synaq"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "the server was not built");
    folder.join(format!("synaq{}", std::env::consts::EXE_SUFFIX))
}

fn place(folder: &TempDir) -> Place {
    Place {
        binary: server(),
        folder: folder.path().to_owned(),
        room_options: Vec::new(),
        open_files: raise_open_files(),
        command: "test".to_owned(),
        commit: None,
    }
}

async fn plays(name: &str, tls: bool, change: impl FnOnce(&mut Scenario)) {
    let folder = TempDir::new().unwrap();
    let place = place(&folder);
    let mut scenario = Scenario::find(name).unwrap();
    scenario.scale(CANDIDATES);
    scenario.crowd.tls = tls;
    scenario.crowd.per_sitting = 20;
    scenario.crowd.hand_in = 5;
    change(&mut scenario);
    let run = place.play(&scenario).await.unwrap();
    assert!(run.errors.is_empty(), "{:?}", run.errors);
    let figure = |name: &str| run.figures.iter().find(|figure| figure.name == name).unwrap().value;
    assert_eq!(figure("acknowledged answers lost"), 0.0);
    assert!(figure("acknowledged answers looked for") > 0.0);
    let report = place.report(&scenario, vec![run]).unwrap();
    assert!(report.text().contains(name));
    assert!(synaq_load_tests::report::page(&[report]).contains("<svg"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_exam_loses_nothing() {
    plays("paced", true, |scenario| {
        let part = scenario.paced.as_mut().unwrap();
        (part.warm_up_s, part.seconds) = (1, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_begins_at_one_bell() {
    plays("start", true, |scenario| scenario.start.as_mut().unwrap().bell_after_s = 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_back_after_a_break_and_after_a_kill() {
    plays("reconnect", false, |scenario| scenario.reconnect.as_mut().unwrap().seconds = 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_loses_nothing() {
    plays("saturate", true, |scenario| {
        let part = scenario.saturate.as_mut().unwrap();
        (part.warm_up_s, part.seconds) = (1, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_exam_with_broken_lines_loses_nothing() {
    plays("soak", true, |scenario| {
        let part = scenario.soak.as_mut().unwrap();
        (part.warm_up_s, part.minutes, part.breaks_every_s) = (1, 0.1, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proctored_exam_is_seen_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let plan = ProctoredPlan { from: 10, most: 10, profile: Profile::Small, seconds: 6, live: 1, threads: 1 };
    let report = place(&folder).play_proctored(&plan).await.unwrap();
    let run = &report.runs[0];
    assert!(run.errors.is_empty(), "{:?}", run.errors);
    let figure = |name: &str| run.figures.iter().find(|figure| figure.name == name).unwrap().value;
    assert_eq!(figure("acknowledged answers lost"), 0.0);
    assert!(figure("durable answers") > 0.0);
    assert!(figure("stills fetched by proctors") > 0.0, "{}", report.text());
    assert!(figure("live key frames that proctors saw") > 0.0, "{}", report.text());
}

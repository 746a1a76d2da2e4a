//! The suite finds what it is there to find: three bugs planted into the log under the real runtime, each found within
//! some seeds, and shrunk to a plan that still shows it and that plays clean without the bug.

use synaq_sim::{Bug, Plan, Suite, play, play_with, shrink};

/// Within so many seeds each bug must be found.
const WITHIN: u64 = 60;

fn is_found_and_shrunk(bug: Bug, oracle: &str) {
    let breaks = |plan: &Plan| play_with(plan, Some(bug)).findings.iter().any(|found| found.oracle == oracle);
    let seed = (0..WITHIN).find(|seed| breaks(&Plan::of(*seed)));
    let plan = Plan::of(seed.expect("the bug is found within these seeds"));
    let (small, runs) = shrink(&plan, breaks);
    assert!(breaks(&small), "the small plan shows it too");
    assert!(
        small.items.len() <= 10,
        "{} of {} items are left after {runs} runs",
        small.items.len(),
        plan.items.len()
    );
    assert_eq!(play(&small).findings, [], "without the bug the same plan is clean");
}

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    is_found_and_shrunk(Bug::AcknowledgeBeforeCommit, "acknowledged_and_lost");
}

#[test]
fn a_missing_fence_is_found() {
    is_found_and_shrunk(Bug::NoFence, "fence");
}

#[test]
fn a_second_warning_is_found() {
    is_found_and_shrunk(Bug::DoubleWarning, "second_warning");
}

#[test]
fn a_suite_that_stops_at_the_first_failure_names_its_seed() {
    let suite = Suite {
        from: 0,
        seeds: WITHIN,
        threads: 1,
        first_only: true,
        bug: Some(Bug::AcknowledgeBeforeCommit),
    };
    let report = suite.run();
    let [failure] = &report.failures[..] else { panic!("one failure: {:?}", report.failures) };
    assert!(failure.summary().contains("lost"), "{}", failure.summary());
    assert!(report.to_string().contains(&format!("seed {}", failure.seed)));
}

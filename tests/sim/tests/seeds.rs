//! A thousand seeds in every test run: nothing is found, and everything was played.

use std::thread::available_parallelism;
use synaq_sim::{Plan, Suite, play, save, shrink};

/// As many as two processors play in well under two minutes.
const SEEDS: u64 = 1_000;

#[test]
fn a_thousand_seeds_break_no_promise_and_play_everything() {
    let threads = available_parallelism().map_or(2, Into::into);
    let suite = Suite { from: 0, seeds: SEEDS, threads, first_only: false, bug: None };
    let report = suite.run();
    println!("{report}");
    if let Some(failure) = report.failures.first() {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let oracle = failure.findings[0].oracle;
        let fails = |plan: &Plan| play(plan).findings.iter().any(|finding| finding.oracle == oracle);
        let (small, _) = shrink(&Plan::of(failure.seed), fails);
        let path = save(&small, folder, &format!("seed-{}-small", failure.seed)).unwrap();
        println!("again: cargo run -p synaq-sim -- --plan {}", path.display());
    }
    assert!(report.failures.is_empty(), "{} seeds failed", report.failures.len());
    assert_eq!(report.too_rare(), [""; 0], "a suite that never plays a thing proves nothing about it");
}

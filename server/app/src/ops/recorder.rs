//! Where every crate's `metrics::counter!`, `gauge!` and `histogram!` end up: Prometheus text.

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Bounds of histograms in seconds: fine around the promised answer time (25 ms) and a disk's fdatasync (0.1..5 ms), up
/// to what a candidate still waits for.
const SECONDS: [f64; 22] = [
    0.000_1, 0.000_2, 0.000_35, 0.000_5, 0.000_75, 0.001, 0.001_5, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.015,
    0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bounds of every other histogram: counts, up to the most events of one commit.
const COUNTS: [f64; 13] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0, 4_096.0];
/// Samples wait in memory until they are folded into their buckets, whether somebody scrapes or not.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Makes this process count. Before anything else is started: what is counted earlier is lost.
///
/// # Errors
/// If the process counts already.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let builder = || -> Result<_, metrics_exporter_prometheus::BuildError> {
        PrometheusBuilder::new()
            .set_buckets(&COUNTS)?
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .install_recorder()
    };
    builder().context("this process cannot count")
}

/// Folds samples for as long as the process lives.
pub(crate) async fn keep_up(recorder: PrometheusHandle) {
    let mut every = tokio::time::interval(UPKEEP_EVERY);
    loop {
        every.tick().await;
        recorder.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_buckets_and_times_have_fine_ones() {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&COUNTS)
            .unwrap()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .unwrap()
            .build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("synaq_test_seconds").record(0.000_3);
            metrics::histogram!("synaq_test_events").record(100.0);
        });
        let text = handle.render();
        for line in [
            "synaq_test_seconds_bucket{le=\"0.0002\"} 0",
            "synaq_test_seconds_bucket{le=\"0.00035\"} 1",
            "synaq_test_seconds_bucket{le=\"10\"} 1",
            "synaq_test_events_bucket{le=\"64\"} 0",
            "synaq_test_events_bucket{le=\"128\"} 1",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}

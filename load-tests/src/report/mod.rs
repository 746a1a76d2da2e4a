//! What a scenario came to: figures of each run, their medians, and how they were made.

mod html;
mod machine;
mod plot;
mod text;

pub use html::page;
pub use machine::Machine;

use crate::crowd::Latencies;
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Points of a latency curve.
const CURVE: [f64; 15] =
    [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 1.0];

/// One figure of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What
    pub name: String,
    /// Of what: `ms`, `cores`, `KiB`
    pub unit: String,
    /// How much
    pub value: f64,
    /// The target: at most this, or at least this
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<Target>,
}

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// No more
    AtMost(f64),
    /// No less
    AtLeast(f64),
}

impl Target {
    /// Whether a figure is as it has to be.
    #[must_use]
    pub fn met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn limit(self) -> f64 {
        match self {
            Self::AtMost(limit) | Self::AtLeast(limit) => limit,
        }
    }

    fn with(self, limit: f64) -> Self {
        match self {
            Self::AtMost(_) => Self::AtMost(limit),
            Self::AtLeast(_) => Self::AtLeast(limit),
        }
    }
}

impl Figure {
    /// Without a target.
    #[must_use]
    pub fn new(name: &str, unit: &str, value: f64) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), value, target: None }
    }

    /// With a limit from above.
    #[must_use]
    pub const fn at_most(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtMost(limit));
        self
    }

    /// With a limit from below.
    #[must_use]
    pub const fn at_least(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtLeast(limit));
        self
    }
}

/// One second of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Second {
    /// Since the look began
    pub at_s: f64,
    /// Counted a second
    pub rate: f64,
    /// Of those that were counted in it, in ms
    pub p50_ms: f64,
    /// The same
    pub p99_ms: f64,
    /// Processor time of the server
    pub cores: f64,
    /// Its memory
    pub rss_mib: f64,
    /// Its open descriptors
    pub descriptors: u32,
    /// Its threads
    pub threads: u32,
}

impl Second {
    #[expect(clippy::cast_precision_loss, reason = "counts of one second")]
    pub(crate) fn of(taken: &Latencies, usage: &Usage, at: Duration, cores: f64, span: f64) -> Self {
        Self {
            at_s: at.as_secs_f64(),
            rate: taken.len() as f64 / span,
            p50_ms: ms(taken, 0.5),
            p99_ms: ms(taken, 0.99),
            cores,
            rss_mib: usage.rss_kib / 1_024.0,
            descriptors: usage.descriptors,
            threads: usage.threads,
        }
    }
}

/// One run of a scenario.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// In the order of the report
    pub figures: Vec<Figure>,
    /// Quantile and milliseconds
    pub curve: Vec<(f64, f64)>,
    /// Second by second
    pub seconds: Vec<Second>,
    /// By name, without ids
    pub errors: BTreeMap<String, u64>,
    /// What a reader must know
    pub notes: Vec<String>,
}

impl Run {
    /// Takes over what another part of it came to, under names that begin with `prefix`.
    pub(crate) fn join(&mut self, other: Self, prefix: &str) {
        let named = |name: String| format!("{prefix}{name}");
        self.figures
            .extend(other.figures.into_iter().map(|figure| Figure { name: named(figure.name), ..figure }));
        self.notes.extend(other.notes.into_iter().map(named));
        for (name, number) in other.errors {
            *self.errors.entry(name).or_default() += number;
        }
    }

    pub(crate) fn curve_of(&mut self, latencies: &Latencies) {
        self.curve = CURVE.iter().map(|quantile| (*quantile, ms(latencies, *quantile))).collect();
    }
}

/// The value at a quantile in milliseconds; nothing was taken: 0.
#[expect(clippy::cast_precision_loss, reason = "microseconds below ten minutes")]
pub(crate) fn ms(latencies: &Latencies, quantile: f64) -> f64 {
    if latencies.is_empty() { 0.0 } else { latencies.value_at_quantile(quantile) as f64 / 1_000.0 }
}

/// A figure over all runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Median {
    /// What
    pub name: String,
    /// Of what
    pub unit: String,
    /// The middle one
    pub median: f64,
    /// The smallest
    pub least: f64,
    /// The largest
    pub most: f64,
    /// The median of the runs' targets
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<Target>,
    /// Whether the median meets it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub met: Option<bool>,
}

impl Median {
    /// With its unit, and its range where there is one.
    #[must_use]
    pub fn shown(&self) -> String {
        text::measured(self)
    }
}

/// A scenario's report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// `paced`
    pub scenario: String,
    /// One sentence
    pub about: String,
    /// When it was written, ms UTC
    pub at_ms: i64,
    /// Version of the program
    pub version: String,
    /// Of the working tree it was run in, where there is one
    pub commit: Option<String>,
    /// How it was started
    pub command: String,
    /// Where
    pub machine: Machine,
    /// The scenario as it was played, in TOML
    pub settings: String,
    /// How to read it
    pub method: Vec<String>,
    /// Of all runs
    pub medians: Vec<Median>,
    /// Each
    pub runs: Vec<Run>,
}

impl Report {
    /// Whether every figure with a target meets it.
    #[must_use]
    pub fn met(&self) -> bool {
        self.medians.iter().all(|median| median.met != Some(false))
    }
}

/// Medians of all figures, in the order of the first run.
#[must_use]
pub fn medians(runs: &[Run]) -> Vec<Median> {
    let Some(first) = runs.first() else { return Vec::new() };
    let of = |figure: &Figure| {
        let same = || runs.iter().flat_map(|run| &run.figures).filter(|other| other.name == figure.name);
        let values: Vec<f64> = same().map(|figure| figure.value).collect();
        let limits: Vec<f64> = same().filter_map(|figure| figure.target).map(Target::limit).collect();
        let value = median(&values);
        let target = figure.target.map(|target| target.with(median(&limits)));
        Median {
            name: figure.name.clone(),
            unit: figure.unit.clone(),
            median: value,
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            target,
            met: target.map(|target| target.met(value)),
        }
    };
    first.figures.iter().map(of).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_of_all_runs_and_meets_the_median_target() {
        let run = |value, limit| Run {
            figures: vec![Figure::new("p99", "ms", value).at_most(limit)],
            ..Run::default()
        };
        let all = medians(&[run(30.0, 25.0), run(10.0, 40.0), run(20.0, 25.0)]);
        assert_eq!((all[0].median, all[0].least, all[0].most), (20.0, 10.0, 30.0));
        assert_eq!((all[0].target, all[0].met), (Some(Target::AtMost(25.0)), Some(true)));
    }

    #[test]
    fn an_even_number_of_runs_has_its_median_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}

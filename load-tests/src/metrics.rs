//! A histogram of the server's own, read from `/metrics` (Prometheus text format 0.0.4).

use anyhow::Context as _;
use std::collections::BTreeMap;

/// Cumulative counts by upper bound in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(BTreeMap<u64, u64>);

impl Buckets {
    /// Reads one histogram; its labels are added up.
    ///
    /// # Errors
    /// If there is no answer, or no such histogram in it yet.
    pub async fn read(ops_url: &str, name: &str) -> anyhow::Result<Self> {
        let text = text(ops_url).await?;
        Self::parse(&text, name).with_context(|| format!("the server has no histogram {name}"))
    }

    fn parse(text: &str, name: &str) -> Option<Self> {
        let mut buckets = BTreeMap::new();
        let prefix = format!("{name}_bucket{{");
        for line in text.lines().filter_map(|line| line.strip_prefix(&prefix)) {
            let (labels, count) = line.rsplit_once("} ")?;
            let bound =
                labels.split(',').find_map(|label| label.strip_prefix("le=\""))?.trim_end_matches('"');
            let bound_us = if bound == "+Inf" { u64::MAX } else { micros(bound.parse().ok()?) };
            *buckets.entry(bound_us).or_default() += count.parse::<u64>().ok()?;
        }
        (!buckets.is_empty()).then_some(Self(buckets))
    }

    /// Adds what came between two readings.
    pub fn add_between(&mut self, before: &Self, after: &Self) {
        for (bound, count) in &after.0 {
            *self.0.entry(*bound).or_default() += count - before.0.get(bound).copied().unwrap_or(0);
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(_, count)| *count)
    }

    /// The value at a quantile in microseconds, spread evenly within its bucket; none if nothing was taken or it lies
    /// above the last bound.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds of a measurement")]
    pub fn quantile_us(&self, quantile: f64) -> Option<f64> {
        let wanted = self.count() as f64 * quantile;
        let (mut lower, mut below) = (0_u64, 0_u64);
        for (bound, count) in &self.0 {
            if *count as f64 >= wanted && *count > below {
                let share = (wanted - below as f64) / (count - below) as f64;
                return (*bound < u64::MAX).then(|| lower as f64 + share * (bound - lower) as f64);
            }
            (lower, below) = (*bound, *count);
        }
        None
    }
}

async fn text(ops_url: &str) -> anyhow::Result<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let response = client.get(format!("{ops_url}/metrics")).send().await?;
    Ok(response.error_for_status()?.text().await?)
}

/// All counters at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Counters(String);

impl Counters {
    pub(crate) async fn read(ops_url: &str) -> anyhow::Result<Self> {
        Ok(Self(text(ops_url).await?))
    }

    /// The counter of that name with that label (`reason="rate"`, or nothing); one that never counted is 0.
    pub(crate) fn value(&self, name: &str, label: &str) -> u64 {
        let values = self.0.lines().filter_map(|line| line.strip_prefix(name)).filter_map(|rest| {
            let (labels, value) = rest.rsplit_once(' ')?;
            let ours = labels.is_empty() || labels.starts_with('{');
            (ours && labels.contains(label)).then(|| value.parse::<u64>().ok())?
        });
        values.sum()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds of a few seconds")]
fn micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE a histogram\na_bucket{le=\"0.001\"} 10\na_bucket{le=\"0.002\"} 30\na_bucket{le=\"+Inf\"} 40\na_sum 1\n";

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let buckets = Buckets::parse(TEXT, "a").unwrap();
        assert_eq!(buckets.count(), 40);
        assert_eq!(buckets.quantile_us(0.5), Some(1_500.0));
        assert_eq!(buckets.quantile_us(0.99), None, "above the last bound");
        assert_eq!(Buckets::parse(TEXT, "b"), None);
    }

    #[test]
    fn a_counter_is_told_by_its_whole_name_and_label() {
        let text = "x_total{reason=\"a\"} 3\nx_total{reason=\"b\"} 4\nx_totals 9\ny_total 5\n";
        let counters = Counters(text.to_owned());
        assert_eq!(counters.value("x_total", "reason=\"b\""), 4);
        assert_eq!(counters.value("x_total", ""), 7);
        assert_eq!((counters.value("y_total", ""), counters.value("z_total", "")), (5, 0));
    }

    #[test]
    fn only_what_came_between_two_readings_counts() {
        let before = Buckets::parse(TEXT, "a").unwrap();
        let after = Buckets::parse(&TEXT.replace(" 30", " 31").replace(" 40", " 41"), "a").unwrap();
        let mut between = Buckets::default();
        between.add_between(&before, &after);
        assert_eq!((between.count(), between.quantile_us(0.5)), (1, Some(1_500.0)));
    }
}

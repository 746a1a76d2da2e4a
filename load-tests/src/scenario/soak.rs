//! `soak`: a long exam; what grows is a leak or is explained.

use super::Place;
use super::field::{Field, say};
use super::file::{CrowdPlan, Soak};
use super::paced::{closing, latency};
use crate::crowd::Pace;
use crate::report::{Figure, Run, Second, ms};
use std::time::Duration;
use tokio::time::Instant;

/// An hour may leave so much behind, of the memory at its beginning.
const GROWTH_PCT_PER_HOUR: f64 = 5.0;
/// A trend of less time says more about one allocation than about an hour, and has no target.
const TREND_MIN_MINUTES: f64 = 10.0;

pub(super) async fn run(place: &Place, plan: &CrowdPlan, part: &Soak) -> anyhow::Result<Run> {
    let mut field = Field::prepared(place, plan, None).await?;
    field.crowd.begin().await?;
    field.idle().await?;
    let from = Instant::now() + Duration::from_millis(200);
    let count_from = from + Duration::from_secs(part.warm_up_s);
    let until = count_from + Duration::from_secs_f64(part.minutes * 60.0);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = Duration::from_secs_f64(field.crowd.len() as f64 / part.answers_per_s);
    let breaks = Duration::from_secs(part.breaks_every_s);
    let pace =
        Pace { mean: Some(mean), think: part.think, from, count_from, until, breaks_every: Some(breaks) };
    let connected = field.shared.tally().connected();
    let watch = field.watch(count_from, until)?;
    field.crowd.answer(&pace).await?;
    let watched = watch.end().await?;
    let connected = field.shared.tally().connected() - connected;
    say!("{connected} lines broke and came back, p99 {:.1} ms", ms(&watched.latencies, 0.99));
    let errors = field.shared.tally().take_errors();
    let waits = field.shared.tally().told_to_wait();
    let (lost, checked) = field.lost(plan.hand_in).await?;

    let warm = Duration::from_secs(part.warm_up_s).as_secs_f64();
    let counted: Vec<&Second> = watched.seconds.iter().filter(|second| second.at_s >= warm).collect();
    let mut run = Run { errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    run.figures.push(Figure::new("connections", "", f64::from(u32::try_from(field.crowd.len())?)));
    run.figures.push(Figure::new("counted", "min", part.minutes));
    run.figures.push(Figure::new("lines that broke and came back", "", f64::from(u32::try_from(connected)?)));
    latency(&mut run, &watched);
    run.figures.push(Figure::new("server, processor time", "cores", watched.server_cores));
    trends(&mut run, &counted, part.minutes);
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

fn trends(run: &mut Run, counted: &[&Second], minutes: f64) {
    let fit = |of: fn(&Second) -> f64| line(&counted.iter().map(|s| (s.at_s, of(s))).collect::<Vec<_>>());
    let memory = fit(|second| second.rss_mib);
    let answers = counted.iter().map(|second| second.rate).sum::<f64>()
        / f64::from(u32::try_from(counted.len()).unwrap_or(1).max(1));
    let pct = memory.slope * 3_600.0 / memory.at_begin.max(1.0) * 100.0;
    run.figures.push(Figure::new("memory at the beginning", "MiB", memory.at_begin));
    let trend = Figure::new("memory, trend", "% an hour", pct);
    run.figures.push(if minutes < TREND_MIN_MINUTES { trend } else { trend.at_most(GROWTH_PCT_PER_HOUR) });
    run.figures.push(Figure::new(
        "memory kept for an answer",
        "B",
        memory.slope / answers.max(1e-9) * 1_048_576.0,
    ));
    let descriptors = fit(|second| f64::from(second.descriptors));
    let threads = fit(|second| f64::from(second.threads));
    run.figures.push(Figure::new("descriptors, trend", "an hour", descriptors.slope * 3_600.0));
    run.figures.push(Figure::new("descriptors at the beginning", "", descriptors.at_begin));
    run.figures.push(Figure::new("threads, trend", "an hour", threads.slope * 3_600.0));
    run.notes.push("a trend is a least-squares line over all seconds after the warm-up; every answer of a running exam stays in memory until it is sealed".to_owned());
}

struct Line {
    slope: f64,
    at_begin: f64,
}

/// Least squares.
fn line(points: &[(f64, f64)]) -> Line {
    let n = f64::from(u32::try_from(points.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let above: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = if below > 0.0 { above / below } else { 0.0 };
    let first = points.first().map_or(0.0, |(x, _)| *x);
    Line { slope, at_begin: mean_y + slope * (first - mean_x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted() {
        let fitted = line(&[(10.0, 5.0), (11.0, 7.0), (12.0, 9.0)]);
        assert!((fitted.slope - 2.0).abs() < 1e-9 && (fitted.at_begin - 5.0).abs() < 1e-9);
        assert!(line(&[(1.0, 5.0)]).slope.abs() < 1e-9);
    }
}

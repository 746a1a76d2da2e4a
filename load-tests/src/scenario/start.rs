//! `start`: one bell for everybody.

use super::Place;
use super::field::{Field, say};
use super::file::{CrowdPlan, Start};
use super::paced::{closing, disk};
use crate::crowd::Pace;
use crate::crowd::Think;
use crate::report::{Figure, Run, ms};
use crate::staff::now_ms;
use anyhow::ensure;
use std::time::Duration;
use tokio::time::Instant;

/// Everybody has the first question within this time.
const ALL_WITHIN_S: f64 = 10.0;
const P99_MS: f64 = 2_000.0;
/// The clocks are the same machine's; a press that comes before the bell would be refused.
const AFTER_THE_BELL: Duration = Duration::from_millis(50);
/// Afterwards everybody gives about one answer, so that there is something to lose.
const ANSWERING: Duration = Duration::from_secs(4);

pub(super) async fn run(place: &Place, plan: &CrowdPlan, part: &Start) -> anyhow::Result<Run> {
    let wait_ms = i64::try_from(part.bell_after_s * 1_000)?;
    let opens_at = now_ms() + wait_ms;
    let mut field = Field::prepared(place, plan, Some(opens_at)).await?;
    let left = u64::try_from(opens_at - now_ms()).unwrap_or(0);
    ensure!(left > 2_000, "the preparation was not over before the bell; raise bell_after_s");
    let bell = Instant::now() + Duration::from_millis(left) + AFTER_THE_BELL;
    field.crowd.rest(bell - Duration::from_secs(2)).await?;
    drop(field.shared.tally().drain());
    let spread = Duration::from_millis(part.spread_ms);
    let watch = field.watch(bell, bell + spread + Duration::from_secs(1))?;
    field.crowd.begin_at(bell, spread).await?;
    let all = bell.elapsed();
    let watched = watch.end().await?;
    say!("the last first question came {:.2} s after the bell", all.as_secs_f64());

    let from = Instant::now();
    let mean = ANSWERING / 2;
    let until = from + ANSWERING;
    let pace =
        Pace { mean: Some(mean), think: Think::Uniform, from, count_from: from, until, breaks_every: None };
    field.crowd.answer(&pace).await?;
    let errors = field.shared.tally().take_errors();
    let waits = field.shared.tally().told_to_wait();
    let (lost, checked) = field.lost(plan.hand_in).await?;

    let mut run = Run { errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    let people = f64::from(u32::try_from(field.crowd.len())?);
    run.figures.push(Figure::new("candidates", "", people));
    run.figures.push(
        Figure::new("last first question after the bell", "s", all.as_secs_f64()).at_most(ALL_WITHIN_S),
    );
    run.figures.push(Figure::new("press to first question, p50", "ms", ms(&watched.latencies, 0.5)));
    run.figures.push(
        Figure::new("press to first question, p99", "ms", ms(&watched.latencies, 0.99)).at_most(P99_MS),
    );
    run.figures.push(Figure::new("press to first question, longest", "ms", ms(&watched.latencies, 1.0)));
    disk(&mut run, &watched);
    run.figures.push(Figure::new("server, processor time", "cores", watched.server_cores));
    run.figures.push(Figure::new("preparation of everybody", "s", field.preparation.as_secs_f64()));
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

//! `saturate`: a closed loop, the capacity of the whole path.

use super::Place;
use super::field::{Field, say};
use super::file::{CrowdPlan, Saturate};
use super::paced::{closing, disk};
use crate::crowd::{Pace, Think};
use crate::report::{Figure, Run, ms};
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn run(place: &Place, plan: &CrowdPlan, part: &Saturate) -> anyhow::Result<Run> {
    let mut field = Field::prepared(place, plan, None).await?;
    field.crowd.begin().await?;
    field.idle().await?;
    let from = Instant::now() + Duration::from_millis(200);
    let count_from = from + Duration::from_secs(part.warm_up_s);
    let until = count_from + Duration::from_secs(part.seconds);
    let pace = Pace { mean: None, think: Think::Constant, from, count_from, until, breaks_every: None };
    let watch = field.watch(count_from, until)?;
    field.crowd.answer(&pace).await?;
    let watched = watch.end().await?;
    let errors = field.shared.tally().take_errors();
    let waits = field.shared.tally().told_to_wait();
    #[expect(clippy::cast_precision_loss, reason = "seconds and answers of them")]
    let rate = watched.latencies.len() as f64 / part.seconds as f64;
    say!("{rate:.0} durable answers a second");
    let (lost, checked) = field.lost(plan.hand_in).await?;

    let mut run = Run { errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    run.figures.push(Figure::new("connections", "", f64::from(u32::try_from(field.crowd.len())?)));
    run.figures.push(Figure::new("durable answers", "/s", rate));
    run.figures.push(Figure::new("answer, p50", "ms", ms(&watched.latencies, 0.5)));
    run.figures.push(Figure::new("answer, p99", "ms", ms(&watched.latencies, 0.99)));
    disk(&mut run, &watched);
    run.figures.push(Figure::new("server, processor time", "cores", watched.server_cores));
    run.figures.push(Figure::new("generator, processor time", "cores", watched.own_cores));
    run.figures.push(Figure::new(
        "server, processor time of an answer",
        "us",
        watched.server_cores / rate * 1e6,
    ));
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

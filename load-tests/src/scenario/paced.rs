//! `paced`: many connections, a given rate, latency from the due time.

use super::Place;
use super::field::{Field, Watched, say};
use super::file::{CrowdPlan, Paced};
use crate::crowd::Pace;
use crate::report::{Figure, Run, ms};
use crate::usage::Usage;
use std::time::Duration;
use tokio::time::Instant;

/// A licence day must stay below this even where the disk is fast.
const P99_MS: f64 = 25.0;
/// Where it is slow: so many times its own 99th percentile.
const P99_OF_DISK: f64 = 15.0;
const SERVER_CORES: f64 = 1.5;
const KIB_PLAIN: f64 = 40.0;
const KIB_TLS: f64 = 60.0;
const CROWD_MIN: usize = 1_000;

pub(super) async fn run(place: &Place, plan: &CrowdPlan, part: &Paced) -> anyhow::Result<Run> {
    let mut field = Field::prepared(place, plan, None).await?;
    field.crowd.begin().await?;
    let idle = field.idle().await?;
    say!("{} connected, {:.1} KiB each", field.crowd.len(), field.kib_each(&idle));
    let from = Instant::now() + Duration::from_millis(200);
    let count_from = from + Duration::from_secs(part.warm_up_s);
    let until = count_from + Duration::from_secs(part.seconds);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = Duration::from_secs_f64(field.crowd.len() as f64 / part.answers_per_s);
    let pace = Pace { mean: Some(mean), think: part.think, from, count_from, until, breaks_every: None };
    let before = field.shared.tally().acknowledged();
    let watch = field.watch(count_from, until)?;
    field.crowd.answer(&pace).await?;
    let watched = watch.end().await?;
    let answered = field.shared.tally().acknowledged() - before;
    say!("{answered} answers, p99 {:.1} ms", ms(&watched.latencies, 0.99));
    let errors = field.shared.tally().take_errors();
    let waits = field.shared.tally().told_to_wait();
    let (lost, checked) = field.lost(plan.hand_in).await?;

    let mut run = Run { errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    let count = |value: u64| -> f64 { f64::from(u32::try_from(value).unwrap_or(u32::MAX)) };
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let rate = count(watched.latencies.len()) / part.seconds as f64;
    run.figures.push(Figure::new("connections", "", count(u64::try_from(field.crowd.len())?)));
    run.figures.push(Figure::new("proctors' walls", "", count(u64::try_from(field.walls.len())?)));
    run.figures
        .push(Figure::new("durable answers", "/s", rate).at_least(least(part.answers_per_s, part.seconds)));
    latency(&mut run, &watched);
    run.figures
        .push(Figure::new("server, processor time", "cores", watched.server_cores).at_most(SERVER_CORES));
    run.figures.push(Figure::new("generator, processor time", "cores", watched.own_cores));
    run.figures.push(memory(&field, plan, &idle));
    run.figures.push(Figure::new("preparation of everybody", "s", field.preparation.as_secs_f64()));
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

/// Of what is due, 98 %, less three standard deviations of what is due by chance (Poisson): a small crowd answers by
/// chance a little more or less.
#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn least(per_second: f64, seconds: u64) -> f64 {
    let due = per_second * seconds as f64;
    (0.98 * due - 3.0 * due.sqrt()).max(0.0) / seconds.max(1) as f64
}

/// One connected candidate with session state, after the whole preparation. In a small crowd it is the server's own
/// memory, shared out: there it has no target.
pub(super) fn memory(field: &Field, plan: &CrowdPlan, idle: &Usage) -> Figure {
    let (name, limit) = if plan.tls {
        ("memory of an idle candidate, TLS", KIB_TLS)
    } else {
        ("memory of an idle candidate, plain", KIB_PLAIN)
    };
    let figure = Figure::new(name, "KiB", field.kib_each(idle));
    if field.crowd.len() < CROWD_MIN { figure } else { figure.at_most(limit) }
}

/// Latency against the disk of the same run.
pub(super) fn latency(run: &mut Run, watched: &Watched) {
    let disk_p99 = ms(&watched.disk, 0.99);
    let limit = P99_MS.max(P99_OF_DISK * disk_p99);
    run.figures.push(Figure::new("answer, p50", "ms", ms(&watched.latencies, 0.5)));
    run.figures.push(Figure::new("answer, p99", "ms", ms(&watched.latencies, 0.99)).at_most(limit));
    run.figures.push(Figure::new("answer, p99.9", "ms", ms(&watched.latencies, 0.999)));
    disk(run, watched);
}

pub(super) fn disk(run: &mut Run, watched: &Watched) {
    run.figures.push(Figure::new("fdatasync beside it, p50", "ms", ms(&watched.disk, 0.5)));
    run.figures.push(Figure::new("fdatasync beside it, p99", "ms", ms(&watched.disk, 0.99)));
}

/// What every scenario ends with.
pub(super) fn closing(run: &mut Run, waits: u64, lost: u64, checked: u64) {
    let count = |value: u64| -> f64 { f64::from(u32::try_from(value).unwrap_or(u32::MAX)) };
    let errors: u64 = run.errors.values().sum();
    run.figures.push(Figure::new("errors", "", count(errors)).at_most(0.0));
    run.figures.push(Figure::new("told to wait and came again", "", count(waits)));
    run.figures.push(Figure::new("acknowledged answers looked for", "", count(checked)));
    run.figures.push(Figure::new("acknowledged answers lost", "", count(lost)).at_most(0.0));
}

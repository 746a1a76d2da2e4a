//! `reconnect`: every socket breaks at once; then the server dies with everybody's exam running.

use super::Place;
use super::field::{Field, say};
use super::file::{CrowdPlan, Reconnect};
use super::paced::{closing, memory};
use crate::crowd::{Pace, Think};
use crate::report::{Figure, Run, ms};
use std::time::Duration;
use tokio::time::Instant;

/// Everybody is back within this time of the break, and of the start after a kill.
const BACK_WITHIN_S: f64 = 10.0;
/// A page that a fall of the server took away is waited for so long.
const RETURN_WAIT: Duration = Duration::from_secs(15);
/// The remaining time is exact to this.
const EXACT_TO_S: f64 = 2.0;
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(place: &Place, plan: &CrowdPlan, part: &Reconnect) -> anyhow::Result<Run> {
    let mut field = Field::prepared(place, plan, None).await?;
    field.crowd.begin().await?;
    let idle = field.idle().await?;
    answer(&mut field, part).await?;

    let now = Instant::now();
    let watch = field.watch(now, now + Duration::from_millis(part.jitter_ms))?;
    let back = field.crowd.storm(Duration::from_millis(part.jitter_ms)).await?;
    let watched = watch.end().await?;
    let storm_errors = field.shared.tally().take_errors();
    say!("{} are back {:.2} s after all sockets broke", field.crowd.len(), back.as_secs_f64());

    let mut run = Run { errors: storm_errors, seconds: watched.seconds.clone(), ..Run::default() };
    run.curve_of(&watched.latencies);
    let people = f64::from(u32::try_from(field.crowd.len())?);
    run.figures.push(memory(&field, plan, &idle));
    let kind = if plan.tls { "TLS" } else { "plain" };
    run.figures.push(Figure::new("candidates", "", people));
    let name = format!("all sockets broken, everybody back, {kind}");
    run.figures.push(Figure::new(&name, "s", back.as_secs_f64()).at_most(BACK_WITHIN_S));
    run.figures.push(Figure::new("first try to welcome, p50", "ms", ms(&watched.latencies, 0.5)));
    run.figures.push(Figure::new("first try to welcome, p99", "ms", ms(&watched.latencies, 0.99)));
    run.figures.push(Figure::new(
        "server, processor time of a return",
        "us",
        watched.server_cores * f64::from(u32::try_from(part.jitter_ms)?) / people * 1e3,
    ));
    run.notes
        .push(format!("pages come back within {} ms of the break, each at its own instant", part.jitter_ms));
    if part.kill {
        kill(&mut field, part, &mut run).await?;
    }
    let waits = field.shared.tally().told_to_wait();
    let (lost, checked) = field.lost(plan.hand_in).await?;
    closing(&mut run, waits, lost, checked);
    Ok(run)
}

async fn answer(field: &mut Field, part: &Reconnect) -> anyhow::Result<()> {
    let from = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = Duration::from_secs_f64(field.crowd.len() as f64 / part.answers_per_s);
    let until = from + Duration::from_secs(part.seconds);
    let pace = Pace {
        mean: Some(mean),
        think: Think::Exponential,
        from,
        count_from: from,
        until,
        breaks_every: None,
    };
    field.crowd.answer(&pace).await?;
    drop(field.shared.tally().drain());
    Ok(())
}

/// SIGKILL under load and a new start. What a candidate lost of the exam while nobody could answer is the error.
async fn kill(field: &mut Field, part: &Reconnect, run: &mut Run) -> anyhow::Result<()> {
    answer(field, part).await?;
    let left: Vec<_> = field.crowd.candidates().iter().map(crate::crowd::Light::remaining).collect();
    field.room.kill()?;
    let killed = Instant::now();
    let started = Instant::now();
    let Field { room, crowd, .. } = field;
    let (reopened, returned) = tokio::join!(
        async { tokio::task::block_in_place(|| room.reopen()) },
        crowd.return_after_crash(PATIENCE)
    );
    reopened?;
    returned?;
    let back = started.elapsed();
    let open = started + room.took;
    say!(
        "everybody is back {:.2} s after the start, the port was open after {:.2} s",
        back.as_secs_f64(),
        room.took.as_secs_f64()
    );
    let mut worst = 0.0_f64;
    for (before, light) in left.iter().zip(crowd.candidates()) {
        let (Some((before_ms, read)), Some((after_ms, welcomed))) = (before, light.remaining()) else {
            continue;
        };
        let at_kill = ms_of(*before_ms) - (killed - *read).as_secs_f64() * 1e3;
        // Down time and the way back are the server's. The way begins when the session is in memory again, which is not
        // seen from here: at the open port at the earliest, so that somebody who is later may have lost that much.
        let late = welcomed.saturating_duration_since(open + RETURN_WAIT).as_secs_f64() * 1e3;
        let given = ms_of(after_ms);
        worst = worst.max((at_kill - late - given).max(given - at_kill) / 1e3);
    }
    for (error, count) in field.shared.tally().take_errors() {
        // A server that is gone takes walls and sockets with it.
        if error.starts_with("a wall") {
            continue;
        }
        *run.errors.entry(format!("after the kill: {error}")).or_default() += count;
    }
    run.figures.push(Figure::new("kill -9: start to open port", "s", field.room.took.as_secs_f64()));
    run.figures.push(
        Figure::new("kill -9: start to everybody resumed", "s", back.as_secs_f64()).at_most(BACK_WITHIN_S),
    );
    run.figures
        .push(Figure::new("kill -9: worst error of the remaining time", "s", worst).at_most(EXACT_TO_S));
    let usage = field.idle().await?;
    run.figures.push(Figure::new(
        "kill -9: memory of an idle candidate afterwards",
        "KiB",
        field.kib_each(&usage),
    ));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of an exam")]
fn ms_of(value: i64) -> f64 {
    value as f64
}

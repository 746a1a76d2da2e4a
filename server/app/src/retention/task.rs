//! Once a day, at night, inside the server.

use super::{AFTER_RESTORE, Eraser, Keeping};
use crate::installation::Restored;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::time::At;
use synaq_runtime::Clock;

/// 03:00 at +05:00, when nobody sits an exam: clearing keys out may hold the database up for seconds.
const HOUR_UTC: i64 = 22;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Ends what was begun, then erases what is due each night, until aborted.
pub(crate) async fn daily(
    eraser: Eraser,
    keeping: Keeping,
    restored: Option<Restored>,
    clock: Arc<dyn Clock>,
) {
    let begun = match restored {
        Some(_) => eraser.reapply(clock.now()).await,
        None => eraser.resume(clock.now()).await,
    };
    if let Err(error) = begun {
        failed(&error);
    }
    if !keeping.automatic {
        return tracing::warn!("evidence is not erased by itself ([retention] automatic = false)");
    }
    loop {
        tokio::time::sleep(until_night(clock.now())).await;
        let now = clock.now();
        if let Some(left) = restored.and_then(|restored| waits(&restored, now)) {
            tracing::warn!(hours = left / HOUR_MS, "nothing is erased yet: this folder was restored");
            continue;
        }
        match eraser.run(&keeping.terms, now).await {
            Ok(outcome) => {
                metrics::gauge!("synaq_retention_held").set(count(outcome.held));
                metrics::gauge!("synaq_retention_undecided").set(count(outcome.undecided));
                tracing::info!(?outcome, "evidence whose time is over was erased");
            }
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &anyhow::Error) {
    metrics::counter!("synaq_retention_failures_total").increment(1);
    tracing::error!(error = format!("{error:#}"), "evidence was not erased; tried again next night");
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; nobody has 2^52 sessions")]
fn count(number: usize) -> f64 {
    number as f64
}

/// How long a restored folder still waits, ms.
pub(crate) fn waits(restored: &Restored, now: At) -> Option<i64> {
    let wait = i64::try_from(AFTER_RESTORE.as_millis()).unwrap_or(i64::MAX);
    Some(restored.restored_at + wait - now.0).filter(|left| *left > 0)
}

fn until_night(now: At) -> Duration {
    let since_midnight = now.0.rem_euclid(DAY_MS);
    let wait = (HOUR_UTC * HOUR_MS - since_midnight).rem_euclid(DAY_MS);
    Duration::from_millis(if wait == 0 { DAY_MS } else { wait }.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_comes_within_a_day_and_a_restored_folder_waits() {
        let at = |hour: i64| until_night(At(20_000 * DAY_MS + hour * HOUR_MS));
        let hours = |n: u64| Duration::from_secs(n * 3_600);
        assert_eq!((at(0), at(21), at(22), at(23)), (hours(22), hours(1), hours(24), hours(23)));
        let restored = Restored { taken_at: 0, restored_at: 0 };
        assert_eq!(waits(&restored, At(13 * DAY_MS)), Some(DAY_MS));
        assert_eq!(waits(&restored, At(14 * DAY_MS)), None);
    }
}

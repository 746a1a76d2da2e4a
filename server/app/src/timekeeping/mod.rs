//! Evidence of the clock: how it stood beside the machine's and beside time servers, kept for whoever must believe the times
//! of a record. Nothing is corrected by it: deadlines go by the server's own clock, which no step moves.

mod sntp;

use crate::clock::{SystemClock, wall_millis};
use metrics::gauge;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::time::{At, Span};
use synaq_runtime::Clock as _;
use synaq_store::{ClockMark, Clocks};

/// The machine's clock is looked at so often, so that a step has its moment.
const LOOK: Duration = Duration::from_secs(10);
/// What is the same is said again so often, and servers are asked.
const AGAIN: Span = Span::mins(10);
/// A clock that is kept by slewing moves 0.5 ms a second at most: 5 ms between two looks.
const STEP_MS: i64 = 200;

/// Of the process: its clock began as the machine's.
const START: &str = "start";
/// The machine's clock.
const WALL: &str = "wall";

/// Looks at clocks until aborted.
pub(crate) async fn watch(rows: Arc<dyn Clocks>, clock: SystemClock, servers: Vec<String>) {
    let mut look = Look::default();
    loop {
        let (now, ahead) = (clock.now(), clock.now().0 - wall_millis());
        gauge!("synaq_clock_ahead_of_wall_ms").set(float(ahead));
        if let Some(mark) = look.at(now, ahead) {
            keep(&*rows, mark).await;
        }
        if look.asks(now) {
            for server in &servers {
                keep(&*rows, ask(server, clock).await).await;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What was seen of the machine's clock before.
#[derive(Debug, Default)]
struct Look {
    last: Option<(At, i64)>,
    asked: Option<At>,
}

impl Look {
    /// What is worth a mark: the start, a step, and every now and then that nothing changed.
    fn at(&mut self, now: At, ahead_ms: i64) -> Option<ClockMark> {
        let source = match self.last {
            None => START,
            Some((_, before)) if (ahead_ms - before).abs() >= STEP_MS => {
                tracing::warn!(before, ahead_ms, "the machine's clock was stepped; deadlines do not move");
                WALL
            }
            Some((at, _)) if now - at >= AGAIN => WALL,
            Some(_) => return None,
        };
        self.last = Some((now, ahead_ms));
        // Two readings, one after the other.
        Some(ClockMark {
            at: now,
            source: source.to_owned(),
            ahead_ms: Some(ahead_ms),
            within_ms: Some(1),
            why: None,
        })
    }

    /// It is time to ask the servers.
    fn asks(&mut self, now: At) -> bool {
        let due = self.asked.is_none_or(|asked| now - asked >= AGAIN);
        if due {
            self.asked = Some(now);
        }
        due
    }
}

async fn ask(server: &str, clock: SystemClock) -> ClockMark {
    let mut nonce = [0; 8];
    // Without entropy an answer could be forged, and is asked for all the same.
    let _ = SystemRandom::new().fill(&mut nonce);
    let answer = sntp::ask(server, nonce, || clock.now()).await;
    let mark =
        ClockMark { at: clock.now(), source: server.to_owned(), ahead_ms: None, within_ms: None, why: None };
    match answer {
        Ok(answer) => {
            gauge!("synaq_clock_ahead_of_server_ms").set(float(answer.ahead_ms));
            ClockMark { ahead_ms: Some(answer.ahead_ms), within_ms: Some(answer.within_ms), ..mark }
        }
        Err(silence) => {
            tracing::warn!(server, why = %silence, "a time server did not answer; asked again in ten minutes");
            ClockMark { why: Some(silence.to_string()), ..mark }
        }
    }
}

async fn keep(rows: &dyn Clocks, mark: ClockMark) {
    if let Err(error) = rows.note_clock(mark).await {
        tracing::warn!(%error, "how the clock stands could not be kept");
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a difference are far below 2^52")]
const fn float(ms: i64) -> f64 {
    ms as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_its_moment_and_what_stays_is_said_now_and_then() {
        let mut look = Look::default();
        let mut seen = |seconds: i64, ahead_ms: i64| {
            look.at(At(1_800_000_000_000) + Span::secs(seconds), ahead_ms)
                .map(|mark| (mark.source, mark.ahead_ms))
        };
        assert_eq!(seen(0, 0), Some(("start".to_owned(), Some(0))));
        assert_eq!(seen(10, 3), None, "slewing is no step");
        assert_eq!(seen(20, 3_600_003), Some(("wall".to_owned(), Some(3_600_003))));
        assert_eq!(seen(30, 3_600_005), None);
        assert_eq!(seen(619, 3_600_005), None);
        assert_eq!(seen(620, 3_600_006), Some(("wall".to_owned(), Some(3_600_006))));
        assert_eq!(seen(630, 5), Some(("wall".to_owned(), Some(5))), "and back");
    }

    #[test]
    fn servers_are_asked_at_the_start_and_then_every_ten_minutes() {
        let mut look = Look::default();
        let asked = [0, 10, 590, 600, 610, 1_200].map(|seconds| look.asks(At(0) + Span::secs(seconds)));
        assert_eq!(asked, [true, false, false, true, false, true]);
    }
}

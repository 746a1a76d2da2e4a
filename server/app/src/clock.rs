//! The one real clock: wall time at start, carried on by the time since the machine's start, so that a stepped wall clock
//! moves no deadline. That time goes on while a machine is suspended, where the monotonic clock of Linux stands still:
//! what is written afterwards is as late as it is, and the runtime sees that nobody was served.

use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};
use synaq_core::time::At;
use synaq_runtime::Clock;

/// Real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started: At,
    since: i64,
}

impl SystemClock {
    /// Starts from the wall clock.
    pub(crate) fn start() -> Self {
        Self { started: At(wall_millis()), since: uptime_millis() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> At {
        At(self.started.0 + uptime_millis() - self.since)
    }
}

/// Milliseconds since the machine was started, suspended or not.
fn uptime_millis() -> i64 {
    let up = clock_gettime(ClockId::Boottime);
    up.tv_sec * 1_000 + up.tv_nsec / 1_000_000
}

/// Milliseconds UTC by the wall clock.
pub(crate) fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set after 1970");
    i64::try_from(since.as_millis()).expect("the clock is set before year 292 million")
}

//! The one real clock: wall time at start, carried on by the monotonic clock, so that a stepped wall clock moves no
//! deadline.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use synaq_core::time::At;
use synaq_runtime::Clock;

/// Real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started: At,
    since: Instant,
}

impl SystemClock {
    /// Starts from the wall clock.
    pub(crate) fn start() -> Self {
        Self { started: At(wall_millis()), since: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> At {
        let run =
            i64::try_from(self.since.elapsed().as_millis()).expect("no process runs for 292 million years");
        At(self.started.0 + run)
    }
}

/// Milliseconds UTC by the wall clock.
pub(crate) fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set after 1970");
    i64::try_from(since.as_millis()).expect("the clock is set before year 292 million")
}

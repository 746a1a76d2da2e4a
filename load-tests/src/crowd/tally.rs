//! What happened, counted while it happens.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// Longest latency that is told apart.
const MOST_US: u64 = 600_000_000;
/// Two candidates rarely meet at one lock.
const SHARDS: usize = 16;

/// Latencies in microseconds.
pub type Latencies = Histogram<u64>;

/// An empty histogram: 0.1 % of resolution up to ten minutes.
#[must_use]
pub fn latencies() -> Latencies {
    Histogram::new_with_bounds(1, MOST_US, 3).expect("the bounds are in order")
}

/// Shared by a whole crowd.
#[derive(Debug)]
pub struct Tally {
    shards: Vec<Mutex<Latencies>>,
    errors: Mutex<BTreeMap<String, u64>>,
    acknowledged: AtomicU64,
    lost: AtomicU64,
    checked: AtomicU64,
    told_to_wait: AtomicU64,
    connected: AtomicU64,
    done: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(latencies())).collect(),
            errors: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            checked: AtomicU64::new(0),
            told_to_wait: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $count:ident, $read:ident: $field:ident;)+) => {$(
        pub(crate) fn $count(&self, by: u64) {
            self.$field.fetch_add(by, Ordering::Relaxed);
        }

        $(#[$doc])*
        #[must_use]
        pub fn $read(&self) -> u64 {
            self.$field.load(Ordering::Relaxed)
        }
    )+};
}

impl Tally {
    counters! {
        /// Commands whose acknowledgement was read.
        count_acknowledged, acknowledged: acknowledged;
        /// Acknowledged answers that a later view did not have: must be zero.
        count_lost, lost: lost;
        /// Acknowledged answers that were looked for.
        count_checked, checked: checked;
        /// `busy` and the like: told to come again, and came.
        count_told_to_wait, told_to_wait: told_to_wait;
        /// Sockets opened so far.
        count_connected, connected: connected;
        /// Candidates who are through with the present step.
        count_done, done: done;
    }

    /// Begins to count the candidates who are through anew.
    pub(crate) fn reset_done(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    /// Something took from then to now.
    pub(crate) fn took(&self, shard: usize, since: Instant) {
        let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(MOST_US).clamp(1, MOST_US);
        let mut histogram = self.shards[shard % SHARDS].lock().expect("nobody panics with it");
        histogram.record(us).expect("within the bounds");
    }

    /// Everything that was taken since the last call.
    #[must_use]
    pub fn drain(&self) -> Latencies {
        let mut all = latencies();
        for shard in &self.shards {
            let mut histogram = shard.lock().expect("nobody panics with it");
            all.add(&*histogram).expect("of the same bounds");
            histogram.reset();
        }
        all
    }

    /// Something went wrong, under a short name without ids.
    pub(crate) fn error(&self, name: &str) {
        let mut errors = self.errors.lock().expect("nobody panics with it");
        *errors.entry(name.to_owned()).or_default() += 1;
    }

    /// Errors by name since the last call.
    #[must_use]
    pub fn take_errors(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.errors.lock().expect("nobody panics with it"))
    }
}

//! What the shards tell of themselves. Instruments are looked up once, not per commit.

use metrics::{Gauge, Histogram, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// The instruments of one shard.
pub(crate) struct Meters {
    /// From the call of the store to its answer
    pub(crate) commit_seconds: Histogram,
    /// Events that shared a commit
    pub(crate) commit_events: Histogram,
    /// From posting to being taken up
    pub(crate) mailbox_wait_seconds: Histogram,
    /// In memory, of all shards
    pub(crate) sessions_loaded: Gauge,
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe_histogram!("synaq_commit_seconds", "Time of one durable append of a group of events");
        describe_histogram!("synaq_commit_events", "Events that shared one durable append");
        describe_histogram!("synaq_mailbox_wait_seconds", "Time an input waited before it was decided");
        describe_gauge!("synaq_sessions_loaded", "Sessions in memory");
        describe_counter!("synaq_submit_refused_total", "Inputs that were not decided or not stored");
        Self {
            commit_seconds: histogram!("synaq_commit_seconds"),
            commit_events: histogram!("synaq_commit_events"),
            mailbox_wait_seconds: histogram!("synaq_mailbox_wait_seconds"),
            sessions_loaded: gauge!("synaq_sessions_loaded"),
        }
    }
}

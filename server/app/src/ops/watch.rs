//! A started installation as its operator sees it.

use super::disk;
use crate::adapter::depot::Depot;
use crate::adapter::watched_log::StoreWatch;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use synaq_runtime::Clock;
use synaq_store::{Mail, Outbox};
use synaq_web::{Drain, Queue};

/// Everything an operator may want to look at.
#[derive(Clone)]
pub(crate) struct Watch {
    /// What the store does
    pub(crate) store: Arc<StoreWatch>,
    /// Sessions on their way back
    pub(crate) runtime: synaq_runtime::Handle,
    /// Whether sockets must leave
    pub(crate) drain: Drain,
    /// Candidates who wait to come in
    pub(crate) queue: Queue,
    /// Pictures and sound
    pub(crate) media: synaq_media::Handle,
    /// What waits for the platform
    pub(crate) outbox: Arc<dyn Outbox>,
    /// Letters on their way
    pub(crate) mail: Arc<dyn Mail>,
    /// The clock
    pub(crate) clock: Arc<dyn Clock>,
    /// What carries evidence to a store
    pub(crate) depot: Option<Arc<Depot>>,
    /// Folders whose disk must have room, with their names
    pub(crate) folders: [(&'static str, PathBuf); 2],
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch(..)")
    }
}

/// A check that failed.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(crate) struct Failing {
    /// starting | draining | store | lease | queue | evidence | disk
    pub(crate) check: &'static str,
    /// What is wrong, for the operator
    pub(crate) why: String,
}

impl Failing {
    pub(crate) fn new(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, why: why.into() }
    }
}

impl Watch {
    /// Everything that speaks against sending candidates here now.
    pub(crate) fn failing(&self, disk_reserve: u64) -> Vec<Failing> {
        let mut failing = Vec::new();
        if self.drain.begun() {
            failing.push(Failing::new("draining", "the server is going down"));
        }
        if self.store.fenced() {
            failing.push(Failing::new("lease", "another process has taken the sessions over"));
        }
        if let Some(why) = self.store.fault() {
            failing.push(Failing::new("store", why));
        }
        if self.queue.is_full() {
            failing.push(Failing::new("queue", "the queue of candidates is full; running exams go on"));
        }
        if self.depot.as_ref().is_some_and(|depot| depot.is_full()) {
            let why = "as much evidence as may waits for its store, and nothing more is recorded; running exams go on";
            failing.push(Failing::new("evidence", why));
        }
        for (name, folder) in &self.folders {
            match disk::free_bytes(folder) {
                Ok(free) if free < disk_reserve => failing.push(Failing::new(
                    "disk",
                    format!("{name}: {free} bytes are free, {disk_reserve} are kept in reserve"),
                )),
                Ok(_) => {}
                Err(error) => failing.push(Failing::new("disk", format!("{name}: {error}"))),
            }
        }
        failing
    }
}

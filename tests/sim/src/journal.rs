//! The log as the runtime sees it: it takes time, it is watched for what it must never take, and for tests of the suite
//! itself it can have a bug.

use crate::history::History;
use async_trait::async_trait;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_store::{Batch, Committed, Error, EventLog, Lease, Recorded, SimStore, StoredRecord, Summary};
use uuid::Uuid;

/// A commit takes this long when nothing is wrong.
const COMMIT_MS: u64 = 3;

/// Appends and loads of one run: more means that something goes round in circles. Ten times what runs need.
const CALLS_MAX: u64 = 30_000;

/// A bug planted into the log, to show that the suite finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// `Ok` before anything is stored: a crash loses what was acknowledged
    AcknowledgeBeforeCommit,
    /// A process that was taken over still writes
    NoFence,
    /// A violation that began before the warning took effect warns once more
    DoubleWarning,
}

/// What all processes of a run share.
#[derive(Debug, Default)]
pub(crate) struct Common {
    /// The newest lease; 0 before the first
    newest: AtomicU64,
    /// What a commit takes longer, while a fault lasts
    pub(crate) slower_ms: AtomicU64,
    holder: Mutex<Option<Lease>>,
    /// Appends and loads so far
    calls: AtomicU64,
}

/// One process's log.
pub(crate) struct Journal {
    pub(crate) store: Arc<SimStore>,
    pub(crate) common: Arc<Common>,
    pub(crate) history: Arc<History>,
    pub(crate) bug: Option<Bug>,
    /// Answered, and not yet stored
    unwritten: Mutex<Vec<(Lease, Arc<Batch>)>>,
}

impl Journal {
    pub(crate) fn new(
        store: Arc<SimStore>,
        common: Arc<Common>,
        history: Arc<History>,
        bug: Option<Bug>,
    ) -> Self {
        Self { store, common, history, bug, unwritten: Mutex::default() }
    }

    async fn write_out(&self) {
        let unwritten = std::mem::take(&mut *self.unwritten.lock().expect("no panic while locked"));
        for (lease, batch) in unwritten {
            // Whoever was told Ok never hears of it: that is the bug.
            let _ = self.store.append(lease, batch).await;
        }
    }

    fn doubled(batch: &Batch) -> Batch {
        let mut batch = batch.clone();
        for event in batch.events.iter_mut().filter(|event| event.kind == "violation_counted") {
            event.body = event.body.replace(r#""consequence":"none""#, r#""consequence":"warning""#);
        }
        batch
    }

    /// A process that goes round in circles is stopped here, or the run would never end.
    async fn called(&self, session: Option<SessionId>, what: impl Fn() -> String) {
        match self.common.calls.fetch_add(1, Ordering::SeqCst) {
            CALLS_MAX => self.history.find("no_end", session, what()),
            calls if calls < CALLS_MAX => return,
            _ => {}
        }
        std::future::pending().await
    }

    /// `newest` is the lease in force when the append was asked for: one that was stored in time may answer late.
    fn note(&self, answer: &Result<Committed<Arc<Batch>>, Error>, lease: Lease, newest: u64) {
        match answer {
            Ok(_) => {
                self.history.count("commits");
                if lease.epoch < newest {
                    let detail =
                        format!("a process with lease {} wrote after it was taken over", lease.epoch);
                    self.history.find("fence", None, detail);
                }
            }
            Err(Error::Fenced) => self.history.count("append_fenced"),
            Err(Error::DiskFull) => self.history.count("append_disk_full"),
            Err(Error::Duplicate { .. }) => self.history.count("append_duplicate"),
            Err(_) => self.history.count("append_unavailable"),
        }
    }
}

#[async_trait]
impl EventLog for Journal {
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error> {
        let lease = self.store.take_lease(node, at).await?;
        self.common.newest.fetch_max(lease.epoch, Ordering::SeqCst);
        *self.common.holder.lock().expect("no panic while locked") = Some(lease);
        Ok(lease)
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        let kinds = || batch.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>().join(" ");
        self.called(batch.events.first().map(|event| event.stream), kinds).await;
        let slower = self.common.slower_ms.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(COMMIT_MS + slower)).await;
        let newest = self.common.newest.load(Ordering::SeqCst);
        let answer = match self.bug {
            Some(Bug::AcknowledgeBeforeCommit) => {
                self.unwritten.lock().expect("no panic while locked").push((lease, Arc::clone(&batch)));
                Ok(Committed::by_engine(batch))
            }
            Some(Bug::NoFence) => {
                let holder = self.common.holder.lock().expect("no panic while locked").unwrap_or(lease);
                self.store.append(holder, batch).await
            }
            Some(Bug::DoubleWarning) => self.store.append(lease, Arc::new(Self::doubled(&batch))).await,
            None => self.store.append(lease, batch).await,
        };
        self.note(&answer, lease, newest);
        answer
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        self.called(Some(stream), || "loads".to_owned()).await;
        self.write_out().await;
        self.store.load(stream, after).await
    }

    async fn live(&self) -> Result<Vec<SessionId>, Error> {
        self.store.live().await
    }

    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error> {
        self.write_out().await;
        self.store.mark(lease, at).await
    }

    async fn last_mark(&self) -> Result<Option<At>, Error> {
        self.store.last_mark().await
    }

    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error> {
        self.store.record(session).await
    }

    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error> {
        self.store.summaries(sessions).await
    }
}

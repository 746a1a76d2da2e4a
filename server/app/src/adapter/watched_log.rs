//! The log as the runtime writes it, watched from outside: when it last took something, and whether it still does.

use async_trait::async_trait;
use metrics::counter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_store::{Batch, Committed, Error, EventLog, Lease, Recorded, StoredRecord, Summary};
use uuid::Uuid;

/// The runtime writes a time mark every second; a store that took none for this long takes no answers either.
const SILENT: Duration = Duration::from_secs(10);
/// A mark is small and may fit where no answer does, so it makes up for a failed batch only after a while without one.
const FORGIVEN: Duration = Duration::from_secs(30);

/// What was seen of the store.
#[derive(Debug, Default)]
pub(crate) struct StoreWatch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    committed: Option<Instant>,
    written: Option<Instant>,
    refused: Option<Instant>,
    fenced: bool,
}

impl StoreWatch {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the newest batch of events was durable; none before the first.
    pub(crate) fn since_commit(&self) -> Option<Duration> {
        self.lock().committed.map(|at| at.elapsed())
    }

    /// Whether another process has taken the sessions over.
    pub(crate) fn fenced(&self) -> bool {
        self.lock().fenced
    }

    /// Why the store takes no answers now; none when it does.
    pub(crate) fn fault(&self) -> Option<String> {
        let seen = self.lock();
        match seen.written {
            _ if seen.refused.is_some_and(|at| at.elapsed() < FORGIVEN) => {
                Some("it did not take the last write; see the log for why".to_owned())
            }
            None => Some("it has taken nothing yet".to_owned()),
            Some(at) if at.elapsed() > SILENT => {
                Some(format!("it has taken nothing for {} s", at.elapsed().as_secs()))
            }
            Some(_) => None,
        }
    }

    fn saw<T>(&self, outcome: &Result<T, Error>, commit: bool) {
        let mut seen = self.lock();
        match outcome {
            Ok(_) => {
                seen.written = Some(Instant::now());
                if commit {
                    seen.committed = seen.written;
                    seen.refused = None;
                }
            }
            Err(Error::Fenced) => seen.fenced = true,
            // Anything else is about what was to be stored, not about the store.
            Err(Error::Unavailable(_) | Error::DiskFull) => {
                counter!("synaq_store_failures_total").increment(1);
                seen.refused = Some(Instant::now());
            }
            Err(_) => {}
        }
    }
}

/// A log with somebody watching.
pub(crate) struct WatchedLog {
    log: Arc<dyn EventLog>,
    watch: Arc<StoreWatch>,
}

impl WatchedLog {
    /// Watches `log`.
    pub(crate) fn new(log: Arc<dyn EventLog>, watch: Arc<StoreWatch>) -> Self {
        Self { log, watch }
    }
}

#[async_trait]
impl EventLog for WatchedLog {
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error> {
        let taken = self.log.take_lease(node, at).await;
        self.watch.saw(&taken, false);
        taken
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        let appended = self.log.append(lease, batch).await;
        self.watch.saw(&appended, true);
        appended
    }

    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error> {
        let marked = self.log.mark(lease, at).await;
        self.watch.saw(&marked, false);
        marked
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        self.log.load(stream, after).await
    }

    async fn live(&self) -> Result<Vec<SessionId>, Error> {
        self.log.live().await
    }

    async fn last_mark(&self) -> Result<Option<At>, Error> {
        self.log.last_mark().await
    }

    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error> {
        self.log.record(session).await
    }

    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error> {
        self.log.summaries(sessions).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synaq_store::{Outage, SimStore};

    #[tokio::test]
    async fn a_store_that_fails_is_seen_until_it_takes_something_again() {
        let (store, watch) = (Arc::new(SimStore::new()), Arc::new(StoreWatch::default()));
        let log = WatchedLog::new(store.clone(), Arc::clone(&watch));
        assert!(watch.fault().unwrap().contains("nothing yet"));
        let lease = log.take_lease(Uuid::from_u128(1), At(1)).await.unwrap();
        assert_eq!((watch.fault(), watch.since_commit()), (None, None));
        let batch = || Arc::new(Batch::default());
        log.append(lease, batch()).await.unwrap();
        assert!(watch.since_commit().is_some());

        store.begin(Outage::FullDisk);
        log.append(lease, batch()).await.unwrap_err();
        assert!(watch.fault().unwrap().contains("did not take the last write"));
        store.end(Outage::FullDisk);
        log.append(lease, batch()).await.unwrap();
        assert_eq!(watch.fault(), None);

        let _other = store.take_lease(Uuid::from_u128(2), At(2)).await.unwrap();
        log.append(lease, batch()).await.unwrap_err();
        assert!(watch.fenced());
    }
}

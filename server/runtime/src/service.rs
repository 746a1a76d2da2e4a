//! Start and stop, in one written order.

use crate::changes::Changes;
use crate::driver::Driver;
use crate::errand::Errands;
use crate::handle::{Door, Handle, shard_of};
use crate::memory::{Away, Memory};
use crate::meters::Meters;
use crate::ports::{Clock, PlatformPort, SessionSource};
use crate::relay::Relay;
use crate::round::Ahead;
use crate::sealing::SealingKeys;
use crate::shard::{Request, Shard};
use std::sync::Arc;
use std::time::Duration;
use synaq_store::{Error as StoreError, EventLog, Lease, Outbox};
use tokio::runtime::RuntimeFlavor;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// Limits of the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Shards: sessions are spread over them, and each decides and stores for itself
    pub shards: usize,
    /// Inputs that may wait per shard: about 2 s of a synchronised start of 500 candidates
    pub mailbox: usize,
    /// Inputs of one commit
    pub batch_inputs: usize,
    /// Events of a batch from which on its commit goes to another thread, and the next batch is decided meanwhile. A
    /// small one is stored sooner than a thread is woken
    pub ahead_from: usize,
    /// What a refused client is told to wait
    pub retry_after_ms: u64,
    /// The store appends on the thread that asks, as SQLite does: a shard has a thread of its own then
    pub appends_in_place: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shards: 1,
            mailbox: 4_096,
            batch_inputs: 1_024,
            ahead_from: 16,
            retry_after_ms: 500,
            appends_in_place: true,
        }
    }
}

/// How often "this node is alive" is written: the error of a credited downtime (P2).
const MARK_EVERY: Duration = Duration::from_secs(1);

/// Everything outside.
pub struct Ports {
    /// Durable truth
    pub log: Arc<dyn EventLog>,
    /// What must reach the platform
    pub outbox: Arc<dyn Outbox>,
    /// Programme, bank, candidate
    pub source: Arc<dyn SessionSource>,
    /// The way to the platform
    pub platform: Arc<dyn PlatformPort>,
    /// Seal, approval, trusted platform keys
    pub keys: SealingKeys,
    /// Real time
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports(..)")
    }
}

/// Why the runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No lease, no marks, or no list of live sessions
    #[error("the store cannot be taken over")]
    Store(#[source] StoreError),
}

/// A running runtime; dropping it aborts, [`Running::stop`] drains.
#[derive(Debug)]
pub struct Running {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Takes the store over and opens the mailboxes. Every live session comes back with our downtime credited, those
    /// first that somebody asks for; until then none of its deadlines can pass ([`Handle::coming_back`]).
    pub async fn start(options: Options, ports: Ports, node: Uuid) -> Result<(Handle, Self), StartError> {
        let ports = Arc::new(ports);
        let lease = ports.log.take_lease(node, ports.clock.now()).await.map_err(StartError::Store)?;
        let last_mark = ports.log.last_mark().await.map_err(StartError::Store)?;
        let down_from = last_mark.unwrap_or_else(|| ports.clock.now());
        let live = ports.log.live().await.map_err(StartError::Store)?;

        let (stop, stopped) = watch::channel(false);
        let changes = Arc::new(Changes::default());
        let outbox_filled = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let count = options.shards.max(1);
        let (say, away): (Vec<_>, Vec<_>) = (0..count).map(|_| watch::channel(Away::default())).unzip();
        let shards: Vec<_> = say
            .into_iter()
            .enumerate()
            .map(|(no, away)| {
                let (mailbox, requests) = mpsc::channel::<Request>(options.mailbox);
                let meters = Meters::new();
                let own = live.iter().copied().filter(|session| shard_of(*session, count) == no);
                let memory = Memory::new(meters.sessions_loaded.clone(), down_from, own.clone(), away);
                let shard = Shard {
                    ports: Arc::clone(&ports),
                    options,
                    lease,
                    changes: Arc::clone(&changes),
                    outbox_filled: Arc::clone(&outbox_filled),
                    memory,
                    errands: Errands::new(Arc::clone(&ports), options.mailbox, own.collect()),
                    ahead: Ahead::default(),
                    meters,
                    fenced: false,
                    quiet: Arc::default(),
                };
                let driver = spawn(&mut tasks, options, shard, requests, stopped.clone());
                Door { mailbox, driver }
            })
            .collect();
        let away: Arc<[_]> = away.into();
        let handle = Handle { shards: shards.into(), changes, retry_after_ms: options.retry_after_ms, away };
        tasks.spawn(mark(Arc::clone(&ports), lease, Arc::clone(&handle.away), stopped.clone()));
        tasks.spawn(Relay { ports, filled: outbox_filled }.run(stopped.clone()));
        tell_of_the_return(&handle, live.len(), stopped);
        Ok((handle, Self { tasks, stop }))
    }

    /// Waits until a task ended by itself: the store was taken over, or a task panicked. Either way this process must
    /// not go on.
    pub async fn ended(&mut self) {
        if let Some(Err(error)) = self.tasks.join_next().await {
            tracing::error!(%error, "a task of the runtime ended by panic");
        }
    }

    /// Stops the relay and the marks, and the shards once their mailboxes are empty; whoever submits later hears
    /// `ShuttingDown`.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the runtime ended by panic");
            }
        }
    }
}

/// Tells the log how many come back, and when the last one has.
fn tell_of_the_return(handle: &Handle, sessions: usize, mut stopped: watch::Receiver<bool>) {
    if sessions == 0 {
        return;
    }
    tracing::info!(sessions, "sessions of the process before are being brought back");
    let (handle, began) = (handle.clone(), Instant::now());
    // Not one of the tasks whose end is the end of the runtime.
    tokio::spawn(async move {
        tokio::select! {
            () = handle.everybody_back() => {
                let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(sessions, took_ms, "all sessions of the process before are back");
            }
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
}

/// Where a commit waits on the thread that asks for it, a shard has one of its own, so that no commit waits for a free
/// worker and no worker for a disk. A runtime of one thread has one for everything: there it is an ordinary task.
fn spawn(
    tasks: &mut JoinSet<()>,
    options: Options,
    shard: Shard,
    requests: mpsc::Receiver<Request>,
    stopped: watch::Receiver<bool>,
) -> Option<Arc<Driver>> {
    let runtime = tokio::runtime::Handle::current();
    let quiet = Arc::clone(&shard.quiet);
    let work = shard.run(requests, stopped);
    if !options.appends_in_place || runtime.runtime_flavor() != RuntimeFlavor::MultiThread {
        tasks.spawn(work);
        return None;
    }
    let driver = Driver::new(quiet, work);
    let (end, ended) = oneshot::channel::<()>();
    let driven = Arc::clone(&driver);
    let thread = std::thread::Builder::new().name("shard".to_owned()).spawn(move || {
        driven.run(&runtime);
        // Nobody waits for a shard that was aborted.
        let _ = end.send(());
    });
    let alive = Alive(Arc::clone(&driver));
    tasks.spawn(async move {
        let _alive = alive;
        thread.expect("the system gives a thread at the start");
        ended.await.expect("a shard ended by panic");
    });
    Some(driver)
}

/// Dropped with the task that stands for a shard's thread.
struct Alive(Arc<Driver>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Says every second that this process lives, except while it owes somebody the return of a downtime: if it went then,
/// the mark before is the one that the debt is counted from.
async fn mark(
    ports: Arc<Ports>,
    lease: Lease,
    away: Arc<[watch::Receiver<Away>]>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let owes = away.iter().any(|shard| shard.borrow().owes);
        if !owes && let Err(error) = ports.log.mark(lease, ports.clock.now()).await {
            tracing::warn!(%error, "the time mark was not written");
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(MARK_EVERY) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

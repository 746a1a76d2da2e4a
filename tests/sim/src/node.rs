//! Processes over one disk: started, crashed, stopped, taken over. One task does it all, so that two things never
//! happen to a process at once.

use crate::dice::Dice;
use crate::history::{Down, History};
use crate::journal::{Bug, Common, Journal};
use crate::platform::SimPlatform;
use crate::ports::{SimClock, SimSource, sealing_keys};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synaq_core::session::Context;
use synaq_runtime::{Clock as _, Handle, Options, Ports, Running};
use synaq_store::{Outage, SimStore};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// A process that serves candidates.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) no: u64,
    pub(crate) handle: Handle,
    pub(crate) clock: SimClock,
    /// Tasks of its web side; they go with it
    pub(crate) seats: Arc<Mutex<JoinSet<()>>>,
}

/// What is done to the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Crash { down_ms: u64, step_ms: i64 },
    Stop { down_ms: u64 },
    TakeOver { overlap_ms: u64 },
}

/// What outlives every process of a run.
pub(crate) struct Ground {
    pub(crate) seed: u64,
    pub(crate) context: Arc<Context>,
    pub(crate) extra_min: Vec<(u8, u8)>,
    pub(crate) history: Arc<History>,
    pub(crate) common: Arc<Common>,
    pub(crate) platform: Arc<SimPlatform>,
    pub(crate) source_broken: Arc<AtomicBool>,
    /// What each session takes to be read
    pub(crate) source_slower_ms: Arc<AtomicU64>,
    pub(crate) bug: Option<Bug>,
    /// The current process's view of the disk
    pub(crate) store: Mutex<Arc<SimStore>>,
    /// Outages under way, and how often each began
    pub(crate) outages: Mutex<BTreeMap<Outage, u32>>,
    /// The current process; none while there is none
    pub(crate) node: watch::Sender<Option<Node>>,
}

impl Ground {
    pub(crate) fn store(&self) -> Arc<SimStore> {
        Arc::clone(&self.store.lock().expect("no panic while locked"))
    }

    pub(crate) fn begin(&self, outage: Outage) {
        *self.outages.lock().expect("no panic while locked").entry(outage).or_default() += 1;
        self.store().begin(outage);
    }

    pub(crate) fn end(&self, outage: Outage) {
        let mut outages = self.outages.lock().expect("no panic while locked");
        let left = outages.entry(outage).or_default();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.store().end(outage);
        }
    }

    /// A view of the disk for the next process, with the outages that go on.
    fn next_store(&self) -> Arc<SimStore> {
        let mut store = self.store.lock().expect("no panic while locked");
        let next = Arc::new(store.another_process());
        let outages = self.outages.lock().expect("no panic while locked");
        outages.iter().filter(|(_, times)| **times > 0).for_each(|(outage, _)| next.begin(*outage));
        *store = Arc::clone(&next);
        next
    }
}

/// Starts processes and ends them as told.
pub(crate) struct Operator {
    ground: Arc<Ground>,
    clock: SimClock,
    running: Option<Running>,
    starts: u64,
}

impl Operator {
    pub(crate) fn new(ground: Arc<Ground>, clock: SimClock) -> Self {
        Self { ground, clock, running: None, starts: 0 }
    }

    pub(crate) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        self.start().await;
        loop {
            let order = tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => order,
                    None => return,
                },
                () = ended(&mut self.running) => {
                    self.ground.history.find("process_ended_by_itself", None, crate::panics::last());
                    Order::Crash { down_ms: 1_000, step_ms: 0 }
                }
            };
            match order {
                Order::Crash { down_ms, step_ms } => {
                    let began = self.clock.elapsed_ms();
                    self.let_go();
                    // A crash is at once, whatever was about to be spoken.
                    drop(self.running.take());
                    self.clock = self.clock.stepped(step_ms);
                    self.down(began, down_ms).await;
                }
                Order::Stop { down_ms } => {
                    // The web side goes first, as in the binary.
                    self.let_go();
                    if let Some(running) = self.running.take() {
                        running.stop().await;
                    }
                    let began = self.clock.elapsed_ms();
                    self.down(began, down_ms).await;
                }
                Order::TakeOver { overlap_ms } => self.take_over(overlap_ms).await,
            }
        }
    }

    /// Nobody reaches the process any more, and what its web side was doing is gone.
    fn let_go(&self) {
        if let Some(node) = self.ground.node.send_replace(None) {
            node.seats.lock().expect("no panic while locked").abort_all();
        }
    }

    async fn down(&mut self, from_ms: i64, down_ms: u64) {
        tokio::time::sleep(Duration::from_millis(down_ms)).await;
        let to_ms = self.start().await;
        self.ground.history.notes().downs.push(Down { from_ms, to_ms });
    }

    /// The old process goes on without knowing; the candidates it serves find out by themselves.
    async fn take_over(&mut self, overlap_ms: u64) {
        let old = (self.running.take(), self.ground.node.borrow().clone());
        self.start().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(overlap_ms)).await;
            if let (_, Some(node)) = &old {
                node.seats.lock().expect("no panic while locked").abort_all();
            }
            drop(old);
        });
    }

    /// When the attempt that succeeded began: what a start itself takes is not downtime yet given back.
    async fn start(&mut self) -> i64 {
        loop {
            let began_ms = self.clock.elapsed_ms();
            self.starts += 1;
            let ground = &self.ground;
            let log = Journal::new(
                ground.next_store(),
                Arc::clone(&ground.common),
                Arc::clone(&ground.history),
                ground.bug,
            );
            let mut dice = Dice::new(ground.seed, &[0x0de, self.starts]);
            let jitter = u8::try_from(1 + dice.below(250)).expect("a byte");
            let clock = self.clock.stepped(0);
            let ports = Ports {
                outbox: Arc::clone(&log.store) as _,
                log: Arc::new(log),
                source: Arc::new(SimSource {
                    seed: ground.seed,
                    context: Arc::clone(&ground.context),
                    extra_min: ground.extra_min.clone(),
                    broken: Arc::clone(&ground.source_broken),
                    slower_ms: Arc::clone(&ground.source_slower_ms),
                }),
                platform: Arc::clone(&ground.platform) as _,
                keys: sealing_keys(jitter),
                clock: Arc::new(clock.clone()),
            };
            // So few candidates never fill a large batch: in half of the runs every batch counts as one. And in half of
            // either they are spread over two shards, as over SQLite.
            let ahead_from = if ground.seed.is_multiple_of(2) { 1 } else { Options::default().ahead_from };
            let shards = if ground.seed & 2 == 0 { 1 } else { 2 };
            let options = Options { ahead_from, shards, ..Options::default() };
            if let Ok((handle, running)) = Running::start(options, ports, dice.id()).await {
                ground.history.count("starts");
                if handle.coming_back() > 0 {
                    ground.history.count("served while sessions came back");
                }
                self.running = Some(running);
                self.clock = clock.clone();
                let node = Node { no: self.starts, handle, clock, seats: Arc::default() };
                ground.node.send_replace(Some(node));
                return began_ms;
            }
            ground.history.count("starts_failed");
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }
}

async fn ended(running: &mut Option<Running>) {
    match running {
        Some(running) => running.ended().await,
        None => std::future::pending().await,
    }
}

impl Node {
    pub(crate) fn now(&self) -> synaq_core::time::At {
        self.clock.now()
    }
}

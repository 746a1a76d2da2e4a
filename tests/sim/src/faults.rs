//! The plan's faults, each at its time.

use crate::node::{Ground, Order};
use crate::plan::{Fault, Plan, name_of};
use crate::platform::Mood;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use synaq_store::{Fault as AppendFault, Outage, SimStore};
use tokio::sync::mpsc;

/// A crash in an append waits so long for an append to come.
const APPEND_WITHIN_MS: u64 = 5_000;

pub(crate) fn spawn(plan: &Plan, ground: &Arc<Ground>, orders: &mpsc::UnboundedSender<Order>) {
    for (at_ms, fault) in plan.faults() {
        let strike = Strike { ground: Arc::clone(ground), orders: orders.clone(), fault: fault.clone() };
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(at_ms)).await;
            strike.ground.history.count(&format!("fault {}", name_of(&strike.fault)));
            strike.run().await;
        });
    }
}

struct Strike {
    ground: Arc<Ground>,
    orders: mpsc::UnboundedSender<Order>,
    fault: Fault,
}

impl Strike {
    async fn run(self) {
        let ground = &self.ground;
        match self.fault {
            Fault::AppendFails => ground.store().fail_next(AppendFault::BeforeCommit),
            Fault::AppendUnknown => ground.store().fail_next(AppendFault::AfterCommit),
            Fault::DiskFull { for_ms } => self.outage(Outage::FullDisk, for_ms).await,
            Fault::LoadsFail { for_ms } => self.outage(Outage::Loads, for_ms).await,
            Fault::StartsFail { for_ms } => self.outage(Outage::Starts, for_ms).await,
            Fault::MarksFail { for_ms } => self.outage(Outage::Marks, for_ms).await,
            Fault::ClaimsFail { for_ms } => self.outage(Outage::Claims, for_ms).await,
            Fault::SettlesFail { for_ms } => self.outage(Outage::Settles, for_ms).await,
            Fault::SlowAppends { for_ms, each_ms } => {
                ground.common.slower_ms.fetch_add(each_ms, Ordering::SeqCst);
                wait(for_ms).await;
                ground.common.slower_ms.fetch_sub(each_ms, Ordering::SeqCst);
            }
            Fault::HeldAppends { for_ms } => {
                let store = ground.store();
                store.hold();
                wait(for_ms).await;
                store.release();
            }
            Fault::HeldAnswer { for_ms } => {
                let store = ground.store();
                store.fail_next(AppendFault::HeldAfterCommit);
                if waits(&store).await {
                    wait(for_ms).await;
                }
                store.take_back(AppendFault::HeldAfterCommit);
                store.release();
            }
            Fault::TakeOver { overlap_ms } => self.order(Order::TakeOver { overlap_ms }),
            Fault::Crash { down_ms, step_ms } => self.order(Order::Crash { down_ms, step_ms }),
            Fault::CrashInAppend { down_ms } => {
                let store = ground.store();
                store.hold();
                self.crash_while_waiting(&store, down_ms).await;
            }
            Fault::CrashAfterCommit { down_ms } => {
                let store = ground.store();
                store.fail_next(AppendFault::HeldAfterCommit);
                self.crash_while_waiting(&store, down_ms).await;
            }
            Fault::Stop { down_ms } => self.order(Order::Stop { down_ms }),
            Fault::SourceFails { for_ms } => {
                ground.source_broken.store(true, Ordering::SeqCst);
                wait(for_ms).await;
                ground.source_broken.store(false, Ordering::SeqCst);
            }
            Fault::SlowLoads { for_ms, each_ms } => {
                ground.source_slower_ms.fetch_add(each_ms, Ordering::SeqCst);
                wait(for_ms).await;
                ground.source_slower_ms.fetch_sub(each_ms, Ordering::SeqCst);
            }
            Fault::ClockJump { by_ms } => {
                if let Some(node) = &*ground.node.borrow() {
                    node.clock.jump(by_ms);
                }
            }
            Fault::PlatformDown { for_ms } => self.mood(Mood::Down, for_ms).await,
            Fault::PlatformSlow { for_ms, each_ms } => self.mood(Mood::Slow(each_ms), for_ms).await,
            Fault::PlatformLies { for_ms } => self.mood(Mood::Lies, for_ms).await,
            Fault::PlatformForgets { for_ms } => self.mood(Mood::Forgets, for_ms).await,
            Fault::PlatformRefuses { for_ms } => self.mood(Mood::Refuses, for_ms).await,
        }
    }

    fn order(&self, order: Order) {
        // Without an operator the run is over.
        let _ = self.orders.send(order);
    }

    async fn outage(&self, outage: Outage, for_ms: u64) {
        self.ground.begin(outage);
        wait(for_ms).await;
        self.ground.end(outage);
    }

    async fn mood(&self, mood: Mood, for_ms: u64) {
        self.ground.platform.begin(mood);
        wait(for_ms).await;
        self.ground.platform.end(mood);
    }

    async fn crash_while_waiting(&self, store: &SimStore, down_ms: u64) {
        if waits(store).await {
            self.ground.history.count("crashed_in_append");
            self.order(Order::Crash { down_ms, step_ms: 0 });
            // The crash goes first, so that nothing is stored or spoken by the process that is gone.
            wait(1).await;
        }
        store.take_back(AppendFault::HeldAfterCommit);
        store.release();
    }
}

async fn wait(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// An append has come and waits.
async fn waits(store: &SimStore) -> bool {
    for _ in 0..APPEND_WITHIN_MS {
        if store.waiting() > 0 {
            return true;
        }
        wait(1).await;
    }
    false
}

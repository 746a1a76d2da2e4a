//! One run: everybody of a plan over one disk, in virtual time, until every exam is approved and delivered.

use crate::candidate::{Candidate, Script, page::Page};
use crate::dice::Dice;
use crate::history::{Finding, History};
use crate::journal::{Bug, Common};
use crate::node::{Ground, Operator};
use crate::oracle::{self, Disk};
use crate::plan::{self, Item, Plan};
use crate::platform::SimPlatform;
use crate::ports::{SimClock, context, session_of};
use crate::staff::Staff;
use crate::{faults, panics};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{DeviceHash, SessionId, TabId};
use synaq_store::SimStore;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How often it is looked whether everything is over.
const LOOK: Duration = Duration::from_secs(20);
/// After the last thing in the plan and the longest an exam can then last, the late window, the longest back-off of the
/// relay twice over, and slack.
const SETTLES_WITHIN_MS: u64 = 70 * 60_000;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What must never be
    pub findings: Vec<Finding>,
    /// How often what was played
    pub counts: BTreeMap<String, u64>,
    /// SHA-256 over the log, what was told, and the outbox; the same for the same plan
    pub log_hash: String,
    /// Virtual time
    pub lasted_ms: i64,
}

/// Plays a plan.
#[must_use]
pub fn play(plan: &Plan) -> Outcome {
    play_with(plan, None)
}

/// Plays a plan over a log that has a bug.
#[must_use]
pub fn play_with(plan: &Plan, bug: Option<Bug>) -> Outcome {
    panics::keep();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets");
    // Begun inside: outside, the first look at the clock would be real time.
    runtime.block_on(async { World::begin(plan, bug).finish().await })
}

struct World {
    plan: Plan,
    ground: Arc<Ground>,
    clock: SimClock,
    over: watch::Sender<bool>,
}

impl World {
    fn begin(plan: &Plan, bug: Option<Bug>) -> Self {
        let clock = SimClock::new(Instant::now());
        let history = Arc::new(History::default());
        let ground = Arc::new(Ground {
            seed: plan.seed,
            context: Arc::new(context(plan.minutes)),
            extra_min: plan.candidates().map(|of| (of.no, of.extra_min)).collect(),
            history: Arc::clone(&history),
            common: Arc::new(Common::default()),
            platform: Arc::new(SimPlatform::new(history)),
            source_broken: Arc::default(),
            source_slower_ms: Arc::default(),
            bug,
            store: std::sync::Mutex::new(Arc::new(SimStore::new())),
            outages: std::sync::Mutex::default(),
            node: watch::Sender::new(None),
        });
        Self { plan: plan.clone(), ground, clock, over: watch::Sender::new(false) }
    }

    async fn finish(self) -> Outcome {
        let (orders, ordered) = mpsc::unbounded_channel();
        let operator = tokio::spawn(Operator::new(Arc::clone(&self.ground), self.clock.clone()).run(ordered));
        faults::spawn(&self.plan, &self.ground, &orders);
        for candidate in self.plan.candidates() {
            self.seat(candidate);
        }
        let until = self.last_item_ms() + u64::from(self.plan.minutes) * 60_000 + SETTLES_WITHIN_MS;
        let until = i64::try_from(until).expect("runs last hours");
        let sessions = self.sessions();
        let settled = loop {
            tokio::time::sleep(LOOK).await;
            if self.clock.elapsed_ms() > until {
                break false;
            }
            let view = self.ground.store().another_process();
            if oracle::is_settled(&view, &sessions).await
                && self.clock.elapsed_ms() > i64::try_from(self.last_item_ms()).unwrap_or(0)
            {
                break true;
            }
        };
        oracle::live_state(&self.ground, &self.sessions()).await;
        self.over.send_replace(true);
        let lasted_ms = self.clock.elapsed_ms();
        let disk = self.disk().await;
        operator.abort();
        oracle::judge(&self.plan, &disk, &self.ground, settled);
        let log_hash = oracle::log_hash(&disk, &self.ground.history);
        let notes = std::mem::take(&mut *self.ground.history.notes());
        Outcome { findings: notes.findings, counts: notes.counts, log_hash, lasted_ms }
    }

    fn sessions(&self) -> Vec<SessionId> {
        self.plan.candidates().map(|of| session_of(of.no)).collect()
    }

    async fn disk(&self) -> Disk {
        // Another view of the disk: faults of the running process are its own.
        Disk::read(&self.ground.store().another_process(), &self.sessions(), &self.ground.history).await
    }

    fn last_item_ms(&self) -> u64 {
        let ends = self.plan.items.iter().map(|item| match item {
            Item::Fault { at_ms, fault } => at_ms + plan::lasts_ms(fault),
            Item::Line { at_ms, .. } => at_ms + 60_000,
            Item::Candidate(of) => of.join_ms,
            Item::Act { at_ms, .. } | Item::Deed { at_ms, .. } => *at_ms,
        });
        ends.max().unwrap_or(0)
    }

    /// A candidate's page and the people behind their tile.
    fn seat(&self, habits: &plan::Candidate) {
        let no = habits.no;
        let (mut acts, mut troubles, mut deeds) = (Vec::new(), Vec::new(), Vec::new());
        for item in &self.plan.items {
            match item {
                Item::Act { candidate, at_ms, act } if *candidate == no => acts.push((*at_ms, act.clone())),
                Item::Line { candidate, at_ms, trouble } if *candidate == no => {
                    troubles.push((*at_ms, trouble.clone()));
                }
                Item::Deed { candidate, at_ms, deed } if *candidate == no => {
                    deeds.push((*at_ms, deed.clone()));
                }
                _ => {}
            }
        }
        let mut dice = Dice::new(self.plan.seed, &[0x9a9e, u64::from(no)]);
        let page = Page::new(DeviceHash(dice.bytes()), TabId(dice.id()));
        let script = Script { habits: habits.clone(), acts, troubles, visits_ms: None };
        let session = session_of(no);
        let staff = Staff::new(Arc::clone(&self.ground), session, habits.asked_again, deeds);
        let (ground, clock) = (Arc::clone(&self.ground), self.clock.clone());
        let candidate = Candidate::new(ground, clock, session, script, page);
        let (join, over) = (Duration::from_millis(habits.join_ms), self.over.subscribe());
        tokio::spawn(async move {
            tokio::time::sleep(join).await;
            tokio::spawn(staff.run());
            candidate.boxed(over).await;
        });
    }
}

//! A store in memory that fails on demand: the same answers as an engine (the conformance suite runs over it too),
//! with faults written down beforehand by a test.

mod clock;
mod directory;
mod event_log;
mod lists;
mod mail;
mod outbox;
mod personnel;
mod retention;

use crate::{
    AuditEntry, BankRow, CandidateRow, CentreRow, ChangeRow, ClockMark, Delivery, ErasureRow, Error, HoldRow,
    Lease, ProgrammeRow, Recorded, ShiftNote, SittingRow, StaffRow, StaffSession, StoredRecord, Summary,
    TrialRow,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use synaq_core::ids::{CentreId, Seq, SessionId, StaffId};
use synaq_core::retention::DataClass;
use synaq_core::time::At;
use uuid::Uuid;

/// What goes wrong with one append.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// [`Error::Unavailable`]; nothing was stored
    BeforeCommit,
    /// [`Error::Unavailable`]; everything was stored
    AfterCommit,
    /// [`Error::DiskFull`]; nothing was stored
    DiskFull,
    /// Another node takes the lease first: this append and all later ones are
    /// [`Error::Fenced`]
    TakeOver,
    /// Everything was stored, and the answer waits, like every later append, until [`SimStore::release`]
    HeldAfterCommit,
}

/// What does not work from its beginning to its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outage {
    /// Appends are [`Error::DiskFull`]
    FullDisk,
    /// No lease and no list of live sessions: nobody can start
    Starts,
    /// Events and records cannot be read
    Loads,
    /// Time marks are not written
    Marks,
    /// Due messages cannot be claimed or looked for
    Claims,
    /// The end of a delivery is not written
    Settles,
}

/// One process's view of a disk in memory.
#[derive(Debug, Default)]
pub struct SimStore {
    disk: Arc<Mutex<Disk>>,
    script: Mutex<Script>,
    /// Epoch of the lease this process took; 0 before.
    epoch: AtomicU64,
}

#[derive(Debug, Default)]
struct Script {
    faults: VecDeque<Fault>,
    outages: BTreeSet<Outage>,
    held: bool,
    waiting: Vec<Waker>,
    /// Events in each batch that was stored, oldest first.
    stored: Vec<usize>,
}

#[derive(Debug, Default)]
struct Disk {
    lease: Option<Lease>,
    marks: BTreeMap<u64, At>,
    events: BTreeMap<(SessionId, Seq), Recorded>,
    summaries: BTreeMap<SessionId, Summary>,
    records: HashMap<SessionId, StoredRecord>,
    outbox: Vec<Queued>,
    centres: Vec<CentreRow>,
    staff: Vec<StaffRow>,
    setup_tokens: HashMap<[u8; 32], (StaffId, At)>,
    staff_sessions: HashMap<[u8; 32], StaffSession>,
    banks: Vec<BankRow>,
    programmes: Vec<ProgrammeRow>,
    sittings: Vec<SittingRow>,
    candidates: Vec<CandidateRow>,
    audit: Vec<AuditEntry>,
    letters: Vec<mail::Posted>,
    clock_marks: Vec<ClockMark>,
    shift_notes: Vec<ShiftNote>,
    office: personnel::Office,
    /// Whose, of what, and what
    changes: Vec<(CentreId, Uuid, ChangeRow)>,
    holds: Vec<HoldRow>,
    erasures: BTreeMap<(SessionId, DataClass), ErasureRow>,
    trials: BTreeMap<SessionId, TrialRow>,
}

#[derive(Clone, Debug)]
struct Queued {
    delivery: Delivery,
    due_at: At,
    settled_at: Option<At>,
}

impl SimStore {
    /// Empty, without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another process over the same disk: what a restart or a take-over sees. Faults are not inherited.
    #[must_use]
    pub fn another_process(&self) -> Self {
        Self { disk: Arc::clone(&self.disk), ..Self::default() }
    }

    /// Adds a fault; each is used up by one append, in order.
    pub fn fail_next(&self, fault: Fault) {
        self.script().faults.push_back(fault);
    }

    /// Every call of that kind fails from here on, until [`SimStore::end`].
    pub fn begin(&self, outage: Outage) {
        self.script().outages.insert(outage);
    }

    /// It works again.
    pub fn end(&self, outage: Outage) {
        self.script().outages.remove(&outage);
    }

    /// Takes back a fault that has not struck yet; false when it has.
    pub fn take_back(&self, fault: Fault) -> bool {
        let mut script = self.script();
        let place = script.faults.iter().position(|held| *held == fault);
        place.and_then(|place| script.faults.remove(place)).is_some()
    }

    /// Appends wait from here on, before they store anything, until [`SimStore::release`].
    pub fn hold(&self) {
        self.script().held = true;
    }

    /// Lets waiting appends go on.
    pub fn release(&self) {
        let waiting = {
            let mut script = self.script();
            script.held = false;
            std::mem::take(&mut script.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How many appends wait for [`SimStore::release`].
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.script().waiting.len()
    }

    /// Events in each batch that this process stored, oldest first.
    #[must_use]
    pub fn stored_batches(&self) -> Vec<usize> {
        self.script().stored.clone()
    }

    fn works(&self, outage: Outage) -> Result<(), Error> {
        match (self.script().outages.contains(&outage), outage) {
            (false, _) => Ok(()),
            (true, Outage::FullDisk) => Err(Error::DiskFull),
            (true, _) => Err(Error::Unavailable("scripted outage".into())),
        }
    }

    async fn released(&self) {
        poll_fn(|context| {
            let mut script = self.script();
            if script.held {
                script.waiting.retain(|waker| !waker.will_wake(context.waker()));
                script.waiting.push(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    // A poisoned lock means that a test has failed already; its message is the one worth reading.
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

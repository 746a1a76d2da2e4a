//! What a shard remembers; all of it can be had from the log again.

use crate::loaded::Loaded;
use metrics::Gauge;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use synaq_core::ids::SessionId;
use synaq_core::time::{At, Span};
use tokio::sync::watch;

/// Tried again this long after a record could not be sealed, or a session not be loaded.
const RETRY: Span = Span::secs(2);
/// A store that failed for longer than this was down: the time is ours, not the candidate's (P2).
const DOWN_AFTER: Span = Span::secs(2);
/// Sessions in memory before idle ones are let go. Ten thousand that take their exam at once are never swept; one has
/// 5 to 20 KiB.
const SESSIONS_KEPT: usize = 20_000;

/// A session that the log did not take a part of, that could not be read, or that this process has not met yet.
#[derive(Clone, Copy)]
struct Absence {
    since: At,
    /// When it is loaded again
    again_at: Option<At>,
    /// Attempts that failed although the store took batches and gave other sessions: one that cannot be read for a
    /// reason of its own must not hold up the time marks of all others
    failed: u8,
    /// Sessions that had come at the last attempt
    came: u64,
}

/// Absences with more failed attempts are no outage of ours but a fault of that session.
const FAILED_MAX: u8 = 5;

/// Sessions of one shard that nobody serves now and that come back by themselves, as those outside see it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Away {
    /// How many
    pub(crate) sessions: usize,
    /// A process that went now would have to give back more than the time since its own time mark
    pub(crate) owes: bool,
}

pub(crate) struct Memory {
    sessions: HashMap<SessionId, Loaded>,
    timers: BinaryHeap<Reverse<(At, SessionId)>>,
    /// Loaded by this process before: what they say of sockets and media is our own
    known: HashSet<SessionId>,
    /// Nobody serves them now, and what that cost is not in the log yet
    absent: HashMap<SessionId, Absence>,
    /// Said to the time marks, to readiness, and to whoever waits until everybody is back
    away: watch::Sender<Away>,
    /// The last sign of life of the process before this one
    process_before: At,
    /// The first of the batches in a row that the log did not take. A disk that is full can still be read, so that the
    /// sessions come back again and again, and none of them would seem to be gone for long.
    failing_since: Option<At>,
    /// Sessions that came since the start: what cannot give a single one is no fault of that one
    came: u64,
    /// The size at which idle sessions are looked for: grows with those that are not idle, so that a sweep is paid for
    /// by the loads since the one before
    sweep_at: usize,
    /// In memory, for the operators
    count: Gauge,
}

impl Memory {
    /// `live` are the sessions that the process before left, and that this shard has to bring back.
    pub(crate) fn new(
        count: Gauge,
        process_before: At,
        live: impl IntoIterator<Item = SessionId>,
        away: watch::Sender<Away>,
    ) -> Self {
        let absence = Absence { since: process_before, again_at: None, failed: 0, came: 0 };
        let absent: HashMap<_, _> = live.into_iter().map(|session| (session, absence)).collect();
        away.send_replace(Away { sessions: absent.len(), owes: !absent.is_empty() });
        Self {
            sessions: HashMap::new(),
            timers: BinaryHeap::new(),
            known: HashSet::new(),
            absent,
            away,
            process_before,
            failing_since: None,
            came: 0,
            sweep_at: SESSIONS_KEPT,
            count,
        }
    }

    pub(crate) fn holds(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    pub(crate) fn get(&self, session: SessionId) -> Option<&Loaded> {
        self.sessions.get(&session)
    }

    pub(crate) fn get_mut(&mut self, session: SessionId) -> Option<&mut Loaded> {
        self.sessions.get_mut(&session)
    }

    pub(crate) fn next_timer(&self) -> Option<At> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Sessions whose deadline has come, and those that wait for being loaded again.
    pub(crate) fn take_due(&mut self, now: At) -> Vec<SessionId> {
        let mut due = Vec::new();
        while let Some(Reverse((at, session))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            // An entry that was armed for an older deadline is stale.
            let armed = self.sessions.get(&session).is_some_and(|loaded| loaded.armed == Some(at));
            let waits = self.absent.get(&session).is_some_and(|absence| absence.again_at == Some(at));
            if armed || waits {
                due.push(session);
            }
        }
        due
    }

    pub(crate) fn arm(&mut self, session: SessionId) {
        let Some(loaded) = self.sessions.get_mut(&session) else { return };
        let due = loaded.session.next_deadline();
        if due != loaded.armed {
            loaded.armed = due;
            if let Some(at) = due {
                self.timers.push(Reverse((at, session)));
            }
        }
    }

    /// Forgets a working copy that ran ahead of the log, and comes back to it by timer: deadlines must not wait for
    /// somebody to touch the session.
    pub(crate) fn drop_and_reload(&mut self, session: SessionId, now: At) {
        if self.sessions.remove(&session).is_some() {
            self.count.decrement(1.0);
        }
        let since = self.failing_since.unwrap_or(now);
        let absence =
            self.absent.entry(session).or_insert(Absence { since, again_at: None, failed: 0, came: 0 });
        // One timer and one failure for each, however often it is asked for meanwhile.
        if absence.again_at.is_none_or(|at| at <= now) {
            if self.failing_since.is_none() && self.came > absence.came {
                absence.failed = absence.failed.saturating_add(1);
            }
            absence.came = self.came;
            absence.again_at = Some(now + RETRY);
            self.timers.push(Reverse((now + RETRY, session)));
        }
    }

    /// It cannot be brought back at all.
    pub(crate) fn give_up(&mut self, session: SessionId) {
        self.absent.remove(&session);
    }

    /// Once a round, after its commit.
    pub(crate) fn say_what_is_owed(&self) {
        // An emptied map keeps its room, and walking through that takes time.
        let owes =
            !self.absent.is_empty() && self.absent.values().any(|absence| absence.failed <= FAILED_MAX);
        let away = Away { sessions: self.absent.len(), owes };
        self.away.send_if_modified(|said| std::mem::replace(said, away) != away);
    }

    /// The log did not take a batch.
    pub(crate) fn store_failed(&mut self, now: At) {
        self.failing_since.get_or_insert(now);
    }

    /// The log took a batch.
    pub(crate) fn store_works(&mut self) {
        self.failing_since = None;
    }

    /// Since when nobody served this session: the end of the process before, or the first batch the log did not take.
    pub(crate) fn gone_since(&self, loaded: &Loaded, now: At) -> Option<At> {
        if !self.known.contains(&loaded.id) {
            return loaded.outlived_a_process().then_some(self.process_before);
        }
        let absence = self.absent.get(&loaded.id)?;
        (now - absence.since > DOWN_AFTER).then_some(absence.since)
    }

    /// All that are here.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let mut ids: Vec<_> = self.sessions.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    pub(crate) fn insert(&mut self, loaded: Loaded) {
        self.make_room();
        self.came += 1;
        if self.sessions.insert(loaded.id, loaded).is_none() {
            self.count.increment(1.0);
        }
    }

    /// What its coming back brought is in the log. Not before: a return of downtime that was not stored is still owed.
    pub(crate) fn is_served(&mut self, session: SessionId) {
        self.known.insert(session);
        if self.sessions.contains_key(&session) {
            self.absent.remove(&session);
        }
    }

    fn make_room(&mut self) {
        if self.sessions.len() < self.sweep_at {
            return;
        }
        let before = self.sessions.len();
        self.sessions.retain(|_, loaded| !loaded.is_idle());
        let gone = u32::try_from(before - self.sessions.len()).unwrap_or(u32::MAX);
        self.count.decrement(f64::from(gone));
        self.sweep_at = SESSIONS_KEPT.max(self.sessions.len() * 2);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.count.decrement(f64::from(u32::try_from(self.sessions.len()).unwrap_or(u32::MAX)));
    }
}

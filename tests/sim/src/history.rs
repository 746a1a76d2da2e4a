//! What was said during a run, and what is wrong with it: written down as it happens, judged by the oracles.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use synaq_core::ids::SessionId;
use synaq_seal::Digest;

/// Something that must never be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which promise was broken
    pub oracle: &'static str,
    /// Whose exam
    pub session: Option<SessionId>,
    /// In words
    pub detail: String,
}

/// What the server said to a candidate about one command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    pub(crate) session: SessionId,
    pub(crate) epoch: u32,
    pub(crate) client_seq: u64,
    /// Question and shown options, if the command was an answer
    pub(crate) answer: Option<(u16, Vec<u8>)>,
    pub(crate) verdict: Verdict,
    /// Virtual milliseconds since the beginning of the run
    pub(crate) at_ms: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// With the position and chain head of the receipt
    Acknowledged { seq: u64, hash: String, again: bool },
    /// By the rules
    Refused(String),
    /// Not decided, or nobody knows: resend
    Failed,
}

/// What the server said to a member of staff about one command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StaffTold {
    pub(crate) session: SessionId,
    /// In the reason, text or note of the command, and nowhere else
    pub(crate) label: String,
    /// None: nobody knows
    pub(crate) accepted: Option<bool>,
}

/// What a watcher was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    pub(crate) session: SessionId,
    pub(crate) seq: u64,
    pub(crate) head: Digest,
    /// Deadline and since when the clock stands
    pub(crate) clock: Option<(i64, Option<i64>)>,
}

/// A time without a process: from its end to the start of the next, by virtual time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Down {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) told: Vec<Told>,
    pub(crate) staff_told: Vec<StaffTold>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) downs: Vec<Down>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: BTreeMap<String, u64>,
}

/// Shared by everybody in a run.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Notes>);

impl History {
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn find(&self, oracle: &'static str, session: Option<SessionId>, detail: impl Into<String>) {
        self.notes().findings.push(Finding { oracle, session, detail: detail.into() });
    }

    pub(crate) fn count(&self, what: &str) {
        *self.notes().counts.entry(what.to_owned()).or_default() += 1;
    }
}

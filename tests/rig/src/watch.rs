//! What the candidates see, as it happens.

use crate::line::code_in;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most texts of broken sockets that are kept for a report.
const TEXTS_KEPT: usize = 20;

/// One candidate's view of the world.
#[derive(Debug, Default)]
pub struct Seen {
    pub connected: bool,
    pub handed_in: bool,
    pub stage: String,
    /// Remaining time, and when that was said
    pub remaining: Option<(Instant, i64)>,
    pub deadline: Option<i64>,
    pub video: bool,
    pub proctor_present: bool,
    pub acks: u64,
    pub last_ack: Option<Instant>,
    pub back_at: Option<Instant>,
    pub breaks: u64,
    /// How often each code was heard, refusals and good-byes together
    pub codes: BTreeMap<String, u64>,
}

/// All candidates.
#[derive(Debug, Default)]
pub struct Watched {
    bots: Mutex<BTreeMap<String, Arc<Mutex<Seen>>>>,
    /// Acknowledged answers that a later welcome did not show
    pub missing: Mutex<Vec<String>>,
    /// How long acknowledgements took since the last [`Watched::take_latencies`]
    latencies: Mutex<Vec<Duration>>,
    /// Answers that a welcome shows although their acknowledgement never came
    stored_unacked: AtomicU64,
    /// Why sockets ended
    pub texts: Mutex<Vec<String>>,
}

/// A lock whose holders never panic half-way through a change.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watched {
    /// One candidate.
    #[must_use]
    pub fn bot(&self, session: &str) -> Arc<Mutex<Seen>> {
        Arc::clone(lock(&self.bots).entry(session.to_owned()).or_default())
    }

    /// Everybody.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Arc<Mutex<Seen>>)> {
        lock(&self.bots).iter().map(|(session, seen)| (session.clone(), Arc::clone(seen))).collect()
    }

    pub(crate) fn broke(&self, session: &str, text: &str) {
        let bot = self.bot(session);
        let mut bot = lock(&bot);
        if bot.connected {
            bot.breaks += 1;
        }
        bot.connected = false;
        if let Some(code) = code_in(text) {
            *bot.codes.entry(code.to_owned()).or_default() += 1;
        }
        let mut texts = lock(&self.texts);
        if texts.len() < TEXTS_KEPT {
            texts.push(text.to_owned());
        }
    }

    pub(crate) fn back(&self, session: &str) {
        let bot = self.bot(session);
        let mut bot = lock(&bot);
        bot.connected = true;
        bot.back_at = Some(Instant::now());
    }

    pub(crate) fn acked(&self, session: &str, took: Duration) {
        let bot = self.bot(session);
        let mut bot = lock(&bot);
        bot.acks += 1;
        bot.last_ack = Some(Instant::now());
        lock(&self.latencies).push(took);
    }

    pub(crate) fn refused(&self, session: &str, code: &str) {
        *lock(&self.bot(session)).codes.entry(code.to_owned()).or_default() += 1;
    }

    pub(crate) fn missing(&self, session: &str, question: u64, acked: u64, known: u64) {
        lock(&self.missing).push(format!(
            "{session}, question {question}: {acked} was acknowledged, the welcome shows {known}"
        ));
    }

    pub(crate) fn note_stored_unacked(&self) {
        self.stored_unacked.fetch_add(1, Ordering::Relaxed);
    }

    /// How many answers were stored although their acknowledgement never came.
    #[must_use]
    pub fn stored_unacked(&self) -> u64 {
        self.stored_unacked.load(Ordering::Relaxed)
    }

    /// Acknowledgements of everybody.
    #[must_use]
    pub fn acks(&self) -> u64 {
        self.all().iter().map(|(_, seen)| lock(seen).acks).sum()
    }

    /// How often everybody together heard a code.
    #[must_use]
    pub fn heard(&self, code: &str) -> u64 {
        self.all().iter().map(|(_, seen)| lock(seen).codes.get(code).copied().unwrap_or(0)).sum()
    }

    /// Every code with its count.
    #[must_use]
    pub fn codes(&self) -> BTreeMap<String, u64> {
        let mut codes = BTreeMap::new();
        for (_, seen) in self.all() {
            for (code, count) in &lock(&seen).codes {
                *codes.entry(code.clone()).or_default() += count;
            }
        }
        codes
    }

    /// Sorted; those after the last call.
    #[must_use]
    pub fn take_latencies(&self) -> Vec<Duration> {
        let mut taken = std::mem::take(&mut *lock(&self.latencies));
        taken.sort_unstable();
        taken
    }
}

/// The `share`-th (0..1000) of a sorted list.
#[must_use]
pub fn per_mille(sorted: &[Duration], share: usize) -> Duration {
    let place = (sorted.len() * share / 1_000).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

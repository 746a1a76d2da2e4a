//! Refusals that ask to come again: a full house, a busy server, a store that is away. Thousands who wait ask every few
//! seconds, so the log has one line when that begins, one with their number every half minute, and one when it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synaq_wire::problem::Code;

/// While it lasts, the log hears of it this often; it is over when nobody was refused for as long.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Of each code that is being given now, how often since the log heard of it.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<&'static str, u64>>);

impl Refusals {
    /// Somebody was told to come again. Must be called within an async runtime.
    pub(crate) fn count(self: &Arc<Self>, code: Code) {
        tracing::debug!(code = code.as_str(), "a request was told to come again");
        if !self.begins(code) {
            return;
        }
        tracing::warn!(code = code.as_str(), "requests are told to come again: {}", code.title());
        let refusals = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TELL_EVERY).await;
                match refusals.taken(code) {
                    Some(count) => {
                        tracing::warn!(code = code.as_str(), count, "requests are still told to come again");
                    }
                    None => return tracing::info!(code = code.as_str(), "no request is told so any more"),
                }
            }
        });
    }

    /// Counts one; whether it is the first.
    fn begins(&self, code: Code) -> bool {
        let mut counts = self.lock();
        let first = !counts.contains_key(code.as_str());
        *counts.entry(code.as_str()).or_default() += 1;
        first
    }

    /// How many since the last call; none, and forgotten, if there were none.
    fn taken(&self, code: Code) -> Option<u64> {
        let mut counts = self.lock();
        match counts.insert(code.as_str(), 0) {
            Some(0) | None => {
                counts.remove(code.as_str());
                None
            }
            count => count,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_thousands_who_ask_again_the_log_hears_the_first_and_then_their_number() {
        let refusals = Refusals::default();
        let first = (0..10_000).filter(|_| refusals.begins(Code::ExamFullQueue)).count();
        assert_eq!(first, 1);
        assert!(refusals.begins(Code::Busy), "each code is told by itself");
        assert_eq!(refusals.taken(Code::ExamFullQueue), Some(10_000));
        assert!(!refusals.begins(Code::ExamFullQueue), "it still lasts");
        assert_eq!(refusals.taken(Code::ExamFullQueue), Some(1));
        assert_eq!(refusals.taken(Code::ExamFullQueue), None);
        assert!(refusals.begins(Code::ExamFullQueue), "the next one is told anew");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_when_nobody_was_refused_for_a_while() {
        let refusals = Arc::new(Refusals::default());
        refusals.count(Code::Busy);
        tokio::time::sleep(TELL_EVERY * 3).await;
        assert!(refusals.lock().is_empty());
    }
}

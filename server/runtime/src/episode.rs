//! Trouble that many sessions share. The log has a line when it begins, one from time to time while it lasts, and one
//! when the last of them is out of it: a database that is away for a minute must not cost ten thousand lines.

use std::collections::HashSet;
use std::time::Duration;
use synaq_core::ids::SessionId;
use tokio::time::Instant;

/// While it lasts, the log hears of it this often.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// What the log has to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tell {
    /// The first one
    Began,
    /// It goes on: sessions in it now, attempts that failed since it began
    Lasts { sessions: usize, failures: u64 },
    /// The last one is out of it: attempts that failed
    Over { failures: u64 },
}

/// One kind of trouble, from the first session in it to the last one out.
#[derive(Default)]
pub(crate) struct Episode {
    within: HashSet<SessionId>,
    failures: u64,
    told_at: Option<Instant>,
}

impl Episode {
    /// This session's attempt failed and will be made again.
    pub(crate) fn failed(&mut self, session: SessionId, now: Instant) -> Option<Tell> {
        let first = self.within.is_empty();
        self.within.insert(session);
        self.failures += 1;
        if first {
            self.told_at = Some(now);
            return Some(Tell::Began);
        }
        if self.told_at.is_some_and(|at| now - at < TELL_EVERY) {
            return None;
        }
        self.told_at = Some(now);
        Some(Tell::Lasts { sessions: self.within.len(), failures: self.failures })
    }

    /// This session's attempt succeeded, or no more is made.
    pub(crate) fn left(&mut self, session: SessionId) -> Option<Tell> {
        if !self.within.remove(&session) || !self.within.is_empty() {
            return None;
        }
        let failures = std::mem::take(&mut self.failures);
        Some(Tell::Over { failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn ten_thousand_failures_are_three_lines() {
        let (mut episode, began) = (Episode::default(), Instant::now());
        let session = |n: u128| SessionId(Uuid::from_u128(n));
        let mut told = Vec::new();
        for second in 0..40 {
            let now = began + Duration::from_secs(second);
            told.extend((0..250).filter_map(|n| episode.failed(session(n), now)));
        }
        told.extend((0..250).filter_map(|n| episode.left(session(n))));
        let lasts = Tell::Lasts { sessions: 250, failures: 7_501 };
        assert_eq!(told, [Tell::Began, lasts, Tell::Over { failures: 10_000 }]);
        assert_eq!(episode.left(session(1)), None, "it is told once");
        assert_eq!(episode.failed(session(1), began), Some(Tell::Began), "the next one is told anew");
    }
}

//! A clock that a test moves by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;

/// 2026-11-21T05:00:00Z, a Saturday.
pub(crate) const START: At = At(1_795_237_200_000);

#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.0))
    }
}

impl HandClock {
    pub(crate) fn advance(&self, by: Span) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> At {
        At(self.0.load(Ordering::SeqCst))
    }
}

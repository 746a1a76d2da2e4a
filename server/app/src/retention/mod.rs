//! Evidence is kept for its time and erased after it: which classes of which sessions, step by step, each day or by hand.

mod eraser;
pub(crate) mod ledger;
mod plan;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use eraser::Eraser;
pub(crate) use ledger::Ledger;
pub(crate) use plan::{Line, plan};
pub(crate) use task::{daily, waits};

use std::time::Duration;
use synaq_core::retention::Terms;

/// How an installation keeps evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// For how long
    pub(crate) terms: Terms,
    /// The server erases by itself, once a day
    pub(crate) automatic: bool,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { terms: Terms::default(), automatic: true }
    }
}

/// After a restore nothing goes by its time for so long: holds that were placed since the backup are not in it, and a
/// centre needs days to place them again.
pub(crate) const AFTER_RESTORE: Duration = Duration::from_secs(14 * 86_400);

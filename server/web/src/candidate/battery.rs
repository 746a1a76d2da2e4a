//! How full the batteries of candidates' devices are, as their pages last said: for the wall, kept nowhere. A device
//! that goes dark in the middle of an exam is foreseen, and a proctor says a word in time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use synaq_core::ids::SessionId;

/// Percent, by session; only those that run on it.
#[derive(Default)]
pub(crate) struct Batteries(Mutex<HashMap<SessionId, u8>>);

impl Batteries {
    /// What the page says, or nothing any more.
    pub(super) fn put(&self, session: SessionId, percent: Option<u8>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match percent {
            Some(percent) => known.insert(session, percent.min(100)),
            None => known.remove(&session),
        };
    }

    /// Percent left, while the device runs on its battery.
    pub(crate) fn of(&self, session: SessionId) -> Option<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&session).copied()
    }
}

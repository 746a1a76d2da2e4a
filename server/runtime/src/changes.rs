//! Who is told that a session changed: each wall of its own sitting only, so that ten thousand answers do not wake
//! every proctor.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use synaq_core::ids::{SessionId, SittingId};
use tokio::sync::broadcast;

/// Changes that may be pending for a slow reader; one that lags looks at everything again.
const PENDING: usize = 1_024;

/// A session of this sitting changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whose wall
    pub sitting: SittingId,
    /// Which tile
    pub session: SessionId,
}

/// Everybody who listens.
#[derive(Debug)]
pub(crate) struct Changes {
    all: broadcast::Sender<Change>,
    sittings: Mutex<HashMap<SittingId, broadcast::Sender<Change>>>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { all: broadcast::Sender::new(PENDING), sittings: Mutex::default() }
    }
}

impl Changes {
    pub(crate) fn all(&self) -> broadcast::Receiver<Change> {
        self.all.subscribe()
    }

    pub(crate) fn of(&self, sitting: SittingId) -> broadcast::Receiver<Change> {
        let mut sittings = self.sittings.lock().unwrap_or_else(PoisonError::into_inner);
        sittings.entry(sitting).or_insert_with(|| broadcast::Sender::new(PENDING)).subscribe()
    }

    /// Tells the sitting, and the others if it is `news`: more than plain answers.
    pub(crate) fn tell(&self, change: Change, news: bool) {
        if news {
            // Nobody listens: nobody to tell.
            let _ = self.all.send(change);
        }
        let mut sittings = self.sittings.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = sittings.get(&change.sitting).is_some_and(|wall| wall.send(change).is_err());
        if gone {
            sittings.remove(&change.sitting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn change(sitting: u128) -> Change {
        let (sitting, session) = (SittingId(Uuid::from_u128(sitting)), SessionId(Uuid::from_u128(9)));
        Change { sitting, session }
    }

    #[test]
    fn a_wall_hears_of_its_own_sitting_and_others_of_more_than_answers() {
        let changes = Changes::default();
        let (mut wall, mut all) = (changes.of(change(1).sitting), changes.all());
        changes.tell(change(1), false);
        changes.tell(change(2), true);
        assert_eq!((wall.try_recv().unwrap(), all.try_recv().unwrap()), (change(1), change(2)));
        assert!(wall.try_recv().is_err() && all.try_recv().is_err());
        drop(wall);
        changes.tell(change(1), false);
        assert!(changes.sittings.lock().unwrap().is_empty(), "a closed wall leaves nothing");
    }
}

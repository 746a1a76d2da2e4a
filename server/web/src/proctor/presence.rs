//! Which sittings have a wall open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::SittingId;
use tokio::sync::watch;

/// Open walls, counted by sitting. Who follows a sitting is woken when the first comes and when the last goes.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<SittingId, Walls>>);

#[derive(Default)]
struct Walls {
    open: usize,
    any: watch::Sender<bool>,
}

/// An open wall; dropping it closes it.
pub(crate) struct Watching {
    presence: Arc<Presence>,
    sitting: SittingId,
}

impl Presence {
    pub(crate) fn watch(self: &Arc<Self>, sitting: SittingId) -> Watching {
        self.count(sitting, |open| *open += 1);
        Watching { presence: Arc::clone(self), sitting }
    }

    /// Whether a wall of the sitting is open, now and from here on.
    pub(crate) fn follow(&self, sitting: SittingId) -> watch::Receiver<bool> {
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only sittings of which somebody is here are kept.
        if !sittings.contains_key(&sitting) {
            sittings.retain(|_, walls| walls.open > 0 || walls.any.receiver_count() > 0);
        }
        sittings.entry(sitting).or_default().any.subscribe()
    }

    fn count(&self, sitting: SittingId, change: impl FnOnce(&mut usize)) {
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walls = sittings.entry(sitting).or_default();
        change(&mut walls.open);
        let any = walls.open > 0;
        walls.any.send_if_modified(|shown| std::mem::replace(shown, any) != any);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.presence.count(self.sitting, |open| *open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_proctor_is_there_until_the_last_wall_is_closed() {
        let presence = Arc::new(Presence::default());
        let (sitting, other) = (SittingId(Uuid::from_u128(1)), SittingId(Uuid::from_u128(2)));
        let (mut here, elsewhere) = (presence.follow(sitting), presence.follow(other));
        let first = presence.watch(sitting);
        assert!(here.has_changed().unwrap() && *here.borrow_and_update() && !*elsewhere.borrow());
        let second = presence.watch(sitting);
        drop(first);
        assert!(!here.has_changed().unwrap(), "one is still there");
        drop(second);
        assert!(!*here.borrow_and_update());
        drop((here, elsewhere));
        drop(presence.follow(SittingId(Uuid::from_u128(3))));
        assert_eq!(presence.0.lock().unwrap().len(), 1, "nobody is kept for whom nobody is here");
    }
}

//! Which sittings have a wall open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::SittingId;

/// Open walls, counted by sitting.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<SittingId, usize>>);

/// An open wall; dropping it closes it.
pub(crate) struct Watching {
    presence: Arc<Presence>,
    sitting: SittingId,
}

impl Presence {
    pub(crate) fn watch(self: &Arc<Self>, sitting: SittingId) -> Watching {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(sitting).or_default() += 1;
        Watching { presence: Arc::clone(self), sitting }
    }

    pub(crate) fn any(&self, sitting: SittingId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&sitting)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut walls = self.presence.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = walls.get_mut(&self.sitting) {
            *count -= 1;
            if *count == 0 {
                walls.remove(&self.sitting);
            }
        }
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
        let first = presence.watch(sitting);
        let second = presence.watch(sitting);
        drop(first);
        assert!(presence.any(sitting) && !presence.any(other));
        drop(second);
        assert!(!presence.any(sitting));
    }
}

//! Local files that the store has too: the least used of them go when they take more room than they may.

use super::Key;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct State {
    /// Bytes of each, and when it was used last, counted in uses
    files: BTreeMap<Key, (u64, u64)>,
    bytes: u64,
    uses: u64,
}

/// What is kept here for whoever looks at it next.
#[derive(Debug)]
pub(super) struct Shelf {
    most: u64,
    state: Mutex<State>,
}

impl Shelf {
    pub(super) fn new(most: u64) -> Self {
        Self { most, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file that the store has; those that must go for it, which may be itself.
    pub(super) fn add(&self, key: Key, bytes: u64) -> Vec<Key> {
        let mut state = self.lock();
        state.uses += 1;
        let used = state.uses;
        let before = state.files.insert(key, (bytes, used)).map_or(0, |(bytes, _)| bytes);
        state.bytes = state.bytes - before + bytes;
        let mut gone = Vec::new();
        while state.bytes > self.most
            && let Some((key, bytes)) = state
                .files
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(key, (bytes, _))| (key.clone(), *bytes))
        {
            state.files.remove(&key);
            state.bytes -= bytes;
            gone.push(key);
        }
        gone
    }

    pub(super) fn used(&self, key: &Key) {
        let mut state = self.lock();
        state.uses += 1;
        let now = state.uses;
        if let Some((_, used)) = state.files.get_mut(key) {
            *used = now;
        }
    }

    pub(super) fn forget_all(&self, gone: impl Fn(&Key) -> bool) {
        let mut state = self.lock();
        state.files.retain(|key, _| !gone(key));
        state.bytes = state.files.values().map(|(bytes, _)| bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_least_used_file_goes_first_and_one_too_large_goes_at_once() {
        let key = |number| (Uuid::from_u128(number), "a".to_owned());
        let shelf = Shelf::new(100);
        assert!(shelf.add(key(1), 40).is_empty() && shelf.add(key(2), 40).is_empty());
        shelf.used(&key(1));
        assert_eq!(shelf.add(key(3), 40), [key(2)]);
        assert_eq!(shelf.add(key(4), 200), [key(1), key(3), key(4)]);
        assert_eq!(shelf.lock().bytes, 0);
    }
}

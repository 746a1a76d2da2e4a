//! Which commands took effect. Grows with every answer, so its pages are shared between the copies of a session: whoever
//! looks at a session that goes on costs one page, not all.

use super::state::Done;
use crate::ids::Epoch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Numbers of a device in a row that share a page.
const PAGE: u64 = 64;

type Page = Arc<BTreeMap<u64, Done>>;

/// Commands by binding and number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Receipts {
    pages: BTreeMap<(Epoch, u64), Page>,
}

impl Receipts {
    /// What the command did, if it took effect.
    #[must_use]
    pub fn get(&self, epoch: Epoch, client_seq: u64) -> Option<Done> {
        self.pages.get(&(epoch, client_seq / PAGE))?.get(&client_seq).copied()
    }

    /// Numbers that took effect under a binding.
    pub fn under(&self, epoch: Epoch) -> impl Iterator<Item = u64> {
        self.pages.range((epoch, 0)..=(epoch, u64::MAX)).flat_map(|(_, page)| page.keys().copied())
    }

    /// The first effect of a command stands.
    pub(super) fn keep(&mut self, epoch: Epoch, client_seq: u64, done: Done) {
        let page = self.pages.entry((epoch, client_seq / PAGE)).or_default();
        Arc::make_mut(page).entry(client_seq).or_insert(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Seq;

    const fn done(seq: u64) -> Done {
        Done { seq: Seq(seq), fingerprint: None }
    }

    #[test]
    fn the_first_effect_of_a_command_stands_in_every_copy_that_saw_it() {
        let mut receipts = Receipts::default();
        for client_seq in 1..=3 * PAGE {
            receipts.keep(Epoch(1), client_seq, done(client_seq));
        }
        let seen = receipts.clone();
        receipts.keep(Epoch(1), 3 * PAGE, done(900));
        receipts.keep(Epoch(1), 3 * PAGE + 1, done(901));
        receipts.keep(Epoch(2), 1, done(902));
        assert_eq!(receipts.get(Epoch(1), 3 * PAGE), Some(done(3 * PAGE)));
        assert_eq!(receipts.get(Epoch(2), 1), Some(done(902)));
        assert_eq!(seen.get(Epoch(1), 3 * PAGE + 1), None);
        assert_eq!(seen.get(Epoch(2), 1), None);
        assert_eq!(receipts.under(Epoch(1)).max(), Some(3 * PAGE + 1));
        assert_eq!(receipts.under(Epoch(2)).collect::<Vec<_>>(), [1]);
        let shared = |page: &Page| seen.pages.values().any(|other| Arc::ptr_eq(page, other));
        assert_eq!(
            receipts.pages.values().filter(|page| shared(page)).count(),
            3,
            "written pages are copies"
        );
    }
}

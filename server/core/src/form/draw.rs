//! Our own shuffle over raw ChaCha words, so that no library update can change an old paper.

use super::{ExamForm, FormQuestion, Seed};
use crate::bank::{Bank, Item, Plan};
use crate::ids::ItemId;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Version 1: ChaCha20 words, rejection sampling, Fisher-Yates from the end; blueprint order, then the whole form.
pub const ALGORITHM_VERSION: u32 = 1;

/// Why a form cannot be drawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DrawError {
    /// The plan was checked against another bank
    #[error("the bank holds too few questions for the blueprint")]
    BankTooSmall,
}

/// What the candidate is shown before the browser sends its nonce: SHA-256(server secret).
#[must_use]
pub fn commitment(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// SHA-256(server secret || candidate nonce): neither side can steer the draw.
#[must_use]
pub fn seed(secret: &[u8; 32], nonce: &[u8; 32]) -> Seed {
    let mut hash = Sha256::new();
    hash.update(secret);
    hash.update(nonce);
    Seed(hash.finalize().into())
}

/// The paper that `seed` decides. Pure: the same arguments give the same form for ever.
pub fn draw(
    bank: &Bank,
    plan: &Plan,
    excluded: &BTreeSet<ItemId>,
    seed: Seed,
) -> Result<ExamForm, DrawError> {
    let mut words = Words(ChaCha20Rng::from_seed(seed.0));
    let mut picked: Vec<&Item> = Vec::with_capacity(usize::from(plan.questions()));
    for (topic, wanted) in &plan.blueprint {
        let mut pool: Vec<&Item> =
            bank.items.iter().filter(|item| item.topic == *topic && !excluded.contains(&item.id)).collect();
        // The file's order must not matter: two exports of one bank draw the same paper.
        pool.sort_by(|a, b| a.id.cmp(&b.id));
        words.shuffle(&mut pool);
        if pool.len() < usize::from(*wanted) {
            return Err(DrawError::BankTooSmall);
        }
        picked.extend(pool.into_iter().take(usize::from(*wanted)));
    }
    if plan.shuffle_questions {
        words.shuffle(&mut picked);
    }
    let questions = picked.into_iter().map(|item| {
        let mut options: Vec<u8> = (0..=u8::MAX).take(item.options.len()).collect();
        if plan.shuffle_options {
            words.shuffle(&mut options);
        }
        FormQuestion { item: item.id.clone(), version: item.version, options }
    });
    Ok(ExamForm { algorithm_version: ALGORITHM_VERSION, questions: questions.collect() })
}

struct Words(ChaCha20Rng);

impl Words {
    /// Uniform in `0..bound`: words above the largest multiple of `bound` are thrown away.
    fn below(&mut self, bound: u32) -> u32 {
        let reject_from = u32::MAX - u32::MAX % bound;
        loop {
            let word = self.0.next_u32();
            if word < reject_from {
                return word % bound;
            }
        }
    }

    fn shuffle<T>(&mut self, places: &mut [T]) {
        for last in (1..places.len()).rev() {
            let bound = u32::try_from(last + 1).expect("a bank has fewer than 2^32 questions");
            let chosen = usize::try_from(self.below(bound)).expect("smaller than the slice");
            places.swap(last, chosen);
        }
    }
}

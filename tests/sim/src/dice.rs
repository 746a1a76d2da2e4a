//! Everything random comes from here: ChaCha words from the seed and the names of what they are for, so that taking one
//! thing out of a plan changes no other.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers of its own.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// For one purpose of one seed: the same seed and names always throw the same.
    pub(crate) fn new(seed: u64, names: &[u64]) -> Self {
        // SplitMix64's finaliser: neighbouring seeds and names have nothing in common afterwards.
        let mixed = names.iter().fold(seed, |state, name| {
            let mut z = state
                .wrapping_add(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(name.wrapping_mul(0xd134_2543_de82_ef95));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self(ChaCha8Rng::seed_from_u64(mixed))
    }

    /// One of `0..n`; of nothing 0. The bias of a remainder does not matter here.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }

    /// From `least` to `most`, both possible.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.saturating_sub(least).unsigned_abs().saturating_add(1);
        least.saturating_add(i64::try_from(self.below(width)).expect("narrower than the range of i64"))
    }

    /// True in `percent` of all throws.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = usize::try_from(self.below(of.len() as u64)).expect("below a usize");
        &of[place]
    }

    /// 16 bytes, for an id.
    pub(crate) fn id(&mut self) -> uuid::Uuid {
        uuid::Uuid::from_u64_pair(self.0.next_u64(), self.0.next_u64())
    }

    /// 32 bytes, for a secret or a digest.
    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

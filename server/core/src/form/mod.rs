//! The randomized form: drawn once, rebuilt years later from what was recorded.

mod draw;

pub use draw::{ALGORITHM_VERSION, DrawError, commitment, draw, seed};

use crate::ids::ItemId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// 256 bits that decide the paper. Secret until the session is closed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(#[serde(with = "crate::ids::hex32")] pub [u8; 32]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// One candidate's paper: which questions, in which order, with their options in which order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExamForm {
    /// Which shuffle made it
    pub algorithm_version: u32,
    /// In the candidate's order
    pub questions: Vec<FormQuestion>,
}

/// A place in the form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormQuestion {
    /// In the bank
    pub item: ItemId,
    /// Of the item
    pub version: u32,
    /// `options[shown] = index in the author's order`
    pub options: Vec<u8>,
}

impl FormQuestion {
    /// Turns what the candidate saw (shown positions) into the author's indexes; `None` if a position is not in
    /// the form.
    #[must_use]
    pub fn authors(&self, shown: &BTreeSet<u8>) -> Option<BTreeSet<u8>> {
        shown.iter().map(|place| self.options.get(usize::from(*place)).copied()).collect()
    }
}

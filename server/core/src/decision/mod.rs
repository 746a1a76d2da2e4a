//! The end: scoring, and folding the log into the record of the theory stage.

mod score;

pub use score::{NoResultWhy, NotPassedWhy, Score, TheoryOutcome, outcome, passed, score};

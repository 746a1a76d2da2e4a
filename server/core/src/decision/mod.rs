//! The end: scoring, and folding the log into the record of the theory stage.

mod record;
mod score;

pub use record::{
    CandidateDocument, EventLogFacts, GATES_NOT_CHECKED, RECORD_KIND, RECORD_VERSION, Record, RecordFacts,
    fold,
};
pub use score::{NoResultWhy, NotPassedWhy, Score, TheoryOutcome, outcome, passed, score};

//! The end: scoring, and folding the log into the record of the theory stage.

mod record;
mod score;

pub use record::{
    BlueprintEntry, CandidateDocument, CentreContacts, EventLogFacts, GATES_NOT_CHECKED, PlanEntry,
    RECORD_KIND, RECORD_VERSION, Record, RecordFacts, StaffEntry, fold,
};
pub use score::{NoResultWhy, NotPassedWhy, Score, TheoryOutcome, outcome, passed, score};

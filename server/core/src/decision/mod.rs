//! The end: scoring, and folding the log into the record of the theory stage.

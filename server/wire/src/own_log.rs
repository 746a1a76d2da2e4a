//! What a candidate may read of their own exam once it has ended: the log in their own terms, what was held against
//! them, the receipts of their answers.

use crate::candidate::{CentreContacts, EndView, Text};
use crate::proctor::ExplanationView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Answer to `POST /api/v1/candidate/log` (body: [`OpenLink`](crate::candidate::OpenLink)). All times are server time,
/// milliseconds UTC. Nobody of the staff is named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnLog {
    /// Whose exam
    pub session: Uuid,
    /// The candidate, as the centre wrote the name
    pub candidate: String,
    /// The centre
    pub centre: Text,
    /// Where it is found and where to appeal, if it has said so
    #[serde(default)]
    pub contacts: Option<CentreContacts>,
    /// The programme
    pub programme: Text,
    /// When the clock began to run, if it did
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// How it ended, the result as far as it may be shown, until when one may appeal
    pub end: EndView,
    /// What happened, oldest first, without the answers
    pub lines: Vec<OwnLine>,
    /// What was noticed, oldest first
    pub incidents: Vec<OwnIncident>,
    /// Every answer that the server wrote down, oldest first
    pub answers: Vec<OwnAnswer>,
    /// SHA-256 of the sealed record, hex; none before it is sealed
    pub record_sha256: Option<String>,
    /// The terms of an appeal
    pub appeal: OwnAppeal,
    /// Server time
    #[ts(type = "number")]
    pub server_time: i64,
}

/// A line of the log, as it concerns the candidate.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnLine {
    /// Position in the session's log
    #[ts(type = "number")]
    pub seq: u64,
    /// When
    #[ts(type = "number")]
    pub at: i64,
    /// Head of the hash chain after it, hex
    pub hash: String,
    /// `started`, `paused`, `violation_counted`, ...: the kind of the event
    pub kind: String,
    /// The incident that it is about
    pub incident: Option<u32>,
    /// Which of several: an incident's code, a text, a photo, a reason, a step
    pub which: Option<String>,
    /// How long, seconds
    #[ts(type = "number | null")]
    pub seconds: Option<i64>,
    /// A person's words
    pub said: Option<String>,
}

/// Something that was noticed, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnIncident {
    /// Number within the session
    pub no: u32,
    /// Incident code
    pub code: String,
    /// When it began
    #[ts(type = "number")]
    pub began_at: i64,
    /// When it was over, if it was
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// warning | termination | without_consequence | dismissed | recorded | open
    pub outcome: String,
    /// A person decided about it; otherwise the rule did
    pub by_person: bool,
    /// The proctor's words, of a violation that a person confirmed
    pub note: Option<String>,
    /// What a machine's claim says and what it does not
    pub explanation: Option<ExplanationView>,
    /// There may be a clip of it: ask for it
    pub clip: bool,
}

/// The receipt of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnAnswer {
    /// Number of the question, from 1
    pub question: u16,
    /// Position in the session's log
    #[ts(type = "number")]
    pub seq: u64,
    /// When it was stored
    #[ts(type = "number")]
    pub at: i64,
    /// Head of the hash chain after it, hex
    pub hash: String,
    /// counts | late | superseded: only the first kind is scored
    pub standing: String,
}

/// The terms of an appeal (LAW-41, LAW-42).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnAppeal {
    /// Working days from the day the result was made known, within which it is filed
    pub file_working_days: u16,
    /// Working days within which the centre considers it
    pub consider_working_days: u16,
}

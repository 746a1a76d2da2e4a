use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Failure, not_future};
use crate::bundle::Evidence;
use crate::digest::Digest;

/// `kind` of the record that this verifier knows.
pub const RECORD_KIND: &str = "theory-stage-record";
/// `v` of that record.
pub const RECORD_VERSION: u64 = 1;

/// The law's threshold in percent (NB-22: *more than* 70 % of all questions).
pub const THRESHOLD_FLOOR_PCT: u64 = 70;

/// Ends at which the answers are scored. Every other end, by a repeated violation (NB-20) or by staff, is no pass,
/// whatever the score.
const SCORED_ENDS: [&str; 2] = ["submitted", "time_expired"];

/// What the verifier reads of a record; the rest is the signer's business.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) session: String,
    pub(super) event_log: EventLog,
    pub(super) theory: Theory,
    pub(super) evidence: HashMap<String, Evidence>,
    pub(super) sealed_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    kind: String,
    v: u64,
    session: String,
    event_log: EventLog,
    theory: Theory,
    #[serde(default)]
    evidence: Vec<Listed>,
    sealed_at: Option<i64>,
}

/// A record may say more of a file than the bundle does.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    sha256: Digest,
    bytes: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventLog {
    pub(super) count: u64,
    pub(super) head: Digest,
    pub(super) root: Digest,
}

#[derive(Debug, Deserialize)]
pub(super) struct Theory {
    total: Option<u64>,
    questions: Option<Questions>,
    /// Absent where the answers are not scored: an end for a violation, technical, safety.
    correct: Option<u64>,
    threshold_pct: u64,
    passed: bool,
    finish_reason: Reason,
}

/// The questions themselves, or how many there were.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Questions {
    Count(u64),
    List(Vec<Value>),
}

/// A reason alone, or with its details.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reason {
    Plain(String),
    Detailed { reason: String },
}

impl Record {
    pub(super) fn read(value: Value, now: Option<i64>) -> Result<Self, Failure> {
        let Fields { kind, v, session, event_log, theory, evidence: list, sealed_at } =
            Fields::deserialize(value).map_err(Failure::RecordShape)?;
        if kind != RECORD_KIND || v != RECORD_VERSION {
            return Err(Failure::RecordKind);
        }
        let mut evidence = HashMap::new();
        for Listed { name, sha256, bytes } in list {
            let entry = Evidence { name: name.clone(), sha256, bytes };
            if evidence.insert(name.clone(), entry).is_some() {
                return Err(Failure::EvidenceRepeated { name });
            }
        }
        sealed_at.map_or(Ok(()), |at| not_future(at, now))?;
        Ok(Self { session, event_log, theory, evidence, sealed_at })
    }
}

impl Theory {
    /// Recomputes the result: passed is `100 * correct > threshold_pct * total` in integers, so exactly 70 % fails, and an
    /// end at which answers are scored.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let Self { threshold_pct, passed, .. } = *self;
        let (Reason::Plain(reason) | Reason::Detailed { reason }) = &self.finish_reason;
        let scored = SCORED_ENDS.contains(&reason.as_str());
        let total = self.total()?;
        let correct = match self.correct {
            Some(correct) => correct,
            None if scored => return Err(Failure::ScoreMissing),
            None => 0,
        };
        if !(THRESHOLD_FLOOR_PCT..=100).contains(&threshold_pct) {
            return Err(Failure::Threshold { found: threshold_pct });
        }
        if total == 0 || correct > total {
            return Err(Failure::ScoreRange { correct, total });
        }
        let enough = u128::from(correct) * 100 > u128::from(threshold_pct) * u128::from(total);
        let follows = passed == (enough && scored);
        if follows { Ok(()) } else { Err(Failure::ScoreRule { correct, total, threshold_pct }) }
    }

    fn total(&self) -> Result<u64, Failure> {
        let counted = self.questions.as_ref().map(|questions| match questions {
            Questions::Count(count) => *count,
            Questions::List(list) => list.len() as u64,
        });
        match (self.total, counted) {
            (Some(total), Some(counted)) if total != counted => Err(Failure::QuestionCount),
            (Some(total), _) | (None, Some(total)) => Ok(total),
            (None, None) => Err(Failure::QuestionCount),
        }
    }
}

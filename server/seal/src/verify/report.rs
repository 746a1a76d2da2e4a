use std::error::Error as _;
use std::fmt;

use serde::{Serialize, Serializer};

use super::Failure;
use crate::digest::Digest;

/// A check's name; the number is its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Name {
    /// The file is a bundle, strictly read.
    Bundle = 10,
    /// P obeys the profile, and `JCS(parse(P)) == P`.
    Canonical = 11,
    /// P is a theory-stage record, not dated in the future.
    Record = 12,
    /// Every signature over P is by a trusted seal key.
    Seal = 13,
    /// The hash chain over the events holds and ends at the sealed head.
    EventChain = 14,
    /// The events are as many as sealed and have the sealed Merkle root.
    EventRoot = 15,
    /// The events are of the session and numbered without a gap.
    EventSequence = 16,
    /// The result follows from the score and the law.
    Score = 17,
    /// The evidence files are those in the record.
    Evidence = 18,
    /// The approvals are over this record, by trusted approval keys.
    Approvals = 19,
    /// The receipt is over this record, by a trusted platform key.
    Receipt = 20,
    /// What the bundle says was erased is said by a trusted seal key, of this record.
    Erasures = 22,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "bundle",
            Self::Canonical => "canonical bytes",
            Self::Record => "record",
            Self::Seal => "seal",
            Self::EventChain => "event chain",
            Self::EventRoot => "event root",
            Self::EventSequence => "event sequence",
            Self::Score => "score",
            Self::Evidence => "evidence",
            Self::Approvals => "approvals",
            Self::Receipt => "receipt",
            Self::Erasures => "erasures",
        })
    }
}

/// How a check went.
#[derive(Debug)]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It does not.
    Failed(Failure),
    /// The bundle has no such part.
    NotPresent,
}

/// One check and how it went. JSON form: `{name, outcome: "ok" | "failed" | "not_present", reason?}`.
#[derive(Debug)]
pub struct Check {
    /// Which.
    pub name: Name,
    /// How it went.
    pub outcome: Outcome,
}

/// A class of evidence that is gone because its time was over: missing, not tampered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// `recordings`, `stills`, `photos`
    pub class: String,
    /// On which day, at +05:00
    pub date: String,
    /// By which rule
    pub rule: String,
}

/// Every check that could be made, in order. Checks of a record that cannot be read are left out: the failure that
/// kept them from being made is there.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
    /// SHA-256 of P, once the bundle could be read.
    pub record_sha256: Option<Digest>,
    /// What was erased of the evidence, once the statements about it were found to count.
    pub erased: Vec<Erased>,
}

impl Report {
    /// The checks, in the order made.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// How the check of this name went; `None` when it could not be made.
    #[must_use]
    pub fn outcome(&self, name: Name) -> Option<&Outcome> {
        self.checks.iter().find(|check| check.name == name).map(|check| &check.outcome)
    }

    /// Whether nothing failed. The seal is always among the checks of a bundle that could be read.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.exit_code() == 0
    }

    /// The process's exit code: 0, or the number of the first [`Name`] that failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed = self.checks.iter().find(|check| matches!(check.outcome, Outcome::Failed(_)));
        failed.map_or(0, |check| check.name as u8)
    }

    /// One line per check, for people.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let checks = self.checks.iter().map(|Check { name, outcome }| match outcome {
            Outcome::Ok => format!("ok           {name}"),
            Outcome::Failed(failure) => format!("FAILED       {name}: {}", reason(failure)),
            Outcome::NotPresent => format!("not present  {name}"),
        });
        checks.chain(self.erased.iter().map(|Erased { class, date, rule }| {
            let said = format!("erased       {class}: erased under retention on {date} by {rule}");
            said.chars().flat_map(spelled_out).collect()
        }))
    }

    pub(super) fn push(&mut self, name: Name, result: Result<(), Failure>) {
        let outcome = result.map_or_else(Outcome::Failed, |()| Outcome::Ok);
        self.checks.push(Check { name, outcome });
    }

    pub(super) fn not_present(&mut self, name: Name) {
        self.checks.push(Check { name, outcome: Outcome::NotPresent });
    }

    /// Notes how the check went and hands on what it found.
    pub(super) fn keep<T>(&mut self, name: Name, result: Result<T, Failure>) -> Option<T> {
        let (kept, result) = match result {
            Ok(kept) => (Some(kept), Ok(())),
            Err(failure) => (None, Err(failure)),
        };
        self.push(name, result);
        kept
    }
}

/// A failure with all its causes, in one line. A hostile bundle can put anything into a name that we quote, so control
/// characters are spelled out before they reach a terminal.
fn reason(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.chars().flat_map(spelled_out).collect()
}

fn spelled_out(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_unicode());
    let plain = if escaped.is_none() { Some(character) } else { None };
    escaped.into_iter().flatten().chain(plain)
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Text {
            name: Name,
            outcome: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        }
        let (outcome, reason) = match &self.outcome {
            Outcome::Ok => ("ok", None),
            Outcome::Failed(failure) => ("failed", Some(reason(failure))),
            Outcome::NotPresent => ("not_present", None),
        };
        Text { name: self.name, outcome, reason }.serialize(serializer)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Text<'a> {
            ok: bool,
            exit_code: u8,
            record_sha256: Option<Digest>,
            checks: &'a [Check],
            #[serde(skip_serializing_if = "<[Erased]>::is_empty")]
            erased: &'a [Erased],
        }
        Text {
            ok: self.ok(),
            exit_code: self.exit_code(),
            record_sha256: self.record_sha256,
            checks: &self.checks,
            erased: &self.erased,
        }
        .serialize(serializer)
    }
}

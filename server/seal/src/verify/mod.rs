//! `synaq verify`: checks a bundle offline against a set of trusted keys, one named check at a time.

mod events;
mod record;
mod report;

#[cfg(test)]
mod tests;

use std::io::Read;

use serde::Deserialize;

use crate::bundle::{self, APPROVAL_TYP, Bundle, ERASED_TYP, Evidence, RECEIPT_TYP, RECORD_TYP, Statement};
use crate::digest::{self, Digest, Running};
use crate::jws::{self, Expected, Jws};
use crate::key::{Purpose, TrustSet};
use crate::{chain, json};

use record::Record;
pub use record::{RECORD_KIND, RECORD_VERSION, THRESHOLD_FLOOR_PCT};
pub use report::{Check, Erased, Name, Outcome, Report};

/// How far a signer's clock may be ahead of the verifier's, in ms.
pub const CLOCK_SKEW_MS: i64 = 5 * 60 * 1_000;

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file is no bundle.
    #[error("the file is not a bundle of an exam record")]
    Bundle(#[source] bundle::Error),
    /// P is outside the JSON profile.
    #[error("the sealed record is outside the JSON profile")]
    Profile(#[source] json::Error),
    /// P is not JCS(parse(P)).
    #[error("the sealed record is not in canonical form")]
    NotCanonical,
    /// P lacks a field that every record has.
    #[error("the sealed record lacks fields of a theory-stage record")]
    RecordShape(#[source] serde_json::Error),
    /// P is of another kind or version.
    #[error("the sealed record is not a {RECORD_KIND} of version {RECORD_VERSION}")]
    RecordKind,
    /// A time ahead of the verifier's clock.
    #[error("it is dated {at} ms UTC, which has not come yet; check this machine's clock")]
    Future {
        /// The time stated.
        at: i64,
    },
    /// The seal does not count.
    #[error("the seal does not count")]
    Seal(#[source] jws::Error),
    /// The end is one at which answers are scored, and the record names no score.
    #[error("the record names no number of right answers")]
    ScoreMissing,
    /// A statement's signature does not count. `index` counts from 0.
    #[error("statement {index} does not count")]
    Statement {
        /// Which.
        index: usize,
        /// Why.
        #[source]
        source: jws::Error,
    },
    /// A statement is outside the profile.
    #[error("statement {index} is outside the JSON profile")]
    StatementProfile {
        /// Which.
        index: usize,
        /// Why.
        #[source]
        source: json::Error,
    },
    /// A statement has no `record_sha256` and `at`, or is not canonical.
    #[error("statement {index} does not say which record it is about")]
    StatementShape {
        /// Which.
        index: usize,
    },
    /// A statement about something else.
    #[error("statement {index} is about another record")]
    OtherRecord {
        /// Which.
        index: usize,
    },
    /// An event breaks the profile.
    #[error("event {seq} is outside the JSON profile")]
    EventProfile {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: json::Error,
    },
    /// An event's hash is not the one of its bytes after the events before it.
    #[error("the hash chain breaks at event {seq}")]
    ChainBroken {
        /// Its number.
        seq: u64,
    },
    /// The chain ends elsewhere than the record says.
    #[error("the hash chain does not end where the sealed record says")]
    HeadDiffers,
    /// Other events than the record counts.
    #[error("there are {found} events, the sealed record counts {sealed}")]
    EventCount {
        /// In the bundle.
        found: u64,
        /// In the record.
        sealed: u64,
    },
    /// The Merkle root differs.
    #[error("the events' Merkle root is not the one in the sealed record")]
    RootDiffers,
    /// A gap or step back in `seq`.
    #[error("event {seq} does not follow the one before it by one")]
    SeqGap {
        /// The event's number.
        seq: u64,
    },
    /// An event of another session.
    #[error("event {seq} belongs to another session than the sealed record")]
    OtherSession {
        /// The event's number.
        seq: u64,
    },
    /// A threshold below the law's.
    #[error("the threshold is {found} %, the law's is at least {THRESHOLD_FLOOR_PCT} % and at most 100 %")]
    Threshold {
        /// As sealed.
        found: u64,
    },
    /// Numbers that no exam has.
    #[error("{correct} correct answers of {total} questions cannot be")]
    ScoreRange {
        /// As sealed.
        correct: u64,
        /// As sealed.
        total: u64,
    },
    /// The number of questions is stated twice, differently.
    #[error("the sealed record states two different numbers of questions")]
    QuestionCount,
    /// The result is not what the numbers give.
    #[error(
        "the result does not follow from {correct} of {total} at more than {threshold_pct} % and the way it ended"
    )]
    ScoreRule {
        /// As sealed.
        correct: u64,
        /// As sealed.
        total: u64,
        /// As sealed.
        threshold_pct: u64,
    },
    /// A file that the record does not list so.
    #[error("the evidence file {name:?} is not in the sealed record with this length and SHA-256")]
    EvidenceUnlisted {
        /// Its name.
        name: String,
    },
    /// A name twice.
    #[error("the evidence file {name:?} is listed twice")]
    EvidenceRepeated {
        /// Its name.
        name: String,
    },
    /// A file on disk differs from its entry.
    #[error("the evidence file {name:?} has other bytes than sealed")]
    EvidenceDiffers {
        /// Its name.
        name: String,
    },
    /// A file on disk cannot be read.
    #[error("the evidence file {name:?} cannot be read")]
    EvidenceIo {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Checks a bundle's text. `now` (ms UTC), when given, refuses what is dated ahead of it, and stands in for a time of
/// sealing that the record does not state. Keys inside the bundle, in whatever form, are never trusted.
///
/// The time at which a key was used is the one that the signed text itself states (`sealed_at`, a statement's `at`):
/// that bounds honest mistakes, not a thief of a retired key. Remove a stolen key from the trust set.
#[must_use]
pub fn bundle(bytes: &[u8], trust: &TrustSet, now: Option<i64>) -> Report {
    let mut report = Report::default();
    let read = Bundle::parse(bytes).and_then(|bundle| Ok((bundle.decode_payload()?, bundle)));
    let Some((payload, bundle)) = report.keep(Name::Bundle, read.map_err(Failure::Bundle)) else {
        return report;
    };
    let record_sha256 = digest::sha256(&payload);
    report.record_sha256 = Some(record_sha256);
    let value = report.keep(Name::Canonical, canonical(&payload));
    let record = value.and_then(|value| report.keep(Name::Record, Record::read(value, now)));
    let sealed_at = record.as_ref().and_then(|record| record.sealed_at).or(now);
    report.push(Name::Seal, seal(&bundle, trust, sealed_at));
    if let Some(record) = &record {
        match &bundle.events {
            Some(list) => events::check(&mut report, list, record),
            None => events::NAMES.into_iter().for_each(|name| report.not_present(name)),
        }
        report.push(Name::Score, record.theory.check());
        match &bundle.evidence {
            Some(list) => report.push(Name::Evidence, evidence(list, record)),
            None => report.not_present(Name::Evidence),
        }
    }
    let about = About { record_sha256, trust, now };
    about.check(&mut report, Name::Approvals, &bundle.approvals, APPROVAL_TYP, Purpose::Approval);
    if !bundle.erasures.is_empty() {
        about.check(&mut report, Name::Erasures, &bundle.erasures, ERASED_TYP, Purpose::Seal);
        if matches!(report.outcome(Name::Erasures), Some(Outcome::Ok)) {
            report.erased = bundle.erasures.iter().filter_map(erased).collect();
        }
    }
    about.check(&mut report, Name::Receipt, bundle.receipt.as_slice(), RECEIPT_TYP, Purpose::Platform);
    report
}

/// Holds an evidence file against its entry in a bundle or record; the entry itself is checked by [`bundle()`].
///
/// # Errors
/// When length or digest differ, or the file cannot be read.
pub fn evidence_file(entry: &Evidence, mut file: impl Read) -> Result<(), Failure> {
    let (mut hash, mut bytes, mut buffer) = (Running::default(), 0, vec![0; 64 * 1024]);
    loop {
        let len = file
            .read(&mut buffer)
            .map_err(|source| Failure::EvidenceIo { name: entry.name.clone(), source })?;
        if len == 0 {
            break;
        }
        hash.update(&buffer[..len]);
        bytes += len as u64;
    }
    let same = bytes == entry.bytes && hash.digest() == entry.sha256;
    if same { Ok(()) } else { Err(Failure::EvidenceDiffers { name: entry.name.clone() }) }
}

fn canonical(payload: &[u8]) -> Result<serde_json::Value, Failure> {
    let value = json::parse(payload).map_err(Failure::Profile)?;
    let same = json::canonical(&value).map_err(Failure::Profile)? == payload;
    if same { Ok(value) } else { Err(Failure::NotCanonical) }
}

fn seal(bundle: &Bundle, trust: &TrustSet, at: Option<i64>) -> Result<(), Failure> {
    let expected = Expected { typ: RECORD_TYP, purpose: Purpose::Seal, at };
    jws::verify(&bundle.seal(), &expected, trust).map(drop).map_err(Failure::Seal)
}

fn evidence(list: &[Evidence], record: &Record) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    for entry in list {
        if !seen.insert(&entry.name) {
            return Err(Failure::EvidenceRepeated { name: entry.name.clone() });
        }
        if record.evidence.get(&entry.name) != Some(entry) {
            return Err(Failure::EvidenceUnlisted { name: entry.name.clone() });
        }
    }
    Ok(())
}

/// What a statement that counts says is gone.
fn erased(jws: &Jws) -> Option<Erased> {
    let statement: Statement = serde_json::from_slice(&jws.decode_payload().ok()?).ok()?;
    let text = |name: &str| statement.about.get(name)?.as_str().map(str::to_owned);
    Some(Erased { class: text("class")?, date: text("date")?, rule: text("rule")? })
}

fn not_future(at: i64, now: Option<i64>) -> Result<(), Failure> {
    match now {
        Some(now) if at > now.saturating_add(CLOCK_SKEW_MS) => Err(Failure::Future { at }),
        _ => Ok(()),
    }
}

/// What approvals and receipts are held against.
struct About<'a> {
    record_sha256: Digest,
    trust: &'a TrustSet,
    now: Option<i64>,
}

impl About<'_> {
    fn check(&self, report: &mut Report, name: Name, list: &[Jws], typ: &str, purpose: Purpose) {
        if list.is_empty() {
            return report.not_present(name);
        }
        let all =
            list.iter().enumerate().try_for_each(|(index, jws)| self.check_one(index, jws, typ, purpose));
        report.push(name, all);
    }

    fn check_one(&self, index: usize, jws: &Jws, typ: &str, purpose: Purpose) -> Result<(), Failure> {
        let unsound = |source| Failure::Statement { index, source };
        let text = jws.decode_payload().map_err(unsound)?;
        let value = json::parse(&text).map_err(|source| Failure::StatementProfile { index, source })?;
        let statement = Statement::deserialize(value).map_err(|_| Failure::StatementShape { index })?;
        if statement.to_bytes().ok().as_ref() != Some(&text) {
            return Err(Failure::StatementShape { index });
        }
        let expected = Expected { typ, purpose, at: Some(statement.at) };
        jws::verify(jws, &expected, self.trust).map_err(unsound)?;
        if statement.record_sha256 != self.record_sha256 {
            return Err(Failure::OtherRecord { index });
        }
        not_future(statement.at, self.now)
    }
}

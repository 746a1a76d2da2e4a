//! The downloadable file of one record: the sealed bytes, their signatures, and what they refer to.
//!
//! A bundle is canonical JSON throughout, written by [`Bundle::to_bytes`]; every other spelling is refused, so there is
//! no byte in it that may change unnoticed. It carries no keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::jws::{Jws, MAX_SIGNATURES, Signature};
use crate::key::TrustSet;
use crate::{b64, chain, json, jws, verify};

/// `typ` of the seal over a record.
pub const RECORD_TYP: &str = "exam-record+jws";
/// `typ` of a commission member's approval.
pub const APPROVAL_TYP: &str = "record-approval+jws";
/// `typ` of a notice that the attempt of a sealed record does not count.
pub const VOID_TYP: &str = "attempt-void+jws";
/// `typ` of the platform's receipt.
pub const RECEIPT_TYP: &str = "record-receipt+jws";

/// `typ` of a statement that a class of evidence was erased.
pub const ERASED_TYP: &str = "evidence-erased+jws";

/// The version of the bundle's shape.
pub const VERSION: u64 = 1;

/// Longest payload, in bytes before base64url. A record of 40 questions has about 30 kB.
pub const MAX_PAYLOAD_BYTES: usize = 4 * 1024 * 1024;
/// Most approvals: a commission has three to nine members, each may approve a few times.
pub const MAX_APPROVALS: usize = 64;
/// Most statements of an erasure: one for each class of data, with room for classes to come.
pub const MAX_ERASURES: usize = 16;
/// Most events. A three-hour exam with a restless candidate has a few thousand.
pub const MAX_EVENTS: usize = 100_000;
/// Most evidence files: a still every five seconds for a day.
pub const MAX_EVIDENCE: usize = 20_000;

/// Why a bundle was refused or not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or outside the profile.
    #[error("the bundle cannot be read")]
    Json(#[source] json::Error),
    /// Another spelling of a bundle.
    #[error("the bundle is not in canonical form; download it again, and do not save it from an editor")]
    NotCanonical,
    /// A field is missing, unknown or of the wrong kind.
    #[error("the bundle does not have the fields of a bundle")]
    Shape(#[source] serde_json::Error),
    /// Of another version.
    #[error("the bundle has version {found}, this program reads version {VERSION}")]
    Version {
        /// As written.
        found: u64,
    },
    /// A list or text is beyond its limit.
    #[error("the bundle's {field} has {actual} entries or bytes, the limit is {limit}")]
    Limit {
        /// Which.
        field: &'static str,
        /// How many.
        actual: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The payload is not base64url.
    #[error("the bundle's payload is not base64url without padding")]
    Payload,
}

/// The file. Optional parts that are absent are left out of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`VERSION`].
    pub v: u64,
    /// Base64url of the record's canonical bytes, called P.
    pub payload: String,
    /// The server's seal, `typ` [`RECORD_TYP`].
    pub signatures: Vec<Signature>,
    /// The commission's approvals, each over a [`Statement`] about P.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Jws>,
    /// The session's events, exactly those that P counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Event>>,
    /// The evidence files handed over with the bundle, or all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<Evidence>>,
    /// What was erased of the evidence since, each a [`Statement`] about P with `class`, `date` and `rule`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erasures: Vec<Jws>,
    /// The platform's receipt, over a [`Statement`] about P.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Jws>,
}

/// One event: the fields of its leaf and its hash in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The session.
    pub sid: String,
    /// Its number, one more than the event's before it.
    pub seq: u64,
    /// Server time, ms UTC.
    pub at: i64,
    /// What kind of event.
    pub kind: String,
    /// What happened.
    pub body: Value,
    /// [`chain::next`] over it.
    pub hash: Digest,
}

impl Event {
    /// The leaf bytes, see [`chain::leaf`].
    ///
    /// # Errors
    /// When a field breaks the JSON profile.
    pub fn leaf(&self) -> Result<Vec<u8>, json::Error> {
        chain::leaf(&self.sid, self.seq, self.at, &self.kind, &self.body)
    }
}

/// One evidence file, in the plain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its name within the session.
    pub name: String,
    /// SHA-256 of its plaintext.
    pub sha256: Digest,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What an approval or a receipt says: which record, when, and whatever else its signer states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// SHA-256 of P.
    pub record_sha256: Digest,
    /// When it was made, ms UTC.
    pub at: i64,
    /// The rest: the member and the vote, or the receipt's number.
    #[serde(flatten)]
    pub about: Map<String, Value>,
}

impl Statement {
    /// The canonical bytes to sign.
    ///
    /// # Errors
    /// When `about` breaks the profile or repeats one of the other fields.
    pub fn to_bytes(&self) -> Result<Vec<u8>, json::Error> {
        json::canonical(self)
    }
}

impl Bundle {
    /// A bundle of the sealed record alone, as [`jws::sign`] made it.
    #[must_use]
    pub fn new(seal: Jws) -> Self {
        Self {
            v: VERSION,
            payload: seal.payload,
            signatures: seal.signatures,
            approvals: Vec::new(),
            events: None,
            evidence: None,
            erasures: Vec::new(),
            receipt: None,
        }
    }

    /// Reads a bundle strictly. Says nothing about its truth: that is [`verify::bundle`].
    ///
    /// # Errors
    /// Says what is wrong with its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let value = json::parse(bytes).map_err(Error::Json)?;
        if json::canonical(&value).map_err(Error::Json)? != bytes {
            return Err(Error::NotCanonical);
        }
        let bundle = Self::deserialize(value).map_err(Error::Shape)?;
        bundle.check_limits()?;
        Ok(bundle)
    }

    /// The bundle's text.
    ///
    /// # Errors
    /// When a part breaks the profile or a limit.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check_limits()?;
        json::canonical(self).map_err(Error::Json)
    }

    /// P, not verified.
    ///
    /// # Errors
    /// When it is not base64url.
    pub fn decode_payload(&self) -> Result<Vec<u8>, Error> {
        b64::decode(&self.payload).map_err(|_| Error::Payload)
    }

    /// The seal as a JWS of its own, for any JOSE library.
    #[must_use]
    pub fn seal(&self) -> Jws {
        Jws { payload: self.payload.clone(), signatures: self.signatures.clone() }
    }

    fn check_limits(&self) -> Result<(), Error> {
        if self.v != VERSION {
            return Err(Error::Version { found: self.v });
        }
        let statements = || self.approvals.iter().chain(&self.erasures).chain(&self.receipt);
        let longest = statements().map(|jws| &jws.payload).chain([&self.payload]).map(String::len).max();
        let most = statements().map(|jws| jws.signatures.len()).chain([self.signatures.len()]).max();
        let parts = [
            ("payload", longest.unwrap_or(0), MAX_PAYLOAD_BYTES.div_ceil(3) * 4),
            ("signatures", most.unwrap_or(0), MAX_SIGNATURES),
            ("approvals", self.approvals.len(), MAX_APPROVALS),
            ("erasures", self.erasures.len(), MAX_ERASURES),
            ("events", self.events.as_ref().map_or(0, Vec::len), MAX_EVENTS),
            ("evidence", self.evidence.as_ref().map_or(0, Vec::len), MAX_EVIDENCE),
        ];
        match parts.into_iter().find(|(_, actual, limit)| actual > limit) {
            Some((field, actual, limit)) => Err(Error::Limit { field, actual, limit }),
            None => Ok(()),
        }
    }
}

/// The fuzzer's way in: reads `data` as each of the texts that come from outside. Must never panic.
pub fn fuzz(data: &[u8]) {
    let trust = TrustSet::from_json(data).unwrap_or_default();
    let report = verify::bundle(data, &trust, Some(0));
    report.lines().for_each(drop);
    drop(serde_json::to_vec(&report));
    if let Ok(jws) = serde_json::from_slice::<Jws>(data) {
        let expected = jws::Expected { typ: RECORD_TYP, purpose: crate::key::Purpose::Seal, at: None };
        drop(jws::verify(&jws, &expected, &trust));
    }
}

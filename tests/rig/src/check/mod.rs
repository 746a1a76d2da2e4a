//! The checker. It reads the candidates' own files, the downloaded bundles and what the platform holds, and shares no
//! code with the server: own canonical JSON, own chain, own arithmetic of time.

mod answers;
mod chain;
#[cfg(test)]
mod planted;
mod time;

use crate::journal::{self, Entry};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

pub use time::Outage;

/// Everything about one session, from three independent sides.
#[derive(Debug)]
pub struct Case {
    pub session: String,
    /// What the candidate wrote down
    pub journal: Vec<Entry>,
    /// What the centre downloads
    pub bundle: Bundle,
    /// Digests of the records that the platform holds for this session
    pub at_platform: Vec<String>,
}

/// The parts of a bundle that are looked at.
#[derive(Debug)]
pub struct Bundle {
    pub record: Value,
    /// SHA-256 of the record's bytes, hex
    pub digest: String,
    pub events: Vec<Event>,
    pub receipt: Option<Value>,
}

/// One event of the log.
#[derive(Debug)]
pub struct Event {
    pub sid: String,
    pub seq: u64,
    pub at: i64,
    pub kind: String,
    pub body: Value,
    pub hash: String,
}

/// One thing that must hold, and every place where it does not.
#[derive(Debug, Default)]
pub struct Findings(BTreeMap<&'static str, Vec<String>>);

impl Findings {
    /// Notes that a check was made.
    pub fn looked(&mut self, what: &'static str) {
        self.0.entry(what).or_default();
    }

    /// Notes that it does not hold somewhere.
    pub fn broken(&mut self, what: &'static str, how: String) {
        self.0.entry(what).or_default().push(how);
    }

    /// Every check with its faults.
    pub fn all(self) -> impl Iterator<Item = (&'static str, Vec<String>)> {
        self.0.into_iter()
    }
}

/// How many answers were acknowledged, and how many of them are not in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub acked: u64,
    pub lost: u64,
}

/// Judges all sessions. `outages` are those that this rig caused, in order.
#[must_use]
pub fn judge(cases: &[Case], outages: &[Outage], findings: &mut Findings) -> Count {
    let mut count = Count::default();
    for case in cases {
        let counted = answers::check(case, findings);
        count.acked += counted.acked;
        count.lost += counted.lost;
        chain::check(case, findings);
        time::check(case, outages, findings);
        one_receipt(case, findings);
    }
    count
}

/// P6: one sealed record, exactly one accepted copy.
fn one_receipt(case: &Case, findings: &mut Findings) {
    const WHAT: &str = "one_receipt_each";
    findings.looked(WHAT);
    let Case { session, bundle, at_platform, .. } = case;
    if at_platform.as_slice() != std::slice::from_ref(&bundle.digest) {
        let held = at_platform.len();
        findings.broken(WHAT, format!("{session}: the platform holds {held} records {at_platform:?}"));
    }
    let about = bundle.receipt.as_ref().and_then(payload).map(|receipt| receipt["record_sha256"].clone());
    if about.as_ref().and_then(Value::as_str) != Some(bundle.digest.as_str()) {
        findings.broken(WHAT, format!("{session}: the bundle's receipt is about {about:?}"));
    }
}

fn payload(jws: &Value) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(jws["payload"].as_str()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Bundle {
    /// Reads a downloaded bundle.
    ///
    /// # Errors
    /// If it has another shape.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let bundle: Value = serde_json::from_slice(bytes)?;
        let sealed = bundle["payload"].as_str().context("a bundle has a payload")?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed)?;
        let events = bundle["events"].as_array().context("a bundle has events")?;
        Ok(Self {
            record: serde_json::from_slice(&sealed)?,
            digest: chain::hex(&chain::sha256(&[&sealed])),
            events: events
                .iter()
                .map(Event::read)
                .collect::<Option<_>>()
                .context("events have six fields")?,
            receipt: bundle.get("receipt").cloned(),
        })
    }
}

impl Event {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            sid: value["sid"].as_str()?.to_owned(),
            seq: value["seq"].as_u64()?,
            at: value["at"].as_i64()?,
            kind: value["kind"].as_str()?.to_owned(),
            body: value["body"].clone(),
            hash: value["hash"].as_str()?.to_owned(),
        })
    }

    pub(crate) fn fact(&self) -> &Value {
        &self.body["fact"]
    }

    /// `(epoch, client_seq)` of the command behind it.
    pub(crate) fn command(&self) -> Option<(u64, u64)> {
        let client = &self.body["client"];
        Some((client["epoch"].as_u64()?, client["client_seq"].as_u64()?))
    }
}

impl Case {
    /// # Errors
    /// If the journal or the bundle cannot be read.
    pub fn read(
        journals: &Path,
        session: &str,
        bundle: &[u8],
        at_platform: Vec<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            session: session.to_owned(),
            journal: journal::read(journals, session)?,
            bundle: Bundle::read(bundle)?,
            at_platform,
        })
    }
}

/// The session that a record's message names.
#[must_use]
pub fn session_of(message: &Value) -> Option<String> {
    payload(message)?["session"].as_str().map(str::to_owned)
}

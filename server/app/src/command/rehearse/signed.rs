//! The rehearsal's report as a signed statement, and checking one.

use anyhow::Context as _;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use synaq_load_tests::report::Report;
use synaq_seal::jws::{self, Expected, Jws};
use synaq_seal::key::{Purpose, SigningKey, TrustSet, TrustedKey};

/// Kind of the statement, so that its signature serves as no other.
const TYP: &str = "synaq-rehearsal+json";

/// What is signed.
#[derive(Serialize, Deserialize)]
struct Statement {
    reports: Vec<Report>,
}

/// The reports under one signature, as JSON.
pub(super) fn sign(reports: &[Report], key: &SigningKey, random: &SystemRandom) -> anyhow::Result<Vec<u8>> {
    let payload = serde_json::to_vec(&Statement { reports: reports.to_vec() })?;
    let jws = jws::sign(&payload, TYP, key, random).context("the report was not signed")?;
    Ok(serde_json::to_vec_pretty(&jws)?)
}

/// The public half, for whoever checks.
pub(super) fn trusted(key: &SigningKey) -> TrustedKey {
    TrustedKey { key: key.public().clone(), purpose: Purpose::Rehearsal, use_from: 0, use_to: None }
}

/// Whether this is a signed report, and if it is, what it says once a trusted key has signed it.
pub(crate) fn verify(bytes: &[u8], trust: &TrustSet) -> Option<anyhow::Result<String>> {
    let jws: Jws = serde_json::from_slice(bytes).ok()?;
    Some(check(&jws, trust))
}

fn check(jws: &Jws, trust: &TrustSet) -> anyhow::Result<String> {
    let expected = Expected { typ: TYP, purpose: Purpose::Rehearsal, at: None };
    let verified = jws::verify(jws, &expected, trust).context("the report's signature does not count")?;
    let Statement { reports } =
        serde_json::from_slice(&verified.payload).context("the signed report is not understood")?;
    let kids: Vec<String> = verified.kids.iter().map(ToString::to_string).collect();
    let mut text = format!("The report is signed by {} and was not changed.\n", kids.join(", "));
    for report in &reports {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", report.text());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synaq_seal::key::Algorithm;

    #[test]
    fn a_signed_report_verifies_and_a_changed_one_does_not() {
        let random = SystemRandom::new();
        let key = SigningKey::generate(Algorithm::Es256, &random).unwrap();
        let trust = TrustSet::new(vec![trusted(&key)]).unwrap();
        let signed = sign(&[], &key, &random).unwrap();
        assert!(verify(&signed, &trust).unwrap().unwrap().contains("was not changed"));
        let mut jws: Jws = serde_json::from_slice(&signed).unwrap();
        jws.payload.push_str("AAAA");
        assert!(verify(&serde_json::to_vec(&jws).unwrap(), &trust).unwrap().is_err());
        let nobody = TrustSet::new(Vec::new()).unwrap();
        assert!(verify(&signed, &nobody).unwrap().is_err());
        assert!(verify(b"{}", &trust).is_none(), "a bundle is not mistaken for a report");
    }
}

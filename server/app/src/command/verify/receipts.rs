//! A candidate's receipts against the event log of a bundle.

use anyhow::Context as _;
use std::path::Path;
use synaq_seal::bundle::Bundle;
use synaq_seal::receipts::{Found, Receipts};
use synaq_seal::sha256;

/// Reads the file and holds it against the bundle's events, which are worth what the bundle's own checks are worth.
pub(super) fn check(bundle: &[u8], path: &Path) -> anyhow::Result<Found> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let receipts = Receipts::parse(&bytes).with_context(|| format!("{} cannot be used", path.display()))?;
    let bundle = Bundle::parse(bundle)?;
    let record = sha256(&bundle.decode_payload()?);
    Ok(receipts.against(&bundle, record))
}

/// The line of the report.
pub(super) fn line(found: &Found) -> String {
    let verdict = if found.holds() { "ok    " } else { "FAILED" };
    let mut line = format!(
        "{verdict}       receipts: {} of {} stand in the log, {} answers of the log have none",
        found.held, found.receipts, found.unlisted
    );
    if !found.same_record {
        line.push_str("; they are of another record");
    }
    if !found.differs.is_empty() {
        line.push_str(&format!("; these differ: {:?}", found.differs));
    }
    match found.device {
        Some(true) => line.push_str("; the device's own last receipt stands there too"),
        Some(false) => line.push_str("; the device's own last receipt does NOT stand there"),
        None => {}
    }
    line
}

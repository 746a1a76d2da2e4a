//! `synaq verify FILE --trust KEYS`: checks a downloaded bundle, or a rehearsal's report, offline.

use crate::{clock, keys};
use anyhow::Context as _;
use std::path::Path;
use std::process::ExitCode;

/// Prints one line per check; the exit code names the class of the first failure.
pub(crate) fn run(bundle: &Path, trust: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(bundle).with_context(|| format!("{} cannot be read", bundle.display()))?;
    let trust = keys::read_trust(trust)?;
    if let Some(rehearsal) = super::rehearse::verify(&bytes, &trust) {
        super::print(&rehearsal?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = synaq_seal::verify::bundle(&bytes, &trust, Some(clock::wall_millis()));
    let mut text = if json {
        serde_json::to_string_pretty(&report)?
    } else {
        report.lines().collect::<Vec<_>>().join("\n")
    };
    text.push('\n');
    super::print(&text)?;
    Ok(ExitCode::from(report.exit_code()))
}

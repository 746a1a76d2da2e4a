//! `synaq verify FILE --trust KEYS`: checks a downloaded bundle, or a rehearsal's report, offline; with `--recording FILE`
//! also downloaded recordings against it, with `--receipts FILE` the receipts of a candidate's answers.

mod receipts;
mod recording;

use crate::{clock, keys};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit code when a recording is not what the log says; those of the bundle's own checks are 10 to 20.
const RECORDING_DIFFERS: u8 = 21;
/// Exit code when a candidate's receipts do not stand in the log; 22 is of the bundle's own checks.
const RECEIPTS_DIFFER: u8 = 23;

/// Files that are held against the bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside<'a> {
    /// Downloaded recordings, each under its own name
    pub(crate) recordings: &'a [PathBuf],
    /// A candidate's receipts
    pub(crate) receipts: Option<&'a Path>,
}

/// Prints one line per check; the exit code names the class of the first failure.
pub(crate) fn run(bundle: &Path, trust: &Path, beside: Beside<'_>, json: bool) -> anyhow::Result<ExitCode> {
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
    let mut exit_code = report.exit_code();
    for path in beside.recordings {
        // What the log says is worth what the checks of the log are worth.
        let found = recording::check(&bytes, path)?;
        if exit_code == 0 && !found.holds() {
            exit_code = RECORDING_DIFFERS;
        }
        text.push_str(&if json { serde_json::to_string(&found)? } else { found.to_string() });
        text.push('\n');
    }
    if let Some(path) = beside.receipts {
        let found = receipts::check(&bytes, path)?;
        if exit_code == 0 && !found.holds() {
            exit_code = RECEIPTS_DIFFER;
        }
        text.push_str(&if json { serde_json::to_string(&found)? } else { receipts::line(&found) });
        text.push('\n');
    }
    super::print(&text)?;
    Ok(ExitCode::from(exit_code))
}

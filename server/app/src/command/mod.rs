//! One module a command.

use std::io::{self, Write as _};

/// Prints a command's whole answer. Whoever reads only its head closes the pipe early, which is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

pub(crate) mod backup;
pub(crate) mod demo;
pub(crate) mod detectors;
pub(crate) mod directory;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod platform;
pub(crate) mod rebuild_form;
pub(crate) mod rehearse;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod verify;

//! What one virtual candidate said and what it was told, in a file of its own that no server ever touches.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Entry {
    /// Written before the frame leaves for the first time
    Sent(Answer),
    /// The server said that the answer is durable
    Acked {
        #[serde(flatten)]
        answer: Answer,
        /// This machine's clock, ms UTC
        acked_at: i64,
        /// Position in the session's log
        seq: u64,
        /// Server time of the event, ms UTC
        at: i64,
        /// Head of the chain behind the event, hex
        hash: String,
    },
    /// The server refused it for good
    Refused { client_seq: u64, epoch: u64, code: String },
    /// The hand-in was acknowledged
    HandedIn { at: i64 },
}

/// One answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub session: String,
    pub question: u64,
    pub value: Vec<u64>,
    pub client_seq: u64,
    pub epoch: u64,
}

/// The file being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens or continues the journal of a session.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn open(folder: &Path, session: &str) -> anyhow::Result<Self> {
        let path = path(folder, session);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        Ok(Self { file: file.with_context(|| path.display().to_string())? })
    }

    /// Adds a line; durable when this returns, except for what was only sent.
    ///
    /// # Errors
    /// If the disk of the rig itself fails.
    pub fn write(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        if !matches!(entry, Entry::Sent(_)) {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Reads the journal of a session back.
///
/// # Errors
/// If it is not there or has a line that is none.
pub fn read(folder: &Path, session: &str) -> anyhow::Result<Vec<Entry>> {
    let path = path(folder, session);
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

fn path(folder: &Path, session: &str) -> PathBuf {
    folder.join(format!("{session}.jsonl"))
}

/// This machine's clock, ms UTC.
///
/// # Panics
/// If the clock is before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set after 1970");
    i64::try_from(since.as_millis()).expect("the clock is set before year 292 million")
}

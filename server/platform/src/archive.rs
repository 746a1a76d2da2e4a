//! What the platform holds: one file per message, written whole or not at all.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use synaq_seal::jws::Jws;
use uuid::Uuid;

/// A message with its receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// As it came: the sender's idempotency key
    pub id: Uuid,
    /// record | approval
    pub kind: String,
    /// Of the signed payload, hex
    pub sha256: String,
    /// RFC 3339
    pub received_at: String,
    /// The platform's own reference
    pub platform_ref: String,
    /// As it came
    pub message: Jws,
    /// As it was answered
    pub receipt: Jws,
}

/// Why the archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Disk
    #[error("the archive {path} cannot be used; check that the folder exists and can be written")]
    Io {
        /// Where
        path: PathBuf,
        /// Why
        #[source]
        source: io::Error,
    },
    /// A file of ours that is not ours
    #[error("the archive holds a damaged file {path}; restore it from a backup")]
    Damaged {
        /// Which
        path: PathBuf,
        /// Why
        #[source]
        source: serde_json::Error,
    },
}

/// All messages, in memory and on disk.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    kept: Mutex<BTreeMap<Uuid, Kept>>,
}

impl Archive {
    /// Opens or creates an archive.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        let io = |source| ArchiveError::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let mut kept = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&path).map_err(io)?;
            let message: Kept =
                serde_json::from_slice(&bytes).map_err(|source| ArchiveError::Damaged { path, source })?;
            kept.insert(message.id, message);
        }
        Ok(Self { folder: folder.to_owned(), kept: Mutex::new(kept) })
    }

    /// The message of that id.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<Kept> {
        self.kept.lock().expect("no holder panics").get(&id).cloned()
    }

    /// Everything, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Kept> {
        let mut all: Vec<_> = self.kept.lock().expect("no holder panics").values().cloned().collect();
        all.sort_by(|a, b| b.received_at.cmp(&a.received_at));
        all
    }

    /// Keeps a message durably. The first writer of an id wins; a later one gets what is kept.
    pub fn keep(&self, message: Kept) -> Result<Kept, ArchiveError> {
        let mut kept = self.kept.lock().expect("no holder panics");
        if let Some(known) = kept.get(&message.id) {
            return Ok(known.clone());
        }
        let path = self.folder.join(format!("{}.json", message.id));
        self.write(&path, &message).map_err(|source| ArchiveError::Io { path, source })?;
        kept.insert(message.id, message.clone());
        Ok(message)
    }

    /// A half-written file never carries the final name.
    fn write(&self, path: &Path, message: &Kept) -> io::Result<()> {
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(message).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(&self.folder)?.sync_all()
    }
}

//! `manifest.json`: what a backup holds.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use synaq_core::ids::SessionId;
use synaq_seal::Digest;
use synaq_store_sqlite::backup::Audit;
use uuid::Uuid;

/// Raised when an older `restore` could not read it.
const FORMAT: u32 = 1;
/// Its name; written last.
pub(crate) const FILE: &str = "manifest.json";
/// The database's name in the backup.
pub(crate) const DATABASE: &str = "synaq.db";
/// The folder of evidence in the backup.
pub(crate) const EVIDENCE: &str = "evidence";

/// What a backup holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// Release that made it
    pub(crate) version: String,
    /// When it was begun, ms UTC: whatever was acknowledged before is in it
    pub(crate) taken_at: i64,
    /// None when the database is PostgreSQL, which is backed up by its own means
    pub(crate) database: Option<Database>,
    /// By path below the folder, `/` between
    pub(crate) files: BTreeMap<String, Piece>,
}

/// The database of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// Number of the newest migration
    pub(crate) schema: i64,
    /// Sealed records
    pub(crate) records: u64,
    /// Every session that has events
    pub(crate) sessions: BTreeMap<Uuid, Head>,
}

/// Where a session's chain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// How many
    pub(crate) events: u64,
    /// Head of the chain
    pub(crate) hash: Digest,
}

/// One file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    /// Length
    pub(crate) bytes: u64,
    /// Of its bytes
    pub(crate) sha256: Digest,
}

impl Manifest {
    pub(crate) fn new(taken_at: i64, audit: Option<&Audit>, files: BTreeMap<String, Piece>) -> Self {
        let database = audit.map(|audit| Database {
            schema: audit.schema,
            records: audit.records,
            sessions: audit.heads.iter().map(head).collect(),
        });
        Self { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), taken_at, database, files }
    }

    /// Reads the manifest of a backup; its bytes too, which are what is signed.
    pub(crate) fn read(backup: &Path) -> anyhow::Result<(Self, Vec<u8>)> {
        let path = backup.join(FILE);
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "{} cannot be read; without it this is no backup, or one that was cut short",
                path.display()
            )
        })?;
        let manifest: Self =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
        anyhow::ensure!(
            manifest.format == FORMAT,
            "the backup has format {}, this release reads {FORMAT}; restore it with release {}",
            manifest.format,
            manifest.version
        );
        for name in manifest.files.keys() {
            anyhow::ensure!(is_below(name), "{} names a file outside the backup: {name}", path.display());
        }
        Ok((manifest, bytes))
    }

    /// What an audited database has that this backup's had not, or the other way round.
    pub(crate) fn differences(&self, audit: &Audit) -> Vec<String> {
        let Some(database) = &self.database else { return Vec::new() };
        let found: BTreeMap<Uuid, Head> = audit.heads.iter().map(head).collect();
        let mut differences: Vec<String> = database
            .sessions
            .iter()
            .filter(|(session, head)| found.get(session) != Some(head))
            .map(|(session, _)| format!("session {session}: its chain does not end as the manifest says"))
            .collect();
        let unknown = found.keys().filter(|session| !database.sessions.contains_key(session));
        differences
            .extend(unknown.map(|session| format!("session {session}: the manifest does not know it")));
        if audit.records != database.records {
            differences.push(format!("{} sealed records, not {}", audit.records, database.records));
        }
        differences
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|piece| piece.bytes).sum()
    }
}

fn head((session, (events, hash)): (&SessionId, &(u64, Digest))) -> (Uuid, Head) {
    (session.0, Head { events: *events, hash: *hash })
}

/// A manifest is as trustworthy as whoever kept it: no name of it may lead elsewhere.
fn is_below(name: &str) -> bool {
    let path = PathBuf::from(name);
    !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_outside_the_backup_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let piece = Piece { bytes: 0, sha256: synaq_seal::sha256(b"") };
        for (name, right) in [
            ("evidence/a/b.blob", true),
            ("../keys/seal.p8", false),
            ("/etc/passwd", false),
            ("evidence/../../x", false),
            ("", false),
        ] {
            let manifest = Manifest::new(1, None, BTreeMap::from([(name.to_owned(), piece)]));
            std::fs::write(folder.path().join(FILE), serde_json::to_vec(&manifest).unwrap()).unwrap();
            assert_eq!(Manifest::read(folder.path()).is_ok(), right, "{name}");
        }
    }
}

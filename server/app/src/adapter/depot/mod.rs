//! Evidence in an S3-compatible store: the folder of evidence is what is written first, and a courier carries what is
//! synced there into the store behind it, part by part, while the exam goes on. A local file goes only when the store
//! holds every byte of it; what is gone from here and asked for again is fetched back, whole, as a file of its own.
//!
//! Parts are objects of their own and not those of one multipart upload, because a recording must be readable from the
//! store at any moment, and an upload that was not completed is not.

mod bucket;
mod carry;
mod fault;
mod fetch;
mod part;
mod shelf;
mod spool;
#[cfg(test)]
mod tests;

pub(crate) use bucket::{Bucket, Place};
pub(crate) use spool::Track;

use crate::private;
use shelf::Shelf;
use spool::Spool;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synaq_core::ids::SessionId;
use uuid::Uuid;

/// A part is carried when it is this old: with the way of a recording to the disk (6 s) the store is some 20 s behind.
const PART_EVERY: Duration = Duration::from_secs(15);

/// A piece of evidence: whose, and its name.
pub(crate) type Key = (Uuid, String);

/// How an installation uses its store.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The store
    pub(crate) place: Place,
    /// Bytes that may wait here for the store; beyond, nothing more is recorded
    pub(crate) spool_bytes: u64,
    /// Bytes of local files that are kept although the store has them
    pub(crate) cache_bytes: u64,
    /// What was synced is carried when it is this old
    pub(crate) part_every: Duration,
}

impl Options {
    /// With the usual pace.
    pub(crate) const fn new(place: Place, spool_bytes: u64, cache_bytes: u64) -> Self {
        Self { place, spool_bytes, cache_bytes, part_every: PART_EVERY }
    }
}

/// The store behind a folder of evidence.
pub(crate) struct Depot {
    root: PathBuf,
    bucket: Bucket,
    spool: Spool,
    shelf: Shelf,
    /// One fetch of a piece at a time
    fetching: Mutex<HashMap<Key, Arc<Mutex<()>>>>,
    tasks: tokio::runtime::Handle,
}

impl std::fmt::Debug for Depot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Depot").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Depot {
    /// Behind the folder `root`. Must be called within the async runtime that is to carry.
    ///
    /// # Errors
    /// If what is configured cannot be a store; whether it answers is not asked.
    pub(crate) fn behind(root: PathBuf, options: Options) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            root,
            bucket: Bucket::open(&options.place)?,
            spool: Spool::new(options.spool_bytes, options.part_every),
            shelf: Shelf::new(options.cache_bytes),
            fetching: Mutex::default(),
            tasks: tokio::runtime::Handle::current(),
        }))
    }

    /// A new piece is about to be written; what happens to it is told through the result.
    ///
    /// # Errors
    /// `StorageFull` while too much waits for the store, `AlreadyExists` when one of that name does.
    pub(crate) fn begin(self: &Arc<Self>, session: Uuid, name: &str) -> io::Result<Track> {
        if self.is_full() {
            return Err(full());
        }
        Track::begin(Arc::clone(self), (session, name.to_owned()))
    }

    /// As much waits for the store as may.
    pub(crate) fn is_full(&self) -> bool {
        self.spool.is_full()
    }

    /// The names that only the store knows, when nothing of a session is here. Blocks.
    pub(crate) fn names(&self, session: SessionId) -> io::Result<Vec<String>> {
        let names = self.tasks.block_on(self.bucket.names(session.0))?;
        Ok(names.into_iter().collect())
    }

    /// Removes the objects of every piece whose name `goes`; how many pieces that were. Blocks.
    pub(crate) fn remove(&self, session: SessionId, goes: impl Fn(&str) -> bool) -> io::Result<usize> {
        self.spool.forget_all(|key| key.0 == session.0 && goes(&key.1));
        self.shelf.forget_all(|key| key.0 == session.0 && goes(&key.1));
        Ok(self.tasks.block_on(self.bucket.remove(session.0, goes))?)
    }

    /// A local file was read: it stays longest.
    pub(crate) fn used(&self, session: Uuid, name: &str) {
        self.shelf.used(&(session, name.to_owned()));
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.root.join(key.0.to_string()).join(format!("{}{SUFFIX}", key.1))
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "too much waits for the store of evidence")
}

/// Of a sealed file.
pub(crate) const SUFFIX: &str = ".blob";
/// Of the note beside it, or in its place: the store has all of it.
pub(crate) const NOTE: &str = ".away";

/// What the note says.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Note {
    /// The blob, 32 hexadecimal digits
    blob: String,
    /// Length of the sealed file
    bytes: u64,
}

impl Note {
    fn path(file: &Path) -> PathBuf {
        file.with_extension("").with_added_extension(&NOTE[1..])
    }

    /// Durably, before the file may go.
    fn write(&self, file: &Path) -> io::Result<()> {
        let note = Self::path(file);
        private::write(&note, format!("{} {}\n", self.blob, self.bytes).as_bytes())
            .map_err(io::Error::other)?;
        fs::File::open(note.parent().expect("below the root"))?.sync_all()
    }

    /// Nothing when there is none.
    fn read(file: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(Self::path(file)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let note = text
            .trim_end()
            .split_once(' ')
            .and_then(|(blob, bytes)| Some(Self { blob: blob.to_owned(), bytes: bytes.parse().ok()? }));
        note.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a note of the store"))
    }
}

//! What was written here and is not in the store yet.

use super::fault::Fault;
use super::{Depot, Key, full};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A part is carried at once when it has this many bytes ...
const PART_BYTES: u64 = 1024 * 1024;
/// ... and never has more: one part is in memory while it is carried.
const PART_MAX: u64 = 4 * PART_BYTES;

/// One file of the folder on its way.
#[derive(Debug)]
struct Blob {
    written: u64,
    /// Up to here it would survive a power cut
    synced: u64,
    /// Up to here the store has it
    up: u64,
    /// The store was asked how far it has it
    known: bool,
    /// Nobody writes it any more
    whole: bool,
    /// When the oldest byte that is not up was written
    since: Instant,
    busy: bool,
    /// It failed by itself: others go first
    rests_until: Option<Instant>,
}

impl Blob {
    fn new(written: u64, now: Instant) -> Self {
        let (synced, up) = (0, 0);
        Self { written, synced, up, known: false, whole: false, since: now, busy: false, rests_until: None }
    }
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<Key, Blob>,
    waiting: u64,
}

/// Every file of the folder that is not in the store, or not wholly.
#[derive(Debug)]
pub(super) struct Spool {
    most: u64,
    part_every: Duration,
    state: Mutex<State>,
    pub(super) bell: Notify,
}

/// What is to be carried next.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) key: Key,
    pub(super) up: u64,
    pub(super) known: bool,
    pub(super) synced: u64,
    pub(super) whole: bool,
}

impl Load {
    /// The end of the part that begins where the store's bytes end, of a file with `bytes` to be carried.
    pub(super) fn to(up: u64, bytes: u64) -> u64 {
        bytes.min(up + PART_MAX)
    }
}

impl Spool {
    pub(super) fn new(most: u64, part_every: Duration) -> Self {
        Self { most, part_every, state: Mutex::default(), bell: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_full(&self) -> bool {
        self.lock().waiting >= self.most
    }

    /// Bytes that wait, and since when the oldest does.
    pub(super) fn waiting(&self) -> (u64, Option<Instant>) {
        let state = self.lock();
        let behind = state.blobs.values().filter(|blob| blob.written > blob.up);
        (state.waiting, behind.map(|blob| blob.since).min())
    }

    /// A file of the process before, with all its bytes; not if this process knows it already.
    pub(super) fn found(&self, key: Key, bytes: u64) {
        let mut state = self.lock();
        let State { blobs, waiting } = &mut *state;
        blobs.entry(key).or_insert_with(|| {
            *waiting += bytes;
            Blob { whole: true, ..Blob::new(bytes, Instant::now()) }
        });
    }

    fn change(&self, key: &Key, change: impl FnOnce(&mut Blob)) {
        let mut state = self.lock();
        let State { blobs, waiting } = &mut *state;
        if let Some(blob) = blobs.get_mut(key) {
            let before = blob.written.saturating_sub(blob.up);
            change(blob);
            *waiting = *waiting - before + blob.written.saturating_sub(blob.up);
        }
    }

    /// The oldest that is due; nobody else gets it until it is [`Self::put_down`].
    pub(super) fn next(&self, now: Instant) -> Option<Load> {
        let mut state = self.lock();
        let is_due = |blob: &Blob| {
            let behind = blob.synced.saturating_sub(blob.up);
            let old = now.duration_since(blob.since) >= self.part_every;
            let rested = blob.rests_until.is_none_or(|until| now >= until);
            !blob.busy && rested && (blob.whole || behind >= PART_BYTES || (behind > 0 && old))
        };
        let due = state.blobs.iter_mut().filter(|(_, blob)| is_due(blob));
        let (key, blob) = due.min_by_key(|(_, blob)| blob.since)?;
        blob.busy = true;
        let Blob { up, known, synced, whole, .. } = *blob;
        Some(Load { key: key.clone(), up, known, synced, whole })
    }

    /// The store has it up to here.
    pub(super) fn is_up(&self, key: &Key, up: u64, now: Instant) {
        self.change(key, |blob| (blob.up, blob.known, blob.since) = (up, true, now));
    }

    /// Of a file that nobody writes any more.
    pub(super) fn measured(&self, key: &Key, bytes: u64) {
        self.change(key, |blob| blob.written = bytes);
    }

    /// It was carried, or could not be: it may be taken up again.
    pub(super) fn put_down(&self, key: &Key, fault: Option<&Fault>, now: Instant) {
        self.change(key, |blob| {
            blob.busy = false;
            if let Some(fault) = fault {
                // What the store has is asked anew: a request without an answer may have arrived.
                blob.known = false;
                blob.rests_until = (!fault.is_the_stores()).then(|| now + self.part_every);
            }
        });
    }

    /// The store has it all, or it is gone.
    pub(super) fn forget(&self, key: &Key) {
        self.forget_all(|known| known == key);
    }

    pub(super) fn forget_all(&self, gone: impl Fn(&Key) -> bool) {
        let mut state = self.lock();
        let State { blobs, waiting } = &mut *state;
        blobs.retain(|key, blob| {
            let gone = gone(key);
            if gone {
                *waiting -= blob.written.saturating_sub(blob.up);
            }
            !gone
        });
    }
}

/// Tells the spool of a file that is being written; dropped when nobody writes it any more.
pub(crate) struct Track {
    depot: Arc<Depot>,
    key: Key,
    written: u64,
}

impl Track {
    pub(super) fn begin(depot: Arc<Depot>, key: Key) -> io::Result<Self> {
        let mut state = depot.spool.lock();
        if state.blobs.contains_key(&key) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // Its id will be new: the store cannot have any of it.
        state.blobs.insert(key.clone(), Blob { known: true, ..Blob::new(0, Instant::now()) });
        drop(state);
        Ok(Self { depot, key, written: 0 })
    }

    /// Whether more may be written.
    ///
    /// # Errors
    /// `StorageFull` while too much waits.
    pub(crate) fn room(&self) -> io::Result<()> {
        if self.depot.is_full() { Err(full()) } else { Ok(()) }
    }

    /// The file has so many bytes.
    pub(crate) fn wrote(&mut self, bytes: u64) {
        self.written = bytes;
        self.depot.spool.change(&self.key, |blob| {
            if blob.written == blob.up {
                blob.since = Instant::now();
            }
            blob.written = bytes;
        });
    }

    /// ... and all of them are synced.
    pub(crate) fn synced(&self) {
        self.depot.spool.change(&self.key, |blob| blob.synced = self.written);
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.depot.spool.change(&self.key, |blob| blob.whole = true);
        self.depot.spool.bell.notify_one();
    }
}

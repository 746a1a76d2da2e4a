//! Room for the write-ahead log, made before it is needed. A commit that makes a file longer waits for the file system's
//! own journal too, which takes it half as long again; one that writes over what is there does not. SQLite begins at the
//! start of the file again after each checkpoint, so room that was made once serves until the file is cut or removed.

use crate::SqliteStore;
use crate::open::beside;
use crate::writer::{CHECKPOINT_PAGES, in_place};
use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::Ordering;
use synaq_store::Error;

/// A page and the head of its frame (sqlite.org/fileformat2.html, 4.1).
const FRAME_BYTES: u64 = 4_096 + 24;
/// The batch that passes the mark of a checkpoint is written before it.
const PAGES_PAST_THE_MARK: u64 = 1_000;
/// Room that is made: 19.7 MiB.
pub const LOG_ROOM_BYTES: u64 = (CHECKPOINT_PAGES.unsigned_abs() as u64 + PAGES_PAST_THE_MARK) * FRAME_BYTES;

impl SqliteStore {
    /// Makes room for the write-ahead log, if it has less. While room is there, answers are stored on a full disk too.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file cannot be written or the disk is full; the store works without it.
    pub async fn make_log_room(&self) -> Result<(), Error> {
        let path = beside(self.path(), "-wal");
        let mut turn = self.turn.lock().await;
        // Within a transaction, so that no other process makes the log longer meanwhile.
        in_place(|| turn.writer.holding(|| extend(&path).map_err(|error| Error::Unavailable(error.into()))))?;
        self.log_room.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes it anew after the log was cut.
    pub(crate) async fn keep_log_room(&self) -> Result<(), Error> {
        if self.log_room.load(Ordering::Relaxed) { self.make_log_room().await } else { Ok(()) }
    }
}

/// Zeros, written and not only asked for: the first write into blocks that were only promised is journaled as well. They
/// are no frames: whoever recovers the log stops at the first one without the salt of its head.
fn extend(path: &Path) -> io::Result<()> {
    let mut log = OpenOptions::new().write(true).open(path)?;
    let length = log.metadata()?.len();
    let missing = usize::try_from(LOG_ROOM_BYTES.saturating_sub(length)).unwrap_or(0);
    if missing == 0 {
        return Ok(());
    }
    let extended = log
        .seek(SeekFrom::Start(length))
        .and_then(|_| log.write_all(&vec![0; missing]))
        .and_then(|()| log.sync_all());
    if extended.is_err() {
        // Half of it helps nobody on a full disk.
        log.set_len(length)?;
    }
    extended
}

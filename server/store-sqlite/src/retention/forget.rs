//! Overwritten bytes leave the files. SQLite keeps older pages in its write-ahead log until that is cut, and rebuilding a
//! page may leave a copy of a row in the page's free room; so the files are read afterwards, and written anew by VACUUM
//! when anything is still there.

use crate::error::engine;
use crate::open::SqliteStore;
use crate::writer::in_place;
use sqlx::Row as _;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use synaq_store::Error;

/// Enough of a wrapped key to know it by: its version and its random nonce.
const HEAD: usize = 13;
const BUFFER_BYTES: usize = 1024 * 1024;
/// Somebody reads (a backup, a list): the log is cut when they are done, and asked for again until then.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn forget(store: &SqliteStore, gone: &[Vec<u8>]) -> Result<(), Error> {
    let forgotten = forget_in_files(store, gone).await;
    // Without room commits take longer, no more.
    let _ = store.keep_log_room().await;
    forgotten
}

async fn forget_in_files(store: &SqliteStore, gone: &[Vec<u8>]) -> Result<(), Error> {
    let path = store.path().to_owned();
    cut_log(store).await?;
    let heads: HashSet<[u8; HEAD]> = gone.iter().filter_map(|key| key.get(..HEAD)?.try_into().ok()).collect();
    let known = !gone.is_empty() && heads.len() == gone.len();
    if known && in_place(|| left_over(&path, &heads)).map_err(unreadable)?.is_none() {
        return Ok(());
    }
    let mut turn = store.turn.lock().await;
    sqlx::query("VACUUM").execute(turn.rows.connection().await?).await.map_err(engine)?;
    drop(turn);
    cut_log(store).await?;
    match in_place(|| left_over(&path, &heads)).map_err(unreadable)? {
        None => Ok(()),
        Some(file) => Err(Error::Damaged(format!("a destroyed key can still be read in {}", file.display()))),
    }
}

/// Answers wait for one attempt at most, and neither for the pauses nor while the files are read: what is overwritten and
/// cut out of the log, no later write brings back.
async fn cut_log(store: &SqliteStore) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let mut turn = store.turn.lock().await;
        let row =
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(turn.rows.connection().await?).await;
        drop(turn);
        let busy: i64 = row.and_then(|row| row.try_get(0)).map_err(engine)?;
        if busy == 0 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let why = "somebody reads the database without end; destroyed keys are cleared out at the next run";
    Err(Error::Unavailable(why.into()))
}

/// The first file in which one of these is found.
fn left_over(database: &Path, heads: &HashSet<[u8; HEAD]>) -> io::Result<Option<PathBuf>> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    for path in [database.to_owned(), PathBuf::from(log)] {
        match File::open(&path) {
            Ok(file) => {
                if holds(file, heads)? {
                    return Ok(Some(path));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn holds(mut file: impl Read, heads: &HashSet<[u8; HEAD]>) -> io::Result<bool> {
    let mut first = [false; 256];
    heads.iter().for_each(|head| first[usize::from(head[0])] = true);
    let (mut buffer, mut kept) = (vec![0; BUFFER_BYTES], 0);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            return Ok(false);
        }
        let filled = kept + read;
        let found = |at: &[u8]| first[usize::from(at[0])] && heads.contains(at);
        if buffer[..filled].windows(HEAD).any(found) {
            return Ok(true);
        }
        // What straddles the end is looked at with what follows.
        kept = filled.min(HEAD - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_wherever_it_lies() {
        let key = [9_u8; HEAD];
        let heads = HashSet::from([key]);
        for at in [0, 1, BUFFER_BYTES - HEAD, BUFFER_BYTES - 5, BUFFER_BYTES, 2 * BUFFER_BYTES - 1] {
            let mut bytes = vec![0; 3 * BUFFER_BYTES];
            bytes[at..at + HEAD].copy_from_slice(&key);
            assert!(holds(&bytes[..], &heads).unwrap(), "{at}");
            bytes[at + 7] = 0;
            assert!(!holds(&bytes[..], &heads).unwrap(), "{at}");
        }
    }
}

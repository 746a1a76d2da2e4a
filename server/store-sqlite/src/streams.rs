//! The connections that read streams: where the caller is, as the writer appends. A pool that reads on threads of its
//! own hands over each row with a wake of its own, and ten thousand sessions that come back have half a million rows.

use crate::error::by_code;
use crate::open::{BUSY_TIMEOUT, READERS};
use crate::writer::{in_place, position};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::Digest;
use synaq_store::{Error, Recorded};
use tokio::sync::Semaphore;

const EVENTS: &str =
    "SELECT seq, at, kind, body, hash FROM event WHERE stream = ?1 AND seq > ?2 ORDER BY seq";

/// A few connections, opened when they are needed first.
#[derive(Debug)]
pub(crate) struct Streams {
    path: PathBuf,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Streams {
    /// Over a file that exists.
    pub(crate) fn new(path: &Path) -> Self {
        let turns = Semaphore::new(usize::try_from(READERS).expect("a few"));
        Self { path: path.to_owned(), turns, idle: Mutex::default() }
    }

    /// The events of a stream after that position, as they lie there.
    pub(crate) async fn events(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        let _turn = self.turns.acquire().await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        in_place(|| {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| connect(&self.path), Ok)?;
            let events = read(&connection, stream, after)?;
            // One that failed may not be trusted any more, and is not kept.
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(events)
        })
    }

    /// Nobody reads from here on.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    // Not read-only: a connection that may not write cannot make the shared memory of the write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(engine)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(engine)?;
    connection.pragma_update(None, "query_only", 1).map_err(engine)?;
    Ok(connection)
}

fn read(connection: &Connection, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
    let mut events = connection.prepare_cached(EVENTS).map_err(engine)?;
    let events = events.query_map(params![stream.0.as_bytes(), position(after)], recorded);
    events.and_then(Iterator::collect).map_err(engine)
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded {
        seq: Seq(row.get::<_, i64>(0)?.unsigned_abs()),
        at: At(row.get(1)?),
        kind: row.get(2)?,
        body: row.get(3)?,
        hash: Digest(row.get(4)?),
    })
}

fn engine(error: rusqlite::Error) -> Error {
    match &error {
        // Of a row that is there: its bytes are not what we wrote.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => Error::Damaged(error.to_string()),
        _ => {
            let code = error.sqlite_error().map(|failure| failure.extended_code);
            by_code(code, error)
        }
    }
}

//! The connection that appends: statements prepared once, run where the caller is, without a hop to another thread.

use crate::error::by_code;
use crate::open::{BUSY_TIMEOUT, SYNCHRONOUS_FULL, refuse_forgetful};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_store::{Batch, Error, Lease};
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

/// Every statement of this file, and some room.
const CACHED_STATEMENTS: usize = 32;

/// The index of positions of 10,000 sessions fits: SQLite's own 2 MiB would be read again with every large batch.
const CACHE_KIB: i32 = 32 * 1024;

/// Pages in the write-ahead log before they are folded into the file. A batch of a thousand sessions dirties as many
/// pages as SQLite's own 1,000, and would be written twice at once; with four times that, half as many again fit into
/// a second.
pub(crate) const CHECKPOINT_PAGES: i32 = 4_000;

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const HOLDS: &str = "SELECT 1 FROM lease WHERE node = ?1 AND epoch = ?2";
const TAKE_LEASE: &str = "INSERT INTO lease (id, node, epoch, taken_at) VALUES (1, ?1, 1, ?2)
    ON CONFLICT (id) DO UPDATE SET node = excluded.node, epoch = epoch + 1, taken_at = excluded.taken_at
    RETURNING epoch";
const MARK: &str = "INSERT INTO node_mark (epoch, node, at) VALUES (?1, ?2, ?3)
    ON CONFLICT (epoch) DO UPDATE SET at = excluded.at";
const EVENT: &str = "INSERT INTO event (stream, seq, at, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const SUMMARY: &str = "INSERT INTO summary
    (session, state, finish, outcome, correct, total, warnings, started_at, finished_at, live, incidents)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (session) DO UPDATE SET state = excluded.state, finish = excluded.finish,
        outcome = excluded.outcome, correct = excluded.correct, total = excluded.total,
        warnings = excluded.warnings, started_at = excluded.started_at,
        finished_at = excluded.finished_at, live = excluded.live, incidents = excluded.incidents";
const RECORD: &str =
    "INSERT INTO record (session, payload, sha256, jws, kid, sealed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const APPROVAL: &str = "INSERT INTO approval (session, jws) VALUES (?1, ?2)";
const MESSAGE: &str = "INSERT INTO outbox (message, session, kind, body, sha256, created_at, due_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";

/// The appending connection; opened anew when it can no longer be trusted.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Writer {
    /// Over a file that exists.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let connection = connect(path)?;
        Ok(Self { path: path.to_owned(), connection: Some(connection) })
    }

    /// What it holds is in the file: nothing acknowledged depends on closing.
    pub(crate) fn close(&mut self) {
        self.connection = None;
    }

    pub(crate) fn take_lease(&mut self, node: Uuid, at: At) -> Result<Lease, Error> {
        self.transaction(|connection| {
            let epoch: i64 = connection
                .prepare_cached(TAKE_LEASE)
                .and_then(|mut take| take.query_row(params![node.as_bytes(), at.0], |row| row.get(0)))
                .map_err(engine)?;
            Ok(Lease { node, epoch: epoch.unsigned_abs() })
        })
    }

    pub(crate) fn mark(&mut self, lease: Lease, at: At) -> Result<(), Error> {
        self.transaction(|connection| {
            refuse_fenced(connection, lease)?;
            let of = params![lease.epoch.cast_signed(), lease.node.as_bytes(), at.0];
            connection.prepare_cached(MARK).and_then(|mut mark| mark.execute(of)).map(drop).map_err(engine)
        })
    }

    pub(crate) fn append(&mut self, lease: Lease, batch: &Batch) -> Result<(), Error> {
        self.transaction(|connection| {
            refuse_fenced(connection, lease)?;
            insert_events(connection, batch)?;
            insert_summaries(connection, batch)?;
            insert_records(connection, batch)?;
            insert_messages(connection, batch)
        })
    }

    /// Something that must not happen while anybody writes; changes nothing in the database.
    pub(crate) fn holding<T>(&mut self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.transaction(|_| work())
    }

    /// All of the work, durable, or nothing of it.
    fn transaction<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let done = run(&connection, BEGIN)
            .and_then(|()| work(&connection))
            .and_then(|value| run(&connection, COMMIT).map(|()| value));
        // On a full disk SQLite may have rolled back by itself. A connection that cannot roll back is given up.
        let sound = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        if sound {
            self.connection = Some(connection);
        }
        done
    }

    #[cfg(test)]
    pub(crate) fn execute(&mut self, sql: &str) -> Result<(), Error> {
        self.connection.as_ref().expect("an open writer").execute_batch(sql).map_err(engine)
    }
}

/// Runs what waits for the disk: beside the other tasks of a server, and simply in place where there is one thread.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A connection that keeps what it acknowledges, or an error.
fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path).map_err(engine)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(engine)?;
    for (pragma, value) in [("synchronous", SYNCHRONOUS_FULL), ("foreign_keys", 1)] {
        connection.pragma_update(None, pragma, value).map_err(engine)?;
    }
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(engine)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(engine)?;
    ask_whether_forgetful(&connection)?;
    Ok(connection)
}

pub(crate) fn ask_whether_forgetful(connection: &Connection) -> Result<(), Error> {
    let journal: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(engine)?;
    let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(engine)?;
    refuse_forgetful(&journal, synchronous)
}

fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(engine)
}

fn refuse_fenced(connection: &Connection, lease: Lease) -> Result<(), Error> {
    let of = params![lease.node.as_bytes(), lease.epoch.cast_signed()];
    let held = connection
        .prepare_cached(HOLDS)
        .and_then(|mut holds| holds.query_row(of, |_| Ok(())).optional())
        .map_err(engine)?;
    held.ok_or(Error::Fenced)
}

fn insert_events(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    let mut insert = connection.prepare_cached(EVENT).map_err(engine)?;
    for event in &batch.events {
        insert
            .execute(params![
                event.stream.0.as_bytes(),
                position(event.seq),
                event.at.0,
                event.kind,
                event.body,
                event.hash.0
            ])
            .map_err(|error| match is(&error, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE) {
                true => Error::Duplicate { stream: event.stream.0, seq: event.seq.0 },
                false => engine(error),
            })?;
    }
    Ok(())
}

fn insert_summaries(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    if batch.summaries.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(SUMMARY).map_err(engine)?;
    for summary in &batch.summaries {
        insert
            .execute(params![
                summary.session.0.as_bytes(),
                summary.state,
                summary.finish,
                summary.outcome,
                summary.correct,
                summary.total,
                summary.warnings,
                summary.started_at.map(|at| at.0),
                summary.finished_at.map(|at| at.0),
                summary.live,
                summary.incidents_json()
            ])
            .map_err(engine)?;
    }
    Ok(())
}

/// Records, then what approves them.
fn insert_records(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    for record in &batch.records {
        let row = params![
            record.session.0.as_bytes(),
            record.payload,
            record.sha256.0,
            record.jws,
            record.kid,
            record.sealed_at.0
        ];
        connection.prepare_cached(RECORD).and_then(|mut insert| insert.execute(row)).map_err(|error| {
            refused(error, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, record.session, Error::SEALED_ALREADY)
        })?;
    }
    for approval in &batch.approvals {
        let row = params![approval.session.0.as_bytes(), approval.jws];
        connection.prepare_cached(APPROVAL).and_then(|mut insert| insert.execute(row)).map_err(|error| {
            refused(error, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY, approval.session, Error::NOT_SEALED)
        })?;
    }
    Ok(())
}

fn insert_messages(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    for message in &batch.messages {
        let row = params![
            message.id.as_bytes(),
            message.session.0.as_bytes(),
            message.kind.as_str(),
            message.body,
            message.sha256.0,
            message.created_at.0
        ];
        connection.prepare_cached(MESSAGE).and_then(|mut insert| insert.execute(row)).map_err(|error| {
            refused(error, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, message.session, Error::MESSAGE_TAKEN)
        })?;
    }
    Ok(())
}

/// SQLite's integers are signed; no stream reaches 2^63 events, so saturation loses nothing.
pub(crate) fn position(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn refused(error: rusqlite::Error, constraint: i32, session: SessionId, why: &'static str) -> Error {
    match is(&error, constraint) {
        true => Error::Refused { session: session.0, why },
        false => engine(error),
    }
}

fn is(error: &rusqlite::Error, extended: i32) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == extended)
}

fn engine(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    by_code(code, error)
}

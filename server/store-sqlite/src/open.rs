//! Opening the file: the only place that knows pragmas.

use crate::error::engine;
use crate::streams::Streams;
use crate::transaction::Rows;
use crate::writer::{Writer, in_place};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use synaq_store::{Error, Versions};
use tokio::sync::Mutex;

/// Shards worth having: while one has the writer, the other decides. With one, deciding and storing wait for each other;
/// with four, groups become smaller and nothing is stored sooner.
pub const SHARDS: usize = 2;

/// Readers at a time; reading is rare beside appending, and four cores are the smallest recommended machine.
pub(crate) const READERS: u32 = 4;

/// Patience with a lock that somebody else's tool (a backup, a shell) holds on the file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements cached per connection: four sizes of each multi-row INSERT and every other statement of this crate.
const CACHED_STATEMENTS: usize = 128;

/// `PRAGMA synchronous` reads back as this for FULL.
pub(crate) const SYNCHRONOUS_FULL: i64 = 2;

/// Whoever writes has it: a file has one writer at a time, and waiting here is fairer and faster than on SQLite's lock.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Appends to the log
    pub(crate) writer: Writer,
    /// Writes everything else
    pub(crate) rows: Rows,
}

/// All ports over one SQLite file. Dropping it releases the file for another process.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) turn: Mutex<Turn>,
    pub(crate) readers: SqlitePool,
    pub(crate) streams: Streams,
    /// Epoch of the lease this process took; 0 before.
    pub(crate) epoch: AtomicU64,
    pub(crate) versions: Versions,
    path: PathBuf,
    /// Whether room was made for the write-ahead log
    pub(crate) log_room: AtomicBool,
    /// None for [`SqliteStore::open_beside`]
    pub(crate) lock: Option<File>,
}

impl SqliteStore {
    /// Opens or creates the file, brings its schema up to date, and keeps every other process of ours out by a lock
    /// on `<path>.lock`.
    ///
    /// # Errors
    /// [`Error::Open`] when another process holds the lock, a migration fails, or the engine would not keep what it
    /// acknowledges (no WAL on this file system, synchronous not FULL).
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let lock = lock(path)?;
        Self::open_file(path, Some(lock)).await
    }

    /// Opens the file beside a running server, for directory rows written from the command line (a centre, a member
    /// of staff). Sessions stay with the server: this store takes no lease, so it cannot append and fences nobody.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], without the lock.
    pub async fn open_beside(path: &Path) -> Result<Self, Error> {
        Self::open_file(path, None).await
    }

    async fn open_file(path: &Path, lock: Option<File>) -> Result<Self, Error> {
        keep_private(path)?;
        let options = options(path);
        let connection = connect_rows(&options).await?;
        migrate(&options).await?;
        let writer = in_place(|| Writer::open(path))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.clone().pragma("query_only", "ON"))
            .await
            .map_err(engine)?;
        Ok(Self {
            turn: Mutex::new(Turn { writer, rows: Rows::new(options, connection) }),
            readers,
            streams: Streams::new(path),
            epoch: AtomicU64::new(0),
            versions: Versions::default(),
            path: path.to_owned(),
            log_room: AtomicBool::new(false),
            lock,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes every connection, which folds the write-ahead log into the file. Calls made later answer
    /// [`Error::Unavailable`] or open the writer anew; the lock stays until the store is dropped.
    pub async fn close(&self) {
        self.readers.close().await;
        self.streams.close();
        let mut turn = self.turn.lock().await;
        in_place(|| turn.writer.close());
        turn.rows.close().await;
    }
}

/// Over a pool, because a future with `Acquire` for `&mut SqliteConnection` in it cannot be spawned ("not general
/// enough").
async fn migrate(options: &SqliteConnectOptions) -> Result<(), Error> {
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(engine)?;
    let migrated = sqlx::migrate!("../../migrations/sqlite").run(&pool).await;
    let migrated = migrated.map_err(|error| Error::Open(format!("migration: {error}")));
    let filled = match migrated {
        Ok(()) => crate::keys::fill(&pool).await,
        failed => failed,
    };
    pool.close().await;
    filled
}

/// A writing connection that keeps what it acknowledges, or an error.
pub(crate) async fn connect_rows(options: &SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    let mut connection = options.connect().await.map_err(engine)?;
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.map_err(engine)?;
    let synchronous =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut connection).await.map_err(engine)?;
    refuse_forgetful(&journal, synchronous)?;
    Ok(connection)
}

/// SQLite keeps the old mode without an error when a file system cannot do WAL: each connection is asked.
pub(crate) fn refuse_forgetful(journal: &str, synchronous: i64) -> Result<(), Error> {
    if journal != "wal" {
        return Err(Error::Open(format!("the file system does not support WAL (journal_mode is {journal})")));
    }
    if synchronous != SYNCHRONOUS_FULL {
        return Err(Error::Open(format!("synchronous is {synchronous}, must be FULL ({SYNCHRONOUS_FULL})")));
    }
    Ok(())
}

pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is overwritten or deleted leaves its page too (retention/forget.rs sees to the rest).
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(CACHED_STATEMENTS)
        .disable_statement_logging()
}

fn lock(path: &Path) -> Result<File, Error> {
    let path = beside(path, ".lock");
    let file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Open("another synaq runs on this data directory; stop it first".to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(Error::Open(format!("{}: {error}", path.display()))),
    }
}

/// Creates the file so that only its owner reads the names in it; SQLite gives its `-wal` and `-shm` the same mode.
fn keep_private(path: &Path) -> Result<(), Error> {
    private_file(path).map(drop)
}

fn private_file(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Error::Open(format!("{}: {error}", path.display())))
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

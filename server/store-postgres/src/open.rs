//! Opening the database.

use crate::connect::{connect, connect_for_migration};
use crate::database::Database;
use crate::keeper::Keeper;
use crate::lanes::Lanes;
use sqlx::Connection as _;
use std::sync::atomic::AtomicU64;
use synaq_store::{Error, Versions};
use tokio::sync::Mutex;

/// Appends under way at a time, and so the shards worth having: one per core of a recommended machine. More share the
/// same fsync's time, fewer leave PostgreSQL idle while a batch is on its way.
pub const APPENDS_AT_ONCE: usize = 4;
/// Everything else at a time: reading for pages and sockets, rows of the directory, the outbox.
const ROWS: usize = 8;

/// All ports over one PostgreSQL database. Dropping it lets another process in.
#[derive(Debug)]
pub struct PostgresStore {
    database: Database,
    pub(crate) appends: Lanes,
    pub(crate) rows: Lanes,
    /// Epoch of the lease this process took; 0 before.
    pub(crate) epoch: AtomicU64,
    pub(crate) versions: Versions,
    /// None for [`PostgresStore::open_beside`]
    pub(crate) keeper: Option<Mutex<Keeper>>,
}

impl PostgresStore {
    /// Opens the database, keeps every other server out by an advisory lock, and brings the schema up to date. Uses 13
    /// connections at most.
    ///
    /// # Errors
    /// [`Error::Open`] when PostgreSQL cannot be reached, another server runs on the database, a migration fails, or
    /// the database would not keep what it acknowledges (fsync, full_page_writes or synchronous_commit off).
    pub async fn open(database: &Database) -> Result<Self, Error> {
        let keeper = Keeper::take(database.clone()).await.map_err(|error| at_start(database, error))?;
        Self::open_with(database, Some(keeper)).await
    }

    /// Opens the database beside a running server, for directory rows written from the command line (a centre, a member
    /// of staff). Sessions stay with the server: this store takes no lease, so it cannot append and fences nobody.
    ///
    /// # Errors
    /// As [`PostgresStore::open`], without the lock.
    pub async fn open_beside(database: &Database) -> Result<Self, Error> {
        Self::open_with(database, None).await
    }

    /// Looks whether [`PostgresStore::open`] could succeed, without changing anything or keeping anybody out.
    ///
    /// # Errors
    /// [`Error::Open`] with what to do.
    pub async fn probe(database: &Database) -> Result<(), Error> {
        let connection = connect(database).await.map_err(|error| at_start(database, error))?;
        // It answered: that is all that was asked.
        connection.close().await.ok();
        Ok(())
    }

    async fn open_with(database: &Database, keeper: Option<Keeper>) -> Result<Self, Error> {
        migrate(database).await.map_err(|error| at_start(database, error))?;
        Ok(Self {
            database: database.clone(),
            appends: Lanes::new(database.clone(), APPENDS_AT_ONCE),
            rows: Lanes::new(database.clone(), ROWS),
            epoch: AtomicU64::new(0),
            versions: Versions::default(),
            keeper: keeper.map(Mutex::new),
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Closes every connection that is not in use; calls made later answer [`Error::Unavailable`]. The lock stays until
    /// the store is dropped.
    pub fn close(&self) {
        self.appends.close();
        self.rows.close();
    }
}

async fn migrate(database: &Database) -> Result<(), Error> {
    let mut connection = connect_for_migration(database).await?;
    sqlx::migrate!("../../migrations/postgres")
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|error| Error::Open(format!("migration: {error}")))?;
    crate::keys::fill(&mut connection).await.map_err(crate::error::engine)?;
    connection.close().await.ok();
    Ok(())
}

/// Before the start nothing is running that an error could leave in doubt: whoever starts is told what to mend.
fn at_start(database: &Database, error: Error) -> Error {
    match error {
        Error::Open(why) => Error::Open(format!("{database}: {why}")),
        Error::Unavailable(why) => Error::Open(format!("{database}: {why}")),
        other => other,
    }
}

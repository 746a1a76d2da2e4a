//! The session that keeps a second server of this database out, and the marks of being alive that go through it.
//!
//! The lock is an advisory one of that session: PostgreSQL lets go of it when the process, its machine or the database
//! server ends. It is there for people: what makes two servers safe is the epoch of the lease, checked in every append.
//! After a restart of PostgreSQL the next mark takes the lock again; should another server have been faster, it has a
//! newer lease, and the mark says so.

use crate::connect::connect;
use crate::database::Database;
use crate::error::{engine, leaves_connection_sound, timed_out};
use crate::lanes::PATIENCE;
use sqlx::{PgConnection, Row as _};
use std::time::Duration;
use synaq_core::time::At;
use synaq_store::{Error, Lease};

/// "synaq" in ASCII; locks are counted per database.
const LOCK: i64 = 0x73_79_6e_61_71;
/// The database of a killed server needs a moment to see that it is gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_LOOK: Duration = Duration::from_millis(100);

const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1)";
const MARK: &str = "WITH holder AS MATERIALIZED (SELECT FROM lease WHERE node = $1 AND epoch = $2 FOR SHARE),
    marked AS (INSERT INTO node_mark (epoch, node, at) SELECT $2, $1, $3 FROM holder
        ON CONFLICT (epoch) DO UPDATE SET at = excluded.at)
    SELECT count(*) FROM holder";

#[derive(Debug)]
pub(crate) struct Keeper {
    database: Database,
    connection: Option<PgConnection>,
}

impl Keeper {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Error::Open`] while another process has it.
    pub(crate) async fn take(database: Database) -> Result<Self, Error> {
        let mut connection = connect(&database).await?;
        let locked = tokio::time::timeout(LOCK_PATIENCE, async {
            while !try_lock(&mut connection).await? {
                tokio::time::sleep(LOCK_LOOK).await;
            }
            sqlx::Result::Ok(())
        });
        match locked.await {
            Ok(Ok(())) => Ok(Self { database, connection: Some(connection) }),
            Ok(Err(error)) => Err(engine(error)),
            Err(_) => Err(Error::Open(
                "another synaq runs on this database; stop it first (if its machine is gone, PostgreSQL notices within \
                 half a minute)"
                    .to_owned(),
            )),
        }
    }

    /// "Alive at", by the holder of the lease.
    pub(crate) async fn mark(&mut self, lease: Lease, at: At) -> Result<(), Error> {
        // Taken out, so that a cancelled caller leaves no connection in the middle of an answer.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let mut connection = connect(&self.database).await?;
                // Whether or not somebody has it: the lease in the same database decides below.
                tokio::time::timeout(PATIENCE, try_lock(&mut connection))
                    .await
                    .unwrap_or_else(|_| Err(timed_out()))
                    .map_err(engine)?;
                connection
            }
        };
        let query = sqlx::query(MARK).bind(lease.node).bind(lease.epoch.cast_signed()).bind(at.0);
        let marked = tokio::time::timeout(PATIENCE, query.fetch_one(&mut connection))
            .await
            .unwrap_or_else(|_| Err(timed_out()))
            .and_then(|row| row.try_get::<i64, _>(0));
        if marked.as_ref().err().is_none_or(leaves_connection_sound) {
            self.connection = Some(connection);
        }
        match marked {
            Ok(1) => Ok(()),
            Ok(_) => Err(Error::Fenced),
            Err(error) => Err(engine(error)),
        }
    }
}

async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(TRY_LOCK).bind(LOCK).fetch_one(connection).await
}

//! Transactions of rows that are no session's: the directory and the outbox.

use crate::error::engine;
use crate::open::{SqliteStore, Turn, connect_rows};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use synaq_store::Error;
use tokio::sync::MutexGuard;

/// Its connection; replaced when it can no longer be trusted.
///
/// `BEGIN` and `ROLLBACK` are plain statements here: on a full disk SQLite may roll back by itself, and sqlx's own
/// transaction then counts one level too many for good.
#[derive(Debug)]
pub(crate) struct Rows {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// A transaction was begun and neither committed nor rolled back: its caller was cancelled.
    abandoned: bool,
}

impl Rows {
    pub(crate) fn new(options: SqliteConnectOptions, connection: SqliteConnection) -> Self {
        Self { options, connection: Some(connection), abandoned: false }
    }

    pub(crate) async fn close(&mut self) {
        self.roll_back_abandoned().await;
        if let Some(connection) = self.connection.take() {
            // Nothing acknowledged depends on it: the log is replayed at the next start.
            connection.close().await.ok();
        }
    }

    /// The connection, opened anew when it was given up.
    pub(crate) async fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.roll_back_abandoned().await;
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect_rows(&self.options).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Lets go of the file's lock that a cancelled caller left behind.
    pub(crate) async fn roll_back_abandoned(&mut self) {
        if self.abandoned {
            self.roll_back().await;
        }
    }

    async fn roll_back(&mut self) {
        if let Some(connection) = &mut self.connection
            && sqlx::query("ROLLBACK").execute(connection).await.is_err()
        {
            // SQLite rolled back by itself, or the connection is broken: a new one is right in both cases.
            self.connection = None;
        }
        self.abandoned = false;
    }
}

/// An IMMEDIATE transaction. Ends by [`Transaction::end`]; a dropped one is rolled back before the next.
pub(crate) struct Transaction<'s> {
    turn: MutexGuard<'s, Turn>,
}

impl SqliteStore {
    /// Waits for its turn and begins.
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>, Error> {
        let mut turn = self.turn.lock().await;
        turn.rows.connection().await?;
        let mut transaction = Transaction { turn };
        transaction.turn.rows.abandoned = true;
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(transaction.connection()).await;
        match begun {
            Ok(_) => Ok(transaction),
            Err(error) => {
                transaction.roll_back().await;
                Err(engine(error))
            }
        }
    }
}

impl Transaction<'_> {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        self.turn
            .rows
            .connection
            .as_mut()
            .expect("begin opened it, and only the end of a transaction gives it up")
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let committed = sqlx::query("COMMIT").execute(self.connection()).await;
        match committed {
            Ok(_) => {
                self.turn.rows.abandoned = false;
                Ok(())
            }
            Err(error) => {
                self.roll_back().await;
                Err(engine(error))
            }
        }
    }

    pub(crate) async fn roll_back(mut self) {
        self.turn.rows.roll_back().await;
    }

    /// Commits what succeeded, rolls back what failed.
    pub(crate) async fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }
}

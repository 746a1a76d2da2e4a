//! A bounded number of connections, each used by one caller at a time.
//!
//! Not sqlx's pool: that asks every connection for a sign of life before or after each use, a round trip more per
//! append, and waits for it without end when the server is paused.

use crate::connect::connect;
use crate::database::Database;
use crate::error::{engine, leaves_connection_sound, timed_out};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use synaq_store::Error;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a caller waits for everything together: its turn, a connection, the answer. Then it hears
/// [`Error::Unavailable`] and the connection is closed: what a paused server does later meets a taken position.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Connections for one kind of work.
#[derive(Debug)]
pub(crate) struct Lanes {
    database: Database,
    turns: Semaphore,
    idle: Mutex<Idle>,
    /// The last attempt to reach the server was in vain: one caller at a time tries again, and the others are told at
    /// once instead of waiting in a row, each its whole time.
    silent: AtomicBool,
    trying: Semaphore,
}

#[derive(Debug, Default)]
struct Idle {
    connections: Vec<PgConnection>,
    /// Raised when a connection broke: the others of its time are as likely gone, and are not used again.
    generation: u64,
}

/// A connection in use; closed when dropped without [`Lane::end`].
pub(crate) struct Lane<'l> {
    lanes: &'l Lanes,
    pub(crate) connection: PgConnection,
    generation: u64,
    _turn: SemaphorePermit<'l>,
}

impl Lanes {
    /// At most so many connections, opened when needed.
    pub(crate) fn new(database: Database, most: usize) -> Self {
        Self {
            database,
            turns: Semaphore::new(most),
            idle: Mutex::default(),
            silent: AtomicBool::new(false),
            trying: Semaphore::new(1),
        }
    }

    /// All rows that a statement answers.
    pub(crate) async fn rows(&self, query: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>, Refusal> {
        self.patiently(async {
            let mut lane = self.lane().await?;
            let answer = query.fetch_all(&mut lane.connection).await;
            lane.end(answer)
        })
        .await
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&self, query: Query<'_, Postgres, PgArguments>) -> Result<u64, Refusal> {
        self.patiently(async {
            let mut lane = self.lane().await?;
            let answer = query.execute(&mut lane.connection).await;
            lane.end(answer).map(|done| done.rows_affected())
        })
        .await
    }

    /// Ends work that takes too long; its connection is closed with it.
    pub(crate) async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(done) => done,
            Err(_) => {
                self.silent.store(true, Ordering::SeqCst);
                self.distrust();
                Err(Refusal::Engine(timed_out()))
            }
        }
    }

    /// A connection, opened if none is idle.
    pub(crate) async fn lane(&self) -> Result<Lane<'_>, Refusal> {
        let turn = self.turns.acquire().await.map_err(|_| Refusal::Engine(sqlx::Error::PoolClosed))?;
        let _try = match self.silent.load(Ordering::SeqCst) {
            true => Some(self.trying.try_acquire().map_err(|_| Refusal::Engine(timed_out()))?),
            false => None,
        };
        let (idle, generation) = {
            let mut idle = self.idle();
            (idle.connections.pop(), idle.generation)
        };
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connected = connect(&self.database).await;
                self.silent.store(connected.is_err(), Ordering::SeqCst);
                connected.map_err(Refusal::Connecting)?
            }
        };
        Ok(Lane { lanes: self, connection, generation, _turn: turn })
    }

    /// Uses no connection again that was opened before now.
    pub(crate) fn distrust(&self) {
        let mut idle = self.idle();
        idle.generation += 1;
        idle.connections.clear();
    }

    /// No call gets a connection from now on.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.distrust();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        // Nothing panics while it is held, and a list of connections is whole at every moment.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane<'_> {
    /// Keeps the connection for the next caller if it is sound.
    pub(crate) fn end<T>(self, answer: Result<T, sqlx::Error>) -> Result<T, Refusal> {
        if answer.as_ref().err().is_none_or(leaves_connection_sound) {
            self.lanes.silent.store(false, Ordering::SeqCst);
            let mut idle = self.lanes.idle();
            if idle.generation == self.generation {
                idle.connections.push(self.connection);
            }
        } else {
            self.lanes.distrust();
        }
        answer.map_err(Refusal::Engine)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There was no connection, and nothing was asked
    Connecting(Error),
    /// PostgreSQL's answer, or the lack of one
    Engine(sqlx::Error),
}

impl Refusal {
    /// By what the statement means.
    pub(crate) fn or(self, name: impl FnOnce(sqlx::Error) -> Error) -> Error {
        match self {
            Self::Connecting(error) => error,
            Self::Engine(error) => name(error),
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.or(engine)
    }
}

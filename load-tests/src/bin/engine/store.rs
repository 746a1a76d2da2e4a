//! The engine under test, behind its ports.

use anyhow::Context as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use synaq_store::{Directory, EventLog, Outbox};
use synaq_store_postgres::{APPENDS_AT_ONCE, Database, PostgresStore};
use synaq_store_sqlite::{SHARDS, SqliteStore};
use synaq_test_postgres::Cluster;

/// How long to wait for the tasks of an aborted runtime, before looking again.
const HELD_STILL: Duration = Duration::from_millis(5);

/// Where stores are to be made.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Files below this folder
    Sqlite(PathBuf),
    /// Databases of a private cluster
    PrivatePostgres,
    /// This database, which should be empty
    Postgres(String),
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.strip_prefix("sqlite:") {
            Some(folder) => Ok(Self::Sqlite(folder.into())),
            None if text == "postgres" => Ok(Self::PrivatePostgres),
            None if text.starts_with("postgres://") => Ok(Self::Postgres(text.to_owned())),
            None => anyhow::bail!("a store is sqlite:FOLDER, postgres or postgres://..."),
        }
    }
}

/// Gives addresses of new stores.
pub(crate) struct Site {
    place: Place,
    cluster: Option<Cluster>,
}

impl Site {
    pub(crate) fn new(place: Place) -> anyhow::Result<Self> {
        let cluster = match place {
            Place::PrivatePostgres => {
                Some(Cluster::start(synaq_test_postgres::Options::default()).map_err(anyhow::Error::msg)?)
            }
            Place::Sqlite(_) | Place::Postgres(_) => None,
        };
        Ok(Self { place, cluster })
    }

    /// How much of a raw log's rate the store has to reach.
    pub(crate) const fn share_of_raw_log(&self) -> f64 {
        match self.place {
            Place::Sqlite(_) => 0.05,
            Place::PrivatePostgres | Place::Postgres(_) => 0.10,
        }
    }

    /// A store that nobody has used, except where there is one database for all.
    pub(crate) fn fresh(&self, name: &str) -> anyhow::Result<Address> {
        match (&self.place, &self.cluster) {
            (Place::Sqlite(folder), _) => Ok(Address::Sqlite(folder.join(name).join("synaq.db"))),
            (_, Some(cluster)) => {
                Ok(Address::Postgres(cluster.fresh_database().map_err(anyhow::Error::msg)?))
            }
            (Place::Postgres(url), None) => Ok(Address::Postgres(url.clone())),
            (Place::PrivatePostgres, None) => anyhow::bail!("the private cluster is gone"),
        }
    }
}

/// Which store, and where.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Address {
    /// What the application chooses for it.
    pub(crate) fn shards(&self) -> usize {
        match self {
            Self::Sqlite(_) => SHARDS,
            Self::Postgres(_) => APPENDS_AT_ONCE,
        }
    }

    /// As the application says of it.
    pub(crate) const fn appends_in_place(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// An open store.
pub(crate) struct Opened {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) directory: Arc<dyn Directory>,
    engine: Engine,
}

enum Engine {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    pub(crate) async fn at(address: &Address) -> anyhow::Result<Self> {
        match address {
            Address::Sqlite(path) => {
                std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
                let store = Arc::new(SqliteStore::open(path).await?);
                store.make_log_room().await?;
                let (log, outbox, directory) = (store.clone(), store.clone(), store.clone());
                Ok(Self { log, outbox, directory, engine: Engine::Sqlite(store) })
            }
            Address::Postgres(url) => {
                let store = Arc::new(PostgresStore::open(&Database::parse(url)?).await?);
                let (log, outbox, directory) = (store.clone(), store.clone(), store.clone());
                Ok(Self { log, outbox, directory, engine: Engine::Postgres(store) })
            }
        }
    }

    /// Closes it, once the tasks of a runtime that was left have let go of it.
    pub(crate) async fn close(self) {
        let Self { log, outbox, directory, engine } = self;
        drop((log, outbox, directory));
        match engine {
            Engine::Sqlite(store) => {
                alone(&store).await;
                store.close().await;
            }
            Engine::Postgres(store) => {
                alone(&store).await;
                store.close();
            }
        }
    }
}

async fn alone<S>(store: &Arc<S>) {
    while Arc::strong_count(store) > 1 {
        tokio::time::sleep(HELD_STILL).await;
    }
}

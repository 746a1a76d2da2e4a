//! The engine under test, behind its ports.

use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use synaq_store::{Directory, EventLog, Outbox};
use synaq_store_sqlite::SqliteStore;

/// How long to wait for the tasks of an aborted runtime, before looking again.
const HELD_STILL: Duration = Duration::from_millis(5);

/// Which store, and where.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Sqlite(PathBuf),
}

impl Address {
    /// A new SQLite file below a folder.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Self {
        Self::Sqlite(folder.join(name).join("synaq.db"))
    }

    /// What the application chooses for it.
    pub(crate) fn shards(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
        }
    }
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let folder = text.strip_prefix("sqlite:").context("a store is sqlite:FOLDER")?;
        Ok(Self::in_folder(Path::new(folder), "engine"))
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
}

impl Opened {
    pub(crate) async fn at(address: &Address) -> anyhow::Result<Self> {
        match address {
            Address::Sqlite(path) => {
                std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
                let store = Arc::new(SqliteStore::open(path).await?);
                Ok(Self {
                    log: store.clone(),
                    outbox: store.clone(),
                    directory: store.clone(),
                    engine: Engine::Sqlite(store),
                })
            }
        }
    }

    /// Closes it, once the tasks of a runtime that was left have let go of it.
    pub(crate) async fn close(self) {
        let Self { log, outbox, directory, engine } = self;
        drop((log, outbox, directory));
        match engine {
            Engine::Sqlite(store) => {
                while Arc::strong_count(&store) > 1 {
                    tokio::time::sleep(HELD_STILL).await;
                }
                store.close().await;
            }
        }
    }
}

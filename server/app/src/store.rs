//! Which engine keeps the rows: the scheme of the address chooses. Both are always compiled in.

use crate::ops::disk::free_bytes;
use anyhow::Context as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use synaq_store::{Clocks, Directory, EventLog, Lists, Mail, Outbox, Personnel, Retention};
use synaq_store_postgres::{APPENDS_AT_ONCE, Database, PostgresStore};
use synaq_store_sqlite::{LOG_ROOM_BYTES, SHARDS, SqliteStore};

/// A disk keeps so many times the room of the write-ahead log, or none is set aside.
const SPARED: u64 = 8;

/// An engine: all ports over one database.
pub(crate) trait Store:
    EventLog + Outbox + Directory + Lists + Retention + Mail + Personnel + Clocks
{
}

impl<S: EventLog + Outbox + Directory + Lists + Retention + Mail + Personnel + Clocks> Store for S {}

/// What people write: `sqlite`, or `postgres://user@host:5432/name`. Never shows a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum Address {
    /// A file in the data folder
    #[default]
    Sqlite,
    /// That PostgreSQL database
    Postgres(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://").map(|(scheme, _)| scheme) {
            None if text == "sqlite" => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => match Database::parse(text) {
                Ok(_) => Ok(Self::Postgres(text.to_owned())),
                Err(error) => Err(error.to_string()),
            },
            // Only the scheme is repeated: what follows may hold a password.
            scheme => Err(format!(
                "there is no store {:?}; write \"sqlite\", or \"postgres://user@host:5432/name\"",
                scheme.unwrap_or("without a scheme")
            )),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        })
    }
}

/// Where exactly, with all that opening needs.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a process")]
pub(crate) enum Place {
    /// This file
    File(PathBuf),
    /// This database
    Database(Database),
}

impl Place {
    /// The place of an address for an installation whose SQLite file would be `file`; a password given apart goes
    /// before one in the address.
    pub(crate) fn of(address: &Address, file: &Path, password: Option<&str>) -> anyhow::Result<Self> {
        match (address, password) {
            (Address::Sqlite, _) => Ok(Self::File(file.to_owned())),
            (Address::Postgres(url), None) => Ok(Self::Database(Database::parse(url)?)),
            (Address::Postgres(url), Some(password)) => {
                Ok(Self::Database(Database::parse(url)?.with_password(password)))
            }
        }
    }

    /// Opens it for a server, which is the only one.
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File(path) => {
                let store = SqliteStore::open(path).await.with_context(|| unusable(path))?;
                make_log_room(&store).await;
                Arc::new(store)
            }
            // Its errors name the database.
            Self::Database(database) => Arc::new(PostgresStore::open(database).await?),
        })
    }

    /// Opens it beside a running server, for directory rows.
    pub(crate) async fn open_beside(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File(path) => {
                Arc::new(SqliteStore::open_beside(path).await.with_context(|| unusable(path))?)
            }
            Self::Database(database) => Arc::new(PostgresStore::open_beside(database).await?),
        })
    }

    /// Shards of the runtime.
    pub(crate) const fn shards(&self) -> usize {
        match self {
            Self::File(_) => SHARDS,
            Self::Database(_) => APPENDS_AT_ONCE,
        }
    }

    /// SQLite commits on the thread that asks; a database of its own answers over a socket.
    pub(crate) const fn appends_in_place(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// What speaks against opening it, without opening it: a running server does not, nor does a file not made yet.
    pub(crate) async fn complaint(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Database(database) => {
                PostgresStore::probe(database).await.err().map(|error| error.to_string())
            }
        }
    }
}

/// Without it the store is slower, and not less safe.
async fn make_log_room(store: &SqliteStore) {
    let free = free_bytes(store.path()).unwrap_or(0);
    if free < SPARED * LOG_ROOM_BYTES {
        tracing::debug!(free, "the disk is small: no room is set aside for the write-ahead log");
    } else if let Err(error) = store.make_log_room().await {
        tracing::warn!(%error, "no room was set aside for the write-ahead log: answers take longer to store");
    }
}

fn unusable(path: &Path) -> String {
    format!("the database {} cannot be opened", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_and_an_unknown_one_is_named_without_its_password() {
        assert_eq!("sqlite".parse(), Ok(Address::Sqlite));
        for scheme in ["postgres", "postgresql"] {
            let address: Address = format!("{scheme}://synaq:s3cret@db/exams").parse().unwrap();
            let place = Place::of(&address, Path::new("/data/synaq.db"), Some("0ther")).unwrap();
            let shown = format!("{address:?} {place:?}");
            assert!(!shown.contains("s3cret") && !shown.contains("0ther"), "{shown}");
            assert!(shown.contains("database exams"), "{shown}");
        }
        for wrong in ["mysql://u:s3cret@db/exams", "s3cret", "", "postgres://u:s3cret@db"] {
            let refusal = wrong.parse::<Address>().unwrap_err();
            assert!(
                refusal.contains("postgres://user@host") && !refusal.contains("s3cret"),
                "{wrong}: {refusal}"
            );
        }
        assert!("mysql://x".parse::<Address>().unwrap_err().contains("mysql"));
    }
}

//! One connection that keeps what it acknowledges, or an error.

use crate::database::Database;
use crate::error::{self, Failure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, Row as _};
use std::time::Duration;
use synaq_store::Error;

/// A statement of ours takes milliseconds. Less than [`PATIENCE`](crate::lanes::PATIENCE), so that a database that
/// still lives ends it itself and the outcome is known.
const STATEMENT_TIMEOUT: &str = "7s";
/// Another's lock on a row that we need: a take-over, an upload into the same sitting.
const LOCK_TIMEOUT: &str = "5s";
/// Connecting is a few round trips; behind a paused server it would wait for ever.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// The oldest version that still gets fixes from the PostgreSQL project.
const OLDEST: i32 = 140_000;

/// What a session runs with. Explicit where the database's own default could be another.
const SESSION: [(&str, &str); 8] = [
    ("default_transaction_isolation", "read committed"),
    ("lock_timeout", LOCK_TIMEOUT),
    ("idle_in_transaction_session_timeout", "10s"),
    // A database notices within half a minute that our machine is gone, and lets go of our lock.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    // Our plans do not depend on values; planning the append anew each time would take longer than running it.
    ("plan_cache_mode", "force_generic_plan"),
    ("client_min_messages", "warning"),
];

const ASK: &str = "SELECT current_setting('fsync'), current_setting('full_page_writes'),
    set_config('synchronous_commit', current_setting('synchronous_commit'), false),
    current_setting('server_encoding'), current_setting('server_version_num')::integer,
    pg_is_in_recovery(), current_setting('transaction_read_only')";

/// Ready for our statements.
pub(crate) async fn connect(database: &Database) -> Result<PgConnection, Error> {
    let options = session(database).options([("statement_timeout", STATEMENT_TIMEOUT)]);
    connect_with(options).await
}

/// As [`connect`], without a limit per statement: a migration of a large table takes its time.
pub(crate) async fn connect_for_migration(database: &Database) -> Result<PgConnection, Error> {
    connect_with(session(database)).await
}

fn session(database: &Database) -> PgConnectOptions {
    database.options().clone().application_name("synaq").options(SESSION).disable_statement_logging()
}

async fn connect_with(options: PgConnectOptions) -> Result<PgConnection, Error> {
    let connected = tokio::time::timeout(CONNECT_PATIENCE, async {
        let mut connection = options.connect().await?;
        let answer = sqlx::query(ASK).fetch_one(&mut connection).await?;
        sqlx::Result::Ok((connection, Settings::read(&answer)?))
    });
    let (connection, settings) = connected
        .await
        .unwrap_or_else(|_| Err(error::timed_out()))
        .map_err(|error| Error::Unavailable(Box::new(Failure::from(error))))?;
    match settings.fault() {
        Some(fault) => Err(Error::Open(fault)),
        None => Ok(connection),
    }
}

/// What decides whether `Ok` may mean fsynced.
#[derive(Debug)]
struct Settings {
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    encoding: String,
    version: i32,
    standby: bool,
    read_only: String,
}

impl Settings {
    fn read(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            fsync: row.try_get(0)?,
            full_page_writes: row.try_get(1)?,
            synchronous_commit: row.try_get(2)?,
            encoding: row.try_get(3)?,
            version: row.try_get(4)?,
            standby: row.try_get(5)?,
            read_only: row.try_get(6)?,
        })
    }

    /// Why nothing may be stored there. `local` and `remote_write` are as durable on that machine as `on`.
    fn fault(&self) -> Option<String> {
        if self.version < OLDEST {
            return Some(format!(
                "PostgreSQL {} or newer is needed, this is {}",
                OLDEST / 10_000,
                self.version / 10_000
            ));
        }
        if self.standby || self.read_only == "on" {
            return Some(
                "this PostgreSQL only reads (a standby, or default_transaction_read_only); name the primary"
                    .to_owned(),
            );
        }
        if self.encoding != "UTF8" {
            return Some(format!(
                "the database's encoding is {}; create it with ENCODING 'UTF8'",
                self.encoding
            ));
        }
        let forgetful = [
            ("fsync", &self.fsync),
            ("full_page_writes", &self.full_page_writes),
            ("synchronous_commit", &self.synchronous_commit),
        ];
        forgetful.into_iter().find(|(_, value)| *value == "off").map(|(name, _)| {
            format!(
                "PostgreSQL would forget acknowledged answers when power fails: {name} is off; set it to on"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn sound() -> Settings {
        Settings {
            fsync: "on".into(),
            full_page_writes: "on".into(),
            synchronous_commit: "on".into(),
            encoding: "UTF8".into(),
            version: 150_004,
            standby: false,
            read_only: "off".into(),
        }
    }

    #[test]
    fn a_database_that_could_not_keep_an_acknowledged_answer_is_refused() {
        assert_eq!(sound().fault(), None);
        assert_eq!(Settings { synchronous_commit: "remote_apply".into(), ..sound() }.fault(), None);
        let off = || "off".to_owned();
        for (settings, named) in [
            (Settings { fsync: off(), ..sound() }, "fsync"),
            (Settings { full_page_writes: off(), ..sound() }, "full_page_writes"),
            (Settings { synchronous_commit: off(), ..sound() }, "synchronous_commit"),
            (Settings { encoding: "SQL_ASCII".into(), ..sound() }, "SQL_ASCII"),
            (Settings { version: 130_012, ..sound() }, "this is 13"),
            (Settings { standby: true, ..sound() }, "only reads"),
            (Settings { read_only: "on".into(), ..sound() }, "only reads"),
        ] {
            assert!(settings.fault().unwrap().contains(named), "{settings:?}");
        }
    }
}

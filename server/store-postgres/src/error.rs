//! PostgreSQL's codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) in the words of the port.

use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::io;
use synaq_store::Error;

const DISK_FULL: &str = "53100";
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";
const FOREIGN_KEY_VIOLATION: &str = "23503";
const UNIQUE_VIOLATION: &str = "23505";

/// What failed, without PostgreSQL's DETAIL: that shows values, and a value may be a name or an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{message} (SQLSTATE {code})")]
    Database { code: String, message: String },
    #[error(transparent)]
    Connection(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match postgres(&error) {
            Some(database) => {
                Self::Database { code: database.code().to_owned(), message: database.message().to_owned() }
            }
            None => Self::Connection(error),
        }
    }
}

/// What the caller is told of an engine's error.
pub(crate) fn engine(error: sqlx::Error) -> Error {
    match (&error, postgres(&error).map(PgDatabaseError::code)) {
        (sqlx::Error::RowNotFound, _) => Error::NotFound,
        (sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }, _) => Error::Damaged(error.to_string()),
        (_, Some(DISK_FULL)) => Error::DiskFull,
        (_, Some(DATA_CORRUPTED | INDEX_CORRUPTED)) => Error::Damaged(Failure::from(error).to_string()),
        _ => Error::Unavailable(Box::new(Failure::from(error))),
    }
}

/// As [`engine`], for rows that refer to others and carry unique values: constraint -> what is taken.
pub(crate) fn constraint(error: sqlx::Error, unique: &[(&str, &'static str)]) -> Error {
    let Some(database) = postgres(&error) else { return engine(error) };
    match database.code() {
        // The composite keys carry the centre, so this is also what another centre's row answers.
        FOREIGN_KEY_VIOLATION => Error::NotFound,
        UNIQUE_VIOLATION => {
            let violated = database.constraint();
            let named = unique.iter().find(|(constraint, _)| Some(*constraint) == violated);
            Error::Taken(named.map_or("id", |(_, what)| what))
        }
        _ => engine(error),
    }
}

/// The constraint that a row broke, if the error is of that kind.
pub(crate) fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    postgres(error)
        .filter(|database| [FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION].contains(&database.code()))
        .and_then(PgDatabaseError::constraint)
}

/// The connection can be used again after this error.
pub(crate) fn leaves_connection_sound(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => {
            postgres(error).is_some_and(|database| database.severity() == PgSeverity::Error)
        }
        sqlx::Error::RowNotFound
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => true,
        _ => false,
    }
}

/// Nobody knows whether the database did what it was asked.
pub(crate) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL did not answer in time"))
}

fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|database| database.try_downcast_ref::<PgDatabaseError>())
}

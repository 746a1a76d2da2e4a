//! SQLite's codes (<https://www.sqlite.org/rescode.html>) in the words of the port.

use sqlx::error::{DatabaseError, ErrorKind};
use synaq_store::Error;

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;

/// What the caller is told of an engine's error. Values never enter the text: SQLite names tables and columns only.
pub(crate) fn engine(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::RowNotFound => Error::NotFound,
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => Error::Damaged(error.to_string()),
        sqlx::Error::Database(database) => match primary_code(database.as_ref()) {
            Some(SQLITE_FULL) => Error::DiskFull,
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Error::Damaged(error.to_string()),
            _ => Error::Unavailable(error.into()),
        },
        _ => Error::Unavailable(error.into()),
    }
}

/// As [`engine`], for rows that refer to others and carry unique values: `table.column` -> what is taken.
pub(crate) fn constraint(error: sqlx::Error, unique: &[(&str, &'static str)]) -> Error {
    if let sqlx::Error::Database(database) = &error {
        match database.kind() {
            // The composite keys carry the centre, so this is also what another centre's row answers.
            ErrorKind::ForeignKeyViolation => return Error::NotFound,
            ErrorKind::UniqueViolation => {
                let message = database.message();
                let named = unique.iter().find(|(columns, _)| message.ends_with(columns));
                return Error::Taken(named.map_or("id", |(_, what)| what));
            }
            _ => {}
        }
    }
    engine(error)
}

/// The error is a unique violation of these columns: `event.stream, event.seq`.
pub(crate) fn violates(error: &sqlx::Error, columns: &str) -> bool {
    error
        .as_database_error()
        .is_some_and(|database| database.is_unique_violation() && database.message().ends_with(columns))
}

fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    // The low byte of an extended code is its primary code.
    error.code()?.parse::<i32>().ok().map(|extended| extended & 0xff)
}

//! SQLite's codes (<https://www.sqlite.org/rescode.html>) in the words of the port.

use sqlx::error::ErrorKind;
use synaq_store::Error;

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;

/// What the caller is told of an engine's error. Values never enter the text: SQLite names tables and columns only.
pub(crate) fn engine(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::RowNotFound => Error::NotFound,
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => Error::Damaged(error.to_string()),
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse().ok());
            by_code(code, error)
        }
        _ => Error::Unavailable(error.into()),
    }
}

/// By SQLite's own code, whichever library brought it.
pub(crate) fn by_code(code: Option<i32>, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    // The low byte of an extended code is its primary code.
    match code.map(|extended| extended & 0xff) {
        Some(SQLITE_FULL) => Error::DiskFull,
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Error::Damaged(error.to_string()),
        _ => Error::Unavailable(Box::new(error)),
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

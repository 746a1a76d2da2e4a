//! Between columns and the port's types.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::Digest;
use uuid::Uuid;

/// Every row by one function.
pub(crate) fn all<T>(rows: Vec<PgRow>, read: impl Fn(&PgRow) -> sqlx::Result<T>) -> sqlx::Result<Vec<T>> {
    rows.iter().map(read).collect()
}

/// The first row, if there is one.
pub(crate) fn first<T>(
    rows: Vec<PgRow>,
    read: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> sqlx::Result<Option<T>> {
    rows.first().map(read).transpose()
}

/// The first row, which must be there.
pub(crate) fn one<T>(rows: Vec<PgRow>, read: impl Fn(&PgRow) -> sqlx::Result<T>) -> sqlx::Result<T> {
    first(rows, read)?.ok_or(sqlx::Error::RowNotFound)
}

/// PostgreSQL's integers are signed; no stream reaches 2^63 events, so saturation loses nothing.
pub(crate) fn position(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(crate) fn ids(sessions: &[SessionId]) -> Vec<Uuid> {
    sessions.iter().map(|session| session.0).collect()
}

pub(crate) fn at(row: &PgRow, column: &'static str) -> sqlx::Result<At> {
    row.try_get(column).map(At)
}

pub(crate) fn at_maybe(row: &PgRow, column: &'static str) -> sqlx::Result<Option<At>> {
    row.try_get::<Option<i64>, _>(column).map(|at| at.map(At))
}

/// A number that PostgreSQL keeps in a wider, signed column.
pub(crate) fn number<T: TryFrom<i64>>(row: &PgRow, column: &'static str) -> sqlx::Result<T> {
    T::try_from(row.try_get::<i64, _>(column)?).map_err(|_| out_of_range(column))
}

/// As [`number`], of a column that may be empty.
pub(crate) fn maybe<T: TryFrom<i64>>(row: &PgRow, column: &'static str) -> sqlx::Result<Option<T>> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|value| T::try_from(value).map_err(|_| out_of_range(column))).transpose()
}

/// As [`number`], of an `integer` column.
pub(crate) fn small(row: &PgRow, column: &'static str) -> sqlx::Result<Option<u16>> {
    let value: Option<i32> = row.try_get(column)?;
    value.map(|value| u16::try_from(value).map_err(|_| out_of_range(column))).transpose()
}

pub(crate) fn digest(row: &PgRow, column: &'static str) -> sqlx::Result<Digest> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes
        .try_into()
        .map(Digest)
        .map_err(|_| sqlx::Error::Decode(format!("{column} is not a SHA-256 value").into()))
}

fn out_of_range(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{column} is out of range").into())
}

/// What others wrote (a platform's reference, a reason) without the one character that PostgreSQL's text cannot hold.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

use crate::error::engine;
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{ChangeRow, Difference, Error, Why};
use uuid::Uuid;

/// Beside the change itself, in its transaction.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    centre: CentreId,
    subject: Uuid,
    differences: &[Difference],
    why: &Why,
) -> Result<(), sqlx::Error> {
    for difference in differences {
        sqlx::query(
            "INSERT INTO change (at, centre, staff, subject, field, old, new, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(why.at.0)
        .bind(centre.0)
        .bind(why.by.0)
        .bind(subject)
        .bind(difference.field)
        .bind(&difference.old)
        .bind(&difference.new)
        .bind(&why.reason)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn of(
    store: &SqliteStore,
    centre: CentreId,
    subject: Uuid,
) -> Result<Vec<ChangeRow>, Error> {
    sqlx::query("SELECT * FROM change WHERE subject = ? AND centre = ? ORDER BY id")
        .bind(subject)
        .bind(centre.0)
        .try_map(|row: SqliteRow| {
            Ok(ChangeRow {
                at: At(row.try_get("at")?),
                staff: StaffId(row.try_get("staff")?),
                field: row.try_get("field")?,
                old: row.try_get("old")?,
                new: row.try_get("new")?,
                reason: row.try_get("reason")?,
            })
        })
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

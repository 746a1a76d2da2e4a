use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::{CentreId, SittingId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, ShiftNote};

pub(super) async fn add(store: &SqliteStore, note: &ShiftNote) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added =
        sqlx::query("INSERT INTO shift_note (centre, sitting, staff, at, text) VALUES (?, ?, ?, ?, ?)")
            .bind(note.centre.0)
            .bind(note.sitting.0)
            .bind(note.staff.0)
            .bind(note.at.0)
            .bind(&note.text)
            .execute(transaction.connection())
            .await
            .map(drop)
            .map_err(|error| constraint(error, &[]));
    transaction.end(added).await
}

pub(super) async fn of(
    store: &SqliteStore,
    centre: CentreId,
    sitting: SittingId,
    limit: u32,
) -> Result<Vec<ShiftNote>, Error> {
    sqlx::query("SELECT * FROM shift_note WHERE centre = ? AND sitting = ? ORDER BY id DESC LIMIT ?")
        .bind(centre.0)
        .bind(sitting.0)
        .bind(limit)
        .try_map(note)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

fn note(row: SqliteRow) -> Result<ShiftNote, sqlx::Error> {
    Ok(ShiftNote {
        centre: CentreId(row.try_get("centre")?),
        sitting: SittingId(row.try_get("sitting")?),
        staff: StaffId(row.try_get("staff")?),
        at: At(row.try_get("at")?),
        text: row.try_get("text")?,
    })
}

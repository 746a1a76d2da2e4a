use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::{CentreId, ProgrammeId, SittingId};
use synaq_core::time::At;
use synaq_store::{Error, SittingRow};

pub(super) async fn add(store: &SqliteStore, sitting: &SittingRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query(
        "INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(sitting.id.0)
    .bind(sitting.centre.0)
    .bind(sitting.programme.0)
    .bind(&sitting.title)
    .bind(sitting.opens_at.0)
    .bind(sitting.closes_at.0)
    .execute(transaction.connection())
    .await
    .map(drop)
    .map_err(|error| constraint(error, &[]));
    transaction.end(added).await
}

pub(super) async fn all(store: &SqliteStore, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
    sqlx::query(
        "SELECT s.*, (SELECT count(*) FROM candidate AS c WHERE c.sitting = s.id) AS candidates
         FROM sitting AS s WHERE s.centre = ? ORDER BY s.opens_at DESC, s.rowid DESC",
    )
    .bind(centre.0)
    .try_map(|row: SqliteRow| Ok((sitting(&row)?, row.try_get("candidates")?)))
    .fetch_all(&store.readers)
    .await
    .map_err(engine)
}

pub(super) async fn one(store: &SqliteStore, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
    sqlx::query("SELECT * FROM sitting WHERE id = ? AND centre = ?")
        .bind(id.0)
        .bind(centre.0)
        .try_map(|row: SqliteRow| sitting(&row))
        .fetch_one(&store.readers)
        .await
        .map_err(engine)
}

fn sitting(row: &SqliteRow) -> Result<SittingRow, sqlx::Error> {
    Ok(SittingRow {
        id: SittingId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        programme: ProgrammeId(row.try_get("programme")?),
        title: row.try_get("title")?,
        opens_at: At(row.try_get("opens_at")?),
        closes_at: At(row.try_get("closes_at")?),
    })
}

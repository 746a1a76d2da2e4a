use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::CentreId;
use synaq_store::{CentreRow, Error};

pub(super) async fn add(store: &SqliteStore, centre: &CentreRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query("INSERT INTO centre (id, bin, name_kk, name_ru) VALUES (?, ?, ?, ?)")
        .bind(centre.id.0)
        .bind(&centre.bin)
        .bind(&centre.name_kk)
        .bind(&centre.name_ru)
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(|error| constraint(error, &[("centre.bin", "bin")]));
    transaction.end(added).await
}

pub(super) async fn all(store: &SqliteStore) -> Result<Vec<CentreRow>, Error> {
    sqlx::query("SELECT * FROM centre ORDER BY name_ru, id")
        .try_map(centre)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn one(store: &SqliteStore, id: CentreId) -> Result<CentreRow, Error> {
    sqlx::query("SELECT * FROM centre WHERE id = ?")
        .bind(id.0)
        .try_map(centre)
        .fetch_one(&store.readers)
        .await
        .map_err(engine)
}

fn centre(row: SqliteRow) -> Result<CentreRow, sqlx::Error> {
    Ok(CentreRow {
        id: CentreId(row.try_get("id")?),
        bin: row.try_get("bin")?,
        name_kk: row.try_get("name_kk")?,
        name_ru: row.try_get("name_ru")?,
    })
}

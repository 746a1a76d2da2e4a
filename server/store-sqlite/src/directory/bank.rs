use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{BankId, CentreId};
use synaq_core::time::At;
use synaq_store::{BankRow, Error};

pub(super) async fn add(store: &SqliteStore, bank: BankRow) -> Result<BankRow, Error> {
    let mut transaction = store.begin().await?;
    let added = insert_or_existing(transaction.connection(), bank).await;
    transaction.end(added).await
}

async fn insert_or_existing(connection: &mut SqliteConnection, new: BankRow) -> Result<BankRow, Error> {
    let existing = sqlx::query("SELECT * FROM bank WHERE centre = ? AND slug = ? AND version = ?")
        .bind(new.centre.0)
        .bind(&new.slug)
        .bind(new.version)
        .try_map(bank)
        .fetch_optional(&mut *connection)
        .await
        .map_err(engine)?;
    match existing {
        Some(existing) if existing.sha256 == new.sha256 => return Ok(existing),
        Some(_) => return Err(Error::Taken("bank version")),
        None => {}
    }
    sqlx::query(
        "INSERT INTO bank (id, centre, slug, version, source, sha256, imported_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.0)
    .bind(new.centre.0)
    .bind(&new.slug)
    .bind(new.version)
    .bind(&new.source)
    .bind(&new.sha256)
    .bind(new.imported_at.0)
    .execute(connection)
    .await
    .map_err(|error| constraint(error, &[]))?;
    Ok(new)
}

pub(super) async fn all(store: &SqliteStore, centre: CentreId) -> Result<Vec<BankRow>, Error> {
    sqlx::query("SELECT * FROM bank WHERE centre = ? ORDER BY imported_at DESC, rowid DESC")
        .bind(centre.0)
        .try_map(bank)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn one(store: &SqliteStore, centre: CentreId, id: BankId) -> Result<BankRow, Error> {
    sqlx::query("SELECT * FROM bank WHERE id = ? AND centre = ?")
        .bind(id.0)
        .bind(centre.0)
        .try_map(bank)
        .fetch_one(&store.readers)
        .await
        .map_err(engine)
}

fn bank(row: SqliteRow) -> Result<BankRow, sqlx::Error> {
    Ok(BankRow {
        id: BankId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        slug: row.try_get("slug")?,
        version: row.try_get("version")?,
        source: row.try_get("source")?,
        sha256: row.try_get("sha256")?,
        imported_at: At(row.try_get("imported_at")?),
    })
}

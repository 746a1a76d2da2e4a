use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{BankId, CentreId, ProgrammeId};
use synaq_core::time::At;
use synaq_store::{Error, ProgrammeRow};

pub(super) async fn add(store: &SqliteStore, programme: ProgrammeRow) -> Result<ProgrammeRow, Error> {
    let mut transaction = store.begin().await?;
    let added = insert_or_existing(transaction.connection(), programme).await;
    transaction.end(added).await
}

async fn insert_or_existing(
    connection: &mut SqliteConnection,
    new: ProgrammeRow,
) -> Result<ProgrammeRow, Error> {
    let existing = sqlx::query("SELECT * FROM programme WHERE centre = ? AND slug = ? AND version = ?")
        .bind(new.centre.0)
        .bind(&new.slug)
        .bind(new.version)
        .try_map(programme)
        .fetch_optional(&mut *connection)
        .await
        .map_err(engine)?;
    match existing {
        // The bank is part of the version: the same text over another bank would examine something else.
        Some(existing) if existing.source == new.source && existing.bank == new.bank => return Ok(existing),
        Some(_) => return Err(Error::Taken("programme version")),
        None => {}
    }
    sqlx::query(
        "INSERT INTO programme (id, centre, slug, version, source, bank, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.0)
    .bind(new.centre.0)
    .bind(&new.slug)
    .bind(new.version)
    .bind(&new.source)
    .bind(new.bank.0)
    .bind(new.created_at.0)
    .execute(connection)
    .await
    .map_err(|error| constraint(error, &[]))?;
    Ok(new)
}

pub(super) async fn all(store: &SqliteStore, centre: CentreId) -> Result<Vec<ProgrammeRow>, Error> {
    sqlx::query("SELECT * FROM programme WHERE centre = ? ORDER BY created_at DESC, rowid DESC")
        .bind(centre.0)
        .try_map(programme)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn one(
    store: &SqliteStore,
    centre: CentreId,
    id: ProgrammeId,
) -> Result<ProgrammeRow, Error> {
    sqlx::query("SELECT * FROM programme WHERE id = ? AND centre = ?")
        .bind(id.0)
        .bind(centre.0)
        .try_map(programme)
        .fetch_one(&store.readers)
        .await
        .map_err(engine)
}

fn programme(row: SqliteRow) -> Result<ProgrammeRow, sqlx::Error> {
    Ok(ProgrammeRow {
        id: ProgrammeId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        slug: row.try_get("slug")?,
        version: row.try_get("version")?,
        source: row.try_get("source")?,
        bank: BankId(row.try_get("bank")?),
        created_at: At(row.try_get("created_at")?),
    })
}

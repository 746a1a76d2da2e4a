use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all as every, at, number, one as only};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{BankId, CentreId};
use synaq_store::{BankRow, Error};

pub(super) async fn add(store: &PostgresStore, new: BankRow) -> Result<BankRow, Error> {
    let insert = sqlx::query(
        "INSERT INTO bank (id, centre, slug, version, source, sha256, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (centre, slug, version) DO NOTHING",
    )
    .bind(new.id.0)
    .bind(new.centre.0)
    .bind(&new.slug)
    .bind(i64::from(new.version))
    .bind(&new.source)
    .bind(&new.sha256)
    .bind(new.imported_at.0);
    let inserted = store.rows.execute(insert).await;
    if inserted.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? > 0 {
        return Ok(new);
    }
    // Versions are never deleted, so what was in the way still is.
    let existing = sqlx::query("SELECT * FROM bank WHERE centre = $1 AND slug = $2 AND version = $3")
        .bind(new.centre.0)
        .bind(&new.slug)
        .bind(i64::from(new.version));
    let existing = only(store.rows.rows(existing).await?, bank).map_err(engine)?;
    if existing.sha256 == new.sha256 { Ok(existing) } else { Err(Error::Taken("bank version")) }
}

pub(super) async fn all(store: &PostgresStore, centre: CentreId) -> Result<Vec<BankRow>, Error> {
    let query = sqlx::query("SELECT * FROM bank WHERE centre = $1 ORDER BY imported_at DESC, ordinal DESC");
    every(store.rows.rows(query.bind(centre.0)).await?, bank).map_err(engine)
}

pub(super) async fn one(store: &PostgresStore, centre: CentreId, id: BankId) -> Result<BankRow, Error> {
    let query = sqlx::query("SELECT * FROM bank WHERE id = $1 AND centre = $2").bind(id.0).bind(centre.0);
    only(store.rows.rows(query).await?, bank).map_err(engine)
}

fn bank(row: &PgRow) -> sqlx::Result<BankRow> {
    Ok(BankRow {
        id: BankId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        slug: row.try_get("slug")?,
        version: number(row, "version")?,
        source: row.try_get("source")?,
        sha256: row.try_get("sha256")?,
        imported_at: at(row, "imported_at")?,
    })
}

use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all as every, at, number, one as only};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{BankId, CentreId, ProgrammeId};
use synaq_store::{Error, ProgrammeRow};

pub(super) async fn add(store: &PostgresStore, new: ProgrammeRow) -> Result<ProgrammeRow, Error> {
    let insert = sqlx::query(
        "INSERT INTO programme (id, centre, slug, version, source, bank, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (centre, slug, version) DO NOTHING",
    )
    .bind(new.id.0)
    .bind(new.centre.0)
    .bind(&new.slug)
    .bind(i64::from(new.version))
    .bind(&new.source)
    .bind(new.bank.0)
    .bind(new.created_at.0);
    let inserted = store.rows.execute(insert).await;
    if inserted.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? > 0 {
        return Ok(new);
    }
    // Versions are never deleted, so what was in the way still is.
    let existing = sqlx::query("SELECT * FROM programme WHERE centre = $1 AND slug = $2 AND version = $3")
        .bind(new.centre.0)
        .bind(&new.slug)
        .bind(i64::from(new.version));
    let existing = only(store.rows.rows(existing).await?, programme).map_err(engine)?;
    // The bank is part of the version: the same text over another bank would examine something else.
    let same = existing.source == new.source && existing.bank == new.bank;
    if same { Ok(existing) } else { Err(Error::Taken("programme version")) }
}

pub(super) async fn all(store: &PostgresStore, centre: CentreId) -> Result<Vec<ProgrammeRow>, Error> {
    let query =
        sqlx::query("SELECT * FROM programme WHERE centre = $1 ORDER BY created_at DESC, ordinal DESC");
    every(store.rows.rows(query.bind(centre.0)).await?, programme).map_err(engine)
}

pub(super) async fn one(
    store: &PostgresStore,
    centre: CentreId,
    id: ProgrammeId,
) -> Result<ProgrammeRow, Error> {
    let query =
        sqlx::query("SELECT * FROM programme WHERE id = $1 AND centre = $2").bind(id.0).bind(centre.0);
    only(store.rows.rows(query).await?, programme).map_err(engine)
}

fn programme(row: &PgRow) -> sqlx::Result<ProgrammeRow> {
    Ok(ProgrammeRow {
        id: ProgrammeId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        slug: row.try_get("slug")?,
        version: number(row, "version")?,
        source: row.try_get("source")?,
        bank: BankId(row.try_get("bank")?),
        created_at: at(row, "created_at")?,
    })
}

use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all as every, at, maybe, number, one as only};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{CentreId, ProgrammeId, SittingId};
use synaq_core::time::At;
use synaq_store::{Ended, Error, SittingRow, SittingStanding, Why, fold};

pub(super) async fn add(store: &PostgresStore, sitting: &SittingRow) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at, capacity, title_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(sitting.id.0)
    .bind(sitting.centre.0)
    .bind(sitting.programme.0)
    .bind(&sitting.title)
    .bind(sitting.opens_at.0)
    .bind(sitting.closes_at.0)
    .bind(sitting.standing.capacity.map(i64::from))
    .bind(fold(&sitting.title));
    store.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn change(
    store: &PostgresStore,
    sitting: SittingRow,
    why: &Why,
) -> Result<SittingRow, Error> {
    let old = one(store, sitting.centre, sitting.id).await?;
    if old.standing.version != sitting.standing.version {
        return Err(Error::Changed);
    }
    let mut new = SittingRow { programme: old.programme, ..sitting };
    new.standing.version += 1;
    let differences = old.differences(&new);
    let cancelled = new.standing.cancelled.as_ref();
    let query = sqlx::query(
        "WITH changed AS (
             UPDATE sitting SET title = $9, opens_at = $10, closes_at = $11, capacity = $12, cancelled_at = $13,
                 cancel_reason = $14, title_key = $16, version = version + 1
             WHERE id = $4 AND centre = $2 AND version = $15 RETURNING id),
         noted AS (
             INSERT INTO change (at, centre, staff, subject, field, old, new, reason)
             SELECT $1, $2, $3, $4, said.field, said.old, said.new, $8
             FROM changed, unnest($5::text[], $6::text[], $7::text[]) AS said (field, old, new))
         SELECT id FROM changed",
    );
    let query = super::change::bind(query, new.centre, new.id.0, &differences, why)
        .bind(&new.title)
        .bind(new.opens_at.0)
        .bind(new.closes_at.0)
        .bind(new.standing.capacity.map(i64::from))
        .bind(cancelled.map(|ended| ended.at.0))
        .bind(cancelled.map(|ended| ended.reason.as_str()))
        .bind(i64::from(old.standing.version))
        .bind(fold(&new.title));
    let changed = store.rows.rows(query).await;
    let changed = changed.map_err(|refusal| refusal.or(|error| constraint(error, &[])))?;
    store.versions.sittings.forget(&new.id);
    if changed.is_empty() { Err(Error::Changed) } else { Ok(new) }
}

pub(super) async fn all(store: &PostgresStore, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
    let query = sqlx::query(
        "SELECT s.*, coalesce(c.candidates, 0) AS candidates FROM sitting AS s
         LEFT JOIN (SELECT sitting, count(*) AS candidates FROM candidate
                    WHERE centre = $1 AND withdrawn_at IS NULL AND voided_at IS NULL GROUP BY sitting) AS c
             ON c.sitting = s.id
         WHERE s.centre = $1 ORDER BY s.opens_at DESC, s.ordinal DESC",
    );
    let rows = store.rows.rows(query.bind(centre.0)).await?;
    every(rows, |row| Ok((sitting(row)?, number(row, "candidates")?))).map_err(engine)
}

pub(super) async fn one(store: &PostgresStore, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
    let query = sqlx::query("SELECT * FROM sitting WHERE id = $1 AND centre = $2").bind(id.0).bind(centre.0);
    only(store.rows.rows(query).await?, sitting).map_err(engine)
}

/// When something ended and why, if it did.
pub(super) fn ended(row: &PgRow, at: &'static str, why: &str) -> sqlx::Result<Option<Ended>> {
    let (at, reason): (Option<i64>, Option<String>) = (row.try_get(at)?, row.try_get(why)?);
    Ok(at.map(|at| Ended { at: At(at), reason: reason.unwrap_or_default() }))
}

pub(crate) fn sitting(row: &PgRow) -> sqlx::Result<SittingRow> {
    Ok(SittingRow {
        id: SittingId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        programme: ProgrammeId(row.try_get("programme")?),
        title: row.try_get("title")?,
        opens_at: at(row, "opens_at")?,
        closes_at: at(row, "closes_at")?,
        standing: SittingStanding {
            version: number(row, "version")?,
            capacity: maybe(row, "capacity")?,
            cancelled: ended(row, "cancelled_at", "cancel_reason")?,
        },
    })
}

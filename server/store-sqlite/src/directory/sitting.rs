use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, ProgrammeId, SittingId};
use synaq_core::time::At;
use synaq_store::{Ended, Error, SittingRow, SittingStanding, Why, fold};

pub(super) async fn add(store: &SqliteStore, sitting: &SittingRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query(
        "INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at, capacity, title_key)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(sitting.id.0)
    .bind(sitting.centre.0)
    .bind(sitting.programme.0)
    .bind(&sitting.title)
    .bind(sitting.opens_at.0)
    .bind(sitting.closes_at.0)
    .bind(sitting.standing.capacity)
    .bind(fold(&sitting.title))
    .execute(transaction.connection())
    .await
    .map(drop)
    .map_err(|error| constraint(error, &[]));
    transaction.end(added).await
}

pub(super) async fn change(store: &SqliteStore, sitting: SittingRow, why: &Why) -> Result<SittingRow, Error> {
    let old = one(store, sitting.centre, sitting.id).await?;
    if old.standing.version != sitting.standing.version {
        return Err(Error::Changed);
    }
    let mut new = SittingRow { programme: old.programme, ..sitting };
    new.standing.version += 1;
    let mut transaction = store.begin().await?;
    let changed = update(transaction.connection(), &old, &new, why).await;
    let changed = changed.map_err(|error| constraint(error, &[])).and_then(|changed| match changed {
        true => Ok(new),
        false => Err(Error::Changed),
    });
    let new = transaction.end(changed).await?;
    store.versions.sittings.forget(&new.id);
    Ok(new)
}

/// Whether the version was still the one that was read.
async fn update(
    connection: &mut SqliteConnection,
    old: &SittingRow,
    new: &SittingRow,
    why: &Why,
) -> Result<bool, sqlx::Error> {
    let cancelled = new.standing.cancelled.as_ref();
    let done = sqlx::query(
        "UPDATE sitting SET title = ?, opens_at = ?, closes_at = ?, capacity = ?, cancelled_at = ?,
             cancel_reason = ?, version = ?, title_key = ?
         WHERE id = ? AND centre = ? AND version = ?",
    )
    .bind(&new.title)
    .bind(new.opens_at.0)
    .bind(new.closes_at.0)
    .bind(new.standing.capacity)
    .bind(cancelled.map(|ended| ended.at.0))
    .bind(cancelled.map(|ended| ended.reason.as_str()))
    .bind(new.standing.version)
    .bind(fold(&new.title))
    .bind(new.id.0)
    .bind(new.centre.0)
    .bind(old.standing.version)
    .execute(&mut *connection)
    .await?;
    super::change::note(connection, new.centre, new.id.0, &old.differences(new), why).await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn all(store: &SqliteStore, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
    sqlx::query(
        "SELECT s.*, coalesce(c.candidates, 0) AS candidates FROM sitting AS s
         LEFT JOIN (SELECT sitting, count(*) AS candidates FROM candidate
                    WHERE centre = ?1 AND withdrawn_at IS NULL AND voided_at IS NULL GROUP BY sitting) AS c
             ON c.sitting = s.id
         WHERE s.centre = ?1 ORDER BY s.opens_at DESC, s.rowid DESC",
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

/// When something ended and why, if it did.
pub(super) fn ended(row: &SqliteRow, at: &str, why: &str) -> Result<Option<Ended>, sqlx::Error> {
    let (at, reason): (Option<i64>, Option<String>) = (row.try_get(at)?, row.try_get(why)?);
    Ok(at.map(|at| Ended { at: At(at), reason: reason.unwrap_or_default() }))
}

pub(crate) fn sitting(row: &SqliteRow) -> Result<SittingRow, sqlx::Error> {
    Ok(SittingRow {
        id: SittingId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        programme: ProgrammeId(row.try_get("programme")?),
        title: row.try_get("title")?,
        opens_at: At(row.try_get("opens_at")?),
        closes_at: At(row.try_get("closes_at")?),
        standing: SittingStanding {
            version: row.try_get("version")?,
            capacity: row.try_get("capacity")?,
            cancelled: ended(row, "cancelled_at", "cancel_reason")?,
        },
    })
}

use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all as every, at, number, one as only};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{CentreId, ProgrammeId, SittingId};
use synaq_store::{Error, SittingRow};

pub(super) async fn add(store: &PostgresStore, sitting: &SittingRow) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO sitting (id, centre, programme, title, opens_at, closes_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(sitting.id.0)
    .bind(sitting.centre.0)
    .bind(sitting.programme.0)
    .bind(&sitting.title)
    .bind(sitting.opens_at.0)
    .bind(sitting.closes_at.0);
    store.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn all(store: &PostgresStore, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
    let query = sqlx::query(
        "SELECT s.*, (SELECT count(*) FROM candidate AS c WHERE c.sitting = s.id) AS candidates
         FROM sitting AS s WHERE s.centre = $1 ORDER BY s.opens_at DESC, s.ordinal DESC",
    );
    let rows = store.rows.rows(query.bind(centre.0)).await?;
    every(rows, |row| Ok((sitting(row)?, number(row, "candidates")?))).map_err(engine)
}

pub(super) async fn one(store: &PostgresStore, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
    let query = sqlx::query("SELECT * FROM sitting WHERE id = $1 AND centre = $2").bind(id.0).bind(centre.0);
    only(store.rows.rows(query).await?, sitting).map_err(engine)
}

fn sitting(row: &PgRow) -> sqlx::Result<SittingRow> {
    Ok(SittingRow {
        id: SittingId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        programme: ProgrammeId(row.try_get("programme")?),
        title: row.try_get("title")?,
        opens_at: at(row, "opens_at")?,
        closes_at: at(row, "closes_at")?,
    })
}

use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::{all, at};
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use synaq_core::ids::{CentreId, StaffId};
use synaq_store::{ChangeRow, Difference, Error, Why};
use uuid::Uuid;

/// Binds what the common table expression `noted` of a change takes: $1 to $8.
pub(super) fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    centre: CentreId,
    subject: Uuid,
    differences: &'q [Difference],
    why: &'q Why,
) -> Query<'q, Postgres, PgArguments> {
    let column = |value: fn(&Difference) -> &str| differences.iter().map(value).collect::<Vec<_>>();
    query
        .bind(why.at.0)
        .bind(centre.0)
        .bind(why.by.0)
        .bind(subject)
        .bind(column(|difference| difference.field))
        .bind(column(|difference| &difference.old))
        .bind(column(|difference| &difference.new))
        .bind(&why.reason)
}

pub(super) async fn of(
    store: &PostgresStore,
    centre: CentreId,
    subject: Uuid,
) -> Result<Vec<ChangeRow>, Error> {
    let query = sqlx::query("SELECT * FROM change WHERE subject = $1 AND centre = $2 ORDER BY id");
    all(store.rows.rows(query.bind(subject).bind(centre.0)).await?, change).map_err(engine)
}

fn change(row: &PgRow) -> sqlx::Result<ChangeRow> {
    Ok(ChangeRow {
        at: at(row, "at")?,
        staff: StaffId(row.try_get("staff")?),
        field: row.try_get("field")?,
        old: row.try_get("old")?,
        new: row.try_get("new")?,
        reason: row.try_get("reason")?,
    })
}

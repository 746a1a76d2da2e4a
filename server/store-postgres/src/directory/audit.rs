use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, at};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{CentreId, StaffId};
use synaq_store::{AuditEntry, Error};

pub(super) async fn add(store: &PostgresStore, entry: &AuditEntry) -> Result<(), Error> {
    let query =
        sqlx::query("INSERT INTO audit (at, centre, staff, action, object) VALUES ($1, $2, $3, $4, $5)")
            .bind(entry.at.0)
            .bind(entry.centre.0)
            .bind(entry.staff.map(|staff| staff.0))
            .bind(&entry.action)
            .bind(&entry.object);
    store.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn of(
    store: &PostgresStore,
    centre: CentreId,
    limit: u32,
) -> Result<Vec<AuditEntry>, Error> {
    let query = sqlx::query("SELECT * FROM audit WHERE centre = $1 ORDER BY id DESC LIMIT $2")
        .bind(centre.0)
        .bind(i64::from(limit));
    all(store.rows.rows(query).await?, entry).map_err(engine)
}

pub(crate) fn entry(row: &PgRow) -> sqlx::Result<AuditEntry> {
    Ok(AuditEntry {
        at: at(row, "at")?,
        centre: CentreId(row.try_get("centre")?),
        staff: row.try_get::<Option<_>, _>("staff")?.map(StaffId),
        action: row.try_get("action")?,
        object: row.try_get("object")?,
    })
}

use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{AuditEntry, Error};

pub(super) async fn add(store: &SqliteStore, entry: &AuditEntry) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query("INSERT INTO audit (at, centre, staff, action, object) VALUES (?, ?, ?, ?, ?)")
        .bind(entry.at.0)
        .bind(entry.centre.0)
        .bind(entry.staff.map(|staff| staff.0))
        .bind(&entry.action)
        .bind(&entry.object)
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(|error| constraint(error, &[]));
    transaction.end(added).await
}

pub(super) async fn of(store: &SqliteStore, centre: CentreId, limit: u32) -> Result<Vec<AuditEntry>, Error> {
    sqlx::query("SELECT * FROM audit WHERE centre = ? ORDER BY id DESC LIMIT ?")
        .bind(centre.0)
        .bind(limit)
        .try_map(entry)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(crate) fn entry(row: SqliteRow) -> Result<AuditEntry, sqlx::Error> {
    Ok(AuditEntry {
        at: At(row.try_get("at")?),
        centre: CentreId(row.try_get("centre")?),
        staff: row.try_get::<Option<_>, _>("staff")?.map(StaffId),
        action: row.try_get("action")?,
        object: row.try_get("object")?,
    })
}

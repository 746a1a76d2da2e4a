use crate::directory::audit_entry;
use crate::error::engine;
use crate::open::SqliteStore;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::CentreId;
use synaq_store::{AuditEntry, AuditFilter, Error};

pub(super) async fn page(
    store: &SqliteStore,
    centre: CentreId,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, AuditEntry)>, Error> {
    // Words of our own code: letters and underscores.
    let actions: Vec<String> = filter.actions.iter().map(|action| format!("\"{action}\"")).collect();
    sqlx::query(
        "SELECT * FROM audit WHERE centre = ?1 AND (?2 IS NULL OR staff = ?2)
             AND (?3 = '[]' OR action IN (SELECT value FROM json_each(?3)))
             AND (?4 IS NULL OR substr(object, 1, length(?4)) = ?4)
             AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6) AND (?7 IS NULL OR id < ?7)
         ORDER BY id DESC LIMIT ?8",
    )
    .bind(centre.0)
    .bind(filter.staff.map(|staff| staff.0))
    .bind(format!("[{}]", actions.join(",")))
    .bind(&filter.object)
    .bind(filter.from.map(|at| at.0))
    .bind(filter.to.map(|at| at.0))
    .bind(before)
    .bind(limit)
    .try_map(|row: SqliteRow| Ok((row.try_get("id")?, audit_entry(row)?)))
    .fetch_all(&store.readers)
    .await
    .map_err(engine)
}

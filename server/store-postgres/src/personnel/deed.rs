use crate::directory::audit_entry;
use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::all;
use sqlx::Row as _;
use synaq_core::ids::CentreId;
use synaq_store::{AuditEntry, AuditFilter, Error};

pub(super) async fn page(
    store: &PostgresStore,
    centre: CentreId,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, AuditEntry)>, Error> {
    // PostgreSQL takes no such text, and no object holds it.
    if filter.object.as_ref().is_some_and(|object| object.contains('\0')) {
        return Ok(Vec::new());
    }
    let query = sqlx::query(
        "SELECT * FROM audit WHERE centre = $1 AND ($2::uuid IS NULL OR staff = $2)
             AND (cardinality($3::text[]) = 0 OR action = ANY ($3))
             AND ($4::text IS NULL OR starts_with(object, $4))
             AND ($5::bigint IS NULL OR at >= $5) AND ($6::bigint IS NULL OR at < $6)
             AND ($7::bigint IS NULL OR id < $7)
         ORDER BY id DESC LIMIT $8",
    )
    .bind(centre.0)
    .bind(filter.staff.map(|staff| staff.0))
    .bind(&filter.actions)
    .bind(&filter.object)
    .bind(filter.from.map(|at| at.0))
    .bind(filter.to.map(|at| at.0))
    .bind(before)
    .bind(i64::from(limit));
    all(store.rows.rows(query).await?, |row| Ok((row.try_get("id")?, audit_entry(row)?))).map_err(engine)
}

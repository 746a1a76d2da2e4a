//! Fills what a migration could not: SQLite knows capitals of Latin letters only.

use crate::error::engine;
use sqlx::SqlitePool;
use synaq_store::{Error, fold};
use uuid::Uuid;

/// Gives every name and title that has none the key it is sorted and searched by. Looks at nothing where all have one.
pub(crate) async fn fill(pool: &SqlitePool) -> Result<(), Error> {
    let names: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT session, name FROM candidate WHERE name_key = ''")
            .fetch_all(pool)
            .await
            .map_err(engine)?;
    let titles: Vec<(Uuid, String)> = sqlx::query_as("SELECT id, title FROM sitting WHERE title_key = ''")
        .fetch_all(pool)
        .await
        .map_err(engine)?;
    if names.is_empty() && titles.is_empty() {
        return Ok(());
    }
    let mut transaction = pool.begin().await.map_err(engine)?;
    for (update, rows) in [
        ("UPDATE candidate SET name_key = ? WHERE session = ?", names),
        ("UPDATE sitting SET title_key = ? WHERE id = ?", titles),
    ] {
        for (id, text) in rows {
            let query = sqlx::query(update).bind(fold(&text)).bind(id);
            query.execute(&mut *transaction).await.map_err(engine)?;
        }
    }
    transaction.commit().await.map_err(engine)
}

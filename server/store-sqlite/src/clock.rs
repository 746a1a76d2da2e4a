//! What is known of the server's clock.

use crate::error::engine;
use crate::open::SqliteStore;
use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::time::At;
use synaq_store::{ClockMark, Clocks, Error};

#[async_trait]
impl Clocks for SqliteStore {
    async fn note_clock(&self, mark: ClockMark) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let noted = sqlx::query(
            "INSERT INTO clock_mark (at, source, ahead_ms, within_ms, why) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(mark.at.0)
        .bind(mark.source)
        .bind(mark.ahead_ms)
        .bind(mark.within_ms)
        .bind(mark.why)
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(engine);
        transaction.end(noted).await
    }

    async fn clock_marks(&self, from: At, to: At, limit: u32) -> Result<Vec<ClockMark>, Error> {
        sqlx::query(
            "SELECT * FROM clock_mark WHERE at BETWEEN ?1 AND ?2
                 OR id IN (SELECT max(id) FROM clock_mark WHERE at < ?1 GROUP BY source)
             ORDER BY at, id LIMIT ?3",
        )
        .bind(from.0)
        .bind(to.0)
        .bind(limit)
        .try_map(|row: SqliteRow| {
            Ok(ClockMark {
                at: At(row.try_get("at")?),
                source: row.try_get("source")?,
                ahead_ms: row.try_get("ahead_ms")?,
                within_ms: row.try_get("within_ms")?,
                why: row.try_get("why")?,
            })
        })
        .fetch_all(&self.readers)
        .await
        .map_err(engine)
    }
}

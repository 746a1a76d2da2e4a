//! What is known of the server's clock.

use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::{all, at, without_nul};
use async_trait::async_trait;
use sqlx::Row as _;
use synaq_core::time::At;
use synaq_store::{ClockMark, Clocks, Error};

#[async_trait]
impl Clocks for PostgresStore {
    async fn note_clock(&self, mark: ClockMark) -> Result<(), Error> {
        let query = sqlx::query(
            "INSERT INTO clock_mark (at, source, ahead_ms, within_ms, why) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(mark.at.0)
        .bind(without_nul(mark.source))
        .bind(mark.ahead_ms)
        .bind(mark.within_ms)
        .bind(mark.why.map(without_nul));
        self.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(engine))
    }

    async fn clock_marks(&self, from: At, to: At, limit: u32) -> Result<Vec<ClockMark>, Error> {
        let query = sqlx::query(
            "SELECT * FROM clock_mark WHERE at BETWEEN $1 AND $2
                 OR id IN (SELECT max(id) FROM clock_mark WHERE at < $1 GROUP BY source)
             ORDER BY at, id LIMIT $3",
        );
        let rows = self.rows.rows(query.bind(from.0).bind(to.0).bind(i64::from(limit))).await?;
        all(rows, |row| {
            Ok(ClockMark {
                at: at(row, "at")?,
                source: row.try_get("source")?,
                ahead_ms: row.try_get("ahead_ms")?,
                within_ms: row.try_get("within_ms")?,
                why: row.try_get("why")?,
            })
        })
        .map_err(engine)
    }
}

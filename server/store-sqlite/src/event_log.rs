//! Streams, records and summaries.

use crate::error::engine;
use crate::open::{SqliteStore, Turn};
use crate::writer::in_place;
use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::Digest;
use synaq_store::{Batch, Committed, Error, EventLog, Lease, NewRecord, Recorded, StoredRecord, Summary};
use tokio::sync::MutexGuard;
use uuid::Uuid;

#[async_trait]
impl EventLog for SqliteStore {
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error> {
        if self.lock.is_none() {
            return Err(Error::Open(
                "it was opened beside a running server, which keeps the lease".to_owned(),
            ));
        }
        let mut turn = self.turn().await;
        let lease = in_place(|| turn.writer.take_lease(node, at))?;
        self.epoch.store(lease.epoch, Ordering::SeqCst);
        Ok(lease)
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        let mut turn = self.turn().await;
        in_place(|| turn.writer.append(lease, &batch))?;
        Ok(Committed::by_engine(batch))
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        let events = self.streams.events(stream, after).await?;
        match events
            .iter()
            .zip(after.0.saturating_add(1)..)
            .find(|(event, expected)| event.seq.0 != *expected)
        {
            Some((_, missing)) => Err(Error::Damaged(format!("stream {stream} has no position {missing}"))),
            None => Ok(events),
        }
    }

    async fn live(&self) -> Result<Vec<SessionId>, Error> {
        sqlx::query_scalar("SELECT session FROM summary WHERE live = 1 ORDER BY session")
            .fetch_all(&self.readers)
            .await
            .map(|sessions| sessions.into_iter().map(SessionId).collect())
            .map_err(engine)
    }

    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error> {
        let mut turn = self.turn().await;
        in_place(|| turn.writer.mark(lease, at))
    }

    async fn last_mark(&self) -> Result<Option<At>, Error> {
        let own = match self.epoch.load(Ordering::SeqCst) {
            0 => i64::MAX,
            epoch => epoch.cast_signed(),
        };
        sqlx::query_scalar("SELECT at FROM node_mark WHERE epoch < ? ORDER BY epoch DESC LIMIT 1")
            .bind(own)
            .fetch_optional(&self.readers)
            .await
            .map(|at| at.map(At))
            .map_err(engine)
    }

    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error> {
        let record =
            sqlx::query("SELECT session, payload, sha256, jws, kid, sealed_at FROM record WHERE session = ?")
                .bind(session.0)
                .try_map(record)
                .fetch_optional(&self.readers)
                .await
                .map_err(engine)?;
        let Some(record) = record else { return Ok(None) };
        let approvals = sqlx::query_scalar("SELECT jws FROM approval WHERE session = ? ORDER BY id")
            .bind(session.0)
            .fetch_all(&self.readers)
            .await
            .map_err(engine)?;
        Ok(Some(StoredRecord { record, approvals }))
    }

    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error> {
        sqlx::query(
            "SELECT * FROM summary WHERE session IN (SELECT unhex(value) FROM json_each(?)) ORDER BY session",
        )
        .bind(id_list(sessions))
        .try_map(summary)
        .fetch_all(&self.readers)
        .await
        .map_err(engine)
    }
}

impl SqliteStore {
    /// Waits until this caller may write to the log.
    async fn turn(&self) -> MutexGuard<'_, Turn> {
        let mut turn = self.turn.lock().await;
        turn.rows.roll_back_abandoned().await;
        turn
    }
}

fn record(row: SqliteRow) -> Result<NewRecord, sqlx::Error> {
    Ok(NewRecord {
        session: SessionId(row.try_get("session")?),
        payload: row.try_get("payload")?,
        sha256: digest(&row, "sha256")?,
        jws: row.try_get("jws")?,
        kid: row.try_get("kid")?,
        sealed_at: At(row.try_get("sealed_at")?),
    })
}

fn summary(row: SqliteRow) -> Result<Summary, sqlx::Error> {
    Ok(Summary {
        session: SessionId(row.try_get("session")?),
        state: row.try_get("state")?,
        finish: row.try_get("finish")?,
        outcome: row.try_get("outcome")?,
        correct: row.try_get("correct")?,
        total: row.try_get("total")?,
        warnings: row.try_get("warnings")?,
        started_at: row.try_get::<Option<i64>, _>("started_at")?.map(At),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(At),
        live: row.try_get("live")?,
        incidents: Summary::read_incidents(row.try_get("incidents")?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

/// A JSON array of hexadecimal ids: SQLite binds no lists, but reads them with json_each and unhex.
pub(crate) fn id_list(sessions: &[SessionId]) -> String {
    let ids: Vec<String> = sessions.iter().map(|session| format!("\"{}\"", session.0.simple())).collect();
    format!("[{}]", ids.join(","))
}

pub(crate) fn digest(row: &SqliteRow, column: &'static str) -> Result<Digest, sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes
        .try_into()
        .map(Digest)
        .map_err(|_| sqlx::Error::Decode(format!("{column} is not a SHA-256 value").into()))
}

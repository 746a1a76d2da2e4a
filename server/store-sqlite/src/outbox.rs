//! Messages to the central platform.

use crate::error::engine;
use crate::event_log::{digest, id_list};
use crate::open::SqliteStore;
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_store::{
    Backlog, Claimed, Delivery, DeliveryState, Error, MessageKind, NewMessage, Outbox, Settlement,
};
use uuid::Uuid;

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim(&self, now: At, claimed_until: At, limit: u32) -> Result<Vec<Claimed>, Error> {
        let mut transaction = self.begin().await?;
        let claimed = claim(transaction.connection(), now, claimed_until, limit).await.map_err(engine);
        transaction.end(claimed).await
    }

    async fn settle(&self, id: Uuid, at: At, settlement: Settlement) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let settled = settle(transaction.connection(), id, at, settlement).await.map_err(engine);
        transaction.end(settled).await
    }

    async fn deliveries(&self, sessions: &[SessionId]) -> Result<Vec<Delivery>, Error> {
        sqlx::query(
            "SELECT * FROM outbox WHERE session IN (SELECT unhex(value) FROM json_each(?)) ORDER BY id",
        )
        .bind(id_list(sessions))
        .try_map(|row: SqliteRow| delivery(&row))
        .fetch_all(&self.readers)
        .await
        .map_err(engine)
    }

    async fn next_due(&self) -> Result<Option<At>, Error> {
        sqlx::query_scalar::<_, Option<i64>>(
            "SELECT min(due_at) FROM outbox AS m WHERE state = 'queued' AND (kind = 'record' OR EXISTS (
                 SELECT 1 FROM outbox AS r
                 WHERE r.session = m.session AND r.kind = 'record' AND r.state = 'accepted'))",
        )
        .fetch_one(&self.readers)
        .await
        .map(|at| at.map(At))
        .map_err(engine)
    }

    async fn backlog(&self) -> Result<Backlog, Error> {
        sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
                    min(created_at) FILTER (WHERE state = 'queued') AS oldest,
                    count(*) FILTER (WHERE state = 'refused') AS refused
             FROM outbox WHERE state <> 'accepted'",
        )
        .try_map(|row: SqliteRow| {
            Ok(Backlog {
                queued: row.try_get::<i64, _>("queued")?.unsigned_abs(),
                oldest: row.try_get::<Option<i64>, _>("oldest")?.map(At),
                refused: row.try_get::<i64, _>("refused")?.unsigned_abs(),
            })
        })
        .fetch_one(&self.readers)
        .await
        .map_err(engine)
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    now: At,
    claimed_until: At,
    limit: u32,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let mut claimed = sqlx::query(
        "UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id IN (
             SELECT id FROM outbox AS m WHERE state = 'queued' AND due_at <= ? AND (kind = 'record' OR EXISTS (
                 SELECT 1 FROM outbox AS r
                 WHERE r.session = m.session AND r.kind = 'record' AND r.state = 'accepted'))
             ORDER BY due_at, id LIMIT ?)
         RETURNING *",
    )
    .bind(claimed_until.0)
    .bind(now.0)
    .bind(limit)
    .try_map(|row: SqliteRow| {
        let attempts = row.try_get::<u32, _>("attempts")?.saturating_sub(1);
        Ok((row.try_get::<i64, _>("id")?, Claimed { message: message(&row)?, attempts }))
    })
    .fetch_all(connection)
    .await?;
    // RETURNING has no order of its own.
    claimed.sort_by_key(|(order, _)| *order);
    Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
}

/// A receipt closes a message whatever was said before it; anything else is heard only while the message is queued,
/// so an attempt that lost its claim cannot reopen what another one closed.
async fn settle(
    connection: &mut SqliteConnection,
    id: Uuid,
    at: At,
    settlement: Settlement,
) -> Result<(), sqlx::Error> {
    let query = match settlement {
        Settlement::Accepted { receipt, platform_ref } => sqlx::query(
            "UPDATE outbox SET state = 'accepted', settled_at = ?, why = NULL, receipt = ?, platform_ref = ?
             WHERE message = ? AND state <> 'accepted'",
        )
        .bind(at.0)
        .bind(receipt)
        .bind(platform_ref),
        Settlement::Retry { next_at, why } => {
            sqlx::query("UPDATE outbox SET due_at = ?, why = ? WHERE message = ? AND state = 'queued'")
                .bind(next_at.0)
                .bind(why)
        }
        Settlement::Refused { why } => sqlx::query(
            "UPDATE outbox SET state = 'refused', settled_at = ?, why = ?
             WHERE message = ? AND state = 'queued'",
        )
        .bind(at.0)
        .bind(why),
    };
    if query.bind(id).execute(&mut *connection).await?.rows_affected() == 0 {
        sqlx::query_scalar::<_, i64>("SELECT 1 FROM outbox WHERE message = ?")
            .bind(id)
            .fetch_one(connection)
            .await?;
    }
    Ok(())
}

fn message(row: &SqliteRow) -> Result<NewMessage, sqlx::Error> {
    Ok(NewMessage {
        id: row.try_get("message")?,
        session: SessionId(row.try_get("session")?),
        kind: kind(row.try_get("kind")?)?,
        body: row.try_get("body")?,
        sha256: digest(row, "sha256")?,
        created_at: At(row.try_get("created_at")?),
    })
}

fn delivery(row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    Ok(Delivery {
        message: message(row)?,
        state: match row.try_get("state")? {
            "queued" => DeliveryState::Queued,
            "accepted" => DeliveryState::Accepted,
            "refused" => DeliveryState::Refused,
            other => return Err(sqlx::Error::Decode(format!("delivery state {other}").into())),
        },
        attempts: row.try_get("attempts")?,
        why: row.try_get("why")?,
        receipt: row.try_get("receipt")?,
        platform_ref: row.try_get("platform_ref")?,
        settled_at: row.try_get::<Option<i64>, _>("settled_at")?.map(At),
    })
}

fn kind(word: &str) -> Result<MessageKind, sqlx::Error> {
    MessageKind::read(word).ok_or_else(|| sqlx::Error::Decode(format!("message kind {word}").into()))
}

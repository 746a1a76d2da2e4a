//! Messages to the central platform.

use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::{all, at, digest, first, ids, number, one, without_nul};
use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_store::{
    Backlog, Claimed, Delivery, DeliveryState, Error, MessageKind, NewMessage, Outbox, Settlement,
};
use uuid::Uuid;

/// What waits, and may go: an approval never before its record was accepted.
macro_rules! waiting {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM outbox AS m WHERE m.state = 'queued' AND (m.kind = 'record' OR EXISTS (
                 SELECT FROM outbox AS r
                 WHERE r.session = m.session AND r.kind = 'record' AND r.state = 'accepted')) ",
            $tail
        )
    };
}

#[async_trait]
impl Outbox for PostgresStore {
    async fn claim(&self, now: At, claimed_until: At, limit: u32) -> Result<Vec<Claimed>, Error> {
        // SKIP LOCKED: relays of several processes take different messages and wait for nobody.
        let query = sqlx::query(concat!(
            "WITH due AS MATERIALIZED (",
            waiting!("SELECT m.id", "AND m.due_at <= $1 ORDER BY m.due_at, m.id LIMIT $3 FOR UPDATE OF m SKIP LOCKED"),
            "), claimed AS (UPDATE outbox SET due_at = $2, attempts = attempts + 1 WHERE id IN (SELECT id FROM due)
                 RETURNING *)
             SELECT * FROM claimed ORDER BY id"
        ));
        let rows = self.rows.rows(query.bind(now.0).bind(claimed_until.0).bind(i64::from(limit))).await?;
        all(rows, |row| {
            let attempts = number::<u32>(row, "attempts")?.saturating_sub(1);
            Ok(Claimed { message: message(row)?, attempts })
        })
        .map_err(engine)
    }

    /// A receipt closes a message whatever was said before it; anything else is heard only while the message is queued,
    /// so an attempt that lost its claim cannot reopen what another one closed.
    async fn settle(&self, id: Uuid, at: At, settlement: Settlement) -> Result<(), Error> {
        let query = match settlement {
            Settlement::Accepted { receipt, platform_ref } => sqlx::query(
                "UPDATE outbox SET state = 'accepted', settled_at = $2, why = NULL, receipt = $3, platform_ref = $4
                 WHERE message = $1 AND state <> 'accepted'",
            )
            .bind(id)
            .bind(at.0)
            .bind(without_nul(receipt))
            .bind(without_nul(platform_ref)),
            Settlement::Retry { next_at, why } => sqlx::query(
                "UPDATE outbox SET due_at = $2, why = $3 WHERE message = $1 AND state = 'queued'",
            )
            .bind(id)
            .bind(next_at.0)
            .bind(without_nul(why)),
            Settlement::Refused { why } => sqlx::query(
                "UPDATE outbox SET state = 'refused', settled_at = $2, why = $3
                 WHERE message = $1 AND state = 'queued'",
            )
            .bind(id)
            .bind(at.0)
            .bind(without_nul(why)),
        };
        if self.rows.execute(query).await? == 0 {
            let known = self.rows.rows(sqlx::query("SELECT FROM outbox WHERE message = $1").bind(id)).await?;
            return if known.is_empty() { Err(Error::NotFound) } else { Ok(()) };
        }
        Ok(())
    }

    async fn deliveries(&self, sessions: &[SessionId]) -> Result<Vec<Delivery>, Error> {
        let query = sqlx::query("SELECT * FROM outbox WHERE session = ANY($1) ORDER BY id");
        all(self.rows.rows(query.bind(ids(sessions))).await?, delivery).map_err(engine)
    }

    async fn next_due(&self) -> Result<Option<At>, Error> {
        let query = sqlx::query(waiting!("SELECT m.due_at", "ORDER BY m.due_at LIMIT 1"));
        first(self.rows.rows(query).await?, |row| at(row, "due_at")).map_err(engine)
    }

    async fn backlog(&self) -> Result<Backlog, Error> {
        let query = sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
                 min(created_at) FILTER (WHERE state = 'queued') AS oldest,
                 count(*) FILTER (WHERE state = 'refused') AS refused
             FROM outbox WHERE state <> 'accepted'",
        );
        one(self.rows.rows(query).await?, |row| {
            Ok(Backlog {
                queued: number(row, "queued")?,
                oldest: row.try_get::<Option<i64>, _>("oldest")?.map(At),
                refused: number(row, "refused")?,
            })
        })
        .map_err(engine)
    }
}

fn message(row: &PgRow) -> sqlx::Result<NewMessage> {
    Ok(NewMessage {
        id: row.try_get("message")?,
        session: SessionId(row.try_get("session")?),
        kind: kind(row.try_get("kind")?)?,
        body: row.try_get("body")?,
        sha256: digest(row, "sha256")?,
        created_at: at(row, "created_at")?,
    })
}

fn delivery(row: &PgRow) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        message: message(row)?,
        state: match row.try_get("state")? {
            "queued" => DeliveryState::Queued,
            "accepted" => DeliveryState::Accepted,
            "refused" => DeliveryState::Refused,
            other => return Err(sqlx::Error::Decode(format!("delivery state {other}").into())),
        },
        attempts: number(row, "attempts")?,
        why: row.try_get("why")?,
        receipt: row.try_get("receipt")?,
        platform_ref: row.try_get("platform_ref")?,
        settled_at: row.try_get::<Option<i64>, _>("settled_at")?.map(At),
    })
}

fn kind(word: &str) -> Result<MessageKind, sqlx::Error> {
    MessageKind::read(word).ok_or_else(|| sqlx::Error::Decode(format!("message kind {word}").into()))
}

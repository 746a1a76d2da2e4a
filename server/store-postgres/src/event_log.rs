//! Streams, records and summaries.

use crate::append::append;
use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::{all, at, digest, first, ids, number, one, position, small};
use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_store::{Batch, Committed, Error, EventLog, Lease, NewRecord, Recorded, StoredRecord, Summary};
use uuid::Uuid;

#[async_trait]
impl EventLog for PostgresStore {
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error> {
        if self.keeper.is_none() {
            return Err(beside());
        }
        // Waits for appends that hold the row, which end by themselves or by their time limit.
        let rows = self
            .appends
            .rows(
                sqlx::query(
                    "INSERT INTO lease AS held (id, node, epoch, taken_at) VALUES (1, $1, 1, $2)
                     ON CONFLICT (id) DO UPDATE
                     SET node = excluded.node, epoch = held.epoch + 1, taken_at = excluded.taken_at
                     RETURNING epoch",
                )
                .bind(node)
                .bind(at.0),
            )
            .await?;
        let epoch = one(rows, |row| number(row, "epoch")).map_err(engine)?;
        self.epoch.store(epoch, Ordering::SeqCst);
        Ok(Lease { node, epoch })
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        append(&self.appends, lease, &batch).await?;
        Ok(Committed::by_engine(batch))
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        let query = sqlx::query(
            "SELECT seq, at, kind, body, hash FROM event WHERE stream = $1 AND seq > $2 ORDER BY seq",
        );
        let rows = self.rows.rows(query.bind(stream.0).bind(position(after))).await?;
        let events = all(rows, recorded).map_err(engine)?;
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
        let rows =
            self.rows.rows(sqlx::query("SELECT session FROM summary WHERE live ORDER BY session")).await?;
        all(rows, |row| row.try_get("session").map(SessionId)).map_err(engine)
    }

    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error> {
        let keeper = self.keeper.as_ref().ok_or_else(beside)?;
        let marked = keeper.lock().await.mark(lease, at).await;
        if let Err(Error::Unavailable(_)) = marked {
            // Once a second: the other connections need not find out one by one.
            self.appends.distrust();
            self.rows.distrust();
        }
        marked
    }

    async fn last_mark(&self) -> Result<Option<At>, Error> {
        let own = match self.epoch.load(Ordering::SeqCst) {
            0 => i64::MAX,
            epoch => epoch.cast_signed(),
        };
        let query = sqlx::query("SELECT at FROM node_mark WHERE epoch < $1 ORDER BY epoch DESC LIMIT 1");
        first(self.rows.rows(query.bind(own)).await?, |row| at(row, "at")).map_err(engine)
    }

    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error> {
        let query = sqlx::query(
            "SELECT session, payload, sha256, jws, kid, sealed_at,
                 ARRAY(SELECT a.jws FROM approval AS a WHERE a.session = r.session ORDER BY a.id) AS approvals
             FROM record AS r WHERE session = $1",
        );
        first(self.rows.rows(query.bind(session.0)).await?, |row| {
            Ok(StoredRecord { record: record(row)?, approvals: row.try_get("approvals")? })
        })
        .map_err(engine)
    }

    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error> {
        let query = sqlx::query("SELECT * FROM summary WHERE session = ANY($1) ORDER BY session");
        all(self.rows.rows(query.bind(ids(sessions))).await?, summary).map_err(engine)
    }
}

fn beside() -> Error {
    Error::Open("it was opened beside a running server, which keeps the lease".to_owned())
}

fn recorded(row: &PgRow) -> sqlx::Result<Recorded> {
    Ok(Recorded {
        seq: Seq(number(row, "seq")?),
        at: at(row, "at")?,
        kind: row.try_get("kind")?,
        body: row.try_get("body")?,
        hash: digest(row, "hash")?,
    })
}

fn record(row: &PgRow) -> sqlx::Result<NewRecord> {
    Ok(NewRecord {
        session: SessionId(row.try_get("session")?),
        payload: row.try_get("payload")?,
        sha256: digest(row, "sha256")?,
        jws: row.try_get("jws")?,
        kid: row.try_get("kid")?,
        sealed_at: at(row, "sealed_at")?,
    })
}

fn summary(row: &PgRow) -> sqlx::Result<Summary> {
    Ok(Summary {
        session: SessionId(row.try_get("session")?),
        state: row.try_get("state")?,
        finish: row.try_get("finish")?,
        outcome: row.try_get("outcome")?,
        correct: small(row, "correct")?,
        total: small(row, "total")?,
        warnings: number(row, "warnings")?,
        started_at: row.try_get::<Option<i64>, _>("started_at")?.map(At),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(At),
        live: row.try_get("live")?,
        incidents: Summary::read_incidents(row.try_get("incidents")?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

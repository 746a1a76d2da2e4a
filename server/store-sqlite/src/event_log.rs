//! Streams, records and summaries.

use crate::error::{constraint, engine, violates};
use crate::open::SqliteStore;
use crate::rows::{Bound, MultiRow};
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::Digest;
use synaq_store::{
    Append, Batch, Committed, Error, EventLog, Lease, NewApproval, NewMessage, NewRecord, Recorded,
    StoredRecord, Summary,
};
use uuid::Uuid;

static EVENTS: LazyLock<MultiRow> =
    LazyLock::new(|| MultiRow::new("INSERT INTO event (stream, seq, at, kind, body, hash) VALUES", 6, ""));
static SUMMARIES: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO summary
             (session, state, finish, outcome, correct, total, warnings, started_at, finished_at, live) VALUES",
        10,
        "ON CONFLICT (session) DO UPDATE SET state = excluded.state, finish = excluded.finish,
             outcome = excluded.outcome, correct = excluded.correct, total = excluded.total,
             warnings = excluded.warnings, started_at = excluded.started_at,
             finished_at = excluded.finished_at, live = excluded.live",
    )
});
static RECORDS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new("INSERT INTO record (session, payload, sha256, jws, kid, sealed_at) VALUES", 6, "")
});
static APPROVALS: LazyLock<MultiRow> =
    LazyLock::new(|| MultiRow::new("INSERT INTO approval (session, jws) VALUES", 2, ""));
static MESSAGES: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO outbox (message, session, kind, body, sha256, created_at, due_at) VALUES",
        7,
        "",
    )
});

/// Why a batch was not stored.
enum Refusal {
    Fenced,
    Engine(sqlx::Error),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error)
    }
}

#[async_trait]
impl EventLog for SqliteStore {
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error> {
        if self.lock.is_none() {
            return Err(Error::Open(
                "it was opened beside a running server, which keeps the lease".to_owned(),
            ));
        }
        let mut transaction = self.begin().await?;
        let taken = sqlx::query_scalar::<_, i64>(
            "INSERT INTO lease (id, node, epoch, taken_at) VALUES (1, ?, 1, ?)
             ON CONFLICT (id) DO UPDATE SET node = excluded.node, epoch = epoch + 1, taken_at = excluded.taken_at
             RETURNING epoch",
        )
        .bind(node)
        .bind(at.0)
        .fetch_one(transaction.connection())
        .await
        .map_err(engine);
        let epoch = transaction.end(taken).await?.unsigned_abs();
        self.epoch.store(epoch, Ordering::SeqCst);
        Ok(Lease { node, epoch })
    }

    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error> {
        let mut transaction = self.begin().await?;
        match store(transaction.connection(), lease, &batch).await {
            Ok(()) => transaction.commit().await.map(|()| Committed::by_engine(batch)),
            Err(refusal) => {
                transaction.roll_back().await;
                Err(match refusal {
                    Refusal::Fenced => Error::Fenced,
                    Refusal::Engine(error) => self.name_refusal(error, &batch.events).await,
                })
            }
        }
    }

    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error> {
        let events = sqlx::query(
            "SELECT seq, at, kind, body, hash FROM event WHERE stream = ? AND seq > ? ORDER BY seq",
        )
        .bind(stream.0)
        .bind(position(after))
        .try_map(recorded)
        .fetch_all(&self.readers)
        .await
        .map_err(engine)?;
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
        let mut transaction = self.begin().await?;
        let marked = mark(transaction.connection(), lease, at).await;
        transaction.end(marked).await
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
    /// Which position was taken. Asked after the rollback, so that only stored events count.
    async fn name_refusal(&self, error: sqlx::Error, events: &[Append]) -> Error {
        if !violates(&error, "event.stream, event.seq") {
            let unique = [("record.session", "record"), ("outbox.message", "message id")];
            return constraint(error, &unique);
        }
        let mut in_batch = HashSet::with_capacity(events.len());
        for Append { stream, seq, .. } in events {
            let taken = sqlx::query_scalar::<_, i64>("SELECT 1 FROM event WHERE stream = ? AND seq = ?")
                .bind(stream.0)
                .bind(position(*seq))
                .fetch_optional(&self.readers)
                .await;
            match taken {
                Err(error) => return engine(error),
                Ok(stored) if stored.is_some() || !in_batch.insert((*stream, *seq)) => {
                    return Error::Duplicate { stream: stream.0, seq: seq.0 };
                }
                Ok(_) => {}
            }
        }
        Error::Unavailable(error.into())
    }
}

async fn store(connection: &mut SqliteConnection, lease: Lease, batch: &Batch) -> Result<(), Refusal> {
    if !holds(connection, lease).await? {
        return Err(Refusal::Fenced);
    }
    EVENTS.insert(connection, &batch.events, bind_event).await?;
    SUMMARIES.insert(connection, &batch.summaries, bind_summary).await?;
    RECORDS.insert(connection, &batch.records, bind_record).await?;
    APPROVALS.insert(connection, &batch.approvals, bind_approval).await?;
    MESSAGES.insert(connection, &batch.messages, bind_message).await?;
    Ok(())
}

async fn holds(connection: &mut SqliteConnection, lease: Lease) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar::<_, i64>("SELECT 1 FROM lease WHERE node = ? AND epoch = ?")
        .bind(lease.node)
        .bind(lease.epoch.cast_signed())
        .fetch_optional(connection)
        .await
        .map(|row| row.is_some())
}

async fn mark(connection: &mut SqliteConnection, lease: Lease, at: At) -> Result<(), Error> {
    if !holds(connection, lease).await.map_err(engine)? {
        return Err(Error::Fenced);
    }
    sqlx::query(
        "INSERT INTO node_mark (epoch, node, at) VALUES (?, ?, ?)
         ON CONFLICT (epoch) DO UPDATE SET at = excluded.at",
    )
    .bind(lease.epoch.cast_signed())
    .bind(lease.node)
    .bind(at.0)
    .execute(connection)
    .await
    .map(drop)
    .map_err(engine)
}

/// SQLite's integers are signed; no stream reaches 2^63 events, so saturation loses nothing.
fn position(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn bind_event(query: Bound, event: &Append) -> Bound {
    query
        .bind(event.stream.0)
        .bind(position(event.seq))
        .bind(event.at.0)
        .bind(&event.kind)
        .bind(&event.body)
        .bind(event.hash.0.as_slice())
}

fn bind_summary(query: Bound, summary: &Summary) -> Bound {
    query
        .bind(summary.session.0)
        .bind(&summary.state)
        .bind(&summary.finish)
        .bind(&summary.outcome)
        .bind(summary.correct)
        .bind(summary.total)
        .bind(summary.warnings)
        .bind(summary.started_at.map(|at| at.0))
        .bind(summary.finished_at.map(|at| at.0))
        .bind(summary.live)
}

fn bind_record(query: Bound, record: &NewRecord) -> Bound {
    query
        .bind(record.session.0)
        .bind(record.payload.as_slice())
        .bind(record.sha256.0.as_slice())
        .bind(&record.jws)
        .bind(&record.kid)
        .bind(record.sealed_at.0)
}

fn bind_approval(query: Bound, approval: &NewApproval) -> Bound {
    query.bind(approval.session.0).bind(&approval.jws)
}

fn bind_message(query: Bound, message: &NewMessage) -> Bound {
    query
        .bind(message.id)
        .bind(message.session.0)
        .bind(message.kind.as_str())
        .bind(&message.body)
        .bind(message.sha256.0.as_slice())
        .bind(message.created_at.0)
        .bind(message.created_at.0)
}

fn recorded(row: SqliteRow) -> Result<Recorded, sqlx::Error> {
    Ok(Recorded {
        seq: Seq(row.try_get::<i64, _>("seq")?.unsigned_abs()),
        at: At(row.try_get("at")?),
        kind: row.try_get("kind")?,
        body: row.try_get("body")?,
        hash: digest(&row, "hash")?,
    })
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

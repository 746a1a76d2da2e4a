//! A batch as one statement: its own transaction, one round trip, one fsync. Every table's rows travel as arrays, so
//! the statement is the same whatever the size of the batch.
//!
//! The answer comes before the commit, so whoever sends this reads on until PostgreSQL is ready for the next statement;
//! sqlx's `fetch_all` does.

use crate::error::broken_constraint;
use crate::lanes::{Lanes, Refusal};
use crate::rows::position;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};
use std::collections::{HashMap, HashSet};
use synaq_core::ids::SessionId;
use synaq_store::{Append, Batch, Error, Lease, NewApproval, NewMessage, NewRecord, Summary};
use uuid::Uuid;

/// What every batch has, and most have nothing else. The fence: the lease row, locked FOR SHARE. A take-over that
/// committed while we waited for that lock is seen, because PostgreSQL reads a row anew that changed under a lock
/// (READ COMMITTED); without a row nothing is inserted.
macro_rules! statement {
    ($($table:literal),*) => {
        concat!(
            "WITH holder AS MATERIALIZED (SELECT FROM lease WHERE node = $1 AND epoch = $2 FOR SHARE),
             events AS (INSERT INTO event (stream, seq, at, kind, body, hash) SELECT new.* FROM holder,
                 unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[]) AS new)",
            $($table,)*
            "SELECT count(*) FROM holder"
        )
    };
}

const EVENTS: &str = statement!();
const WHOLE: &str = statement!(
    ", summaries AS (INSERT INTO summary
         (session, state, finish, outcome, correct, total, warnings, started_at, finished_at, live, incidents)
         SELECT new.* FROM holder, unnest($9::uuid[], $10::text[], $11::text[], $12::text[], $13::integer[],
             $14::integer[], $15::bigint[], $16::bigint[], $17::bigint[], $18::boolean[], $19::text[]) AS new
         ON CONFLICT (session) DO UPDATE SET state = excluded.state, finish = excluded.finish,
             outcome = excluded.outcome, correct = excluded.correct, total = excluded.total,
             warnings = excluded.warnings, started_at = excluded.started_at,
             finished_at = excluded.finished_at, live = excluded.live, incidents = excluded.incidents)",
    ", records AS (INSERT INTO record (session, payload, sha256, jws, kid, sealed_at)
         SELECT new.* FROM holder,
             unnest($20::uuid[], $21::bytea[], $22::bytea[], $23::text[], $24::text[], $25::bigint[]) AS new)",
    ", approvals AS (INSERT INTO approval (session, jws)
         SELECT new.session, new.jws
         FROM holder, unnest($26::uuid[], $27::text[]) WITH ORDINALITY AS new (session, jws, place)
         ORDER BY new.place)",
    ", messages AS (INSERT INTO outbox (message, session, kind, body, sha256, created_at, due_at)
         SELECT new.message, new.session, new.kind, new.body, new.sha256, new.created_at, new.created_at
         FROM holder, unnest($28::uuid[], $29::uuid[], $30::text[], $31::text[], $32::bytea[], $33::bigint[])
             WITH ORDINALITY AS new (message, session, kind, body, sha256, created_at, place)
         ORDER BY new.place) "
);

const NUL: &str = "its text holds the character U+0000, which PostgreSQL cannot store";

/// Stores the batch, or says why not.
pub(crate) async fn append(lanes: &Lanes, lease: Lease, batch: &Batch) -> Result<(), Error> {
    refuse_nul(batch)?;
    match lanes.rows(query(lease, batch)).await {
        Ok(rows) => match rows.first().map(|row| row.try_get::<i64, _>(0)) {
            Some(Ok(1)) => Ok(()),
            _ => Err(Error::Fenced),
        },
        Err(Refusal::Engine(error)) => Err(name_refusal(lanes, error, batch).await),
        Err(refusal) => Err(refusal.into()),
    }
}

fn query(lease: Lease, batch: &Batch) -> Query<'_, Postgres, PgArguments> {
    let Batch { events, summaries, records, approvals, messages } = batch;
    if summaries.is_empty() && records.is_empty() && approvals.is_empty() && messages.is_empty() {
        return bind_events(sqlx::query(EVENTS), lease, events);
    }
    let query = bind_summaries(bind_events(sqlx::query(WHOLE), lease, events), summaries);
    bind_messages(bind_records(query, records, approvals), messages)
}

type Bound<'q> = Query<'q, Postgres, PgArguments>;

/// One array: this column of every row.
fn column<'q, T, C>(rows: &'q [T], value: impl Fn(&'q T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

fn bind_events<'q>(query: Bound<'q>, lease: Lease, events: &'q [Append]) -> Bound<'q> {
    query
        .bind(lease.node)
        .bind(lease.epoch.cast_signed())
        .bind(column(events, |event| event.stream.0))
        .bind(column(events, |event| position(event.seq)))
        .bind(column(events, |event| event.at.0))
        .bind(column(events, |event| event.kind.as_str()))
        .bind(column(events, |event| event.body.as_str()))
        .bind(column(events, |event| event.hash.0.as_slice()))
}

fn bind_summaries<'q>(query: Bound<'q>, all: &'q [Summary]) -> Bound<'q> {
    // ON CONFLICT changes a row once per statement, and only the newest counts.
    let newest: HashMap<SessionId, &Summary> = all.iter().map(|summary| (summary.session, summary)).collect();
    let mut rows: Vec<&'q Summary> = newest.into_values().collect();
    // Two batches that share sessions lock them in one order.
    rows.sort_by_key(|summary| summary.session);
    fn column<'q, C>(rows: &[&'q Summary], value: impl Fn(&'q Summary) -> C) -> Vec<C> {
        rows.iter().map(|summary| value(summary)).collect()
    }
    query
        .bind(column(&rows, |summary| summary.session.0))
        .bind(column(&rows, |summary| summary.state.as_str()))
        .bind(column(&rows, |summary| summary.finish.as_deref()))
        .bind(column(&rows, |summary| summary.outcome.as_deref()))
        .bind(column(&rows, |summary| summary.correct.map(i32::from)))
        .bind(column(&rows, |summary| summary.total.map(i32::from)))
        .bind(column(&rows, |summary| i64::from(summary.warnings)))
        .bind(column(&rows, |summary| summary.started_at.map(|at| at.0)))
        .bind(column(&rows, |summary| summary.finished_at.map(|at| at.0)))
        .bind(column(&rows, |summary| summary.live))
        .bind(column(&rows, |summary| summary.incidents_json()))
}

fn bind_records<'q>(query: Bound<'q>, records: &'q [NewRecord], approvals: &'q [NewApproval]) -> Bound<'q> {
    query
        .bind(column(records, |record| record.session.0))
        .bind(column(records, |record| record.payload.as_slice()))
        .bind(column(records, |record| record.sha256.0.as_slice()))
        .bind(column(records, |record| record.jws.as_str()))
        .bind(column(records, |record| record.kid.as_str()))
        .bind(column(records, |record| record.sealed_at.0))
        .bind(column(approvals, |approval| approval.session.0))
        .bind(column(approvals, |approval| approval.jws.as_str()))
}

fn bind_messages<'q>(query: Bound<'q>, messages: &'q [NewMessage]) -> Bound<'q> {
    query
        .bind(column(messages, |message| message.id))
        .bind(column(messages, |message| message.session.0))
        .bind(column(messages, |message| message.kind.as_str()))
        .bind(column(messages, |message| message.body.as_str()))
        .bind(column(messages, |message| message.sha256.0.as_slice()))
        .bind(column(messages, |message| message.created_at.0))
}

/// PostgreSQL would refuse the whole batch without saying whose part it was.
fn refuse_nul(batch: &Batch) -> Result<(), Error> {
    let events =
        batch.events.iter().flat_map(|event| [(event.stream, &event.kind), (event.stream, &event.body)]);
    let records = batch
        .records
        .iter()
        .flat_map(|record| [(record.session, &record.jws), (record.session, &record.kid)]);
    let approvals = batch.approvals.iter().map(|approval| (approval.session, &approval.jws));
    let messages = batch.messages.iter().map(|message| (message.session, &message.body));
    let summaries = batch.summaries.iter().flat_map(|summary| {
        let texts = [Some(&summary.state), summary.finish.as_ref(), summary.outcome.as_ref()];
        texts.into_iter().flatten().map(|text| (summary.session, text))
    });
    match events
        .chain(records)
        .chain(approvals)
        .chain(messages)
        .chain(summaries)
        .find(|(_, text)| text.contains('\0'))
    {
        Some((session, _)) => Err(Error::Refused { session: session.0, why: NUL }),
        None => Ok(()),
    }
}

/// Whose part broke which rule. Asked after the rollback, so that only stored rows count.
async fn name_refusal(lanes: &Lanes, error: sqlx::Error, batch: &Batch) -> Error {
    let culprit = match broken_constraint(&error) {
        Some("event_pkey") => duplicate(lanes, &batch.events).await,
        Some("record_pkey") => {
            let sealed = column(&batch.records, |record| record.session);
            repeated(
                lanes,
                "SELECT session FROM record WHERE session = ANY($1)",
                &column(&sealed, |session| session.0),
            )
            .await
            .map(|place| place.map(|place| refused(sealed[place], Error::SEALED_ALREADY)))
        }
        Some("outbox_message_key") => {
            let ids = column(&batch.messages, |message| message.id);
            repeated(lanes, "SELECT message FROM outbox WHERE message = ANY($1)", &ids)
                .await
                .map(|place| place.map(|place| refused(batch.messages[place].session, Error::MESSAGE_TAKEN)))
        }
        Some("approval_session_fkey") => unsealed(lanes, batch).await,
        _ => return crate::error::engine(error),
    };
    match culprit {
        Ok(Some(named)) => named,
        // Whoever was in the way is gone again: nothing was stored, and it may succeed when it is sent again.
        Ok(None) => crate::error::engine(error),
        Err(refusal) => refusal.into(),
    }
}

fn refused(session: SessionId, why: &'static str) -> Error {
    Error::Refused { session: session.0, why }
}

/// The first event of the batch whose position is stored, or stands in the batch before it.
async fn duplicate(lanes: &Lanes, events: &[Append]) -> Result<Option<Error>, Refusal> {
    let rows = lanes
        .rows(
            sqlx::query(
                "SELECT stream, seq FROM event
                 JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::bigint[]) AS asked (stream, seq)) AS asked
                 USING (stream, seq)",
            )
            .bind(column(events, |event| event.stream.0))
            .bind(column(events, |event| position(event.seq))),
        )
        .await?;
    let mut taken: HashSet<(Uuid, i64)> = HashSet::with_capacity(events.len());
    for row in rows {
        taken.insert((row.try_get(0)?, row.try_get(1)?));
    }
    let first = events.iter().find(|event| !taken.insert((event.stream.0, position(event.seq))));
    Ok(first.map(|event| Error::Duplicate { stream: event.stream.0, seq: event.seq.0 }))
}

/// The first place of a list whose id is stored, or stands in the list before it.
async fn repeated(lanes: &Lanes, stored: &'static str, ids: &[Uuid]) -> Result<Option<usize>, Refusal> {
    let mut taken = present(lanes, stored, ids).await?;
    Ok(ids.iter().position(|id| !taken.insert(*id)))
}

/// The first approval without a record, stored or of this batch.
async fn unsealed(lanes: &Lanes, batch: &Batch) -> Result<Option<Error>, Refusal> {
    let asked = column(&batch.approvals, |approval| approval.session.0);
    let mut sealed = present(lanes, "SELECT session FROM record WHERE session = ANY($1)", &asked).await?;
    sealed.extend(batch.records.iter().map(|record| record.session.0));
    let first = batch.approvals.iter().find(|approval| !sealed.contains(&approval.session.0));
    Ok(first.map(|approval| refused(approval.session, Error::NOT_SEALED)))
}

async fn present(lanes: &Lanes, stored: &'static str, ids: &[Uuid]) -> Result<HashSet<Uuid>, Refusal> {
    let rows = lanes.rows(sqlx::query(stored).bind(ids)).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?)
}

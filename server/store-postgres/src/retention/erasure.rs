use crate::error::{constraint, engine};
use crate::lanes::Refusal;
use crate::open::PostgresStore;
use crate::rows::{all, at, one};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use synaq_core::ids::{CentreId, SessionId};
use synaq_core::retention::{DataClass, Standing};
use synaq_core::time::At;
use synaq_seal::shares::strike;
use synaq_store::{ERASED, ErasureRow, Error, KeptRow};
use uuid::Uuid;

pub(super) async fn kept(
    store: &PostgresStore,
    after: Option<SessionId>,
    closed: At,
    limit: u32,
) -> Result<Vec<KeptRow>, Error> {
    let query = sqlx::query(
        "SELECT c.session, c.centre, s.closes_at, m.started_at, m.finished_at,
             EXISTS (SELECT FROM hold AS h WHERE h.session = c.session AND h.lifted_at IS NULL) AS held,
             CASE WHEN m.state = 'approved' THEN (SELECT max(e.at) FROM event AS e
                 WHERE e.stream = c.session AND e.kind = 'record_approved') END AS decided_at
         FROM candidate AS c JOIN sitting AS s ON s.id = c.sitting LEFT JOIN summary AS m ON m.session = c.session
         WHERE ($1::uuid IS NULL OR c.session > $1) AND s.closes_at < $2
             AND (SELECT count(*) FROM erasure AS x WHERE x.session = c.session AND x.done_at IS NOT NULL) < $3
         ORDER BY c.session LIMIT $4",
    )
    .bind(after.map(|session| session.0))
    .bind(closed.0)
    .bind(i64::try_from(DataClass::ALL.len()).unwrap_or(i64::MAX))
    .bind(i64::from(limit));
    all(store.rows.rows(query).await?, kept_row).map_err(engine)
}

fn kept_row(row: &PgRow) -> sqlx::Result<KeptRow> {
    let maybe = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(At));
    Ok(KeptRow {
        session: SessionId(row.try_get("session")?),
        centre: CentreId(row.try_get("centre")?),
        standing: Standing {
            held: row.try_get("held")?,
            started: maybe("started_at")?.is_some(),
            closes_at: at(row, "closes_at")?,
            finished_at: maybe("finished_at")?,
            decided_at: maybe("decided_at")?,
        },
    })
}

pub(super) async fn of(store: &PostgresStore, session: SessionId) -> Result<Vec<ErasureRow>, Error> {
    let query = sqlx::query("SELECT * FROM erasure WHERE session = $1").bind(session.0);
    in_order(all(store.rows.rows(query).await?, erasure))
}

pub(super) async fn open(store: &PostgresStore) -> Result<Vec<ErasureRow>, Error> {
    let query = sqlx::query("SELECT * FROM erasure WHERE done_at IS NULL");
    in_order(all(store.rows.rows(query).await?, erasure))
}

fn in_order(rows: sqlx::Result<Vec<ErasureRow>>) -> Result<Vec<ErasureRow>, Error> {
    let mut rows = rows.map_err(engine)?;
    rows.sort_by_key(|row| (row.session, row.class));
    Ok(rows)
}

fn erasure(row: &PgRow) -> sqlx::Result<ErasureRow> {
    let class: &str = row.try_get("class")?;
    let maybe = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(At));
    Ok(ErasureRow {
        session: SessionId(row.try_get("session")?),
        class: class.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        rule: row.try_get("rule")?,
        begun_at: at(row, "begun_at")?,
        destroyed_at: maybe("destroyed_at")?,
        done_at: maybe("done_at")?,
        statement: row.try_get("statement")?,
    })
}

pub(super) async fn begin(
    store: &PostgresStore,
    session: SessionId,
    class: DataClass,
    rule: &str,
    at: At,
) -> Result<(), Error> {
    let begun = store.rows.patiently(async {
        let mut lane = store.rows.lane().await?;
        // A caller that gave up, and an error, close the connection: that is the rollback.
        let held = insert(&mut lane.connection, session.0, class, rule, at).await.map_err(Refusal::Engine)?;
        lane.end(Ok(held))
    });
    match begun.await.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? {
        true => Err(Error::Taken("hold")),
        false => Ok(()),
    }
}

/// Whether a hold is open; nothing was noted then.
async fn insert(
    connection: &mut PgConnection,
    session: Uuid,
    class: DataClass,
    rule: &str,
    at: At,
) -> sqlx::Result<bool> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    lock(connection, session).await?;
    let held: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM hold WHERE session = $1 AND lifted_at IS NULL)")
            .bind(session)
            .fetch_one(&mut *connection)
            .await?;
    if !held {
        sqlx::query(
            "INSERT INTO erasure (session, class, rule, begun_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (session, class) DO NOTHING",
        )
        .bind(session)
        .bind(class.as_str())
        .bind(rule)
        .bind(at.0)
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(held)
}

/// The candidate's row is the lock between a hold and an erasure; the wrapped keys as they are.
async fn lock(connection: &mut PgConnection, session: Uuid) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar("SELECT wrapped_key FROM candidate WHERE session = $1 FOR UPDATE")
        .bind(session)
        .fetch_one(connection)
        .await
}

pub(super) async fn destroy_key(
    store: &PostgresStore,
    session: SessionId,
    class: DataClass,
    at: At,
) -> Result<Option<Vec<u8>>, Error> {
    let destroyed = store.rows.patiently(async {
        let mut lane = store.rows.lane().await?;
        let gone = strike_out(&mut lane.connection, session.0, class, at).await.map_err(Refusal::Engine)?;
        lane.end(Ok(gone))
    });
    destroyed.await.map_err(|refusal| refusal.or(engine))
}

async fn strike_out(
    connection: &mut PgConnection,
    session: Uuid,
    class: DataClass,
    at: At,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    let row = lock(connection, session).await?;
    let noted = sqlx::query(
        "UPDATE erasure SET destroyed_at = coalesce(destroyed_at, $1)
         WHERE session = $2 AND class = $3 AND done_at IS NULL",
    )
    .bind(at.0)
    .bind(session)
    .bind(class.as_str())
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 0 {
        return Err(sqlx::Error::RowNotFound);
    }
    let destroyed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM erasure WHERE session = $1 AND destroyed_at IS NOT NULL")
            .bind(session)
            .fetch_one(&mut *connection)
            .await?;
    let struck = strike(&row, class.share(), usize::try_from(destroyed) == Ok(DataClass::ALL.len()));
    sqlx::query("UPDATE candidate SET wrapped_key = $1 WHERE session = $2")
        .bind(struck.row)
        .bind(session)
        .execute(&mut *connection)
        .await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(struck.gone)
}

pub(super) async fn end(
    store: &PostgresStore,
    session: SessionId,
    class: DataClass,
    at: At,
    statement: Option<String>,
) -> Result<(), Error> {
    let query = sqlx::query(
        "WITH ended AS (UPDATE erasure SET done_at = $1, statement = $2
             WHERE session = $3 AND class = $4 AND destroyed_at IS NOT NULL AND done_at IS NULL RETURNING session),
         noted AS (INSERT INTO audit (at, centre, staff, action, object)
             SELECT $1, c.centre, NULL, $5, $6 FROM candidate AS c JOIN ended ON ended.session = c.session)
         SELECT session FROM erasure WHERE session = $3 AND class = $4 AND destroyed_at IS NOT NULL",
    )
    .bind(at.0)
    .bind(statement)
    .bind(session.0)
    .bind(class.as_str())
    .bind(ERASED)
    .bind(format!("{session}/{class}"));
    one(store.rows.rows(query).await?, |_| Ok(())).map_err(engine)
}

use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, SessionId};
use synaq_core::retention::{DataClass, Standing};
use synaq_core::time::At;
use synaq_seal::shares::strike;
use synaq_store::{ERASED, ErasureRow, Error, KeptRow};

pub(super) async fn kept(
    store: &SqliteStore,
    after: Option<SessionId>,
    closed: At,
    limit: u32,
) -> Result<Vec<KeptRow>, Error> {
    sqlx::query(
        "SELECT c.session, c.centre, s.closes_at, m.started_at, m.finished_at,
             EXISTS (SELECT 1 FROM hold AS h WHERE h.session = c.session AND h.lifted_at IS NULL) AS held,
             CASE WHEN m.state = 'approved' THEN (SELECT max(e.at) FROM event AS e
                 WHERE e.stream = c.session AND e.kind = 'record_approved') END AS decided_at
         FROM candidate AS c JOIN sitting AS s ON s.id = c.sitting LEFT JOIN summary AS m ON m.session = c.session
         WHERE c.session > ? AND s.closes_at < ?
             AND (SELECT count(*) FROM erasure AS x WHERE x.session = c.session AND x.done_at IS NOT NULL) < ?
         ORDER BY c.session LIMIT ?",
    )
    .bind(after.map_or(Vec::new(), |session| session.0.as_bytes().to_vec()))
    .bind(closed.0)
    .bind(i64::try_from(DataClass::ALL.len()).unwrap_or(i64::MAX))
    .bind(limit)
    .try_map(kept_row)
    .fetch_all(&store.readers)
    .await
    .map_err(engine)
}

fn kept_row(row: SqliteRow) -> Result<KeptRow, sqlx::Error> {
    let at = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(At));
    Ok(KeptRow {
        session: SessionId(row.try_get("session")?),
        centre: CentreId(row.try_get("centre")?),
        standing: Standing {
            held: row.try_get("held")?,
            started: at("started_at")?.is_some(),
            closes_at: At(row.try_get("closes_at")?),
            finished_at: at("finished_at")?,
            decided_at: at("decided_at")?,
        },
    })
}

pub(super) async fn of(store: &SqliteStore, session: SessionId) -> Result<Vec<ErasureRow>, Error> {
    let rows = sqlx::query("SELECT * FROM erasure WHERE session = ?")
        .bind(session.0)
        .try_map(erasure)
        .fetch_all(&store.readers)
        .await;
    rows.map(in_order).map_err(engine)
}

pub(super) async fn open(store: &SqliteStore) -> Result<Vec<ErasureRow>, Error> {
    let rows = sqlx::query("SELECT * FROM erasure WHERE done_at IS NULL")
        .try_map(erasure)
        .fetch_all(&store.readers)
        .await;
    rows.map(in_order).map_err(engine)
}

fn in_order(mut rows: Vec<ErasureRow>) -> Vec<ErasureRow> {
    rows.sort_by_key(|row| (row.session, row.class));
    rows
}

fn erasure(row: SqliteRow) -> Result<ErasureRow, sqlx::Error> {
    let class: &str = row.try_get("class")?;
    let at = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(At));
    Ok(ErasureRow {
        session: SessionId(row.try_get("session")?),
        class: class.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        rule: row.try_get("rule")?,
        begun_at: At(row.try_get("begun_at")?),
        destroyed_at: at("destroyed_at")?,
        done_at: at("done_at")?,
        statement: row.try_get("statement")?,
    })
}

pub(super) async fn begin(
    store: &SqliteStore,
    session: SessionId,
    class: DataClass,
    rule: &str,
    at: At,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let begun = insert(transaction.connection(), session, class, rule, at).await;
    transaction.end(begun).await
}

async fn insert(
    connection: &mut SqliteConnection,
    session: SessionId,
    class: DataClass,
    rule: &str,
    at: At,
) -> Result<(), Error> {
    let held: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM hold WHERE session = ? AND lifted_at IS NULL)")
            .bind(session.0)
            .fetch_one(&mut *connection)
            .await
            .map_err(engine)?;
    if held {
        return Err(Error::Taken("hold"));
    }
    sqlx::query(
        "INSERT INTO erasure (session, class, rule, begun_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (session, class) DO NOTHING",
    )
    .bind(session.0)
    .bind(class.as_str())
    .bind(rule)
    .bind(at.0)
    .execute(connection)
    .await
    .map(drop)
    .map_err(|error| constraint(error, &[]))
}

pub(super) async fn destroy_key(
    store: &SqliteStore,
    session: SessionId,
    class: DataClass,
    at: At,
) -> Result<Option<Vec<u8>>, Error> {
    let mut transaction = store.begin().await?;
    let destroyed = strike_out(transaction.connection(), session, class, at).await.map_err(engine);
    transaction.end(destroyed).await
}

async fn strike_out(
    connection: &mut SqliteConnection,
    session: SessionId,
    class: DataClass,
    at: At,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let noted = sqlx::query(
        "UPDATE erasure SET destroyed_at = coalesce(destroyed_at, ?)
         WHERE session = ? AND class = ? AND done_at IS NULL",
    )
    .bind(at.0)
    .bind(session.0)
    .bind(class.as_str())
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 0 {
        return Err(sqlx::Error::RowNotFound);
    }
    let destroyed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM erasure WHERE session = ? AND destroyed_at IS NOT NULL")
            .bind(session.0)
            .fetch_one(&mut *connection)
            .await?;
    let row: Vec<u8> = sqlx::query_scalar("SELECT wrapped_key FROM candidate WHERE session = ?")
        .bind(session.0)
        .fetch_one(&mut *connection)
        .await?;
    let struck = strike(&row, class.share(), usize::try_from(destroyed) == Ok(DataClass::ALL.len()));
    // Of the same length, so that SQLite writes it over the old one in its page.
    sqlx::query("UPDATE candidate SET wrapped_key = ? WHERE session = ?")
        .bind(struck.row)
        .bind(session.0)
        .execute(connection)
        .await?;
    Ok(struck.gone)
}

pub(super) async fn end(
    store: &SqliteStore,
    session: SessionId,
    class: DataClass,
    at: At,
    statement: Option<String>,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let ended = close(transaction.connection(), session, class, at, statement).await.map_err(engine);
    transaction.end(ended).await
}

async fn close(
    connection: &mut SqliteConnection,
    session: SessionId,
    class: DataClass,
    at: At,
    statement: Option<String>,
) -> Result<(), sqlx::Error> {
    let done: Option<i64> = sqlx::query_scalar(
        "SELECT done_at FROM erasure WHERE session = ? AND class = ? AND destroyed_at IS NOT NULL",
    )
    .bind(session.0)
    .bind(class.as_str())
    .fetch_one(&mut *connection)
    .await?;
    if done.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE erasure SET done_at = ?, statement = ? WHERE session = ? AND class = ?")
        .bind(at.0)
        .bind(statement)
        .bind(session.0)
        .bind(class.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO audit (at, centre, staff, action, object)
         SELECT ?, centre, NULL, ?, ? FROM candidate WHERE session = ?",
    )
    .bind(at.0)
    .bind(ERASED)
    .bind(format!("{session}/{class}"))
    .bind(session.0)
    .execute(connection)
    .await
    .map(drop)
}

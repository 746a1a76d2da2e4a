use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_store::{Error, TrialRow};

pub(super) async fn put(store: &SqliteStore, trial: &TrialRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let put = sqlx::query(
        "INSERT INTO trial (session, at, report) VALUES (?, ?, ?)
         ON CONFLICT (session) DO UPDATE SET at = excluded.at, report = excluded.report",
    )
    .bind(trial.session.0)
    .bind(trial.at.0)
    .bind(&trial.report)
    .execute(transaction.connection())
    .await
    .map(drop)
    .map_err(|error| constraint(error, &[]));
    transaction.end(put).await
}

pub(super) async fn of(store: &SqliteStore, session: SessionId) -> Result<Option<TrialRow>, Error> {
    sqlx::query("SELECT * FROM trial WHERE session = ?")
        .bind(session.0)
        .try_map(trial)
        .fetch_optional(&store.readers)
        .await
        .map_err(engine)
}

fn trial(row: SqliteRow) -> Result<TrialRow, sqlx::Error> {
    Ok(TrialRow {
        session: SessionId(row.try_get("session")?),
        at: At(row.try_get("at")?),
        report: row.try_get("report")?,
    })
}

use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{at, first, without_nul};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::SessionId;
use synaq_store::{Error, TrialRow};

pub(super) async fn put(store: &PostgresStore, trial: &TrialRow) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO trial (session, at, report) VALUES ($1, $2, $3)
         ON CONFLICT (session) DO UPDATE SET at = excluded.at, report = excluded.report",
    )
    .bind(trial.session.0)
    .bind(trial.at.0)
    .bind(without_nul(trial.report.clone()));
    store.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn of(store: &PostgresStore, session: SessionId) -> Result<Option<TrialRow>, Error> {
    let query = sqlx::query("SELECT * FROM trial WHERE session = $1").bind(session.0);
    first(store.rows.rows(query).await?, trial).map_err(engine)
}

fn trial(row: &PgRow) -> sqlx::Result<TrialRow> {
    Ok(TrialRow {
        session: SessionId(row.try_get("session")?),
        at: at(row, "at")?,
        report: row.try_get("report")?,
    })
}

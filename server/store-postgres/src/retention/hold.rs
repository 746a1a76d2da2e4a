use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, at, one, without_nul};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{CentreId, SessionId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Ground, HoldRow, Lifted};

const UNIQUE: &[(&str, &str)] = &[("hold_open", "hold")];

pub(super) async fn place(store: &PostgresStore, centre: CentreId, hold: &HoldRow) -> Result<(), Error> {
    // The candidate's row is the lock between a hold and an erasure. What has its key yet stays.
    let query = sqlx::query(
        "WITH own AS MATERIALIZED (SELECT session FROM candidate WHERE session = $1 AND centre = $2 FOR UPDATE),
         placed AS (INSERT INTO hold (session, ground, reason, placed_at, placed_by)
             SELECT session, $3, $4, $5, $6 FROM own RETURNING session),
         stays AS (DELETE FROM erasure WHERE destroyed_at IS NULL AND session IN (SELECT session FROM placed))
         SELECT session FROM placed",
    )
    .bind(hold.session.0)
    .bind(centre.0)
    .bind(hold.ground.as_str())
    .bind(without_nul(hold.reason.clone()))
    .bind(hold.placed_at.0)
    .bind(hold.placed_by.0);
    let rows = store.rows.rows(query).await;
    let rows = rows.map_err(|refusal| refusal.or(|error| constraint(error, UNIQUE)))?;
    one(rows, |_| Ok(())).map_err(engine)
}

pub(super) async fn lift(
    store: &PostgresStore,
    centre: CentreId,
    session: SessionId,
    lifted: &Lifted,
) -> Result<(), Error> {
    let query = sqlx::query(
        "UPDATE hold SET lifted_at = $1, lifted_by = $2, lift_note = $3 WHERE session = $4 AND lifted_at IS NULL
             AND EXISTS (SELECT FROM candidate AS c WHERE c.session = hold.session AND c.centre = $5)",
    )
    .bind(lifted.at.0)
    .bind(lifted.by.0)
    .bind(without_nul(lifted.note.clone()))
    .bind(session.0)
    .bind(centre.0);
    let changed = store.rows.execute(query).await;
    match changed.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

pub(super) async fn of(store: &PostgresStore, session: SessionId) -> Result<Vec<HoldRow>, Error> {
    let query = sqlx::query("SELECT * FROM hold WHERE session = $1 ORDER BY id").bind(session.0);
    all(store.rows.rows(query).await?, hold).map_err(engine)
}

fn hold(row: &PgRow) -> sqlx::Result<HoldRow> {
    let ground: &str = row.try_get("ground")?;
    let ground = Ground::ALL.into_iter().find(|known| known.as_str() == ground);
    let lifted = match row.try_get::<Option<i64>, _>("lifted_at")? {
        None => None,
        Some(at) => Some(Lifted {
            at: At(at),
            by: StaffId(row.try_get("lifted_by")?),
            note: row.try_get("lift_note")?,
        }),
    };
    Ok(HoldRow {
        session: SessionId(row.try_get("session")?),
        ground: ground.ok_or_else(|| sqlx::Error::Decode("an unknown ground of a hold".into()))?,
        reason: row.try_get("reason")?,
        placed_at: at(row, "placed_at")?,
        placed_by: StaffId(row.try_get("placed_by")?),
        lifted,
    })
}

use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, SessionId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Ground, HoldRow, Lifted};

const UNIQUE: &[(&str, &str)] = &[("hold.session", "hold")];

pub(super) async fn place(store: &SqliteStore, centre: CentreId, hold: &HoldRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let placed = insert(transaction.connection(), centre, hold).await;
    transaction.end(placed.map_err(|error| constraint(error, UNIQUE))).await
}

async fn insert(
    connection: &mut SqliteConnection,
    centre: CentreId,
    hold: &HoldRow,
) -> Result<(), sqlx::Error> {
    let inserted = sqlx::query(
        "INSERT INTO hold (session, ground, reason, placed_at, placed_by)
         SELECT session, ?, ?, ?, ? FROM candidate WHERE session = ? AND centre = ?",
    )
    .bind(hold.ground.as_str())
    .bind(&hold.reason)
    .bind(hold.placed_at.0)
    .bind(hold.placed_by.0)
    .bind(hold.session.0)
    .bind(centre.0)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(sqlx::Error::RowNotFound);
    }
    // What has its key yet stays.
    sqlx::query("DELETE FROM erasure WHERE session = ? AND destroyed_at IS NULL")
        .bind(hold.session.0)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn lift(
    store: &SqliteStore,
    centre: CentreId,
    session: SessionId,
    lifted: &Lifted,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let updated = sqlx::query(
        "UPDATE hold SET lifted_at = ?, lifted_by = ?, lift_note = ? WHERE session = ? AND lifted_at IS NULL
             AND EXISTS (SELECT 1 FROM candidate AS c WHERE c.session = hold.session AND c.centre = ?)",
    )
    .bind(lifted.at.0)
    .bind(lifted.by.0)
    .bind(&lifted.note)
    .bind(session.0)
    .bind(centre.0)
    .execute(transaction.connection())
    .await;
    let updated = updated
        .map_err(|error| constraint(error, &[]))
        .and_then(|done| if done.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) });
    transaction.end(updated).await
}

pub(super) async fn of(store: &SqliteStore, session: SessionId) -> Result<Vec<HoldRow>, Error> {
    sqlx::query("SELECT * FROM hold WHERE session = ? ORDER BY id")
        .bind(session.0)
        .try_map(hold)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

fn hold(row: SqliteRow) -> Result<HoldRow, sqlx::Error> {
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
        placed_at: At(row.try_get("placed_at")?),
        placed_by: StaffId(row.try_get("placed_by")?),
        lifted,
    })
}

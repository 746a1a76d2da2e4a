use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, at};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::{CentreId, SittingId, StaffId};
use synaq_store::{Error, ShiftNote};

pub(super) async fn add(store: &PostgresStore, note: &ShiftNote) -> Result<(), Error> {
    let query =
        sqlx::query("INSERT INTO shift_note (centre, sitting, staff, at, text) VALUES ($1, $2, $3, $4, $5)")
            .bind(note.centre.0)
            .bind(note.sitting.0)
            .bind(note.staff.0)
            .bind(note.at.0)
            .bind(&note.text);
    store.rows.execute(query).await.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn of(
    store: &PostgresStore,
    centre: CentreId,
    sitting: SittingId,
    limit: u32,
) -> Result<Vec<ShiftNote>, Error> {
    let query =
        sqlx::query("SELECT * FROM shift_note WHERE centre = $1 AND sitting = $2 ORDER BY id DESC LIMIT $3")
            .bind(centre.0)
            .bind(sitting.0)
            .bind(i64::from(limit));
    all(store.rows.rows(query).await?, note).map_err(engine)
}

fn note(row: &PgRow) -> sqlx::Result<ShiftNote> {
    Ok(ShiftNote {
        centre: CentreId(row.try_get("centre")?),
        sitting: SittingId(row.try_get("sitting")?),
        staff: StaffId(row.try_get("staff")?),
        at: at(row, "at")?,
        text: row.try_get("text")?,
    })
}

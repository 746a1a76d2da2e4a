use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, NewProfile, ProfileRow};

pub(super) async fn of(store: &SqliteStore, centre: CentreId) -> Result<Option<ProfileRow>, Error> {
    sqlx::query("SELECT * FROM centre_profile WHERE centre = ?")
        .bind(centre.0)
        .try_map(|row: SqliteRow| {
            Ok(ProfileRow {
                revision: row.try_get::<i64, _>("revision")?.unsigned_abs(),
                body: row.try_get("body")?,
                saved_at: At(row.try_get("saved_at")?),
                saved_by: StaffId(row.try_get("saved_by")?),
            })
        })
        .fetch_optional(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn save(store: &SqliteStore, centre: CentreId, profile: &NewProfile) -> Result<u64, Error> {
    let mut transaction = store.begin().await?;
    let saved = write(transaction.connection(), centre, profile).await;
    transaction.end(saved).await
}

async fn write(
    connection: &mut SqliteConnection,
    centre: CentreId,
    profile: &NewProfile,
) -> Result<u64, Error> {
    let stored: Option<i64> = sqlx::query_scalar("SELECT revision FROM centre_profile WHERE centre = ?")
        .bind(centre.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(engine)?;
    let stored = stored.unwrap_or(0);
    if stored.unsigned_abs() != profile.after {
        return Err(Error::Taken("profile"));
    }
    let named = sqlx::query("UPDATE centre SET name_kk = ?, name_ru = ? WHERE id = ?")
        .bind(&profile.name_kk)
        .bind(&profile.name_ru)
        .bind(centre.0)
        .execute(&mut *connection)
        .await
        .map_err(engine)?;
    if named.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query(
        "INSERT INTO centre_profile (centre, revision, body, saved_at, saved_by) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (centre) DO UPDATE SET revision = excluded.revision, body = excluded.body,
             saved_at = excluded.saved_at, saved_by = excluded.saved_by",
    )
    .bind(centre.0)
    .bind(stored + 1)
    .bind(&profile.body)
    .bind(profile.at.0)
    .bind(profile.by.0)
    .execute(connection)
    .await
    .map_err(|error| constraint(error, &[]))?;
    Ok((stored + 1).unsigned_abs())
}

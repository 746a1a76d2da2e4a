use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{at, first, number, without_nul};
use sqlx::Row as _;
use synaq_core::ids::{CentreId, StaffId};
use synaq_store::{Error, NewProfile, ProfileRow};

pub(super) async fn of(store: &PostgresStore, centre: CentreId) -> Result<Option<ProfileRow>, Error> {
    let query = sqlx::query("SELECT * FROM centre_profile WHERE centre = $1").bind(centre.0);
    first(store.rows.rows(query).await?, |row| {
        Ok(ProfileRow {
            revision: number(row, "revision")?,
            body: row.try_get("body")?,
            saved_at: at(row, "saved_at")?,
            saved_by: StaffId(row.try_get("saved_by")?),
        })
    })
    .map_err(engine)
}

pub(super) async fn save(
    store: &PostgresStore,
    centre: CentreId,
    profile: &NewProfile,
) -> Result<u64, Error> {
    // The first one is an insert that another first one loses against, every later one an update of the revision seen.
    let write = if profile.after == 0 {
        "WITH saved AS (INSERT INTO centre_profile (centre, revision, body, saved_at, saved_by)
                 SELECT id, $2 + 1, $3, $4, $5 FROM centre WHERE id = $1
             ON CONFLICT (centre) DO NOTHING RETURNING centre, revision)"
    } else {
        "WITH saved AS (UPDATE centre_profile SET revision = $2 + 1, body = $3, saved_at = $4, saved_by = $5
             WHERE centre = $1 AND revision = $2 RETURNING centre, revision)"
    };
    let text = format!(
        "{write}, named AS (UPDATE centre SET name_kk = $6, name_ru = $7 WHERE id IN (SELECT centre FROM saved))
         SELECT revision FROM saved"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(centre.0)
        .bind(i64::try_from(profile.after).unwrap_or(i64::MAX - 1))
        .bind(without_nul(profile.body.clone()))
        .bind(profile.at.0)
        .bind(profile.by.0)
        .bind(without_nul(profile.name_kk.clone()))
        .bind(without_nul(profile.name_ru.clone()));
    let rows = store.rows.rows(query).await;
    let rows = rows.map_err(|refusal| refusal.or(|error| constraint(error, &[])))?;
    let saved = first(rows, |row| number(row, "revision")).map_err(engine)?;
    match saved {
        Some(revision) => Ok(revision),
        None => {
            let known =
                store.rows.rows(sqlx::query("SELECT FROM centre WHERE id = $1").bind(centre.0)).await?;
            Err(if known.is_empty() { Error::NotFound } else { Error::Taken("profile") })
        }
    }
}

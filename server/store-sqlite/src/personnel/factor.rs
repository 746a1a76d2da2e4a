use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, FactorRow, Role};

pub(super) async fn rule(store: &SqliteStore, centre: CentreId) -> Result<Vec<Role>, Error> {
    let words: Vec<String> = sqlx::query_scalar("SELECT role FROM second_factor_rule WHERE centre = ?")
        .bind(centre.0)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)?;
    Ok(Role::ALL.into_iter().filter(|role| words.iter().any(|word| word == role.as_str())).collect())
}

pub(super) async fn set_rule(
    store: &SqliteStore,
    centre: CentreId,
    role: Role,
    needed: bool,
) -> Result<(), Error> {
    let query = if needed {
        "INSERT INTO second_factor_rule (centre, role) VALUES (?, ?) ON CONFLICT (centre, role) DO NOTHING"
    } else {
        "DELETE FROM second_factor_rule WHERE centre = ? AND role = ?"
    };
    change(store, sqlx::query(query).bind(centre.0).bind(role.as_str())).await.map(drop)
}

pub(super) async fn due(store: &SqliteStore, staff: StaffId) -> Result<bool, Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM staff AS s JOIN staff_role AS r ON r.staff = s.id
                 JOIN second_factor_rule AS f ON f.centre = s.centre AND f.role = r.role WHERE s.id = ?1)
             AND NOT EXISTS (SELECT 1 FROM second_factor WHERE staff = ?1 AND confirmed_at IS NOT NULL)",
    )
    .bind(staff.0)
    .fetch_one(&store.readers)
    .await
    .map_err(engine)
}

pub(super) async fn of(store: &SqliteStore, staff: StaffId) -> Result<Option<FactorRow>, Error> {
    sqlx::query(
        "SELECT f.*, (SELECT count(*) FROM recovery_code AS c WHERE c.staff = f.staff AND c.used_at IS NULL) AS left
         FROM second_factor AS f WHERE f.staff = ?",
    )
    .bind(staff.0)
    .try_map(|row: SqliteRow| {
        Ok(FactorRow {
            sealed: row.try_get("sealed")?,
            confirmed_at: row.try_get::<Option<i64>, _>("confirmed_at")?.map(At),
            codes_left: row.try_get("left")?,
        })
    })
    .fetch_optional(&store.readers)
    .await
    .map_err(engine)
}

/// A change of a few rows that says whether it changed any.
async fn change(
    store: &SqliteStore,
    query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
) -> Result<bool, Error> {
    let mut transaction = store.begin().await?;
    let changed = query.execute(transaction.connection()).await;
    let changed = changed.map(|done| done.rows_affected() > 0).map_err(|error| constraint(error, &[]));
    transaction.end(changed).await
}

pub(super) async fn offer(store: &SqliteStore, staff: StaffId, sealed: &[u8]) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO second_factor (staff, sealed) VALUES (?, ?)
         ON CONFLICT (staff) DO UPDATE SET sealed = excluded.sealed WHERE confirmed_at IS NULL",
    );
    match change(store, query.bind(staff.0).bind(sealed)).await? {
        true => Ok(()),
        false => Err(Error::Taken("second factor")),
    }
}

pub(super) async fn confirm(
    store: &SqliteStore,
    staff: StaffId,
    step: u64,
    at: At,
    codes: &[[u8; 32]],
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let confirmed = write_confirmed(transaction.connection(), staff, step, at, codes).await;
    transaction.end(confirmed.map_err(engine)).await
}

async fn write_confirmed(
    connection: &mut SqliteConnection,
    staff: StaffId,
    step: u64,
    at: At,
    codes: &[[u8; 32]],
) -> Result<(), sqlx::Error> {
    let confirmed = sqlx::query(
        "UPDATE second_factor SET confirmed_at = ?, last_step = ? WHERE staff = ? AND confirmed_at IS NULL",
    )
    .bind(at.0)
    .bind(i64::try_from(step).unwrap_or(i64::MAX))
    .bind(staff.0)
    .execute(&mut *connection)
    .await?;
    if confirmed.rows_affected() == 0 {
        return Err(sqlx::Error::RowNotFound);
    }
    for code in codes {
        sqlx::query("INSERT INTO recovery_code (staff, code_hash) VALUES (?, ?)")
            .bind(staff.0)
            .bind(code.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn use_step(store: &SqliteStore, staff: StaffId, step: u64) -> Result<bool, Error> {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let query = sqlx::query(
        "UPDATE second_factor SET last_step = ?1 WHERE staff = ?2 AND confirmed_at IS NOT NULL AND last_step < ?1",
    );
    change(store, query.bind(step).bind(staff.0)).await
}

pub(super) async fn use_recovery_code(
    store: &SqliteStore,
    staff: StaffId,
    code: [u8; 32],
    at: At,
) -> Result<bool, Error> {
    let query = sqlx::query(
        "UPDATE recovery_code SET used_at = ? WHERE staff = ? AND code_hash = ? AND used_at IS NULL",
    );
    change(store, query.bind(at.0).bind(staff.0).bind(code.to_vec())).await
}

pub(super) async fn remove(store: &SqliteStore, staff: StaffId) -> Result<(), Error> {
    let query = sqlx::query("DELETE FROM second_factor WHERE staff = ?");
    change(store, query.bind(staff.0)).await.map(drop)
}

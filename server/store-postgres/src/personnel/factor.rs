use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, first, number, one};
use sqlx::Row as _;
use sqlx::postgres::PgArguments;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, FactorRow, Role};

pub(super) async fn rule(store: &PostgresStore, centre: CentreId) -> Result<Vec<Role>, Error> {
    let query = sqlx::query("SELECT role FROM second_factor_rule WHERE centre = $1").bind(centre.0);
    let words: Vec<String> = all(store.rows.rows(query).await?, |row| row.try_get("role")).map_err(engine)?;
    Ok(Role::ALL.into_iter().filter(|role| words.iter().any(|word| word == role.as_str())).collect())
}

pub(super) async fn set_rule(
    store: &PostgresStore,
    centre: CentreId,
    role: Role,
    needed: bool,
) -> Result<(), Error> {
    let query = if needed {
        "INSERT INTO second_factor_rule (centre, role) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM second_factor_rule WHERE centre = $1 AND role = $2"
    };
    let set = store.rows.execute(sqlx::query(query).bind(centre.0).bind(role.as_str())).await;
    set.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &[])))
}

pub(super) async fn due(store: &PostgresStore, staff: StaffId) -> Result<bool, Error> {
    let query = sqlx::query(
        "SELECT EXISTS (SELECT FROM staff AS s JOIN staff_role AS r ON r.staff = s.id
                 JOIN second_factor_rule AS f ON f.centre = s.centre AND f.role = r.role WHERE s.id = $1)
             AND NOT EXISTS (SELECT FROM second_factor WHERE staff = $1 AND confirmed_at IS NOT NULL) AS due",
    );
    one(store.rows.rows(query.bind(staff.0)).await?, |row| row.try_get("due")).map_err(engine)
}

pub(super) async fn of(store: &PostgresStore, staff: StaffId) -> Result<Option<FactorRow>, Error> {
    let query = sqlx::query(
        "SELECT f.*, (SELECT count(*) FROM recovery_code AS c WHERE c.staff = f.staff AND c.used_at IS NULL) AS unused
         FROM second_factor AS f WHERE f.staff = $1",
    );
    first(store.rows.rows(query.bind(staff.0)).await?, |row| {
        Ok(FactorRow {
            sealed: row.try_get("sealed")?,
            confirmed_at: row.try_get::<Option<i64>, _>("confirmed_at")?.map(At),
            codes_left: number(row, "unused")?,
        })
    })
    .map_err(engine)
}

/// A change that says whether it changed any row.
async fn change(
    store: &PostgresStore,
    query: sqlx::query::Query<'_, sqlx::Postgres, PgArguments>,
) -> Result<bool, Error> {
    let changed = store.rows.execute(query).await;
    Ok(changed.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? > 0)
}

pub(super) async fn offer(store: &PostgresStore, staff: StaffId, sealed: &[u8]) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO second_factor AS kept (staff, sealed) VALUES ($1, $2)
         ON CONFLICT (staff) DO UPDATE SET sealed = excluded.sealed WHERE kept.confirmed_at IS NULL",
    );
    match change(store, query.bind(staff.0).bind(sealed)).await? {
        true => Ok(()),
        false => Err(Error::Taken("second factor")),
    }
}

pub(super) async fn confirm(
    store: &PostgresStore,
    staff: StaffId,
    step: u64,
    at: At,
    codes: &[[u8; 32]],
) -> Result<(), Error> {
    let query = sqlx::query(
        "WITH confirmed AS (UPDATE second_factor SET confirmed_at = $2, last_step = $3
                 WHERE staff = $1 AND confirmed_at IS NULL RETURNING staff),
         codes AS (INSERT INTO recovery_code (staff, code_hash)
                 SELECT staff, code FROM confirmed, unnest($4::bytea[]) AS code)
         SELECT staff FROM confirmed",
    );
    let codes: Vec<&[u8]> = codes.iter().map(<[u8; 32]>::as_slice).collect();
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let rows = store.rows.rows(query.bind(staff.0).bind(at.0).bind(step).bind(codes)).await?;
    one(rows, |_| Ok(())).map_err(engine)
}

pub(super) async fn use_step(store: &PostgresStore, staff: StaffId, step: u64) -> Result<bool, Error> {
    let query = sqlx::query(
        "UPDATE second_factor SET last_step = $2 WHERE staff = $1 AND confirmed_at IS NOT NULL AND last_step < $2",
    );
    change(store, query.bind(staff.0).bind(i64::try_from(step).unwrap_or(i64::MAX))).await
}

pub(super) async fn use_recovery_code(
    store: &PostgresStore,
    staff: StaffId,
    code: [u8; 32],
    at: At,
) -> Result<bool, Error> {
    let query = sqlx::query(
        "UPDATE recovery_code SET used_at = $3 WHERE staff = $1 AND code_hash = $2 AND used_at IS NULL",
    );
    change(store, query.bind(staff.0).bind(code.to_vec()).bind(at.0)).await
}

pub(super) async fn remove(store: &PostgresStore, staff: StaffId) -> Result<(), Error> {
    let query = sqlx::query("DELETE FROM second_factor WHERE staff = $1");
    change(store, query.bind(staff.0)).await.map(drop)
}

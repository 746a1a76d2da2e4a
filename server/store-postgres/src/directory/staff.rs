use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, first, one as only};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Role, StaffRow, StaffSession};

/// A person with roles in one column; the caller adds WHERE.
macro_rules! select_staff {
    ($rest:literal) => {
        concat!(
            "SELECT s.*, ARRAY(SELECT role FROM staff_role AS r WHERE r.staff = s.id) AS roles FROM staff AS s ",
            $rest
        )
    };
}

pub(super) async fn add(store: &PostgresStore, staff: &StaffRow) -> Result<(), Error> {
    let roles: Vec<&str> =
        Role::ALL.into_iter().filter(|role| staff.roles.contains(role)).map(Role::as_str).collect();
    let query = sqlx::query(
        "WITH new AS (INSERT INTO staff (id, centre, login, name, mail, password_hash, disabled)
             VALUES ($1, $2, $3, $4, $5, $6, $7))
         INSERT INTO staff_role (staff, role) SELECT $1, role FROM unnest($8::text[]) AS role",
    )
    .bind(staff.id.0)
    .bind(staff.centre.0)
    .bind(&staff.login)
    .bind(&staff.name)
    .bind(&staff.mail)
    .bind(&staff.password_hash)
    .bind(staff.disabled)
    .bind(roles);
    let unique = [("staff_login_key", "login")];
    store
        .rows
        .execute(query)
        .await
        .map(drop)
        .map_err(|refusal| refusal.or(|error| constraint(error, &unique)))
}

pub(super) async fn by_login(store: &PostgresStore, login: &str) -> Result<Option<StaffRow>, Error> {
    // Anybody may try to sign in as anything; PostgreSQL takes no such text, and nobody has it for a login.
    if login.contains('\0') {
        return Ok(None);
    }
    let query = sqlx::query(select_staff!("WHERE s.login = $1")).bind(login);
    first(store.rows.rows(query).await?, staff).map_err(engine)
}

pub(super) async fn one(store: &PostgresStore, id: StaffId) -> Result<StaffRow, Error> {
    let query = sqlx::query(select_staff!("WHERE s.id = $1")).bind(id.0);
    only(store.rows.rows(query).await?, staff).map_err(engine)
}

/// Within a transaction.
pub(crate) async fn within(connection: &mut PgConnection, id: StaffId) -> sqlx::Result<StaffRow> {
    let query = sqlx::query(select_staff!("WHERE s.id = $1")).bind(id.0);
    staff(&query.fetch_one(connection).await?)
}

pub(super) async fn of(store: &PostgresStore, centre: CentreId) -> Result<Vec<StaffRow>, Error> {
    let query = sqlx::query(select_staff!("WHERE s.centre = $1 ORDER BY s.login")).bind(centre.0);
    all(store.rows.rows(query).await?, staff).map_err(engine)
}

pub(super) async fn set_password(store: &PostgresStore, id: StaffId, hash: &str) -> Result<(), Error> {
    let query = sqlx::query(
        "WITH person AS (UPDATE staff SET password_hash = $2 WHERE id = $1 RETURNING id),
         ended AS (DELETE FROM staff_session WHERE staff IN (SELECT id FROM person))
         SELECT id FROM person",
    );
    only(store.rows.rows(query.bind(id.0).bind(hash)).await?, |_| Ok(())).map_err(engine)
}

pub(super) async fn add_setup_token(
    store: &PostgresStore,
    token_hash: [u8; 32],
    staff: StaffId,
    expires_at: At,
) -> Result<(), Error> {
    let query = sqlx::query("INSERT INTO setup_token (token_hash, staff, expires_at) VALUES ($1, $2, $3)")
        .bind(token_hash.as_slice())
        .bind(staff.0)
        .bind(expires_at.0);
    let unique = [("setup_token_pkey", "set-up token")];
    store
        .rows
        .execute(query)
        .await
        .map(drop)
        .map_err(|refusal| refusal.or(|error| constraint(error, &unique)))
}

pub(super) async fn take_setup_token(
    store: &PostgresStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffId>, Error> {
    let query =
        sqlx::query("DELETE FROM setup_token WHERE token_hash = $1 AND expires_at > $2 RETURNING staff");
    let rows = store.rows.rows(query.bind(token_hash.as_slice()).bind(now.0)).await?;
    first(rows, |row| row.try_get("staff").map(StaffId)).map_err(engine)
}

pub(super) async fn peek_setup_token(
    store: &PostgresStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffId>, Error> {
    let query = sqlx::query("SELECT staff FROM setup_token WHERE token_hash = $1 AND expires_at > $2");
    let rows = store.rows.rows(query.bind(token_hash.as_slice()).bind(now.0)).await?;
    first(rows, |row| row.try_get("staff").map(StaffId)).map_err(engine)
}

/// The same cookie of the same person again renews it.
pub(super) async fn add_session(store: &PostgresStore, session: StaffSession) -> Result<(), Error> {
    let query = sqlx::query(
        "INSERT INTO staff_session AS kept (token_hash, staff, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at WHERE kept.staff = excluded.staff",
    )
    .bind(session.token_hash.as_slice())
    .bind(session.staff.0)
    .bind(session.expires_at.0);
    let stored = store.rows.execute(query).await;
    match stored.map_err(|refusal| refusal.or(|error| constraint(error, &[])))? {
        0 => Err(Error::Taken("session token")),
        _ => Ok(()),
    }
}

pub(super) async fn by_session(
    store: &PostgresStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffRow>, Error> {
    let query = sqlx::query(select_staff!(
        "JOIN staff_session AS t ON t.staff = s.id WHERE t.token_hash = $1 AND t.expires_at > $2 AND NOT s.disabled"
    ));
    let rows = store.rows.rows(query.bind(token_hash.as_slice()).bind(now.0)).await?;
    first(rows, staff).map_err(engine)
}

pub(super) async fn end_session(store: &PostgresStore, token_hash: [u8; 32]) -> Result<(), Error> {
    let query = sqlx::query("DELETE FROM staff_session WHERE token_hash = $1").bind(token_hash.as_slice());
    Ok(store.rows.execute(query).await.map(drop)?)
}

pub(super) async fn purge_expired(store: &PostgresStore, now: At) -> Result<u64, Error> {
    let query = sqlx::query(
        "WITH token AS (DELETE FROM setup_token WHERE expires_at <= $1 RETURNING 1),
         session AS (DELETE FROM staff_session WHERE expires_at <= $1 RETURNING 1)
         SELECT (SELECT count(*) FROM token) + (SELECT count(*) FROM session) AS purged",
    );
    let rows = store.rows.rows(query.bind(now.0)).await?;
    only(rows, |row| row.try_get::<i64, _>("purged").map(i64::unsigned_abs)).map_err(engine)
}

pub(crate) fn staff(row: &PgRow) -> sqlx::Result<StaffRow> {
    let roles: Vec<String> = row.try_get("roles")?;
    Ok(StaffRow {
        id: StaffId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        mail: row.try_get("mail")?,
        // The schema knows the same words.
        roles: Role::ALL.into_iter().filter(|role| roles.iter().any(|r| r == role.as_str())).collect(),
        password_hash: row.try_get("password_hash")?,
        disabled: row.try_get("disabled")?,
    })
}

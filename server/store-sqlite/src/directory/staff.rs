use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqliteExecutor};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Role, StaffRow, StaffSession};

/// A person with roles in one column; the caller adds WHERE.
macro_rules! select_staff {
    ($rest:literal) => {
        concat!(
            "SELECT s.*, (SELECT group_concat(role) FROM staff_role AS r WHERE r.staff = s.id) AS roles
             FROM staff AS s ",
            $rest
        )
    };
}

pub(super) async fn add(store: &SqliteStore, staff: &StaffRow) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = insert(transaction.connection(), staff)
        .await
        .map_err(|error| constraint(error, &[("staff.login", "login")]));
    transaction.end(added).await
}

async fn insert(connection: &mut SqliteConnection, staff: &StaffRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO staff (id, centre, login, name, mail, password_hash, disabled) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(staff.id.0)
    .bind(staff.centre.0)
    .bind(&staff.login)
    .bind(&staff.name)
    .bind(&staff.mail)
    .bind(&staff.password_hash)
    .bind(staff.disabled)
    .execute(&mut *connection)
    .await?;
    for role in Role::ALL.into_iter().filter(|role| staff.roles.contains(role)) {
        sqlx::query("INSERT INTO staff_role (staff, role) VALUES (?, ?)")
            .bind(staff.id.0)
            .bind(role.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn by_login(store: &SqliteStore, login: &str) -> Result<Option<StaffRow>, Error> {
    sqlx::query(select_staff!("WHERE s.login = ?"))
        .bind(login)
        .try_map(staff)
        .fetch_optional(&store.readers)
        .await
        .map_err(engine)
}

pub(crate) async fn one<'e>(by: impl SqliteExecutor<'e>, id: StaffId) -> Result<StaffRow, Error> {
    sqlx::query(select_staff!("WHERE s.id = ?")).bind(id.0).try_map(staff).fetch_one(by).await.map_err(engine)
}

pub(super) async fn of(store: &SqliteStore, centre: CentreId) -> Result<Vec<StaffRow>, Error> {
    sqlx::query(select_staff!("WHERE s.centre = ? ORDER BY s.login"))
        .bind(centre.0)
        .try_map(staff)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn set_password(store: &SqliteStore, id: StaffId, hash: &str) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let set = replace_password(transaction.connection(), id, hash).await.map_err(engine);
    transaction.end(set).await
}

async fn replace_password(
    connection: &mut SqliteConnection,
    id: StaffId,
    hash: &str,
) -> Result<(), sqlx::Error> {
    let updated = sqlx::query("UPDATE staff SET password_hash = ? WHERE id = ?")
        .bind(hash)
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    if updated.rows_affected() == 0 {
        return Err(sqlx::Error::RowNotFound);
    }
    sqlx::query("DELETE FROM staff_session WHERE staff = ?").bind(id.0).execute(connection).await?;
    Ok(())
}

pub(super) async fn add_setup_token(
    store: &SqliteStore,
    token_hash: [u8; 32],
    staff: StaffId,
    expires_at: At,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query("INSERT INTO setup_token (token_hash, staff, expires_at) VALUES (?, ?, ?)")
        .bind(token_hash.as_slice())
        .bind(staff.0)
        .bind(expires_at.0)
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(|error| constraint(error, &[("setup_token.token_hash", "set-up token")]));
    transaction.end(added).await
}

pub(super) async fn take_setup_token(
    store: &SqliteStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffId>, Error> {
    let mut transaction = store.begin().await?;
    let taken =
        sqlx::query_scalar("DELETE FROM setup_token WHERE token_hash = ? AND expires_at > ? RETURNING staff")
            .bind(token_hash.as_slice())
            .bind(now.0)
            .fetch_optional(transaction.connection())
            .await
            .map(|staff| staff.map(StaffId))
            .map_err(engine);
    transaction.end(taken).await
}

pub(super) async fn peek_setup_token(
    store: &SqliteStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffId>, Error> {
    sqlx::query_scalar("SELECT staff FROM setup_token WHERE token_hash = ? AND expires_at > ?")
        .bind(token_hash.as_slice())
        .bind(now.0)
        .fetch_optional(&store.readers)
        .await
        .map(|staff| staff.map(StaffId))
        .map_err(engine)
}

/// The same cookie of the same person again renews it.
pub(super) async fn add_session(store: &SqliteStore, session: StaffSession) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let added = sqlx::query(
        "INSERT INTO staff_session (token_hash, staff, expires_at) VALUES (?, ?, ?)
         ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at WHERE staff = excluded.staff",
    )
    .bind(session.token_hash.as_slice())
    .bind(session.staff.0)
    .bind(session.expires_at.0)
    .execute(transaction.connection())
    .await
    .map_err(|error| constraint(error, &[]))
    .and_then(|stored| match stored.rows_affected() {
        0 => Err(Error::Taken("session token")),
        _ => Ok(()),
    });
    transaction.end(added).await
}

pub(super) async fn by_session(
    store: &SqliteStore,
    token_hash: [u8; 32],
    now: At,
) -> Result<Option<StaffRow>, Error> {
    sqlx::query(select_staff!(
        "JOIN staff_session AS t ON t.staff = s.id WHERE t.token_hash = ? AND t.expires_at > ? AND s.disabled = 0"
    ))
    .bind(token_hash.as_slice())
    .bind(now.0)
    .try_map(staff)
    .fetch_optional(&store.readers)
    .await
    .map_err(engine)
}

pub(super) async fn end_session(store: &SqliteStore, token_hash: [u8; 32]) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let ended = sqlx::query("DELETE FROM staff_session WHERE token_hash = ?")
        .bind(token_hash.as_slice())
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(engine);
    transaction.end(ended).await
}

pub(super) async fn purge_expired(store: &SqliteStore, now: At) -> Result<u64, Error> {
    let mut transaction = store.begin().await?;
    let purged = delete_expired(transaction.connection(), now).await.map_err(engine);
    transaction.end(purged).await
}

async fn delete_expired(connection: &mut SqliteConnection, now: At) -> Result<u64, sqlx::Error> {
    let mut purged = 0;
    for delete in
        ["DELETE FROM setup_token WHERE expires_at <= ?", "DELETE FROM staff_session WHERE expires_at <= ?"]
    {
        purged += sqlx::query(delete).bind(now.0).execute(&mut *connection).await?.rows_affected();
    }
    Ok(purged)
}

pub(crate) fn staff(row: SqliteRow) -> Result<StaffRow, sqlx::Error> {
    let roles: Option<String> = row.try_get("roles")?;
    let roles = roles.as_deref().unwrap_or_default();
    Ok(StaffRow {
        id: StaffId(row.try_get("id")?),
        centre: CentreId(row.try_get("centre")?),
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        mail: row.try_get("mail")?,
        // The schema knows the same words.
        roles: Role::ALL.into_iter().filter(|role| roles.split(',').any(|r| r == role.as_str())).collect(),
        password_hash: row.try_get("password_hash")?,
        disabled: row.try_get("disabled")?,
    })
}

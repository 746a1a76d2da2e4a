use crate::directory::{one_of_staff, staff_of_row};
use crate::error::{constraint, engine};
use crate::event_log::digest;
use crate::open::SqliteStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Member, Role, StaffEdit};

/// Of whom the audit log says when they came in last.
const SIGNED_IN: &str = "signed_in";

pub(super) async fn all(store: &SqliteStore, centre: CentreId) -> Result<Vec<Member>, Error> {
    sqlx::query(
        "SELECT s.*, (SELECT group_concat(role) FROM staff_role AS r WHERE r.staff = s.id) AS roles,
                (SELECT max(expires_at) FROM setup_token AS t WHERE t.staff = s.id) AS link_until,
                EXISTS (SELECT 1 FROM second_factor AS f WHERE f.staff = s.id AND f.confirmed_at IS NOT NULL)
                    AS second_factor,
                (SELECT max(at) FROM audit AS a WHERE a.centre = s.centre AND a.staff = s.id AND a.action = ?)
                    AS signed_in_at
         FROM staff AS s WHERE s.centre = ? ORDER BY s.login",
    )
    .bind(SIGNED_IN)
    .bind(centre.0)
    .try_map(|row: SqliteRow| {
        Ok(Member {
            link_until: row.try_get::<Option<i64>, _>("link_until")?.map(At),
            second_factor: row.try_get("second_factor")?,
            signed_in_at: row.try_get::<Option<i64>, _>("signed_in_at")?.map(At),
            staff: staff_of_row(row)?,
        })
    })
    .fetch_all(&store.readers)
    .await
    .map_err(engine)
}

pub(super) async fn edit(
    store: &SqliteStore,
    centre: CentreId,
    id: StaffId,
    was: &StaffEdit,
    edit: &StaffEdit,
) -> Result<Vec<[u8; 32]>, Error> {
    let mut transaction = store.begin().await?;
    let edited = write(transaction.connection(), centre, id, was, edit).await;
    transaction.end(edited).await
}

async fn write(
    connection: &mut SqliteConnection,
    centre: CentreId,
    id: StaffId,
    was: &StaffEdit,
    edit: &StaffEdit,
) -> Result<Vec<[u8; 32]>, Error> {
    let before = one_of_staff(&mut *connection, id).await?;
    if before.centre != centre {
        return Err(Error::NotFound);
    }
    if !was.is_of(&before) {
        return Err(Error::Changed);
    }
    let had_head = has_head(connection, centre).await?;
    sqlx::query("UPDATE staff SET name = ?, mail = ?, disabled = ? WHERE id = ?")
        .bind(&edit.name)
        .bind(&edit.mail)
        .bind(edit.disabled)
        .bind(id.0)
        .execute(&mut *connection)
        .await
        .map_err(engine)?;
    sqlx::query("DELETE FROM staff_role WHERE staff = ?")
        .bind(id.0)
        .execute(&mut *connection)
        .await
        .map_err(engine)?;
    for role in Role::ALL.into_iter().filter(|role| edit.roles.contains(role)) {
        sqlx::query("INSERT INTO staff_role (staff, role) VALUES (?, ?)")
            .bind(id.0)
            .bind(role.as_str())
            .execute(&mut *connection)
            .await
            .map_err(|error| constraint(error, &[]))?;
    }
    if had_head && !has_head(connection, centre).await? {
        return Err(Error::Taken("last head"));
    }
    if !edit.disabled && edit.keeps_roles(&before) {
        return Ok(Vec::new());
    }
    sqlx::query("DELETE FROM staff_session WHERE staff = ? RETURNING token_hash")
        .bind(id.0)
        .try_map(|row: SqliteRow| digest(&row, "token_hash").map(|digest| digest.0))
        .fetch_all(connection)
        .await
        .map_err(engine)
}

/// Somebody who can sign in manages the centre.
async fn has_head(connection: &mut SqliteConnection, centre: CentreId) -> Result<bool, Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM staff AS s JOIN staff_role AS r ON r.staff = s.id
             WHERE s.centre = ? AND r.role = ? AND s.disabled = 0 AND s.password_hash IS NOT NULL)",
    )
    .bind(centre.0)
    .bind(Role::Centre.as_str())
    .fetch_one(connection)
    .await
    .map_err(engine)
}

pub(super) async fn end_setup_tokens(store: &SqliteStore, staff: StaffId) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let ended = sqlx::query("DELETE FROM setup_token WHERE staff = ?")
        .bind(staff.0)
        .execute(transaction.connection())
        .await;
    transaction.end(ended.map(drop).map_err(engine)).await
}

use crate::directory::{staff_of_row, staff_within};
use crate::error::engine;
use crate::lanes::Refusal;
use crate::open::PostgresStore;
use crate::rows::{all, digest, without_nul};
use sqlx::{PgConnection, Row as _};
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{Error, Member, Role, StaffEdit};

/// Of whom the audit log says when they came in last.
const SIGNED_IN: &str = "signed_in";

pub(super) async fn members(store: &PostgresStore, centre: CentreId) -> Result<Vec<Member>, Error> {
    let query = sqlx::query(
        "SELECT s.*, ARRAY(SELECT role FROM staff_role AS r WHERE r.staff = s.id) AS roles,
             (SELECT max(expires_at) FROM setup_token AS t WHERE t.staff = s.id) AS link_until,
             EXISTS (SELECT FROM second_factor AS f WHERE f.staff = s.id AND f.confirmed_at IS NOT NULL)
                 AS second_factor,
             (SELECT max(at) FROM audit AS a WHERE a.centre = s.centre AND a.staff = s.id AND a.action = $2)
                 AS signed_in_at
         FROM staff AS s WHERE s.centre = $1 ORDER BY s.login",
    );
    let rows = store.rows.rows(query.bind(centre.0).bind(SIGNED_IN)).await?;
    all(rows, |row| {
        Ok(Member {
            staff: staff_of_row(row)?,
            link_until: row.try_get::<Option<i64>, _>("link_until")?.map(At),
            second_factor: row.try_get("second_factor")?,
            signed_in_at: row.try_get::<Option<i64>, _>("signed_in_at")?.map(At),
        })
    })
    .map_err(engine)
}

pub(super) async fn edit(
    store: &PostgresStore,
    centre: CentreId,
    id: StaffId,
    was: &StaffEdit,
    edit: &StaffEdit,
) -> Result<Vec<[u8; 32]>, Error> {
    let edited = store.rows.patiently(async {
        let mut lane = store.rows.lane().await?;
        match write(&mut lane.connection, centre, id, was, edit).await {
            Ok(Written::Done(ended)) => lane.end(Ok(Ok(ended))),
            // Closing the connection is the rollback.
            Ok(Written::Not(why)) => Ok(Err(why)),
            Err(error) => Err(Refusal::Engine(error)),
        }
    });
    edited.await?
}

enum Written {
    Done(Vec<[u8; 32]>),
    Not(Error),
}

async fn write(
    connection: &mut PgConnection,
    centre: CentreId,
    id: StaffId,
    was: &StaffEdit,
    edit: &StaffEdit,
) -> sqlx::Result<Written> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    // One change of a centre's staff at a time: two heads may not disable each other.
    sqlx::query("SELECT FROM centre WHERE id = $1 FOR NO KEY UPDATE")
        .bind(centre.0)
        .fetch_one(&mut *connection)
        .await?;
    let before = staff_within(connection, id).await?;
    if before.centre != centre {
        return Ok(Written::Not(Error::NotFound));
    }
    if !was.is_of(&before) {
        return Ok(Written::Not(Error::Changed));
    }
    let had_head = has_head(connection, centre).await?;
    sqlx::query("UPDATE staff SET name = $2, mail = $3, disabled = $4 WHERE id = $1")
        .bind(id.0)
        .bind(without_nul(edit.name.clone()))
        .bind(edit.mail.clone().map(without_nul))
        .bind(edit.disabled)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM staff_role WHERE staff = $1").bind(id.0).execute(&mut *connection).await?;
    let roles: Vec<&str> =
        Role::ALL.into_iter().filter(|role| edit.roles.contains(role)).map(Role::as_str).collect();
    sqlx::query("INSERT INTO staff_role (staff, role) SELECT $1, role FROM unnest($2::text[]) AS role")
        .bind(id.0)
        .bind(roles)
        .execute(&mut *connection)
        .await?;
    if had_head && !has_head(connection, centre).await? {
        return Ok(Written::Not(Error::Taken("last head")));
    }
    let mut ended = Vec::new();
    if edit.disabled || !edit.keeps_roles(&before) {
        let rows = sqlx::query("DELETE FROM staff_session WHERE staff = $1 RETURNING token_hash")
            .bind(id.0)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            ended.push(digest(row, "token_hash")?.0);
        }
    }
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(Written::Done(ended))
}

/// Somebody who can sign in manages the centre.
async fn has_head(connection: &mut PgConnection, centre: CentreId) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM staff AS s JOIN staff_role AS r ON r.staff = s.id
             WHERE s.centre = $1 AND r.role = $2 AND NOT s.disabled AND s.password_hash IS NOT NULL)",
    )
    .bind(centre.0)
    .bind(Role::Centre.as_str())
    .fetch_one(connection)
    .await
}

pub(super) async fn end_setup_tokens(store: &PostgresStore, staff: StaffId) -> Result<(), Error> {
    let query = sqlx::query("DELETE FROM setup_token WHERE staff = $1").bind(staff.0);
    Ok(store.rows.execute(query).await.map(drop)?)
}

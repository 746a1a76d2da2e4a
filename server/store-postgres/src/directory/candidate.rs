use super::sitting::ended;
use crate::error::{constraint, engine};
use crate::lanes::Refusal;
use crate::open::PostgresStore;
use crate::rows::{all, first, number, one as only, small};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use synaq_core::ids::{CentreId, SessionId, SittingId};
use synaq_core::session::Care;
use synaq_store::{
    CandidateMore, CandidateRow, CandidateStanding, Error, NewCandidate, Present, Why, fold, seated,
};

pub(super) async fn add(
    store: &PostgresStore,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, Error> {
    let added = store.rows.patiently(async {
        let mut lane = store.rows.lane().await?;
        let added = insert_new(&mut lane.connection, centre, sitting, candidates).await;
        if let Err(error) = added {
            // Closing the connection is the rollback.
            return Err(Refusal::Engine(error));
        }
        lane.end(added)
    });
    let taken = [("candidate_pkey", "session"), ("candidate_replaces", "attempt")];
    added.await.map_err(|refusal| refusal.or(|error| constraint(error, &taken)))?
}

async fn insert_new(
    connection: &mut PgConnection,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> sqlx::Result<Result<Vec<CandidateRow>, Error>> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    // The lock keeps a second upload out, which would give the same places.
    let locked = sqlx::query("SELECT * FROM sitting WHERE id = $1 AND centre = $2 FOR NO KEY UPDATE")
        .bind(sitting.0)
        .bind(centre.0)
        .fetch_one(&mut *connection)
        .await?;
    let present = sqlx::query(
        "SELECT identity, attempt, withdrawn_at IS NULL AND voided_at IS NULL AS counts
         FROM candidate WHERE sitting = $1",
    )
    .bind(sitting.0)
    .fetch_all(&mut *connection)
    .await?;
    let present = all(present, |row| {
        Ok(Present {
            identity: row.try_get("identity")?,
            attempt: number(row, "attempt")?,
            counts: row.try_get("counts")?,
        })
    })?;
    let rows = match seated(&super::sitting::sitting(&locked)?, &present, candidates) {
        Ok(rows) => rows,
        Err(full) => {
            sqlx::query("ROLLBACK").execute(connection).await?;
            return Ok(Err(full));
        }
    };
    insert(connection, centre, sitting, &rows).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(Ok(rows))
}

async fn insert(
    connection: &mut PgConnection,
    centre: CentreId,
    sitting: SittingId,
    rows: &[CandidateRow],
) -> sqlx::Result<()> {
    fn column<'r, C>(rows: &'r [CandidateRow], value: impl Fn(&'r NewCandidate) -> C) -> Vec<C> {
        rows.iter().map(|row| value(&row.candidate)).collect()
    }
    // Arrays of arrays must be rectangular, so the codes travel as one list, each beside the place of its candidate.
    let codes: Vec<(i64, &str)> = rows
        .iter()
        .flat_map(|row| row.candidate.switched_off.iter().map(|code| (i64::from(row.place), code.as_str())))
        .collect();
    sqlx::query(
        "INSERT INTO candidate
             (session, centre, sitting, place, name, identity, extra_minutes, wrapped_key, attempt, email, extra_pct,
              breaks, hearing_aid, note, replaces, name_key, switched_off)
         SELECT new.session, $1, $2, new.place, new.name, new.identity, new.extra_minutes, new.wrapped_key,
             new.attempt, new.email, new.extra_pct, new.breaks, new.hearing_aid, new.note, new.replaces, new.name_key,
             ARRAY(SELECT off.code FROM unnest($9::bigint[], $10::text[]) WITH ORDINALITY AS off (place, code, number)
                   WHERE off.place = new.place ORDER BY off.number)
         FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::integer[], $8::bytea[], $11::bigint[],
                     $12::text[], $13::integer[], $14::boolean[], $15::boolean[], $16::text[], $17::uuid[], $18::text[])
             AS new (session, place, name, identity, extra_minutes, wrapped_key, attempt, email, extra_pct, breaks,
                     hearing_aid, note, replaces, name_key)",
    )
    .bind(centre.0)
    .bind(sitting.0)
    .bind(column(rows, |candidate| candidate.session.0))
    .bind(rows.iter().map(|row| i64::from(row.place)).collect::<Vec<_>>())
    .bind(column(rows, |candidate| candidate.name.as_str()))
    .bind(column(rows, |candidate| candidate.identity.as_str()))
    .bind(column(rows, |candidate| i32::from(candidate.extra_minutes)))
    .bind(column(rows, |candidate| candidate.wrapped_key.as_slice()))
    .bind(codes.iter().map(|(place, _)| *place).collect::<Vec<_>>())
    .bind(codes.iter().map(|(_, code)| *code).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| i64::from(row.standing.attempt)).collect::<Vec<_>>())
    .bind(column(rows, |candidate| candidate.more.email.as_deref()))
    .bind(column(rows, |candidate| candidate.more.extra_pct.map(i32::from)))
    .bind(column(rows, |candidate| candidate.more.care.breaks))
    .bind(column(rows, |candidate| candidate.more.care.hearing_aid))
    .bind(column(rows, |candidate| candidate.more.care.note.as_deref()))
    .bind(column(rows, |candidate| candidate.more.replaces.map(|session| session.0)))
    .bind(column(rows, |candidate| fold(&candidate.name)))
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn one(
    store: &PostgresStore,
    centre: CentreId,
    session: SessionId,
) -> Result<CandidateRow, Error> {
    let row = by_session(store, session).await?;
    if row.centre == centre { Ok(row) } else { Err(Error::NotFound) }
}

pub(super) async fn replacement(
    store: &PostgresStore,
    centre: CentreId,
    session: SessionId,
) -> Result<Option<SessionId>, Error> {
    let query = sqlx::query("SELECT session FROM candidate WHERE replaces = $1 AND centre = $2");
    let rows = store.rows.rows(query.bind(session.0).bind(centre.0)).await?;
    first(rows, |row| row.try_get("session").map(SessionId)).map_err(engine)
}

pub(super) async fn change(
    store: &PostgresStore,
    candidate: CandidateRow,
    why: &Why,
) -> Result<CandidateRow, Error> {
    let old = one(store, candidate.centre, candidate.candidate.session).await?;
    if old.standing.version != candidate.standing.version {
        return Err(Error::Changed);
    }
    let new = old.changed_to(candidate);
    let differences = old.differences(&new);
    let CandidateStanding { withdrawn, voided, .. } = &new.standing;
    let (withdrawn, given) = (withdrawn.as_ref(), &new.candidate);
    let (ground, voided) =
        voided.as_ref().map_or((None, None), |(ground, ended)| (Some(ground), Some(ended)));
    let query = sqlx::query(
        "WITH changed AS (
             UPDATE candidate SET name = $9, extra_minutes = $10, switched_off = $11, email = $12, extra_pct = $13,
                 breaks = $14, hearing_aid = $15, note = $16, withdrawn_at = $17, withdraw_reason = $18,
                 voided_at = $19, void_ground = $20, void_reason = $21, name_key = $23, version = version + 1
             WHERE session = $4 AND centre = $2 AND version = $22 RETURNING session),
         noted AS (
             INSERT INTO change (at, centre, staff, subject, field, old, new, reason)
             SELECT $1, $2, $3, $4, said.field, said.old, said.new, $8
             FROM changed, unnest($5::text[], $6::text[], $7::text[]) AS said (field, old, new))
         SELECT session FROM changed",
    );
    let query = super::change::bind(query, new.centre, given.session.0, &differences, why)
        .bind(&given.name)
        .bind(i32::from(given.extra_minutes))
        .bind(&given.switched_off)
        .bind(given.more.email.as_deref())
        .bind(given.more.extra_pct.map(i32::from))
        .bind(given.more.care.breaks)
        .bind(given.more.care.hearing_aid)
        .bind(given.more.care.note.as_deref())
        .bind(withdrawn.map(|ended| ended.at.0))
        .bind(withdrawn.map(|ended| ended.reason.as_str()))
        .bind(voided.map(|ended| ended.at.0))
        .bind(ground)
        .bind(voided.map(|ended| ended.reason.as_str()))
        .bind(i64::from(old.standing.version))
        .bind(fold(&given.name));
    let changed = store.rows.rows(query).await;
    let changed = changed.map_err(|refusal| refusal.or(|error| constraint(error, &[])))?;
    if changed.is_empty() { Err(Error::Changed) } else { Ok(new) }
}

pub(super) async fn of_sitting(
    store: &PostgresStore,
    centre: CentreId,
    sitting: SittingId,
) -> Result<Vec<CandidateRow>, Error> {
    super::sitting::one(store, centre, sitting).await?;
    let query = sqlx::query("SELECT * FROM candidate WHERE sitting = $1 AND centre = $2 ORDER BY place");
    all(store.rows.rows(query.bind(sitting.0).bind(centre.0)).await?, candidate).map_err(engine)
}

pub(super) async fn by_session(store: &PostgresStore, session: SessionId) -> Result<CandidateRow, Error> {
    let query = sqlx::query("SELECT * FROM candidate WHERE session = $1").bind(session.0);
    only(store.rows.rows(query).await?, candidate).map_err(engine)
}

fn candidate(row: &PgRow) -> sqlx::Result<CandidateRow> {
    Ok(CandidateRow {
        candidate: NewCandidate {
            session: SessionId(row.try_get("session")?),
            name: row.try_get("name")?,
            identity: row.try_get("identity")?,
            extra_minutes: small(row, "extra_minutes")?.unwrap_or_default(),
            switched_off: row.try_get("switched_off")?,
            more: CandidateMore {
                email: row.try_get("email")?,
                extra_pct: small(row, "extra_pct")?,
                care: Care {
                    breaks: row.try_get("breaks")?,
                    hearing_aid: row.try_get("hearing_aid")?,
                    note: row.try_get("note")?,
                },
                replaces: row.try_get::<Option<_>, _>("replaces")?.map(SessionId),
            },
            wrapped_key: row.try_get("wrapped_key")?,
        },
        centre: CentreId(row.try_get("centre")?),
        sitting: SittingId(row.try_get("sitting")?),
        place: number(row, "place")?,
        standing: CandidateStanding {
            version: number(row, "version")?,
            attempt: number(row, "attempt")?,
            withdrawn: ended(row, "withdrawn_at", "withdraw_reason")?,
            voided: row.try_get::<Option<String>, _>("void_ground")?.zip(ended(
                row,
                "voided_at",
                "void_reason",
            )?),
        },
    })
}

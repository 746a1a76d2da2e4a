use super::sitting::ended;
use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use crate::rows::{Bound, MultiRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::sync::LazyLock;
use synaq_core::ids::{CentreId, SessionId, SittingId};
use synaq_core::session::Care;
use synaq_store::{
    CandidateMore, CandidateRow, CandidateStanding, Error, NewCandidate, Present, SittingRow, Why, fold,
    seated,
};

static CANDIDATES: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO candidate
             (session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key,
              attempt, email, extra_pct, breaks, hearing_aid, note, replaces, name_key) VALUES",
        17,
        "",
    )
});

pub(super) async fn add(
    store: &SqliteStore,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, Error> {
    let mut transaction = store.begin().await?;
    // Read after the turn is ours: nobody changes its capacity in between.
    let sitting = super::sitting::one(store, centre, sitting).await;
    let added = match sitting {
        Ok(sitting) => insert_new(transaction.connection(), &sitting, candidates).await,
        Err(error) => Err(error),
    };
    transaction.end(added).await
}

async fn insert_new(
    connection: &mut SqliteConnection,
    sitting: &SittingRow,
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, Error> {
    let present = sqlx::query(
        "SELECT identity, attempt, withdrawn_at IS NULL AND voided_at IS NULL AS counts
         FROM candidate WHERE sitting = ?",
    )
    .bind(sitting.id.0)
    .try_map(|row: SqliteRow| {
        Ok(Present {
            identity: row.try_get("identity")?,
            attempt: row.try_get("attempt")?,
            counts: row.try_get("counts")?,
        })
    })
    .fetch_all(&mut *connection)
    .await
    .map_err(engine)?;
    let rows = seated(sitting, &present, candidates)?;
    let taken = [("candidate.session", "session"), ("candidate.replaces", "attempt")];
    CANDIDATES.insert(connection, &rows, bind).await.map_err(|error| constraint(error, &taken))?;
    Ok(rows)
}

pub(super) async fn one(
    store: &SqliteStore,
    centre: CentreId,
    session: SessionId,
) -> Result<CandidateRow, Error> {
    let row = by_session(store, session).await?;
    if row.centre == centre { Ok(row) } else { Err(Error::NotFound) }
}

pub(super) async fn replacement(
    store: &SqliteStore,
    centre: CentreId,
    session: SessionId,
) -> Result<Option<SessionId>, Error> {
    sqlx::query_scalar("SELECT session FROM candidate WHERE replaces = ? AND centre = ?")
        .bind(session.0)
        .bind(centre.0)
        .fetch_optional(&store.readers)
        .await
        .map(|session| session.map(SessionId))
        .map_err(engine)
}

pub(super) async fn change(
    store: &SqliteStore,
    candidate: CandidateRow,
    why: &Why,
) -> Result<CandidateRow, Error> {
    let old = one(store, candidate.centre, candidate.candidate.session).await?;
    if old.standing.version != candidate.standing.version {
        return Err(Error::Changed);
    }
    let new = old.changed_to(candidate);
    let mut transaction = store.begin().await?;
    let changed = update(transaction.connection(), &old, &new, why).await;
    let changed = changed.map_err(|error| constraint(error, &[])).and_then(|changed| match changed {
        true => Ok(new),
        false => Err(Error::Changed),
    });
    transaction.end(changed).await
}

/// Whether the version was still the one that was read.
async fn update(
    connection: &mut SqliteConnection,
    old: &CandidateRow,
    new: &CandidateRow,
    why: &Why,
) -> Result<bool, sqlx::Error> {
    let CandidateStanding { version, withdrawn, voided, .. } = &new.standing;
    let (withdrawn, candidate) = (withdrawn.as_ref(), &new.candidate);
    let (ground, voided) =
        voided.as_ref().map_or((None, None), |(ground, ended)| (Some(ground), Some(ended)));
    let done = sqlx::query(
        "UPDATE candidate SET name = ?, extra_minutes = ?, switched_off = ?, email = ?, extra_pct = ?,
             breaks = ?, hearing_aid = ?, note = ?, withdrawn_at = ?, withdraw_reason = ?, voided_at = ?,
             void_ground = ?, void_reason = ?, version = ?, name_key = ?
         WHERE session = ? AND version = ?",
    )
    .bind(&candidate.name)
    .bind(candidate.extra_minutes)
    .bind(serde_json::Value::from(candidate.switched_off.clone()).to_string())
    .bind(candidate.more.email.as_deref())
    .bind(candidate.more.extra_pct)
    .bind(candidate.more.care.breaks)
    .bind(candidate.more.care.hearing_aid)
    .bind(candidate.more.care.note.as_deref())
    .bind(withdrawn.map(|ended| ended.at.0))
    .bind(withdrawn.map(|ended| ended.reason.as_str()))
    .bind(voided.map(|ended| ended.at.0))
    .bind(ground)
    .bind(voided.map(|ended| ended.reason.as_str()))
    .bind(*version)
    .bind(fold(&candidate.name))
    .bind(candidate.session.0)
    .bind(old.standing.version)
    .execute(&mut *connection)
    .await?;
    let differences = old.differences(new);
    super::change::note(connection, new.centre, candidate.session.0, &differences, why).await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn of_sitting(
    store: &SqliteStore,
    centre: CentreId,
    sitting: SittingId,
) -> Result<Vec<CandidateRow>, Error> {
    super::sitting::one(store, centre, sitting).await?;
    sqlx::query("SELECT * FROM candidate WHERE sitting = ? AND centre = ? ORDER BY place")
        .bind(sitting.0)
        .bind(centre.0)
        .try_map(candidate)
        .fetch_all(&store.readers)
        .await
        .map_err(engine)
}

pub(super) async fn by_session(store: &SqliteStore, session: SessionId) -> Result<CandidateRow, Error> {
    sqlx::query("SELECT * FROM candidate WHERE session = ?")
        .bind(session.0)
        .try_map(candidate)
        .fetch_one(&store.readers)
        .await
        .map_err(engine)
}

fn bind(query: Bound, row: &CandidateRow) -> Bound {
    let candidate = &row.candidate;
    query
        .bind(candidate.session.0)
        .bind(row.centre.0)
        .bind(row.sitting.0)
        .bind(row.place)
        .bind(&candidate.name)
        .bind(&candidate.identity)
        .bind(candidate.extra_minutes)
        .bind(serde_json::Value::from(candidate.switched_off.clone()).to_string())
        .bind(candidate.wrapped_key.as_slice())
        .bind(row.standing.attempt)
        .bind(candidate.more.email.as_deref())
        .bind(candidate.more.extra_pct)
        .bind(candidate.more.care.breaks)
        .bind(candidate.more.care.hearing_aid)
        .bind(candidate.more.care.note.as_deref())
        .bind(candidate.more.replaces.map(|session| session.0))
        .bind(fold(&candidate.name))
}

fn candidate(row: SqliteRow) -> Result<CandidateRow, sqlx::Error> {
    let switched_off: &str = row.try_get("switched_off")?;
    Ok(CandidateRow {
        candidate: NewCandidate {
            session: SessionId(row.try_get("session")?),
            name: row.try_get("name")?,
            identity: row.try_get("identity")?,
            extra_minutes: row.try_get("extra_minutes")?,
            switched_off: serde_json::from_str(switched_off)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            more: CandidateMore {
                email: row.try_get("email")?,
                extra_pct: row.try_get("extra_pct")?,
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
        place: row.try_get("place")?,
        standing: CandidateStanding {
            version: row.try_get("version")?,
            attempt: row.try_get("attempt")?,
            withdrawn: ended(&row, "withdrawn_at", "withdraw_reason")?,
            voided: row.try_get::<Option<String>, _>("void_ground")?.zip(ended(
                &row,
                "voided_at",
                "void_reason",
            )?),
        },
    })
}

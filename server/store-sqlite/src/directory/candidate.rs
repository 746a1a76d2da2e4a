use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use crate::rows::{Bound, MultiRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use synaq_core::ids::{CentreId, SessionId, SittingId};
use synaq_store::{CandidateRow, Error, NewCandidate, SittingRow};

static CANDIDATES: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO candidate
             (session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key) VALUES",
        9,
        "",
    )
});

pub(super) async fn add(
    store: &SqliteStore,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, Error> {
    // A sitting never moves to another centre, so this need not be inside the transaction.
    super::sitting::one(store, centre, sitting).await?;
    let mut transaction = store.begin().await?;
    let added = insert_new(transaction.connection(), centre, sitting, candidates)
        .await
        .map_err(|error| constraint(error, &[("candidate.session", "session")]));
    transaction.end(added).await
}

async fn insert_new(
    connection: &mut SqliteConnection,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> Result<Vec<CandidateRow>, sqlx::Error> {
    let present = sqlx::query_scalar::<_, String>("SELECT identity FROM candidate WHERE sitting = ?")
        .bind(sitting.0)
        .fetch_all(&mut *connection)
        .await?;
    // Candidates are never deleted, so places are dense and the count is the next one.
    let mut places = 0..;
    let mut identities: HashSet<String> = present.into_iter().zip(&mut places).map(|(id, _)| id).collect();
    let rows: Vec<CandidateRow> = candidates
        .into_iter()
        .filter(|candidate| identities.insert(candidate.identity.clone()))
        .zip(places)
        .map(|(candidate, place)| CandidateRow { candidate, centre, sitting, place })
        .collect();
    CANDIDATES.insert(connection, &rows, bind).await?;
    Ok(rows)
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

pub(super) async fn of_centre(
    store: &SqliteStore,
    centre: CentreId,
) -> Result<Vec<(CandidateRow, SittingRow)>, Error> {
    // Sittings first: a candidate added in between waits for the next look, none comes without a sitting.
    let sittings = super::sitting::all(store, centre).await?;
    let rows =
        sqlx::query("SELECT * FROM candidate WHERE sitting IN (SELECT id FROM sitting WHERE centre = ?)")
            .bind(centre.0)
            .try_map(candidate)
            .fetch_all(&store.readers)
            .await
            .map_err(engine)?;
    let mut by_sitting: HashMap<SittingId, Vec<CandidateRow>> = HashMap::with_capacity(sittings.len());
    for row in rows {
        by_sitting.entry(row.sitting).or_default().push(row);
    }
    let mut all = Vec::new();
    for (sitting, _) in sittings {
        let mut rows = by_sitting.remove(&sitting.id).unwrap_or_default();
        rows.sort_by_key(|row| row.place);
        all.extend(rows.into_iter().map(|row| (row, sitting.clone())));
    }
    Ok(all)
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
            wrapped_key: row.try_get("wrapped_key")?,
        },
        centre: CentreId(row.try_get("centre")?),
        sitting: SittingId(row.try_get("sitting")?),
        place: row.try_get("place")?,
    })
}

use crate::error::{constraint, engine};
use crate::lanes::Refusal;
use crate::open::PostgresStore;
use crate::rows::{all, number, one, small};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use std::collections::{HashMap, HashSet};
use synaq_core::ids::{CentreId, SessionId, SittingId};
use synaq_store::{CandidateRow, Error, NewCandidate, SittingRow};

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
    added.await.map_err(|refusal| refusal.or(|error| constraint(error, &[("candidate_pkey", "session")])))
}

async fn insert_new(
    connection: &mut PgConnection,
    centre: CentreId,
    sitting: SittingId,
    candidates: Vec<NewCandidate>,
) -> sqlx::Result<Vec<CandidateRow>> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    // The lock keeps a second upload out, which would give the same places.
    sqlx::query("SELECT FROM sitting WHERE id = $1 AND centre = $2 FOR NO KEY UPDATE")
        .bind(sitting.0)
        .bind(centre.0)
        .fetch_one(&mut *connection)
        .await?;
    let present = sqlx::query_scalar::<_, String>("SELECT identity FROM candidate WHERE sitting = $1")
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
    insert(connection, centre, sitting, &rows).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(rows)
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
             (session, centre, sitting, place, name, identity, extra_minutes, wrapped_key, switched_off)
         SELECT new.session, $1, $2, new.place, new.name, new.identity, new.extra_minutes, new.wrapped_key,
             ARRAY(SELECT off.code FROM unnest($9::bigint[], $10::text[]) WITH ORDINALITY AS off (place, code, number)
                   WHERE off.place = new.place ORDER BY off.number)
         FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::integer[], $8::bytea[])
             AS new (session, place, name, identity, extra_minutes, wrapped_key)",
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
    .execute(connection)
    .await
    .map(drop)
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

pub(super) async fn of_centre(
    store: &PostgresStore,
    centre: CentreId,
) -> Result<Vec<(CandidateRow, SittingRow)>, Error> {
    // Sittings first: a candidate added in between waits for the next look, none comes without a sitting.
    let sittings = super::sitting::all(store, centre).await?;
    let query = sqlx::query(
        "SELECT * FROM candidate WHERE sitting IN (SELECT id FROM sitting WHERE centre = $1) ORDER BY place",
    );
    let rows = all(store.rows.rows(query.bind(centre.0)).await?, candidate).map_err(engine)?;
    let mut by_sitting: HashMap<SittingId, Vec<CandidateRow>> = HashMap::with_capacity(sittings.len());
    for row in rows {
        by_sitting.entry(row.sitting).or_default().push(row);
    }
    let with_theirs = |(sitting, _): (SittingRow, u32)| {
        let rows = by_sitting.remove(&sitting.id).unwrap_or_default();
        rows.into_iter().map(move |row| (row, sitting.clone()))
    };
    Ok(sittings.into_iter().flat_map(with_theirs).collect())
}

pub(super) async fn by_session(store: &PostgresStore, session: SessionId) -> Result<CandidateRow, Error> {
    let query = sqlx::query("SELECT * FROM candidate WHERE session = $1").bind(session.0);
    one(store.rows.rows(query).await?, candidate).map_err(engine)
}

fn candidate(row: &PgRow) -> sqlx::Result<CandidateRow> {
    Ok(CandidateRow {
        candidate: NewCandidate {
            session: SessionId(row.try_get("session")?),
            name: row.try_get("name")?,
            identity: row.try_get("identity")?,
            extra_minutes: small(row, "extra_minutes")?.unwrap_or_default(),
            switched_off: row.try_get("switched_off")?,
            wrapped_key: row.try_get("wrapped_key")?,
        },
        centre: CentreId(row.try_get("centre")?),
        sitting: SittingId(row.try_get("sitting")?),
        place: number(row, "place")?,
    })
}

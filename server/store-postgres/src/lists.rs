//! Long lists: what is asked for becomes one statement.

use crate::directory::sitting_of_row;
use crate::error::engine;
use crate::open::PostgresStore;
use crate::rows::{all, at_maybe, ids, number, one, small};
use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};
use std::fmt::Write as _;
use synaq_core::ids::{CentreId, ProgrammeId, SessionId, SittingId};
use synaq_store::{
    CentreStanding, DeliveryState, Error, Lists, OUTCOMES, Page, ResultCounts, ResultLine, ResultsAsked,
    ResultsBy, STATES, SittingRow, SittingsAsked, SittingsBy, Span, Summary,
};

type Builder = QueryBuilder<Postgres>;

#[async_trait]
impl Lists for PostgresStore {
    async fn sittings_page(
        &self,
        centre: CentreId,
        asked: &SittingsAsked,
    ) -> Result<Page<(SittingRow, u32)>, Error> {
        let mut count = Builder::new("SELECT count(*) FROM sitting AS t");
        sittings_where(&mut count, centre, asked);
        let mut rows = Builder::new(
            "SELECT t.*, (SELECT count(*) FROM candidate AS c WHERE c.sitting = t.id AND c.withdrawn_at IS NULL
                 AND c.voided_at IS NULL) AS candidates FROM sitting AS t",
        );
        sittings_where(&mut rows, centre, asked);
        let key = match asked.by {
            SittingsBy::Title => "t.title_key",
            SittingsBy::Opens => "t.opens_at",
            SittingsBy::Closes => "t.closes_at",
            SittingsBy::Candidates => "candidates",
        };
        rows.push(format_args!(" ORDER BY {key}{}, t.opens_at DESC, t.id", direction(asked.down)));
        limit(&mut rows, asked.span);
        let found = self.rows.rows(rows.build()).await?;
        Ok(Page {
            rows: all(found, |row| Ok((sitting_of_row(row)?, number(row, "candidates")?))).map_err(engine)?,
            found: self.counted(count).await?,
            all: self.counted(of_centre("SELECT count(*) FROM sitting WHERE centre = ", centre)).await?,
        })
    }

    async fn results_page(&self, centre: CentreId, asked: &ResultsAsked) -> Result<Page<ResultLine>, Error> {
        let mut count = Builder::new("SELECT count(*)");
        results_from(&mut count, centre, asked, !asked.states.is_empty());
        let mut rows = Builder::new(
            "SELECT c.session, c.name, c.identity, c.voided_at IS NOT NULL AS voided, t.title, t.programme",
        );
        results_from(&mut rows, centre, asked, true);
        let (key, way) = (result_key(asked.by), direction(asked.down));
        rows.push(format_args!(" ORDER BY {key}{way} NULLS LAST, t.opens_at DESC, t.id, c.place"));
        limit(&mut rows, asked.span);
        Ok(Page {
            rows: all(self.rows.rows(rows.build()).await?, line).map_err(engine)?,
            found: self.counted(count).await?,
            all: self.counted(of_centre("SELECT count(*) FROM candidate WHERE centre = ", centre)).await?,
        })
    }

    async fn fates(&self, sessions: &[SessionId]) -> Result<Vec<(SessionId, DeliveryState)>, Error> {
        let query =
            sqlx::query("SELECT session, state FROM outbox WHERE session = ANY($1) AND kind = 'record'");
        let rows = self.rows.rows(query.bind(ids(sessions))).await?;
        all(rows, |row| Ok((SessionId(row.try_get("session")?), state(row)?))).map_err(engine)
    }

    async fn result_counts(
        &self,
        centre: CentreId,
        sitting: Option<SittingId>,
    ) -> Result<ResultCounts, Error> {
        let of = |select: &str, rest: &str| {
            let mut query = Builder::new(select);
            query.push(
                " FROM candidate AS c JOIN summary AS s ON s.session = c.session WHERE c.voided_at IS NULL",
            );
            query.push(" AND c.centre = ").push_bind(centre.0);
            if let Some(sitting) = sitting {
                query.push(" AND c.sitting = ").push_bind(sitting.0);
            }
            query.push(rest);
            query
        };
        let mut scores = of(
            "SELECT s.correct, s.total, count(*) AS exams",
            " AND s.correct IS NOT NULL AND s.total > 0 GROUP BY 1, 2 ORDER BY 1, 2",
        );
        let score = |row: &PgRow| {
            let known = small(row, "correct")?.zip(small(row, "total")?);
            let (correct, total) = known.ok_or(sqlx::Error::RowNotFound)?;
            Ok((correct, total, number(row, "exams")?))
        };
        let scores = all(self.rows.rows(scores.build()).await?, score).map_err(engine)?;
        let mut minutes = of(
            "SELECT greatest((s.finished_at - s.started_at) / 60000, 0) AS minutes, count(*) AS exams",
            " AND s.finished_at IS NOT NULL AND s.started_at IS NOT NULL GROUP BY 1 ORDER BY 1",
        );
        let lasted = |row: &PgRow| Ok((number(row, "minutes")?, number(row, "exams")?));
        let minutes = all(self.rows.rows(minutes.build()).await?, lasted).map_err(engine)?;
        let mut incidents = of("SELECT s.incidents", " AND s.incidents IS NOT NULL");
        let incidents: Vec<String> =
            all(self.rows.rows(incidents.build()).await?, |row| row.try_get("incidents")).map_err(engine)?;
        let mut counts = ResultCounts { scores, minutes, ..ResultCounts::default() };
        for json in incidents {
            let read = Summary::read_incidents(Some(&json));
            counts.add_incidents(&read.map_err(|error| Error::Damaged(error.to_string()))?);
        }
        Ok(counts)
    }

    async fn centre_standing(&self, centre: CentreId) -> Result<CentreStanding, Error> {
        let query = sqlx::query(
            "SELECT (SELECT count(*) FROM bank WHERE centre = $1) AS banks,
                 (SELECT count(*) FROM programme WHERE centre = $1) AS programmes,
                 (SELECT count(*) FROM sitting WHERE centre = $1) AS sittings,
                 (SELECT count(*) FROM candidate WHERE centre = $1) AS candidates",
        );
        let counts = |row: &PgRow| {
            Ok(CentreStanding {
                banks: number(row, "banks")?,
                programmes: number(row, "programmes")?,
                sittings: number(row, "sittings")?,
                candidates: number(row, "candidates")?,
                ..CentreStanding::default()
            })
        };
        let mut standing = one(self.rows.rows(query.bind(centre.0)).await?, counts).map_err(engine)?;
        let query = sqlx::query(
            "SELECT o.state, count(*) AS messages, min(o.created_at) AS oldest, max(o.settled_at) AS newest
             FROM candidate AS c JOIN outbox AS o ON o.session = c.session WHERE c.centre = $1 GROUP BY o.state",
        );
        for row in self.rows.rows(query.bind(centre.0)).await? {
            let at = |column| at_maybe(&row, column).map_err(engine);
            let messages = number(&row, "messages").map_err(engine)?;
            standing.add_messages(state(&row).map_err(engine)?, messages, at("oldest")?, at("newest")?);
        }
        Ok(standing)
    }
}

impl PostgresStore {
    async fn counted(&self, mut query: Builder) -> Result<u64, Error> {
        one(self.rows.rows(query.build()).await?, |row| number(row, "count")).map_err(engine)
    }
}

fn of_centre(select: &str, centre: CentreId) -> Builder {
    let mut query = Builder::new(select);
    query.push_bind(centre.0);
    query
}

fn sittings_where(query: &mut Builder, centre: CentreId, asked: &SittingsAsked) {
    query.push(" WHERE t.centre = ").push_bind(centre.0);
    for word in &asked.words {
        query.push(" AND strpos(t.title_key, ").push_bind(word.clone()).push(") > 0");
    }
    if let Some(at) = asked.open_at {
        query.push(" AND t.cancelled_at IS NULL AND t.closes_at > ").push_bind(at.0);
    }
}

fn results_from(query: &mut Builder, centre: CentreId, asked: &ResultsAsked, with_summary: bool) {
    query.push(" FROM candidate AS c JOIN sitting AS t ON t.id = c.sitting");
    if with_summary {
        query.push(" LEFT JOIN summary AS s ON s.session = c.session");
    }
    query.push(" WHERE c.centre = ").push_bind(centre.0);
    if let Some(sitting) = asked.sitting {
        query.push(" AND c.sitting = ").push_bind(sitting.0);
    }
    for word in &asked.words {
        query.push(" AND (strpos(c.name_key, ").push_bind(word.clone());
        query.push(") > 0 OR strpos(t.title_key, ").push_bind(word.clone());
        query.push(") > 0 OR strpos(lower(c.identity), ").push_bind(word.clone()).push(") > 0)");
    }
    for (number, state) in asked.states.iter().enumerate() {
        query.push(if number == 0 { " AND coalesce(s.state, 'created') IN (" } else { ", " });
        query.push_bind(state.clone());
    }
    if !asked.states.is_empty() {
        query.push(")");
    }
}

/// What a column is sorted by.
fn result_key(by: ResultsBy) -> String {
    match by {
        ResultsBy::Name => "c.name_key".to_owned(),
        ResultsBy::Sitting => "t.title_key".to_owned(),
        ResultsBy::State => rank("coalesce(s.state, 'created')", &STATES),
        ResultsBy::Outcome => rank("s.outcome", &OUTCOMES),
        ResultsBy::Correct => "s.correct".to_owned(),
        ResultsBy::Warnings => "coalesce(s.warnings, 0)".to_owned(),
        ResultsBy::Finished => "s.finished_at".to_owned(),
        ResultsBy::Delivery => {
            "(SELECT o.state FROM outbox AS o WHERE o.session = c.session AND o.kind = 'record')".to_owned()
        }
    }
}

/// The place of a word among words of ours; nothing for another.
fn rank(of: &str, words: &[&str]) -> String {
    let mut cases = format!("CASE {of}");
    for (place, word) in words.iter().enumerate() {
        write!(cases, " WHEN '{word}' THEN {place}").expect("writing to a String does not fail");
    }
    cases + " END"
}

const fn direction(down: bool) -> &'static str {
    if down { " DESC" } else { " ASC" }
}

fn limit(query: &mut Builder, span: Span) {
    query.push(" LIMIT ").push_bind(i64::from(span.limit)).push(" OFFSET ").push_bind(i64::from(span.offset));
}

fn line(row: &PgRow) -> Result<ResultLine, sqlx::Error> {
    Ok(ResultLine {
        session: SessionId(row.try_get("session")?),
        name: row.try_get("name")?,
        identity: row.try_get("identity")?,
        voided: row.try_get("voided")?,
        sitting: row.try_get("title")?,
        programme: ProgrammeId(row.try_get("programme")?),
    })
}

fn state(row: &PgRow) -> Result<DeliveryState, sqlx::Error> {
    let word: &str = row.try_get("state")?;
    DeliveryState::read(word).ok_or_else(|| sqlx::Error::Decode(format!("delivery state {word}").into()))
}

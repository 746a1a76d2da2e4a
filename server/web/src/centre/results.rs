//! Where every session of the centre stands.

use super::Library;
use super::asked::Asked;
use crate::auth::who::Who;
use crate::convert;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::State;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use synaq_core::ids::{CentreId, ProgrammeId, SessionId};
use synaq_store::{
    CandidateRow, Directory, EventLog, Lists, Outbox, ResultLine, ResultsAsked, STATES, Span, Summary,
};
use synaq_wire::candidate::Text;
use synaq_wire::centre::{ResultRow, SessionSummary};
use synaq_wire::lists::ResultsPage;

/// What lists are made from.
#[derive(Clone)]
pub(crate) struct Register {
    pub(crate) directory: Arc<dyn Directory>,
    pub(super) library: Arc<Library>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) lists: Arc<dyn Lists>,
}

impl axum::extract::FromRef<crate::doors::App> for Register {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            directory: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            log: FromRef::from_ref(app),
            outbox: FromRef::from_ref(app),
            lists: FromRef::from_ref(app),
        }
    }
}

/// A page of the centre's candidates.
pub(crate) async fn list(
    State(register): State<Register>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<axum::Json<ResultsPage>, Refused> {
    Ok(axum::Json(register.page(who.staff.centre, &asked.results(&STATES)?).await?))
}

/// A page of those whose record is sealed, for the commission.
pub(crate) async fn records(
    State(register): State<Register>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<axum::Json<ResultsPage>, Refused> {
    let asked = asked.results(&SEALED)?;
    let mut page = register.page(who.staff.centre, &asked).await?;
    // Of the list, not of the centre: whoever never came has no record.
    let is_whole =
        asked.words.is_empty() && SEALED.iter().all(|state| asked.states.iter().any(|one| one == state));
    if is_whole {
        page.all = page.found;
        return Ok(axum::Json(page));
    }
    let whole = ResultsAsked {
        words: Vec::new(),
        states: SEALED.map(str::to_owned).to_vec(),
        span: Span { offset: 0, limit: 1 },
        ..asked
    };
    page.all = count(register.lists.results_page(who.staff.centre, &whole).await?.found);
    Ok(axum::Json(page))
}

/// States with a sealed record.
pub(super) const SEALED: [&str; 2] = ["sealed", "approved"];

impl Register {
    /// Rows with all that lists show of them.
    pub(super) async fn page(&self, centre: CentreId, asked: &ResultsAsked) -> Result<ResultsPage, Refused> {
        let page = self.lists.results_page(centre, asked).await?;
        let sessions: Vec<_> = page.rows.iter().map(|row| row.session).collect();
        let mut summaries = summaries(&self.log, &self.lists, &sessions).await?;
        let mut titles = HashMap::new();
        for line in &page.rows {
            if let Entry::Vacant(unread) = titles.entry(line.programme) {
                unread.insert(title(self, centre, line.programme).await?);
            }
        }
        let row = |line: ResultLine| ResultRow {
            session: line.session.0,
            id_hint: id_hint(&line.identity),
            name: line.name,
            sitting: line.sitting,
            programme: titles[&line.programme].clone(),
            voided: line.voided,
            summary: summaries.take(line.session),
        };
        Ok(ResultsPage {
            rows: page.rows.into_iter().map(row).collect(),
            found: count(page.found),
            all: count(page.all),
        })
    }
}

/// A count as the wire has it.
pub(super) fn count(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

async fn title(register: &Register, centre: CentreId, id: ProgrammeId) -> Result<Text, Refused> {
    let stored = register.directory.programme(centre, id).await?;
    let (programme, _) = register.library.programme(centre, &stored).await?;
    Ok(convert::text(&programme.title))
}

/// One row.
pub(super) fn result_row(
    candidate: CandidateRow,
    sitting: String,
    programme: Text,
    summary: SessionSummary,
) -> ResultRow {
    ResultRow {
        session: candidate.candidate.session.0,
        id_hint: id_hint(&candidate.candidate.identity),
        voided: candidate.standing.voided.is_some(),
        name: candidate.candidate.name,
        sitting,
        programme,
        summary,
    }
}

/// The last four characters: enough to tell namesakes apart.
pub(super) fn id_hint(identity: &str) -> String {
    let skipped = identity.chars().count().saturating_sub(4);
    identity.chars().skip(skipped).collect()
}

/// Summaries by session; those that never opened their link have none stored.
pub(super) struct Summaries(HashMap<SessionId, SessionSummary>);

impl Summaries {
    pub(super) fn take(&mut self, session: SessionId) -> SessionSummary {
        self.0.remove(&session).unwrap_or_else(|| SessionSummary {
            state: "created".to_owned(),
            finish: None,
            outcome: None,
            correct: None,
            total: None,
            warnings: 0,
            started_at: None,
            finished_at: None,
            delivery: None,
        })
    }
}

/// Summaries of those sessions, with the fate of their records.
pub(super) async fn summaries(
    log: &Arc<dyn EventLog>,
    lists: &Arc<dyn Lists>,
    sessions: &[SessionId],
) -> Result<Summaries, Refused> {
    let stored = log.summaries(sessions).await?;
    let fates: HashMap<_, _> = lists.fates(sessions).await?.into_iter().collect();
    let summary = |stored: Summary| {
        let delivery = fates.get(&stored.session).map(|state| state.as_str().to_owned());
        let summary = SessionSummary {
            state: stored.state,
            finish: stored.finish,
            outcome: stored.outcome,
            correct: stored.correct,
            total: stored.total,
            warnings: stored.warnings,
            started_at: stored.started_at.map(|at| at.0),
            finished_at: stored.finished_at.map(|at| at.0),
            delivery,
        };
        (stored.session, summary)
    };
    Ok(Summaries(stored.into_iter().map(summary).collect()))
}

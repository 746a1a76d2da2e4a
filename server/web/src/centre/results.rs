//! Where every session of the centre stands.

use crate::auth::who::Who;
use crate::convert;
use crate::problem::Refused;
use axum::extract::State;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use synaq_core::ids::{CentreId, ProgrammeId, SessionId};
use synaq_store::{
    CandidateRow, DeliveryState, Directory, EventLog, MessageKind, Outbox, SittingRow, Summary,
};
use synaq_wire::candidate::Text;
use synaq_wire::centre::{ResultRow, SessionSummary};

use super::Library;

/// What lists are made from.
#[derive(Clone)]
pub(crate) struct Register {
    pub(crate) directory: Arc<dyn Directory>,
    pub(super) library: Arc<Library>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(super) outbox: Arc<dyn Outbox>,
}

impl axum::extract::FromRef<crate::doors::App> for Register {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            directory: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            log: FromRef::from_ref(app),
            outbox: FromRef::from_ref(app),
        }
    }
}

/// Every candidate of the centre, newest sitting first.
pub(crate) async fn list(
    State(register): State<Register>,
    who: Who,
) -> Result<axum::Json<Vec<ResultRow>>, Refused> {
    Ok(axum::Json(rows(&register, who.staff.centre).await?))
}

/// All rows of a centre.
pub(crate) async fn rows(register: &Register, centre: CentreId) -> Result<Vec<ResultRow>, Refused> {
    let candidates = register.directory.all_candidates(centre).await?;
    let sessions: Vec<_> = candidates.iter().map(|(row, _)| row.candidate.session).collect();
    let mut summaries = summaries(&register.log, &register.outbox, &sessions).await?;
    let mut titles = HashMap::new();
    for (_, sitting) in &candidates {
        if let Entry::Vacant(unread) = titles.entry(sitting.programme) {
            unread.insert(title(register, centre, sitting.programme).await?);
        }
    }
    let row = |(candidate, sitting): (CandidateRow, SittingRow)| {
        let summary = summaries.take(candidate.candidate.session);
        result_row(candidate, sitting.title, titles[&sitting.programme].clone(), summary)
    };
    Ok(candidates.into_iter().map(row).collect())
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
    outbox: &Arc<dyn Outbox>,
    sessions: &[SessionId],
) -> Result<Summaries, Refused> {
    let stored = log.summaries(sessions).await?;
    let mut deliveries = HashMap::new();
    for delivery in outbox.deliveries(sessions).await? {
        if delivery.message.kind == MessageKind::Record {
            deliveries.insert(delivery.message.session, delivery_name(delivery.state));
        }
    }
    let summary = |stored: Summary| {
        let delivery = deliveries.get(&stored.session).map(|name| (*name).to_owned());
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

pub(super) const fn delivery_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "queued",
        DeliveryState::Accepted => "accepted",
        DeliveryState::Refused => "refused",
    }
}

//! Putting candidates into a sitting.

use super::sittings::Shelf;
use super::{Audit, list};
use crate::auth::who::Who;
use crate::body::{self, Json};
use crate::doors::{Options, Random};
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::ids::{SessionId, SittingId};
use synaq_core::retention::DataClass;
use synaq_runtime::Clock;
use synaq_seal::secret::InstallationKey;
use synaq_seal::shares::wrap_fresh;
use synaq_store::{CandidateMore, Directory, NewCandidate};
use synaq_wire::centre::{AddCandidate, CandidateRow, CandidatesAdded};
use synaq_wire::limits::CSV_BYTES;
use synaq_wire::problem::Code;

const CSV_TYPES: &[&str] = &[
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/vnd.ms-excel",
    "application/octet-stream",
];

/// What makes a session out of a line.
#[derive(Clone)]
pub(crate) struct Maker {
    fresh: Fresh,
    random: Random,
    session_keys: Arc<InstallationKey>,
    options: Arc<Options>,
}

impl axum::extract::FromRef<crate::doors::App> for Maker {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            fresh: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
            session_keys: FromRef::from_ref(app),
            options: FromRef::from_ref(app),
        }
    }
}

/// Adds everybody on the list, or nobody; whoever is in the sitting already stays as they are.
pub(crate) async fn add(
    State(directory): State<Arc<dyn Directory>>,
    State(maker): State<Maker>,
    State(audit): State<Audit>,
    State(clock): State<Arc<dyn Clock>>,
    Path(sitting): Path<String>,
    who: Who,
    request: Request,
) -> Result<axum::Json<CandidatesAdded>, Refused> {
    let centre = who.staff.centre;
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let stored = directory.sitting(centre, sitting).await?;
    if stored.standing.cancelled.is_some() {
        return Err(Code::SittingCancelled.into());
    }
    let minutes = list::programme_minutes(&directory.programme(centre, stored.programme).await?)?;
    body::accept(request.headers(), CSV_TYPES)?;
    let bytes = body::read(request.into_body(), CSV_BYTES, Code::BodyTooLarge).await?;
    let now = clock.now();
    let numbers = maker.options.numbers;
    let read = tokio::task::spawn_blocking(move || list::read(&bytes, now, minutes, numbers));
    let list = read.await.map_err(|_| Code::Internal)??;
    let listed = list.lines.len();
    let candidates: Option<Vec<_>> = list.lines.into_iter().map(|line| maker.candidate(line)).collect();
    let added = directory.add_candidates(centre, sitting, candidates.ok_or(Code::Busy)?).await?.len();
    audit.note(&who, "candidates_added", format!("{sitting}: {added}")).await?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(axum::Json(CandidatesAdded {
        added: count(added),
        known: count(listed - added),
        encoding: list.encoding.to_owned(),
        remarks: list.remarks,
    }))
}

/// One more candidate, also on the day itself.
pub(crate) async fn add_one(
    State(shelf): State<Shelf>,
    State(maker): State<Maker>,
    State(audit): State<Audit>,
    State(clock): State<Arc<dyn Clock>>,
    Path(sitting): Path<String>,
    who: Who,
    Json(body): Json<AddCandidate>,
) -> Result<(StatusCode, axum::Json<CandidateRow>), Refused> {
    let centre = who.staff.centre;
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let directory = &shelf.directory;
    let sitting = directory.sitting(centre, sitting).await?;
    if sitting.standing.cancelled.is_some() {
        return Err(Code::SittingCancelled.into());
    }
    if sitting.closes_at <= clock.now() {
        return Err(Code::TimesOutOfOrder.into());
    }
    let minutes = list::programme_minutes(&directory.programme(centre, sitting.programme).await?)?;
    let judge = list::Judge::New(maker.options.numbers);
    let line =
        list::one(judge, &body.name, &body.identity, body.email.as_deref(), body.accommodation, minutes)?;
    let candidate = maker.candidate(line).ok_or(Code::Busy)?;
    let added = directory.add_candidates(centre, sitting.id, vec![candidate]).await?;
    let row = added.into_iter().next().ok_or(Code::CandidateKnown)?;
    audit.note(&who, "candidate_added", row.candidate.session.to_string()).await?;
    Ok((StatusCode::CREATED, axum::Json(shelf.candidate(row).await?)))
}

impl Maker {
    /// A session with its wrapped key; `None` when there is no entropy.
    pub(super) fn keys(&self) -> Option<(SessionId, Vec<u8>)> {
        let session = SessionId(self.fresh.id().ok()?);
        let classes = DataClass::ALL.len();
        let wrapped_key =
            wrap_fresh(classes, &self.session_keys, session.0.as_bytes(), &*self.random).ok()?;
        Some((session, wrapped_key))
    }

    fn candidate(&self, line: list::Line) -> Option<NewCandidate> {
        let (session, wrapped_key) = self.keys()?;
        let mut candidate = NewCandidate {
            session,
            name: String::new(),
            identity: String::new(),
            extra_minutes: 0,
            switched_off: Vec::new(),
            more: CandidateMore::default(),
            wrapped_key,
        };
        line.put(&mut candidate);
        Some(candidate)
    }
}

//! Putting candidates into a sitting.

use super::{Audit, list};
use crate::auth::who::Who;
use crate::body;
use crate::doors::Random;
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Path, Request, State};
use std::sync::Arc;
use synaq_core::ids::{SessionId, SittingId};
use synaq_core::retention::DataClass;
use synaq_runtime::Clock;
use synaq_seal::secret::InstallationKey;
use synaq_seal::shares::wrap_fresh;
use synaq_store::{Directory, NewCandidate};
use synaq_wire::centre::CandidatesAdded;
use synaq_wire::limits::CSV_BYTES;
use synaq_wire::problem::Code;

const CSV_TYPES: &[&str] =
    &["text/csv", "text/plain", "application/vnd.ms-excel", "application/octet-stream"];

/// What makes a session out of a line.
#[derive(Clone)]
pub(crate) struct Maker {
    fresh: Fresh,
    random: Random,
    session_keys: Arc<InstallationKey>,
}

impl axum::extract::FromRef<crate::doors::App> for Maker {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            fresh: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
            session_keys: FromRef::from_ref(app),
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
    directory.sitting(centre, sitting).await?;
    body::accept(request.headers(), CSV_TYPES)?;
    let bytes = body::read(request.into_body(), CSV_BYTES, Code::BodyTooLarge).await?;
    let now = clock.now();
    let read = tokio::task::spawn_blocking(move || list::read(&bytes, now));
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

impl Maker {
    /// `None` when there is no entropy.
    fn candidate(&self, line: list::Line) -> Option<NewCandidate> {
        let session = SessionId(self.fresh.id().ok()?);
        let classes = DataClass::ALL.len();
        let wrapped_key =
            wrap_fresh(classes, &self.session_keys, session.0.as_bytes(), &*self.random).ok()?;
        Some(NewCandidate {
            session,
            name: line.name,
            identity: line.identity,
            extra_minutes: line.extra_minutes,
            switched_off: line.switched_off,
            wrapped_key,
        })
    }
}

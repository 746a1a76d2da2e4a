//! Sittings of the centre.

use super::programmes;
use super::results::summaries;
use super::{Audit, Library};
use crate::auth::link::LinkKey;
use crate::auth::who::Who;
use crate::body::Json;
use crate::doors::Options;
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::ids::{CentreId, ProgrammeId, SittingId};
use synaq_core::time::At;
use synaq_store::{Directory, EventLog, Outbox, Role};
use synaq_wire::centre::{CandidateRow, NewSitting, SittingDetail};
use synaq_wire::problem::{Code, Problem};
use synaq_wire::proctor::SittingRow;

/// In characters.
const TITLE_CHARS: usize = 120;
/// Milliseconds of the year 2100: a mistyped year must not become a link for ever.
const LATEST: i64 = 4_102_444_800_000;

/// All sittings, newest first.
pub(crate) async fn list(
    directory: State<Arc<dyn Directory>>,
    library: State<Arc<Library>>,
    who: Who,
) -> Result<axum::Json<Vec<SittingRow>>, Refused> {
    crate::proctor::sittings(directory, library, who).await
}

/// A new sitting, without candidates.
pub(crate) async fn create(
    State(shelf): State<Shelf>,
    State(audit): State<Audit>,
    State(fresh): State<Fresh>,
    who: Who,
    Json(body): Json<NewSitting>,
) -> Result<(StatusCode, axum::Json<SittingDetail>), Refused> {
    let title = body.title.trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS || title.chars().any(char::is_control) {
        let detail = format!("title has 1 to {TITLE_CHARS} characters");
        return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
    }
    if body.opens_at < 0 || body.opens_at >= body.closes_at || body.closes_at > LATEST {
        return Err(Code::TimesOutOfOrder.into());
    }
    let centre = who.staff.centre;
    let programme = shelf.directory.programme(centre, ProgrammeId(body.programme)).await?;
    let sitting = synaq_store::SittingRow {
        id: SittingId(fresh.id().map_err(|_| Code::Busy)?),
        centre,
        programme: programme.id,
        title: title.to_owned(),
        opens_at: At(body.opens_at),
        closes_at: At(body.closes_at),
    };
    let id = sitting.id;
    shelf.directory.add_sitting(sitting).await?;
    audit.note(&who, "sitting_created", id.to_string()).await?;
    Ok((StatusCode::CREATED, axum::Json(shelf.detail(centre, id).await?)))
}

/// What a sitting's page is made from.
#[derive(Clone)]
pub(crate) struct Shelf {
    directory: Arc<dyn Directory>,
    library: Arc<Library>,
    log: Arc<dyn EventLog>,
    outbox: Arc<dyn Outbox>,
    links: LinkKey,
    options: Arc<Options>,
}

impl axum::extract::FromRef<crate::doors::App> for Shelf {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            directory: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            log: FromRef::from_ref(app),
            outbox: FromRef::from_ref(app),
            links: FromRef::from_ref(app),
            options: FromRef::from_ref(app),
        }
    }
}

/// One sitting with its candidates and their links.
pub(crate) async fn show(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    who: Who,
) -> Result<axum::Json<SittingDetail>, Refused> {
    let id: SittingId = id.parse().map_err(|_| Code::NotFound)?;
    let mut detail = shelf.detail(who.staff.centre, id).await?;
    // Whoever has a personal link can sit the exam: who only looks gets none.
    if !who.staff.roles.contains(&Role::Centre) {
        detail.candidates.iter_mut().for_each(|row| row.link.clear());
    }
    Ok(axum::Json(detail))
}

impl Shelf {
    async fn detail(&self, centre: CentreId, id: SittingId) -> Result<SittingDetail, Refused> {
        let sitting = self.directory.sitting(centre, id).await?;
        let stored = self.directory.programme(centre, sitting.programme).await?;
        let (programme, bank) = self.library.programme(centre, &stored).await?;
        let candidates = self.directory.candidates(centre, id).await?;
        let sessions: Vec<_> = candidates.iter().map(|row| row.candidate.session).collect();
        let mut summaries = summaries(&self.log, &self.outbox, &sessions).await?;
        let row = |row: synaq_store::CandidateRow| {
            let session = row.candidate.session;
            CandidateRow {
                session: session.0,
                name: row.candidate.name,
                id_hint: super::results::id_hint(&row.candidate.identity),
                link: format!("{}/c/{}", self.options.public_origin(), self.links.token(session)),
                extra_minutes: row.candidate.extra_minutes,
                summary: summaries.take(session),
            }
        };
        Ok(SittingDetail {
            sitting: id.0,
            title: sitting.title,
            programme: programmes::row(stored.id.0, &programme, &bank),
            opens_at: sitting.opens_at.0,
            closes_at: sitting.closes_at.0,
            candidates: candidates.into_iter().map(row).collect(),
        })
    }
}

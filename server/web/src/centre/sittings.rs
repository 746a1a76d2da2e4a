//! Sittings of the centre.

use super::arrange::{changes, ended};
use super::asked::Asked;
use super::programmes;
use super::results::{count, summaries};
use super::{Audit, Library};
use crate::auth::link::LinkKey;
use crate::auth::who::Who;
use crate::body::Json;
use crate::doors::Options;
use crate::form::{Form, Letters};
use crate::fresh::Fresh;
use crate::problem::Refused;
use crate::query::Query;
use crate::timeline::Names;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::ids::{CentreId, ProgrammeId, SessionId, SittingId};
use synaq_core::time::At;
use synaq_runtime::Clock;
use synaq_store::{Directory, EventLog, Lists, Role, SittingStanding};
use synaq_wire::centre::{Accommodation, CandidateRow, NewSitting, SessionSummary, SittingDetail};
use synaq_wire::lists::SittingsPage;
use synaq_wire::problem::Code;

/// In characters.
const TITLE_CHARS: usize = 120;
/// What one machine holds ten times over; more is a slip of the pen.
const CAPACITY_MAX: u32 = 100_000;
/// Milliseconds of the year 2100: a mistyped year must not become a link for ever.
const LATEST: i64 = 4_102_444_800_000;

/// A page of sittings.
pub(crate) async fn list(
    State(shelf): State<Shelf>,
    State(clock): State<Arc<dyn Clock>>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<axum::Json<SittingsPage>, Refused> {
    let centre = who.staff.centre;
    let page = shelf.lists.sittings_page(centre, &asked.sittings(clock.now())?).await?;
    let rows = crate::proctor::sitting_rows(&shelf.directory, &shelf.library, centre, page.rows).await?;
    Ok(axum::Json(SittingsPage { rows, found: count(page.found), all: count(page.all) }))
}

/// A new sitting, without candidates.
pub(crate) async fn create(
    State(shelf): State<Shelf>,
    State(audit): State<Audit>,
    State(fresh): State<Fresh>,
    State(clock): State<Arc<dyn Clock>>,
    who: Who,
    Json(body): Json<NewSitting>,
) -> Result<(StatusCode, axum::Json<SittingDetail>), Refused> {
    let capacity = body.capacity;
    let title = named(&body.title, capacity)?;
    let times = Times::of(body.opens_at, body.closes_at)?;
    // A mistyped year: every link in it would have expired.
    if At(times.closes_at) <= clock.now() {
        return Err(Code::TimesOutOfOrder.into());
    }
    let centre = who.staff.centre;
    let programme = shelf.directory.programme(centre, ProgrammeId(body.programme)).await?;
    let sitting = synaq_store::SittingRow {
        id: SittingId(fresh.id().map_err(|_| Code::Busy)?),
        centre,
        programme: programme.id,
        title,
        opens_at: At(times.opens_at),
        closes_at: At(times.closes_at),
        standing: SittingStanding { capacity, ..SittingStanding::default() },
    };
    let id = sitting.id;
    shelf.directory.add_sitting(sitting).await?;
    audit.note(&who, "sitting_created", id.to_string()).await?;
    Ok((StatusCode::CREATED, axum::Json(shelf.detail(centre, id).await?)))
}

/// Beginning and end in their order.
pub(super) struct Times {
    pub(super) opens_at: i64,
    pub(super) closes_at: i64,
}

impl Times {
    pub(super) fn of(opens_at: i64, closes_at: i64) -> Result<Self, Refused> {
        if opens_at < 0 || opens_at >= closes_at || closes_at > LATEST {
            return Err(Code::TimesOutOfOrder.into());
        }
        Ok(Self { opens_at, closes_at })
    }
}

/// A sitting's name as it is stored, if its size is one.
pub(super) fn named(title: &str, capacity: Option<u32>) -> Result<String, Refused> {
    let mut form = Form::default();
    let title = form.line("title", title, TITLE_CHARS, Letters::Text);
    if let Some(most) = capacity {
        form.number("capacity", most, 1..=CAPACITY_MAX);
    }
    form.done()?;
    Ok(title)
}

/// What a sitting's page is made from.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(super) directory: Arc<dyn Directory>,
    library: Arc<Library>,
    log: Arc<dyn EventLog>,
    lists: Arc<dyn Lists>,
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
            lists: FromRef::from_ref(app),
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
        let mut summaries = summaries(&self.log, &self.lists, &sessions).await?;
        let row = |row: synaq_store::CandidateRow| {
            let summary = summaries.take(row.candidate.session);
            self.row(row, summary)
        };
        let names = Names::of(&self.directory, centre).await?;
        let changes = changes(self.directory.changes_of(centre, id.0).await?, &names);
        Ok(SittingDetail {
            sitting: id.0,
            title: sitting.title,
            programme: programmes::row(stored.id.0, &programme, &bank),
            opens_at: sitting.opens_at.0,
            closes_at: sitting.closes_at.0,
            version: sitting.standing.version,
            capacity: sitting.standing.capacity,
            cancelled: sitting.standing.cancelled.as_ref().map(|cancelled| ended(cancelled, None)),
            changes,
            candidates: candidates.into_iter().map(row).collect(),
        })
    }

    /// One candidate as in the list.
    pub(super) async fn candidate(&self, row: synaq_store::CandidateRow) -> Result<CandidateRow, Refused> {
        let session = row.candidate.session;
        let summary = summaries(&self.log, &self.lists, &[session]).await?.take(session);
        Ok(self.row(row, summary))
    }

    /// A personal link, whole address.
    pub(super) fn link(&self, session: SessionId) -> String {
        format!("{}/c/{}", self.options.public_origin(), self.links.token(session))
    }

    /// Title of the sitting's programme.
    pub(super) async fn title(
        &self,
        centre: CentreId,
        sitting: &synaq_store::SittingRow,
    ) -> Result<synaq_core::bank::Text, Refused> {
        let stored = self.directory.programme(centre, sitting.programme).await?;
        Ok(self.library.programme(centre, &stored).await?.0.title)
    }

    fn row(&self, row: synaq_store::CandidateRow, summary: SessionSummary) -> CandidateRow {
        let (candidate, standing) = (row.candidate, row.standing);
        let session = candidate.session;
        CandidateRow {
            session: session.0,
            id_hint: super::results::id_hint(&candidate.identity),
            link: self.link(session),
            extra_minutes: candidate.extra_minutes,
            accommodation: Accommodation {
                extra_minutes: candidate.extra_minutes,
                extra_pct: candidate.more.extra_pct,
                switched_off: candidate.switched_off,
                breaks: candidate.more.care.breaks,
                hearing_aid: candidate.more.care.hearing_aid,
                note: candidate.more.care.note,
            },
            email: candidate.more.email,
            version: standing.version,
            attempt: standing.attempt,
            withdrawn: standing.withdrawn.as_ref().map(|withdrawn| ended(withdrawn, None)),
            voided: standing.voided.as_ref().map(|(ground, voided)| ended(voided, Some(ground))),
            replaces: candidate.more.replaces.map(|session| session.0),
            name: candidate.name,
            summary,
        }
    }
}

//! One candidate of a sitting: put right, granted something, withdrawn.

use super::Audit;
use super::arrange::{Desk, changes};
use super::list;
use super::sittings::Shelf;
use crate::auth::who::Who;
use crate::body::Json;
use crate::convert;
use crate::problem::Refused;
use crate::timeline::Names;
use axum::extract::{Path, State};
use synaq_core::ids::SessionId;
use synaq_store::{CandidateRow, Ended};
use synaq_wire::centre::{CandidateDetail, ChangeCandidate, Told, WithdrawCandidate};
use synaq_wire::problem::Code;

/// The candidate with everything that was changed.
pub(crate) async fn show(
    State(desk): State<Desk>,
    State(shelf): State<Shelf>,
    Path(session): Path<String>,
    who: Who,
) -> Result<axum::Json<CandidateDetail>, Refused> {
    let candidate = read(&desk, &who, &session).await?;
    let names = Names::of(&desk.directory, candidate.centre).await?;
    let stored = desk.directory.changes_of(candidate.centre, candidate.candidate.session.0).await?;
    let sitting = candidate.sitting.0;
    Ok(axum::Json(CandidateDetail {
        row: shelf.candidate(candidate).await?,
        sitting,
        changes: changes(stored, &names),
        codes: convert::codes(),
    }))
}

/// Name and address until the record is sealed, what is granted until the exam starts.
pub(crate) async fn change(
    State(desk): State<Desk>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<ChangeCandidate>,
) -> Result<axum::Json<Told>, Refused> {
    let mut candidate = read(&desk, &who, &session).await?;
    let sitting = desk.directory.sitting(candidate.centre, candidate.sitting).await?;
    let programme = desk.directory.programme(candidate.centre, sitting.programme).await?;
    let why = desk.why(&who, &body.reason)?;
    let minutes = list::programme_minutes(&programme)?;
    let line = list::one(
        list::Judge::Known,
        &body.name,
        &candidate.candidate.identity,
        body.email.as_deref(),
        body.accommodation,
        minutes,
    )?;
    let state = desk.state(candidate.candidate.session).await?;
    let before = candidate.candidate.clone();
    line.put(&mut candidate.candidate);
    let renamed = before.name != candidate.candidate.name;
    if renamed && matches!(&*state, "sealed" | "approved") {
        return Err(Code::RecordSealed.into());
    }
    let granted = |of: &synaq_store::NewCandidate| {
        (of.extra_minutes, of.more.extra_pct, of.switched_off.clone(), of.more.care.clone())
    };
    if granted(&before) != granted(&candidate.candidate) && !matches!(&*state, "created" | "preparing") {
        return Err(Code::ExamStarted.into());
    }
    candidate.standing.version = body.version;
    let candidate = desk.directory.change_candidate(candidate, why.clone()).await?;
    audit.note(&who, "candidate_changed", candidate.candidate.session.to_string()).await?;
    Ok(axum::Json(desk.tell(&sitting, vec![candidate], &why).await?))
}

/// Before the start; whoever has begun is ended by a proctor.
pub(crate) async fn withdraw(
    State(desk): State<Desk>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<WithdrawCandidate>,
) -> Result<axum::Json<Told>, Refused> {
    let mut candidate = read(&desk, &who, &session).await?;
    let sitting = desk.directory.sitting(candidate.centre, candidate.sitting).await?;
    let why = desk.why(&who, &body.reason)?;
    if !matches!(&*desk.state(candidate.candidate.session).await?, "created" | "preparing") {
        return Err(Code::ExamStarted.into());
    }
    let ended = Ended { at: why.at, reason: why.reason.clone() };
    let before = std::mem::replace(&mut candidate.standing.withdrawn, body.withdrawn.then_some(ended));
    candidate.standing.version = body.version;
    let mut candidate = desk.directory.change_candidate(candidate, why.clone()).await?;
    let told = desk.tell(&sitting, vec![candidate.clone()], &why).await?;
    if told.running > 0 && body.withdrawn {
        // Somebody pressed the button in the same moment: the exam goes on, and the list says so.
        candidate.standing.withdrawn = before;
        desk.directory.change_candidate(candidate, why).await?;
        return Err(Code::ExamStarted.into());
    }
    let action = if body.withdrawn { "candidate_withdrawn" } else { "candidate_taken_back" };
    audit.note(&who, action, candidate.candidate.session.to_string()).await?;
    Ok(axum::Json(told))
}

pub(super) async fn read(desk: &Desk, who: &Who, session: &str) -> Result<CandidateRow, Refused> {
    let session: SessionId = session.parse().map_err(|_| Code::NotFound)?;
    Ok(desk.directory.candidate(who.staff.centre, session).await?)
}

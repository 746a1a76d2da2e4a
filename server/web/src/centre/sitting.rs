//! Changing one sitting: its times, its size, its end before it began.

use super::Audit;
use super::arrange::Desk;
use super::sittings::{Times, named};
use crate::auth::who::Who;
use crate::body::Json;
use crate::form::Form;
use crate::problem::Refused;
use axum::extract::{Path, State};
use synaq_core::ids::SittingId;
use synaq_core::time::At;
use synaq_store::{CandidateRow, Ended, SittingRow};
use synaq_wire::centre::{CancelSitting, ChangeSitting, Told};
use synaq_wire::problem::Code;

/// Moves, renames, limits. Exams that run keep their clocks; those in preparation see the new times at once.
pub(crate) async fn change(
    State(desk): State<Desk>,
    State(audit): State<Audit>,
    Path(id): Path<String>,
    who: Who,
    Json(body): Json<ChangeSitting>,
) -> Result<axum::Json<Told>, Refused> {
    let mut sitting = read(&desk, &who, &id).await?;
    if sitting.standing.cancelled.is_some() {
        return Err(Code::SittingCancelled.into());
    }
    let times = Times::of(body.opens_at, body.closes_at)?;
    let why = desk.why(&who, &body.reason)?;
    sitting.title = named(&body.title, body.capacity)?;
    if let Some(most) = body.capacity {
        holds(most, &desk.directory.candidates(sitting.centre, sitting.id).await?)?;
    }
    (sitting.opens_at, sitting.closes_at) = (At(times.opens_at), At(times.closes_at));
    sitting.standing.capacity = body.capacity;
    sitting.standing.version = body.version;
    let sitting = desk.directory.change_sitting(sitting, why.clone()).await?;
    audit.note(&who, "sitting_changed", sitting.id.to_string()).await?;
    let candidates = desk.directory.candidates(sitting.centre, sitting.id).await?;
    Ok(axum::Json(desk.tell(&sitting, candidates, &why).await?))
}

/// Whoever has not begun reads that the sitting is cancelled, and why; exams that run go on.
pub(crate) async fn cancel(
    State(desk): State<Desk>,
    State(audit): State<Audit>,
    Path(id): Path<String>,
    who: Who,
    Json(body): Json<CancelSitting>,
) -> Result<axum::Json<Told>, Refused> {
    let mut sitting = read(&desk, &who, &id).await?;
    let why = desk.why(&who, &body.reason)?;
    if sitting.standing.cancelled.is_none() {
        sitting.standing.cancelled = Some(Ended { at: why.at, reason: why.reason.clone() });
        sitting.standing.version = body.version;
        sitting = desk.directory.change_sitting(sitting, why.clone()).await?;
        audit.note(&who, "sitting_cancelled", sitting.id.to_string()).await?;
    }
    let candidates = desk.directory.candidates(sitting.centre, sitting.id).await?;
    Ok(axum::Json(desk.tell(&sitting, candidates, &why).await?))
}

/// Nobody who is in the sitting loses their place by its size.
fn holds(most: u32, candidates: &[CandidateRow]) -> Result<(), Refused> {
    let taken = candidates.iter().filter(|row| row.counts()).count();
    let mut form = Form::default();
    if usize::try_from(most).is_ok_and(|most| most < taken) {
        form.mistake("capacity", "places_taken", format!("{taken} candidates are in it"));
    }
    form.done()
}

async fn read(desk: &Desk, who: &Who, id: &str) -> Result<SittingRow, Refused> {
    let id: SittingId = id.parse().map_err(|_| Code::NotFound)?;
    Ok(desk.directory.sitting(who.staff.centre, id).await?)
}

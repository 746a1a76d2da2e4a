//! An attempt that does not count, and the one that takes its place.

use super::Audit;
use super::arrange::Desk;
use super::candidate::read;
use super::candidates::Maker;
use super::sittings::Shelf;
use crate::auth::who::Who;
use crate::body::Json;
use crate::problem::Refused;
use axum::extract::{Path, State};
use synaq_core::ids::{SessionId, SittingId};
use synaq_core::session::{Effect, Input, StaffCommand};
use synaq_store::{CandidateMore, CandidateRow as Stored, Ended, NewCandidate};
use synaq_wire::centre::{CandidateRow, VoidAttempt};
use synaq_wire::problem::{Code, Problem};

/// Why an attempt does not count.
const GROUNDS: &[&str] = &["technical", "appeal", "identity", "illness", "procedure", "other"];

/// Declares an attempt void and issues another, if a sitting for it is named. Each step can be done again after it was
/// cut off in the middle: what is there already is not made twice. The old record stays, and says so.
pub(crate) async fn void(
    State(desk): State<Desk>,
    State(shelf): State<Shelf>,
    State(maker): State<Maker>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<VoidAttempt>,
) -> Result<axum::Json<Option<CandidateRow>>, Refused> {
    let candidate = read(&desk, &who, &session).await?;
    let id = candidate.candidate.session;
    if !GROUNDS.contains(&&*body.ground) {
        let detail = format!("ground is one of {}", GROUNDS.join(", "));
        return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
    }
    let why = desk.why(&who, &body.reason)?;
    if !matches!(&*desk.state(id).await?, "closed" | "sealed" | "approved") {
        return Err(Code::WrongStage.into());
    }
    if let Some(sitting) = body.sitting {
        let sitting = desk.directory.sitting(candidate.centre, SittingId(sitting)).await?;
        if sitting.standing.cancelled.is_some() {
            return Err(Code::SittingCancelled.into());
        }
        if sitting.closes_at <= why.at {
            return Err(Code::TimesOutOfOrder.into());
        }
    }
    let mut voided = candidate.clone();
    if voided.standing.voided.is_none() {
        let ended = Ended { at: why.at, reason: why.reason.clone() };
        voided.standing.voided = Some((body.ground.clone(), ended));
        voided.standing.version = body.version;
        voided = desk.directory.change_candidate(voided, why.clone()).await?;
        audit.note(&who, "attempt_voided", id.to_string()).await?;
    }
    let next = issue(&desk, &maker, &candidate, body.sitting).await?;
    let Some((ground, ended)) = voided.standing.voided else { return Err(Code::Internal.into()) };
    let command = StaffCommand::Void { ground, reason: ended.reason, replaced_by: next };
    let done = desk.runtime.submit(id, Input::Staff { by: why.by, command }).await?;
    for effect in &done.effects {
        if let Effect::Refused(refusal) = effect {
            return Err(refusal.into());
        }
    }
    let Some(next) = next else { return Ok(axum::Json(None)) };
    audit.note(&who, "attempt_issued", next.to_string()).await?;
    let row = desk.directory.candidate(who.staff.centre, next).await?;
    Ok(axum::Json(Some(shelf.candidate(row).await?)))
}

/// The attempt in place of `old`: the one that is there, or a new one in that sitting.
async fn issue(
    desk: &Desk,
    maker: &Maker,
    old: &Stored,
    sitting: Option<uuid::Uuid>,
) -> Result<Option<SessionId>, Refused> {
    let id = old.candidate.session;
    if let Some(there) = desk.directory.replacement(old.centre, id).await? {
        return Ok(Some(there));
    }
    let Some(sitting) = sitting else { return Ok(None) };
    let (session, wrapped_key) = maker.keys().ok_or(Code::Busy)?;
    let new = NewCandidate {
        session,
        wrapped_key,
        more: CandidateMore { replaces: Some(id), ..old.candidate.more.clone() },
        ..old.candidate.clone()
    };
    let added = desk.directory.add_candidates(old.centre, SittingId(sitting), vec![new]).await?;
    Ok(added.first().map(|row| row.candidate.session))
}

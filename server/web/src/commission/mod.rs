//! The commission's side: approves records; the list of them is the centre's with fewer states.

use crate::auth::who::Who;
use crate::body::Json;
use crate::centre::Audit;
use crate::owner::own;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use synaq_core::session::{Effect, Input, Ruling, StaffCommand};
use synaq_runtime::Handle;
use synaq_wire::centre::Approve;
use synaq_wire::problem::Code;

/// Approves exactly the record that was shown (LAW-04).
pub(crate) async fn approve(
    State(runtime): State<Handle>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
    Json(body): Json<Approve>,
) -> Result<StatusCode, Refused> {
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    if snapshot.session.state().sealed.is_none() {
        return Err(Code::RecordNotSealed.into());
    }
    let ruling = body.ruling.map(|ruling| Ruling { valid: ruling.valid, note: ruling.note });
    let command = StaffCommand::Approve { sha256: body.sha256, note: body.note, ruling };
    let done = runtime.submit(snapshot.id, Input::Staff { by: who.staff.id, command }).await?;
    for effect in &done.effects {
        if let Effect::Refused(refusal) = effect {
            return Err(refusal.into());
        }
    }
    audit.note(&who, "record_approved", snapshot.id.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

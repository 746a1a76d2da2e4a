//! The commission's side: reviews records and approves them.

use crate::auth::who::Who;
use crate::body::Json;
use crate::centre::{Audit, Register, result_rows};
use crate::owner::own;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use synaq_core::session::{Effect, Input, Ruling, StaffCommand};
use synaq_runtime::Handle;
use synaq_wire::centre::{Approve, ResultRow};
use synaq_wire::problem::Code;

/// Sealed and approved records of the centre, newest sitting first.
pub(crate) async fn records(
    State(register): State<Register>,
    who: Who,
) -> Result<axum::Json<Vec<ResultRow>>, Refused> {
    let rows = result_rows(&register, who.staff.centre).await?;
    let sealed = |row: &ResultRow| matches!(row.summary.state.as_str(), "sealed" | "approved");
    Ok(axum::Json(rows.into_iter().filter(sealed).collect()))
}

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

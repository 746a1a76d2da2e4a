//! Hand-over of a shift, and the centre's look at who is watched.

use super::presence::Presence;
use crate::auth::link::LinkKey;
use crate::auth::who::Who;
use crate::body::Json;
use crate::centre::{Audit, Links};
use crate::doors::Options;
use crate::mail::veiled;
use crate::owner::own;
use crate::problem::Refused;
use crate::timeline::Names;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::collections::BTreeSet;
use std::sync::Arc;
use synaq_core::ids::SittingId;
use synaq_runtime::{Clock, Handle};
use synaq_store::{Directory, ShiftNote};
use synaq_wire::centre::LettersPosted;
use synaq_wire::limits::MESSAGE_CHARS;
use synaq_wire::problem::{Code, Problem};
use synaq_wire::proctor::{NewShiftNote, PersonalLink, ShiftNoteRow, SittingDuty};

/// Notes shown: a shift writes a handful.
const NOTES_MAX: u32 = 100;

/// What the shifts before left.
pub(crate) async fn notes(
    State(directory): State<Arc<dyn Directory>>,
    Path(sitting): Path<String>,
    who: Who,
) -> Result<axum::Json<Vec<ShiftNoteRow>>, Refused> {
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let centre = who.staff.centre;
    directory.sitting(centre, sitting).await?;
    let names = Names::of(&directory, centre).await?;
    let notes = directory.shift_notes(centre, sitting, NOTES_MAX).await?;
    let row = |note: ShiftNote| ShiftNoteRow { at: note.at.0, by: names.get(note.staff), text: note.text };
    Ok(axum::Json(notes.into_iter().map(row).collect()))
}

/// Left for the next shift.
pub(crate) async fn add_note(
    State(directory): State<Arc<dyn Directory>>,
    State(clock): State<Arc<dyn Clock>>,
    Path(sitting): Path<String>,
    who: Who,
    Json(body): Json<NewShiftNote>,
) -> Result<StatusCode, Refused> {
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let centre = who.staff.centre;
    directory.sitting(centre, sitting).await?;
    if body.text.trim().is_empty() || body.text.chars().count() > MESSAGE_CHARS {
        let detail = format!("a note has 1 to {MESSAGE_CHARS} characters");
        return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
    }
    let (staff, at) = (who.staff.id, clock.now());
    directory.add_shift_note(ShiftNote { centre, sitting, staff, at, text: body.text }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who sits now, and who watches: only of sittings in which somebody is here.
pub(crate) async fn centre(
    State(directory): State<Arc<dyn Directory>>,
    State(presence): State<Arc<Presence>>,
    who: Who,
) -> Result<axum::Json<Vec<SittingDuty>>, Refused> {
    let sittings = directory.sittings(who.staff.centre).await?;
    let row = |(sitting, _): (synaq_store::SittingRow, u32)| {
        presence.attendance(sitting.id).map(|attendance| SittingDuty {
            sitting: sitting.id.0,
            title: sitting.title,
            here: u32::try_from(attendance.here).unwrap_or(u32::MAX),
            proctors: attendance.proctors,
        })
    };
    Ok(axum::Json(sittings.into_iter().filter_map(row).collect()))
}

/// The candidate's link, for whoever lost it. It opens an exam, so who saw it is noted.
pub(crate) async fn link(
    State(runtime): State<Handle>,
    State(links): State<LinkKey>,
    State(options): State<Arc<Options>>,
    State(audit): State<Audit>,
    State(letters): State<Links>,
    Path(session): Path<String>,
    who: Who,
) -> Result<axum::Json<PersonalLink>, Refused> {
    let centre = who.staff.centre;
    let snapshot = own(&runtime, centre, &session).await?;
    audit.note(&who, "link_shown", snapshot.id.to_string()).await?;
    let link = format!("{}/c/{}", options.public_origin(), links.token(snapshot.id));
    let mail = letters.address(centre, snapshot.id).await?.map(|address| veiled(&address));
    Ok(axum::Json(PersonalLink { link, mail }))
}

/// The link once more by mail.
pub(crate) async fn mail_link(
    State(runtime): State<Handle>,
    State(letters): State<Links>,
    Path(session): Path<String>,
    who: Who,
) -> Result<axum::Json<LettersPosted>, Refused> {
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    let sitting = snapshot.session.state().sitting.ok_or(Code::NotFound)?;
    Ok(axum::Json(letters.post(&who, sitting, &BTreeSet::from([snapshot.id.0])).await?))
}

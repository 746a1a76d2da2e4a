//! Stills, photos and live pictures, each only for the centre's own candidates.

use super::Lookers;
use crate::auth::rate::Rates;
use crate::auth::who::Who;
use crate::calm::{Calm, calm};
use crate::convert;
use crate::evidence::Evidence;
use crate::line_stills::LineStills;
use crate::owner::own;
use crate::peers::{Owner, Peers};
use crate::problem::Refused;
use crate::query::Query;
use crate::sdp;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::io::Read;
use std::sync::Arc;
use synaq_media::Handle as Media;
use synaq_runtime::Handle;
use synaq_wire::limits::PHOTO_BYTES;
use synaq_wire::problem::Code;

/// The newest still, whichever way it came.
pub(crate) async fn still(
    _: Calm,
    State(runtime): State<Handle>,
    State(media): State<Media>,
    State(stills): State<Arc<LineStills>>,
    Path(session): Path<String>,
    who: Who,
) -> Result<Response, Refused> {
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    let (media_type, picture) = stills.newest(&media, snapshot.id).ok_or(Code::NoPicture)?;
    Ok(([(CONTENT_TYPE, media_type)], picture).into_response())
}

/// Which of several photos of a kind.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Photo {
    sha256: Option<String>,
}

/// The photo of a kind with that digest; without one that of the admission.
pub(crate) async fn photo(
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    Path((session, kind)): Path<(String, String)>,
    Query(Photo { sha256 }): Query<Photo>,
    who: Who,
) -> Result<Response, Refused> {
    let kind = convert::photo_kind(&kind).ok_or(Code::NotFound)?;
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    let state = snapshot.session.state();
    let rechecked = state.recheck.as_ref().and_then(|recheck| recheck.photos.get(&kind));
    let asked = rechecked.filter(|photo| sha256.as_ref() == Some(&photo.sha256));
    let name = asked.or_else(|| state.photos.get(&kind)).ok_or(Code::NoPicture)?.name.clone();
    let session = snapshot.id;
    let read = tokio::task::spawn_blocking(move || {
        let opened = evidence.open(session, &name)?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(PHOTO_BYTES).unwrap_or(u64::MAX);
        opened.plain.take(limit).read_to_end(&mut bytes).map(|_| bytes)
    });
    let Ok(Ok(bytes)) = read.await else {
        tracing::error!(%session, "a stored photo cannot be read");
        return Err(Code::StoreUnavailable.into());
    };
    Ok(([(CONTENT_TYPE, "image/jpeg")], bytes).into_response())
}

/// Which of a candidate's pictures is looked at.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Track {
    /// With the sound
    #[default]
    Webcam,
    /// By itself
    Screen,
}

/// How closely it is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    /// All pictures, with the sound
    #[default]
    Whole,
    /// For a tile
    Small,
}

/// What is asked for beside the offer, or of a connection that stands.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    track: Track,
    #[serde(default)]
    size: Size,
}

/// A live picture.
#[expect(clippy::too_many_arguments, reason = "each is an extractor of the route")]
pub(crate) async fn whep(
    State(runtime): State<Handle>,
    State(media): State<Media>,
    State(peers): State<Arc<Peers>>,
    State(lookers): State<Arc<Lookers>>,
    State(rates): State<Arc<Rates>>,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
    who: Who,
    request: Request,
) -> Result<Response, Refused> {
    calm(&runtime)?;
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    // A wall of 30 asks for 30 at once, so candidates are counted apart.
    rates.offer(uuid::Uuid::from_u128(who.staff.id.0.as_u128() ^ snapshot.id.0.as_u128()))?;
    let offer = sdp::offer(request).await?;
    let answer = match wanted.track {
        Track::Screen => media.view_screen(snapshot.id.0, offer).await?,
        Track::Webcam => media.view(snapshot.id.0, offer).await?,
    };
    if wanted.size == Size::Small {
        // It may have ended by itself: whoever offered it hears of that there.
        let _ = media.resize(answer.resource, true).await;
    }
    peers.keep(answer.resource, Owner::Staff(who.cookie));
    lookers.note(snapshot.id, answer.stays.clone());
    Ok(sdp::created(answer, "/api/v1/proctor/whep"))
}

/// How closely a live picture is looked at from now on.
pub(crate) async fn resize_whep(
    State(peers): State<Arc<Peers>>,
    Path(resource): Path<String>,
    Query(wanted): Query<Wanted>,
    who: Who,
) -> Result<StatusCode, Refused> {
    peers.resize(&resource, Owner::Staff(who.cookie), wanted.size == Size::Small).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a live picture.
pub(crate) async fn close_whep(
    State(peers): State<Arc<Peers>>,
    Path(resource): Path<String>,
    who: Who,
) -> Result<StatusCode, Refused> {
    peers.close(&resource, Owner::Staff(who.cookie)).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The clip of what was held against a candidate, for that candidate: by the personal link, then by a link that is good
//! for some minutes. Each view is in the audit log.

use super::own_log::ended;
use crate::auth::link::LinkKey;
use crate::auth::rate::{From, Rates};
use crate::body::Json;
use crate::centre::ranged;
use crate::playback::{Link, Player, clip_of, open};
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;
use synaq_wire::candidate::OpenLink;
use synaq_wire::playback::ClipView;
use synaq_wire::problem::{Code, Problem};

/// Where the clip is; asking is not yet a view.
pub(crate) async fn show(
    State(player): State<Player>,
    State(links): State<LinkKey>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Path(incident): Path<String>,
    Json(body): Json<OpenLink>,
) -> Result<axum::Json<ClipView>, Refused> {
    let (snapshot, _) = ended(&body.link, &links, &rates, from, &player.runtime).await?;
    let key = player.key.clone();
    let clip = clip_of(player, &snapshot, &incident, |session, until, what| {
        Link { session, staff: None, until, what }.url(&key)
    });
    Ok(axum::Json(clip.await?))
}

/// What such a link leads to, whole or by range.
pub(crate) async fn piece(
    State(player): State<Player>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let link = Link::read(&token, &player.key, None, player.clock.now()).ok_or_else(|| {
        Problem::new(Code::NotFound).detail("this link is not good or no more; open the clip again")
    })?;
    let session = link.session;
    let centre = player.runtime.look(session).await?.session.state().centre.ok_or(Code::NotFound)?;
    let (views, audit) = (Arc::clone(&player.views), player.audit.clone());
    let piece = open(player, link).await?;
    views.note_candidate(&audit, centre, session, "candidate_clip_viewed", piece.object).await?;
    Ok(ranged(piece.plain, piece.bytes, "video/webm", &headers))
}

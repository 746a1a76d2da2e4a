//! What a link leads to, whole or by range.

use super::clip::{ClipOf, cut_of};
use super::link::{Link, What};
use super::player::Player;
use crate::auth::who::Who;
use crate::centre::ranged;
use crate::evidence::Plain;
use crate::owner::own;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::io::{self, Cursor};
use std::sync::Arc;
use synaq_media::Playback;
use synaq_wire::problem::{Code, Problem};

/// A recording or a clip; who looks at it for the first time is in the audit log before the first byte.
pub(crate) async fn show(
    State(player): State<Player>,
    Path(token): Path<String>,
    headers: HeaderMap,
    who: Who,
) -> Result<Response, Refused> {
    let link = Link::read(&token, &player.key, Some(who.staff.id), player.clock.now()).ok_or_else(|| {
        Problem::new(Code::NotFound).detail("this link is not good or no more; open the recording again")
    })?;
    // A role or a centre may have changed since.
    own(&player.runtime, who.staff.centre, &link.session.to_string()).await?;
    let (views, audit) = (Arc::clone(&player.views), player.audit.clone());
    let piece = open(player, link).await?;
    views.note(&audit, &who, "evidence_viewed", piece.object).await?;
    Ok(ranged(piece.plain, piece.bytes, "video/webm", &headers))
}

/// What a link leads to, opened.
pub(crate) struct Piece {
    /// As the audit log names it
    pub(crate) object: String,
    pub(crate) plain: Box<dyn Plain>,
    pub(crate) bytes: u64,
}

/// The caller has checked that whoever asks may see it, and writes down that they did.
pub(crate) async fn open(player: Player, link: Link) -> Result<Piece, Refused> {
    let Player { evidence, indexes, clips, .. } = player;
    let session = link.session;
    let (object, read): (_, Read) = match link.what {
        What::Piece { name, bytes } => (
            format!("{session}/{name}"),
            Box::new(move || {
                let (opened, index) = indexes.open(&*evidence, session, &name, bytes)?;
                let bytes = index.file_bytes();
                Ok((Box::new(Playback::new(opened.plain, index)) as Box<dyn Plain>, bytes))
            }),
        ),
        What::Local { name } => (
            format!("{session}/{name}"),
            Box::new(move || {
                let opened = evidence.open(session, &name)?;
                let bytes = opened.bytes;
                Ok((opened.plain, bytes))
            }),
        ),
        What::Clip { incident, from, to, screen } => (
            format!("{session}/clip-{incident:04}{}", if screen { "-screen" } else { "" }),
            Box::new(move || {
                let of = if screen { ClipOf::Screen } else { ClipOf::Webcam };
                let cut = || cut_of(&*evidence, &indexes, session, of, from, to);
                let clip = clips.get((session, of, from, to), cut)?.ok_or(io::ErrorKind::NotFound)?;
                let bytes = clip.webm.len() as u64;
                Ok((Box::new(Cursor::new(Bytes(clip))) as Box<dyn Plain>, bytes))
            }),
        ),
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|_| Code::Internal)?;
    let (plain, bytes) = read.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Code::NotFound,
        _ => {
            tracing::error!(%session, %error, "a recording cannot be read");
            Code::StoreUnavailable
        }
    })?;
    Ok(Piece { object, plain, bytes })
}

type Read = Box<dyn FnOnce() -> io::Result<(Box<dyn Plain>, u64)> + Send>;

/// A clip's file, shared with the cache.
struct Bytes(Arc<synaq_media::Clip>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.webm
    }
}

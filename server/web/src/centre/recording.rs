//! A recording ready to play: with a duration and an index of its key frames, which the sealed bytes do not have. Those
//! are served as they are by `evidence`.

use super::evidence::{is_name, media_type, ranged};
use crate::auth::who::Who;
use crate::evidence::Erased;
use crate::owner::own;
use crate::playback::Player;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use std::io;
use synaq_core::session::local;
use synaq_media::Playback;
use synaq_wire::problem::{Code, Problem};

/// How much of a recording that may still grow is played: with it every range is one of the same file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpTo {
    bytes: Option<u64>,
}

/// The recording, or a range of it; each view in the audit log.
pub(crate) async fn show(
    State(player): State<Player>,
    Path((session, name)): Path<(String, String)>,
    Query(up_to): Query<UpTo>,
    headers: HeaderMap,
    who: Who,
) -> Result<Response, Refused> {
    let Player { runtime, evidence, audit, indexes, views, .. } = player;
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    let media_type = media_type(&name);
    if !is_name(&name) || media_type != "video/webm" {
        return Err(Code::NotFound.into());
    }
    // A browser's own file, played as it is: our index is for what our recorder wrote.
    if local::number(&name).is_some() {
        let opened = super::evidence::open(evidence, snapshot.id, name.clone()).await?;
        audit.note(&who, "evidence_viewed", format!("{}/{name}", snapshot.id)).await?;
        return Ok(ranged(opened.plain, opened.bytes, media_type, &headers));
    }
    let session = snapshot.id;
    let (piece, most) = (name.clone(), up_to.bytes.unwrap_or(u64::MAX));
    let opened = tokio::task::spawn_blocking(move || indexes.open(&*evidence, session, &piece, most)).await;
    let (opened, index) = match opened.map_err(|_| Code::Internal)? {
        Ok(opened) => opened,
        Err(error) if Erased::is(&error) => return Err(Code::EvidenceErased.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Code::NotFound.into()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let detail = "this recording cannot be played; its bytes are to be had as evidence";
            return Err(Problem::new(Code::NotFound).detail(detail).into());
        }
        Err(error) => {
            tracing::error!(%session, error = &error as &dyn std::error::Error, "a recording cannot be read");
            return Err(Code::StoreUnavailable.into());
        }
    };
    views.note(&audit, &who, "evidence_viewed", format!("{session}/{name}")).await?;
    let bytes = index.file_bytes();
    Ok(ranged(Box::new(Playback::new(opened.plain, index)), bytes, media_type, &headers))
}

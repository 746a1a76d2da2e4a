//! Evidence as it was recorded, whole or by range, each view in the audit log (ranges of one piece are one view).

use super::Audit;
use crate::auth::who::Who;
use crate::evidence::{Erased, Evidence, Opened, Plain};
use crate::owner::own;
use crate::playback::Views;
use crate::problem::Refused;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_runtime::Handle;
use synaq_wire::problem::Code;
use tokio::sync::mpsc;

/// Read at once; a sealed chunk is opened as a whole anyway.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces read ahead of a slow reader.
const AHEAD: usize = 2;
const NAME_BYTES: usize = 64;

/// A piece of evidence, or a range of it.
pub(crate) async fn show(
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(audit): State<Audit>,
    State(views): State<Arc<Views>>,
    Path((session, name)): Path<(String, String)>,
    headers: HeaderMap,
    who: Who,
) -> Result<Response, Refused> {
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    if !is_name(&name) {
        return Err(Code::NotFound.into());
    }
    let session = snapshot.id;
    let opened = open(evidence, session, name.clone()).await?;
    views.note(&audit, &who, "evidence_viewed", format!("{session}/{name}")).await?;
    Ok(ranged(opened.plain, opened.bytes, media_type(&name), &headers))
}

/// The asked range of `bytes` bytes, or all of them.
pub(crate) fn ranged(
    plain: Box<dyn Plain>,
    bytes: u64,
    media_type: &'static str,
    headers: &HeaderMap,
) -> Response {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, from, to) = match range.map(|range| wanted(range, bytes)) {
        None | Some(Wanted::Everything) => (StatusCode::OK, 0, bytes),
        Some(Wanted::Part(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Wanted::Nothing) => {
            let range = HeaderValue::from_str(&format!("bytes */{bytes}"));
            let range = range.expect("digits are header text");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, range)]).into_response();
        }
    };
    let mut response = (status, Body::from_stream(read(plain, from, to))).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(to - from));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{bytes}", to - 1);
        headers.insert(CONTENT_RANGE, HeaderValue::from_str(&range).expect("digits are header text"));
    }
    response
}

pub(super) async fn open(
    evidence: Arc<dyn Evidence>,
    session: SessionId,
    name: String,
) -> Result<Opened, Refused> {
    let opened = tokio::task::spawn_blocking(move || evidence.open(session, &name)).await;
    match opened.map_err(|_| Code::Internal)? {
        Ok(opened) => Ok(opened),
        Err(error) if Erased::is(&error) => Err(Code::EvidenceErased.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Code::NotFound.into()),
        Err(error) => {
            tracing::error!(%session, error = &error as &dyn std::error::Error, "evidence cannot be opened");
            Err(Code::StoreUnavailable.into())
        }
    }
}

type Piece = io::Result<Bytes>;

/// `from..to` of the plaintext, read on a blocking thread that waits for its reader.
fn read(
    mut plain: Box<dyn Plain>,
    from: u64,
    to: u64,
) -> impl futures_util::Stream<Item = Piece> + Send + use<> {
    let (pieces, reader) = mpsc::channel::<Piece>(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = plain.seek(SeekFrom::Start(from)) {
            drop(pieces.blocking_send(Err(error)));
            return;
        }
        let mut left = to - from;
        while left > 0 {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
            let mut piece = vec![0; size];
            let piece = plain.read_exact(&mut piece).map(|()| Bytes::from(piece));
            let broken = piece.is_err();
            if pieces.blocking_send(piece).is_err() || broken {
                return;
            }
            left -= size as u64;
        }
    });
    stream::unfold(reader, async |mut reader| reader.recv().await.map(|piece| (piece, reader)))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Everything,
    /// From the first byte to behind the last
    Part(u64, u64),
    Nothing,
}

/// RFC 9110 section 14: one range of bytes; other units and lists of ranges may be answered with everything.
fn wanted(range: &str, bytes: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::Everything;
    };
    let (from, to) = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(bytes)),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, bytes),
        (Err(_), Ok(last)) if first.trim().is_empty() => (bytes.saturating_sub(last), bytes),
        _ => return Wanted::Everything,
    };
    if from < to { Wanted::Part(from, to) } else { Wanted::Nothing }
}

/// Names that recorders and photos have; nothing that could climb out of a folder.
pub(super) fn is_name(name: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(fit) && !name.starts_with('.')
}

/// By the name: what lies there was written by us.
pub(super) fn media_type(name: &str) -> &'static str {
    if name.ends_with(".webm") {
        "video/webm"
    } else if ["face-", "document-", "line-still-"].iter().any(|kind| name.starts_with(kind)) {
        "image/jpeg"
    } else if name.ends_with(".webp") {
        "image/webp"
    } else {
        "application/octet-stream"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        for (range, expected) in [
            ("bytes=0-9", Wanted::Part(0, 10)),
            ("bytes=90-", Wanted::Part(90, 100)),
            ("bytes=-10", Wanted::Part(90, 100)),
            ("bytes=-1000", Wanted::Part(0, 100)),
            ("bytes=50-1000", Wanted::Part(50, 100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=9-0", Wanted::Everything),
            ("bytes=0-1,5-6", Wanted::Everything),
            ("pages=1-2", Wanted::Everything),
            ("bytes=x-y", Wanted::Everything),
        ] {
            assert_eq!(wanted(range, 100), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
    }

    #[test]
    fn no_name_climbs() {
        for name in ["", "..", ".hidden", "a/b", "a\\b", "%2e", "A", "x y", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        for name in ["face-1", "webcam-0001.webm", "stills-0001"] {
            assert!(is_name(name), "{name}");
        }
    }
}

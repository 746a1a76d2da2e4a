//! Request bodies: bounded, and read only by those who are allowed to send them.

use crate::problem::Refused;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;
use synaq_wire::limits::BODY_BYTES;
use synaq_wire::problem::{Code, Problem};

/// What is too large is read on and thrown away up to here: a browser that is cut off while it sends shows its own
/// network error instead of ours.
const DRAINED_MAX: usize = 64 * 1024 * 1024;
/// A body must have come within this time: 5 MiB at 350 kbit/s.
const BODY_TIME: Duration = Duration::from_secs(120);

/// The whole body, at most `limit` bytes; `too_large` is the code beyond.
pub(crate) async fn read(body: Body, limit: usize, too_large: Code) -> Result<Bytes, Refused> {
    let late = Problem::new(Code::BodyMalformed).detail("the body did not come in time");
    tokio::time::timeout(BODY_TIME, read_bounded(body, limit, too_large)).await.map_err(|_| late)?
}

async fn read_bounded(body: Body, limit: usize, too_large: Code) -> Result<Bytes, Refused> {
    let mut stream = body.into_data_stream();
    let mut whole = BytesMut::new();
    let mut came = 0_usize;
    while let Some(piece) = stream.next().await {
        let Ok(piece) = piece else {
            return Err(Problem::new(Code::BodyMalformed).detail("the body broke off").into());
        };
        came = came.saturating_add(piece.len());
        if came <= limit {
            whole.extend_from_slice(&piece);
        } else {
            whole = BytesMut::new();
        }
        if came > DRAINED_MAX {
            break;
        }
    }
    if came > limit {
        return Err(Problem::new(too_large).detail(format!("at most {limit} bytes are taken")).into());
    }
    Ok(whole.freeze())
}

/// Without its parameters, lower case; empty if there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A JSON body of a documented shape.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        // A form of a foreign page can send text/plain, never this.
        if media_type(request.headers()) != "application/json" {
            return Err(Problem::new(Code::MediaTypeUnsupported).detail("send application/json").into());
        }
        let bytes = read(request.into_body(), BODY_BYTES, Code::BodyTooLarge).await?;
        // The parser's words can quote the body; its place cannot.
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(Code::BodyMalformed).detail(place).into()
        })
    }
}

/// A text body of one of `types`, UTF-8.
pub(crate) async fn text(request: Request, types: &[&str], limit: usize) -> Result<String, Refused> {
    accept(request.headers(), types)?;
    let bytes = read(request.into_body(), limit, Code::BodyTooLarge).await?;
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(Code::BodyMalformed).detail("the text is not UTF-8").into())
}

/// Refuses other content types.
pub(crate) fn accept(headers: &HeaderMap, types: &[&str]) -> Result<(), Refused> {
    if types.contains(&media_type(headers).as_str()) {
        return Ok(());
    }
    Err(Problem::new(Code::MediaTypeUnsupported).detail(format!("send {}", types.join(" or "))).into())
}

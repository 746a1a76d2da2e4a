//! WHIP (RFC 9725) and WHEP: an offer in, an answer out, DELETE on what the answer's `Location` names.

use crate::body;
use crate::problem::Refused;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use synaq_media::Answer;
use synaq_wire::limits::SDP_BYTES;
use synaq_wire::problem::Code;

/// The offer as text.
pub(crate) async fn offer(request: Request) -> Result<String, Refused> {
    body::accept(request.headers(), &["application/sdp"])?;
    read(request.into_body()).await
}

async fn read(body: Body) -> Result<String, Refused> {
    let bytes = body::read(body, SDP_BYTES, Code::SdpTooLarge).await?;
    String::from_utf8(bytes.into()).map_err(|_| Code::SdpMalformed.into())
}

/// 201 with the answer; `folder` is the path that resources lie under.
pub(crate) fn created(answer: Answer, folder: &str) -> Response {
    let location = format!("{folder}/{}", answer.resource);
    let location = HeaderValue::from_str(&location).expect("paths and hex digits are header text");
    let headers = [(LOCATION, location), (CONTENT_TYPE, HeaderValue::from_static("application/sdp"))];
    (StatusCode::CREATED, headers, answer.sdp).into_response()
}

//! WHIP (RFC 9725) and WHEP: an offer in, an answer out, DELETE on what the answer's `Location` names.

use crate::body;
use crate::problem::Refused;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use synaq_media::{Answer, Relay};
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
    let mut response = (StatusCode::CREATED, headers, answer.sdp).into_response();
    for link in answer.relay.iter().flat_map(links) {
        response.headers_mut().append(LINK, link);
    }
    response
}

/// The relay for whoever cannot reach us (RFC 9725, section 4.6): the page gives it to the browser before it gathers.
fn links(relay: &Relay) -> impl Iterator<Item = HeaderValue> {
    let Relay { username, credential, .. } = relay;
    relay.urls.iter().filter_map(move |url| {
        let line = format!(
            "<{url}>; rel=\"ice-server\"; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""
        );
        // Addresses were looked at when the configuration was read; one that is no header text is left out.
        let mut value = HeaderValue::from_str(&line).ok()?;
        value.set_sensitive(true);
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_relay_is_a_link_of_the_answer() {
        let relay = Relay {
            urls: ["turn:turn.example.kz?transport=udp", "turns:turn.example.kz"].map(str::to_owned).to_vec(),
            username: "1:a".to_owned(),
            credential: "b+/=".to_owned(),
        };
        let lines: Vec<_> = links(&relay).map(|link| link.to_str().unwrap().to_owned()).collect();
        assert_eq!(
            lines[0],
            "<turn:turn.example.kz?transport=udp>; rel=\"ice-server\"; username=\"1:a\"; credential=\"b+/=\"; credential-type=\"password\""
        );
        assert!(lines.len() == 2 && lines[1].starts_with("<turns:turn.example.kz>;"));
    }
}

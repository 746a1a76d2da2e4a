//! HTTP to the central platform. Classifies answers; whether a receipt is valid is the relay's to say.

use async_trait::async_trait;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use std::time::Duration;
use synaq_core::time::Span;
use synaq_runtime::{DeliveryError, PlatformAnswer, PlatformPort};
use synaq_store::{MessageKind, NewMessage};

/// Longer than any honest answer, shorter than a claim of the relay.
const TIME_OUT: Duration = Duration::from_secs(30);
/// A receipt has about 600 bytes.
const RECEIPT_BYTES: usize = 64 * 1024;

/// The platform behind an address.
#[derive(Debug)]
pub(crate) struct PlatformClient {
    base: String,
    http: reqwest::Client,
}

impl PlatformClient {
    /// For the platform at `base`, without trailing slash.
    pub(crate) fn new(base: String) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIME_OUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { base, http })
    }
}

#[async_trait]
impl PlatformPort for PlatformClient {
    async fn deliver(&self, message: &NewMessage) -> Result<PlatformAnswer, DeliveryError> {
        let path = match message.kind {
            MessageKind::Record => "records",
            MessageKind::Approval => "approvals",
            MessageKind::Void => "voids",
        };
        let answer = self
            .http
            .put(format!("{}/{path}/{}", self.base, message.id))
            .header(CONTENT_TYPE, "application/jose+json")
            .body(message.body.clone())
            .send()
            .await
            .map_err(|error| retry(error.without_url().to_string(), None))?;
        let status = answer.status();
        let after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse::<i64>().ok())
            .map(|seconds| Span::secs(seconds.clamp(1, 900)));
        let body = bounded(answer).await?;
        match status {
            StatusCode::OK | StatusCode::CREATED => Ok(PlatformAnswer { receipt: body }),
            // About this message, and the same tomorrow; anything else may pass.
            StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(DeliveryError::Refused { why: format!("{status}: {}", brief(&body)) })
            }
            _ => Err(retry(format!("{status}: {}", brief(&body)), after)),
        }
    }
}

fn retry(why: String, after: Option<Span>) -> DeliveryError {
    DeliveryError::Retry { why, after }
}

async fn bounded(mut answer: reqwest::Response) -> Result<String, DeliveryError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        answer.chunk().await.map_err(|error| retry(error.without_url().to_string(), None))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > RECEIPT_BYTES {
            return Err(retry("the platform's answer is too long".to_owned(), None));
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn brief(body: &str) -> String {
    body.chars().take(300).collect()
}

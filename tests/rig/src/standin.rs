//! Who answers instead of the platform: honest by handing on, or not.

use crate::watch::lock;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Hands everything on to the sandbox
    Honest,
    /// 500 without a look
    Broken,
    /// 200 with a text that is no receipt
    NoReceipt,
    /// 200 with the sandbox's own receipt and one letter of its signature changed
    ForgedReceipt,
    /// 200 with the receipt of another message
    OthersReceipt,
    /// Hands on, and answers only after this
    Slow(Duration),
    /// Takes the request and never answers
    Silent,
}

/// One request that it saw.
#[derive(Clone, Debug)]
pub struct Knock {
    pub at: Instant,
    pub path: String,
}

/// A listening stand-in; ends when dropped.
#[derive(Debug)]
pub struct StandIn {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    manner: Mutex<Manner>,
    knocks: Mutex<Vec<Knock>>,
    /// Receipts that the sandbox gave, by path
    receipts: Mutex<Vec<(String, String)>>,
    platform: String,
    http: reqwest::Client,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    /// In front of the sandbox at this port.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn before(platform: u16) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            manner: Mutex::new(Manner::Honest),
            knocks: Mutex::default(),
            receipts: Mutex::default(),
            platform: format!("http://127.0.0.1:{platform}"),
            http: reqwest::Client::builder().no_proxy().build()?,
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // It ends with the rig.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { port, shared, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub fn set(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// Everything it was asked.
    #[must_use]
    pub fn knocks(&self) -> Vec<Knock> {
        lock(&self.shared.knocks).clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    lock(&shared.knocks).push(Knock { at: Instant::now(), path: path.clone() });
    let manner = *lock(&shared.manner);
    match manner {
        Manner::Broken => return (StatusCode::INTERNAL_SERVER_ERROR, "no").into_response(),
        Manner::NoReceipt => return (StatusCode::OK, "{\"ok\":true}").into_response(),
        Manner::Silent => std::future::pending().await,
        Manner::Slow(span) => tokio::time::sleep(span).await,
        Manner::Honest | Manner::ForgedReceipt | Manner::OthersReceipt => {}
    }
    let mut asked = shared.http.request(method, format!("{}{path}", shared.platform)).body(body);
    if let Some(kind) = headers.get("content-type") {
        asked = asked.header("content-type", kind);
    }
    let Ok(got) = asked.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, text) = (got.status(), got.text().await.unwrap_or_default());
    let text = match manner {
        Manner::ForgedReceipt => forged(&text),
        Manner::OthersReceipt => {
            let known = lock(&shared.receipts);
            known.iter().find(|(of, _)| *of != path).map_or("{}".to_owned(), |(_, receipt)| receipt.clone())
        }
        _ => text.clone(),
    };
    if status.is_success() {
        lock(&shared.receipts).push((path, text.clone()));
    }
    let json = [("content-type", "application/json")];
    (StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY), json, text).into_response()
}

/// The same JWS with another signature of the same length.
fn forged(receipt: &str) -> String {
    let Ok(mut jws) = serde_json::from_str::<Value>(receipt) else { return "{}".to_owned() };
    if let Some(signature) = jws["signatures"][0]["signature"].as_str() {
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let other: String = std::iter::once(first).chain(signature.chars().skip(1)).collect();
        jws["signatures"][0]["signature"] = Value::String(other);
    }
    jws.to_string()
}

//! The platform's HTTP side.

use crate::archive::{Archive, Kept};
use crate::page;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use ring::rand::SecureRandom;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use synaq_seal::bundle::{APPROVAL_TYP, RECEIPT_TYP, RECORD_TYP, Statement, VOID_TYP};
use synaq_seal::jws::{self, Expected, Jws};
use synaq_seal::key::{Purpose, SigningKey, TrustSet};
use synaq_seal::{Digest, json as strict, sha256};
use uuid::Uuid;

/// A record of 600 questions has about 300 KiB.
const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// How far a centre's clock may be ahead of ours, in ms.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1_000;

/// Everything the platform is made of.
pub struct Platform {
    /// What it holds
    pub archive: Archive,
    /// Its own key
    pub key: SigningKey,
    /// File with the keys of the centres it trusts; read anew for every message, so that a rotation needs no restart
    pub trust: PathBuf,
    /// For signatures
    pub random: Box<dyn SecureRandom + Send + Sync>,
    /// Now, milliseconds UTC
    pub now: fn() -> i64,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("trust", &self.trust).finish_non_exhaustive()
    }
}

/// All routes: `PUT /records/{id}`, `PUT /approvals/{id}`, `PUT /voids/{id}`, `GET /api/messages`, and the page.
pub fn router(platform: Platform) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/messages/{id}", get(message))
        .route("/records/{id}", put(take_record))
        .route("/approvals/{id}", put(take_approval))
        .route("/voids/{id}", put(take_void))
        .route("/api/messages", get(list))
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES))
        .with_state(Arc::new(platform))
}

type Shared = State<Arc<Platform>>;

async fn index(State(platform): Shared) -> Response {
    page::index(&platform.archive.all())
}

async fn message(State(platform): Shared, Path(id): Path<Uuid>) -> Response {
    match platform.archive.get(id) {
        Some(kept) => page::message(&kept),
        None => {
            refusal(StatusCode::NOT_FOUND, "not_found", "no message of this id was received").into_response()
        }
    }
}

async fn list(State(platform): Shared) -> Response {
    let rows: Vec<Value> = platform
        .archive
        .all()
        .into_iter()
        .map(|kept| {
            json!({
                "id": kept.id, "kind": kept.kind, "sha256": kept.sha256,
                "received_at": kept.received_at, "platform_ref": kept.platform_ref,
            })
        })
        .collect();
    axum::Json(rows).into_response()
}

async fn take_record(state: Shared, id: Path<Uuid>, headers: HeaderMap, body: Bytes) -> Response {
    take(state, id, headers, body, Kind::Record).await
}

async fn take_approval(state: Shared, id: Path<Uuid>, headers: HeaderMap, body: Bytes) -> Response {
    take(state, id, headers, body, Kind::Approval).await
}

async fn take_void(state: Shared, id: Path<Uuid>, headers: HeaderMap, body: Bytes) -> Response {
    take(state, id, headers, body, Kind::Void).await
}

#[derive(Clone, Copy)]
enum Kind {
    Record,
    Approval,
    Void,
}

impl Kind {
    fn expected(self) -> (&'static str, Purpose, &'static str) {
        match self {
            Self::Record => (RECORD_TYP, Purpose::Seal, "record"),
            Self::Approval => (APPROVAL_TYP, Purpose::Approval, "approval"),
            Self::Void => (VOID_TYP, Purpose::Approval, "void"),
        }
    }

    /// When the message says that it was signed, ms UTC. A key is held against that time: what waited in an outbox while
    /// the centre changed its key stays good.
    fn signed_at(self, payload: &[u8]) -> Option<i64> {
        #[derive(Deserialize)]
        struct Record {
            sealed_at: i64,
        }
        let value = strict::parse(payload).ok()?;
        match self {
            Self::Record => Record::deserialize(value).ok().map(|record| record.sealed_at),
            Self::Approval | Self::Void => Statement::deserialize(value).ok().map(|statement| statement.at),
        }
    }
}

async fn take(
    State(platform): Shared,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Bytes,
    kind: Kind,
) -> Response {
    // Signatures and a synced file: not for the threads that serve sockets.
    let received = tokio::task::spawn_blocking(move || platform.receive(id, &headers, &body, kind)).await;
    match received.expect("receiving does not panic and is not cancelled") {
        Ok(kept) => axum::Json(kept.receipt).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

impl Platform {
    fn receive(&self, id: Uuid, headers: &HeaderMap, body: &[u8], kind: Kind) -> Result<Kept, Refusal> {
        if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != "application/jose+json") {
            return Err(refusal(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                "send a JWS in JSON serialisation as application/jose+json",
            ));
        }
        let (typ, purpose, name) = kind.expected();
        let message = strict::parse(body)
            .ok()
            .and_then(|value| serde_json::from_value::<Jws>(value).ok())
            .ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "message_malformed", "the body is not a JWS"))?;
        let unprocessable = |code, detail: &str| refusal(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        let signed_at = message.decode_payload().ok().and_then(|payload| kind.signed_at(&payload));
        let signed_at = signed_at
            .ok_or_else(|| unprocessable("payload_shape", "the payload does not say when it was signed"))?;
        if signed_at > (self.now)().saturating_add(CLOCK_SKEW_MS) {
            return Err(unprocessable("dated_ahead", "the payload is dated ahead of the platform's clock"));
        }
        let trust = self.trusted()?;
        let expected = Expected { typ, purpose, at: Some(signed_at) };
        let verified = jws::verify(&message, &expected, &trust)
            .map_err(|error| unprocessable("signature_invalid", &error.to_string()))?;
        let digest = sha256(&verified.payload);
        if let Some(known) = self.archive.get(id) {
            return self.same(known, digest);
        }
        if !strict::is_canonical(&verified.payload).unwrap_or(false) {
            return Err(unprocessable(
                "payload_not_canonical",
                "the payload is not canonical JSON (RFC 8785)",
            ));
        }
        let kept = self.receipt(id, name, digest, message)?;
        let kept = self.archive.keep(kept).map_err(|error| {
            tracing::error!(%error, "a message was not kept");
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "archive_unavailable",
                "the message was not kept; send it again",
            )
        })?;
        self.same(kept, digest)
    }

    /// The same message again gets the same receipt; another one under its id is an alarm.
    fn same(&self, known: Kept, digest: Digest) -> Result<Kept, Refusal> {
        if known.sha256 == digest.to_string() {
            return Ok(known);
        }
        Err(refusal(StatusCode::CONFLICT, "other_content", "another message was received under this id"))
    }

    fn trusted(&self) -> Result<TrustSet, Refusal> {
        let unavailable = |why: String| {
            tracing::error!(why, "the trusted keys cannot be read");
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "trust_unavailable",
                "the platform cannot read its trusted keys",
            )
        };
        let bytes = std::fs::read(&self.trust).map_err(|error| unavailable(error.to_string()))?;
        TrustSet::from_json(&bytes).map_err(|error| unavailable(error.to_string()))
    }

    fn receipt(&self, id: Uuid, kind: &str, digest: Digest, message: Jws) -> Result<Kept, Refusal> {
        let at = (self.now)();
        let received_at = instant(at);
        let platform_ref = format!("SB-{}", &id.simple().to_string()[..12].to_uppercase());
        let about =
            json!({ "kind": "receipt", "id": id, "received_at": received_at, "platform_ref": platform_ref });
        let about = about.as_object().cloned().expect("written as an object above");
        let statement = Statement { record_sha256: digest, at, about };
        let payload = statement.to_bytes().expect("a receipt is plain JSON");
        let receipt = jws::sign(&payload, RECEIPT_TYP, &self.key, self.random.as_ref()).map_err(|_| {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "signing_failed", "no receipt could be signed")
        })?;
        let sha256 = digest.to_string();
        Ok(Kept { id, kind: kind.to_owned(), sha256, received_at, platform_ref, message, receipt })
    }
}

struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

fn refusal(status: StatusCode, code: &'static str, detail: &str) -> Refusal {
    Refusal { status, code, detail: detail.to_owned() }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "status": self.status.as_u16(), "code": self.code, "detail": self.detail });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

fn instant(millis: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .map(|at| {
            format!(
                "{}T{:02}:{:02}:{:02}.{:03}Z",
                at.date(),
                at.hour(),
                at.minute(),
                at.second(),
                at.millisecond()
            )
        })
        .expect("the clock is within four-digit years")
}

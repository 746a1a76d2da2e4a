//! The sandbox as a sender meets it: over its routes, with a folder and keys of its own.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use synaq_platform::{Archive, Platform, router};
use synaq_seal::bundle::{APPROVAL_TYP, RECEIPT_TYP, RECORD_TYP, Statement, VOID_TYP};
use synaq_seal::jws::{self, Expected, Jws};
use synaq_seal::key::{Algorithm, Purpose, SigningKey, TrustSet, TrustedKey};
use synaq_seal::sha256;
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::Uuid;

const NOW: i64 = 1_795_219_200_000;
const ID: Uuid = Uuid::from_u128(0x5e55);

struct Bench {
    folder: TempDir,
    seal: SigningKey,
    approval: SigningKey,
    platform: SigningKey,
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

fn trusted(key: &SigningKey, purpose: Purpose, use_from: i64, use_to: Option<i64>) -> TrustedKey {
    TrustedKey { key: key.public().clone(), purpose, use_from, use_to }
}

fn sign(payload: &[u8], typ: &str, key: &SigningKey) -> Vec<u8> {
    serde_json::to_vec(&jws::sign(payload, typ, key, &SystemRandom::new()).unwrap()).unwrap()
}

fn record(about: &str) -> Vec<u8> {
    let record = json!({ "kind": "theory-stage-record", "sealed_at": NOW - 1_000, "about": about });
    synaq_seal::json::canonical(&record).unwrap()
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder, seal: key(), approval: key(), platform: key() };
        bench.trust(vec![
            trusted(&bench.seal, Purpose::Seal, 0, None),
            trusted(&bench.approval, Purpose::Approval, 0, None),
        ]);
        bench
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn trust(&self, keys: Vec<TrustedKey>) {
        let set = TrustSet::new(keys).unwrap();
        fs::write(self.folder.path().join("trust.json"), set.to_json()).unwrap();
    }

    /// Opened anew from disk each time: what is not on disk is not there.
    fn router(&self) -> axum::Router {
        router(Platform {
            archive: Archive::open(&self.archive()).unwrap(),
            key: SigningKey::from_pkcs8(self.platform.pkcs8(), &SystemRandom::new()).unwrap(),
            trust: self.folder.path().join("trust.json"),
            random: Box::new(SystemRandom::new()),
            now: || NOW,
        })
    }

    async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.unwrap();
        let status = response.status();
        Answer { status, body: to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn put(&self, kind: &str, id: Uuid, body: Vec<u8>) -> Answer {
        let request = Request::put(format!("/{kind}/{id}"))
            .header(header::CONTENT_TYPE, "application/jose+json")
            .body(Body::from(body))
            .unwrap();
        self.call(request).await
    }

    async fn put_record(&self, payload: &[u8]) -> Answer {
        self.put("records", ID, sign(payload, RECORD_TYP, &self.seal)).await
    }

    async fn held(&self) -> usize {
        self.get("/api/messages").await.json().as_array().unwrap().len()
    }
}

fn receipt_of(answer: &Answer, bench: &Bench) -> Statement {
    let receipt: Jws = serde_json::from_slice(&answer.body).unwrap();
    let trust = TrustSet::new(vec![trusted(&bench.platform, Purpose::Platform, 0, None)]).unwrap();
    let expected = Expected { typ: RECEIPT_TYP, purpose: Purpose::Platform, at: Some(NOW) };
    let verified = jws::verify(&receipt, &expected, &trust).unwrap();
    serde_json::from_slice(&verified.payload).unwrap()
}

#[tokio::test]
async fn a_record_is_kept_and_answered_with_a_signed_receipt_over_its_digest() {
    let bench = Bench::new();
    let payload = record("a");
    let answer = bench.put_record(&payload).await;
    assert_eq!(answer.status, StatusCode::OK);
    let receipt = receipt_of(&answer, &bench);
    assert_eq!(receipt.record_sha256, sha256(&payload));
    assert_eq!(receipt.about["id"], ID.to_string());
    let held = bench.get("/api/messages").await.json();
    assert_eq!(held[0]["sha256"], sha256(&payload).to_string());
    assert_eq!(held[0]["platform_ref"], receipt.about["platform_ref"]);
}

#[tokio::test]
async fn the_same_record_again_gets_the_same_receipt_whoever_signed_it_anew() {
    let bench = Bench::new();
    let first = bench.put_record(&record("a")).await;
    // ECDSA is randomised: the second signature over the same bytes is another one.
    let again = bench.put_record(&record("a")).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.body, first.body);
    assert_eq!(bench.held().await, 1);
}

#[tokio::test]
async fn another_record_under_a_known_id_is_a_conflict() {
    let bench = Bench::new();
    bench.put_record(&record("a")).await;
    let other = bench.put_record(&record("b")).await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::CONFLICT, "other_content"));
    assert_eq!(bench.held().await, 1);
}

#[tokio::test]
async fn a_signature_by_a_key_nobody_trusts_is_refused() {
    let bench = Bench::new();
    let answer = bench.put("records", ID, sign(&record("a"), RECORD_TYP, &key())).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "signature_invalid")
    );
    assert_eq!(bench.held().await, 0);
}

#[tokio::test]
async fn one_changed_byte_of_the_payload_is_refused() {
    let bench = Bench::new();
    let mut message: Value = serde_json::from_slice(&sign(&record("a"), RECORD_TYP, &bench.seal)).unwrap();
    let other: Value = serde_json::from_slice(&sign(&record("b"), RECORD_TYP, &bench.seal)).unwrap();
    message["payload"] = other["payload"].clone();
    let answer = bench.put("records", ID, message.to_string().into_bytes()).await;
    assert_eq!(answer.code(), "signature_invalid");
}

#[tokio::test]
async fn an_approval_counts_only_with_an_approval_key() {
    let bench = Bench::new();
    let statement = Statement { record_sha256: sha256(b"P"), at: NOW, about: serde_json::Map::new() };
    let payload = statement.to_bytes().unwrap();
    for (typ, key) in [(APPROVAL_TYP, &bench.seal), (RECORD_TYP, &bench.approval)] {
        let answer = bench.put("approvals", ID, sign(&payload, typ, key)).await;
        assert_eq!(answer.code(), "signature_invalid", "{typ}");
    }
    let answer = bench.put("approvals", ID, sign(&payload, APPROVAL_TYP, &bench.approval)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_notice_of_a_void_attempt_is_kept_beside_its_record() {
    let bench = Bench::new();
    assert_eq!(bench.put_record(&record("a")).await.status, StatusCode::OK);
    let about = json!({ "kind": "attempt-void", "ground": "technical" }).as_object().unwrap().clone();
    let payload = Statement { record_sha256: sha256(&record("a")), at: NOW, about }.to_bytes().unwrap();
    let id = Uuid::from_u128(0xF0);
    let answer = bench.put("voids", id, sign(&payload, APPROVAL_TYP, &bench.approval)).await;
    assert_eq!(answer.code(), "signature_invalid", "an approval is no notice");
    assert_eq!(
        bench.put("voids", id, sign(&payload, VOID_TYP, &bench.approval)).await.status,
        StatusCode::OK
    );
    assert_eq!(bench.held().await, 2);
}

#[tokio::test]
async fn a_payload_that_is_not_canonical_is_refused() {
    let bench = Bench::new();
    let spaced = format!("{{\"sealed_at\": {NOW}}}");
    assert_eq!(bench.put_record(spaced.as_bytes()).await.code(), "payload_not_canonical");
    assert_eq!(bench.held().await, 0);
}

#[tokio::test]
async fn a_payload_without_a_time_or_dated_ahead_is_refused() {
    let bench = Bench::new();
    assert_eq!(bench.put_record(b"{}").await.code(), "payload_shape");
    let ahead = format!("{{\"sealed_at\":{}}}", NOW + 3_600_000);
    assert_eq!(bench.put_record(ahead.as_bytes()).await.code(), "dated_ahead");
}

#[tokio::test]
async fn what_is_no_jws_is_refused_before_anything_else() {
    let bench = Bench::new();
    for body in [&b"not json"[..], b"{}", b"[]", br#"{"payload":"","payload":"","signatures":[]}"#] {
        let answer = bench.put("records", ID, body.to_vec()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "message_malformed"));
    }
    let plain = Request::put(format!("/records/{ID}")).body(Body::from("{}")).unwrap();
    assert_eq!(bench.call(plain).await.code(), "media_type_unsupported");
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let bench = Bench::new();
    let answer = bench.put("records", ID, vec![b' '; 4 * 1024 * 1024 + 1]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_changed_key_needs_no_restart_and_a_retired_one_stays_good_for_its_time() {
    let bench = Bench::new();
    let router = bench.router();
    let fresh = key();
    bench.trust(vec![
        trusted(&bench.seal, Purpose::Seal, 0, Some(NOW - 500)),
        trusted(&fresh, Purpose::Seal, NOW - 500, None),
    ]);
    let late = synaq_seal::json::canonical(&json!({ "sealed_at": NOW })).unwrap();
    let cases = [
        (1, record("waited in the outbox"), &bench.seal, StatusCode::OK),
        (2, late.clone(), &bench.seal, StatusCode::UNPROCESSABLE_ENTITY),
        (3, late, &fresh, StatusCode::OK),
        (4, record("before its time"), &fresh, StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (id, payload, key, expected) in cases {
        let request = Request::put(format!("/records/{}", Uuid::from_u128(id)))
            .header(header::CONTENT_TYPE, "application/jose+json")
            .body(Body::from(sign(&payload, RECORD_TYP, key)))
            .unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), expected, "case {id}");
    }
}

#[tokio::test]
async fn without_readable_trust_the_sender_is_told_to_come_back() {
    let bench = Bench::new();
    fs::remove_file(bench.folder.path().join("trust.json")).unwrap();
    let answer = bench.put_record(&record("a")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "trust_unavailable")
    );
}

#[tokio::test]
async fn a_half_written_file_is_no_message_and_a_damaged_one_is_named() {
    let bench = Bench::new();
    bench.put_record(&record("a")).await;
    let whole = fs::read(bench.archive().join(format!("{ID}.json"))).unwrap();
    fs::write(bench.archive().join("0.draft"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(bench.held().await, 1);
    fs::write(bench.archive().join("1.json"), &whole[..whole.len() / 2]).unwrap();
    assert!(Archive::open(&bench.archive()).unwrap_err().to_string().contains("1.json"));
}

#[tokio::test]
async fn the_page_shows_what_is_held_and_runs_nothing_of_it() {
    let bench = Bench::new();
    bench.put_record(&record("<script>alert(1)</script>&\"")).await;
    assert!(bench.get("/").await.text().contains(&format!("/messages/{ID}")));
    let page = bench.get(&format!("/messages/{ID}")).await.text();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script"));
    let unknown = bench.get(&format!("/messages/{}", Uuid::nil())).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

//! Hosts, origins, headers, pages.

use super::house::{House, ORIGIN, cookie, json};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use synaq_store::Role;
use synaq_wire::problem::Code;

async fn code(house: &House, request: Request<Body>) -> (StatusCode, String) {
    let (status, body) = json(house.send(request).await).await;
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn only_configured_hosts_are_answered() {
    let house = House::open().await;
    for host in ["evil.test", "exam.test.evil.test", "", "exam.test@evil.test"] {
        let request = Request::builder().uri("/healthz").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(
            code(&house, request).await,
            (StatusCode::MISDIRECTED_REQUEST, "host_forbidden".into()),
            "{host}"
        );
    }
    for host in ["exam.test", "EXAM.test:443"] {
        let request = Request::builder().uri("/healthz").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(house.send(request).await.status(), StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let house = House::open().await;
    let sign_out = |origin: Option<&str>, site: Option<&str>| {
        let mut request = Request::builder().method(Method::POST).uri("/api/v1/staff/sign-out");
        request = request.header("host", "exam.test").header("cookie", cookie(0, Role::Proctor));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        request.body(Body::empty()).unwrap()
    };
    let forbidden = (StatusCode::FORBIDDEN, "origin_forbidden".to_owned());
    for origin in [
        None,
        Some("null"),
        Some("http://evil.test"),
        Some("http://exam.test.evil.test"),
        Some("https://exam.test"),
        Some("http://exam.test:81"),
    ] {
        assert_eq!(code(&house, sign_out(origin, None)).await, forbidden, "{origin:?}");
    }
    assert_eq!(code(&house, sign_out(Some(ORIGIN), Some("cross-site"))).await, forbidden);
    assert_eq!(code(&house, sign_out(Some(ORIGIN), Some("same-origin"))).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_every_problem_its_trace() {
    let house = House::open().await;
    for path in ["/", "/c/x", "/proctor/", "/centre/", "/healthz", "/errors/busy", "/api/v1/none"] {
        let response = house.send(House::request(&Method::GET, path).body(Body::empty()).unwrap()).await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}");
        assert!(policy.contains("connect-src 'self' ws://exam.test;"), "{policy}");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert!(response.headers()["permissions-policy"].to_str().unwrap().contains("camera=(self)"));
    }
    let response =
        house.send(House::request(&Method::GET, "/api/v1/none").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, problem) = json(response).await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/errors/not_found")));
    assert_eq!(problem["trace"].as_str().unwrap().len(), 32);
    let (status, problem) =
        json(house.send(House::request(&Method::DELETE, "/healthz").body(Body::empty()).unwrap()).await)
            .await;
    assert_eq!((status, &problem["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("method_not_allowed")));
}

#[tokio::test]
async fn each_code_has_a_page_and_the_worker_may_serve_the_candidates_pages() {
    let house = House::open().await;
    for known in Code::ALL {
        let path = format!("/errors/{}", known.as_str());
        let (status, page) =
            json(house.send(House::request(&Method::GET, &path).body(Body::empty()).unwrap()).await).await;
        let page = page.as_str().unwrap();
        assert!(status == StatusCode::OK && page.contains("<h2>What to do</h2>"), "{path}");
    }
    let missing = House::request(&Method::GET, "/errors/none").body(Body::empty()).unwrap();
    assert_eq!(code(&house, missing).await.0, StatusCode::NOT_FOUND);
    let worker = house.send(House::request(&Method::GET, "/sw.js").body(Body::empty()).unwrap()).await;
    assert_eq!(worker.headers()["service-worker-allowed"], "/c/");
    let etag = worker.headers()["etag"].clone();
    let again =
        House::request(&Method::GET, "/sw.js").header("if-none-match", etag).body(Body::empty()).unwrap();
    assert_eq!(house.send(again).await.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn bodies_of_another_shape_size_or_type_are_refused_by_name() {
    let house = House::open().await;
    let open = |media_type: &str, body: Vec<u8>| {
        let request =
            House::request(&Method::POST, "/api/v1/candidate/open").header("content-type", media_type);
        request.body(Body::from(body)).unwrap()
    };
    for (media_type, body, expected) in [
        ("text/plain", b"{\"link\":\"x\"}".to_vec(), "media_type_unsupported"),
        ("application/json", b"{\"link\":\"x\",\"more\":1}".to_vec(), "body_malformed"),
        ("application/json", b"{\"link\":".to_vec(), "body_malformed"),
        ("application/json", vec![0xff; 4], "body_malformed"),
        ("application/json", vec![b' '; 300 * 1024], "body_too_large"),
        ("application/json", b"{\"link\":\"x\"}".to_vec(), "link_invalid"),
    ] {
        assert_eq!(code(&house, open(media_type, body)).await.1, expected);
    }
}

#[tokio::test]
async fn pages_are_compressed_and_answers_with_secrets_are_not() {
    let house = House::open().await;
    let ask = |path: &'static str| House::request(&Method::GET, path).header("accept-encoding", "gzip, br");
    for page in ["/c/x", "/proctor/", "/errors/busy"] {
        let response = house.send(ask(page).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-encoding"], "gzip", "{page}");
        assert_eq!(response.headers()["vary"], "accept-encoding", "{page}");
    }
    let me = ask("/api/v1/staff/me").header("cookie", cookie(0, Role::Centre)).body(Body::empty()).unwrap();
    let response = house.send(me).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("content-encoding"));
}

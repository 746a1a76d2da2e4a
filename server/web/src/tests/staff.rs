//! Signing in.

use super::house::{House, json, staff};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;
use synaq_core::time::Span;
use synaq_store::{Directory, Role};

const PASSWORD: &str = "correct horse battery";

async fn with_password(house: &House) {
    let hash = crate::hash_password(PASSWORD, &[1; 16]).unwrap();
    house.store.set_password(staff(0, Role::Proctor), hash).await.unwrap();
}

#[tokio::test]
async fn the_cookie_of_a_sign_in_opens_and_closes_the_door() {
    let house = House::open().await;
    with_password(&house).await;
    let body = json!({ "login": "proctor-0", "password": PASSWORD }).to_string();
    let request =
        House::request(&Method::POST, "/api/v1/staff/sign-in").header("content-type", "application/json");
    let response = house.send(request.body(Body::from(body)).unwrap()).await;
    let line = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-synaq=", "; Path=/;", "; HttpOnly", "; SameSite=Strict", "; Secure", "Max-Age=43200"]
    {
        assert!(line.contains(part), "{line}");
    }
    let (status, me) = json(response).await;
    assert_eq!((status, &me["roles"]), (StatusCode::OK, &json!(["proctor"])), "{me}");
    let cookie = line.split(';').next().unwrap().to_owned();
    let me = async || {
        let request = House::request(&Method::GET, "/api/v1/staff/me").header("cookie", &cookie);
        house.send(request.body(Body::empty()).unwrap()).await.status()
    };
    assert_eq!(me().await, StatusCode::OK);
    house.clock.advance(Span::mins(12 * 60));
    assert_eq!(me().await, StatusCode::UNAUTHORIZED, "after twelve hours");
    house.clock.advance(Span::mins(-60));
    assert_eq!(me().await, StatusCode::OK);
    let (status, _) = house.post("/api/v1/staff/sign-out", &[("cookie", &cookie)], &json!({})).await;
    assert_eq!((status, me().await), (StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_look_the_same() {
    let house = House::open().await;
    with_password(&house).await;
    for (login, password) in
        [("proctor-0", "wrong horse battery"), ("nobody", PASSWORD), ("centre-0", PASSWORD)]
    {
        let body = json!({ "login": login, "password": password });
        let (status, mut problem) = house.post("/api/v1/staff/sign-in", &[], &body).await;
        problem["trace"].take();
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("credentials_wrong")));
        assert!(problem.get("detail").is_none(), "{problem}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_waiting_helps() {
    let house = House::open().await;
    with_password(&house).await;
    let sign_in = async |password: &str| {
        let body = json!({ "login": "proctor-0", "password": password });
        house.post("/api/v1/staff/sign-in", &[], &body).await
    };
    for _ in 0..4 {
        assert_eq!(sign_in("guess guess guess").await.0, StatusCode::UNAUTHORIZED);
    }
    let (status, problem) = sign_in(PASSWORD).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let wait_ms = problem["retry_after_ms"].as_i64().unwrap();
    house.clock.advance(Span(wait_ms));
    assert_eq!(sign_in(PASSWORD).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_set_up_link_works_once_and_survives_a_weak_password() {
    let house = House::open().await;
    let (token, until) = ("one-time-token", super::START + Span::mins(60));
    house.store.add_setup_token(crate::auth::hash(token), staff(0, Role::Centre), until).await.unwrap();
    let set_up = async |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        let (status, body) = house.post("/api/v1/staff/setup", &[], &body).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    for weak in ["short", "qwerty123456", "aaaaaaaaaaaaaaaa", "my centre-0 password"] {
        assert_eq!(set_up(token, weak).await, (StatusCode::UNPROCESSABLE_ENTITY, "password_too_weak".into()));
        house.clock.advance(Span::secs(20));
    }
    assert_eq!(set_up("another", PASSWORD).await, (StatusCode::NOT_FOUND, "setup_link_invalid".into()));
    house.clock.advance(Span::secs(20));
    assert_eq!(set_up(token, PASSWORD).await.0, StatusCode::OK);
    house.clock.advance(Span::secs(20));
    assert_eq!(set_up(token, PASSWORD).await, (StatusCode::NOT_FOUND, "setup_link_invalid".into()));
    let body = json!({ "login": "centre-0", "password": PASSWORD });
    assert_eq!(house.post("/api/v1/staff/sign-in", &[], &body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_whole_office_sets_its_passwords_at_once_and_guessing_at_one_link_is_slowed_down() {
    let house = House::open().await;
    let until = super::START + Span::mins(60);
    let set_up = async |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        house.post("/api/v1/staff/setup", &[], &body).await.0
    };
    for number in 0..12 {
        let token = format!("link-{number}");
        let person = staff(0, Role::Proctor);
        house.store.add_setup_token(crate::auth::hash(&token), person, until).await.unwrap();
        assert_eq!(set_up(&token, PASSWORD).await, StatusCode::OK, "{number}");
    }
    for _ in 0..4 {
        assert_eq!(set_up("one link", "short").await, StatusCode::NOT_FOUND);
    }
    assert_eq!(set_up("one link", "short").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_page_of_one_person_sends_nothing_as_another_who_signed_in_meanwhile() {
    let house = House::open().await;
    let ask = async |page: Option<String>| {
        let cookie = super::house::cookie(0, Role::Centre);
        let mut request = House::request(&Method::GET, "/api/v1/centre/staff").header("cookie", cookie);
        if let Some(page) = page {
            request = request.header("synaq-staff", page);
        }
        let (status, body) = json(house.send(request.body(Body::empty()).unwrap()).await).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ask(None).await.0, StatusCode::OK, "a program that says nothing is taken by its cookie");
    assert_eq!(ask(Some(staff(0, Role::Centre).to_string())).await.0, StatusCode::OK);
    for other in [staff(0, Role::Auditor).to_string(), "nobody".to_owned(), String::new()] {
        assert_eq!(ask(Some(other)).await, (StatusCode::UNAUTHORIZED, "sign_in_required".to_owned()));
    }
}

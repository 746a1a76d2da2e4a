//! The trial run: what it measures, what it leaves, and that it changes nothing of the exam.

use super::house::{House, SESSION, json, session};
use super::seat::{Device, running};
use super::wall::watching;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use synaq_core::ids::Seq;
use synaq_core::time::Span;
use synaq_store::EventLog;
use synaq_wire::limits::TRIAL_LINE_BYTES;
use uuid::Uuid;

fn report(browser: &str) -> Value {
    json!({ "browser": browser, "camera": true, "camera_label": "c", "microphone": true, "seen": "dark",
        "round_trip_ms": 40, "longest_trip_ms": 90, "lost_pct": 0, "down_kbit_s": 4_000, "up_kbit_s": 900,
        "second_screen": null, "fullscreen": true, "screen_share": true, "practised": true, "warned": true,
        "reconnected": false })
}

async fn send(
    house: &House,
    to: (Method, &str),
    link: &str,
    media_type: &str,
    body: Vec<u8>,
) -> (StatusCode, Value) {
    let request = House::request(&to.0, &format!("/api/v1/candidate/trial{}", to.1));
    let request = request.header("authorization", format!("Link {link}")).header("content-type", media_type);
    json(house.send(request.body(Body::from(body)).unwrap()).await).await
}

async fn leave(house: &House, link: &str, report: &Value) -> (StatusCode, Value) {
    send(house, (Method::PUT, ""), link, "application/json", report.to_string().into_bytes()).await
}

async fn line(house: &House, down: usize, up: usize) -> (StatusCode, usize) {
    let request = House::request(&Method::POST, &format!("/api/v1/candidate/trial/line?down={down}"));
    let request = request.header("authorization", format!("Link {}", house.link(0)));
    let response = house.send(request.body(Body::from(vec![7; up])).unwrap()).await;
    let status = response.status();
    (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().len())
}

#[tokio::test]
async fn a_trial_run_binds_no_device_and_leaves_no_event_and_the_proctor_sees_its_note() {
    let house = House::open().await;
    let at = house.listen().await;
    let link = house.link(0);
    let events = async || house.store.load(session(0), Seq(0)).await.unwrap().len();
    let state = async || house.runtime.look(session(0)).await.unwrap().session.state().clone();
    house.post("/api/v1/candidate/open", &[], &json!({ "link": link })).await;
    let (before, known) = (events().await, state().await);
    assert_eq!(line(&house, TRIAL_LINE_BYTES, 10).await, (StatusCode::OK, TRIAL_LINE_BYTES));
    assert_eq!(line(&house, 0, TRIAL_LINE_BYTES).await, (StatusCode::OK, 0));
    let picture = (Method::POST, "/picture");
    let (status, says) = send(&house, picture, &link, "image/jpeg", vec![1; 10]).await;
    assert_eq!((status, &says["seen"]), (StatusCode::OK, &Value::Null), "nobody looks here");
    for browser in ["first", "Firefox 150"] {
        assert_eq!(leave(&house, &link, &report(browser)).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(events().await, before);
    assert_eq!(state().await, known, "nothing of the session is different");
    let (_, info) = house.post("/api/v1/candidate/open", &[], &json!({ "link": link })).await;
    assert_eq!(info["bound"], false);

    let mut wall = watching(&house, at).await;
    wall.send(&json!({ "type": "open", "session": Uuid::from_u128(SESSION) })).await;
    let detail = wall.until("detail").await["detail"].clone();
    assert_eq!(detail["trial"]["report"], report("Firefox 150"), "the newest note");
    assert_eq!(detail["device"], Value::Null, "it is no device check");
    wall.send(&json!({ "type": "open", "session": Uuid::from_u128(SESSION + 1) })).await;
    assert_eq!(wall.until("detail").await["detail"].get("trial"), None);
    // Any device may begin afterwards.
    let (_, bound) = Device::new(&house, 0, 9).bind(&house).await;
    assert_eq!(bound["in_charge"], true);
}

#[tokio::test]
async fn a_trial_run_is_for_the_holder_of_a_link_before_the_exam_and_within_its_limits() {
    let house = House::open().await;
    let at = house.listen().await;
    for link in ["", "x", &"A".repeat(43)] {
        assert_eq!(leave(&house, link, &report("b")).await.1["code"], "link_invalid");
    }
    let link = house.link(1);
    let mut more_than_all = report("b");
    more_than_all["lost_pct"] = json!(101);
    for odd in [report(&"b".repeat(121)), report("a\nb"), more_than_all] {
        assert_eq!(leave(&house, &link, &odd).await.1["code"], "out_of_limits", "{odd}");
    }
    let mut unknown = report("b");
    unknown["admitted"] = json!(true);
    assert_eq!(leave(&house, &link, &unknown).await.1["code"], "body_malformed");
    assert_eq!(line(&house, TRIAL_LINE_BYTES + 1, 0).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(line(&house, 0, TRIAL_LINE_BYTES + 1).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let mut tries = 0;
    while line(&house, 0, 0).await.0 == StatusCode::OK {
        tries += 1;
        assert!(tries < 200, "one link cannot keep the line busy");
    }
    let (_device, mut socket) = running(&house, at, 1).await;
    assert_eq!(leave(&house, &link, &report("b")).await.1["code"], "wrong_stage", "while the exam runs");
    socket.done(json!({ "do": "hand_in" })).await;
    assert_eq!(leave(&house, &link, &report("b")).await.1["code"], "wrong_stage");
    house.pass(session(2), Span::mins(181)).await;
    assert_eq!(leave(&house, &house.link(2), &report("b")).await.1["code"], "link_expired");
}

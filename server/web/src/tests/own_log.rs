//! The candidate's own log after the end: who gets it, what stands in it, and what does not.

use super::house::{House, cookie, session, staff};
use super::playback::recording;
use super::seat::{Device, Socket, running};
use super::wall::watching;
use crate::evidence::Evidence as _;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use synaq_core::ids::CentreId;
use synaq_core::session::{Input, StaffCommand};
use synaq_core::time::Span;
use synaq_runtime::Clock as _;
use synaq_seal::bundle::Bundle;
use synaq_seal::receipts::Receipts;
use synaq_store::{AuditEntry, Directory, Role};
use uuid::Uuid;

const DAY: Span = Span::mins(24 * 60);

async fn own(house: &House, what: &str, candidate: u128) -> (StatusCode, Value) {
    let body = json!({ "link": house.link(candidate) });
    house.post(&format!("/api/v1/candidate/{what}"), &[], &body).await
}

async fn bytes(house: &House, path: &str, role: Option<Role>) -> (StatusCode, Vec<u8>) {
    let request = House::request(&Method::GET, path);
    let request = role.into_iter().fold(request, |request, role| request.header("cookie", cookie(0, role)));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    let status = response.status();
    (status, axum::body::to_bytes(response.into_body(), 8 << 20).await.unwrap().to_vec())
}

async fn audited(house: &House) -> Vec<AuditEntry> {
    let audit = house.store.audit_of(CentreId(Uuid::from_u128(super::house::CENTRE)), 100).await.unwrap();
    audit.into_iter().filter(|entry| entry.action.starts_with("candidate_")).collect()
}

/// Three answers, one of them changed; handed in and sealed.
async fn sat(house: &House) -> (Device, Socket) {
    let at = house.listen().await;
    let (device, mut socket) = running(house, at, 0).await;
    for (question, shown) in [(0, 0), (1, 1), (0, 1)] {
        socket.done(json!({ "do": "answer", "question": question, "shown": [shown] })).await;
    }
    socket.done(json!({ "do": "hand_in" })).await;
    socket.view(|view| view["end"]["sealed"] == true).await;
    (device, socket)
}

#[tokio::test]
async fn the_log_is_there_after_the_end_for_the_holder_of_the_link_and_names_nobody_of_the_staff() {
    let house = House::open().await;
    let at = house.listen().await;
    for what in ["log", "receipts", "clips/1"] {
        assert_eq!(own(&house, what, 0).await.1["code"], "wrong_stage", "{what} before the exam");
        let foreign = json!({ "link": "A".repeat(43) });
        let (_, problem) = house.post(&format!("/api/v1/candidate/{what}"), &[], &foreign).await;
        assert_eq!(problem["code"], "link_invalid");
    }
    let (_device, mut socket) = running(&house, at, 0).await;
    assert_eq!(own(&house, "log", 0).await.1["code"], "wrong_stage", "while it runs");
    socket.done(json!({ "do": "answer", "question": 4, "shown": [0] })).await;
    let by = staff(0, Role::Proctor);
    for command in [StaffCommand::Pause { reason: "a door".to_owned() }, StaffCommand::Resume] {
        house.runtime.submit(session(0), Input::Staff { by, command }).await.unwrap();
    }
    socket.done(json!({ "do": "hand_in" })).await;
    socket.view(|view| view["end"]["sealed"] == true).await;

    let (status, log) = own(&house, "log", 0).await;
    assert_eq!(status, StatusCode::OK, "{log}");
    let kinds: Vec<_> = log["lines"].as_array().unwrap().iter().map(|line| &line["kind"]).collect();
    for kind in ["consent_given", "admitted", "started", "paused", "resumed", "closed", "record_sealed"] {
        assert!(kinds.contains(&&json!(kind)), "{kind} in {kinds:?}");
    }
    let paused = log["lines"].as_array().unwrap().iter().find(|line| line["kind"] == "paused").unwrap();
    assert_eq!(paused["said"], "a door");
    assert_eq!(
        (&log["answers"][0]["question"], &log["answers"][0]["standing"]),
        (&json!(5), &json!("counts"))
    );
    assert_eq!((&log["end"]["reason"], &log["incidents"]), (&json!("submitted"), &json!([])));
    assert_eq!(log["record_sha256"].as_str().unwrap().len(), 64);
    let text = log.to_string();
    assert!(!text.contains("Name of") && !text.contains(&by.to_string()), "{text}");

    // Read again and again it is one view; another day it is still there, though no device is bound any more.
    assert_eq!(own(&house, "log", 0).await.0, StatusCode::OK);
    let seen: Vec<_> = audited(&house).await.into_iter().map(|entry| (entry.staff, entry.action)).collect();
    assert_eq!(seen, [(None, "candidate_log_opened".to_owned())]);
    house.clock.advance(Span(DAY.0 * 40));
    let (status, info) = own(&house, "open", 0).await;
    assert_eq!((status, &info["ended"]), (StatusCode::OK, &json!(true)), "{info}");
    assert_eq!(own(&house, "log", 0).await.0, StatusCode::OK);
    assert_eq!(Device::new(&house, 0, 9).bind(&house).await.1["code"], "link_expired");
    assert_eq!(
        own(&house, "log", 1).await.1["code"],
        "wrong_stage",
        "another candidate's exam has not ended"
    );
}

#[tokio::test]
async fn the_receipts_are_those_of_the_sealed_log_and_every_answer_has_one() {
    let house = House::open().await;
    let (_device, socket) = sat(&house).await;
    let (status, file) = own(&house, "receipts", 0).await;
    assert_eq!(status, StatusCode::OK, "{file}");
    let receipts = Receipts::parse(file.to_string().as_bytes()).unwrap();
    let bundle = format!("/api/v1/centre/sessions/{}/bundle", session(0));
    let bundle = Bundle::parse(&bytes(&house, &bundle, Some(Role::Centre)).await.1).unwrap();
    let record = synaq_seal::sha256(&bundle.decode_payload().unwrap());
    let found = receipts.against(&bundle, record);
    assert!(found.holds(), "{found:?}");
    assert_eq!((found.receipts, found.held, found.unlisted), (3, 3, 0));
    // What the device was told while it answered is what the file says.
    let told = socket.heard.iter().filter_map(|frame| serde_json::from_str::<Value>(frame).ok());
    let told: Vec<_> =
        told.filter(|frame| frame["type"] == "ack").map(|frame| frame["receipt"].clone()).collect();
    for receipt in &receipts.receipts {
        let event = &receipt.event;
        let same = json!({ "seq": event.seq, "at": event.at, "hash": event.hash.to_string() });
        assert!(told.contains(&same), "{same}");
    }
}

#[tokio::test]
async fn a_candidate_sees_the_clip_of_the_own_warning_by_a_short_link_and_each_view_is_written_down() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_device, mut socket) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    let now = house.clock.now().0;
    wall.send(&json!({ "type": "command", "re": 1, "session": session(0), "command": {
        "do": "record", "code": "FORBIDDEN_ITEM", "began_at": now, "warnings_seen": 0, "note": "a phone" } }))
        .await;
    wall.until("done").await;
    house.shelf.store(session(0), "webcam-0001.webm", &recording(now - 30_000, 60)).unwrap();
    assert_eq!(own(&house, "clips/1", 0).await.1["code"], "wrong_stage", "not while it runs");
    socket.done(json!({ "do": "hand_in" })).await;

    let (_, log) = own(&house, "log", 0).await;
    let incident = &log["incidents"][0];
    assert_eq!(
        (&incident["outcome"], &incident["by_person"], &incident["note"], &incident["clip"]),
        (&json!("warning"), &json!(true), &json!("a phone"), &json!(true))
    );
    assert_eq!(own(&house, "clips/2", 0).await.1["code"], "not_found", "no such incident");
    let (status, clip) = own(&house, "clips/1", 0).await;
    assert_eq!(status, StatusCode::OK, "{clip}");
    let url = clip["url"].as_str().unwrap().to_owned();
    let views = async || {
        let audit = audited(&house).await;
        audit.into_iter().filter(|entry| entry.action == "candidate_clip_viewed").count()
    };
    assert_eq!(views().await, 0, "asking is not yet a view");
    for _ in 0..3 {
        let (status, webm) = bytes(&house, &url, None).await;
        assert_eq!((status, webm.is_empty()), (StatusCode::OK, false));
    }
    assert_eq!(views().await, 1);

    // A link of staff opens nothing here, this one nothing there, and neither anything later.
    let token = url.rsplit('/').next().unwrap();
    let theirs = format!("/api/v1/playback/pieces/{token}");
    assert_eq!(bytes(&house, &theirs, Some(Role::Proctor)).await.0, StatusCode::NOT_FOUND);
    let staff_clip = format!("/api/v1/playback/{}/clips/1", session(0));
    let (_, staff_clip) = house.get_as(Role::Proctor, &staff_clip).await;
    let staffs = staff_clip["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(
        bytes(&house, &format!("/api/v1/candidate/pieces/{staffs}"), None).await.0,
        StatusCode::NOT_FOUND
    );
    house.clock.advance(Span(synaq_wire::playback::LINK_MS));
    assert_eq!(bytes(&house, &url, None).await.0, StatusCode::NOT_FOUND, "over");
}

#[tokio::test]
async fn the_last_day_of_an_appeal_is_five_working_days_after_the_approval_holidays_left_out() {
    let house = House::open().await;
    let (_device, mut socket) = sat(&house).await;
    let (_, log) = own(&house, "log", 0).await;
    assert_eq!((&log["end"]["approved"], &log["end"]["appeal_until"]), (&json!(false), &Value::Null));
    assert_eq!(log["appeal"], json!({ "file_working_days": 5, "consider_working_days": 5 }));
    // domain.md 10: informed Monday 14 December 2026, 16 December is a day off.
    house.clock.advance(Span(DAY.0 * 23));
    let command = StaffCommand::Approve {
        sha256: log["record_sha256"].as_str().unwrap().to_owned(),
        note: None,
        ruling: None,
    };
    let by = staff(0, Role::Commission);
    house.runtime.submit(session(0), Input::Staff { by, command }).await.unwrap();
    socket.view(|view| view["end"]["approved"] == true).await;
    let (_, log) = own(&house, "log", 0).await;
    assert_eq!(log["end"]["appeal_until"], "2026-12-22");
}

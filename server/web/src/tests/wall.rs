//! The proctor's wall.

use super::house::{House, OTHER, SITTING, cookie, session};
use super::seat::{Device, Socket, prepare, running};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::net::SocketAddr;
use synaq_core::ids::{CentreId, Seq, SessionId, SittingId};
use synaq_core::time::Span;
use synaq_seal::Digest;
use synaq_store::{Append, Batch, Directory, EventLog as _, Lease, NewCandidate, Outage, Role, SittingRow};
use uuid::Uuid;

async fn socket(house: &House, at: SocketAddr, base: u128) -> Socket {
    let cookie = cookie(base, Role::Proctor);
    let (status, ticket) = house.post("/api/v1/staff/ticket", &[("cookie", &cookie)], &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{ticket}");
    let ticket = ticket["ticket"].as_str().unwrap();
    Socket::open(at, &format!("/api/v1/proctor/socket?ticket={ticket}")).await.unwrap()
}

/// A wall of the first centre's sitting, with its first frame read.
pub(super) async fn watching(house: &House, at: SocketAddr) -> Socket {
    let mut wall = socket(house, at, 0).await;
    wall.send(&json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING) })).await;
    wall.until("wall").await;
    wall
}

async fn tile(wall: &mut Socket, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = wall.until("tile").await;
        if holds(&frame["tile"]) {
            return frame["tile"].clone();
        }
    }
}

async fn command(wall: &mut Socket, session: Uuid, command: Value) -> Value {
    wall.send(&json!({ "type": "command", "re": 7, "session": session, "command": command })).await;
    loop {
        let frame = wall.next().await.unwrap();
        if frame["re"] == 7 {
            return frame;
        }
    }
}

#[tokio::test]
async fn the_wall_shows_everybody_by_place_and_follows_each_change() {
    let house = House::open().await;
    let at = house.listen().await;
    let mut wall = socket(&house, at, 0).await;
    wall.send(&json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING) })).await;
    let first = wall.until("wall").await;
    let places: Vec<_> =
        first["tiles"].as_array().unwrap().iter().map(|tile| tile["place"].clone()).collect();
    assert_eq!(places, [0, 1, 2, 3].map(Value::from));
    assert!(first["codes"].as_array().unwrap().iter().any(|code| code["code"] == "FORBIDDEN_ITEM"));

    let device = Device::new(&house, 2, 1);
    device.bind(&house).await;
    let mut candidate = device.connect(&house, at).await;
    tile(&mut wall, |tile| tile["online"] == true && tile["step"] == "language").await;
    prepare(&house, &device, &mut candidate).await;
    tile(&mut wall, |tile| tile["step"] == "waiting" && tile["trouble"] == "none").await;
    candidate.done(json!({ "do": "call_proctor" })).await;
    let calling = tile(&mut wall, |tile| tile["trouble"] == "help").await;
    assert_eq!((&calling["rank"], &calling["session"]), (&json!(70), &json!(device.session.0)));
}

#[tokio::test]
async fn a_candidate_whose_log_cannot_be_read_takes_nobody_else_from_the_wall() {
    let house = House::open().await;
    let damaged = Append {
        stream: session(1),
        seq: Seq(1),
        at: super::START,
        kind: "session_created".to_owned(),
        body: "{}".to_owned(),
        hash: Digest([9; 32]),
    };
    let batch = Batch { events: vec![damaged], ..Batch::default() };
    house.store.append(Lease { node: Uuid::from_u128(9), epoch: 1 }, batch.into()).await.unwrap();
    let at = house.listen().await;
    let mut wall = socket(&house, at, 0).await;
    wall.send(&json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING) })).await;
    let first = wall.until("wall").await;
    let places: Vec<_> =
        first["tiles"].as_array().unwrap().iter().map(|tile| tile["place"].clone()).collect();
    assert_eq!(places, [0, 2, 3].map(Value::from));
    assert_eq!(first["sitting"]["candidates"], 4, "the head says how many there should be");

    // Nothing can be read of anybody: told as such, not shown as an empty room.
    let house = House::open().await;
    house.store.begin(Outage::Loads);
    let at = house.listen().await;
    let mut wall = socket(&house, at, 0).await;
    let watch = json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING) });
    wall.send(&watch).await;
    assert_eq!(wall.until("refused").await["problem"]["code"], "store_unavailable");
    house.store.end(Outage::Loads);
    wall.send(&watch).await;
    assert_eq!(wall.until("wall").await["tiles"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_violation_is_recorded_once_and_the_second_ends_the_exam() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut candidate) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    let record_of = |code: &str, began_at: i64, seen: u32| json!({ "do": "record", "code": code, "began_at": began_at, "warnings_seen": seen, "note": "phone" });
    let record = |began_at: i64, seen: u32| record_of("FORBIDDEN_ITEM", began_at, seen);
    let now = super::START.0;
    let id = device.session.0;
    assert_eq!(command(&mut wall, id, record(now, 0)).await["type"], "done");
    let stale = command(&mut wall, id, record(now, 0)).await;
    assert_eq!(stale["problem"]["code"], "warnings_changed", "a second proctor who marks the same phone");
    let technical = json!({ "do": "record", "code": "NETWORK_LOST", "began_at": now, "warnings_seen": 1 });
    assert_eq!(command(&mut wall, id, technical).await["problem"]["code"], "technical_code");
    let view = candidate.view(|view| !view["warning"].is_null()).await;
    assert_eq!(
        (&view["warning"]["note"], &view["warning"]["code"]),
        (&json!("phone"), &json!("FORBIDDEN_ITEM"))
    );
    candidate.send(&json!({ "type": "question", "index": 0 })).await;
    assert_eq!(candidate.until("refused").await["problem"]["code"], "wrong_stage", "covered");
    candidate.done(json!({ "do": "acknowledge_warning", "ordinal": 1 })).await;
    house.clock.advance(Span::secs(5));
    assert_eq!(command(&mut wall, id, record_of("SECOND_PERSON", now + 4_000, 1)).await["type"], "done");
    let end = candidate.view(|view| view["stage"] == "closed").await["end"].clone();
    assert_eq!((&end["reason"], &end["result"]), (&json!("violation"), &Value::Null));
    tile(&mut wall, |tile| tile["end_reason"] == "violation").await;
}

#[tokio::test]
async fn the_opened_candidate_comes_whole_after_every_change_and_without_answers() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut candidate) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    wall.send(&json!({ "type": "open", "session": device.session.0 })).await;
    let detail = wall.until("detail").await["detail"].clone();
    assert_eq!((&detail["lang"], &detail["tile"]["stage"]), (&json!("ru"), &json!("running")));
    assert_eq!(detail["face_photo"], "0".repeat(64));
    candidate.done(json!({ "do": "answer", "question": 4, "shown": [2] })).await;
    loop {
        let detail = wall.until("detail").await["detail"].clone();
        let newest = detail["timeline"][0].clone();
        if newest["kind"] == "answer_put" {
            assert_eq!(newest["what"], "5", "the question's number and nothing of the answer");
            break;
        }
    }
    let say = json!({ "do": "say", "text": "look at the camera" });
    assert_eq!(command(&mut wall, device.session.0, say).await["type"], "done");
    candidate.view(|view| view["messages"][0]["text"] == "look at the camera").await;
}

#[tokio::test]
async fn ending_for_impersonation_takes_two_people() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, _candidate) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    let end = json!({ "do": "end", "why": "impersonation", "note": "another face" });
    assert_eq!(command(&mut wall, device.session.0, end.clone()).await["type"], "done");
    tile(&mut wall, |tile| tile["trouble"] == "end_proposal" && tile["stage"] == "running").await;
    let again = command(&mut wall, device.session.0, end).await;
    assert_eq!(again["problem"]["code"], "second_person_needed");
}

/// Another sitting of the first centre beside its own, with one candidate.
async fn second_sitting(house: &House) -> Uuid {
    let centre = CentreId(Uuid::from_u128(super::house::CENTRE));
    let morning = house.store.sitting(centre, SittingId(Uuid::from_u128(SITTING))).await.unwrap();
    let evening = SittingRow { id: SittingId(Uuid::from_u128(777)), title: "Evening".to_owned(), ..morning };
    house.store.add_sitting(evening.clone()).await.unwrap();
    let candidate = NewCandidate {
        session: SessionId(Uuid::from_u128(7_777)),
        name: "Late Comer".to_owned(),
        identity: "123456789013".to_owned(),
        extra_minutes: 0,
        switched_off: Vec::new(),
        more: synaq_store::CandidateMore::default(),
        wrapped_key: vec![1; 61],
    };
    house.store.add_candidates(centre, evening.id, vec![candidate]).await.unwrap();
    evening.id.0
}

#[tokio::test]
async fn several_sittings_stand_on_one_wall_and_are_told_apart() {
    let house = House::open().await;
    let at = house.listen().await;
    let (first, second) = (Uuid::from_u128(SITTING), second_sitting(&house).await);
    let mut wall = socket(&house, at, 0).await;
    wall.send(&json!({ "type": "watch", "sitting": second, "beside": [first, second] })).await;
    let shown = wall.until("wall").await;
    assert_eq!(
        (&shown["sitting"]["title"], &shown["beside"][0]["title"]),
        (&json!("Evening"), &json!("Morning"))
    );
    let tiles: Vec<_> =
        shown["tiles"].as_array().unwrap().iter().map(|tile| (&tile["sitting"], &tile["place"])).collect();
    let (here, there) = (json!(second), json!(first));
    let places = [0, 1, 2, 3].map(Value::from);
    assert_eq!(tiles[0], (&here, &places[0]));
    assert_eq!(tiles[1..], places.each_ref().map(|place| (&there, place)));
    let duty = wall.until("duty").await;
    assert_eq!((duty["mine"].as_array().unwrap().len(), &duty["unwatched"]), (5, &json!(0)));

    // A change of either reaches the wall, and what is said to one sitting is not said to the other.
    let (device, mut candidate) = running(&house, at, 0).await;
    tile(&mut wall, |tile| tile["session"] == json!(device.session.0) && tile["stage"] == "running").await;
    let stop = |of: Uuid| json!({ "type": "everybody", "re": 7, "act": { "do": "pause", "reason": "alarm" }, "sitting": of });
    wall.send(&stop(second)).await;
    assert_eq!(wall.until("done_all").await["done"], 0);
    wall.send(&stop(first)).await;
    assert_eq!(wall.until("done_all").await["done"], 1);
    candidate.view(|view| view["clock"]["paused"] == true).await;
    wall.send(&stop(Uuid::from_u128(SITTING + OTHER))).await;
    assert_eq!(wall.until("refused").await["problem"]["code"], "not_found");
}

#[tokio::test]
async fn a_battery_that_runs_down_is_seen_on_the_wall_until_the_page_goes() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut candidate) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    candidate.send(&json!({ "type": "ping", "n": 1, "battery": 112 })).await;
    candidate.send(&json!({ "type": "ping", "n": 2, "battery": 12 })).await;
    let mut battery = async |is: Value| {
        loop {
            let frame = wall.until("pulse").await;
            let pulses = frame["pulses"].as_array().unwrap().clone();
            if pulses
                .iter()
                .any(|pulse| pulse["session"] == json!(device.session.0) && pulse["battery"] == is)
            {
                return;
            }
        }
    };
    battery(json!(12)).await;
    drop(candidate);
    battery(Value::Null).await;
}

#[tokio::test]
async fn another_centres_sitting_and_candidates_cannot_be_watched_opened_or_commanded() {
    let house = House::open().await;
    let at = house.listen().await;
    let mut wall = watching(&house, at).await;
    let foreign = Uuid::from_u128(session(0).0.as_u128() + OTHER);
    let mut refused = async |frame: Value| {
        wall.send(&frame).await;
        wall.until("refused").await["problem"]["code"].clone()
    };
    assert_eq!(
        refused(json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING + OTHER) })).await,
        "not_found"
    );
    assert_eq!(refused(json!({ "type": "open", "session": foreign })).await, "not_found");
    let pool = json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING), "beside": [Uuid::from_u128(SITTING + OTHER)] });
    assert_eq!(refused(pool).await, "not_found");
    let many: Vec<_> = (0..16).map(Uuid::from_u128).collect();
    let many = json!({ "type": "watch", "sitting": Uuid::from_u128(SITTING), "beside": many });
    assert_eq!(refused(many).await, "out_of_limits");
    let pause = json!({ "do": "pause", "reason": "x" });
    let command = json!({ "type": "command", "re": 1, "session": foreign, "command": pause });
    assert_eq!(refused(command).await, "not_found");
    assert_eq!(refused(json!({ "type": "watch" })).await, "frame_malformed");
    assert_eq!(refused(json!({ "type": "open", "session": null, "x": 1 })).await, "frame_malformed");
}

#[tokio::test]
async fn a_ticket_of_another_role_or_of_a_candidate_opens_no_wall() {
    let house = House::open().await;
    let at = house.listen().await;
    let cookie = cookie(0, Role::Centre);
    let (_, ticket) = house.post("/api/v1/staff/ticket", &[("cookie", &cookie)], &json!({})).await;
    let path = format!("/api/v1/proctor/socket?ticket={}", ticket["ticket"].as_str().unwrap());
    assert_eq!(Socket::open(at, &path).await.err(), Some(StatusCode::FORBIDDEN));
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let (_, ticket) = device.ticket(&house).await;
    let path = format!("/api/v1/proctor/socket?ticket={}", ticket["ticket"].as_str().unwrap());
    assert_eq!(Socket::open(at, &path).await.err(), Some(StatusCode::UNAUTHORIZED));
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_the_wall() {
    let house = House::open().await;
    let at = house.listen().await;
    let mut wall = watching(&house, at).await;
    let value = format!("cookie-0-{}", Role::Proctor.as_str());
    house.store.end_staff_session(crate::auth::hash(&value)).await.unwrap();
    // Heard of halfway, so that it is not silence that ends it; later, a frame of ours could cost us the last word.
    tokio::time::advance(std::time::Duration::from_secs(7)).await;
    wall.send(&json!({ "type": "ping", "n": 1 })).await;
    assert_eq!(wall.until("bye").await["problem"]["code"], "sign_in_required");
}

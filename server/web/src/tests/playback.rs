//! Recordings along one line of time, clips of incidents, links, and who looked.

use super::house::{House, cookie, session};
use super::seat::running;
use super::wall::watching;
use crate::evidence::Evidence;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use synaq_core::ids::CentreId;
use synaq_core::time::Span;
use synaq_runtime::Clock;
use synaq_store::{Directory, Role};
use uuid::Uuid;

/// A recording that began then, with a picture at each whole second and a sound 900 ms later.
pub(crate) fn recording(began_ms: i64, seconds: u16) -> Vec<u8> {
    let since_2001 = (began_ms - 978_307_200_000) * 1_000_000;
    let mut out =
        b"\x1a\x45\xdf\xa3\x84\x42\x82\x81w\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff".to_vec();
    out.extend(b"\x15\x49\xa9\x66\x8b\x44\x61\x88");
    out.extend(since_2001.to_be_bytes());
    out.extend(b"\x16\x54\xae\x6b\x83\xec\x81\x00");
    for second in 0..seconds {
        out.extend(b"\x1f\x43\xb6\x75\x92\xe7\x82");
        out.extend((second * 1_000).to_be_bytes());
        out.extend(b"\xa3\x85\x81\x00\x00\x80p\xa3\x85\x82\x03\x84\x80s");
    }
    out
}

async fn get(house: &House, role: Role, path: &str, range: Option<&str>) -> (StatusCode, Vec<u8>) {
    let request = House::request(&Method::GET, path).header("cookie", cookie(0, role));
    let request = range.into_iter().fold(request, |request, range| request.header("range", range));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    let status = response.status();
    (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
}

async fn audited(house: &House, action: &str) -> Vec<String> {
    let audit = house.store.audit_of(CentreId(Uuid::from_u128(super::house::CENTRE)), 100).await.unwrap();
    audit.into_iter().filter(|entry| entry.action == action).map(|entry| entry.object).collect()
}

#[tokio::test]
async fn recordings_of_several_connections_lie_along_one_line_with_the_gaps_between_them() {
    let house = House::open().await;
    let at = house.clock.now().0;
    let path = format!("/api/v1/playback/{}", session(0));
    for (name, began, seconds) in [
        ("webcam-0001.webm", at, 10),
        ("webcam-0002.webm", at + 25_000, 20),
        ("screen-0001.webm", at + 2_000, 5),
    ] {
        house.shelf.store(session(0), name, &recording(began, seconds)).unwrap();
    }
    house.shelf.store(session(0), "webcam-0003.webm", b"0123456789").unwrap();
    for role in [Role::Proctor, Role::Centre, Role::Commission] {
        let (status, view) = house.get_as(role, &path).await;
        assert_eq!(status, StatusCode::OK, "{view}");
        assert_eq!((&view["from"], &view["to"]), (&json!(at), &json!(at + 25_000 + 19_900)));
        let kinds: Vec<_> = view["tracks"].as_array().unwrap().iter().map(|track| &track["kind"]).collect();
        assert_eq!(kinds, ["webcam", "screen"]);
        let parts = view["tracks"][0]["parts"].as_array().unwrap();
        let places: Vec<_> = parts.iter().map(|part| (&part["name"], &part["at"], &part["ms"])).collect();
        assert_eq!(
            places,
            [
                (&json!("webcam-0001.webm"), &json!(at), &json!(9_900)),
                (&json!("webcam-0002.webm"), &json!(at + 25_000), &json!(19_900))
            ]
        );
        assert_eq!(view["gaps"], json!([{ "from": at + 9_900, "to": at + 25_000, "why": null }]));
    }
    assert_eq!(audited(&house, "playback_opened").await.len(), 3, "each person once");
}

#[tokio::test]
async fn a_link_is_for_one_person_and_some_minutes_and_hundreds_of_ranges_are_one_view() {
    let house = House::open().await;
    let at = house.clock.now().0;
    house.shelf.store(session(0), "webcam-0001.webm", &recording(at, 10)).unwrap();
    let path = format!("/api/v1/playback/{}", session(0));
    let (_, view) = house.get_as(Role::Commission, &path).await;
    let url = view["tracks"][0]["parts"][0]["url"].as_str().unwrap().to_owned();
    let (status, whole) = get(&house, Role::Commission, &url, None).await;
    assert_eq!(status, StatusCode::OK);
    for from in (0..whole.len()).step_by(7) {
        let (status, part) = get(&house, Role::Commission, &url, Some(&format!("bytes={from}-{from}"))).await;
        assert_eq!((status, &part[..]), (StatusCode::PARTIAL_CONTENT, &whole[from..=from]));
    }
    let seen = format!("{}/webcam-0001.webm", session(0));
    assert_eq!(audited(&house, "evidence_viewed").await, std::slice::from_ref(&seen));
    assert_eq!(get(&house, Role::Proctor, &url, None).await.0, StatusCode::NOT_FOUND, "somebody else's link");
    let nobody = House::request(&Method::GET, &url).body(Body::empty()).unwrap();
    assert_eq!(house.send(nobody).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(get(&house, Role::Commission, &format!("{url}A"), None).await.0, StatusCode::NOT_FOUND);
    house.clock.advance(Span(synaq_wire::playback::LINK_MS));
    assert_eq!(get(&house, Role::Commission, &url, None).await.0, StatusCode::NOT_FOUND, "over");
    let (_, view) = house.get_as(Role::Commission, &path).await;
    let url = view["tracks"][0]["parts"][0]["url"].as_str().unwrap();
    assert_eq!(get(&house, Role::Commission, url, None).await.1, whole);
    assert_eq!(audited(&house, "evidence_viewed").await, [seen.clone(), seen], "looked again later");
}

#[tokio::test]
async fn the_clip_of_an_incident_is_there_at_once_grows_and_is_the_kept_one_afterwards() {
    let house = House::open().await;
    let at = house.listen().await;
    let (_device, _socket) = running(&house, at, 0).await;
    let mut wall = watching(&house, at).await;
    let now = house.clock.now().0;
    let path = format!("/api/v1/playback/{}/clips/1", session(0));
    assert_eq!(house.get_as(Role::Proctor, &path).await.0, StatusCode::NOT_FOUND, "no incident yet");
    wall.send(&json!({ "type": "command", "re": 1, "session": session(0), "command": {
        "do": "record", "code": "FORBIDDEN_ITEM", "began_at": now, "warnings_seen": 0, "note": "x" } }))
        .await;
    wall.until("done").await;
    assert_eq!(house.get_as(Role::Proctor, &path).await.1["code"], "no_picture");

    // Recorded since 30 s, up to the last second.
    house.shelf.store(session(0), "webcam-0001.webm", &recording(now - 30_000, 29)).unwrap();
    let (status, clip) = house.get_as(Role::Proctor, &path).await;
    assert_eq!(status, StatusCode::OK, "{clip}");
    assert_eq!((&clip["from"], &clip["to"]), (&json!(now - 10_000), &json!(now - 1_100)));
    assert_eq!(
        (&clip["whole"], &clip["name"], &clip["began_at"]),
        (&json!(false), &Value::Null, &json!(now))
    );
    let url = clip["url"].as_str().unwrap().to_owned();
    let (status, first) = get(&house, Role::Proctor, &url, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(first.windows(4).filter(|id| *id == b"\x1f\x43\xb6\x75").count(), 9);
    assert_eq!(get(&house, Role::Proctor, &url, Some("bytes=4-9")).await.1, first[4..=9]);
    assert_eq!(audited(&house, "evidence_viewed").await, [format!("{}/clip-0001", session(0))]);

    // More is recorded: the old link leads to the same bytes, a new one to all.
    house.shelf.store(session(0), "webcam-0002.webm", &recording(now, 20)).unwrap();
    let (_, longer) = house.get_as(Role::Proctor, &path).await;
    assert_eq!(longer["to"], now + 9_900);
    assert_eq!(get(&house, Role::Proctor, &url, None).await.1, first);
}

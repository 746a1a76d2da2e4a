//! The lower steps: stills over HTTP, and the device's own recording brought later.

use super::house::{House, cookie, json};
use super::seat::{Device, running};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json as value};
use synaq_store::Role;
use synaq_wire::limits::{LOCAL_BYTES, STILL_BYTES};

fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::new(320, 240);
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}

fn webm(seed: u8) -> Vec<u8> {
    [&[0x1a, 0x45, 0xdf, 0xa3][..], &[seed; 100]].concat()
}

async fn put_still(house: &House, device: &Device, body: Vec<u8>) -> (StatusCode, Value) {
    let request = House::request(&Method::PUT, "/api/v1/candidate/still")
        .header("authorization", device.bearer())
        .header("content-type", "image/jpeg");
    json(house.send(request.body(Body::from(body)).unwrap()).await).await
}

async fn put_piece(house: &House, device: &Device, said: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let request = House::request(&Method::POST, &format!("/api/v1/candidate/local?{said}"))
        .header("authorization", device.bearer())
        .header("content-type", "video/webm");
    json(house.send(request.body(Body::from(body)).unwrap()).await).await
}

async fn held(house: &House, device: &Device) -> Value {
    let request =
        House::request(&Method::GET, "/api/v1/candidate/local").header("authorization", device.bearer());
    json(house.send(request.body(Body::empty()).unwrap()).await).await.1
}

#[tokio::test]
async fn a_still_over_http_is_on_the_wall_and_in_the_evidence() {
    let house = House::open().await;
    let at = house.listen().await;
    let early = Device::new(&house, 1, 9);
    early.bind(&house).await;
    assert_eq!(put_still(&house, &early, jpeg()).await.1["code"], "wrong_stage");
    let (device, mut socket) = running(&house, at, 0).await;
    socket.done(value!({ "do": "step_media", "step": "stills", "why": "weak_line" })).await;
    let (status, taken) = put_still(&house, &device, jpeg()).await;
    assert_eq!((status, &taken["next_ms"]), (StatusCode::OK, &value!(5_000)));
    let path = format!("/api/v1/proctor/sessions/{}/still", device.session);
    let request = House::request(&Method::GET, &path).header("cookie", cookie(0, Role::Proctor));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    let snapshot = house.runtime.look(device.session).await.unwrap();
    let state = snapshot.session.state();
    assert!(state.evidence.iter().any(|piece| piece.name == "line-still-0001"));
    assert!(state.incidents.is_empty(), "less picture is technical");
    for (body, code) in [(vec![0; STILL_BYTES + 1], "body_too_large"), (b"hello".to_vec(), "photo_not_image")]
    {
        assert_eq!(put_still(&house, &device, body).await.1["code"], code);
    }
    socket.done(value!({ "do": "hand_in" })).await;
    assert_eq!(put_still(&house, &device, jpeg()).await.1["code"], "exam_ended");
}

#[tokio::test]
async fn what_the_device_kept_is_stored_once_in_order_and_also_after_the_end() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, mut socket) = running(&house, at, 0).await;
    let said = |ago_ms: i64, missing_ms: i64| {
        format!("from={}&span_ms=10000&missing_ms={missing_ms}", super::START.0 - ago_ms)
    };
    socket.done(value!({ "do": "keep_local", "pieces": 2 })).await;
    let (status, first) = put_piece(&house, &device, &said(9, 0), webm(1)).await;
    assert_eq!((status, &first["name"]), (StatusCode::OK, &value!("local-0001.webm")), "{first}");
    let (_, again) = put_piece(&house, &device, &said(9, 0), webm(1)).await;
    assert_eq!(again, first, "a lost answer is asked for again");
    assert_eq!(held(&house, &device).await["stored"], value!([first["sha256"]]));
    socket.done(value!({ "do": "hand_in" })).await;
    let (_, second) = put_piece(&house, &device, &said(5, 0), webm(2)).await;
    assert_eq!(second["name"], "local-0002.webm");
    let snapshot = house.runtime.look(device.session).await.unwrap();
    let state = snapshot.session.state();
    assert_eq!(state.evidence.iter().filter(|piece| piece.name.starts_with("local-")).count(), 2);
    assert!(state.local_open().next().is_none());

    // It plays at its place of the line of time, as it came.
    let (status, view) =
        house.get_as(Role::Commission, &format!("/api/v1/playback/{}", device.session)).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    let part = &view["tracks"][0]["parts"][0];
    let place = (&part["name"], &part["at"], &part["ms"], &part["pictured"]);
    let wanted = (&value!("local-0001.webm"), &value!(super::START.0 - 9), &value!(10_000), &value!(true));
    assert_eq!(place, wanted);
    assert_eq!(view["gaps"], value!([]), "what the device recorded is no gap");
    let request = House::request(&Method::GET, part["url"].as_str().unwrap());
    let request =
        request.header("cookie", super::house::cookie(0, Role::Commission)).body(Body::empty()).unwrap();
    let piece = axum::body::to_bytes(house.send(request).await.into_body(), 1 << 20).await.unwrap();
    assert_eq!(piece, webm(1));
}

#[tokio::test]
async fn a_piece_that_is_none_leaves_no_trace() {
    let house = House::open().await;
    let at = house.listen().await;
    let (device, _socket) = running(&house, at, 0).await;
    let good = format!("from={}&span_ms=10000&missing_ms=0", super::START.0 - 9);
    let future = format!("from={}&span_ms=10000&missing_ms=0", super::START.0 + 3_600_000);
    let long = format!("from={}&span_ms=9000000&missing_ms=0", super::START.0 - 9);
    for (said, body, code) in [
        (good.as_str(), b"hello".to_vec(), "out_of_limits"),
        (&good, vec![0x1a; LOCAL_BYTES + 1], "body_too_large"),
        (&future, webm(1), "out_of_limits"),
        (&long, webm(1), "out_of_limits"),
    ] {
        assert_eq!(put_piece(&house, &device, said, body).await.1["code"], code, "{said}");
    }
    let stranger = Device::new(&house, 0, 77);
    stranger.bind(&house).await;
    assert_eq!(put_piece(&house, &stranger, &good, webm(1)).await.1["code"], "other_device");
    assert!(held(&house, &device).await["stored"].as_array().unwrap().is_empty());
}

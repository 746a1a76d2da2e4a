//! Photos and SDP as bad clients send them.

use super::house::{House, cookie, json};
use super::seat::{Device, check};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use synaq_core::session::{ClientRef, Command, Input};
use synaq_store::Role;

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::new(64, 48);
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

#[tokio::test]
async fn a_photo_reaches_the_proctor_as_a_clean_jpeg() {
    let house = House::open().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let (status, problem) = device.put_photo(&house, "face", picture()).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &value!("step_missing")),
        "before the consent"
    );
    check(&mut device.connect(&house, house.listen().await).await).await;
    let (status, stored) = device.put_photo(&house, "face", picture()).await;
    assert_eq!(status, StatusCode::OK, "{stored}");
    let path = format!("/api/v1/proctor/sessions/{}/photos/face", device.session);
    let request = House::request(&Method::GET, &path).header("cookie", cookie(0, Role::Proctor));
    let response = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert_eq!(synaq_seal::sha256(&bytes).to_string(), stored["sha256"]);
    let (status, problem) = house.get_as(Role::Proctor, &path.replace("face", "document")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &value!("no_picture")));
}

#[tokio::test]
async fn a_photo_of_20_mb_is_refused_and_not_kept_in_memory() {
    let house = House::open().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let pieces = futures_util::stream::iter(0..320).map_pieces(counter);
    let request = House::request(&Method::PUT, "/api/v1/candidate/photos/face")
        .header("authorization", device.bearer());
    let (status, problem) = json(house.send(request.body(Body::from_stream(pieces)).unwrap()).await).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &value!("photo_too_large")));
    assert_eq!(taken.load(Ordering::SeqCst), 320, "read to the end, so that the browser shows our answer");
}

trait Pieces {
    fn map_pieces(
        self,
        counter: Arc<AtomicUsize>,
    ) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static;
}

impl<S: futures_util::Stream<Item = i32> + Send + 'static> Pieces for S {
    fn map_pieces(
        self,
        counter: Arc<AtomicUsize>,
    ) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
        futures_util::StreamExt::map(self, move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(vec![0xff; 64 * 1024])
        })
    }
}

#[tokio::test]
async fn what_is_no_photo_changes_nothing() {
    let house = House::open().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let seq = async || house.runtime.look(device.session).await.unwrap().session.state().seq;
    let before = seq().await;
    for body in [Vec::new(), b"hello".to_vec(), b"<svg/>".to_vec(), picture()[..40].to_vec()] {
        let (status, problem) = device.put_photo(&house, "face", body).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &value!("photo_not_image"))
        );
    }
    assert_eq!(device.put_photo(&house, "passport", picture()).await.0, StatusCode::NOT_FOUND);
    let waiting = Device::new(&house, 0, 2);
    waiting.bind(&house).await;
    let (status, problem) = waiting.put_photo(&house, "face", picture()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &value!("other_device")));
    assert_eq!(seq().await, before);
}

async fn offer(house: &House, device: &Device, media_type: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let request =
        House::request(&Method::POST, "/api/v1/candidate/whip").header("authorization", device.bearer());
    let request = request.header("content-type", media_type).body(Body::from(body)).unwrap();
    json(house.send(request).await).await
}

/// An offer of these kinds of lines.
fn lines(kinds: &[&str]) -> Vec<u8> {
    let line = |kind: &&str| format!("m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n");
    format!("v=0\r\n{}", kinds.iter().map(line).collect::<String>()).into_bytes()
}

#[tokio::test]
async fn offers_that_are_none_are_refused_by_name() {
    let house = House::open().await;
    let device = Device::new(&house, 0, 1);
    device.bind(&house).await;
    let (status, problem) = offer(&house, &device, "application/sdp", b"v=0".to_vec()).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &value!("step_missing")),
        "before the consent"
    );
    let epoch = synaq_core::ids::Epoch(1);
    for (seq, command) in [
        Command::ChooseLanguage(synaq_core::bank::Lang::Kk),
        Command::Consent { text_version: "1".into(), lang: synaq_core::bank::Lang::Kk },
    ]
    .into_iter()
    .enumerate()
    {
        let client = ClientRef { epoch, client_seq: seq as u64 + 1, client_at: super::START };
        house.runtime.submit(device.session, Input::Candidate { client, command }).await.unwrap();
    }
    for (media_type, body, expected) in [
        ("application/json", b"{}".to_vec(), "media_type_unsupported"),
        ("application/sdp", b"hello".to_vec(), "sdp_malformed"),
        ("application/sdp", vec![0xff; 8], "sdp_malformed"),
        ("application/sdp", vec![b'a'; 17 * 1024], "sdp_too_large"),
        ("application/sdp", lines(&["audio", "audio", "video"]), "sdp_media_lines"),
        ("application/sdp", lines(&["audio", "video", "video", "video"]), "sdp_media_lines"),
        ("application/sdp", lines(&["audio", "video", "application"]), "sdp_media_lines"),
    ] {
        assert_eq!(offer(&house, &device, media_type, body).await.1["code"], expected);
    }
    let request = House::request(&Method::DELETE, "/api/v1/candidate/whip/none")
        .header("authorization", device.bearer());
    assert_eq!(house.send(request.body(Body::empty()).unwrap()).await.status(), StatusCode::NOT_FOUND);
}

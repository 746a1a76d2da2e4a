//! A candidate's device at work.

use super::house::{House, session, staff};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::{EvidenceRef, Input, MediaFact, PhotoKind, StaffCommand};
use synaq_store::Role;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// Longer than anything takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Device {
    pub(super) session: SessionId,
    pub(super) link: String,
    pub(super) key: String,
    pub(super) tab: Uuid,
}

impl Device {
    pub(super) fn new(house: &House, candidate: u128, seed: u8) -> Self {
        let key = URL_SAFE_NO_PAD.encode([seed; 32]);
        let tab = Uuid::from_u128(u128::from(seed));
        Self { session: session(candidate), link: house.link(candidate), key, tab }
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}.{}", self.session, self.key)
    }

    pub(super) async fn bind(&self, house: &House) -> (StatusCode, Value) {
        let body = json!({ "link": self.link, "device_key": self.key, "tab": self.tab });
        house.post("/api/v1/candidate/bind", &[], &body).await
    }

    pub(super) async fn ticket(&self, house: &House) -> (StatusCode, Value) {
        let bearer = self.bearer();
        let headers = [("authorization", bearer.as_str())];
        house.post("/api/v1/candidate/ticket", &headers, &json!({ "tab": self.tab })).await
    }

    pub(super) async fn connect(&self, house: &House, at: SocketAddr) -> Socket {
        let (status, ticket) = self.ticket(house).await;
        assert_eq!(status, StatusCode::OK, "{ticket}");
        let ticket = ticket["ticket"].as_str().unwrap();
        Socket::open(at, &format!("/api/v1/candidate/socket?ticket={ticket}")).await.unwrap()
    }

    pub(super) async fn put_photo(&self, house: &House, kind: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let path = format!("/api/v1/candidate/photos/{kind}");
        let request = House::request(&Method::PUT, &path).header("authorization", self.bearer());
        let request = request.header("content-type", "image/jpeg").body(Body::from(body)).unwrap();
        super::house::json(house.send(request).await).await
    }
}

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Every frame ever received, as text
    pub(super) heard: Vec<String>,
    newest_view: Value,
    seq: u64,
}

impl Socket {
    pub(super) async fn open(at: SocketAddr, path: &str) -> Result<Self, StatusCode> {
        Self::open_from(at, path, Some(super::house::ORIGIN)).await
    }

    pub(super) async fn open_from(
        at: SocketAddr,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, _)) => Ok(Self { stream, heard: Vec::new(), newest_view: Value::Null, seq: 0 }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn send_text(&mut self, text: String) {
        self.stream.send(Message::Text(text.into())).await.unwrap();
    }

    pub(super) async fn send(&mut self, frame: &Value) {
        self.send_text(frame.to_string()).await;
    }

    pub(super) async fn send_binary(&mut self) {
        self.stream.send(Message::Binary(vec![1, 2, 3].into())).await.unwrap();
    }

    /// The next frame; none once the socket is closed.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
            match message? {
                Ok(Message::Text(text)) => {
                    self.heard.push(text.as_str().to_owned());
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if let Some(view) = frame.get("view") {
                        self.newest_view = view.clone();
                    }
                    return Some(frame);
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame of that type.
    pub(super) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("closed before {kind}: {:?}", self.heard));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The newest view, once the condition holds of it.
    pub(super) async fn view(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        while self.newest_view.is_null() || !holds(&self.newest_view) {
            self.next().await.expect("a view before the end");
        }
        self.newest_view.clone()
    }

    /// Sends a command under an epoch and waits for its answer.
    pub(super) async fn command_in(&mut self, epoch: u32, client_seq: u64, command: Value) -> Value {
        let frame = json!({ "type": "command", "client_seq": client_seq, "epoch": epoch,
            "client_at": super::clock::START.0, "command": command });
        self.send(&frame).await;
        loop {
            let frame = self.next().await.expect("an answer before the end");
            let kind = frame["type"].as_str().unwrap();
            if ["ack", "refused"].contains(&kind) && frame["client_seq"] == client_seq {
                return frame;
            }
        }
    }

    /// The next command of epoch 1.
    pub(super) async fn command(&mut self, command: Value) -> Value {
        self.seq += 1;
        self.command_in(1, self.seq, command).await
    }

    pub(super) async fn done(&mut self, command: Value) -> Value {
        let answer = self.command(command).await;
        assert_eq!(answer["type"], "ack", "{answer}");
        answer
    }
}

/// Language, consent and device check.
pub(super) async fn check(socket: &mut Socket) {
    socket.done(json!({ "do": "choose_language", "lang": "ru" })).await;
    socket.done(json!({ "do": "consent", "text_version": "1", "lang": "ru" })).await;
    let report = json!({ "camera": true, "microphone": true, "connection": true, "round_trip_ms": 20,
        "camera_label": "c", "browser": "b", "second_screen": null });
    socket.done(json!({ "do": "check_device", "report": report })).await;
}

/// Everything before the exam: the candidate's part through the socket, the others' through the runtime.
pub(super) async fn prepare(house: &House, device: &Device, socket: &mut Socket) {
    check(socket).await;
    let submit = |input| house.runtime.submit(device.session, input);
    for kind in [PhotoKind::Face, PhotoKind::Document] {
        let name = format!("{}-1", crate::convert::photo_name(kind));
        let evidence = EvidenceRef { name, sha256: "0".repeat(64), bytes: 3 };
        submit(Input::Photo { kind, evidence }).await.unwrap();
    }
    submit(Input::Media(MediaFact::Flow { video: true, audio: true })).await.unwrap();
    socket.done(json!({ "do": "submit_identity" })).await;
    let by = staff(0, Role::Proctor);
    submit(Input::Staff { by, command: StaffCommand::Admit { seen: None } }).await.unwrap();
    for text in ["methodology", "appeal_procedure", "forbidden_items", "conduct"] {
        socket.done(json!({ "do": "acknowledge", "text": text, "text_version": "1", "lang": "ru" })).await;
    }
}

/// The paper is drawn and stored.
pub(super) async fn drawn(house: &House, device: &Device, socket: &mut Socket) {
    prepare(house, device, socket).await;
    socket.done(json!({ "do": "ready", "nonce": "ab".repeat(32) })).await;
}

/// A bound device with a live socket in a running exam.
pub(super) async fn running(house: &House, at: SocketAddr, candidate: u128) -> (Device, Socket) {
    let device = Device::new(house, candidate, u8::try_from(candidate).unwrap() + 1);
    assert_eq!(device.bind(house).await.0, StatusCode::OK);
    let mut socket = device.connect(house, at).await;
    socket.until("welcome").await;
    drawn(house, &device, &mut socket).await;
    socket.done(json!({ "do": "begin" })).await;
    (device, socket)
}

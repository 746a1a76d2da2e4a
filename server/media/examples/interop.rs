//! A page server with WHIP and WHEP around the media service, for tests with real browsers
//! (`tests/media/interop.mjs`). Evidence goes unsealed into the folder of the first argument.
//!
//! `cargo run -p synaq-media --example interop -- FOLDER [HTTP-PORT] [MEDIA-ADDRESS:PORT] [TURN-URL TURN-SECRET]`
use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{delete, get, post},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use synaq_media::{
    Answer, EvidenceStore, EvidenceWriter, Fact, Finished, Handle, OfferError, Options, Relay, ResourceId,
    Service, Sink, Turn,
};
use uuid::Uuid;

/// Plain files, one folder per session.
struct Folder(PathBuf);

struct Plain {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl EvidenceStore for Folder {
    fn create(&self, session: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        let folder = self.0.join(session.to_string());
        fs::create_dir_all(&folder)?;
        let file = File::create_new(folder.join(name))?;
        Ok(Box::new(Plain { file, hash: Sha256::new(), bytes: 0 }))
    }
}

impl EvidenceWriter for Plain {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.file.write_all(chunk)?;
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        self.file.sync_data()?;
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Finished { sha256, bytes: self.bytes })
    }
}

/// Facts with the seconds since the start.
struct Log {
    start: Instant,
    lines: Mutex<Vec<String>>,
}

impl Sink for Log {
    fn report(&self, session: Uuid, fact: Fact) {
        let line = format!("{:.3} {session} {fact:?}", self.start.elapsed().as_secs_f64());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

#[derive(Clone)]
struct Site {
    media: Handle,
    log: Arc<Log>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("the folder for recordings is missing")?);
    let http: u16 = arguments.next().as_deref().unwrap_or("0").parse()?;
    let bind: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let log = Arc::new(Log { start: Instant::now(), lines: Mutex::default() });
    let turn = arguments.next().map(|url| Turn {
        urls: vec![url],
        secret: arguments.next().unwrap_or_default(),
        lifetime: Duration::from_secs(600),
        unix_now: || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    });
    let options = Options { turn, ..Options::new(bind) };
    let (media, guard) = Service::start(options, log.clone(), Arc::new(Folder(folder)))?;
    let page = "<!doctype html><title>interop</title><video autoplay></video>";
    let site = Router::new()
        .route("/", get(move || async move { Html(page) }))
        .route("/whip/{session}", post(whip))
        .route("/whep/{session}", post(whep))
        .route("/resource/{id}", delete(close))
        .route("/still/{session}", get(still))
        .route("/status/{session}", get(status))
        .route("/stats", get(stats))
        .route("/facts", get(facts))
        .with_state(Site { media, log });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", http)).await?;
    println!("http://{}", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, site) => served?,
        _ = tokio::signal::ctrl_c() => {}
    }
    guard.stop();
    Ok(())
}

fn answered(answer: Result<Answer, OfferError>) -> Response {
    match answer {
        Ok(Answer { sdp, resource, relay, .. }) => {
            let headers = [
                (header::CONTENT_TYPE, "application/sdp".to_owned()),
                (header::LOCATION, format!("/resource/{resource}")),
            ];
            let mut response = (StatusCode::CREATED, headers, sdp).into_response();
            if let Some(Relay { urls, username, credential }) = relay {
                let link = format!(
                    "<{}>; rel=\"ice-server\"; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"",
                    urls[0]
                );
                let link = header::HeaderValue::from_str(&link).expect("a relay's address is header text");
                response.headers_mut().append(header::LINK, link);
            }
            response
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{}: {error}", error.code())).into_response(),
    }
}

async fn whip(State(site): State<Site>, Path(session): Path<Uuid>, offer: String) -> Response {
    answered(site.media.publish(session, offer).await)
}

async fn whep(State(site): State<Site>, Path(session): Path<Uuid>, offer: String) -> Response {
    answered(site.media.view(session, offer).await)
}

async fn close(State(site): State<Site>, Path(id): Path<String>) -> StatusCode {
    let Ok(resource) = id.parse::<ResourceId>() else { return StatusCode::NOT_FOUND };
    match site.media.close(resource).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::NOT_FOUND,
    }
}

async fn still(State(site): State<Site>, Path(session): Path<Uuid>) -> Response {
    let Some(still) = site.media.still(session) else { return StatusCode::NOT_FOUND.into_response() };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("image/webp"));
    headers.insert("x-number", still.number.into());
    (headers, still.webp).into_response()
}

async fn status(State(site): State<Site>, Path(session): Path<Uuid>) -> Json<BTreeMap<&'static str, u32>> {
    let mut fields = BTreeMap::new();
    if let Some(status) = site.media.status(session) {
        fields.extend([
            ("connected", status.connected.into()),
            ("video_live", status.video_live.into()),
            ("audio_live", status.audio_live.into()),
            ("bitrate_bps", status.bitrate_bps),
            ("fps", status.fps),
            ("loss_permille", status.loss_permille),
            ("width", status.width.into()),
            ("height", status.height.into()),
            ("tcp", status.tcp.into()),
            ("viewers", status.viewers),
        ]);
    }
    fields.extend(site.media.level(session).map(|level| ("level", level.into())));
    Json(fields)
}

async fn stats(State(site): State<Site>) -> String {
    format!("{:?}", site.media.stats())
}

async fn facts(State(site): State<Site>) -> Json<Vec<String>> {
    Json(site.log.lines.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

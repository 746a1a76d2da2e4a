//! A WebSocket with small buffers that says `ping` when it is time.

use super::http::Refusal;
use super::{Stream, Target, dial};
use anyhow::{Context as _, anyhow};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use std::net::Ipv4Addr;
use std::time::Duration;
use synaq_wire::limits::HEARTBEAT_MS;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// An eighth of the memory of the library's own 128 KiB, measured; our frames are a few KiB.
const BUFFER_BYTES: usize = 4_096;
const PING_EVERY: Duration = Duration::from_millis(HEARTBEAT_MS.unsigned_abs());
const PATIENCE: Duration = Duration::from_secs(20);
/// What every client says at least every five seconds; the number comes back and is not looked at.
const PING: &str = r#"{"type":"ping","n":1}"#;

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<Stream>,
    ping_at: Instant,
}

/// A server that answers with something else than a socket says why, and when to come again.
fn refused(error: tungstenite::Error) -> anyhow::Error {
    let tungstenite::Error::Http(response) = error else { return anyhow!("upgrade: {error}") };
    let (status, body) = (response.status().as_u16(), response.body().as_deref().unwrap_or_default());
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let refusal = Refusal::of(status, body);
    let retry_after = refusal.retry_after.or(seconds.map(Duration::from_secs));
    Refusal { retry_after, ..refusal }.into()
}

impl Socket {
    /// `path`: with the ticket.
    pub(crate) async fn connect(target: &Target, source: Ipv4Addr, path: &str) -> anyhow::Result<Self> {
        let stream = dial(target, source).await?;
        let scheme = if target.tls.is_some() { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{path}", target.authority).into_client_request()?;
        request.headers_mut().insert("origin", HeaderValue::from_str(&target.origin)?);
        let config =
            WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
        let upgrade = client_async_with_config(request, stream, Some(config));
        let upgraded = timeout(PATIENCE, upgrade).await.context("upgrade: no answer in time")?;
        let (stream, _) = upgraded.map_err(refused)?;
        Ok(Self { stream, ping_at: Instant::now() + PING_EVERY })
    }

    pub(crate) async fn send(&mut self, frame: &impl Serialize) -> anyhow::Result<()> {
        self.say(Message::text(serde_json::to_string(frame)?)).await
    }

    async fn say(&mut self, message: Message) -> anyhow::Result<()> {
        self.stream.send(message).await.map_err(|_| anyhow!("socket: broken"))
    }

    /// The next text, or `None` at that instant.
    pub(crate) async fn hear(&mut self, until: Instant) -> anyhow::Result<Option<Utf8Bytes>> {
        loop {
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                () = sleep_until(until.min(self.ping_at)) => {
                    let now = Instant::now();
                    if now >= self.ping_at {
                        self.ping_at = now + PING_EVERY;
                        self.say(Message::text(PING)).await?;
                    }
                    if now >= until {
                        return Ok(None);
                    }
                    continue;
                }
            };
            match message {
                Some(Ok(Message::Text(text))) => return Ok(Some(text)),
                Some(Ok(Message::Close(_))) | None => return Err(anyhow!("socket: closed by the server")),
                Some(Ok(_)) => {}
                Some(Err(_)) => return Err(anyhow!("socket: broken")),
            }
        }
    }
}

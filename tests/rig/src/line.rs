//! A WebSocket with JSON both ways, without the server's types.

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than any handshake over a link that the rig makes slow.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// An open socket.
pub struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line(..)")
    }
}

impl Line {
    /// `base`: `http://localhost:8080`; `path` with the ticket.
    ///
    /// # Errors
    /// If the server refuses or is not there.
    pub async fn connect(base: &str, path: &str) -> anyhow::Result<Self> {
        let mut request = format!("{}{path}", base.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("origin", HeaderValue::from_str(base)?);
        let opened = timeout(HANDSHAKE, connect_async(request)).await.context("the handshake hangs")?;
        let (stream, _) = opened.context("the socket was not opened")?;
        if let MaybeTlsStream::Plain(tcp) = stream.get_ref() {
            tcp.set_nodelay(true)?;
        }
        Ok(Self(stream))
    }

    /// # Errors
    /// If the socket is broken.
    pub async fn send(&mut self, frame: &Value) -> anyhow::Result<()> {
        let sent = timeout(HANDSHAKE, self.0.send(Message::text(frame.to_string()))).await;
        Ok(sent.context("sending hangs")??)
    }

    /// The next frame, or `None` if none came within `patience`. Cancel-safe.
    ///
    /// # Errors
    /// If the socket is broken or closed.
    pub async fn next(&mut self, patience: Duration) -> anyhow::Result<Option<Value>> {
        loop {
            let Ok(message) = timeout(patience, self.0.next()).await else { return Ok(None) };
            match message.context("the socket ended")?? {
                Message::Text(text) => return Ok(Some(serde_json::from_str(&text)?)),
                Message::Close(_) => bail!("the server closed the socket"),
                _ => {}
            }
        }
    }
}

/// The stable problem code in an error's text or a frame, if there is one.
#[must_use]
pub fn code_in(text: &str) -> Option<&str> {
    let rest = text.split("\"code\":\"").nth(1)?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn the_code_is_found_in_an_error_text() {
        assert_eq!(code_in(r#"x answered 503: {"status":503,"code":"busy"}"#), Some("busy"));
        assert_eq!(code_in("connection refused"), None);
    }
}

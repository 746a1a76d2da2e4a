//! A WebSocket that carries JSON frames both ways.

use crate::site::Site;
use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// `path`: with the ticket.
    pub(crate) async fn connect(site: &Site, path: &str) -> anyhow::Result<Self> {
        let mut request = format!("{}{path}", site.socket_base()).into_client_request()?;
        request.headers_mut().insert("origin", HeaderValue::from_str(site.base())?);
        let (stream, _) = connect_async(request).await.context("the socket was not opened")?;
        if let MaybeTlsStream::Plain(tcp) = stream.get_ref() {
            tcp.set_nodelay(true)?;
        }
        Ok(Self(stream))
    }

    pub(crate) async fn send(&mut self, frame: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(serde_json::to_string(frame)?)).await?)
    }

    /// The next frame, or `None` if none came within `patience`.
    pub(crate) async fn next<T: DeserializeOwned>(
        &mut self,
        patience: Duration,
    ) -> anyhow::Result<Option<T>> {
        loop {
            let Ok(message) = timeout(patience, self.0.next()).await else { return Ok(None) };
            match message.context("the server closed the socket")?? {
                Message::Text(text) => {
                    return Ok(Some(
                        serde_json::from_str(&text).with_context(|| format!("unknown frame {text}"))?,
                    ));
                }
                Message::Close(_) => bail!("the server closed the socket"),
                _ => {}
            }
        }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket(..)")
    }
}

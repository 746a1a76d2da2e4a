//! TCP, or TLS over it.

use super::Target;
use anyhow::Context as _;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// A page gives a connection up after about this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects from that address of this machine: each has its own 28,000 ports, and its own bucket at the server.
pub(crate) async fn dial(target: &Target, source: Ipv4Addr) -> anyhow::Result<Stream> {
    timeout(PATIENCE, connect(target, source)).await.context("connect: no answer in time")?
}

async fn connect(target: &Target, source: Ipv4Addr) -> anyhow::Result<Stream> {
    let socket = TcpSocket::new_v4()?;
    if target.address.ip().is_loopback() {
        socket.set_reuseaddr(true)?;
        socket.bind((source, 0).into()).context("connect: no local port")?;
    }
    let tcp = socket.connect(target.address).await.context("connect: refused")?;
    tcp.set_nodelay(true)?;
    Ok(match &target.tls {
        None => Stream::Plain(tcp),
        Some((connector, name)) => {
            let tls = connector.connect(name.clone(), tcp).await.context("connect: TLS failed")?;
            Stream::Tls(Box::new(tls))
        }
    })
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

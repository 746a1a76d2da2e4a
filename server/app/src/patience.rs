//! How long a connection may say nothing: a header has its time, and so have the bytes from which the protocol is known.

use axum_server::accept::Accept;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// For the next request's header, from the last answer on. More than the minute that proxies keep an idle connection
/// (nginx `keepalive_timeout`), so that theirs ends first and no request meets a closed one.
pub(crate) const HEADER_TIME: Duration = Duration::from_secs(75);
/// From so many bytes on it is known which HTTP is spoken (RFC 9113, 3.4): until then hyper waits without end.
const PREFACE_BYTES: usize = 24;
/// HTTP/2 connections whose other side is gone are found by a ping.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Gives a server's connections their time. WebSockets have left HTTP behind, and have a time of their own.
pub(crate) fn set(http: &mut Builder<TokioExecutor>, header_time: Duration) {
    http.http1().timer(TokioTimer::new()).header_read_timeout(header_time);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(PING_EVERY);
}

/// Accepts as `inner` does, and gives up what does not begin to speak.
#[derive(Clone, Debug)]
pub(crate) struct Patient<A> {
    inner: A,
    time: Duration,
}

impl<A> Patient<A> {
    pub(crate) const fn new(inner: A, time: Duration) -> Self {
        Self { inner, time }
    }
}

impl<A, I, S> Accept<I, S> for Patient<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Speaking<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepting, time) = (self.inner.accept(stream, service), self.time);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            Ok((Speaking { stream, preface: Some(Preface::within(time)) }, service))
        })
    }
}

/// A connection that must begin to speak in time.
#[derive(Debug)]
pub(crate) struct Speaking<S> {
    stream: S,
    /// None once it has spoken
    preface: Option<Preface>,
}

#[derive(Debug)]
struct Preface {
    missing: usize,
    end: Pin<Box<Sleep>>,
}

impl Preface {
    fn within(time: Duration) -> Self {
        Self { missing: PREFACE_BYTES, end: Box::pin(tokio::time::sleep(time)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Speaking<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(preface) = &mut this.preface else { return read };
        if read.is_pending() {
            return preface.end.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        preface.missing = preface.missing.saturating_sub(buffer.filled().len() - before);
        if preface.missing == 0 {
            this.preface = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Speaking<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use axum_server::accept::NoDelayAcceptor;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Instant;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    const SHORT: Duration = Duration::from_millis(300);
    /// A machine with other work.
    const LONG: Duration = Duration::from_secs(60);

    fn served() -> SocketAddr {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "page")).route(
            "/slow",
            get(async || {
                tokio::time::sleep(SHORT * 3).await;
                "slow page"
            }),
        );
        let acceptor = Patient::new(NoDelayAcceptor::new(), SHORT);
        let mut server = axum_server::from_tcp(listener).unwrap().acceptor(acceptor);
        set(server.http_builder(), SHORT);
        tokio::spawn(server.serve(router.into_make_service()));
        address
    }

    /// Says something, and hears everything until the other side ends it.
    async fn heard(address: SocketAddr, words: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        let ended = ended.unwrap_or_else(|_| panic!("{words:?}: the connection is held without end"));
        assert!(ended.is_ok() || answer.is_empty(), "{words:?}: {ended:?}");
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn whoever_says_nothing_or_half_a_header_is_given_up() {
        let address = served();
        for words in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx-slow: lor"] {
            let answer = heard(address, words).await;
            assert!(!answer.contains("page"), "{words:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_header_and_an_idle_connection_ends() {
        let began = Instant::now();
        let answer = heard(served(), "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(answer.ends_with("slow page"), "{answer}");
        assert!(began.elapsed() >= SHORT * 3);
    }
}

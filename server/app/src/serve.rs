//! The listener: plain HTTP on loopback or behind a named proxy, or own TLS.

use crate::installation::Installation;
use crate::patience::{self, HEADER_TIME, Patient};
use crate::tls::Certificate;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum_server::accept::NoDelayAcceptor;
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::time::Duration;

/// How long open requests may take to end after a stop signal, and sockets to get their last answers and a word.
const DRAIN: Duration = Duration::from_secs(5);
/// The whole stop: requests and sockets, recordings, what waits in mailboxes. Whoever stops us with force afterwards
/// (`TimeoutStopSec` in the unit) waits longer than that.
const STOP: Duration = Duration::from_secs(30);

/// Connections the system holds until we take them: everybody comes back within seconds after a cut (the standard
/// library's 128 overflows, and a dropped SYN comes again only after a second).
const BACKLOG: i32 = 4_096;

/// Who speaks to us, and how.
#[derive(Debug)]
pub(crate) enum Front {
    /// Plain HTTP on loopback
    Loopback,
    /// Plain HTTP with this proxy, and nobody else
    Proxy(IpAddr),
    /// Everybody, by TLS
    Tls(Certificate),
}

/// Opens the port. Early, so that a taken one is known before anything else is started.
pub(crate) fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let taken = || format!("{listen} cannot be listened on; is another program using it?");
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None).with_context(taken)?;
    #[cfg(not(windows))]
    socket.set_reuse_address(true).with_context(taken)?;
    socket.bind(&listen.into()).with_context(taken)?;
    socket.listen(BACKLOG).with_context(taken)?;
    socket.set_nonblocking(true).context("the listener cannot be used")?;
    Ok(socket.into())
}

/// Serves until a stop signal, the end of the runtime, or a listener error; then stops everything in this order:
/// readiness, listener with requests and sockets, media, runtime (which drains its mailboxes), within [`STOP`]. A second
/// signal ends the wait: like a kill, it loses nothing that was acknowledged. `listening` is called once requests are
/// taken.
pub(crate) async fn run(
    listener: TcpListener,
    front: Front,
    installation: Installation,
    listening: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Installation { router, mut running, media, watch, .. } = installation;
    let listen = listener.local_addr().context("the listener has no address")?;
    let handle = axum_server::Handle::new();
    let mut stop = StopSignals::heard();
    let mut server = tokio::spawn(accept(listener, front, router, handle.clone())?);
    tracing::info!(%listen, "listening");
    listening()?;
    let fault = tokio::select! {
        () = stop.next() => None,
        () = running.ended() => Some(anyhow::anyhow!("the runtime ended; start this process again")),
        ended = &mut server => {
            let outcome = ended.map_err(anyhow::Error::from).and_then(|outcome| Ok(outcome?));
            Some(outcome.err().unwrap_or_else(|| anyhow::anyhow!("nobody stopped it")).context("the listener ended"))
        }
    };
    tracing::info!(sockets = watch.drain.open(), "stopping");
    watch.drain.begin();
    let stopped = async {
        let farewell = tokio::time::timeout(DRAIN, watch.drain.emptied());
        if !server.is_finished() {
            handle.graceful_shutdown(Some(DRAIN));
            if let Err(error) = (&mut server).await.context("the listener ended")? {
                tracing::warn!(%error, "the listener ended with an error");
            }
        }
        if farewell.await.is_err() {
            tracing::warn!(sockets = watch.drain.open(), "some sockets did not leave in time");
        }
        // Media ends before the runtime: its last facts enter the mailboxes, and its sink is the last holder of a way
        // in. It waits for threads that need this runtime's help, so not on a thread of its own work.
        tokio::task::spawn_blocking(move || media.stop()).await.context("media did not stop")?;
        running.stop().await;
        anyhow::Ok(())
    };
    tokio::select! {
        stopped = tokio::time::timeout(STOP, stopped) => {
            stopped.with_context(|| format!("it did not stop within {STOP:?}; nothing acknowledged is lost"))??;
        }
        () = stop.next() => anyhow::bail!("stopped at once by a second signal; nothing acknowledged is lost"),
    }
    tracing::info!("stopped");
    fault.map_or(Ok(()), Err)
}

type Served = Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

fn accept(
    listener: TcpListener,
    front: Front,
    router: Router,
    handle: axum_server::Handle<SocketAddr>,
) -> anyhow::Result<Served> {
    let unusable = "the listener cannot be used";
    // An acknowledgement follows a frame that the browser has not confirmed yet; with Nagle's algorithm (RFC 896) it
    // would wait for that, 40 ms behind a delayed ACK.
    let at_once = NoDelayAcceptor::new();
    let plain = Patient::new(at_once, HEADER_TIME);
    Ok(match front {
        Front::Loopback => {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let mut server = axum_server::from_tcp(listener).context(unusable)?.acceptor(plain);
            patience::set(server.http_builder(), HEADER_TIME);
            Box::pin(server.handle(handle).serve(service))
        }
        Front::Proxy(proxy) => {
            let router = router.layer(from_fn_with_state(proxy, only_the_proxy));
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let mut server = axum_server::from_tcp(listener).context(unusable)?.acceptor(plain);
            patience::set(server.http_builder(), HEADER_TIME);
            Box::pin(server.handle(handle).serve(service))
        }
        Front::Tls(certificate) => {
            let config = certificate.config();
            tokio::spawn(certificate.follow());
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let server = axum_server::from_tcp_rustls(listener, config).context(unusable)?;
            let mut server = server.map(|tls| Patient::new(tls.acceptor(at_once), HEADER_TIME));
            patience::set(server.http_builder(), HEADER_TIME);
            Box::pin(server.handle(handle).serve(service))
        }
    })
}

/// Plain HTTP past the proxy would be an exam in the clear. This machine itself may look (a health check).
async fn only_the_proxy(
    State(proxy): State<IpAddr>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let peer = peer.ip().to_canonical();
    if peer == proxy.to_canonical() || peer.is_loopback() {
        return next.run(request).await;
    }
    let body = serde_json::json!({
        "status": 403,
        "code": "plain_http_on_public_address",
        "detail": "this address is for the proxy alone; use the public https address",
    });
    (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// SIGTERM and Ctrl+C. Heard before anybody can be told that we serve, so that a stop always ends in order.
struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    #[cfg(unix)]
    fn heard() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = |kind| signal(kind).expect("a signal handler can be installed");
        Self { terminate: heard(SignalKind::terminate()), interrupt: heard(SignalKind::interrupt()) }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }

    #[cfg(not(unix))]
    fn heard() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn plain_http_is_for_the_proxy_and_this_machine() {
        let proxy: IpAddr = "192.0.2.7".parse().unwrap();
        let router = Router::new()
            .route("/", axum::routing::get(|| async { "page" }))
            .layer(from_fn_with_state(proxy, only_the_proxy));
        for (peer, expected) in [
            ("192.0.2.7:5000", StatusCode::OK),
            ("[::ffff:192.0.2.7]:5000", StatusCode::OK),
            ("127.0.0.1:5000", StatusCode::OK),
            ("[::1]:5000", StatusCode::OK),
            ("192.0.2.8:5000", StatusCode::FORBIDDEN),
            ("[::ffff:192.0.2.8]:5000", StatusCode::FORBIDDEN),
        ] {
            let peer: SocketAddr = peer.parse().unwrap();
            let mut request = Request::new(axum::body::Body::empty());
            request.extensions_mut().insert(ConnectInfo(peer));
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), expected, "{peer}");
        }
    }
}

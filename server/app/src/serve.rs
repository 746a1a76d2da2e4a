//! The listener: plain HTTP on loopback or behind a named proxy, or own TLS with certificates taken up when they change.

use crate::config::Tls;
use crate::installation::Installation;
use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How long open requests and sockets may take to end after a stop signal.
const DRAIN: Duration = Duration::from_secs(5);
/// How often certificate files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(30);

/// Serves until a stop signal, the end of the runtime, or a listener error; then stops everything in this order:
/// listener and sockets, media, runtime (which drains its mailboxes). `listening` is called once the port is open.
pub async fn run(
    listen: SocketAddr,
    tls: Option<Tls>,
    installation: Installation,
    listening: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Installation { router, mut running, media, store: _ } = installation;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let handle = axum_server::Handle::new();
    let server = {
        let handle = handle.clone();
        let tls = match tls {
            Some(tls) => Some(load(&tls).await?),
            None => None,
        };
        tokio::spawn(async move {
            match tls {
                Some(config) => axum_server::bind_rustls(listen, config).handle(handle).serve(service).await,
                None => axum_server::bind(listen).handle(handle).serve(service).await,
            }
        })
    };
    if handle.listening().await.is_none() {
        let outcome = server.await.context("the listener ended")?;
        return outcome
            .with_context(|| format!("{listen} cannot be listened on; is another program using it?"));
    }
    tracing::info!(%listen, "listening");
    listening()?;
    let fault = tokio::select! {
        () = stop_signal() => None,
        () = running.ended() => Some(anyhow::anyhow!("the runtime ended; this process stops so that another can start")),
    };
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(DRAIN));
    if let Err(error) = server.await.context("the listener ended")? {
        tracing::warn!(%error, "the listener ended with an error");
    }
    // Media ends first: its last facts enter the mailboxes, and its sink is the last holder of a way in.
    drop(media);
    running.stop().await;
    fault.map_or(Ok(()), Err)
}

async fn load(tls: &Tls) -> anyhow::Result<RustlsConfig> {
    let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.with_context(|| {
        format!("the certificate {} or its key cannot be used", tls.certificate.display())
    })?;
    tokio::spawn(follow(config.clone(), tls.clone()));
    Ok(config)
}

/// A renewed certificate is taken up without a restart; a broken one is named and the old one kept.
async fn follow(config: RustlsConfig, tls: Tls) {
    let mut known = changed_at(&tls.certificate);
    loop {
        tokio::time::sleep(CERTIFICATE_LOOK).await;
        let now = changed_at(&tls.certificate);
        if now == known {
            continue;
        }
        known = now;
        match config.reload_from_pem_file(&tls.certificate, &tls.key).await {
            Ok(()) => tracing::info!("a new certificate is in use"),
            Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
}

fn changed_at(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|about| about.modified()).ok()
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .expect("a signal handler can be installed before any was");
        tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

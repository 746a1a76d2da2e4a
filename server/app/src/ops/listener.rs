//! The operators' own address: never the public one, because what is counted is not everybody's business.

use super::process;
use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// The operators' address when nobody says otherwise; 9464 is what Prometheus scrapers expect of exporters.
pub(crate) const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// A port that is open, before anything is served on it.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    /// Where it is
    pub(crate) address: SocketAddr,
}

impl Port {
    /// The address that was asked for, or the usual one; when the usual one is taken (a second installation on this
    /// machine), any free one, because nobody asked for that one.
    pub(crate) fn open(asked: Option<SocketAddr>) -> anyhow::Result<Self> {
        let bound = match asked {
            Some(address) => TcpListener::bind(address).with_context(|| {
                format!("[ops] listen: {address} cannot be listened on; choose another port")
            }),
            None => TcpListener::bind(USUAL)
                .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
                .context("no port is free for the operators"),
        };
        let listener = bound?;
        listener.set_nonblocking(true).context("the operators' listener cannot be used")?;
        let address = listener.local_addr().context("the operators' listener has no address")?;
        Ok(Self { listener, address })
    }
}

/// Serves for as long as the process lives.
pub(crate) fn serve(port: Port, recorder: PrometheusHandle) -> anyhow::Result<()> {
    describe();
    tracing::info!(ops = %port.address, "operators are listened to");
    let listener =
        tokio::net::TcpListener::from_std(port.listener).context("the operators' listener cannot be used")?;
    tokio::spawn(super::recorder::keep_up(recorder.clone()));
    let router = Router::new().route("/metrics", get(metrics)).with_state(recorder);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "operators are no longer listened to");
        }
    });
    Ok(())
}

async fn metrics(State(recorder): State<PrometheusHandle>) -> impl IntoResponse {
    measure();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder.render())
}

fn describe() {
    describe_gauge!("synaq_build_info", "1; the version is its label");
    describe_gauge!("process_open_fds", "Files, sockets and pipes open now");
    describe_gauge!("process_max_fds", "How many may be open at once");
    describe_gauge!("process_resident_memory_bytes", "Memory in RAM");
    describe_gauge!("process_threads", "Threads now");
    gauge!("synaq_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// What is looked up when somebody asks rather than counted when it happens.
fn measure() {
    let set = |name: &'static str, value: Option<u64>| {
        if let Some(value) = value {
            gauge!(name).set(float(value));
        }
    };
    set("process_open_fds", process::open_descriptors());
    set("process_max_fds", process::descriptor_limit());
    set("process_resident_memory_bytes", process::resident_bytes());
    set("process_threads", process::threads());
}

/// Prometheus knows floats only; what is measured stays exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a gauge above 2^53 may be off by one")]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

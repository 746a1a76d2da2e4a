//! The operators' own address: never the public one, because what is counted is not everybody's business.

use super::gauges::{self, Gauges};
use super::recorder;
use super::watch::{Failing, Watch};
use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};

/// The operators' address when nobody says otherwise; 9464 is what scrapers expect of exporters (OpenTelemetry
/// specification, Prometheus exporter).
pub(crate) const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);
/// Room that is kept free for the database of one exam day, unless the operator says otherwise.
const DISK_RESERVE_MIB: u64 = 512;

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

/// What operators are told. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recorder: PrometheusHandle,
    gauges: Gauges,
    disk_reserve: u64,
    /// Once the installation has started
    watch: OnceLock<Watch>,
}

/// Serves operators from now on, for as long as the process lives: a start that takes its time can be watched too.
pub(crate) fn serve(
    port: Port,
    recorder: PrometheusHandle,
    disk_reserve_mib: Option<u64>,
) -> anyhow::Result<Desk> {
    gauges::describe();
    tracing::info!(ops = %port.address, "operators are listened to");
    let listener =
        tokio::net::TcpListener::from_std(port.listener).context("the operators' listener cannot be used")?;
    tokio::spawn(recorder::keep_up(recorder.clone()));
    let disk_reserve = disk_reserve_mib.unwrap_or(DISK_RESERVE_MIB).saturating_mul(1_024 * 1_024);
    let desk =
        Desk(Arc::new(Inner { recorder, gauges: Gauges::default(), disk_reserve, watch: OnceLock::new() }));
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready_with_reasons))
        .with_state(desk.clone());
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "operators are no longer listened to");
        }
    });
    Ok(desk)
}

impl Desk {
    /// The installation has started.
    pub(crate) fn open(&self, watch: Watch) {
        // A process starts one installation; a second call would change nothing.
        let _ = self.0.watch.set(watch);
    }

    /// Adds readiness to the public routes: names of what fails, without reasons. Outside the front door's host check,
    /// because a load balancer asks by address.
    pub(crate) fn on_the_public_address(&self, router: Router) -> Router {
        router.merge(Router::new().route("/readyz", get(ready)).with_state(self.clone()))
    }

    fn failing(&self) -> Vec<Failing> {
        let failing = match self.0.watch.get() {
            None => vec![Failing::new("starting", "the store is being taken over")],
            Some(watch) => watch.failing(self.0.disk_reserve),
        };
        gauge!("synaq_ready").set(f64::from(u8::from(failing.is_empty())));
        failing
    }
}

fn status(failing: &[Failing]) -> StatusCode {
    if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn ready(State(desk): State<Desk>) -> impl IntoResponse {
    let failing = desk.failing();
    let names: Vec<_> = failing.iter().map(|failing| failing.check).collect();
    let body = serde_json::json!({ "ready": names.is_empty(), "failing": names });
    (status(&failing), [(CACHE_CONTROL, "no-store")], Json(body))
}

async fn ready_with_reasons(State(desk): State<Desk>) -> impl IntoResponse {
    let failing = desk.failing();
    // Not a reason to send nobody: whoever asks for one of them gets it before the others.
    let coming_back = desk.0.watch.get().map_or(0, |watch| watch.runtime.coming_back());
    let body = serde_json::json!({
        "ready": failing.is_empty(),
        "failing": failing,
        "coming_back": coming_back,
    });
    (status(&failing), [(CACHE_CONTROL, "no-store")], Json(body))
}

async fn metrics(State(desk): State<Desk>) -> impl IntoResponse {
    gauges::of_process();
    desk.failing();
    if let Some(watch) = desk.0.watch.get() {
        desk.0.gauges.of_installation(watch).await;
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], desk.0.recorder.render())
}

//! Log lines: a sentence plus fields, once, at the boundary; never a name, IIN, answer, token, link or SDP. Spans go to a
//! collector when one is named.

use crate::config::{Format, Log, Telemetry};
use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::io::IsTerminal as _;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterFn, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// What is logged when nobody says otherwise.
const DEFAULT_FILTER: &str = "info";
/// A collector that does not take spans within this time loses them; exams do not wait.
const EXPORT_PATIENCE: Duration = Duration::from_secs(5);

/// Spans on their way to a collector. Stop it at the end, or the last ones are lost.
#[derive(Debug, Default)]
pub(crate) struct Exporting(Option<SdkTracerProvider>);

/// Starts logging to standard error.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    start_exporting(log, &Telemetry::default()).map(drop)
}

/// Starts logging, and sending spans if a collector is named.
pub(crate) fn start_exporting(log: &Log, telemetry: &Telemetry) -> anyhow::Result<Exporting> {
    let filter = EnvFilter::try_new(log.filter.as_deref().unwrap_or(DEFAULT_FILTER))
        .map_err(|error| anyhow::anyhow!("[log] filter has a mistake: {error}"))?;
    let lines = match log.format {
        Format::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        Format::Text => {
            fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).boxed()
        }
    };
    let provider = telemetry.otlp.as_deref().map(|url| provider(url, telemetry.share)).transpose()?;
    let lines = lines.with_filter(filter).with_filter(our_own());
    let registry = tracing_subscriber::registry().with(lines);
    match &provider {
        Some(provider) => registry.with(spans(provider)).init(),
        None => registry.init(),
    }
    Ok(Exporting(provider))
}

/// Dependencies write frames, headers, statements and SDP to their own logs from DEBUG on (and `rtc` ICE passwords at
/// INFO), so whatever filter an operator sets they are held to what cannot hold any of it.
fn our_own() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(is_fit_for_a_log)
}

fn is_fit_for_a_log(about: &Metadata<'_>) -> bool {
    let target = about.target();
    if target.starts_with("synaq") {
        return true;
    }
    let most = if target.starts_with("rtc") {
        Level::ERROR
    } else if target.starts_with("sqlx") {
        Level::WARN
    } else {
        Level::INFO
    };
    *about.level() <= most
}

fn provider(url: &str, share: f64) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
        .with_timeout(EXPORT_PATIENCE)
        .build()
        .context("[telemetry] otlp: spans cannot be sent there")?;
    let about = Resource::builder()
        .with_service_name("synaq")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))))
        .with_resource(about)
        .build())
}

/// Our own spans, whatever the log's filter is.
fn spans<S>(provider: &SdkTracerProvider) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let ours = Targets::new().with_target("synaq", LevelFilter::DEBUG);
    tracing_opentelemetry::layer().with_tracer(provider.tracer("synaq")).with_filter(ours)
}

impl Exporting {
    /// Sends what waits; blocks for [`EXPORT_PATIENCE`] at most.
    pub(crate) async fn stop(self) {
        let Some(provider) = self.0 else { return };
        let stopped =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(EXPORT_PATIENCE)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last spans did not reach the collector");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::{Arc, Mutex};

    #[test]
    fn dependencies_are_held_to_what_holds_no_secret_whatever_the_filter_is() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = {
            let written = Arc::clone(&written);
            move || Pen(Arc::clone(&written))
        };
        let lines = fmt::layer().with_ansi(false).with_writer(writer);
        let registry = tracing_subscriber::registry()
            .with(lines.with_filter(EnvFilter::new("trace")).with_filter(our_own()));
        tracing::subscriber::with_default(registry, || {
            tracing::trace!(target: "synaq_web::candidate", "ours");
            tracing::debug!(target: "hyper::proto", "secret header");
            tracing::info!(target: "axum_server", "public");
            tracing::warn!(target: "rtc_ice::agent", "secret password");
            tracing::error!(target: "rtc_ice::agent", "fault");
            tracing::info!(target: "sqlx::query", "secret statement");
            tracing::trace!(target: "tungstenite::protocol", "secret frame");
        });
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        for word in ["ours", "public", "fault"] {
            assert!(written.contains(word), "{word}: {written}");
        }
        assert!(!written.contains("secret"), "{written}");
    }

    struct Pen(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Pen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Takes one message and answers 200; gives back the head and the body.
    fn collect(listener: TcpListener) -> (String, Vec<u8>) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            all.extend_from_slice(&buffer[..read]);
            let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if all.len() >= end + 4 + length.trim().parse::<usize>().unwrap() {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                return (head, all.split_off(end + 4));
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn our_spans_reach_a_collector_and_others_do_not() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let collector = std::thread::spawn(move || collect(listener));
        let provider = provider(&url, 1.0).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(spans(&provider)), || {
            tracing::debug_span!(target: "synaq_web::candidate", "web.candidate.put_answer", items = 3)
                .in_scope(|| ());
            tracing::info_span!(target: "hyper", "foreign").in_scope(|| ());
        });
        Exporting(Some(provider)).stop().await;
        let (head, body) = collector.join().unwrap();
        assert!(head.starts_with("post /v1/traces ") && head.contains("application/x-protobuf"), "{head}");
        let holds = |word: &str| body.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(holds("web.candidate.put_answer") && holds("synaq") && holds("items"));
        assert!(!holds("foreign"));
    }
}

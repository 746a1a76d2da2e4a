//! Our own certificate. A renewed one is taken up without a restart.

use crate::config::Tls;
use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the files are looked at. SIGHUP looks at once.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// A certificate with its files.
#[derive(Debug)]
pub(crate) struct Certificate {
    config: RustlsConfig,
    files: Tls,
    /// Keys of session tickets, which outlive a renewed certificate
    tickets: Arc<dyn ProducesTickets>,
    /// What the files were when they were last read
    seen: Seen,
    told: Hangups,
}

/// Enough to notice a replaced file: a renewal changes time or length of both.
type Seen = [Option<(SystemTime, u64)>; 2];

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// When one cannot be read or parsed, or the key is not the certificate's.
    pub(crate) async fn read(files: &Tls) -> anyhow::Result<Self> {
        // Before reading: what changes meanwhile is noticed by the next look.
        let (seen, told) = (seen(files), Hangups::heard());
        let tickets = Ticketer::new().context("no keys for TLS tickets can be made")?;
        let config = server_config(files, &tickets).with_context(|| {
            format!(
                "the certificate {} and its key {} cannot be used",
                files.certificate.display(),
                files.key.display()
            )
        })?;
        Ok(Self { config: RustlsConfig::from_config(config), files: files.clone(), tickets, seen, told })
    }

    /// What the listener uses; reloading changes it under its hands.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Looks every so often, and when told by SIGHUP, for ever. A broken certificate is named and the old one kept.
    pub(crate) async fn follow(mut self) {
        loop {
            let at_once = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = self.told.next() => true,
            };
            let now = seen(&self.files);
            if now == self.seen && !at_once {
                continue;
            }
            self.seen = now;
            match server_config(&self.files, &self.tickets) {
                Ok(config) => {
                    self.config.reload_from_config(config);
                    tracing::info!("the certificate was read anew");
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the new certificate cannot be used; the old one stays"
                    )
                }
            }
        }
    }
}

/// Sessions are resumed by ticket (RFC 8446 2.2), so that a cut line of a centre costs no signature per candidate; the
/// library's own memory of 256 sessions would be nothing in a storm. The ticket's keys change every six hours.
fn server_config(files: &Tls, tickets: &Arc<dyn ProducesTickets>) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&files.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
    config.ticketer = Arc::clone(tickets);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn seen(files: &Tls) -> Seen {
    let look =
        |path: &Path| std::fs::metadata(path).and_then(|about| Ok((about.modified()?, about.len()))).ok();
    [look(&files.certificate), look(&files.key)]
}

/// SIGHUP, the operator's "read your files again". Once heard, it no longer ends the process.
#[derive(Debug)]
pub(crate) struct Hangups {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangups {
    /// From here on.
    pub(crate) fn heard() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
                .expect("a signal handler can be installed"),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        self.signal.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

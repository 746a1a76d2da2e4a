//! Where the server under test is, and how it is known to be the right one.

use anyhow::Context as _;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A server by its address and name.
#[derive(Clone)]
pub struct Target {
    /// Where TCP goes
    pub(crate) address: SocketAddr,
    /// `localhost:8443`: `Host`
    pub(crate) authority: String,
    /// `https://localhost:8443`: `Origin`
    pub(crate) origin: String,
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("origin", &self.origin).field("address", &self.address).finish()
    }
}

impl Target {
    /// `origin`: `https://localhost:8443`, reached at `address`; over TLS only the certificate in that file is trusted.
    ///
    /// # Errors
    /// If the certificate or the name cannot be used.
    pub fn new(origin: &str, address: SocketAddr, certificate: Option<&Path>) -> anyhow::Result<Self> {
        let authority = origin.split_once("://").context("an origin has a scheme")?.1.to_owned();
        let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host).to_owned();
        let tls = match certificate {
            None => None,
            Some(file) => Some((connector(file)?, ServerName::try_from(host)?)),
        };
        Ok(Self { address, authority, origin: origin.to_owned(), tls })
    }
}

/// Every candidate is a device of its own and the server was never seen before: full handshakes, none resumed.
fn connector(file: &Path) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(file)
        .with_context(|| format!("the certificate {} cannot be read", file.display()))?;
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

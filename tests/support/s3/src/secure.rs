//! An authority of our own, and the certificate that it gives this server.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

const WHY: &str = "a certificate for loopback can be made";

/// What accepts connections, and the authority's certificate as PEM.
pub(super) fn made() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().expect(WHY);
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect(WHY).pem();
    let issuer = Issuer::new(params, key);

    let key = KeyPair::generate().expect(WHY);
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).expect(WHY).signed_by(&key, &issuer).expect(WHY);
    let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret.into())
        .expect(WHY);
    (TlsAcceptor::from(Arc::new(config)), authority)
}

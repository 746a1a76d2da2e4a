//! `synaq serve` with a certificate of its own.

use crate::http::{ACCEPT, Reply, Request, UPGRADE};
use crate::process::{Running, Site, local, signal, stderr, stdout, until};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Makes `cert.pem` and `key.pem` by the openssl command, as an operator would.
fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("the openssl command is needed: apt-get install openssl");
    assert!(made.status.success(), "{}", stderr(&made));
}

struct Secure {
    site: Site,
    origin: String,
    server: Running,
}

impl Secure {
    fn serve() -> Self {
        let site = Site::new();
        make_certificate(site.folder.path());
        let config = secure_config(&site);
        let server = site.serve(&config);
        Self { origin: format!("https://localhost:{}", site.port), server, site }
    }

    fn config(&self) -> PathBuf {
        self.site.path("synaq.toml")
    }

    /// A connection that trusts only the certificate in that file; an error if another one is served.
    fn connect(&self, certificate: &Path) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = StreamOwned::new(
            ClientConnection::new(config, name).unwrap(),
            TcpStream::connect(local(self.site.port)).unwrap(),
        );
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<serde_json::Value>,
    ) -> Reply {
        let mut stream = self.connect(&self.site.path("cert.pem")).unwrap();
        Request { method, path, origin: &self.origin, headers, body }.over(&mut stream)
    }
}

fn secure_config(site: &Site) -> PathBuf {
    let tls = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n[media]\n",
        site.path("cert.pem"),
        site.path("key.pem")
    );
    site.config(&[("http://localhost", "https://localhost"), ("[media]\n", &tls)])
}

#[test]
fn pages_and_sockets_are_served_over_our_own_tls() {
    let secure = Secure::serve();
    let health = secure.call("GET", "/healthz", &[], None);
    assert_eq!(health.status, 200);
    assert!(health.header("strict-transport-security").is_some());

    let add = ["centre", "add", "--bin", "900101300811", "--name-kk", "О", "--name-ru", "Ц", "--login", "a"];
    let added = secure.site.run(&[&add[..], &["--name", "А"]].concat(), &secure.config());
    assert!(added.status.success(), "{}", stderr(&added));
    let proctor =
        ["staff", "add", "--centre", "900101300811", "--login", "p", "--name", "П", "--role", "proctor"];
    let link = stdout(&secure.site.run(&proctor, &secure.config()));
    let (base, token) = link.trim_end().rsplit_once("/centre/setup/").unwrap();
    assert!(base.ends_with(&secure.origin));
    let password = json!({ "token": token, "password": "сиқырлы сөз емес" });
    let set_up = secure.call("POST", "/api/v1/staff/setup", &[], Some(password));
    assert_eq!(set_up.status, 200, "{}", set_up.body);
    let cookie = set_up.cookie();
    assert!(cookie.starts_with("__Host-"));
    let ticket = secure.call("POST", "/api/v1/staff/ticket", &[("Cookie", &cookie)], None).json();
    let path = format!("/api/v1/proctor/socket?ticket={}", ticket["ticket"].as_str().unwrap());
    let upgraded = secure.call("GET", &path, &UPGRADE, None);
    assert_eq!((upgraded.status, upgraded.header("sec-websocket-accept")), (101, Some(ACCEPT)));
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let mut secure = Secure::serve();
    let (current, old) = (secure.site.path("cert.pem"), secure.site.path("old.pem"));
    fs::copy(&current, &old).unwrap();
    fs::write(&current, "no certificate").unwrap();
    signal(secure.server.pid(), "HUP");
    secure.server.until("the broken one is named", |server| {
        server.stderr().contains("the new certificate cannot be used; the old one stays").then_some(())
    });
    assert!(secure.connect(&old).is_ok());
    make_certificate(secure.site.folder.path());
    signal(secure.server.pid(), "HUP");
    until("the new one is served", || secure.connect(&current).ok());
    assert!(secure.connect(&old).is_err());
    assert!(secure.server.stop().success());
}

#[test]
fn a_key_of_another_certificate_stops_the_start() {
    let site = Site::new();
    make_certificate(site.folder.path());
    fs::rename(site.path("cert.pem"), site.path("first.pem")).unwrap();
    make_certificate(site.folder.path());
    fs::rename(site.path("first.pem"), site.path("cert.pem")).unwrap();
    let config = secure_config(&site);
    for command in ["serve", "doctor"] {
        let refused = site.run(&[command], &config);
        assert_eq!(refused.status.code(), Some(1));
        let said = stdout(&refused) + &stderr(&refused);
        assert!(said.contains("cert.pem") && said.contains("cannot be used"), "{said}");
    }
}

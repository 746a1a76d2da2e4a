//! The configuration of a real start. Unknown keys are refused by name; `synaq doctor` says what is wrong.

use anyhow::Context as _;
use serde::Deserialize;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// `synaq serve --config FILE`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of database, keys and evidence
    pub data: PathBuf,
    /// Where HTTP is served
    pub listen: SocketAddr,
    /// What people type: `https://exam.example.kz`
    pub public_url: String,
    /// Own TLS
    pub tls: Option<Tls>,
    /// A named proxy that terminates TLS
    pub proxy: Option<Proxy>,
    /// WebRTC
    pub media: Media,
    /// The central platform
    pub platform: Platform,
    /// Logging
    #[serde(default)]
    pub log: Log,
}

/// Certificate files in PEM; replaced files are taken up without a restart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Chain, leaf first
    pub certificate: PathBuf,
    /// Private key
    pub key: PathBuf,
}

/// The one address that may speak plain HTTP to us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its address as this machine sees it
    pub trusted: std::net::IpAddr,
}

/// WebRTC: one UDP port, and the same TCP port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Where media is taken
    pub listen: SocketAddr,
    /// The address and port that browsers reach it under, behind NAT
    pub advertise: Option<SocketAddr>,
    /// ICE-TCP for networks that block UDP
    #[serde(default = "yes")]
    pub tcp: bool,
}

/// Where records go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Base address
    pub url: String,
    /// Its public keys, as a set of trusted keys
    pub trust: PathBuf,
}

/// Logging.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `info`, `synaq_web=debug,info`
    pub filter: Option<String>,
    /// One JSON object a line
    #[serde(default)]
    pub json: bool,
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads and checks the shape; what depends on the machine is `doctor`'s.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{} has a mistake: {error}", path.display()))?;
        Ok(config)
    }

    /// Everything that speaks against starting, each with what to do.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let secure = self.public_url.starts_with("https://");
        if !secure
            && !self.public_url.starts_with("http://localhost")
            && !self.public_url.starts_with("http://127.")
        {
            complaints.push(format!(
                "public_url = {:?}: browsers give a page a camera only over https; set an https:// address",
                self.public_url
            ));
        }
        if self.public_url.ends_with('/') {
            complaints.push("public_url must not end with a slash; remove it".to_owned());
        }
        if self.tls.is_none() && self.proxy.is_none() && !self.listen.ip().is_loopback() {
            complaints.push(format!(
                "plain_http_on_public_address: listen = {} without [tls] would send exams in the clear; set [tls] \
                 certificate and key, or name a [proxy] that terminates TLS, or listen on 127.0.0.1",
                self.listen
            ));
        }
        if self.tls.is_some() && self.proxy.is_some() {
            complaints.push("[tls] and [proxy] exclude each other; remove one".to_owned());
        }
        if let Some(tls) = &self.tls {
            for (name, path) in [("certificate", &tls.certificate), ("key", &tls.key)] {
                if let Err(error) = fs::File::open(path) {
                    complaints.push(format!("[tls] {name} = {}: {error}", path.display()));
                }
            }
        }
        if self.media.listen.ip().is_unspecified() && self.media.advertise.is_none() {
            complaints.push(
                "[media] listen is a wildcard, so advertise must name the address and port that browsers reach"
                    .to_owned(),
            );
        }
        if let Err(error) = crate::keys::read_trust(&self.platform.trust) {
            complaints.push(format!("[platform] trust: {error:#}"));
        }
        if let Err(error) = probe_folder(&self.data) {
            complaints.push(format!(
                "data = {}: {error}; make the folder and let this user write it",
                self.data.display()
            ));
        }
        complaints
    }
}

fn probe_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(".doctor");
    fs::write(&probe, b"synaq")?;
    fs::remove_file(probe)
}

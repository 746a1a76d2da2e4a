//! The configuration of a real start. Unknown keys are refused by name; `synaq doctor` says what is wrong.

mod clock;
mod evidence;
mod mail;
mod media;
mod retention;

pub(crate) use clock::Clock;
pub(crate) use evidence::Evidence;
pub(crate) use mail::Mail;
pub(crate) use media::Media;
pub(crate) use retention::Retention;

use crate::adapter::detection;
use crate::installation::Folders;
use crate::private;
use crate::store::Address;
use anyhow::Context as _;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::{env, fs};
use synaq_core::identity::Numbers;
use synaq_detectors::Thresholds;
use synaq_seal::key::Purpose;
use synaq_web::Limits;

/// `synaq serve --config FILE`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Folder of database, keys and evidence
    pub(crate) data: PathBuf,
    /// Where HTTP is served
    pub(crate) listen: SocketAddr,
    /// What people type: `https://exam.example.kz`
    pub(crate) public_url: String,
    /// Takes the IIN and BIN of public test certificates, whose check digits are wrong (F-33)
    #[serde(default)]
    pub(crate) test_numbers: bool,
    /// Own TLS
    pub(crate) tls: Option<Tls>,
    /// A named proxy that terminates TLS
    pub(crate) proxy: Option<Proxy>,
    /// Where the rows are kept
    #[serde(default)]
    pub(crate) store: Store,
    /// WebRTC
    pub(crate) media: Media,
    /// The central platform
    pub(crate) platform: Platform,
    /// Who sends letters
    pub(crate) mail: Option<Mail>,
    /// Who looks at pictures
    #[serde(default)]
    pub(crate) detectors: Detectors,
    /// Where evidence is kept
    #[serde(default)]
    pub(crate) evidence: Evidence,
    /// For how long evidence is kept
    #[serde(default)]
    pub(crate) retention: Retention,
    /// Whom the clock is compared with
    #[serde(default)]
    pub(crate) clock: Clock,
    /// How many at once
    #[serde(default)]
    pub(crate) capacity: Capacity,
    /// Logging
    #[serde(default)]
    pub(crate) log: Log,
    /// For operators and their programs
    #[serde(default)]
    pub(crate) ops: Ops,
    /// Where spans go
    #[serde(default)]
    pub(crate) telemetry: Telemetry,
}

/// The database; a file in the data folder unless said otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// `sqlite`, or `postgres://user@host:5432/name`
    #[serde(default, deserialize_with = "address")]
    pub(crate) url: Address,
    /// A file with the password, one line
    pub(crate) password_file: Option<PathBuf>,
    /// The environment variable that holds the password
    pub(crate) password_env: Option<String>,
}

impl Store {
    /// The password, if one is given apart from the address.
    fn password(&self) -> anyhow::Result<Option<String>> {
        match (&self.password_file, &self.password_env) {
            (Some(_), Some(_)) => {
                anyhow::bail!("[store] password_file and password_env exclude each other; remove one")
            }
            (Some(file), None) => {
                let text = fs::read_to_string(file).with_context(|| {
                    format!("[store] password_file = {file:?} cannot be read; let this user read it")
                })?;
                Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, Some(name)) => Ok(Some(env::var(name).map_err(|_| {
                anyhow::anyhow!(
                    "[store] password_env = {name:?}: there is no such variable, or it is no text"
                )
            })?)),
            (None, None) => Ok(None),
        }
    }
}

fn address<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Address, D::Error> {
    String::deserialize(text)?.parse().map_err(serde::de::Error::custom)
}

/// Certificate files in PEM; replaced files are taken up without a restart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// Chain, leaf first
    pub(crate) certificate: PathBuf,
    /// Private key
    pub(crate) key: PathBuf,
}

/// The one address that may speak plain HTTP to us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proxy {
    /// Its address as this machine sees it
    pub(crate) trusted: IpAddr,
}

/// Where records go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    /// Base address
    pub(crate) url: String,
    /// Its public keys, as a set of trusted keys
    pub(crate) trust: PathBuf,
}

/// Who looks at the candidates' pictures and listens to their levels of sound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detectors {
    /// Who finds faces
    #[serde(default)]
    pub(crate) faces: FaceSource,
    /// Threads; a quarter of the cores by default
    pub(crate) workers: Option<usize>,
    /// Share of a core that each thread may take, per cent; what is too much is skipped and counted
    #[serde(default = "half")]
    pub(crate) budget_percent: u32,
}

impl Default for Detectors {
    fn default() -> Self {
        Self { faces: FaceSource::default(), workers: None, budget_percent: half() }
    }
}

fn half() -> u32 {
    50
}

/// Who finds faces.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum FaceSource {
    /// The detector inside
    #[default]
    Inside,
    /// Faces are not looked for; light, cover, standstill and sound are
    None,
    /// Nobody looks at pictures at all
    Off,
    /// A service of the centre's own, asked by POST
    Service(String),
}

impl std::str::FromStr for FaceSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "inside" => Ok(Self::Inside),
            "none" => Ok(Self::None),
            "off" => Ok(Self::Off),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Service(url.to_owned()))
            }
            other => Err(format!(
                "`{other}` is neither `inside`, `none`, `off` nor an address that begins with http"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for FaceSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FaceSource {
    /// With the usual threads and share.
    pub(crate) fn settings(&self) -> anyhow::Result<Option<detection::Settings>> {
        Detectors { faces: self.clone(), ..Detectors::default() }.settings()
    }
}

impl Detectors {
    /// As the threads take it; none when nobody is to look. Call within the runtime.
    pub(crate) fn settings(&self) -> anyhow::Result<Option<detection::Settings>> {
        let faces = match &self.faces {
            FaceSource::Off => return Ok(None),
            FaceSource::None => detection::FaceFinder::Off,
            FaceSource::Inside => detection::FaceFinder::Inside,
            FaceSource::Service(url) => detection::FaceFinder::service(url.clone())?,
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = self.workers.unwrap_or(cores / 4).max(1);
        let thresholds = Thresholds::default();
        Ok(Some(detection::Settings { workers, budget_pct: self.budget_percent, faces, thresholds }))
    }
}

/// How many at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capacity {
    /// Candidates with a seat; the others wait in a queue. By default what the limit of open files bears
    pub(crate) candidates: Option<NonZeroUsize>,
}

impl Capacity {
    /// For a process with so many file descriptors.
    pub(crate) fn limits(&self, descriptors: usize) -> Limits {
        let within = Limits::within(descriptors);
        Limits { candidates: self.candidates.map_or(within.candidates, NonZeroUsize::get), ..within }
    }
}

/// Logging.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// `info`, `synaq_web=debug,info`
    pub(crate) filter: Option<String>,
    /// How a line looks
    #[serde(default)]
    pub(crate) format: Format,
}

/// How a line of the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Where spans go: what was done for how long, without whom it was done for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// Base address of an OTLP collector, over HTTP with protobuf; none by default
    pub(crate) otlp: Option<String>,
    /// Which share of traces is sent, 0 to 1
    #[serde(default = "all")]
    pub(crate) share: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp: None, share: all() }
    }
}

fn all() -> f64 {
    1.0
}

/// For operators and their programs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ops {
    /// Where `/metrics`, `/healthz` and `/readyz` are served; never the public address
    pub(crate) listen: Option<SocketAddr>,
    /// With less room than this on the disk of data or evidence, no more candidates are to be sent here
    pub(crate) disk_reserve_mib: Option<u64>,
}

fn yes() -> bool {
    true
}

/// A file of settings; what is no such setting is refused by name.
fn parsed<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
    toml::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{} has a mistake: {}", path.display(), masked(&error.to_string())))
}

/// A text that shows a line of the configuration, without what stands before the @ of an address: a password may.
fn masked(text: &str) -> String {
    let mut shown = String::new();
    let mut parts = text.split('@').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            shown.push_str(part);
            break;
        }
        let begin = part.rfind(|c: char| c.is_whitespace() || "\"'/".contains(c)).map_or(0, |at| at + 1);
        let (before, user) = part.split_at(begin);
        shown.push_str(before);
        shown.push_str(if user.contains(':') { "***" } else { user });
        shown.push('@');
    }
    shown
}

impl Config {
    /// Reads and checks the shape; what depends on the machine is `doctor`'s.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        parsed(path)
    }

    /// Which IINs and BINs are taken.
    pub(crate) const fn numbers(&self) -> Numbers {
        if self.test_numbers { Numbers::WithTest } else { Numbers::Real }
    }

    /// Where this installation keeps what.
    pub(crate) fn folders(&self) -> anyhow::Result<Folders> {
        Folders::with_store(&self.data, &self.store.url, self.store.password()?.as_deref())
    }

    /// Everything that speaks against starting, each with what to do.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.address_complaints();
        for (name, path) in
            self.tls.iter().flat_map(|tls| [("certificate", &tls.certificate), ("key", &tls.key)])
        {
            if let Err(error) = fs::File::open(path) {
                complaints.push(format!(
                    "[tls] {name} = {path:?}: {error}; give a PEM file that this user may read"
                ));
            }
        }
        let advice = "put the platform's public keys there, as its operator gave them";
        match crate::keys::read_trust(&self.platform.trust) {
            Err(error) => complaints.push(format!("[platform] trust: {error:#}; {advice}")),
            Ok(keys) if !keys.iter().any(|key| key.purpose == Purpose::Platform) => complaints.push(format!(
                "[platform] trust = {:?} holds no key of purpose platform, so no receipt would count; {advice}",
                self.platform.trust
            )),
            Ok(_) => {}
        }
        complaints.extend(self.evidence.complaints());
        if let Err(error) = self.folders() {
            complaints.push(format!("{error:#}"));
        }
        if let Err(error) = probe_folder(&self.data) {
            complaints
                .push(format!("data = {:?}: {error}; make the folder and let this user write it", self.data));
        }
        complaints
    }

    fn address_complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if let Some(why) = page_address_fault(&self.public_url) {
            complaints.push(format!("public_url = {:?}: {why}", self.public_url));
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
        complaints.extend(self.media.complaints());
        complaints.extend(self.retention.complaints());
        complaints.extend(self.clock.complaints());
        complaints.extend(self.mail.iter().flat_map(Mail::complaints));
        if let Some(collector) = &self.telemetry.otlp
            && !Url::parse(collector).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            complaints.push(format!(
                "[telemetry] otlp = {collector:?}: this is no address; write it as http://127.0.0.1:4318"
            ));
        }
        if !(0.0..=1.0).contains(&self.telemetry.share) {
            complaints
                .push(format!("[telemetry] share = {}: give a number from 0 to 1", self.telemetry.share));
        }
        if !is_secure(&self.platform.url) {
            complaints.push(format!(
                "[platform] url = {:?}: records name people; set an https:// address (http only on this machine)",
                self.platform.url
            ));
        }
        complaints
    }
}

/// What is wrong with the address of our own pages.
fn page_address_fault(address: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(address) else {
        return Some("this is no address; write it as https://exam.example.kz");
    };
    if !is_secure(address) {
        return Some("browsers give a page a camera only over https; set an https:// address");
    }
    // Exactly what browsers send as Origin, because it is compared with that.
    (url.origin().ascii_serialization() != address)
        .then_some("write scheme, host and, if it is not the usual one, port: no path, no slash at the end")
}

/// Over TLS, or within this machine.
fn is_secure(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        url.scheme() == "https" || (url.scheme() == "http" && here)
    })
}

fn probe_folder(folder: &Path) -> std::io::Result<()> {
    private::folder(folder)?;
    let probe = folder.join(".doctor");
    fs::write(&probe, b"synaq")?;
    fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../docs/synaq.example.toml");

    #[test]
    fn the_example_parses_with_and_without_its_optional_settings() {
        let plain: Config = toml::from_str(EXAMPLE).unwrap();
        assert!(
            plain.tls.is_some()
                && plain.proxy.is_none()
                && plain.media.tcp
                && plain.log.format == Format::Text
        );
        assert_eq!(plain.address_complaints(), Vec::<String>::new());
        let optional = |line: &str| {
            let setting = line
                .strip_prefix('#')
                .filter(|rest| rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()));
            setting.unwrap_or(line).to_owned()
        };
        let all: Vec<String> = EXAMPLE.lines().map(optional).collect();
        let all: Config = toml::from_str(&all.join("\n")).unwrap();
        assert!(
            all.proxy.is_some()
                && all.log.format == Format::Json
                && all.telemetry.otlp.is_some()
                && all.log.filter.is_some()
                && all.ops.listen == Some(crate::ops::USUAL)
                && all.ops.disk_reserve_mib.is_some()
        );
        assert!(all.address_complaints()[0].contains("exclude each other"));
    }

    #[test]
    fn a_mistake_is_shown_without_the_password_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("synaq.toml");
        for wrong in [
            "url = \"mysql://u:s3cret@db/exams\"",
            "url = \"postgres://u:s3cret@db/exams",
            "url = 'u:s3cret@db'",
        ] {
            fs::write(&file, format!("[store]\n{wrong}\n")).unwrap();
            let shown = format!("{:#}", Config::read(&file).unwrap_err());
            assert!(shown.contains("***@db") && !shown.contains("s3cret"), "{shown}");
        }
        for plain in ["no address", "write postgres://user@host"] {
            assert_eq!(masked(plain), plain);
        }
    }

    #[test]
    fn only_an_origin_that_browsers_send_is_a_public_address() {
        for right in [
            "https://exam.example.kz",
            "https://exam.example.kz:8443",
            "http://localhost:8080",
            "http://[::1]:80",
        ] {
            // The last one is right but for its port, which browsers leave out.
            assert_eq!(page_address_fault(right).is_none(), !right.ends_with(":80"), "{right}");
        }
        for wrong in [
            "http://exam.example.kz",
            "http://localhost.example.kz",
            "https://exam.example.kz/",
            "https://exam.example.kz/exam",
            "https://user@exam.example.kz",
            "https://EXAM.example.kz",
            "ftp://exam.example.kz",
            "exam.example.kz",
            "",
        ] {
            assert!(page_address_fault(wrong).is_some(), "{wrong}");
        }
    }
}

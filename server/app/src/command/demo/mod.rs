//! `synaq demo`: the whole main job on the embedded default, with a real profession's programme and the platform
//! sandbox as a second process.

mod content;
pub(super) mod sandbox;

use crate::installation::{self, Folders, Start};
use crate::mail::Carrier;
use crate::serve::{self, Front};
use crate::store::Address;
use crate::{config, descriptors, keys, ops, private, telemetry};
use anyhow::Context as _;
use content::Credentials;
use sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Nobody's address (RFC 2606).
const SENDER: &str = "Synaq <demo@synaq.example>";

/// Options of the demo.
#[derive(clap::Args, Debug)]
pub(crate) struct Demo {
    /// Folder of everything; kept between runs
    #[arg(long, default_value = "synaq-data")]
    data: PathBuf,
    /// Port of the server; the platform takes the next one, media the one after
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65_533))]
    port: u16,
    /// What is logged, as `[log] filter` has it
    #[arg(long)]
    log: Option<String>,
    /// Who finds faces in the candidates' pictures: `inside`, `none`, `off` (nobody looks at pictures at all), or
    /// the address of a service
    #[arg(long, default_value = "inside")]
    detectors: config::FaceSource,
    /// Where the rows are kept: sqlite, or postgres://user@host:5432/name (PGPASSWORD, if it wants a password)
    #[arg(long, default_value = "sqlite")]
    store: Address,
    /// Relay for pages that cannot reach the media port, as `[media.turn] urls` has it; repeat it for several
    #[arg(long = "turn", requires = "turn_secret_file")]
    turn_urls: Vec<String>,
    /// File with the secret that the relay shares
    #[arg(long, requires = "turn_urls")]
    turn_secret_file: Option<PathBuf>,
    /// Where evidence is kept beside the folder: a TOML file with the settings of `[evidence]` alone
    #[arg(long)]
    evidence: Option<PathBuf>,
}

/// `demo.json`
#[derive(Serialize, Deserialize)]
struct Links {
    base_url: String,
    /// `/metrics`, `/healthz`, `/readyz`
    #[serde(default)]
    ops_url: String,
    platform_url: String,
    /// Process of the platform sandbox
    platform_pid: u32,
    /// How to start it again by hand
    platform_command: Vec<String>,
    candidate_links: Vec<String>,
    proctor: Credentials,
    second_proctor: Credentials,
    centre: Credentials,
    commission: Credentials,
    author: Credentials,
    auditor: Credentials,
    /// Letters become files here
    #[serde(default)]
    mail_folder: PathBuf,
    /// Public keys for `synaq verify`
    trust: PathBuf,
}

/// Runs until a stop signal.
pub(crate) async fn run(demo: Demo) -> anyhow::Result<()> {
    telemetry::start(&config::Log { filter: demo.log.clone(), ..config::Log::default() })?;
    let recorder = ops::recorder::install()?;
    // Any free one: the three ports of a demo are those that people type.
    let port = ops::Port::open(Some(loopback(0)))?;
    let ops_url = format!("http://{}", port.address);
    let desk = ops::serve(port, recorder, None)?;
    let data = absolute(&demo.data)?;
    let folders = Folders::with_store(&data, &demo.store, None)?;
    let (store, keys) = installation::open(&folders).await?;
    let listener = serve::bind(loopback(demo.port))?;
    let centre = content::centre(store.as_ref()).await?;
    let [proctor, second_proctor, seat_centre, commission, author, auditor] =
        content::accounts(store.as_ref(), centre, remembered(&data)).await?;
    let sitting = content::sitting(store.as_ref(), centre, &keys).await?;
    let tokens = content::link_tokens(store.as_ref(), centre, sitting, &keys).await?;

    let base_url = format!("http://localhost:{}", demo.port);
    let platform_port = demo.port + 1;
    let sandbox = Sandbox::start(&data.join("platform"), platform_port, &keys, demo.log.as_deref()).await?;
    let links = Links {
        candidate_links: tokens.into_iter().map(|token| format!("{base_url}/c/{token}")).collect(),
        platform_url: format!("http://localhost:{platform_port}"),
        platform_pid: sandbox.pid,
        platform_command: sandbox.command.clone(),
        proctor,
        second_proctor,
        centre: seat_centre,
        commission,
        author,
        auditor,
        mail_folder: data.join("mail"),
        trust: folders.trust(),
        ops_url,
        base_url,
    };
    let evidence = demo.evidence.as_deref().map(config::Evidence::read).transpose()?.unwrap_or_default();
    let turn = demo.turn_secret_file.map(|secret_file| config::Media::relay(demo.turn_urls, secret_file));
    let turn = turn.transpose()?;
    let start = Start {
        media: synaq_media::Options { turn, ..synaq_media::Options::new(loopback(demo.port + 2)) },
        detectors: demo.detectors.settings()?,
        web: web_options(&links.base_url, demo.port),
        evidence: evidence.options()?,
        retention: crate::retention::Keeping::default(),
        time_servers: Vec::new(),
        mail: Some(letters(&links.mail_folder)?),
        platform_url: format!("http://127.0.0.1:{platform_port}"),
        platform_trust: keys::read_trust(&sandbox.public_keys)?,
    };
    let mut installation = installation::start(&folders, store, keys, start).await?;
    desk.open(installation.watch.clone());
    installation.router = desk.on_the_public_address(installation.router);
    let served = serve::run(listener, Front::Loopback, installation, || announce(&links, &data)).await;
    sandbox.stop().await;
    served
}

/// In the demo nobody gets a letter: they lie in a folder, to be read.
fn letters(folder: &Path) -> anyhow::Result<Carrier> {
    private::folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let from = SENDER.parse().context("the demo's sender is no address")?;
    Ok(Carrier::folder(from, folder.to_owned()))
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The same server under both names of this machine; browsers give both a camera.
fn web_options(base_url: &str, port: u16) -> synaq_web::Options {
    let mut options = synaq_web::Options::for_origin(base_url);
    options.limits = synaq_web::Limits::within(descriptors::raised());
    options.public_origins.push(format!("http://127.0.0.1:{port}"));
    options.hosts.push(format!("127.0.0.1:{port}"));
    options
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    private::folder(path).with_context(|| format!("{} cannot be made", path.display()))?;
    path.canonicalize().with_context(|| format!("{} cannot be found", path.display()))
}

fn links_file(data: &Path) -> PathBuf {
    data.join("demo.json")
}

/// The accounts of an earlier run: that file is the only place that knows their passwords.
fn remembered(data: &Path) -> Option<[Credentials; content::ACCOUNTS_LEN]> {
    let known: Links = serde_json::from_slice(&std::fs::read(links_file(data)).ok()?).ok()?;
    let Links { proctor, second_proctor, centre, commission, author, auditor, .. } = known;
    Some([proctor, second_proctor, centre, commission, author, auditor])
}

fn announce(links: &Links, data: &Path) -> anyhow::Result<()> {
    let file = links_file(data);
    private::write(&file, &serde_json::to_vec_pretty(links)?)?;
    // Whoever started it may not care to read; the file has the same.
    let _ = std::io::stdout().write_all(words(links, data, &file).as_bytes());
    Ok(())
}

fn words(links: &Links, data: &Path, file: &Path) -> String {
    let candidates: String = links.candidate_links.iter().map(|link| format!("  {link}\n")).collect();
    let seats = [
        ("Proctor", "/proctor/", &links.proctor),
        ("Proctor", "/proctor/", &links.second_proctor),
        ("Centre", "/centre/", &links.centre),
        ("Commission", "/centre/", &links.commission),
        ("Author", "/centre/", &links.author),
        ("Auditor", "/centre/", &links.auditor),
    ];
    let seats: String = seats
        .iter()
        .map(|(seat, path, Credentials { login, password })| {
            let address = format!("{}{path}", links.base_url);
            format!("  {seat:<11} {address:<32} login {login:<11} password {password}\n")
        })
        .collect();
    format!(
        "Synaq demo is running. Everything lies in {}.\n\n\
         Candidates (open one in a browser with camera and microphone):\n{candidates}\n\
         Staff (in another window):\n{seats}\n\
         Central platform (sandbox):\n  {}\n\n\
         Letters (invitations, links) become files in:
  {}

         The same stands in {}. Stop with Ctrl+C; run again and everything is still there.\n",
        data.display(),
        links.platform_url,
        links.mail_folder.display(),
        file.display()
    )
}

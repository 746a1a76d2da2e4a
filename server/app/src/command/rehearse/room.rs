//! The server of a rehearsal: everything of a real one except cameras, on a scratch folder of its own.

use super::content::Account;
use super::{cameras, content};
use crate::command::demo::sandbox::Sandbox;
use crate::config::Tls;
use crate::installation::{self, Folders, Start};
use crate::serve::{self, Front};
use crate::store::Address;
use crate::tls::Certificate;
use crate::{config, descriptors, keys, ops, private, telemetry};
use anyhow::Context as _;
use serde::Serialize;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Says that a folder is a scratch folder: no other is ever opened without cameras.
const MARK: &str = "REHEARSAL";
/// Names of databases for rehearsals begin so.
const DATABASE: &str = "synaq_rehearsal";
const MARK_TEXT: &str = "A rehearsal's scratch folder: made-up people, nothing to keep.\n";

/// Options of the room.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Scratch folder: empty, missing, or an earlier room's
    #[arg(long)]
    data: PathBuf,
    /// Port of the server; the platform sandbox takes the next one, media the one after
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=65_533))]
    port: u16,
    /// Over TLS, with a certificate made for the day
    #[arg(long)]
    tls: bool,
    /// Where the rows are kept: `sqlite` for a file in the folder, or a PostgreSQL database made for rehearsals
    #[arg(long, default_value = "sqlite", value_parser = scratch_store)]
    store: Address,
    /// Network threads of media
    #[arg(long, default_value = "1")]
    media_threads: NonZeroUsize,
    /// Log filter
    #[arg(long, default_value = "warn")]
    log: String,
}

/// `room.json`
#[derive(Serialize)]
struct Description {
    base_url: String,
    /// `/metrics`, `/healthz`, `/readyz`
    ops_url: String,
    /// The one to trust
    certificate: Option<PathBuf>,
    account: Account,
    /// Public keys for `synaq verify`
    trust: PathBuf,
}

/// Runs until a stop signal.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    telemetry::start(&config::Log { filter: Some(options.log), ..config::Log::default() })?;
    let recorder = ops::recorder::install()?;
    let ops_port = ops::Port::open(Some(loopback(0)))?;
    let ops_url = format!("http://{}", ops_port.address);
    let desk = ops::serve(ops_port, recorder, None)?;
    let data = scratch(&options.data)?;
    let folders = Folders::with_store(&data, &options.store, None)?;
    let (store, keys) = installation::open(&folders).await?;
    let listener = serve::bind(loopback(options.port))?;
    let kept = data.join("account.json");
    let known = fs::read(&kept).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let account = content::ready(store.as_ref(), known).await?;
    private::write(&kept, &serde_json::to_vec(&account)?)?;
    let sandbox = Sandbox::start(&data.join("platform"), options.port + 1, &keys, None).await?;

    let scheme = if options.tls { "https" } else { "http" };
    let base_url = format!("{scheme}://localhost:{}", options.port);
    let (front, certificate) = if options.tls {
        let files = certificate(&data)?;
        (Front::Tls(Certificate::read(&files).await?), Some(files.certificate))
    } else {
        (Front::Loopback, None)
    };
    let start = Start {
        media: synaq_media::Options {
            threads: options.media_threads.get(),
            ..synaq_media::Options::new(loopback(options.port + 2))
        },
        detectors: None,
        web: synaq_web::Options {
            limits: synaq_web::Limits::within(descriptors::raised()),
            ..synaq_web::Options::for_origin(&base_url)
        },
        evidence: None,
        retention: crate::retention::Keeping::default(),
        time_servers: Vec::new(),
        mail: None,
        platform_url: format!("http://127.0.0.1:{}", options.port + 1),
        platform_trust: keys::read_trust(&sandbox.public_keys)?,
    };
    let mut installation = installation::start(&folders, store, keys, start).await?;
    desk.open(installation.watch.clone());
    installation.router = desk.on_the_public_address(installation.router);
    let cameras = tokio::spawn(cameras::stand_in(installation.runtime.clone()));
    let description = Description { base_url, ops_url, certificate, account, trust: folders.trust() };
    let file = data.join("room.json");
    let announce = || private::write(&file, &serde_json::to_vec_pretty(&description)?);
    let served = serve::run(listener, front, installation, announce).await;
    cameras.abort();
    sandbox.stop().await;
    served
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Refuses a folder that holds anything that is not a rehearsal's.
fn scratch(folder: &Path) -> anyhow::Result<PathBuf> {
    private::folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("{} cannot be found", folder.display()))?;
    let mark = folder.join(MARK);
    if !mark.is_file() {
        anyhow::ensure!(
            fs::read_dir(&folder)?.next().is_none(),
            "{} holds something and is no rehearsal's folder; name an empty one",
            folder.display()
        );
        private::write(&mark, MARK_TEXT.as_bytes())?;
    }
    Ok(folder)
}

/// Only a database whose name says so is ever opened without cameras.
pub(super) fn scratch_store(text: &str) -> Result<Address, String> {
    let address: Address = text.parse().map_err(|error| format!("{error:#}"))?;
    let named = |text: &str| {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().is_some_and(|name| name.starts_with(DATABASE))
    };
    if matches!(address, Address::Sqlite) || named(text) {
        return Ok(address);
    }
    Err(format!("a rehearsal's database has a name that begins with {DATABASE}; make an empty one"))
}

/// A certificate for this machine, kept with the folder: same kind of key as most public ones.
fn certificate(data: &Path) -> anyhow::Result<Tls> {
    let folder = data.join("tls");
    let files = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    if files.certificate.is_file() && files.key.is_file() {
        return Ok(files);
    }
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])
        .context("the rehearsal's certificate was not made")?;
    private::folder(&folder)?;
    private::write(&files.certificate, made.cert.pem().as_bytes())?;
    private::write(&files.key, made.signing_key.serialize_pem().as_bytes())?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_with_another_name_is_never_a_rehearsals() {
        assert!(scratch_store("sqlite").is_ok());
        assert!(scratch_store("postgres://synaq@localhost/synaq_rehearsal_1").is_ok());
        for real in [
            "postgres://synaq@localhost/synaq",
            "postgres://synaq_rehearsal@localhost/exams?x=/synaq_rehearsal",
        ] {
            assert!(scratch_store(real).is_err(), "{real}");
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_never_a_rehearsal_room() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("synaq.db"), b"exams").unwrap();
        let refused = scratch(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("no rehearsal's folder"), "{refused}");
        let empty = folder.path().join("scratch");
        scratch(&empty).unwrap();
        fs::write(empty.join("synaq.db"), b"made up").unwrap();
        scratch(&empty).expect("an earlier room's folder is taken again");
    }
}

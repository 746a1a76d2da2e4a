//! `synaq platform`: the sandbox of the central platform, as a process of its own.

use crate::{clock, config, keys, private, telemetry};
use anyhow::Context as _;
use ring::rand::SystemRandom;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synaq_platform::{Archive, Platform, router};
use synaq_seal::key::{Purpose, TrustedKey};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// How long a sandbox whose starter was killed may take to notice and free the port.
const PREDECESSOR: Duration = Duration::from_secs(3);
const PORT_LOOK: Duration = Duration::from_millis(20);

/// Options of the sandbox.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Folder of its key and archive
    #[arg(long)]
    data: PathBuf,
    /// Address and port
    #[arg(long)]
    listen: SocketAddr,
    /// Set of keys of the centres it trusts; read anew for every message
    #[arg(long)]
    trust: PathBuf,
    /// End when standard input closes
    #[arg(long)]
    until_stdin_closes: bool,
    /// What is logged, as `[log] filter` has it
    #[arg(long)]
    log: Option<String>,
}

/// Where the sandbox keeps what.
#[derive(Clone, Debug)]
pub(crate) struct PlatformFolder(pub(crate) PathBuf);

impl PlatformFolder {
    /// Its private key.
    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("platform.p8")
    }

    /// Its public key, for those who verify its receipts.
    pub(crate) fn public(&self) -> PathBuf {
        self.0.join("platform-keys.json")
    }

    /// What it holds.
    pub(crate) fn archive(&self) -> PathBuf {
        self.0.join("archive")
    }

    /// Makes the key on first use and writes the public half.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        private::folder(&self.0).with_context(|| format!("{} cannot be made", self.0.display()))?;
        let key = keys::signing(&self.key(), &SystemRandom::new())?;
        let public =
            TrustedKey { key: key.public().clone(), purpose: Purpose::Platform, use_from: 0, use_to: None };
        keys::write_trust(&self.public(), vec![public])?;
        Ok(())
    }
}

/// Serves until a signal, or, with `until_stdin_closes`, until the process that started it is gone. One line on standard
/// output says that the port is open.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    telemetry::start(&config::Log { filter: options.log, ..config::Log::default() })?;
    let folder = PlatformFolder(options.data);
    folder.prepare()?;
    let platform = open(&folder, &options.trust)?;
    let patience = if options.until_stdin_closes { PREDECESSOR } else { Duration::ZERO };
    let listener = listen(options.listen, patience).await?;
    tracing::info!(listen = %options.listen, "the platform sandbox is listening");
    // Whoever started it may not care to read.
    let _ = writeln!(io::stdout(), "The platform sandbox is listening on http://{}", options.listen);
    let starter_gone = async {
        if !options.until_stdin_closes {
            return std::future::pending().await;
        }
        // Whatever the outcome, the starter is gone.
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    };
    // No farewell to open connections: a message is kept whole or not at all, and an unanswered sender sends again.
    tokio::select! {
        served = axum::serve(listener, router(platform)) => Ok(served?),
        () = starter_gone => Ok(()),
    }
}

fn open(folder: &PlatformFolder, trust: &Path) -> anyhow::Result<Platform> {
    Ok(Platform {
        archive: Archive::open(&folder.archive())?,
        key: keys::signing(&folder.key(), &SystemRandom::new())?,
        trust: trust.to_owned(),
        random: Box::new(SystemRandom::new()),
        now: clock::wall_millis,
    })
}

async fn listen(address: SocketAddr, patience: Duration) -> anyhow::Result<TcpListener> {
    let until = Instant::now() + patience;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                tokio::time::sleep(PORT_LOOK).await;
            }
            bound => {
                return bound.with_context(|| {
                    format!("{address} cannot be listened on; is another program using it?")
                });
            }
        }
    }
}

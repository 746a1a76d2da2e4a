//! `synaq platform`: the sandbox of the central platform, as a process of its own.

use crate::{clock, keys};
use anyhow::Context as _;
use ring::rand::SystemRandom;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use synaq_platform::{Archive, Platform, router};
use synaq_seal::key::{Purpose, TrustedKey};
use tokio::io::AsyncReadExt as _;

/// Where the sandbox keeps what.
#[derive(Clone, Debug)]
pub struct PlatformFolder(pub PathBuf);

impl PlatformFolder {
    /// Its private key.
    pub fn key(&self) -> PathBuf {
        self.0.join("platform.p8")
    }

    /// Its public key, for those who verify its receipts.
    pub fn public(&self) -> PathBuf {
        self.0.join("platform-keys.json")
    }

    /// Makes the key on first use and writes the public half.
    pub fn prepare(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.0).with_context(|| format!("{} cannot be made", self.0.display()))?;
        let key = keys::signing(&self.key(), &SystemRandom::new())?;
        let public =
            TrustedKey { key: key.public().clone(), purpose: Purpose::Platform, use_from: 0, use_to: None };
        keys::write_trust(&self.public(), vec![public])?;
        Ok(())
    }
}

/// Serves until a signal, or, with `until_stdin_closes`, until the process that started it is gone.
pub async fn run(
    folder: &Path,
    listen: SocketAddr,
    trust: &Path,
    until_stdin_closes: bool,
) -> anyhow::Result<()> {
    let folder = PlatformFolder(folder.to_owned());
    folder.prepare()?;
    let platform = Platform {
        archive: Archive::open(&folder.0.join("archive"))?,
        key: keys::signing(&folder.key(), &SystemRandom::new())?,
        trust: trust.to_owned(),
        random: Box::new(SystemRandom::new()),
        now: clock::wall_millis,
    };
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} cannot be listened on; is another program using it?"))?;
    tracing::info!(%listen, "the platform sandbox is listening");
    let stop = async move {
        if until_stdin_closes {
            let mut rest = Vec::new();
            // Whatever the outcome, the starter is gone.
            let _ = tokio::io::stdin().read_to_end(&mut rest).await;
        } else {
            // Without a handler the default ends the process, which is as good.
            let _ = tokio::signal::ctrl_c().await;
        }
    };
    axum::serve(listener, router(platform)).with_graceful_shutdown(stop).await?;
    Ok(())
}

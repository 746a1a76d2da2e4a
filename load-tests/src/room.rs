//! A rehearsal room as a process of its own: the real server on a scratch folder, without cameras.

use crate::line::Target;
use crate::server::{Server, free_ports};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ten thousand sessions are brought back before the port opens.
const START_PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How a room is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program `synaq`
    pub binary: PathBuf,
    /// Scratch folder, on the disk that is to be measured
    pub data: PathBuf,
    /// Over TLS
    pub tls: bool,
    /// Further options of the room, such as its store
    pub more: Vec<String>,
}

impl Start {
    /// On that folder, with the binary beside this program.
    ///
    /// # Errors
    /// If there is no binary.
    pub fn beside(data: &Path, tls: bool, more: Vec<String>) -> anyhow::Result<Self> {
        Ok(Self { binary: Server::binary()?, data: data.to_owned(), tls, more })
    }
}

/// What the room says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Description {
    /// Origin
    pub base_url: String,
    /// Metrics
    #[serde(default)]
    pub ops_url: Option<String>,
    /// The one to trust
    pub certificate: Option<PathBuf>,
    /// Of every seat
    pub account: crate::server::Account,
}

/// A running room; stopped when dropped.
#[derive(Debug)]
pub struct Room {
    child: Child,
    start: Start,
    port: u16,
    /// What it said
    pub description: Description,
    /// From the start of the process to its port being open
    pub took: Duration,
}

impl Room {
    /// Starts a room at free ports.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn open(start: Start) -> anyhow::Result<Self> {
        let port = free_ports()?;
        Self::open_at(start, port)
    }

    /// Where it is.
    ///
    /// # Errors
    /// If its certificate cannot be read.
    pub fn target(&self) -> anyhow::Result<Target> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        Target::new(&self.description.base_url, address, self.description.certificate.as_deref())
    }

    /// The server's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no farewell, no flush.
    ///
    /// # Errors
    /// If the process is gone already.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The same room again after a kill.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn reopen(&mut self) -> anyhow::Result<()> {
        let (child, description, took) = launch(&self.start, self.port)?;
        (self.child, self.description, self.took) = (child, description, took);
        Ok(())
    }

    fn open_at(start: Start, port: u16) -> anyhow::Result<Self> {
        let (child, description, took) = launch(&start, port)?;
        Ok(Self { child, start, port, description, took })
    }
}

fn launch(start: &Start, port: u16) -> anyhow::Result<(Child, Description, Duration)> {
    let file = start.data.join("room.json");
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let began = Instant::now();
    let mut command = Command::new(&start.binary);
    command.args(["rehearsal-room", "--data"]).arg(&start.data).args(["--port", &port.to_string()]);
    if start.tls {
        command.arg("--tls");
    }
    let mut child = command
        .args(&start.more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("{} cannot be started", start.binary.display()))?;
    loop {
        // Written whole by renaming, so what is there is complete.
        if let Ok(bytes) = std::fs::read(&file) {
            let description = serde_json::from_slice(&bytes).context("room.json is not understood")?;
            return Ok((child, description, began.elapsed()));
        }
        if let Some(status) = child.try_wait()? {
            bail!("the room ended with {status}; what it said stands above");
        }
        if began.elapsed() > START_PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("the room wrote no {} in time", file.display());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SIGTERM lets it stop the sandbox it started; whoever was killed is gone already.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw)
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let end = Instant::now() + STOP_PATIENCE;
        while Instant::now() < end {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

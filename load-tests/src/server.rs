//! The real binary as a process of its own.

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::env;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A debug build on a busy machine, key generation and import of the demo bank included.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Finding free ports is a matter of one or two tries.
const PORT_TRIES: usize = 100;
/// Linux gives outgoing connections those from 32768 on.
const PORTS: Range<u16> = 20_000..32_000;

/// What `synaq demo` writes.
#[derive(Clone, Debug, Deserialize)]
pub struct Demo {
    /// Pages and API
    pub base_url: String,
    /// Metrics; empty where the server has none
    #[serde(default)]
    pub ops_url: String,
    /// The sandbox of the central platform
    pub platform_url: String,
    /// Its process
    pub platform_pid: Option<u32>,
    /// Personal links
    pub candidate_links: Vec<String>,
    /// Account
    pub proctor: Account,
    /// Account
    pub centre: Account,
    /// Account
    pub commission: Account,
    /// Public keys for `synaq verify`
    pub trust: PathBuf,
}

/// A member of staff.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// Login
    pub login: String,
    /// Password
    pub password: String,
}

/// A running `synaq demo`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    data: PathBuf,
    port: u16,
    store: Option<String>,
    /// What it wrote
    pub demo: Demo,
    /// From the start of the process to its links being there
    pub start: Duration,
}

impl Server {
    /// The binary to test: `SYNAQ_BIN`, or the one beside this program in the target folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn binary() -> anyhow::Result<PathBuf> {
        if let Some(path) = env::var_os("SYNAQ_BIN") {
            return Ok(path.into());
        }
        let here = env::current_exe()?;
        let beside = here.ancestors().skip(1).take(2).map(|folder| folder.join("synaq"));
        beside.into_iter().find(|path| path.is_file()).context(
            "the binary `synaq` is missing; build it with `cargo build -p synaq-app` or set SYNAQ_BIN",
        )
    }

    /// Starts the demo on a data folder, at a free port.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_at(data, free_ports()?, None)
    }

    /// As [`Server::start`], with the rows in that store: `postgres://user:password@host:port/name`.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start_on(data: &Path, store: &str) -> anyhow::Result<Self> {
        Self::start_at(data, free_ports()?, Some(store.to_owned()))
    }

    /// SIGKILL, then a new process on the same folder and port.
    ///
    /// # Errors
    /// If it does not come up again.
    pub fn kill_and_restart(mut self) -> anyhow::Result<Self> {
        self.kill()?;
        Self::start_at(&self.data.clone(), self.port, self.store.take())
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

    /// The server's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn start_at(data: &Path, port: u16, store: Option<String>) -> anyhow::Result<Self> {
        let file = data.join("demo.json");
        // An earlier run's file stays, it alone knows the passwords; the new one replaces it.
        let written = || std::fs::metadata(&file).and_then(|file| file.modified()).ok();
        let (before, began) = (written(), Instant::now());
        let mut child = Command::new(Self::binary()?)
            .args(["demo", "--detectors", "off", "--data"])
            .arg(data)
            .args(["--port", &port.to_string()])
            .args(store.iter().flat_map(|store| ["--store", store]))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        loop {
            if written() != before {
                let demo: Demo = serde_json::from_slice(&std::fs::read(&file)?)?;
                ensure!(demo.base_url.ends_with(&format!(":{port}")), "another address: {}", demo.base_url);
                let data = data.to_owned();
                return Ok(Self { child, data, port, store, demo, start: began.elapsed() });
            }
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if began.elapsed() > START_PATIENCE {
                child.kill()?;
                bail!("the server wrote no {} in time", file.display());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM lets it stop the sandbox it started; whoever was killed by the test is gone already.
        let _ = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        let end = Instant::now() + Duration::from_secs(10);
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

/// First of three free ports in a row (server, platform, media), below those that the kernel gives to outgoing
/// connections: between our look and the server's, nobody takes one by chance.
///
/// # Errors
/// If there are none.
pub fn free_ports() -> anyhow::Result<u16> {
    for _ in 0..PORT_TRIES {
        let first = rand::random_range(PORTS);
        let free = |port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
                && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        };
        if (first..first + 3).all(free) {
            return Ok(first);
        }
    }
    bail!("no three free ports in a row were found")
}

//! One installation: the real binary as `synaq serve`, its data folder, and the platform sandbox as a process of its own.

use crate::process::{self, Process};
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synaq_load_tests::server::{Server, free_ports};

/// A debug build on a busy machine, a database that has to recover first.
const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What `synaq demo` writes, as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
pub struct Accounts {
    pub proctor: Account,
    pub centre: Account,
}

/// A member of staff.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    pub login: String,
    pub password: String,
}

/// Addresses of one installation.
#[derive(Clone, Debug)]
pub struct Ports {
    pub http: u16,
    pub media: u16,
    pub platform: u16,
}

/// Where the rest of the world is, if not directly there.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Port that people type
    pub http: Option<u16>,
    /// Port that media is sent to
    pub media: Option<u16>,
    /// Port of whoever answers for the platform
    pub platform: Option<u16>,
    /// PEM certificate and key
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// One installation.
#[derive(Debug)]
pub struct House {
    pub data: PathBuf,
    pub ports: Ports,
    pub accounts: Accounts,
    /// Output of every server process, one after the other
    pub log: PathBuf,
    /// `postgres://...`; none is the SQLite file in the data folder
    store: Option<String>,
    outside: Outside,
    /// Folder of the platform sandbox
    pub platform_folder: PathBuf,
    /// Further sections of the configuration
    pub more: String,
    /// Environment of the next start
    pub env: Vec<(String, String)>,
    server: Option<Process>,
    platform: Option<Process>,
}

impl House {
    /// Has the demo make keys, accounts and the bank, then stops it.
    ///
    /// # Errors
    /// If the binary is missing or the demo does not come up.
    pub fn found(data: &Path, log: PathBuf, store: Option<String>) -> anyhow::Result<Self> {
        let first = free_ports()?;
        let ports = Ports { http: first, platform: first + 1, media: first + 2 };
        let mut arguments =
            ["demo", "--detectors", "off", "--data", &data.display().to_string()].map(str::to_owned).to_vec();
        arguments.extend(["--port".to_owned(), first.to_string()]);
        if let Some(store) = &store {
            arguments.extend(["--store".to_owned(), store.clone()]);
        }
        let mut demo = Process::start(&Server::binary()?, &arguments, &[], &log)?;
        let (file, began) = (data.join("demo.json"), Instant::now());
        let accounts = loop {
            // The file is put in place whole, after everything it speaks of.
            if let Some(accounts) = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
                break accounts;
            }
            demo.check()?;
            ensure!(began.elapsed() < START_PATIENCE, "the demo wrote no {}", file.display());
            std::thread::sleep(LOOK_EVERY);
        };
        demo.stop(STOP_PATIENCE)?;
        let (env, more, outside) = (Vec::new(), String::new(), Outside::default());
        let platform_folder = data.join("platform");
        Ok(Self {
            platform_folder,
            data: data.to_owned(),
            ports,
            accounts,
            log,
            store,
            outside,
            more,
            env,
            server: None,
            platform: None,
        })
    }

    /// How the next start looks from outside.
    pub fn set_outside(&mut self, outside: Outside) {
        self.outside = outside;
    }

    /// What candidates type.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = if self.outside.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.outside.http.unwrap_or(self.ports.http))
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// If it ends or does not answer in time.
    pub fn start(&mut self) -> anyhow::Result<Duration> {
        self.launch()?;
        let began = Instant::now();
        while !self.answers() {
            self.server.as_mut().context("just started")?.check().with_context(|| self.last_words())?;
            ensure!(began.elapsed() < START_PATIENCE, "the server does not answer: {}", self.last_words());
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(began.elapsed())
    }

    /// Starts the server and waits for nothing.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        ensure!(self.server.is_none(), "the server is running");
        let config = self.data.join("rig.toml");
        fs::write(&config, self.config()?)?;
        let arguments = ["serve".to_owned(), "--config".to_owned(), config.display().to_string()];
        self.server = Some(Process::start(&Server::binary()?, &arguments, &self.env, &self.log)?);
        Ok(())
    }

    /// Whether it answers HTTP at all.
    #[must_use]
    pub fn answers(&self) -> bool {
        process::http_answers((Ipv4Addr::LOCALHOST, self.ports.http).into(), "/healthz")
    }

    /// SIGKILL: no farewell, no flush.
    ///
    /// # Errors
    /// If no server is running.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.server.take().context("no server is running")?.kill()
    }

    /// SIGTERM and the end of the process.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn stop(&mut self) -> anyhow::Result<Duration> {
        self.server.take().context("no server is running")?.stop(STOP_PATIENCE)
    }

    /// The server's process.
    ///
    /// # Errors
    /// If no server is running.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.server.as_ref().context("no server is running")?.pid())
    }

    /// Whether the process has ended by itself; forgets it then.
    pub fn ended(&mut self) -> bool {
        let ended = self.server.as_mut().is_some_and(|server| server.check().is_err());
        if ended {
            self.server = None;
        }
        ended
    }

    /// Starts the platform sandbox.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn start_platform(&mut self) -> anyhow::Result<()> {
        let folder = &self.platform_folder;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.platform));
        let arguments = [
            "platform".to_owned(),
            "--data".to_owned(),
            folder.display().to_string(),
            "--listen".to_owned(),
            address.to_string(),
            "--trust".to_owned(),
            folder.join("centre-keys.json").display().to_string(),
        ];
        let log = self.log.with_file_name("platform.log");
        let mut platform = Process::start(&Server::binary()?, &arguments, &[], &log)?;
        let began = Instant::now();
        while !process::http_answers(address, "/healthz") {
            platform.check()?;
            ensure!(began.elapsed() < START_PATIENCE, "the platform sandbox does not answer");
            std::thread::sleep(LOOK_EVERY);
        }
        self.platform = Some(platform);
        Ok(())
    }

    /// Gives the platform sandbox another folder, and starts it there.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn move_platform(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.kill_platform()?;
        fs::create_dir_all(folder.join("archive"))?;
        for name in ["platform.p8", "platform-keys.json", "centre-keys.json"] {
            fs::copy(self.platform_folder.join(name), folder.join(name))?;
        }
        folder.clone_into(&mut self.platform_folder);
        self.start_platform()
    }

    /// SIGKILL for the platform sandbox.
    ///
    /// # Errors
    /// If it is not running.
    pub fn kill_platform(&mut self) -> anyhow::Result<()> {
        self.platform.take().context("no platform is running")?.kill()
    }

    /// Everything the servers said.
    #[must_use]
    pub fn said(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    fn config(&self) -> anyhow::Result<String> {
        let Ports { http, media, platform } = self.ports;
        let trust = self.platform_folder.join("platform-keys.json");
        let mut text = format!("data = {:?}\n", self.data);
        writeln!(text, "listen = \"127.0.0.1:{http}\"\npublic_url = {:?}", self.base())?;
        if let Some(store) = &self.store {
            writeln!(text, "[store]\nurl = {store:?}")?;
        }
        if let Some((certificate, key)) = &self.outside.tls {
            writeln!(text, "[tls]\ncertificate = {certificate:?}\nkey = {key:?}")?;
        }
        writeln!(text, "[media]\nlisten = \"127.0.0.1:{media}\"")?;
        if let Some(port) = self.outside.media {
            writeln!(text, "advertise = \"127.0.0.1:{port}\"\ntcp = false")?;
        }
        // Made-up pictures: detectors would cost the processor that the rows measure.
        writeln!(text, "[detectors]\nfaces = \"off\"")?;
        let platform = self.outside.platform.unwrap_or(platform);
        writeln!(text, "[platform]\nurl = \"http://127.0.0.1:{platform}\"\ntrust = {trust:?}")?;
        text.push_str(&self.more);
        Ok(text)
    }
}

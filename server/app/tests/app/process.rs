//! Processes, free ports, and waiting for what must come.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// Looks until there is something; says what was missing if there never is.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(LOOK);
    }
}

/// Runs a command of ours to its end.
pub(crate) fn synaq<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synaq")).args(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// First of four free ports in a row (server, platform, media, operators), below those that the kernel gives to outgoing
/// connections: between our look and the server's, nobody takes one by chance.
pub(crate) fn free_ports() -> u16 {
    until("four free ports in a row", || {
        // std's hasher keys come from the system's entropy.
        let chance = RandomState::new().hash_one(()) % 12_000;
        let first = 20_000 + u16::try_from(chance).expect("below 12,000");
        let (media, last) = (first + 2, first + 3);
        let tcp = (first..=last).all(|port| TcpListener::bind(local(port)).is_ok());
        (tcp && UdpSocket::bind(local(media)).is_ok()).then_some(first)
    })
}

pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect(local(port)).is_ok()
}

pub(crate) fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}

pub(crate) fn is_alive(pid: u32) -> bool {
    // A zombie has ended: only its parent has not asked yet.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A long-running command of ours. Ended when dropped.
pub(crate) struct Running {
    child: Child,
    words: TempDir,
}

impl Running {
    pub(crate) fn start<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let words = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(words.path().join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_synaq"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, words }
    }

    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.words.path().join("stdout")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.words.path().join("stderr")).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a condition that needs this process.
    pub(crate) fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        until(what, || {
            if let Some(found) = look(self) {
                return Some(found);
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{what}: it ended with {ended:?}: {}", self.stderr());
            None
        })
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap())
    }

    pub(crate) fn stop(&mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        self.ended()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.ended();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A demo with its folder and ports.
pub(crate) struct Demo {
    pub(crate) process: Running,
    pub(crate) links: serde_json::Value,
    pub(crate) port: u16,
}

impl Demo {
    pub(crate) fn start(data: &Path, port: u16) -> Self {
        let file = data.join("demo.json");
        let written = || fs::metadata(&file).and_then(|about| about.modified()).ok();
        let before = written();
        let mut process = Running::start(arguments(data, port));
        process.until("demo.json", |_| (written() != before).then_some(()));
        let links = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        Self { process, links, port }
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.links.pointer(path).unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) fn platform_pid(&self) -> u32 {
        u32::try_from(self.links["platform_pid"].as_u64().unwrap()).unwrap()
    }

    /// Last path segments of the candidates' links.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let links = self.links["candidate_links"].as_array().unwrap();
        links.iter().map(|link| link.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    }
}

pub(crate) fn arguments(data: &Path, port: u16) -> Vec<String> {
    ["demo", "--data", &data.display().to_string(), "--port", &port.to_string()].map(str::to_owned).to_vec()
}

/// A folder with everything that `serve` needs: trust of a platform, a configuration with free ports.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), port: free_ports() };
        let key = synaq_seal::key::SigningKey::generate(
            synaq_seal::key::Algorithm::Es256,
            &ring::rand::SystemRandom::new(),
        );
        let platform = synaq_seal::key::TrustedKey {
            key: key.unwrap().public().clone(),
            purpose: synaq_seal::key::Purpose::Platform,
            use_from: 0,
            use_to: None,
        };
        let trust = synaq_seal::key::TrustSet::new(vec![platform]).unwrap();
        fs::write(site.path("platform-keys.json"), trust.to_json()).unwrap();
        site
    }

    /// The operators' port.
    pub(crate) fn ops(&self) -> u16 {
        self.port + 3
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a configuration that bears a start, with each `(from, to)` replaced.
    pub(crate) fn config(&self, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = format!(
            "data = {data:?}\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\n\
             [media]\nlisten = \"127.0.0.1:{media}\"\n\
             [platform]\nurl = \"http://127.0.0.1:{platform}\"\ntrust = {trust:?}\n\
             [log]\nfilter = \"debug\"\n\
             [ops]\nlisten = \"127.0.0.1:{ops}\"\n",
            data = self.path("data"),
            trust = self.path("platform-keys.json"),
            port = self.port,
            platform = self.port + 1,
            media = self.port + 2,
            ops = self.ops(),
        );
        for (from, to) in changes {
            assert!(text.contains(from), "{from} is not in the configuration");
            text = text.replace(from, to);
        }
        let path = self.path("synaq.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// `synaq COMMAND --config FILE`
    pub(crate) fn run(&self, command: &[&str], config: &Path) -> Output {
        let config = config.display().to_string();
        synaq(command.iter().copied().chain(["--config", &config]))
    }

    pub(crate) fn serve(&self, config: &Path) -> Running {
        let mut process = Running::start(["serve", "--config", &config.display().to_string()]);
        process.until("the server listens", |process| process.stderr().contains("listening").then_some(()));
        process
    }
}

//! Child processes that end with the rig, and signals for them.

use anyhow::{Context as _, bail, ensure};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than a healthy server on this machine takes, shorter than a wait for one that hangs should be.
const HTTP_PATIENCE: Duration = Duration::from_millis(800);

/// A running child.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program; both outputs are added to `log`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        program: &Path,
        arguments: &[String],
        env: &[(String, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let out = OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { child })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// # Errors
    /// If it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the process ended with {status}"),
        }
    }

    /// SIGKILL and the end.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM and the end.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn stop(mut self, patience: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        signal(self.pid(), "TERM")?;
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < patience, "the process does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(began.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended needs nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name.
///
/// # Errors
/// If there is no such process.
pub fn signal(pid: u32, name: &str) -> anyhow::Result<()> {
    run("kill", &[&format!("-{name}"), &pid.to_string()])
}

/// Runs a program to its end.
///
/// # Errors
/// If it is missing or fails; the text has what it said.
pub fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    output(program, arguments).map(drop)
}

/// Runs a program to its end: what it printed, without the last line break.
///
/// # Errors
/// If it is missing or fails; the text has what it said.
pub fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let out = Command::new(program).args(arguments).stdin(Stdio::null()).output().with_context(|| {
        format!("{program} cannot be started; `cargo xtask test --only needs` installs it")
    })?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{program} {arguments:?}: {}", said.trim());
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

/// Whether there is an HTTP answer of any kind.
#[must_use]
pub fn http_answers(address: SocketAddr, path: &str) -> bool {
    http_get(address, path).is_some()
}

/// The head and the beginning of an answer.
#[must_use]
pub fn http_get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, HTTP_PATIENCE).ok()?;
    stream.set_read_timeout(Some(HTTP_PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..count)?).into_owned();
    text.starts_with("HTTP/").then_some(text)
}

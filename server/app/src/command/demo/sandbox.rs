//! The central platform beside the demo: a real second process with its own key.

use crate::command::platform::PlatformFolder;
use crate::keys::{self, Keys};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Long enough to notice that its standard input closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running sandbox. It ends when its standard input closes, so it never outlives the demo, however that ends.
pub(crate) struct Sandbox {
    child: Child,
    stdin: ChildStdin,
    /// Read no further, but open: closing it would fail the sandbox's next line.
    _stdout: BufReader<ChildStdout>,
    /// Process id
    pub(crate) pid: u32,
    /// How to start it by hand, without the tie to this process
    pub(crate) command: Vec<String>,
    /// File with its public keys
    pub(crate) public_keys: PathBuf,
}

impl Sandbox {
    /// Starts it and waits until its port is open.
    pub(crate) async fn start(
        folder: &Path,
        port: u16,
        keys: &Keys,
        log: Option<&str>,
    ) -> anyhow::Result<Self> {
        let folder = PlatformFolder(folder.to_owned());
        folder.prepare()?;
        let trust = folder.0.join("centre-keys.json");
        keys::write_trust(&trust, keys.trust(0))?;
        let program = std::env::current_exe().context("this program's own file cannot be found")?;
        let arguments = [
            "platform".to_owned(),
            "--data".to_owned(),
            folder.0.display().to_string(),
            "--listen".to_owned(),
            format!("127.0.0.1:{port}"),
            "--trust".to_owned(),
            trust.display().to_string(),
        ];
        let mut command = Command::new(&program);
        command.args(&arguments).arg("--until-stdin-closes");
        command.args(log.iter().flat_map(|filter| ["--log", filter]));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // Ctrl+C is for the demo: its last deliveries may still want an answer.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().context("the platform sandbox cannot be started")?;
        let stdin = child.stdin.take().expect("it was asked for");
        let mut stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        let said = stdout.read_line(&mut line).await.context("the platform sandbox cannot be heard")?;
        anyhow::ensure!(said > 0, "the platform sandbox did not start; what it said stands above");
        Ok(Self {
            pid: child.id().context("the platform sandbox ended at once")?,
            command: std::iter::once(program.display().to_string()).chain(arguments).collect(),
            public_keys: folder.public(),
            child,
            stdin,
            _stdout: stdout,
        })
    }

    /// Lets it end by itself; ends it if it does not.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin);
        // Dropping the child kills what is left of it.
        let _ = tokio::time::timeout(FAREWELL, self.child.wait()).await;
    }
}

//! Ends the cluster when we end, by whatever: the pipe to the watcher closes with our last moment.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A paused process takes no SIGQUIT, so SIGCONT goes first; SIGQUIT is PostgreSQL's immediate shutdown, which removes
/// the file with its process id last.
const SCRIPT: &str = r#"
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -CONT $pid $(cat /proc/"$pid"/task/"$pid"/children 2>/dev/null) 2>/dev/null
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while [ -e "$1/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL "$pid" 2>/dev/null
fi
[ "$2" = keep ] || rm -rf "$1"
"#;

/// Lives until dropped.
#[derive(Debug)]
pub(crate) struct Watcher(Child);

impl Watcher {
    /// Watches over the cluster in `folder`, and removes the folder at the end unless it is to be kept.
    pub(crate) fn over(folder: &Path, keep: bool) -> Result<Self, String> {
        Command::new("sh")
            .args(["-c", SCRIPT, "watcher"])
            .arg(folder)
            .arg(if keep { "keep" } else { "remove" })
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(|error| format!("the watcher of the cluster did not start: {error}"))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

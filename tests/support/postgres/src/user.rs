//! PostgreSQL refuses to run as root, so root runs it as somebody who may do less.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Made by Debian's package, or there anyway.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who runs the cluster; none is the user of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(Option<(u32, u32)>);

impl User {
    /// The user of this process, or for root one of the unprivileged ones.
    pub(crate) fn find() -> Result<Self, String> {
        // A process owns its own entry.
        let own = fs::metadata("/proc/self").map_err(|error| format!("/proc/self: {error}"))?.uid();
        if own != 0 {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
        let ids = |name: &str| {
            let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        UNPRIVILEGED
            .into_iter()
            .find_map(ids)
            .map(|ids| Self(Some(ids)))
            .ok_or_else(|| format!("PostgreSQL does not run as root, and none of {UNPRIVILEGED:?} exists"))
    }

    /// A program that runs as this user, in a process group of its own: Ctrl+C is for us, the watcher does the rest.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a folder or file to this user.
    pub(crate) fn own(self, path: &Path) -> Result<(), String> {
        let Some((user, group)) = self.0 else { return Ok(()) };
        chown(path, Some(user), Some(group)).map_err(|error| format!("{}: {error}", path.display()))
    }
}

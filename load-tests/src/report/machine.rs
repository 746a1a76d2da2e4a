//! The machine a figure was made on.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// What may explain a figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the first processor
    pub processor: String,
    /// Cores this process may use
    pub cores: usize,
    /// Memory in MiB
    pub memory_mib: u64,
    /// Kernel release
    pub kernel: String,
    /// Distribution
    pub system: String,
    /// Device and file system of the measured folder
    pub disk: String,
    /// Open files of one process
    pub open_files: u64,
    /// One-minute load average when the report was begun
    pub load: String,
}

impl Machine {
    /// This one; `folder` is where data lie.
    #[must_use]
    pub fn here(folder: &Path, open_files: u64) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line.split_once([':', '=']))
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib / 1_024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: value(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_else(|| "unknown".to_owned()),
            disk: mount(folder, &read("/proc/self/mounts")),
            open_files,
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

/// The longest mount point above the folder.
fn mount(folder: &Path, mounts: &str) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let above = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, point, kind) = (fields.next()?, fields.next()?, fields.next()?);
        folder.starts_with(point).then(|| (point.len(), format!("{device}, {kind}")))
    });
    above.max_by_key(|(length, _)| *length).map_or_else(|| "unknown".to_owned(), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_that_of_the_nearest_mount() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n";
        assert_eq!(mount(Path::new("/tmp/nowhere"), mounts), "tmpfs, tmpfs");
        assert_eq!(mount(Path::new("/srv/nowhere"), mounts), "/dev/vda, ext4");
    }
}

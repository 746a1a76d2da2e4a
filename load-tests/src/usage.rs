//! What the kernel says of a process: memory, processor time, open files, threads.

use anyhow::Context as _;
use std::fs;
use std::path::PathBuf;

/// What the kernel counts processor time in (`getconf CLK_TCK`), the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// One look at a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Resident memory in KiB
    pub rss_kib: f64,
    /// User and system time so far, in seconds
    pub cpu_s: f64,
    /// Open descriptors
    pub descriptors: u32,
    /// Threads
    pub threads: u32,
}

impl Usage {
    /// Of that process.
    ///
    /// # Errors
    /// If it is gone.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(proc.join("status"))?;
        let number = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let text = line.with_context(|| format!("the kernel names no {name}"))?;
            Ok(text.trim().trim_end_matches("kB").trim().parse()?)
        };
        let stat = fs::read_to_string(proc.join("stat"))?;
        // After the name in brackets, which may hold blanks: fields 14 and 15 of proc(5) are user and system time.
        let fields = stat.rsplit_once(')').context("the kernel's stat line has no name")?.1;
        let ticks: f64 = fields
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<f64>)
            .sum::<Result<f64, _>>()?;
        let descriptors = u32::try_from(fs::read_dir(proc.join("fd"))?.count())?;
        let threads = u32::try_from(fs::read_dir(proc.join("task"))?.count())?;
        Ok(Self { rss_kib: number("VmRSS:")?, cpu_s: ticks / TICKS_PER_S, descriptors, threads })
    }

    /// Of this process.
    ///
    /// # Errors
    /// If the kernel says nothing.
    pub fn own() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}

/// Raises the limit of open files to the hard one, for this process and those it starts: the limit in force.
#[must_use]
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    now.current.unwrap_or(u64::MAX)
}

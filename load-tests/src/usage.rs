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

/// The whole machine's processor time at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    busy: u64,
    all: u64,
}

impl Machine {
    pub(crate) fn now() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("no cpu line")?;
        let fields: Vec<u64> = line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        // proc(5): user nice system idle iowait irq softirq steal; what follows is in the first two already.
        let all = fields.iter().take(8).sum();
        let idle: u64 = fields.iter().skip(3).take(2).sum();
        Ok(Self { busy: all - idle, all })
    }

    /// Per cent of all cores since then.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a minute")]
    pub(crate) fn busy_percent_since(self) -> anyhow::Result<f64> {
        let now = Self::now()?;
        Ok((now.busy - self.busy) as f64 * 100.0 / (now.all - self.all).max(1) as f64)
    }
}

/// Datagrams that the kernel threw away because the socket at this UDP port was full (last column of proc(5), net/udp).
pub(crate) fn udp_drops(port: u16) -> anyhow::Result<u64> {
    let table = fs::read_to_string("/proc/net/udp")?;
    let suffix = format!(":{port:04X}");
    let row = table
        .lines()
        .skip(1)
        .find(|line| line.split_ascii_whitespace().nth(1).is_some_and(|address| address.ends_with(&suffix)));
    let drops = row.context("nobody has this UDP port")?.split_ascii_whitespace().last();
    Ok(drops.context("an empty row")?.parse()?)
}

/// Bytes that the loopback network has carried (proc(5), net/dev): whatever is sent on it is received on it.
pub(crate) fn loopback_bytes() -> anyhow::Result<u64> {
    let table = fs::read_to_string("/proc/net/dev")?;
    let row = table.lines().find_map(|line| line.trim_start().strip_prefix("lo:"));
    let first = row.and_then(|row| row.split_ascii_whitespace().next());
    Ok(first.context("there is no loopback network")?.parse()?)
}

/// Bytes of all files below a folder; one that vanishes meanwhile counts nothing.
pub(crate) fn folder_bytes(folder: &std::path::Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)?.flatten() {
        match entry.metadata() {
            Ok(data) if data.is_dir() => sum += folder_bytes(&entry.path())?,
            Ok(data) => sum += data.len(),
            Err(_) => {}
        }
    }
    Ok(sum)
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

//! Faults of the machine: syscalls that fail, small disks, little memory, little processor. Needs root.

use crate::process::{Process, run, signal};
use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ATTACHED: Duration = Duration::from_secs(20);
const FILL_CHUNK: usize = 64 * 1024;

/// Syscalls of a running process that strace changes; as they were when dropped.
#[derive(Debug)]
pub struct Syscalls(Option<Process>);

impl Syscalls {
    /// `rule` as behind `strace -e inject=`: `fdatasync,fsync:error=EIO`.
    ///
    /// # Errors
    /// If strace is missing or may not attach.
    pub fn inject(pid: u32, rule: &str, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join("strace.log");
        let _ = fs::remove_file(&log);
        let calls = rule.split(':').next().unwrap_or(rule);
        let arguments = [
            "-f".to_owned(),
            "-p".to_owned(),
            pid.to_string(),
            "-o".to_owned(),
            "/dev/null".to_owned(),
            "-e".to_owned(),
            format!("trace={calls}"),
            "-e".to_owned(),
            format!("inject={rule}"),
        ];
        let mut strace = Process::start(Path::new("strace"), &arguments, &[], &log)?;
        let began = Instant::now();
        while !fs::read_to_string(&log).is_ok_and(|said| said.contains("attached")) {
            strace.check().with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
            ensure!(began.elapsed() < ATTACHED, "strace does not attach");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Self(Some(strace)))
    }
}

impl Drop for Syscalls {
    fn drop(&mut self) {
        if let Some(strace) = self.0.take() {
            // On SIGTERM it lets go of the process; killed, it would leave it stopped.
            let _ = strace.stop(ATTACHED);
        }
    }
}

/// A file system in memory of a given size; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// # Errors
    /// If mounting is not allowed.
    pub fn mount(place: &Path, megabytes: u32) -> anyhow::Result<Self> {
        fs::create_dir_all(place)?;
        let (size, path) = (format!("size={megabytes}m"), place.display().to_string());
        run("mount", &["-t", "tmpfs", "-o", &size, "synaq-rig", &path])?;
        Ok(Self { place: place.to_owned() })
    }

    /// Takes every byte that is left.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.filler())?;
        let mut chunk = vec![0xa5; FILL_CHUNK];
        while !chunk.is_empty() {
            if file.write_all(&chunk).is_err() {
                chunk.truncate(chunk.len() / 2);
            }
        }
        Ok(())
    }

    /// Gives them back.
    ///
    /// # Errors
    /// If it was not filled.
    pub fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it.
        let _ = run("umount", &["--lazy", &self.place.display().to_string()]);
    }
}

/// What a control group limits.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// New memory, in bytes, without swap
    Memory(u64),
    /// Hundredths of one processor
    Processor(u64),
}

/// A control group with one process; the process is let go when dropped.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    pid: u32,
}

impl Group {
    /// # Errors
    /// If this machine has no such controller or does not let us.
    pub fn limit(pid: u32, limit: Limit) -> anyhow::Result<Self> {
        let (old, file, new_file, value, new_value) = match limit {
            Limit::Memory(bytes) => {
                ("memory", "memory.limit_in_bytes", "memory.max", bytes.to_string(), bytes.to_string())
            }
            Limit::Processor(share) => {
                let quota = share * 1_000;
                ("cpu", "cpu.cfs_quota_us", "cpu.max", quota.to_string(), format!("{quota} 100000"))
            }
        };
        let root = Path::new("/sys/fs/cgroup");
        let name = format!("synaq-rig-{}", std::process::id());
        let (folder, file, value) = if root.join(old).is_dir() {
            (root.join(old).join(name), file, value)
        } else if root.join("cgroup.controllers").is_file() {
            // The controller must be on for children of the root.
            let _ = fs::write(root.join("cgroup.subtree_control"), format!("+{old}"));
            (root.join(name), new_file, new_value)
        } else {
            bail!("there are no control groups at {}", root.display());
        };
        let _ = fs::remove_dir(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("{}: root is needed", folder.display()))?;
        fs::write(folder.join(file), value)?;
        fs::write(folder.join("cgroup.procs"), pid.to_string())?;
        Ok(Self { folder, pid })
    }
}

impl Group {
    /// How often the processor was taken away.
    ///
    /// # Errors
    /// If the group is not one of the processor.
    pub fn throttled(&self) -> anyhow::Result<u64> {
        let stat = fs::read_to_string(self.folder.join("cpu.stat"))?;
        let line = stat.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        Ok(line.context("cpu.stat names nr_throttled")?.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let above = self.folder.parent().map(|above| above.join("cgroup.procs"));
        if let Some(above) = above {
            // A process that has ended needs no way out.
            let _ = fs::write(above, self.pid.to_string());
        }
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A process that is held by SIGSTOP; goes on when dropped.
#[derive(Debug)]
pub struct Held(u32);

impl Held {
    /// # Errors
    /// If there is no such process.
    pub fn stop(pid: u32) -> anyhow::Result<Self> {
        signal(pid, "STOP")?;
        Ok(Self(pid))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = signal(self.0, "CONT");
    }
}

/// The number that the next descriptor of a process would get.
///
/// # Errors
/// If there is no such process.
pub fn next_descriptor(pid: u32) -> anyhow::Result<usize> {
    let mut open = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        open.extend(entry?.file_name().to_str().and_then(|name| name.parse::<usize>().ok()));
    }
    (0..).find(|number| !open.contains(number)).context("some number is free")
}

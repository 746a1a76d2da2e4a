//! A raw log on the disk under test: one `write` and one `fdatasync` after the other, to compare with.

use crate::crowd::{Latencies, latencies};
use anyhow::Context as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// As the reference measurement: one page.
const WRITE_BYTES: usize = 4_096;
/// Beside a load: often enough for a 99th percentile, seldom enough to be no load itself.
const BESIDE_EVERY: Duration = Duration::from_millis(25);
const MOST_US: u64 = 60_000_000;

/// A log that is written while something else is measured.
#[derive(Debug)]
pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Latencies>>,
}

/// `count` appends in a row.
///
/// # Errors
/// If the disk refuses.
pub fn in_a_row(folder: &Path, count: usize) -> anyhow::Result<Latencies> {
    let mut log = Log::new(folder)?;
    let mut figures = latencies();
    for _ in 0..count {
        log.append(&mut figures)?;
    }
    Ok(figures)
}

impl Probe {
    /// Begins to write.
    ///
    /// # Errors
    /// If no file can be made in the folder.
    pub fn beside(folder: &Path) -> anyhow::Result<Self> {
        let mut log = Log::new(folder)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("disk-probe".to_owned()).spawn(move || {
            let mut figures = latencies();
            while !told.load(Ordering::Relaxed) {
                log.append(&mut figures)?;
                std::thread::sleep(BESIDE_EVERY);
            }
            Ok(figures)
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends it: what was measured.
    ///
    /// # Errors
    /// If the disk refused.
    pub fn end(self) -> anyhow::Result<Latencies> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the disk probe panicked"))?
    }
}

struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(format!("probe-{}.log", uuid::Uuid::now_v7()));
        let file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self { file, path })
    }

    fn append(&mut self, figures: &mut Latencies) -> anyhow::Result<()> {
        let began = Instant::now();
        self.file.write_all(&[0x2e; WRITE_BYTES])?;
        self.file.sync_data()?;
        let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(MOST_US);
        figures.record(us.clamp(1, MOST_US))?;
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

//! The courier: carries what waits into the store, and lets local files go behind it.

use super::fault::Fault;
use super::part::{Part, covered};
use super::spool::Load;
use super::{Depot, Key, NOTE, Note, SUFFIX};
use bytes::Bytes;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_seal::blob::{BlobId, HEADER_LEN};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Parts on their way at once: 300 candidates make 20 a second, each some 50 ms away.
const AT_ONCE: usize = 8;
/// How often it is looked for what has become due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A store that failed is tried again after this, then after twice as long ...
const BACKOFF_BASE: Duration = Duration::from_millis(500);
/// ... up to this.
const BACKOFF_CAP: Duration = Duration::from_secs(20);

/// Of a store that fails.
#[derive(Default)]
struct Trouble {
    /// Not before this
    until: Option<Instant>,
    pause: Duration,
    failures: u64,
}

impl Depot {
    /// Carries until aborted.
    pub(crate) async fn carry_on(self: Arc<Self>) {
        let depot = Arc::clone(&self);
        match tokio::task::spawn_blocking(move || depot.take_stock())
            .await
            .map_err(io::Error::other)
            .flatten()
        {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the folder of evidence cannot be read for what waits for the store")
            }
        }
        let (mut loads, mut trouble) = (JoinSet::new(), Trouble::default());
        loop {
            let now = Instant::now();
            // Whoever finds out whether it is back goes alone.
            let at_once = if trouble.failures == 0 { AT_ONCE } else { 1 };
            while loads.len() < at_once
                && trouble.until.is_none_or(|until| now >= until)
                && let Some(load) = self.spool.next(now)
            {
                let depot = Arc::clone(&self);
                loads.spawn(async move {
                    let carried = depot.carry(&load).await;
                    depot.spool.put_down(&load.key, carried.as_ref().err(), Instant::now());
                    (load.key, carried)
                });
            }
            self.tell();
            tokio::select! {
                Some(carried) = loads.join_next() => match carried {
                    Ok((_, Ok(()))) => trouble.over(),
                    Ok((key, Err(fault))) => trouble.heard(&key, &fault),
                    Err(error) => tracing::error!(%error, "carrying evidence to the store ended by panic"),
                },
                () = self.spool.bell.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// For operators.
    fn tell(&self) {
        let (waiting, since) = self.spool.waiting();
        #[expect(clippy::cast_precision_loss, reason = "a gauge above 2^53 may be off by one")]
        metrics::gauge!("synaq_evidence_waiting_bytes").set(waiting as f64);
        let oldest = since.map_or(Duration::ZERO, |since| since.elapsed());
        metrics::gauge!("synaq_evidence_waiting_seconds").set(oldest.as_secs_f64());
    }

    /// Files that the process before left: on their way if the store lacks some of them, on the shelf if not.
    fn take_stock(&self) -> io::Result<()> {
        let sessions = match fs::read_dir(&self.root) {
            Ok(sessions) => sessions,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in sessions {
            let entry = entry?;
            if let Some(session) = entry.file_name().to_str().and_then(|name| Uuid::parse_str(name).ok()) {
                self.take_stock_of(session, &entry.path())?;
            }
        }
        Ok(())
    }

    fn take_stock_of(&self, session: Uuid, folder: &Path) -> io::Result<()> {
        let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let noted: HashSet<String> =
            entries.iter().filter_map(|entry| name(entry).strip_suffix(NOTE).map(str::to_owned)).collect();
        for entry in &entries {
            let file = name(entry);
            if file.ends_with(super::fetch::DRAFT) {
                fs::remove_file(entry.path())?;
            }
            let Some(piece) = file.strip_suffix(SUFFIX) else { continue };
            let (key, bytes) = ((session, piece.to_owned()), entry.metadata()?.len());
            if noted.contains(piece) {
                self.shelve(key, bytes);
            } else {
                self.spool.found(key, bytes);
            }
        }
        Ok(())
    }

    /// One part, and the note when it was the last.
    async fn carry(self: &Arc<Self>, load: &Load) -> Result<(), Fault> {
        let (session, name) = (load.key.0, load.key.1.as_str());
        let file = self.file(&load.key);
        let Some(local) = opened(file.clone(), load.whole, load.synced).await? else {
            // It was erased, or a crash left less than a header.
            self.spool.forget(&load.key);
            return Ok(());
        };
        let Local { blob, bytes } = local;
        if load.whole {
            self.spool.measured(&load.key, bytes);
        }
        let mut up = load.up;
        if !load.known {
            up = self.has(session, name, &blob).await?.min(bytes);
            self.spool.is_up(&load.key, up, Instant::now());
        }
        let to = Load::to(up, bytes);
        if to > up {
            let part = Part { from: up, to, blob: blob.clone() };
            let bytes = read(file.clone(), up, to).await?;
            self.bucket.put((session, name), &part, bytes).await?;
            if !self.file(&load.key).exists() {
                // Erased while its part was on the way: no part may be left behind.
                self.spool.forget(&load.key);
                self.bucket.remove(session, |other| other == name).await?;
                return Ok(());
            }
            metrics::counter!("synaq_evidence_carried_bytes_total").increment(to - up);
            self.spool.is_up(&load.key, to, Instant::now());
        }
        if load.whole && to == bytes {
            // Not what we believe to have put there counts, but what it says it has.
            let have = self.has(session, name, &blob).await?;
            if have < bytes {
                return Err(Fault::Short { have, want: bytes });
            }
            self.let_go(load.key.clone(), file, Note { blob, bytes }).await?;
        }
        Ok(())
    }

    /// How far the store has a blob.
    async fn has(&self, session: Uuid, name: &str, blob: &str) -> Result<u64, Fault> {
        let parts = self.bucket.parts(session, name).await?;
        Ok(covered(parts.into_iter().filter(|part| part.blob == blob).collect()))
    }

    /// The store has it all: the note says so, and the file may go when its room is needed.
    async fn let_go(self: &Arc<Self>, key: Key, file: std::path::PathBuf, note: Note) -> Result<(), Fault> {
        let depot = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // An erasure may have come between; its files stay removed.
            if file.exists() {
                note.write(&file)?;
            }
            depot.spool.forget(&key);
            depot.shelve(key, note.bytes);
            Ok(())
        });
        done.await.map_err(io::Error::other).flatten().map_err(Fault::Local)
    }

    /// Keeps a local file that the store has, and removes those whose room it takes.
    pub(super) fn shelve(&self, key: Key, bytes: u64) {
        for gone in self.shelf.add(key, bytes) {
            if let Err(error) = fs::remove_file(self.file(&gone))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(session = %gone.0, name = gone.1, %error, "a file that the store has cannot be removed");
            }
        }
    }
}

impl Trouble {
    fn heard(&mut self, (session, name): &Key, fault: &Fault) {
        metrics::counter!("synaq_evidence_carry_failures_total", "why" => fault.label()).increment(1);
        if !fault.is_the_stores() {
            return tracing::error!(%session, name, %fault, "a piece of evidence cannot be carried to the store now");
        }
        // One line when it begins, one when it is over: it meets every piece alike.
        if self.failures == 0 {
            tracing::error!(%fault, "evidence stays on this disk until the store takes it; recording goes on");
        } else {
            tracing::debug!(%session, name, %fault, "the store still takes nothing");
        }
        self.failures += 1;
        self.pause = (self.pause * 2).clamp(BACKOFF_BASE, BACKOFF_CAP);
        self.until = Some(Instant::now() + self.pause);
    }

    fn over(&mut self) {
        if self.failures > 0 {
            tracing::warn!(failures = self.failures, "the store takes evidence again");
        }
        *self = Self::default();
    }
}

/// A file of ours, and how much of it may be carried.
struct Local {
    blob: String,
    bytes: u64,
}

async fn opened(file: std::path::PathBuf, whole: bool, synced: u64) -> Result<Option<Local>, Fault> {
    let look = move || {
        let mut file = match File::open(&file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = if whole {
            // What a killed process wrote may be in memory alone; a part must not change once it was carried.
            file.sync_data()?;
            file.metadata()?.len()
        } else {
            synced
        };
        if bytes < HEADER_LEN as u64 {
            return Ok(None);
        }
        let blob = BlobId::read_from(&mut file).map_err(io::Error::other)?.to_string();
        Ok(Some(Local { blob, bytes }))
    };
    tokio::task::spawn_blocking(look).await.map_err(io::Error::other).flatten().map_err(Fault::Local)
}

async fn read(file: std::path::PathBuf, from: u64, to: u64) -> Result<Bytes, Fault> {
    let read = move || {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = vec![0; usize::try_from(to - from).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        Ok(Bytes::from(bytes))
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten().map_err(Fault::Local)
}

//! Sealed evidence on the local disk: one folder a session, one blob a piece, each class of data under a key of the
//! session's own. Behind the folder there may be a store that it is carried to (`depot`).

use super::depot::{Depot, NOTE, SUFFIX};
use super::piece::Piece;
use crate::private;
use ring::rand::SystemRandom;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Instant;
use synaq_core::ids::SessionId;
use synaq_core::retention::DataClass;
use synaq_core::session::EvidenceRef;
use synaq_media::{EvidenceStore, EvidenceWriter, Finished};
use synaq_seal::blob::{BlobId, Ending, InstallationKey, Reader, SessionKey, Writer};
use synaq_seal::shares::unwrap_share;
use synaq_store::Directory;
use synaq_web::{Erased, Evidence, Opened};
use uuid::Uuid;

/// One for each class of data, by its share; none once it was destroyed.
type ClassKeys = Vec<Option<SessionKey>>;

/// All evidence below one folder. Calls block: they are for media and blocking threads only.
pub(crate) struct EvidenceFolder {
    root: PathBuf,
    installation: Arc<InstallationKey>,
    random: SystemRandom,
    directory: Arc<dyn Directory>,
    /// Evidence is touched from media and blocking threads; the directory answers on this runtime
    tasks: tokio::runtime::Handle,
    keys: RwLock<HashMap<Uuid, Arc<ClassKeys>>>,
    /// Where it is carried to
    depot: Option<Arc<Depot>>,
    /// Of sessions that the process before left: what lay there when this one opened them, once it has
    left: Mutex<HashMap<Uuid, Option<Vec<String>>>>,
}

impl std::fmt::Debug for EvidenceFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvidenceFolder").field("root", &self.root).finish_non_exhaustive()
    }
}

impl EvidenceFolder {
    /// Evidence below `root`, with session keys wrapped by `installation`.
    /// Must be called within the async runtime that the directory lives on.
    pub(crate) fn new(
        root: PathBuf,
        installation: Arc<InstallationKey>,
        directory: Arc<dyn Directory>,
    ) -> Self {
        let tasks = tokio::runtime::Handle::current();
        let (keys, left) = (RwLock::default(), Mutex::default());
        let depot = None;
        Self { root, installation, random: SystemRandom::new(), directory, tasks, keys, depot, left }
    }

    /// With a store behind it, which is `behind` the same folder.
    pub(crate) fn carried_by(self, depot: Option<Arc<Depot>>) -> Self {
        Self { depot, ..self }
    }

    /// The process before left these: what lies there when they are opened first is its own.
    pub(crate) fn expect(&self, sessions: &[SessionId]) {
        self.lock_left().extend(sessions.iter().map(|session| (session.0, None)));
    }

    /// Whether this session is expected and was not opened yet.
    pub(crate) fn is_expected(&self, session: Uuid) -> bool {
        self.lock_left().get(&session).is_some_and(Option::is_none)
    }

    /// Before an expected session is served for the first time: nothing in its folder is of this process yet.
    pub(crate) fn note_what_was_left(&self, session: Uuid) {
        let names = self.names_here(SessionId(session)).unwrap_or_else(|error| {
            tracing::error!(%session, %error, "the folder of evidence cannot be listed");
            Vec::new()
        });
        if let Some(left) = self.lock_left().get_mut(&session) {
            left.get_or_insert(names);
        }
    }

    /// What was noted of a session, once.
    pub(crate) fn take_what_was_left(&self, session: Uuid) -> Vec<String> {
        self.lock_left().remove(&session).flatten().unwrap_or_default()
    }

    fn lock_left(&self) -> MutexGuard<'_, HashMap<Uuid, Option<Vec<String>>>> {
        self.left.lock().expect("no holder panics")
    }

    /// Unwraps and keeps a session's keys; repeated calls cost a look-up.
    pub(crate) fn introduce(&self, session: Uuid, wrapped: &[u8]) -> io::Result<()> {
        if self.keys.read().expect("no holder panics").contains_key(&session) {
            return Ok(());
        }
        let key = |class: DataClass| {
            unwrap_share(wrapped, class.share(), &self.installation, session.as_bytes())
                .map_err(io::Error::other)
        };
        let keys = DataClass::ALL.into_iter().map(key).collect::<io::Result<_>>()?;
        self.keys.write().expect("no holder panics").insert(session, Arc::new(keys));
        Ok(())
    }

    /// Knows a session's keys no longer: one of them was destroyed.
    pub(crate) fn forget(&self, session: SessionId) {
        self.keys.write().expect("no holder panics").remove(&session.0);
    }

    /// Removes every piece of a class, durably; what is not there is as good as removed. How many there were.
    pub(crate) fn remove(&self, session: SessionId, class: DataClass) -> io::Result<usize> {
        let names = self.names_here(session)?;
        let of_class = names.iter().filter(|name| DataClass::of(name) == class);
        let mut removed = 0;
        for name in of_class {
            let path = self.path(session.0, name)?;
            for path in [path.clone(), noted(&path)] {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            removed += 1;
        }
        match sync_folder(&self.root.join(session.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Behind the folder, so that nothing is carried there again.
        let elsewhere = match &self.depot {
            Some(depot) => depot.remove(session, |name| DataClass::of(name) == class)?,
            None => 0,
        };
        Ok(removed.max(elsewhere))
    }

    /// Names that this folder knows, whether their bytes are here or in the store.
    pub(crate) fn names_here(&self, session: SessionId) -> io::Result<Vec<String>> {
        let folder = self.root.join(session.to_string());
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let file = entry?.file_name().to_string_lossy().into_owned();
            let name = file.strip_suffix(SUFFIX).or_else(|| file.strip_suffix(NOTE));
            names.extend(name.map(str::to_owned));
        }
        Ok(names.into_iter().collect())
    }

    /// Reads a piece as far as it goes, for its digest.
    pub(crate) fn measure(&self, session: Uuid, name: &str) -> io::Result<Measured> {
        let mut opened = self.open(SessionId(session), name)?;
        let mut digest = synaq_seal::digest::Running::default();
        let mut bytes = 0;
        let mut piece = vec![0; synaq_seal::blob::MAX_CHUNK];
        loop {
            let read = opened.plain.read(&mut piece)?;
            if read == 0 {
                break;
            }
            digest.update(&piece[..read]);
            bytes += read as u64;
        }
        let sha256 = digest.digest().to_string();
        let evidence = EvidenceRef { name: name.to_owned(), sha256, bytes };
        Ok(Measured { evidence, cut: opened.unfinished })
    }

    /// Stores a whole piece, synced. The name must be free.
    pub(crate) fn keep(&self, session: Uuid, name: &str, bytes: &[u8]) -> io::Result<Finished> {
        let mut writer = self.create(session, name)?;
        for chunk in bytes.chunks(synaq_seal::blob::MAX_CHUNK) {
            writer.append(chunk)?;
        }
        writer.finish()
    }

    /// The key that a piece of this name is under.
    fn key(&self, session: Uuid, name: &str) -> io::Result<SessionKey> {
        let keys = self.class_keys(session)?;
        let key = keys.get(DataClass::of(name).share()).cloned().flatten();
        Ok(key.ok_or(Erased)?)
    }

    fn class_keys(&self, session: Uuid) -> io::Result<Arc<ClassKeys>> {
        if let Some(keys) = self.keys.read().expect("no holder panics").get(&session) {
            return Ok(Arc::clone(keys));
        }
        let row =
            self.tasks.block_on(self.directory.session(SessionId(session))).map_err(|error| match error {
                synaq_store::Error::NotFound => io::Error::new(io::ErrorKind::NotFound, error),
                other => io::Error::other(other),
            })?;
        self.introduce(session, &row.candidate.candidate.wrapped_key)?;
        let keys = self.keys.read().expect("no holder panics");
        keys.get(&session).cloned().ok_or_else(|| io::Error::other("the session's key is gone again"))
    }

    fn path(&self, session: Uuid, name: &str) -> io::Result<PathBuf> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a name of evidence"));
        }
        Ok(self.root.join(session.to_string()).join(format!("{name}{SUFFIX}")))
    }
}

/// A piece as it lies on the disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Measured {
    /// Digest and length of what can be read
    pub(crate) evidence: EvidenceRef,
    /// Nobody finished it: it ends with its last whole chunk
    pub(crate) cut: bool,
}

impl EvidenceStore for EvidenceFolder {
    fn create(&self, session: Uuid, name: &str) -> io::Result<Box<dyn EvidenceWriter>> {
        let key = self.key(session, name)?;
        let path = self.path(session, name)?;
        let folder = path.parent().expect("below the root");
        // A taken name would be a second blob under one digest: refused, the recorder takes the next number.
        if path.exists() || noted(&path).exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let track = self.depot.as_ref().map(|depot| depot.begin(session, name)).transpose()?;
        if !folder.exists() {
            private::folder(folder)?;
            // The folder's own name, too, or its files are gone with it after a power cut.
            sync_folder(&self.root)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        sync_folder(folder)?;
        let id = BlobId::generate(&self.random).map_err(io::Error::other)?;
        let writer = Writer::create(file, &key, id).map_err(into_io)?;
        Ok(Box::new(Piece::new(writer, Instant::now(), track)))
    }
}

impl Evidence for EvidenceFolder {
    fn open(&self, session: SessionId, name: &str) -> io::Result<Opened> {
        let path = self.path(session.0, name)?;
        // Before the file: what is erased is named as such, whether its file is there or not.
        let key = self.key(session.0, name)?;
        let mut file = match (File::open(&path), &self.depot) {
            (Ok(file), depot) => {
                depot.iter().for_each(|depot| depot.used(session.0, name));
                file
            }
            (Err(error), Some(depot)) if error.kind() == io::ErrorKind::NotFound => {
                depot.open(session.0, name)?
            }
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound && noted(&path).exists() => {
                return Err(io::Error::other("it is in a store that [evidence] url no longer names"));
            }
            (Err(error), _) => return Err(error),
        };
        let id = BlobId::read_from(&mut file).map_err(io::Error::other)?;
        // As a power cut left it, too: what is not whole at its end is left out, and named as missing.
        let reader = Reader::open_left(file, &key, id).map_err(into_io)?;
        let unfinished = reader.ending() != Ending::Finished;
        Ok(Opened { bytes: reader.plain_len(), unfinished, plain: Box::new(reader) })
    }

    fn store(&self, session: SessionId, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.keep(session.0, name, bytes).map(drop)
    }

    fn names(&self, session: SessionId) -> io::Result<Vec<String>> {
        let here = self.names_here(session)?;
        match &self.depot {
            // A folder that knows nothing may be a new disk.
            Some(depot) if here.is_empty() => depot.names(session),
            _ => Ok(here),
        }
    }
}

/// Where the note lies that a store has all of a file.
fn noted(file: &Path) -> PathBuf {
    let text = file.to_string_lossy();
    PathBuf::from(format!("{}{NOTE}", text.strip_suffix(SUFFIX).unwrap_or(&text)))
}

pub(super) fn into_io(error: synaq_seal::blob::Error) -> io::Error {
    match error {
        synaq_seal::blob::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! A folder with one session's key. Must be made within an async runtime.

    use super::*;
    use synaq_seal::shares::wrap_fresh;

    pub(crate) const SESSION: Uuid = Uuid::from_u128(0x5e55);

    pub(crate) fn folder() -> (tempfile::TempDir, Arc<EvidenceFolder>) {
        let root = tempfile::tempdir().unwrap();
        let folder = folder_at(root.path());
        (root, Arc::new(folder))
    }

    pub(crate) fn folder_at(root: &Path) -> EvidenceFolder {
        let random = SystemRandom::new();
        let installation = Arc::new(InstallationKey::from_bytes(&[5; 32]).unwrap());
        let wrapped = wrap_fresh(DataClass::ALL.len(), &installation, SESSION.as_bytes(), &random).unwrap();
        let store = Arc::new(synaq_store::SimStore::default());
        let evidence = EvidenceFolder::new(root.join("evidence"), installation, store);
        evidence.introduce(SESSION, &wrapped).unwrap();
        evidence
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::fixtures::{SESSION, folder_at};
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[tokio::test]
    async fn evidence_is_the_owners_alone_and_not_in_the_plain() {
        let root = tempfile::tempdir().unwrap();
        let evidence = folder_at(root.path());
        evidence.store(SessionId(SESSION), "face-1", b"a face in the plain").unwrap();
        let session = root.path().join("evidence").join(SESSION.to_string());
        let file = session.join("face-1.blob");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root.path().join("evidence")), mode(&session), mode(&file)), (0o700, 0o700, 0o600));
        let stored = fs::read(&file).unwrap();
        assert!(!stored.windows(6).any(|part| part == b"a face"));
        let mut plain = String::new();
        evidence.open(SessionId(SESSION), "face-1").unwrap().plain.read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "a face in the plain");
        assert_eq!(evidence.names(SessionId(SESSION)).unwrap(), ["face-1"]);
    }

    #[tokio::test]
    async fn a_taken_name_and_a_name_that_leaves_the_folder_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let evidence = folder_at(root.path());
        evidence.store(SessionId(SESSION), "face-1", b"first").unwrap();
        let again = evidence.store(SessionId(SESSION), "face-1", b"second").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "Ә", &"x".repeat(65)] {
            let refused = evidence.store(SessionId(SESSION), name, b"").unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
    }
}

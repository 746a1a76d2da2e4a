//! Files on their way into a backup or out of it, digested as they pass.

use super::manifest::Piece;
use crate::private;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use synaq_seal::digest::Running;

const BUFFER_BYTES: usize = 1024 * 1024;

/// Copies what the file holds now: of a recording that still grows, a prefix, which is as good as one that a crash cut
/// off. The copy is synced and its owner's alone.
pub(crate) fn file(from: &Path, to: &Path) -> anyhow::Result<Piece> {
    let failed = || format!("{} cannot be copied to {}", from.display(), to.display());
    private::folder(to.parent().expect("a file lies in a folder")).with_context(failed)?;
    let source = File::open(from).with_context(failed)?;
    let length = source.metadata().with_context(failed)?.len();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(to).with_context(failed)?;
    let piece = pass(source.take(length), |bytes| target.write_all(bytes)).with_context(failed)?;
    target.sync_all().with_context(failed)?;
    Ok(piece)
}

/// Length and digest of a file.
pub(crate) fn measure(path: &Path) -> anyhow::Result<Piece> {
    let failed = || format!("{} cannot be read", path.display());
    pass(File::open(path).with_context(failed)?, |_| Ok(())).with_context(failed)
}

fn pass(
    mut source: impl std::io::Read,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<Piece> {
    let (mut digest, mut bytes, mut buffer) = (Running::default(), 0, vec![0; BUFFER_BYTES]);
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(Piece { bytes, sha256: digest.digest() });
        }
        digest.update(&buffer[..read]);
        each(&buffer[..read])?;
        bytes += read as u64;
    }
}

/// Copies everything below a folder; the result is named by path below `to`, `/` between, after `prefix`.
pub(crate) fn folder(from: &Path, to: &Path, prefix: &str) -> anyhow::Result<BTreeMap<String, Piece>> {
    let mut pieces = BTreeMap::new();
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        // An installation without a recording has no such folder yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(pieces),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", from.display())),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("{} cannot be read", from.display()))?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .with_context(|| format!("{} has a name that is no UTF-8", entry.path().display()))?;
        let named = format!("{prefix}/{name}");
        if entry.file_type()?.is_dir() {
            pieces.extend(folder(&entry.path(), &to.join(name), &named)?);
        } else {
            match file(&entry.path(), &to.join(name)) {
                Ok(piece) => _ = pieces.insert(named, piece),
                // A store took it meanwhile, and holds it.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(pieces)
}

fn is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// A folder that is made now, or is there and empty.
pub(crate) fn empty(path: &Path) -> anyhow::Result<()> {
    private::folder(path).with_context(|| format!("{} cannot be made", path.display()))?;
    let mut entries = fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
    anyhow::ensure!(
        entries.next().is_none(),
        "{} is not empty; nothing is ever written over, name another folder",
        path.display()
    );
    Ok(())
}

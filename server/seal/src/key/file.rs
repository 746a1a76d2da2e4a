//! Keys at rest: one file each, readable by its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest key file, in bytes. A PKCS#8 key has under 200.
pub const MAX_FILE_BYTES: u64 = 4_096;

/// What anybody but the owner may do with the file: nothing.
#[cfg(unix)]
const FOREIGN_BITS: u32 = 0o077;

/// Why a key file was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of this name exists; keys are never overwritten.
    #[error("{} exists already; a key file is never overwritten, move it away first", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Group or others have access.
    #[error("{} has mode {mode:03o}, so others than its owner have access; run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too large for a key.
    #[error("{} has more than {MAX_FILE_BYTES} bytes, so it is no key file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("the key file {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes `key` to a new file with mode 0600 and syncs it and its folder.
///
/// # Errors
/// When the file exists, or the file system refuses; then no half-written key stays behind.
pub fn write_new(path: &Path, key: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => failed(source),
    })?;
    let written = file.write_all(key).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // The first failure is the one to report; a left-over file is then named by the next `write_new`.
        fs::remove_file(path).ok();
        failed(source)
    })
}

/// Reads a key file, after checking that its owner alone has access.
///
/// # Errors
/// Says what to do when others have access.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // The open file is asked, not the path, so nobody can swap it in between.
    refuse_exposed(path, &file.metadata().map_err(failed)?)?;
    let mut key = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut key).map_err(failed)?;
    if key.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    Ok(key)
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & FOREIGN_BITS == 0 { Ok(()) } else { Err(Error::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// A new name survives a power cut only once its folder is synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn key_file_reads_back_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        write_new(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        write_new(&path, b"first").unwrap();
        assert!(matches!(write_new(&path, b"second"), Err(Error::Exists { .. })));
        assert_eq!(read(&path).unwrap().as_slice(), b"first");
    }

    #[test]
    fn key_file_open_to_others_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        write_new(&path, b"secret").unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refusal = read(&path).unwrap_err();
            assert!(matches!(&refusal, Error::Exposed { mode: found, .. } if *found == mode));
            assert!(refusal.to_string().contains("chmod 600"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).is_ok());
    }

    #[test]
    fn missing_and_oversized_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        assert!(read(&path).unwrap_err().to_string().contains("seal.key"));
        write_new(&path, &[0; 5_000]).unwrap();
        assert!(matches!(read(&path), Err(Error::TooLarge { .. })));
    }
}

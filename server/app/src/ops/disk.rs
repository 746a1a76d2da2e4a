//! Room on the disk of a folder.

use std::io;
use std::path::{Path, PathBuf};
use synaq_web::{Left, Room};

/// Bytes that this user may still write where the folder is, or where its nearest parent that exists is.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    let disk = rustix::fs::statvfs(there)?;
    // Root's reserve is not ours to use (POSIX `f_bavail`).
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Room for recordings: the disk of their folder, unless a store takes them from it.
#[derive(Debug)]
pub(crate) struct EvidenceRoom {
    /// Where they are written
    pub(crate) folder: PathBuf,
    /// They are carried to an object store from there
    pub(crate) in_store: bool,
}

impl Room for EvidenceRoom {
    fn left(&self) -> Left {
        if self.in_store {
            return Left::ObjectStore;
        }
        free_bytes(&self.folder).map_or(Left::Unknown, |free| Left::Disk { free })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_yet_has_the_room_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_bytes(folder.path()).unwrap();
        assert!(free > 0);
        // Others write meanwhile; the same disk it is.
        let below = free_bytes(&folder.path().join("not/yet")).unwrap();
        assert!(below.abs_diff(free) < free / 2 + 1);
    }
}

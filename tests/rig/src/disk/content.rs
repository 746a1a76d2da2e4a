//! A disk in memory that knows what was synced and what was only written.
//!
//! Names follow ext4 with its journal: what was created, renamed or removed is durable with the next sync of anything.
//! Bytes are durable with a sync of their own file, and before that each write may be on the platter, or not, or partly.

use rand::RngExt as _;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};

/// What a disk writes whole.
const SECTOR: u64 = 512;
/// The top folder.
pub(super) const ROOT: u64 = 1;

/// What the power cut does to writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// None of them reached the platter
    Nothing,
    /// Each did or did not, in any order, and some only up to a sector
    Torn,
}

#[derive(Clone, Debug)]
enum Write {
    Bytes(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) folder: bool,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// As a reader sees it
    pub(super) bytes: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Write>,
}

/// `(folder, name)`
type Place = (u64, String);

/// The whole disk.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) names: BTreeMap<Place, u64>,
    synced_names: BTreeMap<Place, u64>,
    names_changed: bool,
    next: u64,
    /// Writes that the last power cut took away
    pub(super) dropped: u64,
}

impl Disk {
    pub(super) fn empty() -> Self {
        let root = Node::new(true, 0o755, 0, 0);
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            names_changed: false,
            next: ROOT + 1,
            dropped: 0,
        }
    }

    pub(super) fn find(&self, folder: u64, name: &str) -> Option<u64> {
        self.names.get(&(folder, name.to_owned())).copied()
    }

    pub(super) fn make(&mut self, folder: u64, name: &str, node: Node) -> u64 {
        let ino = self.next;
        self.next += 1;
        self.nodes.insert(ino, node);
        self.names.insert((folder, name.to_owned()), ino);
        self.names_changed = true;
        ino
    }

    pub(super) fn remove(&mut self, folder: u64, name: &str) -> bool {
        self.names_changed = true;
        self.names.remove(&(folder, name.to_owned())).is_some()
    }

    pub(super) fn rename(&mut self, from: (u64, &str), to: (u64, &str)) -> bool {
        let Some(ino) = self.names.remove(&(from.0, from.1.to_owned())) else { return false };
        self.names.insert((to.0, to.1.to_owned()), ino);
        self.names_changed = true;
        true
    }

    pub(super) fn children(&self, folder: u64) -> impl Iterator<Item = (&str, u64)> {
        let range = self.names.range((folder, String::new())..(folder + 1, String::new()));
        range.map(|((_, name), ino)| (name.as_str(), *ino))
    }

    /// A sync of one file or folder.
    pub(super) fn sync(&mut self, ino: u64) {
        if let Some(node) = self.nodes.get_mut(&ino) {
            for write in std::mem::take(&mut node.unsynced) {
                apply(&mut node.synced, &write);
            }
        }
        if self.names_changed {
            self.synced_names.clone_from(&self.names);
            self.names_changed = false;
        }
    }

    /// Everything, as after an orderly end.
    pub(super) fn sync_all(&mut self) {
        let all: Vec<u64> = self.nodes.keys().copied().collect();
        all.into_iter().for_each(|ino| self.sync(ino));
    }

    /// The power is cut and comes back.
    pub(super) fn lose_power(&mut self, cut: Cut, chance: &mut StdRng) {
        self.names.clone_from(&self.synced_names);
        self.names_changed = false;
        self.dropped = 0;
        for node in self.nodes.values_mut() {
            for write in std::mem::take(&mut node.unsynced) {
                match survivor(write, cut, chance) {
                    Some(write) => apply(&mut node.synced, &write),
                    None => self.dropped += 1,
                }
            }
            node.bytes.clone_from(&node.synced);
        }
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        self.nodes.retain(|ino, _| *ino == ROOT || named.contains(ino));
    }
}

impl Node {
    pub(super) fn new(folder: bool, mode: u16, uid: u32, gid: u32) -> Self {
        Self { folder, mode, uid, gid, bytes: Vec::new(), synced: Vec::new(), unsynced: Vec::new() }
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let write = Write::Bytes(offset, bytes.to_owned());
        apply(&mut self.bytes, &write);
        self.unsynced.push(write);
    }

    pub(super) fn resize(&mut self, length: u64) {
        let write = Write::Length(length);
        apply(&mut self.bytes, &write);
        self.unsynced.push(write);
    }

    pub(super) fn read(&self, offset: u64, size: u32) -> &[u8] {
        let from = index(offset).min(self.bytes.len());
        let to = (from + size as usize).min(self.bytes.len());
        &self.bytes[from..to]
    }
}

fn survivor(write: Write, cut: Cut, chance: &mut StdRng) -> Option<Write> {
    if cut == Cut::Nothing || chance.random_bool(0.5) {
        return None;
    }
    match write {
        Write::Bytes(offset, mut bytes) if chance.random_bool(0.5) => {
            // Torn at a border of sectors, counted from the beginning of the disk, not of the write.
            let sectors = (offset + bytes.len() as u64) / SECTOR - offset / SECTOR;
            let end = (offset / SECTOR + chance.random_range(0..=sectors)) * SECTOR;
            bytes.truncate(index(end.saturating_sub(offset)));
            Some(Write::Bytes(offset, bytes))
        }
        other => Some(other),
    }
}

fn apply(bytes: &mut Vec<u8>, write: &Write) {
    match write {
        Write::Length(length) => bytes.resize(index(*length), 0),
        Write::Bytes(_, new) if new.is_empty() => {}
        Write::Bytes(offset, new) => {
            let (from, to) = (index(*offset), index(*offset) + new.len());
            if bytes.len() < to {
                bytes.resize(to, 0);
            }
            bytes[from..to].copy_from_slice(new);
        }
    }
}

/// Of a file in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a disk in memory is smaller than memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn disk_with(name: &str) -> (Disk, u64) {
        let mut disk = Disk::empty();
        let ino = disk.make(ROOT, name, Node::new(false, 0o644, 0, 0));
        (disk, ino)
    }

    fn write(disk: &mut Disk, ino: u64, offset: u64, bytes: &[u8]) {
        disk.nodes.get_mut(&ino).unwrap().write(offset, bytes);
    }

    #[test]
    fn what_was_synced_survives_and_what_was_written_later_does_not() {
        let (mut disk, ino) = disk_with("a");
        write(&mut disk, ino, 0, b"kept");
        disk.sync(ino);
        write(&mut disk, ino, 2, b"lost and longer");
        let later = disk.make(ROOT, "b", Node::new(false, 0o644, 0, 0));
        disk.lose_power(Cut::Nothing, &mut StdRng::seed_from_u64(1));
        assert_eq!(disk.nodes[&ino].bytes, b"kept");
        assert!(disk.find(ROOT, "b").is_none() && !disk.nodes.contains_key(&later));
        assert_eq!(disk.dropped, 1);
    }

    #[test]
    fn a_rename_is_whole_or_not_at_all() {
        let (mut disk, ino) = disk_with("draft");
        write(&mut disk, ino, 0, b"new");
        disk.sync(ino);
        assert!(disk.rename((ROOT, "draft"), (ROOT, "file")));
        let mut chance = StdRng::seed_from_u64(1);
        disk.lose_power(Cut::Nothing, &mut chance);
        assert_eq!((disk.find(ROOT, "draft"), disk.find(ROOT, "file")), (Some(ino), None));
        disk.rename((ROOT, "draft"), (ROOT, "file"));
        disk.sync(ROOT);
        disk.lose_power(Cut::Nothing, &mut chance);
        assert_eq!(disk.find(ROOT, "file"), Some(ino));
    }

    #[test]
    fn a_torn_write_ends_at_a_sector_or_is_there_or_not() {
        let mut lengths = BTreeSet::new();
        for seed in 0..200 {
            let (mut disk, ino) = disk_with("a");
            disk.sync(ino);
            write(&mut disk, ino, 100, &[7; 1_500]);
            disk.lose_power(Cut::Torn, &mut StdRng::seed_from_u64(seed));
            lengths.insert(disk.nodes[&ino].bytes.len());
        }
        assert_eq!(lengths, BTreeSet::from([0, 512, 1_024, 1_536, 1_600]));
    }
}

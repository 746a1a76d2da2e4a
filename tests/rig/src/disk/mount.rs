//! The disk as a mounted file system, served by FUSE.

use super::content::{Cut, Disk, Node, ROOT};
use crate::watch::lock;
use anyhow::Context as _;
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, SessionACL,
    TimeOrNow, WriteFlags,
};
use rand::rngs::StdRng;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// All changes come through the kernel, which may remember.
const REMEMBERED: Duration = Duration::from_secs(1);
const BLOCK: u32 = 4_096;
/// What statfs says is free.
const FREE_BLOCKS: u64 = 1 << 20;

/// A mounted disk whose power can be cut. Unmounted when dropped.
#[derive(Debug)]
pub struct PowerDisk {
    disk: Arc<Mutex<Disk>>,
    place: PathBuf,
    session: Option<BackgroundSession>,
}

impl PowerDisk {
    /// An empty disk at an empty folder.
    ///
    /// # Errors
    /// If FUSE is missing or not allowed; the text says what to do.
    pub fn mount(place: &Path) -> anyhow::Result<Self> {
        let mut disk =
            Self { disk: Arc::new(Mutex::new(Disk::empty())), place: place.to_owned(), session: None };
        disk.plug_in()?;
        Ok(disk)
    }

    fn plug_in(&mut self) -> anyhow::Result<()> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("synaq-rig".to_owned()), MountOption::NoDev];
        config.acl = SessionACL::All;
        let served = Served(Arc::clone(&self.disk));
        let session = fuser::spawn_mount(served, &self.place, &config).context(
            "the disk cannot be mounted: /dev/fuse, root (or fusermount3 of package fuse3) are needed",
        )?;
        self.session = Some(session);
        Ok(())
    }

    /// Everything is on the platter.
    pub fn sync_all(&self) {
        lock(&self.disk).sync_all();
    }

    /// Cuts the power and brings it back; nobody may have a file open. Says how many writes were lost.
    ///
    /// # Errors
    /// If the disk is in use.
    pub fn lose_power(&mut self, cut: Cut, chance: &mut StdRng) -> anyhow::Result<u64> {
        // The kernel's own cache goes with the mount. What it writes back on the way is dropped with the rest.
        if let Some(session) = self.session.take() {
            match session.umount_and_join() {
                // Whoever still read requests hears of the unmount as an abort now and then.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                ended => ended.context("the disk is in use")?,
            }
        }
        let dropped = {
            let mut disk = lock(&self.disk);
            disk.lose_power(cut, chance);
            disk.dropped
        };
        self.plug_in()?;
        Ok(dropped)
    }
}

struct Served(Arc<Mutex<Disk>>);

fn attributes(ino: u64, node: &Node) -> FileAttr {
    let size = node.bytes.len() as u64;
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: SystemTime::UNIX_EPOCH,
        mtime: SystemTime::UNIX_EPOCH,
        ctime: SystemTime::UNIX_EPOCH,
        crtime: SystemTime::UNIX_EPOCH,
        kind: if node.folder { FileType::Directory } else { FileType::RegularFile },
        perm: node.mode,
        nlink: if node.folder { 2 } else { 1 },
        uid: node.uid,
        gid: node.gid,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

/// The permission bits of a mode.
fn bits(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or(0o600)
}

impl Served {
    fn entry(&self, parent: INodeNo, name: &OsStr) -> Option<FileAttr> {
        let disk = lock(&self.0);
        let ino = disk.find(parent.0, name.to_str()?)?;
        disk.nodes.get(&ino).map(|node| attributes(ino, node))
    }

    fn make(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        folder: bool,
        mode: u32,
    ) -> Option<FileAttr> {
        let mut disk = lock(&self.0);
        let node = Node::new(folder, bits(mode), request.uid(), request.gid());
        let ino = disk.make(parent.0, name.to_str()?, node);
        disk.nodes.get(&ino).map(|node| attributes(ino, node))
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let mut disk = lock(&self.0);
        let found = name.to_str().and_then(|name| Some((name, disk.find(parent.0, name)?)));
        match found {
            Some((_, ino)) if disk.children(ino).next().is_some() => reply.error(Errno::ENOTEMPTY),
            Some((name, _)) if disk.remove(parent.0, name) => reply.ok(),
            _ => reply.error(Errno::ENOENT),
        }
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.entry(parent, name) {
            Some(attr) => reply.entry(&REMEMBERED, &attr, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match lock(&self.0).nodes.get(&ino.0) {
            Some(node) => reply.attr(&REMEMBERED, &attributes(ino.0, node)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = lock(&self.0);
        let Some(node) = disk.nodes.get_mut(&ino.0) else { return reply.error(Errno::ENOENT) };
        node.mode = mode.map_or(node.mode, bits);
        node.uid = uid.unwrap_or(node.uid);
        node.gid = gid.unwrap_or(node.gid);
        if let Some(size) = size {
            node.resize(size);
        }
        reply.attr(&REMEMBERED, &attributes(ino.0, node));
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        match self.make(request, parent, name, true, mode) {
            Some(attr) => reply.entry(&REMEMBERED, &attr, Generation(0)),
            None => reply.error(Errno::EINVAL),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        new: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (Some(name), Some(new)) = (name.to_str(), new.to_str()) else {
            return reply.error(Errno::EINVAL);
        };
        if lock(&self.0).rename((parent.0, name), (to.0, new)) {
            reply.ok();
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match lock(&self.0).nodes.get(&ino.0) {
            Some(node) => reply.data(node.read(offset, size)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match lock(&self.0).nodes.get_mut(&ino.0) {
            Some(node) => {
                node.write(offset, data);
                reply.written(u32::try_from(data.len()).unwrap_or(0));
            }
            None => reply.error(Errno::ENOENT),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        lock(&self.0).sync(ino.0);
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        lock(&self.0).sync(ino.0);
        reply.ok();
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let disk = lock(&self.0);
        let kind = |ino: u64| match disk.nodes.get(&ino) {
            Some(node) if node.folder => FileType::Directory,
            _ => FileType::RegularFile,
        };
        let dots = [(".", ino.0), ("..", ROOT)];
        for (place, (name, child)) in dots.into_iter().chain(disk.children(ino.0)).enumerate() {
            let next = place as u64 + 1;
            if next > offset && reply.add(INodeNo(child), next, kind(child), name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(FREE_BLOCKS * 2, FREE_BLOCKS, FREE_BLOCKS, 1 << 20, 1 << 20, BLOCK, 255, BLOCK);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.make(request, parent, name, false, mode) {
            Some(attr) => {
                reply.created(&REMEMBERED, &attr, Generation(0), FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
            }
            None => reply.error(Errno::EINVAL),
        }
    }
}

//! A recording made ready to play: what was recorded append-only knows neither its length nor where its key frames
//! are. Here it gets a head with duration and cues (RFC 9559 5.1.5), and its clusters follow as they were written.

use crate::survey::Index;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// A recording with duration and cues, as `Read + Seek` over the bytes of a WebM file of [`Index::file_bytes`] length.
/// Of a recording that was cut off it ends with the last whole cluster.
#[derive(Debug)]
pub struct Playback<R> {
    plain: R,
    index: Arc<Index>,
    position: u64,
}

impl<R: Read + Seek> Playback<R> {
    /// The recording that `index` was made of.
    pub fn new(plain: R, index: Arc<Index>) -> Self {
        Self { plain, index, position: 0 }
    }
}

impl<R: Read + Seek> Read for Playback<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let head = self.index.head.len() as u64;
        let read = if self.position < head {
            let from = usize::try_from(self.position).expect("within the head");
            (&self.index.head[from..]).read(into)?
        } else {
            let left = self.index.file_bytes().saturating_sub(self.position);
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
            self.plain.seek(SeekFrom::Start(self.index.clusters_at + self.position - head))?;
            self.plain.read(&mut into[..most])?
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Playback<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.index.file_bytes().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
#[path = "playback_tests.rs"]
pub(crate) mod tests;

//! The pictures of a recording that need none before them: those that the detectors saw in the exam.

use crate::ebml::{Elements, foreign, read_range};
use crate::survey::{Index, SIMPLE_BLOCK};
use crate::vp8;
use std::io::{self, Read, Seek};

/// A picture of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPicture {
    /// Since the recording began
    pub ms: u64,
    /// WebP, as stills are
    pub webp: Vec<u8>,
}

impl Index {
    /// Every key frame of the recording that this was made of, in order.
    ///
    /// # Errors
    /// What reading says.
    pub fn key_pictures(
        &self,
        plain: &mut (impl Read + Seek),
    ) -> impl Iterator<Item = io::Result<KeyPicture>> {
        // The recorder begins a cluster with each.
        self.list.iter().filter(|cluster| cluster.enters).filter_map(|cluster| {
            let picture =
                read_range(plain, cluster.content_at, cluster.end).and_then(|content| first(&content));
            let webp = picture.map(|frame| vp8::webp(&frame)).transpose()?;
            Some(webp.map(|webp| KeyPicture { ms: cluster.start_ms, webp }))
        })
    }
}

/// What the first block of a cluster holds, behind its track, time and flags.
fn first(content: &[u8]) -> io::Result<Vec<u8>> {
    for element in Elements(content) {
        if let (SIMPLE_BLOCK, [_, _, _, _, frame @ ..]) = element? {
            return Ok(frame.to_vec());
        }
    }
    Err(foreign("a cluster without a block"))
}

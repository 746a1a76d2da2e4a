//! A recording made ready to play: what was recorded append-only knows neither its length nor where its key frames
//! are. Here it gets a head with duration and cues (RFC 9559 5.1.5), and its clusters follow as they were written.

use crate::webm::{self, VIDEO};
use std::io::{self, Read, Seek, SeekFrom};

/// Everything in front of the first cluster, as the recorder writes it, is below 300 bytes.
const HEAD_MAX: u64 = 64 << 10;
/// The recorder closes a cluster above 400 KiB, and no frame is above 512 KiB.
const CLUSTER_MAX: u64 = 2 << 20;
/// A recording of [`crate::Options::segment_max`] has about 600; this is a whole day of them.
const CLUSTERS_MAX: usize = 200_000;
/// Longest EBML id and size together.
const ELEMENT_HEAD_MAX: usize = 12;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;
const TIMESTAMP: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;

/// A recording with duration and cues, as `Read + Seek` over the bytes of a WebM file of [`Playback::file_bytes`] length.
/// Of a recording that was cut off it ends with the last whole cluster.
#[derive(Debug)]
pub struct Playback<R> {
    plain: R,
    head: Vec<u8>,
    /// Where the first cluster stands in the recording, and how many bytes of whole clusters there are
    clusters_at: u64,
    clusters: u64,
    duration_ms: u64,
    position: u64,
}

impl<R: Read + Seek> Playback<R> {
    /// Reads through the first `bytes` of a recording once.
    ///
    /// # Errors
    /// `InvalidData` when this is no recording of ours; otherwise what reading says.
    pub fn open(mut plain: R, bytes: u64) -> io::Result<Self> {
        let (before, clusters_at) = before_clusters(&mut plain, bytes)?;
        let survey = Survey::of(&mut plain, clusters_at, bytes)?;
        let clusters = survey.end - clusters_at;
        let head = webm::playable_head(&before, survey.duration_ms, &survey.keys, clusters);
        Ok(Self { plain, head, clusters_at, clusters, duration_ms: survey.duration_ms, position: 0 })
    }

    /// Length of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.head.len() as u64 + self.clusters
    }

    /// From the beginning to the last sound or picture, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.duration_ms
    }
}

impl<R: Read + Seek> Read for Playback<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let head = self.head.len() as u64;
        let read = if self.position < head {
            let from = usize::try_from(self.position).expect("within the head");
            (&self.head[from..]).read(into)?
        } else {
            let left = self.file_bytes().saturating_sub(self.position);
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
            self.plain.seek(SeekFrom::Start(self.clusters_at + self.position - head))?;
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
            SeekFrom::End(offset) => self.file_bytes().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Elements that go unchanged into the new head.
#[derive(Debug, Default)]
pub(crate) struct Before {
    pub(crate) ebml: Vec<u8>,
    pub(crate) tracks: Vec<u8>,
}

/// A cluster that begins with a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyAt {
    pub(crate) ms: u64,
    pub(crate) track: u8,
    /// From the first cluster
    pub(crate) offset: u64,
}

fn before_clusters(plain: &mut (impl Read + Seek), bytes: u64) -> io::Result<(Before, u64)> {
    let mut before = Before::default();
    let mut at = 0;
    while at < bytes.min(HEAD_MAX) {
        let Some(element) = Element::at(plain, at, bytes)? else { break };
        match (element.id, element.size) {
            (CLUSTER, _) => break,
            (SEGMENT, _) => at = element.content_at,
            (_, None) => return Err(foreign("an element of unknown size before the first cluster")),
            (id, Some(size)) => {
                let end = element.content_at + size;
                if end > bytes.min(HEAD_MAX) {
                    return Err(foreign("more than a head before the first cluster"));
                }
                match id {
                    EBML => before.ebml = read_range(plain, at, end)?,
                    TRACKS => before.tracks = read_range(plain, at, end)?,
                    _ => {}
                }
                at = end;
            }
        }
    }
    if before.ebml.is_empty() || before.tracks.is_empty() {
        return Err(foreign("no WebM header with tracks"));
    }
    Ok((before, at))
}

/// What the clusters hold.
#[derive(Debug, Default)]
struct Survey {
    end: u64,
    duration_ms: u64,
    keys: Vec<KeyAt>,
}

impl Survey {
    fn of(plain: &mut (impl Read + Seek), from: u64, bytes: u64) -> io::Result<Self> {
        let mut survey = Self { end: from, ..Self::default() };
        for _ in 0..CLUSTERS_MAX {
            let Some(element) = Element::at(plain, survey.end, bytes)? else { break };
            let (CLUSTER, Some(size)) = (element.id, element.size) else {
                return Err(foreign("something other than a cluster among the clusters"));
            };
            if size > CLUSTER_MAX {
                return Err(foreign("a cluster larger than the recorder writes"));
            }
            let end = element.content_at + size;
            if end > bytes {
                break;
            }
            let content = read_range(plain, element.content_at, end)?;
            survey.look_into(&content, survey.end - from)?;
            survey.end = end;
        }
        // Players look for pictures; a cluster that begins with sound has its key frame further on, if at all.
        if survey.keys.iter().any(|key| key.track == VIDEO) {
            survey.keys.retain(|key| key.track == VIDEO);
        }
        Ok(survey)
    }

    fn look_into(&mut self, content: &[u8], offset: u64) -> io::Result<()> {
        let mut start = 0;
        let mut first = true;
        for element in Elements(content) {
            let (id, data) = element?;
            match id {
                TIMESTAMP => start = data.iter().fold(0_i64, |value, byte| value << 8 | i64::from(*byte)),
                SIMPLE_BLOCK => {
                    let [track, high, low, flags, ..] = data else {
                        return Err(foreign("a block too short"));
                    };
                    let relative = i16::from_be_bytes([*high, *low]);
                    let ms = u64::try_from(start + i64::from(relative)).unwrap_or(0);
                    let track = track & 0x7f;
                    self.duration_ms = self.duration_ms.max(ms);
                    // The recorder begins a cluster with each key frame; sound alone can be entered anywhere.
                    if first && flags & 0x80 != 0 {
                        self.keys.push(KeyAt { ms, track, offset });
                    }
                    first = false;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

struct Element {
    id: u32,
    /// None: unknown
    size: Option<u64>,
    content_at: u64,
}

impl Element {
    /// The element whose head stands whole at `at`.
    fn at(plain: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<Option<Self>> {
        let end = bytes.min(at + ELEMENT_HEAD_MAX as u64);
        let head = read_range(plain, at, end.max(at))?;
        let Some((id, size, len)) = element_head(&head) else { return Ok(None) };
        Ok(Some(Self { id, size, content_at: at + len as u64 }))
    }
}

/// Whole elements of known size, one after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = io::Result<(u32, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let whole = element_head(self.0).and_then(|(id, size, len)| {
            let end = len.checked_add(usize::try_from(size?).ok()?)?;
            Some((id, self.0.get(len..end)?, &self.0[end..]))
        });
        let Some((id, data, rest)) = whole else {
            self.0 = &[];
            return Some(Err(foreign("an element that does not fit its cluster")));
        };
        self.0 = rest;
        Some(Ok((id, data)))
    }
}

/// Id, size and length of the head (RFC 8794 section 4 to 6).
fn element_head(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    let id = bytes.get(..id_len).filter(|_| id_len <= 4)?;
    let id = id.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
    let size_len = bytes.get(id_len)?.leading_zeros() as usize + 1;
    let size = bytes.get(id_len..id_len + size_len).filter(|_| size_len <= 8)?;
    let marked = size.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let mask = (1 << (7 * size_len)) - 1;
    let size = marked & mask;
    Some((id, (size != mask).then_some(size), id_len + size_len))
}

fn read_range(plain: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Vec<u8>> {
    plain.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; usize::try_from(to - from).map_err(|_| io::ErrorKind::InvalidData)?];
    plain.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn foreign(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
#[path = "playback_tests.rs"]
mod tests;

//! What a recording holds: its head, and where its clusters stand.

use crate::ebml::{Element, Elements, foreign, read_range};
use crate::webm::{self, VIDEO};
use std::io::{self, Read, Seek};

/// Everything in front of the first cluster, as the recorder writes it, is below 300 bytes.
const HEAD_MAX: u64 = 64 << 10;
/// The recorder closes a cluster above 400 KiB, and no frame is above 512 KiB.
const CLUSTER_MAX: u64 = 2 << 20;
/// A recording of [`crate::Options::segment_max`] has about 600; this is a whole day of them.
const CLUSTERS_MAX: usize = 200_000;

pub(crate) const EBML: u32 = 0x1A45_DFA3;
pub(crate) const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
pub(crate) const TRACKS: u32 = 0x1654_AE6B;
pub(crate) const CLUSTER: u32 = 0x1F43_B675;
pub(crate) const TIMESTAMP: u32 = 0xE7;
pub(crate) const SIMPLE_BLOCK: u32 = 0xA3;

/// Elements that go unchanged into a new head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    pub(crate) ebml: Vec<u8>,
    pub(crate) tracks: Vec<u8>,
    /// When time 0 was, milliseconds UTC
    pub(crate) began_ms: Option<i64>,
}

/// A cluster that begins with a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyAt {
    pub(crate) ms: u64,
    pub(crate) track: u8,
    /// From the first cluster
    pub(crate) offset: u64,
}

/// A whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClusterAt {
    pub(crate) start_ms: u64,
    /// Time of its last block
    pub(crate) last_ms: u64,
    /// Where it stands in the recording, and where its content does
    pub(crate) at: u64,
    pub(crate) content_at: u64,
    pub(crate) end: u64,
    /// Its first block is a picture that needs none before it
    pub(crate) enters: bool,
}

/// What there is to play in the first bytes of a recording. Made by reading them once; small, to be kept.
#[derive(Debug, Clone)]
pub struct Index {
    pub(crate) before: Before,
    pub(crate) head: Vec<u8>,
    pub(crate) clusters_at: u64,
    /// Bytes of whole clusters
    pub(crate) clusters: u64,
    pub(crate) list: Vec<ClusterAt>,
    duration_ms: u64,
    pictured: bool,
}

impl Index {
    /// Reads through the first `bytes` of a recording.
    ///
    /// # Errors
    /// `InvalidData` when this is no recording of ours; otherwise what reading says.
    pub fn of(plain: &mut (impl Read + Seek), bytes: u64) -> io::Result<Self> {
        let (before, clusters_at) = before_clusters(plain, bytes)?;
        let survey = Survey::of(plain, clusters_at, bytes)?;
        let clusters = survey.end - clusters_at;
        let head = webm::playable_head(&before, survey.duration_ms, &survey.keys, clusters);
        let (list, duration_ms, pictured) = (survey.list, survey.duration_ms, survey.pictured);
        Ok(Self { before, head, clusters_at, clusters, list, duration_ms, pictured })
    }

    /// Length of the playable file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.head.len() as u64 + self.clusters
    }

    /// From the beginning to the last sound or picture, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.duration_ms
    }

    /// When it began, milliseconds UTC; none in recordings of versions that did not say.
    #[must_use]
    pub fn began_at_ms(&self) -> Option<i64> {
        self.before.began_ms
    }

    /// The chunks it was written in, as ranges of bytes: its head, then each cluster.
    pub fn chunks(&self) -> impl Iterator<Item = std::ops::Range<u64>> + '_ {
        std::iter::once(0..self.clusters_at).chain(self.list.iter().map(|cluster| cluster.at..cluster.end))
    }

    /// Whether there are pictures, not sound alone.
    #[must_use]
    pub fn is_pictured(&self) -> bool {
        self.pictured
    }
}

pub(crate) fn before_clusters(plain: &mut (impl Read + Seek), bytes: u64) -> io::Result<(Before, u64)> {
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
                    INFO => before.began_ms = began(&read_range(plain, element.content_at, end)?)?,
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

fn began(info: &[u8]) -> io::Result<Option<i64>> {
    for element in Elements(info) {
        if let (webm::DATE_UTC, data) = element? {
            return Ok(webm::ms_of_date_utc(data));
        }
    }
    Ok(None)
}

/// What the clusters hold.
#[derive(Debug, Default)]
struct Survey {
    end: u64,
    duration_ms: u64,
    keys: Vec<KeyAt>,
    list: Vec<ClusterAt>,
    pictured: bool,
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
            let at = ClusterAt {
                start_ms: 0,
                last_ms: 0,
                at: survey.end,
                content_at: element.content_at,
                end,
                enters: false,
            };
            survey.look_into(&content, survey.end - from, at)?;
            survey.end = end;
        }
        // Players look for pictures; a cluster that begins with sound has its key frame further on, if at all.
        survey.pictured = survey.keys.iter().any(|key| key.track == VIDEO);
        if survey.pictured {
            survey.keys.retain(|key| key.track == VIDEO);
        }
        Ok(survey)
    }

    fn look_into(&mut self, content: &[u8], offset: u64, mut cluster: ClusterAt) -> io::Result<()> {
        let mut start = 0;
        let mut first = true;
        for element in Elements(content) {
            let (id, data) = element?;
            match id {
                TIMESTAMP => {
                    start = data.iter().fold(0_i64, |value, byte| value << 8 | i64::from(*byte));
                    cluster.start_ms = u64::try_from(start).unwrap_or(0);
                }
                SIMPLE_BLOCK => {
                    let [track, high, low, flags, ..] = data else {
                        return Err(foreign("a block too short"));
                    };
                    let relative = i16::from_be_bytes([*high, *low]);
                    let ms = u64::try_from(start + i64::from(relative)).unwrap_or(0);
                    let track = track & 0x7f;
                    self.duration_ms = self.duration_ms.max(ms);
                    cluster.last_ms = cluster.last_ms.max(ms);
                    // The recorder begins a cluster with each key frame; sound alone can be entered anywhere.
                    if first && flags & 0x80 != 0 {
                        self.keys.push(KeyAt { ms, track, offset });
                        cluster.enters = track == VIDEO;
                    }
                    first = false;
                }
                _ => {}
            }
        }
        self.list.push(cluster);
        Ok(())
    }
}

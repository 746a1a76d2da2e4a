//! WebM (RFC 9559) for an append-only file: the segment and its duration stay of unknown size, every cluster is
//! written whole, so a file cut off at any chunk plays up to there.

use crate::survey::{Before, KeyAt};

pub(crate) const VIDEO: u8 = 1;
pub(crate) const AUDIO: u8 = 2;

/// Longest cluster; what a crash may lose.
pub(crate) const CLUSTER_MS: i64 = 2_000;
/// A key frame begins a new cluster (so that players can seek to it) unless the present one is shorter than this.
const CLUSTER_MIN_MS: i64 = 500;
/// A cluster is closed early above this size, which keeps it below the store's chunk limit.
const CLUSTER_BYTES: usize = 400 << 10;

/// A cluster's room grows in such steps: 2 s at 300 kbit/s are 75 kB, and what doubling leaves empty is kept by every
/// publisher.
const CLUSTER_STEP: usize = 16 << 10;
/// Of a SimpleBlock before its data: identifier, size, track, time, flags.
const BLOCK_HEAD: usize = 13;

/// From 1970 to the epoch of `DateUTC`, 2001-01-01 (RFC 9559 5.1.2.11).
const EPOCH_MS: i64 = 978_307_200_000;
const NS_PER_MS: i64 = 1_000_000;
pub(crate) const DATE_UTC: u32 = 0x4461;

/// Milliseconds UTC as the content of a `DateUTC`; 0, which means 2001, for what no clock of ours says.
pub(crate) fn date_utc(ms: i64) -> [u8; 8] {
    ms.checked_sub(EPOCH_MS).and_then(|ms| ms.checked_mul(NS_PER_MS)).unwrap_or(0).to_be_bytes()
}

/// The reverse of [`date_utc`].
pub(crate) fn ms_of_date_utc(content: &[u8]) -> Option<i64> {
    let ns = i64::from_be_bytes(content.try_into().ok()?);
    (ns > 0).then(|| ns / NS_PER_MS + EPOCH_MS)
}

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tracks {
    /// Pixels of the first key frame; later ones may differ, decoders follow the key frames.
    pub(crate) video: Option<(u16, u16)>,
    pub(crate) audio: bool,
}

fn element_id(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
    out.extend_from_slice(&bytes[start..]);
}

/// Element size as an EBML variable-size integer of 1 to 8 bytes (RFC 8794, section 4).
fn element_size(out: &mut Vec<u8>, size: usize) {
    let size = size as u64;
    // All ones means "unknown", hence the minus one.
    let length = (1_u32..8).find(|length| size < (1 << (7 * length)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * length);
    out.extend_from_slice(&marked.to_be_bytes()[8 - length as usize..]);
}

fn element(out: &mut Vec<u8>, id: u32, content: &[u8]) {
    element_id(out, id);
    element_size(out, content.len());
    out.extend_from_slice(content);
}

fn number(out: &mut Vec<u8>, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    element(out, id, &bytes[start..]);
}

fn group(out: &mut Vec<u8>, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    fill(&mut content);
    element(out, id, &content);
}

/// Everything before the first cluster. `began_ms`: when its time 0 was, milliseconds UTC, so that recordings of several
/// connections can be laid along one line of time.
pub(crate) fn header(tracks: Tracks, began_ms: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    group(&mut out, 0x1A45_DFA3, |ebml| {
        number(ebml, 0x4286, 1); // EBMLVersion
        number(ebml, 0x42F7, 1); // EBMLReadVersion
        number(ebml, 0x42F2, 4); // EBMLMaxIDLength
        number(ebml, 0x42F3, 8); // EBMLMaxSizeLength
        element(ebml, 0x4282, b"webm"); // DocType
        number(ebml, 0x4287, 4); // DocTypeVersion
        number(ebml, 0x4285, 2); // DocTypeReadVersion
    });
    element_id(&mut out, 0x1853_8067); // Segment, size unknown
    out.extend_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    group(&mut out, 0x1549_A966, |info| {
        number(info, 0x002A_D7B1, 1_000_000); // TimestampScale: milliseconds
        element(info, DATE_UTC, &date_utc(began_ms));
        element(info, 0x4D80, b"synaq"); // MuxingApp
        element(info, 0x5741, b"synaq"); // WritingApp
    });
    group(&mut out, 0x1654_AE6B, |list| {
        if let Some(size) = tracks.video {
            video_track(list, size);
        }
        if tracks.audio {
            audio_track(list);
        }
    });
    out
}

/// Length of a size or a position that is written before it is known.
const FIXED: usize = 8;

/// An unsigned integer that always takes the same room.
fn fixed_number(out: &mut Vec<u8>, id: u32, value: u64) {
    element(out, id, &value.to_be_bytes());
}

/// Everything before the first cluster of a recording whose `clusters` bytes are known: with duration and cues.
pub(crate) fn playable_head(before: &Before, duration_ms: u64, keys: &[KeyAt], clusters: u64) -> Vec<u8> {
    // Positions count from the first byte within the segment, and their room does not depend on them.
    let blank = segment_head(before, duration_ms, keys, 0);
    let filled = segment_head(before, duration_ms, keys, blank.len() as u64);
    let mut out = before.ebml.clone();
    element_id(&mut out, 0x1853_8067); // Segment
    let size = filled.len() as u64 + clusters;
    out.extend_from_slice(&(size | 1 << (7 * FIXED)).to_be_bytes());
    out.extend_from_slice(&filled);
    out
}

fn segment_head(before: &Before, duration_ms: u64, keys: &[KeyAt], clusters_at: u64) -> Vec<u8> {
    let mut info = Vec::new();
    group(&mut info, 0x1549_A966, |info| {
        number(info, 0x002A_D7B1, 1_000_000); // TimestampScale: milliseconds
        #[expect(clippy::cast_precision_loss, reason = "a recording lasts less than 2^53 ms")]
        element(info, 0x4489, &(duration_ms as f64).to_be_bytes()); // Duration
        if let Some(ms) = before.began_ms {
            element(info, DATE_UTC, &date_utc(ms));
        }
        element(info, 0x4D80, b"synaq"); // MuxingApp
        element(info, 0x5741, b"synaq"); // WritingApp
    });
    let mut cues = Vec::new();
    // Without a single one the element would not be allowed.
    if !keys.is_empty() {
        group(&mut cues, 0x1C53_BB6B, |cues| keys.iter().for_each(|key| cue_point(cues, *key, clusters_at)));
    }
    let parts: [(u32, &[u8]); 3] =
        [(0x1549_A966, &info), (0x1654_AE6B, &before.tracks), (0x1C53_BB6B, &cues)];
    let parts = parts.iter().filter(|(_, bytes)| !bytes.is_empty());
    let index = |first: u64| {
        let mut at = first;
        let mut out = Vec::new();
        group(&mut out, 0x114D_9B74, |list| {
            for (id, bytes) in parts.clone() {
                group(list, 0x4DBB, |seek| {
                    element(seek, 0x53AB, &id.to_be_bytes()); // SeekID
                    fixed_number(seek, 0x53AC, at); // SeekPosition
                });
                at += bytes.len() as u64;
            }
        });
        out
    };
    let mut out = index(index(0).len() as u64);
    parts.clone().for_each(|(_, bytes)| out.extend_from_slice(bytes));
    out
}

fn cue_point(cues: &mut Vec<u8>, key: KeyAt, clusters_at: u64) {
    group(cues, 0xBB, |point| {
        fixed_number(point, 0xB3, key.ms); // CueTime
        group(point, 0xB7, |place| {
            number(place, 0xF7, u64::from(key.track)); // CueTrack
            fixed_number(place, 0xF1, clusters_at + key.offset); // CueClusterPosition
        });
    });
}

fn video_track(list: &mut Vec<u8>, (width, height): (u16, u16)) {
    group(list, 0xAE, |track| {
        number(track, 0xD7, u64::from(VIDEO)); // TrackNumber
        number(track, 0x73C5, u64::from(VIDEO)); // TrackUID
        number(track, 0x83, 1); // TrackType video
        element(track, 0x86, b"V_VP8");
        group(track, 0xE0, |video| {
            number(video, 0xB0, u64::from(width));
            number(video, 0xBA, u64::from(height));
        });
    });
}

fn audio_track(list: &mut Vec<u8>) {
    // RFC 7845 5.1: version 1, two channels, no pre-skip (live), 48 kHz, no gain, mapping family 0.
    let opus_head = [b"OpusHead\x01\x02\x00\x00".as_slice(), &48_000_u32.to_le_bytes(), &[0, 0, 0]].concat();
    group(list, 0xAE, |track| {
        number(track, 0xD7, u64::from(AUDIO));
        number(track, 0x73C5, u64::from(AUDIO));
        number(track, 0x83, 2); // TrackType audio
        element(track, 0x86, b"A_OPUS");
        number(track, 0x56BB, 80_000_000); // SeekPreRoll: 80 ms, as the Opus mapping asks
        element(track, 0x63A2, &opus_head); // CodecPrivate
        group(track, 0xE1, |audio| {
            element(audio, 0xB5, &48_000_f64.to_be_bytes());
            number(audio, 0x9F, 2);
        });
    });
}

/// The cluster being filled. Milliseconds count from the start of the segment.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    blocks: Vec<u8>,
    start_ms: Option<i64>,
}

impl Cluster {
    /// Whether a block at `ms` belongs into the next cluster.
    pub(crate) fn is_full_for(&self, ms: i64, video_key: bool) -> bool {
        self.start_ms.is_some_and(|start| {
            let length = ms - start;
            length >= CLUSTER_MS
                || (video_key && length >= CLUSTER_MIN_MS)
                || self.blocks.len() >= CLUSTER_BYTES
                || length < i64::from(i16::MIN)
        })
    }

    pub(crate) fn push(&mut self, track: u8, ms: i64, key: bool, data: &[u8]) {
        let start = *self.start_ms.get_or_insert(ms);
        let relative = i16::try_from(ms - start).unwrap_or(i16::MAX);
        let needed = BLOCK_HEAD + data.len();
        if self.blocks.capacity() - self.blocks.len() < needed {
            self.blocks.reserve_exact(needed.next_multiple_of(CLUSTER_STEP));
        }
        element_id(&mut self.blocks, 0xA3); // SimpleBlock
        element_size(&mut self.blocks, 4 + data.len());
        self.blocks.push(0x80 | track);
        self.blocks.extend_from_slice(&relative.to_be_bytes());
        self.blocks.push(if key { 0x80 } else { 0 });
        self.blocks.extend_from_slice(data);
    }

    /// The finished cluster element, if it holds anything; starts an empty one.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let start = self.start_ms.take()?;
        // Given back, not kept for the next one.
        let blocks = std::mem::take(&mut self.blocks);
        Some(cluster(u64::try_from(start).unwrap_or(0), &blocks))
    }
}

/// A cluster that was written before, at another time: `rest` is everything behind its timestamp.
pub(crate) fn moved_cluster(start_ms: u64, rest: &[u8]) -> Vec<u8> {
    cluster(start_ms, rest)
}

fn cluster(start_ms: u64, blocks: &[u8]) -> Vec<u8> {
    let mut timestamp = Vec::with_capacity(10);
    number(&mut timestamp, 0xE7, start_ms);
    let mut out = Vec::with_capacity(blocks.len() + timestamp.len() + 12);
    element_id(&mut out, 0x1F43_B675);
    element_size(&mut out, timestamp.len() + blocks.len());
    out.extend_from_slice(&timestamp);
    out.extend_from_slice(blocks);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_the_fewest_bytes_and_avoid_the_reserved_value() {
        let encoded = |size| {
            let mut out = Vec::new();
            element_size(&mut out, size);
            out
        };
        assert_eq!(encoded(0), [0x80]);
        assert_eq!(encoded(126), [0xfe]);
        assert_eq!(encoded(127), [0x40, 0x7f]);
        assert_eq!(encoded(16_382), [0x7f, 0xfe]);
        assert_eq!(encoded(16_383), [0x20, 0x3f, 0xff]);
        assert_eq!(encoded(1 << 28), [0x08, 0x10, 0, 0, 0]);
    }

    #[test]
    fn cluster_ends_after_two_seconds_or_at_a_key_frame() {
        let mut cluster = Cluster::default();
        assert!(!cluster.is_full_for(0, true));
        cluster.push(VIDEO, 100, true, b"abc");
        assert!(!cluster.is_full_for(500, true));
        assert!(cluster.is_full_for(600, true));
        assert!(!cluster.is_full_for(2_099, false));
        assert!(cluster.is_full_for(2_100, false));
    }

    #[test]
    fn cluster_bytes_are_a_known_size_element_with_relative_times() {
        let mut cluster = Cluster::default();
        cluster.push(VIDEO, 1_000, true, b"abc");
        cluster.push(AUDIO, 990, true, b"de");
        let bytes = cluster.take().unwrap();
        let expected = [
            0x1F, 0x43, 0xB6, 0x75, 0x95, 0xE7, 0x82, 0x03, 0xE8, 0xA3, 0x87, 0x81, 0, 0, 0x80, b'a', b'b',
            b'c', 0xA3, 0x86, 0x82, 0xff, 0xf6, 0x80, b'd', b'e',
        ];
        assert_eq!(bytes, expected);
        assert_eq!(cluster.take(), None);
    }
}

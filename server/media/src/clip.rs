//! A piece of a recording as a file of its own: whole clusters as they were recorded, at times that begin with 0.

use crate::ebml::{element_head, foreign, read_range};
use crate::survey::{Before, ClusterAt, Index, KeyAt, TIMESTAMP};
use crate::webm::{self, VIDEO};
use std::io::{self, Read, Seek};
use std::sync::Arc;

/// Half a minute at ten times the bandwidth that publishers are asked to keep to.
const CLIP_BYTES: u64 = 16 << 20;

/// One of the recordings a clip is cut out of.
#[derive(Debug)]
pub struct Part<R> {
    /// The recording as it was written
    pub plain: R,
    /// What it holds
    pub index: Arc<Index>,
    /// When its time 0 was, milliseconds UTC
    pub began_at_ms: i64,
}

/// A clip, playable anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The file
    pub webm: Vec<u8>,
    /// When its first picture or sound was, milliseconds UTC: at or before what was asked, because a picture can be
    /// entered at a key frame only
    pub from_ms: i64,
    /// When its last one was
    pub to_ms: i64,
}

/// The clusters of `parts` (in order of time, of one kind) that were recorded from `from_ms` to `to_ms`, milliseconds UTC;
/// none if nothing was. Pauses between recordings stay as long as they were.
///
/// # Errors
/// `InvalidData` when a recording is not as its index says, or the clip would be far beyond any bandwidth; otherwise what
/// reading says.
pub fn cut<R: Read + Seek>(parts: &mut [Part<R>], from_ms: i64, to_ms: i64) -> io::Result<Option<Clip>> {
    let mut wanted = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        wanted.extend(overlapping(part, from_ms, to_ms).map(|cluster| (place, *cluster)));
    }
    let bytes: u64 = wanted.iter().map(|(_, cluster)| cluster.end - cluster.at).sum();
    if bytes > CLIP_BYTES {
        return Err(foreign("a clip of more bytes than any bandwidth allows"));
    }
    let Some((first, begin)) = wanted.first().copied() else { return Ok(None) };
    let zero = moment(&parts[first], begin.start_ms);
    let before = head_of(parts, &wanted);
    let (mut clusters, mut keys, mut last) = (Vec::new(), Vec::new(), zero);
    for (place, cluster) in wanted {
        let part = &mut parts[place];
        // A clock that was set back between two recordings must not set a player back.
        let start = u64::try_from(moment(part, cluster.start_ms).max(last) - zero).unwrap_or(0);
        if cluster.enters {
            keys.push(KeyAt { ms: start, track: VIDEO, offset: clusters.len() as u64 });
        }
        let content = read_range(&mut part.plain, cluster.content_at, cluster.end)?;
        clusters.extend(webm::moved_cluster(start, behind_timestamp(&content)?));
        last = last.max(moment(part, cluster.last_ms));
    }
    let duration = u64::try_from(last - zero).unwrap_or(0);
    let mut webm = webm::playable_head(
        &Before { began_ms: Some(zero), ..before },
        duration,
        &keys,
        clusters.len() as u64,
    );
    webm.extend(clusters);
    Ok(Some(Clip { webm, from_ms: zero, to_ms: last }))
}

fn moment<R>(part: &Part<R>, ms: u64) -> i64 {
    part.began_at_ms.saturating_add_unsigned(ms)
}

/// From the last picture that can be entered at or before `from_ms` on.
fn overlapping<R>(part: &Part<R>, from_ms: i64, to_ms: i64) -> impl Iterator<Item = &ClusterAt> {
    let list = &part.index.list;
    let reached = list.partition_point(|cluster| moment(part, cluster.last_ms) < from_ms);
    let enter = list[..list.len().min(reached + 1)]
        .iter()
        .rposition(|cluster| cluster.enters && moment(part, cluster.start_ms) <= from_ms);
    let skipped = if reached < list.len() { enter.unwrap_or(reached) } else { list.len() };
    list[skipped..].iter().take_while(move |cluster| moment(part, cluster.start_ms) < to_ms)
}

/// The head of the first recording with pictures: sound alone has no track for them.
fn head_of<R>(parts: &[Part<R>], wanted: &[(usize, ClusterAt)]) -> Before {
    let indexes = || wanted.iter().map(|(place, _)| &parts[*place].index);
    let index = indexes().find(|index| index.is_pictured()).or_else(|| indexes().next());
    index.map_or_else(Before::default, |index| index.before.clone())
}

fn behind_timestamp(content: &[u8]) -> io::Result<&[u8]> {
    let behind = element_head(content).and_then(|(id, size, len)| {
        let end = len.checked_add(usize::try_from(size?).ok()?)?;
        content.get(end..).filter(|_| id == TIMESTAMP)
    });
    behind.ok_or_else(|| foreign("a cluster without a timestamp in front"))
}

#[cfg(test)]
#[path = "clip_tests.rs"]
mod tests;

//! A downloaded recording against the event log: the heads of its hash chain that were noted while it was recorded, and
//! its digest once it was finished.

use anyhow::Context as _;
use serde::Serialize;
use std::fmt;
use std::io::Cursor;
use std::path::Path;
use synaq_core::session::{Event, EvidenceRef, Fact};
use synaq_seal::blob::Chain;
use synaq_seal::bundle::Bundle;

/// What stands in front of each still in its container: length and time.
const STILL_HEAD: usize = 12;

/// How a recording stands to the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Found {
    name: String,
    /// Heads that the log holds of it
    checkpoints: usize,
    /// Of those, the ones that the file bears out
    held: usize,
    /// Bytes from the beginning that are proven to be what was recorded
    proven_bytes: u64,
    bytes: u64,
    /// It is the finished recording, byte for byte; none if the log names no finished one
    finished: Option<bool>,
    /// The file ends before the last head that the log holds
    short: bool,
}

impl Found {
    /// Everything that the log says of it is so.
    pub(crate) fn holds(&self) -> bool {
        let known = self.checkpoints > 0 || self.finished.is_some();
        known && self.held == self.checkpoints && self.finished != Some(false)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, checkpoints, held, proven_bytes, bytes, finished, short } = self;
        let verdict = if self.holds() { "ok    " } else { "FAILED" };
        let whole = match finished {
            Some(true) => "the whole file as it was finished",
            Some(false) => "not the file that was finished",
            None => "the log names no finished one",
        };
        write!(f, "{verdict}       recording {name}: {held} of {checkpoints} heads of its chain hold, ")?;
        write!(f, "{proven_bytes} of {bytes} bytes proven, {whole}")?;
        if *short { f.write_str("; it is cut off") } else { Ok(()) }
    }
}

/// Reads the file and holds it against what the bundle's events say of a piece of that name.
pub(crate) fn check(bundle: &[u8], path: &Path) -> anyhow::Result<Found> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let events = Bundle::parse(bundle).ok().and_then(|bundle| bundle.events).unwrap_or_default();
    let facts =
        events.into_iter().filter_map(|event| Some(serde_json::from_value::<Event>(event.body).ok()?.fact));
    Ok(compare(&name, &bytes, facts))
}

fn compare(name: &str, bytes: &[u8], facts: impl Iterator<Item = Fact>) -> Found {
    let heads = heads(bytes);
    let mut found = Found {
        name: name.to_owned(),
        checkpoints: 0,
        held: 0,
        proven_bytes: 0,
        bytes: bytes.len() as u64,
        finished: None,
        short: false,
    };
    for fact in facts {
        match fact {
            Fact::EvidenceCheckpoint { name: of, chunks, bytes: to, head } if of == name => {
                found.checkpoints += 1;
                let there = usize::try_from(chunks).ok().and_then(|chunks| heads.get(chunks.checked_sub(1)?));
                found.short |= there.is_none();
                if there.is_some_and(|(end, found)| *end == to && *found == head) {
                    found.held += 1;
                    found.proven_bytes = found.proven_bytes.max(to);
                }
            }
            Fact::EvidenceStored { evidence: EvidenceRef { name: of, sha256, bytes: length } }
                if of == name =>
            {
                let same = length == found.bytes && synaq_seal::sha256(bytes).to_string() == sha256;
                found.finished = Some(same);
                if same {
                    found.proven_bytes = length;
                }
            }
            _ => {}
        }
    }
    found
}

/// Where each chunk ends, and the chain's head there.
fn heads(bytes: &[u8]) -> Vec<(u64, String)> {
    let mut chain = Chain::default();
    let ends = chunk_ends(bytes);
    let mut from = 0;
    ends.into_iter()
        .filter_map(|end| {
            chain.push(bytes.get(from..end)?);
            from = end;
            Some((end as u64, chain.head().to_string()))
        })
        .collect()
}

/// Chunks are what was written at once: the head of a WebM file and each of its clusters, or each still.
fn chunk_ends(bytes: &[u8]) -> Vec<usize> {
    if let Ok(index) = synaq_media::Index::of(&mut Cursor::new(bytes), bytes.len() as u64) {
        return index.chunks().filter_map(|chunk| usize::try_from(chunk.end).ok()).collect();
    }
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + STILL_HEAD) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        at += STILL_HEAD + length;
        if at > bytes.len() {
            break;
        }
        ends.push(at);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "stills-0001";

    fn stills(count: u8) -> Vec<u8> {
        let still = |number: u8| [&[0, 0, 0, 5][..], &[0; 8], &[number; 5]].concat();
        (0..count).flat_map(still).collect()
    }

    fn checkpoint(bytes: &[u8], chunks: usize) -> Fact {
        let (end, head) = heads(bytes)[chunks - 1].clone();
        Fact::EvidenceCheckpoint { name: NAME.to_owned(), chunks: chunks as u64, bytes: end, head }
    }

    fn finished(bytes: &[u8]) -> Fact {
        let sha256 = synaq_seal::sha256(bytes).to_string();
        Fact::EvidenceStored {
            evidence: EvidenceRef { name: NAME.to_owned(), sha256, bytes: bytes.len() as u64 },
        }
    }

    #[test]
    fn a_whole_recording_holds_and_one_changed_byte_is_found_wherever_it_is() {
        let bytes = stills(9);
        let facts =
            || [checkpoint(&bytes, 3), checkpoint(&bytes, 6), checkpoint(&bytes, 9), finished(&bytes)];
        let whole = compare(NAME, &bytes, facts().into_iter());
        assert!(whole.holds(), "{whole}");
        assert_eq!((whole.held, whole.proven_bytes), (3, bytes.len() as u64));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!compare(NAME, &changed, facts().into_iter()).holds(), "byte {at}");
        }
    }

    #[test]
    fn one_that_was_cut_off_is_proven_up_to_the_last_head_within_it() {
        let bytes = stills(9);
        let cut = &bytes[..bytes.len() - 20];
        let facts = || [checkpoint(&bytes, 3), checkpoint(&bytes, 6), checkpoint(&bytes, 9)];
        let found = compare(NAME, cut, facts().into_iter());
        assert_eq!((found.held, found.short, found.proven_bytes), (2, true, heads(&bytes)[5].0));
        assert!(!found.holds());
        let before_the_last = compare(NAME, cut, facts().into_iter().take(2));
        assert!(before_the_last.holds(), "{before_the_last}");
    }

    #[test]
    fn what_the_log_does_not_know_does_not_hold() {
        assert!(!compare("other", &stills(2), [finished(&stills(2))].into_iter()).holds());
        assert!(!compare(NAME, b"", [].into_iter()).holds());
    }
}

//! The recordings of a session, along the time they were made.

use super::indexes::Indexes;
use crate::evidence::{Evidence, Plain};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_media::{Index, Part};

/// Sources of pictures, as the names of their recordings begin.
pub(super) const KINDS: [&str; 2] = ["webcam", "screen"];

/// One recording.
pub(super) struct Recorded {
    pub(super) name: String,
    /// How many of its bytes were there
    pub(super) bytes: u64,
    pub(super) unfinished: bool,
    pub(super) at: At,
    pub(super) index: Arc<Index>,
    plain: Box<dyn Plain>,
}

impl Recorded {
    pub(super) fn end(&self) -> At {
        At(self.at.0.saturating_add_unsigned(self.index.duration_ms()))
    }

    pub(super) fn into_part(self) -> Part<Box<dyn Plain>> {
        Part { plain: self.plain, index: self.index, began_at_ms: self.at.0 }
    }
}

/// All recordings of a kind, oldest first. Those that do not say when they began, of older versions, lie where
/// `opened` says that the log heard of them; what cannot be read is left out and told to the operator. Blocks.
pub(super) fn recorded(
    evidence: &dyn Evidence,
    indexes: &Indexes,
    session: SessionId,
    kind: &str,
    opened: &HashMap<String, At>,
) -> io::Result<Vec<Recorded>> {
    let mut all = Vec::new();
    for name in evidence.names(session)? {
        let of_kind = name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-'));
        if !of_kind || !name.ends_with(".webm") {
            continue;
        }
        let (piece, index) = match indexes.open(evidence, session, &name, u64::MAX) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%session, name, %error, "a recording cannot be played");
                continue;
            }
        };
        let Some(at) = index.began_at_ms().map(At).or_else(|| opened.get(&name).copied()) else { continue };
        let (bytes, unfinished, plain) = (piece.bytes, piece.unfinished, piece.plain);
        all.push(Recorded { name, bytes, unfinished, at, index, plain });
    }
    all.sort_by_key(|recorded| recorded.at);
    Ok(all)
}

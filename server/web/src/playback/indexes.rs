//! Indexes of recordings, kept: making one reads the whole recording, and a browser asks for hundreds of ranges.

use crate::evidence::{Evidence, Opened};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::SessionId;
use synaq_media::Index;

/// Ten minutes of a recording have an index of about 30 KB: 15 MB.
const KEPT: usize = 512;

#[derive(Default)]
struct Kept {
    indexes: HashMap<(SessionId, String, u64), (u64, Arc<Index>)>,
    used: u64,
}

/// Of whoever plays now.
#[derive(Default)]
pub(crate) struct Indexes(Mutex<Kept>);

impl Indexes {
    /// A recording opened with the index of its first `bytes`. Blocks.
    pub(crate) fn open(
        &self,
        evidence: &dyn Evidence,
        session: SessionId,
        name: &str,
        bytes: u64,
    ) -> io::Result<(Opened, Arc<Index>)> {
        let mut opened = evidence.open(session, name)?;
        let bytes = opened.bytes.min(bytes);
        let key = (session, name.to_owned(), bytes);
        if let Some(index) = self.find(&key) {
            return Ok((opened, index));
        }
        let index = Arc::new(Index::of(&mut opened.plain, bytes)?);
        self.keep(key, Arc::clone(&index));
        Ok((opened, index))
    }

    fn find(&self, key: &(SessionId, String, u64)) -> Option<Arc<Index>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.used += 1;
        let used = kept.used;
        let (last, index) = kept.indexes.get_mut(key)?;
        *last = used;
        Some(Arc::clone(index))
    }

    fn keep(&self, key: (SessionId, String, u64), index: Arc<Index>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.used += 1;
        let used = kept.used;
        kept.indexes.insert(key, (used, index));
        if kept.indexes.len() > KEPT
            && let Some(oldest) =
                kept.indexes.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone())
        {
            kept.indexes.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Shelf, recording};
    use uuid::Uuid;

    #[test]
    fn an_index_is_made_once_for_the_same_bytes_and_the_oldest_makes_room() {
        let (shelf, indexes, session) = (Shelf::default(), Indexes::default(), SessionId(Uuid::nil()));
        shelf.store(session, "webcam-0001.webm", &recording(0, 4)).unwrap();
        let open = |bytes| indexes.open(&shelf, session, "webcam-0001.webm", bytes).unwrap().1;
        assert!(Arc::ptr_eq(&open(u64::MAX), &open(u64::MAX)));
        let first = open(u64::MAX);
        for number in 0..KEPT {
            let key = (SessionId(Uuid::from_u128(1 + number as u128)), String::new(), 0);
            indexes.keep(key, Arc::clone(&first));
        }
        assert_eq!(indexes.0.lock().unwrap().indexes.len(), KEPT);
        assert!(!Arc::ptr_eq(&first, &open(u64::MAX)));
    }
}

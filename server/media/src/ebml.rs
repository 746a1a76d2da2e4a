//! Reading EBML (RFC 8794) as our recorder writes it.

use std::io::{self, Read, Seek, SeekFrom};

/// Longest EBML id and size together.
const ELEMENT_HEAD_MAX: usize = 12;

/// The head of an element within a file.
pub(crate) struct Element {
    pub(crate) id: u32,
    /// None: unknown
    pub(crate) size: Option<u64>,
    pub(crate) content_at: u64,
}

impl Element {
    /// The element whose head stands whole at `at`.
    pub(crate) fn at(plain: &mut (impl Read + Seek), at: u64, bytes: u64) -> io::Result<Option<Self>> {
        let end = bytes.min(at + ELEMENT_HEAD_MAX as u64);
        let head = read_range(plain, at, end.max(at))?;
        let Some((id, size, len)) = element_head(&head) else { return Ok(None) };
        Ok(Some(Self { id, size, content_at: at + len as u64 }))
    }
}

/// Whole elements of known size, one after the other.
pub(crate) struct Elements<'a>(pub(crate) &'a [u8]);

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
pub(crate) fn element_head(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
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

pub(crate) fn read_range(plain: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Vec<u8>> {
    plain.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; usize::try_from(to - from).map_err(|_| io::ErrorKind::InvalidData)?];
    plain.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn foreign(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

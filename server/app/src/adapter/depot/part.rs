//! Names of parts: `<session>/<piece>/<blob>/<from>-<to>`, with the range of bytes in sixteen hexadecimal digits each.
//!
//! A part's name says everything about it, so that putting it twice is putting it once, however late an earlier try
//! arrives; and the blob's id keeps a piece apart from another one that a restored installation gave the same name.

use object_store::path::Path;
use uuid::Uuid;

/// A range of a sealed file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Part {
    /// First byte
    pub(super) from: u64,
    /// Behind the last byte
    pub(super) to: u64,
    /// Whose, 32 hexadecimal digits
    pub(super) blob: String,
}

impl Part {
    /// Its place below a prefix.
    pub(super) fn place(&self, prefix: &Path, session: Uuid, name: &str) -> Path {
        let of = below(prefix, session).join(name).join(self.blob.as_str());
        of.join(format!("{:016x}-{:016x}", self.from, self.to))
    }

    /// What an object is; nothing if it is none of ours. With the name of its piece.
    pub(super) fn at(place: &Path, prefix: &Path, session: Uuid) -> Option<(String, Self)> {
        let mut rest = place.prefix_match(&below(prefix, session))?;
        let (name, blob, range) = (rest.next()?, rest.next()?, rest.next()?);
        let (from, to) = range.as_ref().split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let part = Self { from: number(from)?, to: number(to)?, blob: blob.as_ref().to_owned() };
        (part.from < part.to && rest.next().is_none()).then(|| (name.as_ref().to_owned(), part))
    }
}

/// Everything of a session.
pub(super) fn below(prefix: &Path, session: Uuid) -> Path {
    prefix.clone().join(session.to_string())
}

/// Parts that follow one another from the first byte, each with how many of its bytes the one before has already.
pub(super) fn chain(mut parts: Vec<Part>) -> Vec<(Part, u64)> {
    parts.sort();
    let (mut chain, mut end) = (Vec::new(), 0);
    loop {
        let reaching = parts.iter().filter(|part| part.from <= end && part.to > end);
        let Some(next) = reaching.max_by_key(|part| part.to) else { return chain };
        chain.push((next.clone(), end - next.from));
        end = next.to;
    }
}

/// Up to where parts leave nothing out.
pub(super) fn covered(parts: Vec<Part>) -> u64 {
    chain(parts).last().map_or(0, |(part, _)| part.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(from: u64, to: u64) -> Part {
        Part { from, to, blob: "0".repeat(32) }
    }

    #[test]
    fn a_part_is_read_back_from_its_name_and_a_foreign_object_is_none() {
        let (prefix, session) = (Path::from("exams/2026"), Uuid::from_u128(7));
        let place = part(5, 70).place(&prefix, session, "webcam-0001.webm");
        assert_eq!(Part::at(&place, &prefix, session), Some(("webcam-0001.webm".to_owned(), part(5, 70))));
        let foreign = |text: &str| Part::at(&below(&prefix, session).join("a").join(text), &prefix, session);
        assert_eq!((foreign("readme.txt"), Part::at(&place, &prefix, Uuid::nil())), (None, None));
    }

    #[test]
    fn parts_may_overlap_and_a_hole_ends_what_is_covered() {
        let all = vec![part(0, 10), part(10, 40), part(10, 20), part(20, 50), part(60, 70)];
        assert_eq!(covered(all.clone()), 50);
        assert_eq!(chain(all), [(part(0, 10), 0), (part(10, 40), 0), (part(20, 50), 20)]);
        assert_eq!(covered(vec![part(1, 9)]), 0);
    }
}

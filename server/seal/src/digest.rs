//! SHA-256 values and the salted commitment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::hex;

/// Bytes of a SHA-256 value.
pub const DIGEST_LEN: usize = 32;

/// Bytes of a commitment's salt: as long as the digest, so guessing the salt is no easier than a preimage.
pub const SALT_LEN: usize = 32;

/// A SHA-256 value. Text form (Display, JSON): 64 lower-case hex digits; upper case is refused on the way in, so
/// one value has one spelling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; DIGEST_LEN]);

/// The text is not 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is written as 64 lower-case hex digits")]
pub struct NotADigest;

impl Digest {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; DIGEST_LEN] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        hex::read(text).map(Self).ok_or(NotADigest)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    concat(&[bytes])
}

/// Salted commitment `SHA-256(salt || canonical)`: proves later what was shown without telling it now. Deleting the
/// salt makes the commitment meaningless, which is how erasure and an append-only log live together.
#[must_use]
pub fn commit(salt: &[u8; SALT_LEN], canonical: &[u8]) -> Digest {
    concat(&[salt, canonical])
}

/// SHA-256 of the parts in order. Callers keep all but one part at a fixed length, so no two inputs collide.
pub(crate) fn concat(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    Digest(hash.finalize().into())
}

/// SHA-256 over bytes that arrive piece by piece.
#[derive(Clone, Default)]
pub struct Running(Sha256);

impl Running {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Digest of everything taken so far; more may follow.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.0.clone().finalize().into())
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.digest()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashes_as_fips_180_4_says() {
        assert_eq!(sha256(b"abc").to_string(), ABC);
        let mut running = Running::default();
        running.update(b"a");
        running.update(b"bc");
        assert_eq!(running.digest(), sha256(b"abc"));
    }

    #[test]
    fn text_form_round_trips_and_has_one_spelling() {
        assert_eq!(ABC.parse(), Ok(sha256(b"abc")));
        assert_eq!(serde_json::to_string(&sha256(b"abc")).unwrap(), format!("\"{ABC}\""));
        for bad in [&ABC.to_uppercase(), &ABC[..63], &format!("{ABC}0"), "", &"g".repeat(64), &"é".repeat(32)]
        {
            assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad}");
        }
    }

    #[test]
    fn commitment_depends_on_salt_and_content() {
        let with = |salt: u8, text: &[u8]| commit(&[salt; SALT_LEN], text);
        assert_eq!(with(1, b"{}"), with(1, b"{}"));
        assert_ne!(with(1, b"{}"), with(2, b"{}"));
        assert_ne!(with(1, b"{}"), with(1, b"[]"));
    }
}

//! The one sealed file format, for recordings, stills and photos.
//!
//! ```text
//! header  64 bytes: "SYNAQBLB" | version 1 | suite 1 | 0 0 | max chunk u32 | blob id 16 | key id 16 | tag 16
//! chunk   4-byte head (top bit: final; rest: plaintext length) | ciphertext | tag 16
//! final   a chunk with the top bit set; its plaintext is total length u64 | chain head 32
//! ```
//! Integers are big-endian. Each blob has its own AES-256-GCM key, HKDF-SHA-256(session key, salt = blob id), and the
//! nonce is the chunk's index, so a nonce cannot repeat as long as blob ids do not. Header, index, length and final
//! mark are authenticated with each chunk: a changed, moved, dropped or foreign chunk does not open. A file without
//! its final chunk (a crash, or a recording still going on) reads up to its last whole chunk and says so.

mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::SecureRandom;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{self, DIGEST_LEN, Digest};
use crate::hex;
pub use crate::secret::{InstallationKey, SessionKey, WrappedKey, unwrap, wrap};
pub use reader::{Ending, Reader, open_bytes};
pub use writer::{Summary, Writer, seal_bytes};

/// Most plaintext bytes in one chunk.
pub const MAX_CHUNK: usize = 1024 * 1024;

/// Most chunks in one blob: a chunk each 50 ms for two days, and an index of at most 96 MiB for a hostile file.
pub const MAX_CHUNKS: u64 = 1 << 22;

/// Bytes of the header.
pub const HEADER_LEN: usize = 64;

const MAGIC: &[u8; 8] = b"SYNAQBLB";
const VERSION: u8 = 1;
/// AES-256-GCM with HKDF-SHA-256.
const SUITE: u8 = 1;
const TAG_LEN: usize = 16;
const ID_LEN: usize = 16;
const HEAD_LEN: usize = 4;
const FINAL_BIT: u32 = 1 << 31;
const FINAL_LEN: usize = 8 + DIGEST_LEN;
/// The header's own tag takes the one nonce that no chunk can have.
const HEADER_INDEX: u64 = u64::MAX;
const KEY_CONTEXT: &[u8] = b"synaq blob v1";
const KEY_ID_CONTEXT: &[u8] = b"synaq blob key id v1\0";

/// Why a blob was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file under the blob failed.
    #[error("the file under the blob failed")]
    Io(#[from] std::io::Error),
    /// The file does not start as a blob of version 1.
    #[error("this is not a sealed blob of version 1")]
    NotABlob,
    /// The file is another blob than asked for.
    #[error("this file is blob {found}, expected {expected}")]
    OtherBlob {
        /// The id asked for.
        expected: BlobId,
        /// The id in the file.
        found: BlobId,
    },
    /// Sealed under another session's key.
    #[error("the blob is sealed under another key than the one given")]
    OtherKey,
    /// The header is not what was written.
    #[error("the blob's header was changed after it was sealed")]
    HeaderChanged,
    /// A chunk is not what was written here.
    #[error("chunk {index} of the blob was changed, moved or cut after it was sealed")]
    ChunkChanged {
        /// Its index, from 0.
        index: u64,
    },
    /// Bytes stand behind the final chunk.
    #[error("{bytes} bytes stand behind the end of the blob")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// A chunk of no bytes or of more than [`MAX_CHUNK`].
    #[error("a chunk takes 1 to {MAX_CHUNK} bytes, this has {actual}")]
    ChunkSize {
        /// Bytes given.
        actual: usize,
    },
    /// More than [`MAX_CHUNKS`].
    #[error("a blob takes at most {MAX_CHUNKS} chunks")]
    TooManyChunks,
    /// An earlier write failed in the middle; what follows could not be told from damage.
    #[error("an earlier write to this blob failed, start a new blob")]
    Broken,
    /// The random source failed.
    #[error("the random source gave no bytes")]
    Entropy,
}

/// A blob's id; text form (Display, JSON): 32 lower-case hex digits. Must never be used twice under one session key: it
/// takes part in the nonces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; ID_LEN]);

impl BlobId {
    /// A fresh random id.
    ///
    /// # Errors
    /// When `random` fails.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, Error> {
        let mut bytes = [0; ID_LEN];
        random.fill(&mut bytes).map_err(|_| Error::Entropy)?;
        Ok(Self(bytes))
    }

    /// The id a blob's header names, leaving the file behind it. Says nothing about the blob's truth: whoever keeps
    /// files by name learns here which blob to ask [`Reader::open`] for, and holds its digest against the record.
    ///
    /// # Errors
    /// When the file is no blob.
    pub fn read_from(file: &mut impl std::io::Read) -> Result<Self, Error> {
        const ID_AT: usize = 16;
        let mut start = [0; ID_AT + ID_LEN];
        file.read_exact(&mut start).map_err(|_| Error::NotABlob)?;
        if &start[..MAGIC.len()] != MAGIC {
            return Err(Error::NotABlob);
        }
        Ok(Self(start[ID_AT..].try_into().expect("the rest of the start is an id")))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

/// The text is not 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a blob id is written as 32 lower-case hex digits")]
pub struct NotABlobId;

impl FromStr for BlobId {
    type Err = NotABlobId;

    fn from_str(text: &str) -> Result<Self, NotABlobId> {
        hex::read(text).map(Self).ok_or(NotABlobId)
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

type Header = [u8; HEADER_LEN];

/// One blob's cipher: its own key and its header.
struct Cipher {
    key: LessSafeKey,
    header: Header,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(redacted)")
    }
}

impl Cipher {
    fn create(session: &SessionKey, id: BlobId) -> Self {
        let mut cipher = Self { key: blob_key(session, id), header: plain_header(session, id) };
        let (aad, tag) = cipher.header.split_at_mut(HEADER_LEN - TAG_LEN);
        let made = cipher
            .key
            .seal_in_place_separate_tag(nonce(HEADER_INDEX), Aad::from(aad), &mut [])
            .expect("nothing to encrypt is below the cipher's limit");
        tag.copy_from_slice(made.as_ref());
        cipher
    }

    fn open(session: &SessionKey, id: BlobId, header: Header) -> Result<Self, Error> {
        let expected = plain_header(session, id);
        if header[..16] != expected[..16] {
            return Err(Error::NotABlob);
        }
        let found: [u8; ID_LEN] = header[16..32].try_into().expect("16 bytes");
        if found != id.0 {
            return Err(Error::OtherBlob { expected: id, found: BlobId(found) });
        }
        if header[32..48] != expected[32..48] {
            return Err(Error::OtherKey);
        }
        let cipher = Self { key: blob_key(session, id), header };
        let (aad, tag) = header.split_at(HEADER_LEN - TAG_LEN);
        let opened = cipher.key.open_in_place(nonce(HEADER_INDEX), Aad::from(aad), &mut tag.to_vec()).is_ok();
        if opened { Ok(cipher) } else { Err(Error::HeaderChanged) }
    }

    fn aad(&self, head: Head) -> [u8; HEADER_LEN + HEAD_LEN] {
        let mut aad = [0; HEADER_LEN + HEAD_LEN];
        aad[..HEADER_LEN].copy_from_slice(&self.header);
        aad[HEADER_LEN..].copy_from_slice(&head.to_bytes());
        aad
    }

    /// Encrypts `text` in place and appends the tag. The index is authenticated as the nonce.
    fn seal(&self, index: u64, head: Head, text: &mut [u8]) -> [u8; TAG_LEN] {
        self.key
            .seal_in_place_separate_tag(nonce(index), Aad::from(self.aad(head)), text)
            .expect("a chunk is below the cipher's limit")
            .as_ref()
            .try_into()
            .expect("GCM's tag has 16 bytes")
    }

    fn unseal<'a>(&self, index: u64, head: Head, sealed: &'a mut [u8]) -> Result<&'a [u8], Error> {
        self.key
            .open_in_place(nonce(index), Aad::from(self.aad(head)), sealed)
            .map(|text| &*text)
            .map_err(|_| Error::ChunkChanged { index })
    }
}

/// The four bytes before each chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    last: bool,
    len: u32,
}

impl Head {
    fn to_bytes(self) -> [u8; HEAD_LEN] {
        (self.len | if self.last { FINAL_BIT } else { 0 }).to_be_bytes()
    }

    /// `None` when no writer writes such a head.
    fn from_bytes(bytes: [u8; HEAD_LEN]) -> Option<Self> {
        let raw = u32::from_be_bytes(bytes);
        let head = Self { last: raw & FINAL_BIT != 0, len: raw & !FINAL_BIT };
        let len = usize::try_from(head.len).ok()?;
        let sound = if head.last { len == FINAL_LEN } else { (1..=MAX_CHUNK).contains(&len) };
        sound.then_some(head)
    }
}

fn plain_header(session: &SessionKey, id: BlobId) -> Header {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(MAGIC);
    header[8] = VERSION;
    header[9] = SUITE;
    let max_chunk = u32::try_from(MAX_CHUNK).expect("1 MiB fits");
    header[12..16].copy_from_slice(&max_chunk.to_be_bytes());
    header[16..32].copy_from_slice(&id.0);
    // A digest of a random 256-bit key tells nothing about it, and lets a wrong key be named as such.
    let key_id = digest::concat(&[KEY_ID_CONTEXT, session.expose()]);
    header[32..48].copy_from_slice(&key_id.0[..16]);
    header
}

fn blob_key(session: &SessionKey, id: BlobId) -> LessSafeKey {
    let secret = Salt::new(HKDF_SHA256, &id.0).extract(session.expose());
    let key = secret.expand(&[KEY_CONTEXT], &AES_256_GCM).expect("32 bytes are within HKDF's limit");
    LessSafeKey::new(UnboundKey::from(key))
}

fn nonce(index: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&index.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// The chain over a blob's plaintext, for whoever holds that: what the writer's head was after the same chunks.
#[derive(Debug, Clone, Copy)]
pub struct Chain(Digest);

impl Default for Chain {
    fn default() -> Self {
        Self(crate::chain::GENESIS)
    }
}

impl Chain {
    /// The next chunk.
    pub fn push(&mut self, text: &[u8]) {
        self.0 = chain_chunk(&self.0, text);
    }

    /// The head over the chunks so far.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.0
    }
}

/// The chain over a blob's plaintext: each head covers a chunk's digest and all chunks before it.
fn chain_chunk(head: &Digest, text: &[u8]) -> Digest {
    digest::concat(&[head.as_bytes(), digest::sha256(text).as_bytes()])
}

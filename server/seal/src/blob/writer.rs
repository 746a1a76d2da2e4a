use std::io::Write;

use super::{
    BlobId, Cipher, Error, FINAL_LEN, HEADER_LEN, Head, MAX_CHUNK, MAX_CHUNKS, SessionKey, TAG_LEN,
    chain_chunk,
};
use crate::chain::GENESIS;
use crate::digest::{Digest, Running};

/// Appends chunks to a new blob and can do nothing else: no byte once written is touched again.
///
/// Every chunk leaves in one `write_all`; making it durable (`fsync`) is the caller's, through [`Writer::get_mut`].
#[derive(Debug)]
pub struct Writer<W> {
    file: W,
    id: BlobId,
    cipher: Cipher,
    chunks: u64,
    plain_bytes: u64,
    sealed_bytes: u64,
    sealed: Running,
    plain: Running,
    head: Digest,
    broken: bool,
}

/// What a finished blob amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The blob.
    pub id: BlobId,
    /// Chunks, the final one not counted.
    pub chunks: u64,
    /// Bytes of plaintext.
    pub plain_bytes: u64,
    /// Bytes of the file.
    pub sealed_bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// SHA-256 of the plaintext: what a record lists as evidence, so that who holds the plain file can check it.
    pub plain_sha256: Digest,
    /// Head of the hash chain over the plaintext chunks.
    pub head: Digest,
}

impl<W: Write> Writer<W> {
    /// Starts blob `id` in the empty `file` and writes its header. `id` must be fresh: after a crash a recording goes
    /// on in a new blob.
    ///
    /// # Errors
    /// When the write fails.
    pub fn create(mut file: W, key: &SessionKey, id: BlobId) -> Result<Self, Error> {
        let cipher = Cipher::create(key, id);
        file.write_all(&cipher.header)?;
        let mut sealed = Running::default();
        sealed.update(&cipher.header);
        Ok(Self {
            file,
            id,
            cipher,
            chunks: 0,
            plain_bytes: 0,
            sealed_bytes: HEADER_LEN as u64,
            sealed,
            plain: Running::default(),
            head: GENESIS,
            broken: false,
        })
    }

    /// Seals `text` (1 to [`MAX_CHUNK`] bytes) as the next chunk; returns its index.
    ///
    /// # Errors
    /// When the size is out of bounds, the blob is full, or the write fails; after a failed write the blob takes
    /// nothing more and reads up to its last whole chunk.
    pub fn append(&mut self, text: &[u8]) -> Result<u64, Error> {
        if !(1..=MAX_CHUNK).contains(&text.len()) {
            return Err(Error::ChunkSize { actual: text.len() });
        }
        if self.chunks == MAX_CHUNKS {
            return Err(Error::TooManyChunks);
        }
        self.put(false, text)?;
        self.head = chain_chunk(&self.head, text);
        self.plain.update(text);
        self.plain_bytes += text.len() as u64;
        let index = self.chunks;
        self.chunks += 1;
        Ok(index)
    }

    /// Seals `text` of any length as as many chunks as it takes; of no bytes, none.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_all(&mut self, text: &[u8]) -> Result<(), Error> {
        text.chunks(MAX_CHUNK).try_for_each(|part| self.append(part).map(drop))
    }

    /// Writes the final chunk. Without it a reader reports the blob as unfinished.
    ///
    /// # Errors
    /// When the write fails.
    pub fn finish(mut self) -> Result<(W, Summary), Error> {
        let mut end = [0; FINAL_LEN];
        end[..8].copy_from_slice(&self.plain_bytes.to_be_bytes());
        end[8..].copy_from_slice(self.head.as_bytes());
        self.put(true, &end)?;
        self.file.flush()?;
        let summary = self.so_far();
        Ok((self.file, summary))
    }

    /// The summary of what is written so far.
    #[must_use]
    pub fn so_far(&self) -> Summary {
        Summary {
            id: self.id,
            chunks: self.chunks,
            plain_bytes: self.plain_bytes,
            sealed_bytes: self.sealed_bytes,
            sha256: self.sealed.digest(),
            plain_sha256: self.plain.digest(),
            head: self.head,
        }
    }

    /// The file under the blob, to sync it.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.file
    }

    fn put(&mut self, last: bool, text: &[u8]) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let head = Head { last, len: u32::try_from(text.len()).expect("at most MAX_CHUNK") };
        let head_bytes = head.to_bytes();
        // Of its own: a recording's chunks are seconds apart, and hundreds of them must not keep room for one each.
        let mut sealed = Vec::with_capacity(head_bytes.len() + text.len() + TAG_LEN);
        sealed.extend_from_slice(&head_bytes);
        sealed.extend_from_slice(text);
        let tag = self.cipher.seal(self.chunks, head, &mut sealed[head_bytes.len()..]);
        sealed.extend_from_slice(&tag);
        // Set before the write: this index has been used as a nonce, whatever becomes of the bytes.
        self.broken = true;
        self.file.write_all(&sealed)?;
        self.broken = false;
        self.sealed.update(&sealed);
        self.sealed_bytes += sealed.len() as u64;
        Ok(())
    }
}

/// A whole blob in memory, for stills and photos.
///
/// # Errors
/// When `text` is beyond [`MAX_CHUNKS`] chunks.
pub fn seal_bytes(key: &SessionKey, id: BlobId, text: &[u8]) -> Result<(Vec<u8>, Summary), Error> {
    let mut writer = Writer::create(Vec::new(), key, id)?;
    writer.append_all(text)?;
    writer.finish()
}

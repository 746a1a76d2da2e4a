use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::{
    BlobId, Cipher, Error, FINAL_LEN, HEAD_LEN, HEADER_LEN, Head, MAX_CHUNKS, SessionKey, TAG_LEN,
    chain_chunk,
};
use crate::chain::GENESIS;
use crate::digest::Digest;

/// How a blob ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its final chunk: nothing is missing.
    Finished,
    /// Without: a crash, a cut, or a recording still going on.
    Unfinished {
        /// Bytes behind the last whole chunk, which cannot be read.
        torn_bytes: u64,
    },
}

/// What may be torn at the end of a file after a power cut: whoever writes syncs far more often.
const TORN_MAX: u64 = 2 * 1024 * 1024;

/// Opens a sealed blob. Reads chunk by chunk ([`Reader::next_chunk`]) or as a plain `Read + Seek` over the plaintext,
/// which is what an HTTP range request needs. Every byte handed out has been authenticated.
#[derive(Debug)]
pub struct Reader<R> {
    file: R,
    cipher: Cipher,
    index: Vec<Entry>,
    ending: Ending,
    /// What the final chunk says the chain's head is.
    sealed_head: Option<Digest>,
    plain_len: u64,
    position: u64,
    /// The chunk last opened, and its plaintext.
    current: Option<usize>,
    buffer: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its head stands in the file.
    sealed_at: u64,
    /// Where its text stands in the plaintext.
    plain_at: u64,
    len: u32,
}

impl Entry {
    /// Where the next one stands in the file.
    fn end(&self) -> u64 {
        self.sealed_at + (HEAD_LEN + TAG_LEN) as u64 + u64::from(self.len)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// As [`Reader::open`], for a file that a power cut may have left: of its last bytes each sector may be missing, so that
    /// a whole head can stand before bytes that were never written. What does not open within the last 2 MiB of a file
    /// without a good end counts as torn, and what stands before it reads; behind a good end nothing is torn. Whoever asks whether a blob was changed asks
    /// [`Reader::open`].
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_left(file: R, key: &SessionKey, id: BlobId) -> Result<Self, Error> {
        let mut reader = Self::headed(file, key, id)?;
        let file_len = reader.file.seek(SeekFrom::End(0))?;
        if let Err(error) = reader.scan(file_len) {
            let Error::ChunkChanged { .. } = error else { return Err(error) };
            let at = reader.index.last().map_or(HEADER_LEN as u64, Entry::end);
            reader.ending = Ending::Unfinished { torn_bytes: file_len - at };
        }
        if reader.ending != Ending::Finished {
            reader.leave_out_torn(file_len)?;
        }
        Ok(reader)
    }

    fn leave_out_torn(&mut self, file_len: u64) -> Result<(), Error> {
        let from = self.index.partition_point(|entry| entry.sealed_at + TORN_MAX < file_len);
        for chunk in from..self.index.len() {
            let Entry { sealed_at, plain_at, .. } = self.index[chunk];
            self.position = plain_at;
            match self.load(chunk) {
                Ok(_) => {}
                Err(Error::ChunkChanged { .. }) => {
                    self.index.truncate(chunk);
                    self.plain_len = plain_at;
                    self.ending = Ending::Unfinished { torn_bytes: file_len - sealed_at };
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.position = 0;
        Ok(())
    }

    /// Opens blob `id` and finds its chunks by walking their heads. Bytes appended to the file afterwards are not seen.
    ///
    /// # Errors
    /// When the file is no blob, another blob, under another key, or changed in its header or ending.
    pub fn open(file: R, key: &SessionKey, id: BlobId) -> Result<Self, Error> {
        let mut reader = Self::headed(file, key, id)?;
        let file_len = reader.file.seek(SeekFrom::End(0))?;
        reader.scan(file_len)?;
        Ok(reader)
    }

    fn headed(mut file: R, key: &SessionKey, id: BlobId) -> Result<Self, Error> {
        file.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER_LEN];
        file.read_exact(&mut header).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::NotABlob,
            _ => Error::Io(source),
        })?;
        let cipher = Cipher::open(key, id, header)?;
        Ok(Self {
            file,
            cipher,
            index: Vec::new(),
            ending: Ending::Finished,
            sealed_head: None,
            plain_len: 0,
            position: 0,
            current: None,
            buffer: Vec::new(),
        })
    }

    fn scan(&mut self, file_len: u64) -> Result<(), Error> {
        let mut at = HEADER_LEN as u64;
        loop {
            let Some((head, next)) = self.whole_chunk(at, file_len)? else {
                self.ending = Ending::Unfinished { torn_bytes: file_len - at };
                return Ok(());
            };
            if head.last {
                self.sealed_head = Some(self.read_end(at)?);
                let bytes = file_len - next;
                return if bytes == 0 { Ok(()) } else { Err(Error::Trailing { bytes }) };
            }
            if self.index.len() as u64 == MAX_CHUNKS {
                return Err(Error::TooManyChunks);
            }
            self.index.push(Entry { sealed_at: at, plain_at: self.plain_len, len: head.len });
            self.plain_len += u64::from(head.len);
            at = next;
        }
    }

    /// The head at `at` and where the next one stands, unless the file ends first or no writer made this head.
    fn whole_chunk(&mut self, at: u64, file_len: u64) -> Result<Option<(Head, u64)>, Error> {
        let mut bytes = [0; HEAD_LEN];
        if file_len - at < bytes.len() as u64 {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(Head::from_bytes(bytes).and_then(|head| {
            let next = at + (HEAD_LEN + TAG_LEN) as u64 + u64::from(head.len);
            (next <= file_len).then_some((head, next))
        }))
    }

    /// Opens the final chunk and holds it against the chunks found.
    fn read_end(&mut self, at: u64) -> Result<Digest, Error> {
        let index = self.index.len() as u64;
        let mut sealed = [0; FINAL_LEN + TAG_LEN];
        self.file.seek(SeekFrom::Start(at + HEAD_LEN as u64))?;
        self.file.read_exact(&mut sealed)?;
        let head = Head { last: true, len: u32::try_from(FINAL_LEN).expect("40 fits") };
        let end = self.cipher.unseal(index, head, &mut sealed)?;
        let (total, chain_head) = end.split_at(8);
        if total != self.plain_len.to_be_bytes() {
            return Err(Error::ChunkChanged { index });
        }
        Ok(Digest(chain_head.try_into().expect("the rest of the final chunk is a digest")))
    }

    /// Whether the blob is whole.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Readable chunks.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.index.len() as u64
    }

    /// Readable plaintext bytes.
    #[must_use]
    pub fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// The next chunk from the current position on: the rest of the chunk that the position is in; `None` at the end.
    ///
    /// # Errors
    /// [`Error::ChunkChanged`] when it does not open.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.position >= self.plain_len {
            return Ok(None);
        }
        let chunk = self.index.partition_point(|entry| entry.plain_at <= self.position) - 1;
        let from = self.load(chunk)?;
        let rest = &self.buffer[from..from + self.left_in(chunk)];
        self.position += rest.len() as u64;
        Ok(Some(rest))
    }

    /// Opens every chunk and, in a finished blob, holds the chain against its final chunk. Returns the chain's head;
    /// the position is afterwards at the end.
    ///
    /// # Errors
    /// As [`Reader::next_chunk`].
    pub fn verify(&mut self) -> Result<Digest, Error> {
        self.position = 0;
        let mut head = GENESIS;
        while let Some(text) = self.next_chunk()? {
            head = chain_chunk(&head, text);
        }
        match self.sealed_head {
            Some(sealed) if sealed != head => Err(Error::ChunkChanged { index: self.chunks() }),
            _ => Ok(head),
        }
    }

    /// Bytes from the position to the end of chunk `chunk`, which it is in.
    fn left_in(&self, chunk: usize) -> usize {
        let entry = self.index[chunk];
        usize::try_from(entry.plain_at + u64::from(entry.len) - self.position).expect("at most MAX_CHUNK")
    }

    /// Opens chunk `chunk` into the buffer; returns where in it the position is.
    fn load(&mut self, chunk: usize) -> Result<usize, Error> {
        let Entry { sealed_at, plain_at, len } = self.index[chunk];
        if self.current != Some(chunk) {
            self.current = None;
            self.file.seek(SeekFrom::Start(sealed_at + HEAD_LEN as u64))?;
            self.buffer.resize(len as usize + TAG_LEN, 0);
            self.file.read_exact(&mut self.buffer)?;
            self.cipher.unseal(chunk as u64, Head { last: false, len }, &mut self.buffer)?;
            self.current = Some(chunk);
        }
        Ok(usize::try_from(self.position - plain_at).expect("within one chunk"))
    }
}

impl<R: Read + Seek> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.plain_len || into.is_empty() {
            return Ok(0);
        }
        let chunk = self.index.partition_point(|entry| entry.plain_at <= self.position) - 1;
        let from = self.load(chunk).map_err(|source| match source {
            Error::Io(source) => source,
            source => io::Error::new(io::ErrorKind::InvalidData, source),
        })?;
        let len = self.left_in(chunk).min(into.len());
        into[..len].copy_from_slice(&self.buffer[from..from + len]);
        self.position += len as u64;
        Ok(len)
    }
}

impl<R> Seek for Reader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.plain_len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the start of the blob")
        })?;
        Ok(self.position)
    }
}

/// The whole plaintext of a finished blob in memory, for stills and photos.
///
/// # Errors
/// As [`Reader::open`] and [`Reader::next_chunk`]; an unfinished blob is refused as changed at its missing end.
pub fn open_bytes(sealed: &[u8], key: &SessionKey, id: BlobId) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::open(Cursor::new(sealed), key, id)?;
    if reader.ending() != Ending::Finished {
        return Err(Error::ChunkChanged { index: reader.chunks() });
    }
    reader.verify()?;
    reader.position = 0;
    let mut text = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        text.extend_from_slice(chunk);
    }
    Ok(text)
}

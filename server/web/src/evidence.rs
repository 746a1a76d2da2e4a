//! What the front door asks of the sealed evidence.

use std::io::{self, Read, Seek};
use synaq_core::ids::SessionId;

/// Plaintext of a piece of evidence, opened for reading; each byte handed out is authenticated.
pub trait Plain: Read + Seek + Send {}

impl<T: Read + Seek + Send> Plain for T {}

/// An opened piece of evidence.
pub struct Opened {
    /// The plaintext
    pub plain: Box<dyn Plain>,
    /// Its length in bytes, as far as it can be read
    pub bytes: u64,
    /// It was cut off: readable up to its last whole chunk
    pub unfinished: bool,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Why a piece cannot be opened whose key was destroyed under retention; inside an error of kind `NotFound`.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it was erased when its time was over")]
pub struct Erased;

impl Erased {
    /// Whether that is why.
    #[must_use]
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

impl From<Erased> for io::Error {
    fn from(erased: Erased) -> Self {
        Self::new(io::ErrorKind::NotFound, erased)
    }
}

/// Sealed evidence by session and name. All calls may block and run on blocking threads.
pub trait Evidence: Send + Sync {
    /// Opens a piece of evidence.
    ///
    /// # Errors
    /// `NotFound` when there is none of that name; otherwise what the disk or the seal says.
    fn open(&self, session: SessionId, name: &str) -> io::Result<Opened>;

    /// Seals `bytes` under `name`, durably.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; otherwise what the disk says.
    fn store(&self, session: SessionId, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Names of everything that lies there, in no order.
    ///
    /// # Errors
    /// What the disk says.
    fn names(&self, session: SessionId) -> io::Result<Vec<String>>;
}

//! What a store can answer instead of Ok.

use synaq_core::ids::SessionId;

/// Nothing of the call was stored, except where the text says that it is unknown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another node took the lease: this one must stop speaking for the store
    #[error("another process took over this store; stop this one")]
    Fenced,
    /// Position already taken: the copy in memory is behind the log
    #[error("position {seq} of stream {stream} is taken; reload the stream")]
    Duplicate {
        /// Whose
        stream: uuid::Uuid,
        /// Which
        seq: u64,
    },
    /// One session's part of a batch contradicts what is stored; nothing of the batch was stored. Without that part
    /// the rest can be sent again
    #[error("the part of session {session} was refused: {why}")]
    Refused {
        /// Whose
        session: uuid::Uuid,
        /// Which rule it breaks
        why: &'static str,
    },
    /// The row was changed by somebody else since it was read
    #[error("somebody else changed this meanwhile; look at it again")]
    Changed,
    /// A sitting has no room for so many
    #[error("the sitting takes {capacity} candidates")]
    Full {
        /// In all
        capacity: u32,
    },
    /// A unique value is taken
    #[error("{0} is taken; choose another")]
    Taken(&'static str),
    /// No such row for this centre
    #[error("there is no such row")]
    NotFound,
    /// No room on the disk; nothing was stored
    #[error("the disk is full; free space, then go on")]
    DiskFull,
    /// The engine does not answer, or failed in the middle: whether it was stored is unknown, reload
    #[error("the store does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored bytes cannot be read back
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Configuration or migration
    #[error("the store cannot be opened: {0}")]
    Open(String),
}

impl Error {
    /// Why a second record of a session is [`Error::Refused`].
    pub const SEALED_ALREADY: &'static str = "it has a record already";
    /// Why an approval is [`Error::Refused`].
    pub const NOT_SEALED: &'static str = "it has no record to approve";
    /// Why a message is [`Error::Refused`].
    pub const MESSAGE_TAKEN: &'static str = "its message's id is taken";

    /// Whose part of the batch was refused; none if the batch failed for another reason.
    #[must_use]
    pub fn refused_session(&self) -> Option<SessionId> {
        match self {
            Self::Duplicate { stream: session, .. } | Self::Refused { session, .. } => {
                Some(SessionId(*session))
            }
            _ => None,
        }
    }
}

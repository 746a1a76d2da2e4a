//! What a store can answer instead of Ok.

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

//! What the runtime asks of the outside; the binary provides it.

use async_trait::async_trait;
use std::sync::Arc;
use synaq_core::decision::RecordFacts;
use synaq_core::ids::{SessionId, StaffId};
use synaq_core::session::{Context, Creation, ExamSession};
use synaq_core::time::{At, Span};
use synaq_seal::Digest;
use synaq_store::NewMessage;

/// The real clock, or a test's.
pub trait Clock: Send + Sync {
    /// Now. Never goes backwards within a process.
    fn now(&self) -> At;
}

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Programme, bank and rules
    pub context: Arc<Context>,
    /// Used once, if the stream is empty
    pub creation: Creation,
}

/// What the log digest of a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogDigest {
    /// Number of events
    pub count: u64,
    /// Head of the hash chain
    pub head: Digest,
    /// Root of the Merkle tree over the leaves
    pub root: Digest,
}

/// Why a source cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such session
    #[error("there is no such session")]
    NotFound,
    /// The directory does not answer, or its rows are damaged
    #[error("the session's programme, bank or candidate cannot be read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Directory rows as core's nouns.
#[async_trait]
pub trait SessionSource: Send + Sync {
    /// Everything that replaying or creating a session needs. The draw secret in `creation` is fresh at every call.
    async fn open(&self, session: SessionId) -> Result<Opened, SourceError>;

    /// What the record says and core cannot know: names, numbers, commitments.
    async fn facts(
        &self,
        session: &ExamSession,
        id: SessionId,
        log: LogDigest,
        at: At,
    ) -> Result<RecordFacts, SourceError>;

    /// Full name of a member of staff, for the approval.
    async fn staff_name(&self, staff: StaffId) -> Result<String, SourceError>;
}

/// What the platform answered. The relay verifies the receipt; a bare success is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlatformAnswer {
    /// JWS JSON serialisation
    pub receipt: String,
}

/// Why a delivery failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Network, time-out, 5xx, 408, 429, 401, 403: try again, for ever
    #[error("the platform cannot be reached or does not take messages now: {why}")]
    Retry {
        /// Without personal data
        why: String,
        /// As the platform asked
        after: Option<Span>,
    },
    /// 400, 409, 422: a person must look
    #[error("the platform refused the message: {why}")]
    Refused {
        /// Without personal data
        why: String,
    },
}

/// The way to the central platform.
#[async_trait]
pub trait PlatformPort: Send + Sync {
    /// One attempt, idempotent by the message's id.
    async fn deliver(&self, message: &NewMessage) -> Result<PlatformAnswer, DeliveryError>;
}

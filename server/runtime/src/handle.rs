//! The way in: submit an input, look at a session, watch it.

use crate::shard::Request;
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId, SittingId};
use synaq_core::session::{Effect, ExamSession, Input};
use synaq_core::time::At;
use synaq_seal::Digest;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// A session as it is durable now.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose
    pub id: SessionId,
    /// Everything known
    pub session: Arc<ExamSession>,
    /// Head of the hash chain
    pub head: Digest,
}

/// Proof that a command is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Position of the command's first event
    pub seq: Seq,
    /// When it was stored
    pub at: At,
    /// Head of the hash chain after it
    pub hash: Digest,
}

/// What a submitted input led to, after commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// As core decided
    pub effects: Vec<Effect>,
    /// For `Accepted` with events, and for `AlreadyDone`
    pub receipt: Option<Receipt>,
}

/// Why an input was not decided, or its decision not stored.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The mailbox is full: try again after this long
    #[error("the server is busy")]
    Busy {
        /// Milliseconds
        retry_after_ms: u64,
    },
    /// No such session
    #[error("there is no such session")]
    NotFound,
    /// A text or number that the strict JSON profile does not take: sending it again changes nothing
    #[error("a text or a number is outside its limits")]
    OutsideProfile,
    /// The stored log of this session cannot be replayed: restore it from a backup
    #[error("the session's stored log is damaged")]
    Damaged,
    /// The store failed or the outcome is unknown: resend, it is idempotent
    #[error("the store does not take writes now")]
    Store,
    /// The process is going down
    #[error("the server is restarting")]
    ShuttingDown,
}

/// A session of this sitting changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whose wall
    pub sitting: SittingId,
    /// Which tile
    pub session: SessionId,
}

/// Handle to the shards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) shards: Arc<[mpsc::Sender<Request>]>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) retry_after_ms: u64,
}

impl Handle {
    /// Decides, stores, and only then answers. A full mailbox answers `Busy` at once: answers never wait in a queue
    /// whose length nobody knows.
    pub async fn submit(&self, session: SessionId, input: Input) -> Result<Done, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.post(session, Request::Submit { session, input: Box::new(input), reply: Some(reply) })?;
        answer.await.map_err(|_| SubmitError::ShuttingDown)?
    }

    /// Submits without waiting for the outcome: for facts that come again if they are lost, such as media flow.
    pub fn tell(&self, session: SessionId, input: Input) -> Result<(), SubmitError> {
        self.post(session, Request::Submit { session, input: Box::new(input), reply: None })
    }

    /// The session as it is durable now; creates it on first sight.
    pub async fn look(&self, session: SessionId) -> Result<Snapshot, SubmitError> {
        Ok(self.watch(session).await?.borrow().clone())
    }

    /// The session as it is durable now and after every commit.
    pub async fn watch(&self, session: SessionId) -> Result<watch::Receiver<Snapshot>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.post(session, Request::Watch { session, reply })?;
        answer.await.map_err(|_| SubmitError::ShuttingDown)?
    }

    /// Which sessions change. A receiver that lags must look at its whole wall again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    fn post(&self, session: SessionId, request: Request) -> Result<(), SubmitError> {
        let shard = usize::from(session.0.as_bytes()[15]) % self.shards.len();
        self.shards[shard].try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy { retry_after_ms: self.retry_after_ms },
            mpsc::error::TrySendError::Closed(_) => SubmitError::ShuttingDown,
        })
    }
}

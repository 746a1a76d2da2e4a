//! Sessions are event streams.

use crate::Error;
use crate::outbox::NewMessage;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::Digest;
use uuid::Uuid;

/// The right to append. Taking a new one fences every older one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Which process
    pub node: Uuid,
    /// Grows with every take-over
    pub epoch: u64,
}

/// One event to append.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Whose
    pub stream: SessionId,
    /// Last position + 1
    pub seq: Seq,
    /// Server time
    pub at: At,
    /// The fact's type
    pub kind: String,
    /// JSON of `core::session::Event`
    pub body: String,
    /// Head of the stream's hash chain after this event
    pub hash: Digest,
}

/// An event as it was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Position
    pub seq: Seq,
    /// Server time
    pub at: At,
    /// The fact's type
    pub kind: String,
    /// JSON of `core::session::Event`
    pub body: String,
    /// Head of the stream's hash chain after this event
    pub hash: Digest,
}

/// A sealed record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRecord {
    /// Whose; a session has at most one
    pub session: SessionId,
    /// Canonical bytes, stored verbatim
    pub payload: Vec<u8>,
    /// Of the payload
    pub sha256: Digest,
    /// JWS JSON serialisation of the seal
    pub jws: String,
    /// Which key
    pub kid: String,
    /// When
    pub sealed_at: At,
}

/// The commission's approval of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewApproval {
    /// Whose
    pub session: SessionId,
    /// JWS JSON serialisation of the approval
    pub jws: String,
}

/// A record with everything that was added to it later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRecord {
    /// As it was sealed
    pub record: NewRecord,
    /// JWS of each approval
    pub approvals: Vec<String>,
}

/// Where a session stands, for lists; written with the events it follows from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Whose
    pub session: SessionId,
    /// created | preparing | running | closed | sealed | approved
    pub state: String,
    /// How it ended
    pub finish: Option<String>,
    /// passed | not_passed | no_result
    pub outcome: Option<String>,
    /// Right answers
    pub correct: Option<u16>,
    /// All questions
    pub total: Option<u16>,
    /// Warnings given
    pub warnings: u32,
    /// Incidents by code, without those that a person dismissed
    pub incidents: BTreeMap<String, u32>,
    /// When the exam started
    pub started_at: Option<At>,
    /// When it ended
    pub finished_at: Option<At>,
    /// The session has timers or an open record to see to: the runtime loads it at start
    pub live: bool,
}

impl Summary {
    /// The incidents as stored: JSON, and nothing when there were none.
    ///
    /// # Panics
    /// Never: a map from text to numbers is JSON.
    #[must_use]
    pub fn incidents_json(&self) -> Option<String> {
        let json = || serde_json::to_string(&self.incidents).expect("a map from text to numbers is JSON");
        (!self.incidents.is_empty()).then(json)
    }

    /// Reads what [`Summary::incidents_json`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read_incidents(json: Option<&str>) -> Result<BTreeMap<String, u32>, serde_json::Error> {
        json.map_or_else(|| Ok(BTreeMap::new()), serde_json::from_str)
    }
}

/// What one transaction stores, of many sessions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// In order per stream
    pub events: Vec<Append>,
    /// Newest per session
    pub summaries: Vec<Summary>,
    /// Sealed in this transaction
    pub records: Vec<NewRecord>,
    /// Approved in this transaction
    pub approvals: Vec<NewApproval>,
    /// To deliver
    pub messages: Vec<NewMessage>,
}

/// Proof that `T` is durable. Only [`Committed::by_engine`] makes one, and only engines call it, after their commit
/// returned.
#[derive(Debug)]
pub struct Committed<T>(T);

impl<T> Committed<T> {
    /// For engines, after fsync.
    #[doc(hidden)]
    pub fn by_engine(durable: T) -> Self {
        Self(durable)
    }

    /// What is durable.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// What is durable.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// The log of all sessions. `Ok` means fsynced.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Becomes the one writer; every older lease is fenced from here on.
    async fn take_lease(&self, node: Uuid, at: At) -> Result<Lease, Error>;

    /// Stores the whole batch in one transaction, or nothing. Shared, so that the caller still has it when one session's
    /// part was refused ([`Error::refused_session`] says whose) and the rest can be sent again.
    async fn append(&self, lease: Lease, batch: Arc<Batch>) -> Result<Committed<Arc<Batch>>, Error>;

    /// Events of a stream after a position, in order.
    async fn load(&self, stream: SessionId, after: Seq) -> Result<Vec<Recorded>, Error>;

    /// Sessions whose summary says `live`.
    async fn live(&self) -> Result<Vec<SessionId>, Error>;

    /// "This node was alive at": once a second. Need not be fsynced by itself.
    async fn mark(&self, lease: Lease, at: At) -> Result<(), Error>;

    /// The newest mark of any node before this one; none on a fresh store.
    async fn last_mark(&self) -> Result<Option<At>, Error>;

    /// The sealed record of a session.
    async fn record(&self, session: SessionId) -> Result<Option<StoredRecord>, Error>;

    /// Summaries of those sessions that have one.
    async fn summaries(&self, sessions: &[SessionId]) -> Result<Vec<Summary>, Error>;
}

//! What must reach the central platform: stored with the fact, delivered until a signed receipt closes it.

use crate::Error;
use async_trait::async_trait;
use synaq_core::ids::SessionId;
use synaq_core::time::At;
use synaq_seal::Digest;
use uuid::Uuid;

/// What is delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// The sealed record of the theory stage
    Record,
    /// The commission's approval of it
    Approval,
    /// The notice that the attempt does not count, which came after its record
    Void,
}

impl MessageKind {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Approval => "approval",
            Self::Void => "void",
        }
    }

    /// Reads what [`MessageKind::as_str`] wrote.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        [Self::Record, Self::Approval, Self::Void].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A message to deliver; its id is the idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    /// Idempotency key
    pub id: Uuid,
    /// Whose
    pub session: SessionId,
    /// What
    pub kind: MessageKind,
    /// JWS JSON serialisation
    pub body: String,
    /// Of the signed payload
    pub sha256: Digest,
    /// When
    pub created_at: At,
}

/// A message claimed for one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// What to send
    pub message: NewMessage,
    /// Attempts before this one
    pub attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// A verified receipt, kept for ever
    Accepted {
        /// JWS of the platform
        receipt: String,
        /// The platform's own reference
        platform_ref: String,
    },
    /// Try again then
    Retry {
        /// When
        next_at: At,
        /// Why, without personal data
        why: String,
    },
    /// A person must look; the body is kept
    Refused {
        /// Why
        why: String,
    },
}

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// Waits or is tried again
    Queued,
    /// Closed by a receipt
    Accepted,
    /// Waits for a person
    Refused,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Queued, Self::Accepted, Self::Refused];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    /// Reads what [`DeliveryState::as_str`] wrote.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A message with its fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// What
    pub message: NewMessage,
    /// Where it stands
    pub state: DeliveryState,
    /// How often it was tried
    pub attempts: u32,
    /// The last reason
    pub why: Option<String>,
    /// The platform's receipt
    pub receipt: Option<String>,
    /// The platform's own reference
    pub platform_ref: Option<String>,
    /// When it was accepted or refused, by our clock
    pub settled_at: Option<At>,
}

/// What has not been accepted yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// Waiting, or tried again and again
    pub queued: u64,
    /// When the oldest of those was made
    pub oldest: Option<At>,
    /// Waiting for a person
    pub refused: u64,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims due messages, an approval or notice never before its record was accepted; a claim not settled by
    /// `claimed_until` is due again.
    async fn claim(&self, now: At, claimed_until: At, limit: u32) -> Result<Vec<Claimed>, Error>;

    /// Ends an attempt.
    async fn settle(&self, id: Uuid, at: At, settlement: Settlement) -> Result<(), Error>;

    /// All messages of those sessions, oldest first.
    async fn deliveries(&self, sessions: &[SessionId]) -> Result<Vec<Delivery>, Error>;

    /// When the next message is due; none when nothing waits.
    async fn next_due(&self) -> Result<Option<At>, Error>;

    /// How much is not accepted yet, and since when.
    async fn backlog(&self) -> Result<Backlog, Error>;
}

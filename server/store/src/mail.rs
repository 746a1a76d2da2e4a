use crate::Error;
use async_trait::async_trait;
use synaq_core::ids::CentreId;
use synaq_core::time::At;
use uuid::Uuid;

/// A letter to be sent. Its subject and text hold a link that is a secret, so they come sealed and are gone once the
/// letter is settled.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// Fresh
    pub id: Uuid,
    /// Whose
    pub centre: CentreId,
    /// `invitation`, `password`, `exam_link`, ...
    pub kind: String,
    /// The id of whoever it is about: a member of staff, a session
    pub about: String,
    /// One mail address
    pub recipient: String,
    /// Subject and text under the installation key
    pub sealed: Vec<u8>,
    /// When
    pub created_at: At,
}

impl std::fmt::Debug for NewLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewLetter").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What became of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LetterState {
    /// On its way
    Queued,
    /// The next mail server took it
    Sent,
    /// Given up: refused, or tried too often
    Failed,
}

impl LetterState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Queued, Self::Sent, Self::Failed];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// A letter as its centre sees it: never what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LetterRow {
    /// Which
    pub id: Uuid,
    /// As posted
    pub kind: String,
    /// As posted
    pub about: String,
    /// As posted
    pub recipient: String,
    /// When it was posted
    pub created_at: At,
    /// What became of it
    pub state: LetterState,
    /// Times it was tried
    pub attempts: u32,
    /// When it was sent or given up
    pub settled_at: Option<At>,
    /// What the last attempt ended with, unless it was sent
    pub why: Option<String>,
}

/// A letter somebody has to try now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedLetter {
    /// As posted
    pub letter: NewLetter,
    /// Times it was tried before
    pub attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LetterEnd {
    /// The next mail server took it
    Sent,
    /// Not yet
    Retry {
        /// When to try again
        next_at: At,
        /// What happened
        why: String,
    },
    /// Never
    Failed {
        /// What happened
        why: String,
    },
}

/// What waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MailBacklog {
    /// On their way
    pub queued: u64,
    /// When the oldest of them was posted
    pub oldest: Option<At>,
    /// Given up, of all time
    pub failed: u64,
}

/// Letters of all centres, on their way until a mail server has taken them.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Posts letters, all or none; `Taken("letter")` when an id is known.
    async fn post_letters(&self, letters: Vec<NewLetter>) -> Result<(), Error>;
    /// Takes letters that are due, the longest due first, out of everybody's sight until `claimed_until`: a sender that
    /// dies loses none.
    async fn claim_letters(
        &self,
        now: At,
        claimed_until: At,
        limit: u32,
    ) -> Result<Vec<ClaimedLetter>, Error>;
    /// Notes how an attempt ended. A letter that is settled stays as it is.
    async fn settle_letter(&self, id: Uuid, at: At, end: LetterEnd) -> Result<(), Error>;
    /// When the next letter is due.
    async fn next_letter_due(&self) -> Result<Option<At>, Error>;
    /// Letters of a centre about any of these; newest first.
    async fn letters(&self, centre: CentreId, about: &[String]) -> Result<Vec<LetterRow>, Error>;
    /// What waits, of all centres.
    async fn mail_backlog(&self) -> Result<MailBacklog, Error>;
}

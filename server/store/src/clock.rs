use crate::Error;
use async_trait::async_trait;
use synaq_core::time::At;

/// How the server's clock stood beside another one at an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockMark {
    /// By the server's clock
    pub at: At,
    /// `start` of a process, `wall` for the machine's clock, or the name of a time server
    pub source: String,
    /// The server's clock less the other one, ms; none when the other did not answer
    pub ahead_ms: Option<i64>,
    /// The difference is true to so many ms
    pub within_ms: Option<i64>,
    /// Why there is none
    pub why: Option<String>,
}

/// What is known of the server's clock.
#[async_trait]
pub trait Clocks: Send + Sync {
    /// Keeps a mark for good.
    async fn note_clock(&self, mark: ClockMark) -> Result<(), Error>;
    /// Marks in `from..=to`, oldest first; the last mark of each source before `from` comes first.
    async fn clock_marks(&self, from: At, to: At, limit: u32) -> Result<Vec<ClockMark>, Error>;
}

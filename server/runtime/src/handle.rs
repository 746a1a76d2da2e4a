//! The way in: submit an input, look at a session, watch it.

use crate::changes::{Change, Changes};
use crate::driver::Driver;
use crate::memory::Away;
use crate::shard::{Ask, Request};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use synaq_core::ids::{Seq, SessionId, SittingId};
use synaq_core::session::{Effect, ExamSession, Input};
use synaq_core::time::At;
use synaq_seal::Digest;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

/// Of a mailbox, this part is kept for people: what media say comes again and may be refused earlier.
const KEPT_FOR_PEOPLE: usize = 4;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
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

impl SubmitError {
    const fn why(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::NotFound => "not_found",
            Self::OutsideProfile => "outside_profile",
            Self::Damaged => "damaged",
            Self::Store => "store",
            Self::ShuttingDown => "shutting_down",
        }
    }

    fn count(&self) {
        metrics::counter!("synaq_submit_refused_total", "why" => self.why()).increment(1);
    }
}

/// An input that lies in its mailbox; resolves once it is decided and stored. Dropping it takes nothing back.
#[derive(Debug)]
pub struct Asked(oneshot::Receiver<Result<Done, SubmitError>>);

impl Future for Asked {
    type Output = Result<Done, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| {
            let done = answer.unwrap_or(Err(SubmitError::ShuttingDown));
            done.inspect_err(SubmitError::count)
        })
    }
}

/// A shard as those outside see it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) mailbox: mpsc::Sender<Request>,
    /// Of a shard that has a thread of its own
    pub(crate) driver: Option<Arc<Driver>>,
}

/// Handle to the shards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) shards: Arc<[Door]>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) retry_after_ms: u64,
    /// Of each shard
    pub(crate) away: Arc<[watch::Receiver<Away>]>,
}

impl Handle {
    /// Decides, stores, and only then answers. A full mailbox answers `Busy` at once: answers never wait in a queue
    /// whose length nobody knows.
    pub async fn submit(&self, session: SessionId, input: Input) -> Result<Done, SubmitError> {
        self.ask(session, input)?.await
    }

    /// Puts an input into its mailbox now and answers later, as [`Self::submit`] does.
    ///
    /// # Errors
    /// `Busy` or `ShuttingDown`, at once.
    pub fn ask(&self, session: SessionId, input: Input) -> Result<Asked, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.post_input(session, input, Some(reply)).inspect_err(SubmitError::count)?;
        Ok(Asked(answer))
    }

    /// How full the fullest mailbox is, in per cent. What can wait gives way to answers before they are refused.
    #[must_use]
    pub fn fill_pct(&self) -> u8 {
        let fill = |Door { mailbox, .. }: &Door| {
            let (depth, free) = (mailbox.max_capacity(), mailbox.capacity());
            u8::try_from(depth.saturating_sub(free) * 100 / depth.max(1)).unwrap_or(100)
        };
        self.shards.iter().map(fill).max().unwrap_or(0)
    }

    /// Submits without waiting for the outcome: for facts that come again if they are lost, such as media flow.
    pub fn tell(&self, session: SessionId, input: Input) -> Result<(), SubmitError> {
        self.post_input(session, input, None)
    }

    /// The session as it is durable now; creates it on first sight.
    pub async fn look(&self, session: SessionId) -> Result<Snapshot, SubmitError> {
        Ok(self.watch(session).await?.borrow().clone())
    }

    /// The session as it is durable now and after every commit. Receivers are woken by everything but plain answers of
    /// a running exam: those they find when they look, and whoever gave them hears by the acknowledgement.
    pub async fn watch(&self, session: SessionId) -> Result<watch::Receiver<Snapshot>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.post(session, Ask::Watch { reply }, 0)?;
        answer.await.map_err(|_| SubmitError::ShuttingDown)?
    }

    /// Running exams, and those whose record is not sealed, that are not in memory yet: left by the process before, or
    /// lost with a commit that failed. They come back by themselves, and before the others if somebody asks for them.
    #[must_use]
    pub fn coming_back(&self) -> usize {
        self.away.iter().map(|shard| shard.borrow().sessions).sum()
    }

    /// Returns once nobody is [`Self::coming_back`], or the runtime has ended.
    pub async fn everybody_back(&self) {
        for shard in self.away.iter() {
            // A shard that has ended brings nobody back.
            let _ = shard.clone().wait_for(|away| away.sessions == 0).await;
        }
    }

    /// Which sessions change, by more than plain answers. A receiver that lags must look at all of them again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.all()
    }

    /// Which sessions of one sitting change, answers too. A receiver that lags must look at its whole wall again.
    #[must_use]
    pub fn changes_of(&self, sitting: SittingId) -> broadcast::Receiver<Change> {
        self.changes.of(sitting)
    }

    fn post_input(
        &self,
        session: SessionId,
        input: Input,
        reply: Option<oneshot::Sender<Result<Done, SubmitError>>>,
    ) -> Result<(), SubmitError> {
        let kept = match &input {
            Input::Media(_) => KEPT_FOR_PEOPLE,
            _ => 0,
        };
        self.post(session, Ask::Submit { input: Box::new(input), reply }, kept)
    }

    /// Posts if a mailbox has room, after the part that is `kept` (one in so many places; 0 for none) for others.
    fn post(&self, session: SessionId, ask: Ask, kept: usize) -> Result<(), SubmitError> {
        let busy = SubmitError::Busy { retry_after_ms: self.retry_after_ms };
        let Door { mailbox, driver } = &self.shards[shard_of(session, self.shards.len())];
        if kept > 0 && mailbox.capacity() < mailbox.max_capacity() / kept {
            return Err(busy);
        }
        let waits = matches!(&ask, Ask::Submit { reply: Some(_), .. });
        let request = Request { session, ask, posted: Instant::now() };
        // Lent before the post, or the post would wake the shard's own thread.
        let lent = driver.as_ref().filter(|_| waits).and_then(Driver::lend);
        mailbox.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::ShuttingDown,
        })?;
        if let Some(lent) = lent {
            lent.work();
        }
        Ok(())
    }
}

/// Which of the shards owns a session: by all bytes of its id, whoever made it and however.
pub(crate) fn shard_of(session: SessionId, shards: usize) -> usize {
    // Fibonacci hashing: neighbouring ids fall apart.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let (high, low) = session.0.as_u64_pair();
    let mixed = (high ^ low).wrapping_mul(GOLDEN) >> 32;
    usize::try_from(mixed).unwrap_or(0) % shards
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_shard_gets_its_share_of_ids_of_any_kind() {
        const SHARDS: usize = 4;
        const SESSIONS: u32 = 4_000;
        let kinds: [fn(u32) -> Uuid; 3] = [
            |n| Uuid::from_u128(n.into()),
            |n| Uuid::from_u128(u128::from(n) << 64),
            |n| {
                uuid::Builder::from_unix_timestamp_millis(1_795_161_600_000 + u64::from(n), &[7; 10])
                    .into_uuid()
            },
        ];
        for kind in kinds {
            let mut shares = [0_u32; SHARDS];
            for n in 0..SESSIONS {
                shares[shard_of(SessionId(kind(n)), SHARDS)] += 1;
            }
            assert!(shares.iter().all(|share| (800..=1_200).contains(share)), "{shares:?}");
        }
    }
}

//! Holds and erasures: what keeps a session's evidence, and what became of it.

use crate::Error;
use async_trait::async_trait;
use synaq_core::ids::{CentreId, SessionId, StaffId};
use synaq_core::retention::{DataClass, Standing};
use synaq_core::time::At;

/// Why evidence is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// Somebody appeals against the result (LAW-41)
    Appeal,
    /// Another reason of the centre, the commission or a court
    Centre,
}

impl Ground {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Appeal, Self::Centre];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Appeal => "appeal",
            Self::Centre => "centre",
        }
    }
}

/// A hold on a session's evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldRow {
    /// Whose evidence
    pub session: SessionId,
    /// On what ground
    pub ground: Ground,
    /// In words
    pub reason: String,
    /// When
    pub placed_at: At,
    /// By whom
    pub placed_by: StaffId,
    /// None while it holds
    pub lifted: Option<Lifted>,
}

/// The end of a hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lifted {
    /// When
    pub at: At,
    /// By whom
    pub by: StaffId,
    /// Why
    pub note: String,
}

/// How far the erasing of one class of one session has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErasureRow {
    /// Whose
    pub session: SessionId,
    /// What
    pub class: DataClass,
    /// By which rule: `recordings_days=120`
    pub rule: String,
    /// When it was meant to go
    pub begun_at: At,
    /// When its key was destroyed
    pub destroyed_at: Option<At>,
    /// When its files were gone too
    pub done_at: Option<At>,
    /// JWS of the statement about it, when there is a record it can be held against
    pub statement: Option<String>,
}

/// A session whose evidence is not all erased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRow {
    /// Whose
    pub session: SessionId,
    /// Of which centre
    pub centre: CentreId,
    /// What its periods depend on
    pub standing: Standing,
}

/// Holds and erasures of all centres.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Places a hold, which also takes back every erasure of that session whose key is still there; `Taken("hold")` when
    /// one is open, `NotFound` for another centre's session.
    async fn place_hold(&self, centre: CentreId, hold: HoldRow) -> Result<(), Error>;
    /// Lifts the open hold; `NotFound` when there is none, or the session is another centre's.
    async fn lift_hold(&self, centre: CentreId, session: SessionId, lifted: Lifted) -> Result<(), Error>;
    /// All holds of a session, oldest first.
    async fn holds(&self, session: SessionId) -> Result<Vec<HoldRow>, Error>;

    /// Sessions after that one, by id, whose sitting closed before that moment and of which a class is not erased.
    async fn kept(&self, after: Option<SessionId>, closed: At, limit: u32) -> Result<Vec<KeptRow>, Error>;
    /// What was erased of a session or is being erased, by class.
    async fn erasures(&self, session: SessionId) -> Result<Vec<ErasureRow>, Error>;
    /// All erasures that were begun and are not done, by session.
    async fn open_erasures(&self) -> Result<Vec<ErasureRow>, Error>;

    /// Notes that a class is to go; once noted it stays as it was noted first. `Taken("hold")` when a hold is open.
    async fn begin_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        rule: &str,
        at: At,
    ) -> Result<(), Error>;
    /// Overwrites the key of a class in the session's row, as durably as any commit: the wrapped key that was there, if
    /// it was. `NotFound` when its erasure was never begun or was taken back by a hold.
    async fn destroy_key(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
    ) -> Result<Option<Vec<u8>>, Error>;
    /// Sees that none of these bytes can be read from where the engine keeps its rows any more; without any, clears out
    /// whatever was overwritten. May take as long as copying the database.
    async fn forget(&self, gone: &[Vec<u8>]) -> Result<(), Error>;
    /// Notes that the class is erased, with an entry in the audit log. `NotFound` before its key was destroyed.
    async fn end_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
        statement: Option<String>,
    ) -> Result<(), Error>;
}

/// The audit log's word for a class that is gone.
pub const ERASED: &str = "evidence_erased";

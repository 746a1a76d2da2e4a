//! Holds and erasures.

mod erasure;
mod forget;
mod hold;

use crate::open::SqliteStore;
use async_trait::async_trait;
use synaq_core::ids::{CentreId, SessionId};
use synaq_core::retention::DataClass;
use synaq_core::time::At;
use synaq_store::{ErasureRow, Error, HoldRow, KeptRow, Lifted, Retention};

#[async_trait]
impl Retention for SqliteStore {
    async fn place_hold(&self, centre: CentreId, hold: HoldRow) -> Result<(), Error> {
        hold::place(self, centre, &hold).await
    }

    async fn lift_hold(&self, centre: CentreId, session: SessionId, lifted: Lifted) -> Result<(), Error> {
        hold::lift(self, centre, session, &lifted).await
    }

    async fn holds(&self, session: SessionId) -> Result<Vec<HoldRow>, Error> {
        hold::of(self, session).await
    }

    async fn kept(&self, after: Option<SessionId>, closed: At, limit: u32) -> Result<Vec<KeptRow>, Error> {
        erasure::kept(self, after, closed, limit).await
    }

    async fn erasures(&self, session: SessionId) -> Result<Vec<ErasureRow>, Error> {
        erasure::of(self, session).await
    }

    async fn open_erasures(&self) -> Result<Vec<ErasureRow>, Error> {
        erasure::open(self).await
    }

    async fn begin_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        rule: &str,
        at: At,
    ) -> Result<(), Error> {
        erasure::begin(self, session, class, rule, at).await
    }

    async fn destroy_key(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
    ) -> Result<Option<Vec<u8>>, Error> {
        erasure::destroy_key(self, session, class, at).await
    }

    async fn forget(&self, gone: &[Vec<u8>]) -> Result<(), Error> {
        forget::forget(self, gone).await
    }

    async fn end_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
        statement: Option<String>,
    ) -> Result<(), Error> {
        erasure::end(self, session, class, at, statement).await
    }
}

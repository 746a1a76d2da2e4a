use super::{Disk, SimStore};
use crate::{AuditEntry, ERASED, ErasureRow, Error, HoldRow, KeptRow, Lifted, Retention};
use async_trait::async_trait;
use synaq_core::ids::{CentreId, SessionId};
use synaq_core::retention::{DataClass, Standing};
use synaq_core::time::At;
use synaq_seal::shares::strike;

#[async_trait]
impl Retention for SimStore {
    async fn place_hold(&self, centre: CentreId, hold: HoldRow) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.own(centre, hold.session)?;
        if disk.held(hold.session) {
            return Err(Error::Taken("hold"));
        }
        disk.erasures.retain(|(session, _), row| *session != hold.session || row.destroyed_at.is_some());
        disk.holds.push(hold);
        Ok(())
    }

    async fn lift_hold(&self, centre: CentreId, session: SessionId, lifted: Lifted) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.own(centre, session)?;
        let mut open = disk.holds.iter_mut().filter(|hold| hold.session == session && hold.lifted.is_none());
        open.next().ok_or(Error::NotFound)?.lifted = Some(lifted);
        Ok(())
    }

    async fn holds(&self, session: SessionId) -> Result<Vec<HoldRow>, Error> {
        Ok(self.disk().holds.iter().filter(|hold| hold.session == session).cloned().collect())
    }

    async fn kept(&self, after: Option<SessionId>, closed: At, limit: u32) -> Result<Vec<KeptRow>, Error> {
        let disk = self.disk();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut rows: Vec<_> = disk
            .candidates
            .iter()
            .filter(|row| after.is_none_or(|after| row.candidate.session > after))
            .filter_map(|row| disk.kept(row.candidate.session, closed))
            .collect();
        rows.sort_by_key(|row| row.session);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn erasures(&self, session: SessionId) -> Result<Vec<ErasureRow>, Error> {
        let disk = self.disk();
        let classes = DataClass::ALL.iter();
        Ok(classes.filter_map(|class| disk.erasures.get(&(session, *class)).cloned()).collect())
    }

    async fn open_erasures(&self) -> Result<Vec<ErasureRow>, Error> {
        Ok(self.disk().erasures.values().filter(|row| row.done_at.is_none()).cloned().collect())
    }

    async fn begin_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        rule: &str,
        at: At,
    ) -> Result<(), Error> {
        let mut disk = self.disk();
        if disk.held(session) {
            return Err(Error::Taken("hold"));
        }
        disk.candidate(session)?;
        disk.erasures.entry((session, class)).or_insert_with(|| ErasureRow {
            session,
            class,
            rule: rule.to_owned(),
            begun_at: at,
            destroyed_at: None,
            done_at: None,
            statement: None,
        });
        Ok(())
    }

    async fn destroy_key(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut disk = self.disk();
        let row = disk.erasures.get_mut(&(session, class)).ok_or(Error::NotFound)?;
        row.destroyed_at.get_or_insert(at);
        let destroyed = |class: &DataClass| {
            disk.erasures.get(&(session, *class)).is_some_and(|row| row.destroyed_at.is_some())
        };
        let last = DataClass::ALL.iter().all(destroyed);
        let place = disk.candidate(session)?;
        let candidate = &mut disk.candidates[place].candidate;
        let struck = strike(&candidate.wrapped_key, class.share(), last);
        candidate.wrapped_key = struck.row;
        Ok(struck.gone)
    }

    async fn forget(&self, _gone: &[Vec<u8>]) -> Result<(), Error> {
        Ok(())
    }

    async fn end_erasure(
        &self,
        session: SessionId,
        class: DataClass,
        at: At,
        statement: Option<String>,
    ) -> Result<(), Error> {
        let mut disk = self.disk();
        let place = disk.candidate(session)?;
        let centre = disk.candidates[place].centre;
        let row = disk.erasures.get_mut(&(session, class)).filter(|row| row.destroyed_at.is_some());
        let row = row.ok_or(Error::NotFound)?;
        if row.done_at.is_some() {
            return Ok(());
        }
        row.done_at = Some(at);
        row.statement = statement;
        let object = format!("{session}/{class}");
        disk.audit.push(AuditEntry { at, centre, staff: None, action: ERASED.to_owned(), object });
        Ok(())
    }
}

impl Disk {
    fn candidate(&self, session: SessionId) -> Result<usize, Error> {
        self.candidates.iter().position(|row| row.candidate.session == session).ok_or(Error::NotFound)
    }

    fn own(&self, centre: CentreId, session: SessionId) -> Result<(), Error> {
        let place = self.candidate(session)?;
        if self.candidates[place].centre == centre { Ok(()) } else { Err(Error::NotFound) }
    }

    fn held(&self, session: SessionId) -> bool {
        self.holds.iter().any(|hold| hold.session == session && hold.lifted.is_none())
    }

    fn kept(&self, session: SessionId, closed: At) -> Option<KeptRow> {
        let row = self.candidates.iter().find(|row| row.candidate.session == session)?;
        let sitting = self.sittings.iter().find(|sitting| sitting.id == row.sitting)?;
        let erased = |class: &DataClass| {
            self.erasures.get(&(session, *class)).is_some_and(|row| row.done_at.is_some())
        };
        if sitting.closes_at >= closed || DataClass::ALL.iter().all(erased) {
            return None;
        }
        let summary = self.summaries.get(&session);
        let approved = |((stream, _), event): (&(SessionId, _), &crate::Recorded)| {
            (*stream == session && event.kind == "record_approved").then_some(event.at)
        };
        let standing = Standing {
            held: self.held(session),
            started: summary.is_some_and(|summary| summary.started_at.is_some()),
            closes_at: sitting.closes_at,
            finished_at: summary.and_then(|summary| summary.finished_at),
            decided_at: self.events.iter().filter_map(approved).next_back(),
        };
        Some(KeptRow { session, centre: row.centre, standing })
    }
}

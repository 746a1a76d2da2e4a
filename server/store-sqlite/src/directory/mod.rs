//! Ordinary rows, one file per noun. Every change goes through the one writing connection.

mod audit;
mod bank;
mod candidate;
mod centre;
mod change;
mod programme;
mod shift_note;
mod sitting;
mod staff;
mod trial;

pub(crate) use audit::entry as audit_entry;
pub(crate) use sitting::sitting as sitting_of_row;
pub(crate) use staff::{one as one_of_staff, staff as staff_of_row};

use crate::open::SqliteStore;
use async_trait::async_trait;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::time::At;
use synaq_store::{
    AuditEntry, BankRow, CandidateRow, CentreRow, ChangeRow, Directory, Error, NewCandidate, ProgrammeRow,
    SessionRow, ShiftNote, SittingRow, StaffRow, StaffSession, TrialRow, Why,
};
use uuid::Uuid;

#[async_trait]
impl Directory for SqliteStore {
    async fn add_centre(&self, centre: CentreRow) -> Result<(), Error> {
        centre::add(self, &centre).await
    }

    async fn centres(&self) -> Result<Vec<CentreRow>, Error> {
        centre::all(self).await
    }

    async fn centre(&self, id: CentreId) -> Result<CentreRow, Error> {
        centre::one(self, id).await
    }

    async fn add_staff(&self, staff: StaffRow) -> Result<(), Error> {
        staff::add(self, &staff).await
    }

    async fn staff_by_login(&self, login: &str) -> Result<Option<StaffRow>, Error> {
        staff::by_login(self, login).await
    }

    async fn staff(&self, id: StaffId) -> Result<StaffRow, Error> {
        staff::one(&self.readers, id).await
    }

    async fn staff_of(&self, centre: CentreId) -> Result<Vec<StaffRow>, Error> {
        staff::of(self, centre).await
    }

    async fn set_password(&self, id: StaffId, password_hash: String) -> Result<(), Error> {
        staff::set_password(self, id, &password_hash).await
    }

    async fn add_setup_token(
        &self,
        token_hash: [u8; 32],
        staff: StaffId,
        expires_at: At,
    ) -> Result<(), Error> {
        staff::add_setup_token(self, token_hash, staff, expires_at).await
    }

    async fn take_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error> {
        staff::take_setup_token(self, token_hash, now).await
    }

    async fn peek_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error> {
        staff::peek_setup_token(self, token_hash, now).await
    }

    async fn add_staff_session(&self, session: StaffSession) -> Result<(), Error> {
        staff::add_session(self, session).await
    }

    async fn staff_session(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffRow>, Error> {
        staff::by_session(self, token_hash, now).await
    }

    async fn end_staff_session(&self, token_hash: [u8; 32]) -> Result<(), Error> {
        staff::end_session(self, token_hash).await
    }

    async fn purge_expired(&self, now: At) -> Result<u64, Error> {
        staff::purge_expired(self, now).await
    }

    async fn add_bank(&self, bank: BankRow) -> Result<BankRow, Error> {
        bank::add(self, bank).await
    }

    async fn banks(&self, centre: CentreId) -> Result<Vec<BankRow>, Error> {
        bank::all(self, centre).await
    }

    async fn bank(&self, centre: CentreId, id: BankId) -> Result<BankRow, Error> {
        bank::one(self, centre, id).await
    }

    async fn add_programme(&self, programme: ProgrammeRow) -> Result<ProgrammeRow, Error> {
        programme::add(self, programme).await
    }

    async fn programmes(&self, centre: CentreId) -> Result<Vec<ProgrammeRow>, Error> {
        programme::all(self, centre).await
    }

    async fn programme(&self, centre: CentreId, id: ProgrammeId) -> Result<ProgrammeRow, Error> {
        programme::one(self, centre, id).await
    }

    async fn add_sitting(&self, sitting: SittingRow) -> Result<(), Error> {
        sitting::add(self, &sitting).await
    }

    async fn sittings(&self, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
        sitting::all(self, centre).await
    }

    async fn sitting(&self, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
        sitting::one(self, centre, id).await
    }

    async fn change_sitting(&self, sitting: SittingRow, why: Why) -> Result<SittingRow, Error> {
        sitting::change(self, sitting, &why).await
    }

    async fn candidate(&self, centre: CentreId, session: SessionId) -> Result<CandidateRow, Error> {
        candidate::one(self, centre, session).await
    }

    async fn change_candidate(&self, candidate: CandidateRow, why: Why) -> Result<CandidateRow, Error> {
        candidate::change(self, candidate, &why).await
    }

    async fn changes_of(&self, centre: CentreId, subject: Uuid) -> Result<Vec<ChangeRow>, Error> {
        change::of(self, centre, subject).await
    }

    async fn replacement(&self, centre: CentreId, session: SessionId) -> Result<Option<SessionId>, Error> {
        candidate::replacement(self, centre, session).await
    }

    async fn add_candidates(
        &self,
        centre: CentreId,
        sitting: SittingId,
        candidates: Vec<NewCandidate>,
    ) -> Result<Vec<CandidateRow>, Error> {
        candidate::add(self, centre, sitting, candidates).await
    }

    async fn candidates(&self, centre: CentreId, sitting: SittingId) -> Result<Vec<CandidateRow>, Error> {
        candidate::of_sitting(self, centre, sitting).await
    }

    async fn session(&self, session: SessionId) -> Result<SessionRow, Error> {
        let candidate = candidate::by_session(self, session).await?;
        // Rows of the directory are never deleted, and of these only sittings edited, which is told to `versions`: reading
        // one after the other is safe.
        let (of, versions) = (candidate.centre, &self.versions);
        let sitting = sitting::one(self, of, candidate.sitting);
        let sitting = (*versions.sittings.get(candidate.sitting, sitting).await?).clone();
        let read = programme::one(self, of, sitting.programme);
        let programme = versions.programmes.get(sitting.programme, read).await?;
        let bank = versions.banks.get(programme.bank, bank::one(self, of, programme.bank)).await?;
        let centre = (*versions.centres.get(of, centre::one(self, of)).await?).clone();
        Ok(SessionRow { candidate, sitting, programme, bank, centre })
    }

    async fn put_trial(&self, trial: TrialRow) -> Result<(), Error> {
        trial::put(self, &trial).await
    }

    async fn trial(&self, session: SessionId) -> Result<Option<TrialRow>, Error> {
        trial::of(self, session).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), Error> {
        audit::add(self, &entry).await
    }

    async fn audit_of(&self, centre: CentreId, limit: u32) -> Result<Vec<AuditEntry>, Error> {
        audit::of(self, centre, limit).await
    }

    async fn add_shift_note(&self, note: ShiftNote) -> Result<(), Error> {
        shift_note::add(self, &note).await
    }

    async fn shift_notes(
        &self,
        centre: CentreId,
        sitting: SittingId,
        limit: u32,
    ) -> Result<Vec<ShiftNote>, Error> {
        shift_note::of(self, centre, sitting, limit).await
    }
}

use super::{Disk, SimStore};
use crate::{
    AuditEntry, BankRow, CandidateRow, CentreRow, ChangeRow, Difference, Directory, Error, NewCandidate,
    Present, ProgrammeRow, Role, SessionRow, ShiftNote, SittingRow, StaffRow, StaffSession, TrialRow, Why,
    seated,
};
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::HashSet;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::time::At;
use uuid::Uuid;

#[async_trait]
impl Directory for SimStore {
    async fn add_centre(&self, centre: CentreRow) -> Result<(), Error> {
        let mut disk = self.disk();
        free(disk.centres.iter().all(|row| row.bin != centre.bin), "bin")?;
        free(disk.centres.iter().all(|row| row.id != centre.id), "id")?;
        disk.centres.push(centre);
        Ok(())
    }

    async fn centres(&self) -> Result<Vec<CentreRow>, Error> {
        let mut all = self.disk().centres.clone();
        all.sort_by(|a, b| (&a.name_ru, a.id).cmp(&(&b.name_ru, b.id)));
        Ok(all)
    }

    async fn centre(&self, id: CentreId) -> Result<CentreRow, Error> {
        self.disk().centre(id)
    }

    async fn add_staff(&self, mut staff: StaffRow) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.centre(staff.centre)?;
        free(disk.staff.iter().all(|row| row.login != staff.login), "login")?;
        free(disk.staff.iter().all(|row| row.id != staff.id), "id")?;
        staff.roles = Role::ALL.into_iter().filter(|role| staff.roles.contains(role)).collect();
        disk.staff.push(staff);
        Ok(())
    }

    async fn staff_by_login(&self, login: &str) -> Result<Option<StaffRow>, Error> {
        Ok(self.disk().staff.iter().find(|row| row.login == login).cloned())
    }

    async fn staff(&self, id: StaffId) -> Result<StaffRow, Error> {
        self.disk().staff(id)
    }

    async fn staff_of(&self, centre: CentreId) -> Result<Vec<StaffRow>, Error> {
        let mut all: Vec<_> = self.disk().staff.iter().filter(|row| row.centre == centre).cloned().collect();
        all.sort_by(|a, b| a.login.cmp(&b.login));
        Ok(all)
    }

    async fn set_password(&self, id: StaffId, password_hash: String) -> Result<(), Error> {
        let mut disk = self.disk();
        let row = disk.staff.iter_mut().find(|row| row.id == id).ok_or(Error::NotFound)?;
        row.password_hash = Some(password_hash);
        disk.staff_sessions.retain(|_, session| session.staff != id);
        Ok(())
    }

    async fn add_setup_token(
        &self,
        token_hash: [u8; 32],
        staff: StaffId,
        expires_at: At,
    ) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.staff(staff)?;
        free(!disk.setup_tokens.contains_key(&token_hash), "set-up token")?;
        disk.setup_tokens.insert(token_hash, (staff, expires_at));
        Ok(())
    }

    async fn take_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error> {
        let staff = self.peek_setup_token(token_hash, now).await?;
        if staff.is_some() {
            self.disk().setup_tokens.remove(&token_hash);
        }
        Ok(staff)
    }

    async fn peek_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error> {
        let disk = self.disk();
        let token = disk.setup_tokens.get(&token_hash);
        Ok(token.filter(|(_, expires_at)| *expires_at > now).map(|(staff, _)| *staff))
    }

    async fn add_staff_session(&self, session: StaffSession) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.staff(session.staff)?;
        let held = disk.staff_sessions.get(&session.token_hash);
        free(held.is_none_or(|held| held.staff == session.staff), "session token")?;
        disk.staff_sessions.insert(session.token_hash, session);
        Ok(())
    }

    async fn staff_session(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffRow>, Error> {
        let disk = self.disk();
        let Some(session) = disk.staff_sessions.get(&token_hash) else { return Ok(None) };
        let staff = disk.staff(session.staff)?;
        Ok((session.expires_at > now && !staff.disabled).then_some(staff))
    }

    async fn end_staff_session(&self, token_hash: [u8; 32]) -> Result<(), Error> {
        self.disk().staff_sessions.remove(&token_hash);
        Ok(())
    }

    async fn purge_expired(&self, now: At) -> Result<u64, Error> {
        let mut disk = self.disk();
        let before = disk.setup_tokens.len() + disk.staff_sessions.len();
        disk.setup_tokens.retain(|_, (_, expires_at)| *expires_at > now);
        disk.staff_sessions.retain(|_, session| session.expires_at > now);
        Ok((before - disk.setup_tokens.len() - disk.staff_sessions.len()) as u64)
    }

    async fn add_bank(&self, bank: BankRow) -> Result<BankRow, Error> {
        let mut disk = self.disk();
        disk.centre(bank.centre)?;
        let same =
            |row: &&BankRow| (row.centre, &row.slug, row.version) == (bank.centre, &bank.slug, bank.version);
        if let Some(existing) = disk.banks.iter().find(same) {
            free(existing.sha256 == bank.sha256, "bank version")?;
            return Ok(existing.clone());
        }
        free(disk.banks.iter().all(|row| row.id != bank.id), "id")?;
        disk.banks.push(bank.clone());
        Ok(bank)
    }

    async fn banks(&self, centre: CentreId) -> Result<Vec<BankRow>, Error> {
        let disk = self.disk();
        Ok(newest_first(disk.banks.iter().filter(|row| row.centre == centre), |row| row.imported_at))
    }

    async fn bank(&self, centre: CentreId, id: BankId) -> Result<BankRow, Error> {
        self.disk().bank(centre, id)
    }

    async fn add_programme(&self, programme: ProgrammeRow) -> Result<ProgrammeRow, Error> {
        let mut disk = self.disk();
        let same = |row: &&ProgrammeRow| {
            (row.centre, &row.slug, row.version) == (programme.centre, &programme.slug, programme.version)
        };
        if let Some(existing) = disk.programmes.iter().find(same) {
            let unchanged = existing.source == programme.source && existing.bank == programme.bank;
            free(unchanged, "programme version")?;
            return Ok(existing.clone());
        }
        disk.bank(programme.centre, programme.bank)?;
        free(disk.programmes.iter().all(|row| row.id != programme.id), "id")?;
        disk.programmes.push(programme.clone());
        Ok(programme)
    }

    async fn programmes(&self, centre: CentreId) -> Result<Vec<ProgrammeRow>, Error> {
        let disk = self.disk();
        Ok(newest_first(disk.programmes.iter().filter(|row| row.centre == centre), |row| row.created_at))
    }

    async fn programme(&self, centre: CentreId, id: ProgrammeId) -> Result<ProgrammeRow, Error> {
        self.disk().programme(centre, id)
    }

    async fn add_sitting(&self, sitting: SittingRow) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.programme(sitting.centre, sitting.programme)?;
        free(disk.sittings.iter().all(|row| row.id != sitting.id), "id")?;
        disk.sittings.push(sitting);
        Ok(())
    }

    async fn sittings(&self, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error> {
        let disk = self.disk();
        let count = |sitting: &SittingRow| {
            let own = disk.candidates.iter().filter(|row| row.sitting == sitting.id && row.counts());
            own.fold(0, |count, _| count + 1)
        };
        let own = newest_first(disk.sittings.iter().filter(|row| row.centre == centre), |row| row.opens_at);
        Ok(own.into_iter().map(|sitting| (sitting.clone(), count(&sitting))).collect())
    }

    async fn sitting(&self, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
        self.disk().sitting(centre, id)
    }

    async fn change_sitting(&self, sitting: SittingRow, why: Why) -> Result<SittingRow, Error> {
        let mut disk = self.disk();
        disk.staff(why.by)?;
        let old = disk.sitting(sitting.centre, sitting.id)?;
        if old.standing.version != sitting.standing.version {
            return Err(Error::Changed);
        }
        let mut new = SittingRow { programme: old.programme, ..sitting };
        new.standing.version += 1;
        disk.note_changes(new.centre, new.id.0, &old.differences(&new), &why);
        let row = disk.sittings.iter_mut().find(|row| row.id == new.id).ok_or(Error::NotFound)?;
        *row = new.clone();
        Ok(new)
    }

    async fn candidate(&self, centre: CentreId, session: SessionId) -> Result<CandidateRow, Error> {
        self.disk().candidate_row(centre, session)
    }

    async fn change_candidate(&self, candidate: CandidateRow, why: Why) -> Result<CandidateRow, Error> {
        let mut disk = self.disk();
        disk.staff(why.by)?;
        let session = candidate.candidate.session;
        let old = disk.candidate_row(candidate.centre, session)?;
        if old.standing.version != candidate.standing.version {
            return Err(Error::Changed);
        }
        let new = old.changed_to(candidate);
        disk.note_changes(new.centre, session.0, &old.differences(&new), &why);
        let row = disk.candidates.iter_mut().find(|row| row.candidate.session == session);
        *row.ok_or(Error::NotFound)? = new.clone();
        Ok(new)
    }

    async fn changes_of(&self, centre: CentreId, subject: Uuid) -> Result<Vec<ChangeRow>, Error> {
        let disk = self.disk();
        let own = disk.changes.iter().filter(|(of, about, _)| (*of, *about) == (centre, subject));
        Ok(own.map(|(_, _, change)| change.clone()).collect())
    }

    async fn replacement(&self, centre: CentreId, session: SessionId) -> Result<Option<SessionId>, Error> {
        let disk = self.disk();
        let mut own = disk.candidates.iter().filter(|row| row.centre == centre);
        let next = own.find(|row| row.candidate.more.replaces == Some(session));
        Ok(next.map(|row| row.candidate.session))
    }

    async fn add_candidates(
        &self,
        centre: CentreId,
        sitting: SittingId,
        candidates: Vec<NewCandidate>,
    ) -> Result<Vec<CandidateRow>, Error> {
        let mut disk = self.disk();
        let of = disk.sitting(centre, sitting)?;
        let mut sessions: HashSet<SessionId> =
            disk.candidates.iter().map(|row| row.candidate.session).collect();
        let present = disk.candidates.iter().filter(|row| row.sitting == sitting).map(|row| Present {
            identity: row.candidate.identity.clone(),
            attempt: row.standing.attempt,
            counts: row.counts(),
        });
        let new = seated(&of, &present.collect::<Vec<_>>(), candidates)?;
        free(new.iter().all(|row| sessions.insert(row.candidate.session)), "session")?;
        let mut replaced: HashSet<SessionId> =
            disk.candidates.iter().filter_map(|row| row.candidate.more.replaces).collect();
        let mut replaces = new.iter().filter_map(|row| row.candidate.more.replaces);
        free(replaces.all(|session| replaced.insert(session)), "attempt")?;
        disk.candidates.extend(new.iter().cloned());
        Ok(new)
    }

    async fn candidates(&self, centre: CentreId, sitting: SittingId) -> Result<Vec<CandidateRow>, Error> {
        let disk = self.disk();
        disk.sitting(centre, sitting)?;
        Ok(disk.candidates.iter().filter(|row| row.sitting == sitting).cloned().collect())
    }

    async fn session(&self, session: SessionId) -> Result<SessionRow, Error> {
        let disk = self.disk();
        let candidate = disk.candidates.iter().find(|row| row.candidate.session == session);
        let candidate = candidate.cloned().ok_or(Error::NotFound)?;
        let sitting = disk.sitting(candidate.centre, candidate.sitting)?;
        let programme = disk.programme(candidate.centre, sitting.programme)?;
        let bank = disk.bank(candidate.centre, programme.bank)?;
        let centre = disk.centre(candidate.centre)?;
        Ok(SessionRow { candidate, sitting, programme: programme.into(), bank: bank.into(), centre })
    }

    async fn put_trial(&self, trial: TrialRow) -> Result<(), Error> {
        let mut disk = self.disk();
        if disk.candidates.iter().all(|row| row.candidate.session != trial.session) {
            return Err(Error::NotFound);
        }
        disk.trials.insert(trial.session, trial);
        Ok(())
    }

    async fn trial(&self, session: SessionId) -> Result<Option<TrialRow>, Error> {
        Ok(self.disk().trials.get(&session).cloned())
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.centre(entry.centre)?;
        if let Some(staff) = entry.staff {
            disk.staff(staff)?;
        }
        disk.audit.push(entry);
        Ok(())
    }

    async fn audit_of(&self, centre: CentreId, limit: u32) -> Result<Vec<AuditEntry>, Error> {
        let disk = self.disk();
        let own = disk.audit.iter().rev().filter(|entry| entry.centre == centre);
        Ok(own.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn add_shift_note(&self, note: ShiftNote) -> Result<(), Error> {
        let mut disk = self.disk();
        disk.sitting(note.centre, note.sitting)?;
        disk.staff(note.staff)?;
        disk.shift_notes.push(note);
        Ok(())
    }

    async fn shift_notes(
        &self,
        centre: CentreId,
        sitting: SittingId,
        limit: u32,
    ) -> Result<Vec<ShiftNote>, Error> {
        let disk = self.disk();
        let own =
            disk.shift_notes.iter().rev().filter(|note| (note.centre, note.sitting) == (centre, sitting));
        Ok(own.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }
}

impl Disk {
    fn centre(&self, id: CentreId) -> Result<CentreRow, Error> {
        self.centres.iter().find(|row| row.id == id).cloned().ok_or(Error::NotFound)
    }

    fn staff(&self, id: StaffId) -> Result<StaffRow, Error> {
        self.staff.iter().find(|row| row.id == id).cloned().ok_or(Error::NotFound)
    }

    fn bank(&self, centre: CentreId, id: BankId) -> Result<BankRow, Error> {
        let row = self.banks.iter().find(|row| (row.centre, row.id) == (centre, id));
        row.cloned().ok_or(Error::NotFound)
    }

    fn programme(&self, centre: CentreId, id: ProgrammeId) -> Result<ProgrammeRow, Error> {
        let row = self.programmes.iter().find(|row| (row.centre, row.id) == (centre, id));
        row.cloned().ok_or(Error::NotFound)
    }

    fn candidate_row(&self, centre: CentreId, session: SessionId) -> Result<CandidateRow, Error> {
        let of = |row: &&CandidateRow| (row.centre, row.candidate.session) == (centre, session);
        self.candidates.iter().find(of).cloned().ok_or(Error::NotFound)
    }

    fn note_changes(&mut self, centre: CentreId, subject: Uuid, differences: &[Difference], why: &Why) {
        self.changes.extend(differences.iter().map(|difference| {
            let change = ChangeRow {
                at: why.at,
                staff: why.by,
                field: difference.field.to_owned(),
                old: difference.old.clone(),
                new: difference.new.clone(),
                reason: why.reason.clone(),
            };
            (centre, subject, change)
        }));
    }

    fn sitting(&self, centre: CentreId, id: SittingId) -> Result<SittingRow, Error> {
        let row = self.sittings.iter().find(|row| (row.centre, row.id) == (centre, id));
        row.cloned().ok_or(Error::NotFound)
    }
}

fn free(is_free: bool, what: &'static str) -> Result<(), Error> {
    if is_free { Ok(()) } else { Err(Error::Taken(what)) }
}

/// By time, and of one time by order of insertion.
fn newest_first<'r, T: Clone + 'r>(rows: impl DoubleEndedIterator<Item = &'r T>, at: fn(&T) -> At) -> Vec<T> {
    let mut rows: Vec<T> = rows.rev().cloned().collect();
    rows.sort_by_key(|row| Reverse(at(row)));
    rows
}

use super::{Disk, SimStore};
use crate::{
    AuditEntry, AuditFilter, CentreRow, Error, FactorRow, Member, NewProfile, Personnel, ProfileRow, Role,
    StaffEdit, StaffRow,
};
use async_trait::async_trait;
use std::collections::HashMap;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;

#[derive(Debug, Default)]
pub(super) struct Office {
    profiles: HashMap<CentreId, ProfileRow>,
    rules: HashMap<CentreId, Vec<Role>>,
    factors: HashMap<StaffId, Factor>,
}

#[derive(Debug)]
struct Factor {
    sealed: Vec<u8>,
    confirmed_at: Option<At>,
    last_step: u64,
    codes: Vec<([u8; 32], Option<At>)>,
}

#[async_trait]
impl Personnel for SimStore {
    async fn members(&self, centre: CentreId) -> Result<Vec<Member>, Error> {
        let disk = self.disk();
        let mut staff: Vec<_> = disk.staff.iter().filter(|row| row.centre == centre).cloned().collect();
        staff.sort_by(|a, b| a.login.cmp(&b.login));
        Ok(staff.into_iter().map(|row| disk.member(row)).collect())
    }

    async fn edit_staff(
        &self,
        centre: CentreId,
        id: StaffId,
        was: StaffEdit,
        edit: StaffEdit,
    ) -> Result<Vec<[u8; 32]>, Error> {
        let mut disk = self.disk();
        let place = disk.staff.iter().position(|row| (row.centre, row.id) == (centre, id));
        let before = disk.staff[place.ok_or(Error::NotFound)?].clone();
        if !was.is_of(&before) {
            return Err(Error::Changed);
        }
        let had_head = disk.has_head(centre);
        let row = &mut disk.staff[place.ok_or(Error::NotFound)?];
        (row.name, row.mail, row.disabled) = (edit.name, edit.mail, edit.disabled);
        row.roles = Role::ALL.into_iter().filter(|role| edit.roles.contains(role)).collect();
        let ends = row.disabled || row.roles != before.roles;
        if had_head && !disk.has_head(centre) {
            disk.staff[place.ok_or(Error::NotFound)?] = before;
            return Err(Error::Taken("last head"));
        }
        let mut ended = Vec::new();
        if ends {
            disk.staff_sessions.retain(|hash, session| {
                let ends = session.staff == id;
                if ends {
                    ended.push(*hash);
                }
                !ends
            });
        }
        Ok(ended)
    }

    async fn end_setup_tokens(&self, staff: StaffId) -> Result<(), Error> {
        self.disk().setup_tokens.retain(|_, (whose, _)| *whose != staff);
        Ok(())
    }

    async fn profile(&self, centre: CentreId) -> Result<Option<ProfileRow>, Error> {
        Ok(self.disk().office.profiles.get(&centre).cloned())
    }

    async fn save_profile(&self, centre: CentreId, profile: NewProfile) -> Result<u64, Error> {
        let mut disk = self.disk();
        let found = |row: &&mut CentreRow| row.id == centre;
        let stored = disk.office.profiles.get(&centre).map_or(0, |row| row.revision);
        if stored != profile.after {
            return Err(Error::Taken("profile"));
        }
        let row = disk.centres.iter_mut().find(found).ok_or(Error::NotFound)?;
        (row.name_kk, row.name_ru) = (profile.name_kk, profile.name_ru);
        let revision = stored + 1;
        let row = ProfileRow { revision, body: profile.body, saved_at: profile.at, saved_by: profile.by };
        disk.office.profiles.insert(centre, row);
        Ok(revision)
    }

    async fn factor_rule(&self, centre: CentreId) -> Result<Vec<Role>, Error> {
        Ok(self.disk().office.rules.get(&centre).cloned().unwrap_or_default())
    }

    async fn set_factor_rule(&self, centre: CentreId, role: Role, needed: bool) -> Result<(), Error> {
        let mut disk = self.disk();
        let rule = disk.office.rules.entry(centre).or_default();
        let asked = |one: &Role| if *one == role { needed } else { rule.contains(one) };
        *rule = Role::ALL.into_iter().filter(asked).collect();
        Ok(())
    }

    async fn factor_due(&self, staff: StaffId) -> Result<bool, Error> {
        let disk = self.disk();
        let Some(row) = disk.staff.iter().find(|row| row.id == staff) else { return Ok(false) };
        let rule = disk.office.rules.get(&row.centre);
        let asked = rule.is_some_and(|rule| rule.iter().any(|role| row.roles.contains(role)));
        Ok(asked && !disk.has_factor(staff))
    }

    async fn factor(&self, staff: StaffId) -> Result<Option<FactorRow>, Error> {
        let disk = self.disk();
        Ok(disk.office.factors.get(&staff).map(|factor| FactorRow {
            sealed: factor.sealed.clone(),
            confirmed_at: factor.confirmed_at,
            codes_left: factor.codes.iter().filter(|(_, used)| used.is_none()).fold(0, |count, _| count + 1),
        }))
    }

    async fn offer_factor(&self, staff: StaffId, sealed: Vec<u8>) -> Result<(), Error> {
        let mut disk = self.disk();
        if disk.has_factor(staff) {
            return Err(Error::Taken("second factor"));
        }
        let factor = Factor { sealed, confirmed_at: None, last_step: 0, codes: Vec::new() };
        disk.office.factors.insert(staff, factor);
        Ok(())
    }

    async fn confirm_factor(
        &self,
        staff: StaffId,
        step: u64,
        at: At,
        codes: Vec<[u8; 32]>,
    ) -> Result<(), Error> {
        let mut disk = self.disk();
        let factor = disk.office.factors.get_mut(&staff).filter(|factor| factor.confirmed_at.is_none());
        let factor = factor.ok_or(Error::NotFound)?;
        (factor.confirmed_at, factor.last_step) = (Some(at), step);
        factor.codes = codes.into_iter().map(|code| (code, None)).collect();
        Ok(())
    }

    async fn use_step(&self, staff: StaffId, step: u64) -> Result<bool, Error> {
        let mut disk = self.disk();
        let Some(factor) = disk.office.factors.get_mut(&staff) else { return Ok(false) };
        let fresh = factor.confirmed_at.is_some() && factor.last_step < step;
        if fresh {
            factor.last_step = step;
        }
        Ok(fresh)
    }

    async fn use_recovery_code(&self, staff: StaffId, code: [u8; 32], at: At) -> Result<bool, Error> {
        let mut disk = self.disk();
        let Some(factor) = disk.office.factors.get_mut(&staff) else { return Ok(false) };
        let kept = factor.codes.iter_mut().find(|(kept, used)| *kept == code && used.is_none());
        Ok(kept.map(|(_, used)| *used = Some(at)).is_some())
    }

    async fn remove_factor(&self, staff: StaffId) -> Result<(), Error> {
        self.disk().office.factors.remove(&staff);
        Ok(())
    }

    async fn audit_page(
        &self,
        centre: CentreId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, Error> {
        let disk = self.disk();
        let found = |entry: &AuditEntry| {
            entry.centre == centre
                && filter.staff.is_none_or(|staff| entry.staff == Some(staff))
                && (filter.actions.is_empty() || filter.actions.contains(&entry.action))
                && filter.object.as_ref().is_none_or(|object| entry.object.starts_with(object.as_str()))
                && filter.from.is_none_or(|from| entry.at >= from)
                && filter.to.is_none_or(|to| entry.at < to)
        };
        let numbered = (1..).zip(&disk.audit).filter(|(_, entry)| found(entry));
        let mut page: Vec<_> = numbered
            .filter(|(number, _)| before.is_none_or(|before| *number < before))
            .map(|(number, entry)| (number, entry.clone()))
            .collect();
        page.reverse();
        page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(page)
    }
}

impl Disk {
    fn has_factor(&self, staff: StaffId) -> bool {
        self.office.factors.get(&staff).is_some_and(|factor| factor.confirmed_at.is_some())
    }

    fn has_head(&self, centre: CentreId) -> bool {
        let can = |row: &StaffRow| !row.disabled && row.password_hash.is_some();
        self.staff.iter().any(|row| row.centre == centre && row.roles.contains(&Role::Centre) && can(row))
    }

    fn member(&self, staff: StaffRow) -> Member {
        let links = self.setup_tokens.values().filter(|(whose, _)| *whose == staff.id);
        let ins = self.audit.iter().filter(|e| e.staff == Some(staff.id) && e.action == "signed_in");
        Member {
            link_until: links.map(|(_, until)| *until).max(),
            second_factor: self.has_factor(staff.id),
            signed_in_at: ins.map(|entry| entry.at).max(),
            staff,
        }
    }
}

//! Who works at a centre, and how they prove it.

mod deed;
mod factor;
mod member;
mod profile;

use crate::open::SqliteStore;
use async_trait::async_trait;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;
use synaq_store::{
    AuditEntry, AuditFilter, Error, FactorRow, Member, NewProfile, Personnel, ProfileRow, Role, StaffEdit,
};

#[async_trait]
impl Personnel for SqliteStore {
    async fn members(&self, centre: CentreId) -> Result<Vec<Member>, Error> {
        member::all(self, centre).await
    }

    async fn edit_staff(
        &self,
        centre: CentreId,
        id: StaffId,
        was: StaffEdit,
        edit: StaffEdit,
    ) -> Result<Vec<[u8; 32]>, Error> {
        member::edit(self, centre, id, &was, &edit).await
    }

    async fn end_setup_tokens(&self, staff: StaffId) -> Result<(), Error> {
        member::end_setup_tokens(self, staff).await
    }

    async fn profile(&self, centre: CentreId) -> Result<Option<ProfileRow>, Error> {
        profile::of(self, centre).await
    }

    async fn save_profile(&self, centre: CentreId, profile: NewProfile) -> Result<u64, Error> {
        let saved = profile::save(self, centre, &profile).await?;
        self.versions.centres.forget(&centre);
        Ok(saved)
    }

    async fn factor_rule(&self, centre: CentreId) -> Result<Vec<Role>, Error> {
        factor::rule(self, centre).await
    }

    async fn set_factor_rule(&self, centre: CentreId, role: Role, needed: bool) -> Result<(), Error> {
        factor::set_rule(self, centre, role, needed).await
    }

    async fn factor_due(&self, staff: StaffId) -> Result<bool, Error> {
        factor::due(self, staff).await
    }

    async fn factor(&self, staff: StaffId) -> Result<Option<FactorRow>, Error> {
        factor::of(self, staff).await
    }

    async fn offer_factor(&self, staff: StaffId, sealed: Vec<u8>) -> Result<(), Error> {
        factor::offer(self, staff, &sealed).await
    }

    async fn confirm_factor(
        &self,
        staff: StaffId,
        step: u64,
        at: At,
        codes: Vec<[u8; 32]>,
    ) -> Result<(), Error> {
        factor::confirm(self, staff, step, at, &codes).await
    }

    async fn use_step(&self, staff: StaffId, step: u64) -> Result<bool, Error> {
        factor::use_step(self, staff, step).await
    }

    async fn use_recovery_code(&self, staff: StaffId, code: [u8; 32], at: At) -> Result<bool, Error> {
        factor::use_recovery_code(self, staff, code, at).await
    }

    async fn remove_factor(&self, staff: StaffId) -> Result<(), Error> {
        factor::remove(self, staff).await
    }

    async fn audit_page(
        &self,
        centre: CentreId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, Error> {
        deed::page(self, centre, filter, before, limit).await
    }
}

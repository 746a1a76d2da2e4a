use crate::{AuditEntry, Error, Role, StaffRow};
use async_trait::async_trait;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::At;

/// A member of staff as the head of the centre sees them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who
    pub staff: StaffRow,
    /// Until when the newest set-up link is good, if one is
    pub link_until: Option<At>,
    /// A second factor is confirmed
    pub second_factor: bool,
    /// When they signed in last
    pub signed_in_at: Option<At>,
}

/// What may be changed of a member of staff; the whole of it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaffEdit {
    /// Full name
    pub name: String,
    /// Where letters go
    pub mail: Option<String>,
    /// What they may do
    pub roles: Vec<Role>,
    /// May not sign in
    pub disabled: bool,
}

impl StaffEdit {
    /// Whether that person stands so. The order of roles says nothing.
    #[must_use]
    pub fn is_of(&self, row: &StaffRow) -> bool {
        (&self.name, &self.mail, self.disabled) == (&row.name, &row.mail, row.disabled)
            && self.keeps_roles(row)
    }

    /// Whether that person has the same roles.
    #[must_use]
    pub fn keeps_roles(&self, row: &StaffRow) -> bool {
        Role::ALL.iter().all(|role| self.roles.contains(role) == row.roles.contains(role))
    }
}

/// What a centre says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileRow {
    /// Grows with each saving, from 1
    pub revision: u64,
    /// JSON; the front door knows its shape
    pub body: String,
    /// When
    pub saved_at: At,
    /// By whom
    pub saved_by: StaffId,
}

/// A profile to save.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewProfile {
    /// The revision it was made from; 0 for none
    pub after: u64,
    /// The centre's name, Kazakh
    pub name_kk: String,
    /// The centre's name, Russian
    pub name_ru: String,
    /// JSON
    pub body: String,
    /// When
    pub at: At,
    /// By whom
    pub by: StaffId,
}

/// A second factor (RFC 6238).
#[derive(Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// The secret under the installation key
    pub sealed: Vec<u8>,
    /// When a first code proved that it arrived
    pub confirmed_at: Option<At>,
    /// Recovery codes not used yet
    pub codes_left: u32,
}

impl std::fmt::Debug for FactorRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FactorRow").field("confirmed_at", &self.confirmed_at).finish_non_exhaustive()
    }
}

/// Which lines of the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// By this person
    pub staff: Option<StaffId>,
    /// One of these; any if there are none
    pub actions: Vec<String>,
    /// Done to what begins like this
    pub object: Option<String>,
    /// Not before
    pub from: Option<At>,
    /// Before
    pub to: Option<At>,
}

/// Who works at a centre, how they prove it, and what they did.
#[async_trait]
pub trait Personnel: Send + Sync {
    /// Everybody of a centre, by login.
    async fn members(&self, centre: CentreId) -> Result<Vec<Member>, Error>;
    /// Writes what was edited. Other roles or being disabled end every sign-in of that person: the hashes of their cookies.
    /// `NotFound` for another centre's; `Changed` when the person does not stand as `was` any more; `Taken("last head")`
    /// when nobody who can sign in would have the role centre then.
    async fn edit_staff(
        &self,
        centre: CentreId,
        id: StaffId,
        was: StaffEdit,
        edit: StaffEdit,
    ) -> Result<Vec<[u8; 32]>, Error>;
    /// Makes every set-up link of that person useless.
    async fn end_setup_tokens(&self, staff: StaffId) -> Result<(), Error>;

    /// What a centre says of itself, if it has.
    async fn profile(&self, centre: CentreId) -> Result<Option<ProfileRow>, Error>;
    /// Saves it with the centre's names: its revision. `Taken("profile")` when another one was saved meanwhile.
    async fn save_profile(&self, centre: CentreId, profile: NewProfile) -> Result<u64, Error>;

    /// Roles that a centre lets in only with a second factor.
    async fn factor_rule(&self, centre: CentreId) -> Result<Vec<Role>, Error>;
    /// Puts one role under the rule, or takes it out: two people who change two roles do not undo each other.
    async fn set_factor_rule(&self, centre: CentreId, role: Role, needed: bool) -> Result<(), Error>;
    /// The rule asks for a second factor of this person, who has none confirmed.
    async fn factor_due(&self, staff: StaffId) -> Result<bool, Error>;
    /// The second factor of a person.
    async fn factor(&self, staff: StaffId) -> Result<Option<FactorRow>, Error>;
    /// Keeps a secret that is not confirmed yet, in place of another such one; `Taken("second factor")` when one is
    /// confirmed.
    async fn offer_factor(&self, staff: StaffId, sealed: Vec<u8>) -> Result<(), Error>;
    /// Confirms it by the code of a step, with the hashes of its recovery codes; `NotFound` without an unconfirmed one.
    async fn confirm_factor(
        &self,
        staff: StaffId,
        step: u64,
        at: At,
        codes: Vec<[u8; 32]>,
    ) -> Result<(), Error>;
    /// Uses the code of a step up; false when it, or a later one, was used.
    async fn use_step(&self, staff: StaffId, step: u64) -> Result<bool, Error>;
    /// Uses a recovery code up; false when there is none such.
    async fn use_recovery_code(&self, staff: StaffId, code: [u8; 32], at: At) -> Result<bool, Error>;
    /// Removes the second factor and its recovery codes; it may be gone.
    async fn remove_factor(&self, staff: StaffId) -> Result<(), Error>;

    /// Lines of a centre's audit log with their numbers, newest first, below the number `before`.
    async fn audit_page(
        &self,
        centre: CentreId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, Error>;
}

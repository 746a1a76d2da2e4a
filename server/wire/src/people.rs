//! Who works at a centre, what it says of itself, and what was done there.

use crate::staff::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Where a member of staff stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Has not set a password yet
    Invited,
    /// Can sign in
    Active,
    /// May not sign in
    Disabled,
}

/// What became of a letter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LetterView {
    /// `queued`, `sent`, `failed`
    pub state: String,
    /// When it was posted
    #[ts(type = "number")]
    pub at: i64,
    /// What the last attempt ended with, in English
    pub why: Option<String>,
}

/// A member of staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemberView {
    /// Who
    pub staff: Uuid,
    /// Login
    pub login: String,
    /// Full name
    pub name: String,
    /// Where letters go
    pub mail: Option<String>,
    /// What they may do
    pub roles: Vec<Role>,
    /// Where they stand
    pub state: MemberState,
    /// Until when their newest set-up link is good
    #[ts(type = "number | null")]
    pub link_until: Option<i64>,
    /// When they signed in last
    #[ts(type = "number | null")]
    pub signed_in_at: Option<i64>,
    /// A second factor is set up
    pub second_factor: bool,
    /// The newest letter to them
    pub letter: Option<LetterView>,
}

/// `GET /api/v1/centre/staff`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Staff {
    /// Everybody, by login
    pub members: Vec<MemberView>,
    /// Letters are sent here
    pub mail: bool,
    /// Roles that need a second factor
    pub second_factor: Vec<Role>,
}

/// `POST /api/v1/centre/staff`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Unique in the installation
    pub login: String,
    /// Full name
    pub name: String,
    /// Where the link goes; empty: it is handed over by hand
    pub mail: String,
    /// At least one
    pub roles: Vec<Role>,
}

/// A one-time link that was made; in a letter, or here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LinkMade {
    /// For whom
    pub staff: Uuid,
    /// Only when no letter was sent: shown once
    pub link: Option<String>,
    /// Until when it is good
    #[ts(type = "number")]
    pub until: i64,
}

impl std::fmt::Debug for LinkMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkMade(..)")
    }
}

/// `POST /api/v1/centre/staff/{staff}`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EditMember {
    /// As the editing began: where somebody else was faster, `changed_meanwhile`
    pub was: MemberFields,
    /// As it shall be
    pub is: MemberFields,
}

/// What may be edited of a member of staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct MemberFields {
    /// Full name
    pub name: String,
    /// Where letters go; empty: nowhere
    pub mail: String,
    /// At least one
    pub roles: Vec<Role>,
    /// May not sign in
    pub disabled: bool,
}

/// `POST /api/v1/centre/second-factor`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct FactorRule {
    /// Whose rule
    pub role: Role,
    /// They need a second factor
    pub needed: bool,
}

/// What a centre says of itself (LAW-05, LAW-25, LAW-44).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Address, Kazakh
    pub address_kk: String,
    /// Address, Russian
    pub address_ru: String,
    /// Telephone, `+7...`
    pub phone: String,
    /// Mail address
    pub mail: String,
    /// Web site
    pub site: String,
    /// `nce` (by the National Chamber of Entrepreneurs) or `conformity_body`; empty: not said
    pub accreditation_kind: String,
    /// Serial number of the certificate
    pub certificate: String,
    /// Its day, `2026-11-20`
    pub issued_on: String,
    /// Its last day
    pub expires_on: String,
    /// Where and how to appeal, Kazakh
    pub appeals_kk: String,
    /// Where and how to appeal, Russian
    pub appeals_ru: String,
}

/// `GET /api/v1/centre/profile`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProfileView {
    /// Goes back with `SaveProfile`; 0 before the first saving
    #[ts(type = "number")]
    pub revision: u64,
    /// Business identification number; not to be changed
    pub bin: String,
    /// Name, Kazakh
    pub name_kk: String,
    /// Name, Russian
    pub name_ru: String,
    /// The rest
    pub profile: Profile,
    /// When it was saved
    #[ts(type = "number | null")]
    pub saved_at: Option<i64>,
    /// By whom
    pub saved_by: Option<String>,
}

/// `POST /api/v1/centre/profile`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SaveProfile {
    /// The one that was edited
    #[ts(type = "number")]
    pub revision: u64,
    /// Name, Kazakh
    pub name_kk: String,
    /// Name, Russian
    pub name_ru: String,
    /// The rest
    pub profile: Profile,
}

/// A line of the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogLine {
    /// Its number
    #[ts(type = "number")]
    pub number: i64,
    /// When
    #[ts(type = "number")]
    pub at: i64,
    /// By whom; none: by the operator, or the server itself
    pub staff: Option<Uuid>,
    /// What
    pub action: String,
    /// Done to what: an id, or a name
    pub object: String,
    /// The object in words: a candidate, a sitting, a member of staff
    pub name: Option<String>,
}

/// Somebody who may stand in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogPerson {
    /// Who
    pub staff: Uuid,
    /// Full name
    pub name: String,
    /// Login
    pub login: String,
}

/// `GET /api/v1/centre/log?staff=&action=&object=&from=&to=&before=`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogPage {
    /// Newest first
    pub lines: Vec<LogLine>,
    /// Goes into `before` for the next page; none: that was the last
    #[ts(type = "number | null")]
    pub before: Option<i64>,
    /// Everybody of the centre
    pub people: Vec<LogPerson>,
}

/// `GET /api/v1/staff/second-factor`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FactorView {
    /// One is set up
    pub confirmed: bool,
    /// Recovery codes left
    pub codes_left: u32,
    /// The centre asks for one
    pub required: bool,
}

/// `POST /api/v1/staff/second-factor`: shown once; without a code of it nothing changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FactorOffer {
    /// To be typed into the app
    pub secret: String,
    /// `otpauth://totp/...`
    pub uri: String,
    /// The same as a QR code, SVG
    pub picture: String,
}

impl std::fmt::Debug for FactorOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorOffer(..)")
    }
}

/// A code of the second factor, or a recovery code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct FactorCode {
    /// As typed
    pub code: String,
}

impl std::fmt::Debug for FactorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorCode(..)")
    }
}

/// Shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecoveryCodes {
    /// Ten, each good once
    pub codes: Vec<String>,
}

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodes(..)")
    }
}

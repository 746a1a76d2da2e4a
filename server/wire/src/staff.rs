//! Signing in, and who one is.

use crate::candidate::Text;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// What a member of staff may do. One table in `web` says which route takes which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Staff, banks, programmes, sittings, results
    Centre,
    /// The wall
    Proctor,
    /// Reviews and approves records
    Commission,
    /// Banks and programmes
    Author,
    /// Sees everything of the centre and changes nothing
    Auditor,
}

/// `POST /api/v1/staff/sign-in`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// As the centre set it
    pub login: String,
    /// At least 12 characters
    pub password: String,
    /// Of the second factor, after `second_factor_needed`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<String>,
}

/// `POST /api/v1/staff/setup`: a one-time set-up link's form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The link's last path segment
    pub token: String,
    /// At least 12 characters
    pub password: String,
}

/// `POST /api/v1/staff/forgot`: a letter with a link for a new password, if there is such a person with an address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Forgot {
    /// Whose
    pub login: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(..)")
    }
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetUp(..)")
    }
}

/// `GET /api/v1/staff/me`, also the answer to signing in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Me {
    /// Who
    pub staff: Uuid,
    /// Login
    pub login: String,
    /// As the centre wrote it
    pub name: String,
    /// What one may do
    pub roles: Vec<Role>,
    /// Where
    pub centre: Text,
    /// The centre asks for a second factor that is not set up: nothing else is open before
    pub second_factor_due: bool,
}

//! The audit log: who did or saw what, before it is shown.

use crate::auth::who::Who;
use crate::doors::App;
use crate::problem::Refused;
use axum::extract::FromRef;
use std::sync::Arc;
use synaq_core::ids::{CentreId, StaffId};
use synaq_runtime::Clock;
use synaq_store::{AuditEntry, Directory};

/// Writes audit entries.
#[derive(Clone)]
pub(crate) struct Audit {
    directory: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
}

impl FromRef<App> for Audit {
    fn from_ref(app: &App) -> Self {
        Self { directory: FromRef::from_ref(app), clock: FromRef::from_ref(app) }
    }
}

impl Audit {
    /// `object` is an id or a name, never personal data.
    pub(crate) async fn note(
        &self,
        who: &Who,
        action: &str,
        object: impl Into<String>,
    ) -> Result<(), Refused> {
        self.add(who.staff.centre, Some(who.staff.id), action, object.into()).await
    }

    /// What a candidate did by their personal link: nobody of the staff.
    pub(crate) async fn note_candidate(
        &self,
        centre: CentreId,
        action: &str,
        object: impl Into<String>,
    ) -> Result<(), Refused> {
        self.add(centre, None, action, object.into()).await
    }

    async fn add(
        &self,
        centre: CentreId,
        staff: Option<StaffId>,
        action: &str,
        object: String,
    ) -> Result<(), Refused> {
        let entry = AuditEntry { at: self.clock.now(), centre, staff, action: action.to_owned(), object };
        Ok(self.directory.audit(entry).await?)
    }
}

//! The audit log: who did or saw what, before it is shown.

use crate::auth::who::Who;
use crate::doors::App;
use crate::problem::Refused;
use axum::extract::FromRef;
use std::sync::Arc;
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
        let entry = AuditEntry {
            at: self.clock.now(),
            centre: who.staff.centre,
            staff: Some(who.staff.id),
            action: action.to_owned(),
            object: object.into(),
        };
        Ok(self.directory.audit(entry).await?)
    }
}

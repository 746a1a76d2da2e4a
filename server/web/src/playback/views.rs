//! Who has been looking at what: a browser that plays a recording asks for it in hundreds of ranges, which are one view.

use crate::auth::who::Who;
use crate::centre::Audit;
use crate::problem::Refused;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::StaffId;
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;
use synaq_wire::playback::LINK_MS;

/// Looking at the same thing again after this is another view: as long as a link lives.
const ONE_VIEW: Span = Span(LINK_MS);
/// Views remembered: forgetting one writes a line too many, never one too few.
const REMEMBERED: usize = 20_000;

type Seen = HashMap<(StaffId, [u8; 32], String), At>;

/// Writes each view to the audit log once.
pub(crate) struct Views {
    seen: Mutex<Seen>,
    clock: Arc<dyn Clock>,
}

impl Views {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { seen: Mutex::default(), clock }
    }

    /// Before anything of it is shown. `object` is an id or a name, never personal data.
    pub(crate) async fn note(
        &self,
        audit: &Audit,
        who: &Who,
        action: &str,
        object: String,
    ) -> Result<(), Refused> {
        let key = (who.staff.id, who.cookie, format!("{action} {object}"));
        let now = self.clock.now();
        if self.lock().get(&key).is_some_and(|at| now < *at + ONE_VIEW) {
            return Ok(());
        }
        audit.note(who, action, object).await?;
        let mut seen = self.lock();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, at| now < *at + ONE_VIEW);
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(key, now);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

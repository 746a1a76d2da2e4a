//! Who has been looking at what: a browser that plays a recording asks for it in hundreds of ranges, which are one view.

use crate::auth::who::Who;
use crate::centre::Audit;
use crate::problem::Refused;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::{CentreId, SessionId, StaffId};
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;
use synaq_wire::playback::LINK_MS;

/// Looking at the same thing again after this is another view: as long as a link lives.
const ONE_VIEW: Span = Span(LINK_MS);
/// Views remembered: forgetting one writes a line too many, never one too few.
const REMEMBERED: usize = 20_000;

/// Who, by which sign-in, what.
type Key = (StaffId, [u8; 32], String);
type Seen = HashMap<Key, At>;

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
        if self.is_fresh(&key) {
            return Ok(());
        }
        audit.note(who, action, object).await?;
        self.remember(key);
        Ok(())
    }

    /// The same for a candidate, who looks at their own exam by their personal link.
    pub(crate) async fn note_candidate(
        &self,
        audit: &Audit,
        centre: CentreId,
        session: SessionId,
        action: &str,
        object: String,
    ) -> Result<(), Refused> {
        let key = (StaffId(session.0), [0; 32], format!("{action} {object}"));
        if self.is_fresh(&key) {
            return Ok(());
        }
        audit.note_candidate(centre, action, object).await?;
        self.remember(key);
        Ok(())
    }

    fn is_fresh(&self, key: &Key) -> bool {
        let now = self.clock.now();
        self.lock().get(key).is_some_and(|at| now < *at + ONE_VIEW)
    }

    fn remember(&self, key: Key) {
        let now = self.clock.now();
        let mut seen = self.lock();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, at| now < *at + ONE_VIEW);
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(key, now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

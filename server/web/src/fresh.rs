//! Fresh ids, out of the clock and the entropy that came in.

use crate::doors::{App, Random};
use axum::extract::FromRef;
use std::sync::Arc;
use synaq_runtime::Clock;
use uuid::{Builder, Uuid};

/// Makes UUIDs of version 7.
#[derive(Clone)]
pub(crate) struct Fresh {
    clock: Arc<dyn Clock>,
    random: Random,
}

impl FromRef<App> for Fresh {
    fn from_ref(app: &App) -> Self {
        Self { clock: FromRef::from_ref(app), random: FromRef::from_ref(app) }
    }
}

impl Fresh {
    pub(crate) fn id(&self) -> Result<Uuid, ring::error::Unspecified> {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes)?;
        let millis = u64::try_from(self.clock.now().0).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

//! Sign-ins and set-up links that are over are not kept.

use std::sync::Arc;
use std::time::Duration;
use synaq_runtime::Clock;
use synaq_store::Directory;

/// They are refused from the moment they end; this only keeps the tables small.
const EVERY: Duration = Duration::from_secs(3_600);

/// Purges now and from time to time, until aborted.
pub(crate) async fn purge(directory: Arc<dyn Directory>, clock: Arc<dyn Clock>) {
    loop {
        match directory.purge_expired(clock.now()).await {
            Ok(0) => {}
            Ok(purged) => tracing::debug!(purged, "sign-ins and set-up links that are over were removed"),
            Err(error) => tracing::warn!(%error, "sign-ins that are over were not removed; tried again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

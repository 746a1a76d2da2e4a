//! What stands in for the cameras of made-up candidates: picture and sound of whoever comes are said to flow.
//!
//! An exam starts only with a camera and a microphone (NB-19), and ten thousand of those would measure the video path,
//! not the exam. It speaks to the runtime of a rehearsal room, which never holds anybody's exam; no request reaches it.

use std::collections::HashSet;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::{Input, MediaFact};
use synaq_runtime::{Handle, SubmitError};
use tokio::sync::broadcast::error::RecvError;

const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Runs until the runtime is gone.
pub(super) async fn stand_in(runtime: Handle) {
    let mut changes = runtime.changes();
    let mut seen = HashSet::new();
    loop {
        match changes.recv().await {
            Ok(change) => {
                if seen.insert(change.session) {
                    tokio::spawn(flow(runtime.clone(), change.session));
                }
            }
            // Whoever was missed changes again before they begin.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

async fn flow(runtime: Handle, session: SessionId) {
    loop {
        let input = Input::Media(MediaFact::Flow { video: true, audio: true });
        match runtime.submit(session, input).await {
            Err(SubmitError::Busy { .. } | SubmitError::Store) => tokio::time::sleep(AGAIN_AFTER).await,
            _ => return,
        }
    }
}

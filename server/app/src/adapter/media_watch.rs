//! Ends of exams end their recordings; incidents get their clips; a session that came back hears again what flows.

use super::clip_keeper::ClipKeeper;
use super::media_facts::Present;
use super::media_sink::MediaSink;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::session::Stage;
use synaq_media::Handle as Media;
use synaq_runtime::{Handle, Snapshot, SubmitError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use uuid::Uuid;

/// A session that could not be looked at is looked at again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Watches every session that publishes.
pub(crate) struct MediaWatch {
    media: Media,
    runtime: Handle,
    sink: Arc<MediaSink>,
    clips: ClipKeeper,
    sessions: HashMap<Uuid, watch::Receiver<Snapshot>>,
    /// Could not be looked at
    again: BTreeSet<Uuid>,
}

impl std::fmt::Debug for MediaWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaWatch(..)")
    }
}

impl MediaWatch {
    /// Over what `media` publishes for sessions of `runtime`.
    pub(crate) fn new(media: Media, runtime: Handle, sink: Arc<MediaSink>, clips: ClipKeeper) -> Self {
        Self { media, runtime, sink, clips, sessions: HashMap::new(), again: BTreeSet::new() }
    }

    /// Runs until the runtime is gone, or aborted.
    pub(crate) async fn run(mut self) {
        let mut changes = self.runtime.changes();
        loop {
            let sessions = tokio::select! {
                change = changes.recv() => match change {
                    Ok(change) => vec![change.session.0],
                    // Some changes were missed: any session may have ended.
                    Err(RecvError::Lagged(_)) => self.media.publishing(),
                    Err(RecvError::Closed) => return,
                },
                () = tokio::time::sleep(AGAIN_AFTER), if !self.again.is_empty() => {
                    std::mem::take(&mut self.again).into_iter().collect()
                }
            };
            for session in sessions {
                if let Err(error) = self.attend(session).await {
                    tracing::debug!(%session, %error, "a publishing session is looked at again soon");
                    self.again.insert(session);
                }
            }
        }
    }

    async fn attend(&mut self, session: Uuid) -> Result<(), SubmitError> {
        if self.media.status(session).is_none() {
            self.sessions.remove(&session);
            return Ok(());
        }
        let (closed, known) = self.known(session).await?;
        if closed {
            self.media.close_session(session).await;
            self.sessions.remove(&session);
        } else {
            self.sink.remind(session, known);
        }
        Ok(())
    }

    /// Whether the exam has ended, and what the session knows of its media. Kept receivers cost no hop through the
    /// shard, which would cut its group commits short.
    async fn known(&mut self, session: Uuid) -> Result<(bool, Present), SubmitError> {
        // A receiver without a sender belongs to a working copy that was dropped.
        let held = self.sessions.get(&session).is_some_and(|snapshot| snapshot.has_changed().is_ok());
        if !held {
            let snapshot = self.runtime.watch(SessionId(session)).await?;
            self.sessions.insert(session, snapshot);
        }
        let snapshot = self.sessions.get(&session).expect("just put there").borrow();
        let state = snapshot.session.state();
        self.clips.attend(session, state);
        let (video, audio, screen) = (state.video, state.audio, state.screen);
        let present = Present { video, audio, screen, recording: state.recording };
        Ok((matches!(state.stage, Stage::Closed { .. }), present))
    }
}

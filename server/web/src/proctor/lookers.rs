//! Whose live picture is open at a proctor's now, for the candidate's page: the truth, but calm. Losing it loses no fact.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_media::Stays;
use tokio::sync::watch;

/// A look that has ended is shown for so long yet: walls open and close pictures within seconds, and a line that comes
/// and goes would draw a nervous person's eye away from the question.
const LINGER: Duration = Duration::from_secs(5);

/// Live pictures of this process by session; those nobody follows and nobody looks at are not kept.
#[derive(Default)]
pub(crate) struct Lookers(Mutex<HashMap<SessionId, Looked>>);

#[derive(Default)]
struct Looked {
    /// Pictures open now, or until a moment ago
    open: usize,
    shown: watch::Sender<bool>,
}

/// One socket's look at it; forgotten with the last.
pub(crate) struct Followed {
    lookers: Arc<Lookers>,
    session: SessionId,
    shown: watch::Receiver<bool>,
}

impl Lookers {
    /// Counts a picture from its connection until a moment after its end. A task of its own waits for that: it ends with
    /// the picture, whichever way that goes.
    pub(crate) fn note(self: &Arc<Self>, session: SessionId, mut stays: Stays) {
        let lookers = Arc::clone(self);
        tokio::spawn(async move {
            if stays.wait_for(|connected| *connected).await.is_err() {
                return;
            }
            lookers.count(session, |open| open + 1);
            while stays.changed().await.is_ok() {}
            tokio::time::sleep(LINGER).await;
            lookers.count(session, |open| open.saturating_sub(1));
        });
    }

    /// Whether the session's picture is looked at, now and from here on.
    pub(crate) fn follow(self: &Arc<Self>, session: SessionId) -> Followed {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = kept.entry(session).or_default().shown.subscribe();
        Followed { lookers: Arc::clone(self), session, shown }
    }

    fn count(&self, session: SessionId, change: impl FnOnce(usize) -> usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = kept.entry(session).or_default();
        looked.open = change(looked.open);
        let any = looked.open > 0;
        looked.shown.send_if_modified(|shown| std::mem::replace(shown, any) != any);
        if !any && looked.shown.receiver_count() == 0 {
            kept.remove(&session);
        }
    }
}

impl Followed {
    /// Now.
    pub(crate) fn any(&self) -> bool {
        *self.shown.borrow()
    }

    /// Returns when it begins or ends.
    pub(crate) async fn changed(&mut self) {
        if self.shown.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut kept = self.lookers.0.lock().unwrap_or_else(PoisonError::into_inner);
        // This one is still counted.
        if kept
            .get(&self.session)
            .is_some_and(|looked| looked.open == 0 && looked.shown.receiver_count() <= 1)
        {
            kept.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SESSION: SessionId = SessionId(Uuid::from_u128(1));

    #[tokio::test(start_paused = true)]
    async fn a_look_shows_from_its_connection_until_a_moment_after_its_end() {
        let lookers = Arc::new(Lookers::default());
        let mut followed = lookers.follow(SESSION);
        let (first, stays) = watch::channel(false);
        lookers.note(SESSION, stays);
        tokio::task::yield_now().await;
        assert!(!followed.any(), "offered only");
        first.send_replace(true);
        followed.changed().await;
        assert!(followed.any());
        // The proctor goes and comes back: nothing moves on the candidate's page.
        drop(first);
        let (second, stays) = watch::channel(true);
        tokio::time::sleep(LINGER / 2).await;
        lookers.note(SESSION, stays);
        tokio::time::sleep(LINGER * 2).await;
        assert!(!followed.shown.has_changed().unwrap() && followed.any());
        drop(second);
        let since = tokio::time::Instant::now();
        followed.changed().await;
        assert!(!followed.any() && since.elapsed() >= LINGER);
        drop(followed);
        assert!(lookers.0.lock().unwrap().is_empty(), "nobody is kept for nobody");
    }

    #[tokio::test(start_paused = true)]
    async fn an_offer_that_never_connects_shows_nothing() {
        let lookers = Arc::new(Lookers::default());
        let followed = lookers.follow(SESSION);
        let (offered, stays) = watch::channel(false);
        lookers.note(SESSION, stays);
        drop(offered);
        tokio::time::sleep(LINGER).await;
        assert!(!followed.any() && !followed.shown.has_changed().unwrap());
    }
}

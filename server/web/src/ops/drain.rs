//! Going down in order: every socket hears it once, finishes what it has begun, and says goodbye.

use std::sync::Arc;
use tokio::sync::watch;

/// Says that this process is going down, and knows when the last socket has gone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    leaving: watch::Sender<bool>,
    open: watch::Sender<usize>,
}

/// One open socket; dropping it says that it has gone.
#[derive(Debug)]
pub(crate) struct Guest {
    drain: Drain,
    leaving: watch::Receiver<bool>,
    seat: &'static str,
}

impl Default for Drain {
    fn default() -> Self {
        Self(Arc::new(Inner { leaving: watch::Sender::new(false), open: watch::Sender::new(0) }))
    }
}

impl Drain {
    /// From now on no socket is opened, and those that are open leave.
    pub fn begin(&self) {
        self.0.leaving.send_replace(true);
    }

    /// Whether this process is going down.
    #[must_use]
    pub fn begun(&self) -> bool {
        *self.0.leaving.borrow()
    }

    /// Sockets open now.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.0.open.borrow()
    }

    /// Returns once no socket is open.
    pub async fn emptied(&self) {
        let mut open = self.0.open.subscribe();
        // The sender lives as long as `self`.
        let _ = open.wait_for(|open| *open == 0).await;
    }

    /// Counts a socket in; none when this process is going down.
    pub(crate) fn guest(&self, seat: &'static str) -> Option<Guest> {
        self.0.open.send_modify(|open| *open += 1);
        metrics::gauge!("synaq_sockets_open", "seat" => seat).increment(1.0);
        // Counted first and asked then: whoever waits until all have gone misses nobody.
        let guest = Guest { drain: self.clone(), leaving: self.0.leaving.subscribe(), seat };
        (!self.begun()).then_some(guest)
    }
}

impl Guest {
    /// Returns when it is time to leave. Cancel-safe.
    pub(crate) async fn asked_to_leave(&mut self) {
        // The sender lives as long as `self.drain`.
        let _ = self.leaving.wait_for(|leaving| *leaving).await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.drain.0.open.send_modify(|open| *open -= 1);
        metrics::gauge!("synaq_sockets_open", "seat" => self.seat).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn guests_hear_that_they_must_leave_and_are_waited_for() {
        let drain = Drain::default();
        let mut guest = drain.guest("candidate").unwrap();
        assert_eq!(drain.open(), 1);
        drain.begin();
        guest.asked_to_leave().await;
        assert!(drain.guest("candidate").is_none());
        let gone = tokio::spawn({
            let drain = drain.clone();
            async move { drain.emptied().await }
        });
        tokio::task::yield_now().await;
        assert!(!gone.is_finished());
        drop(guest);
        gone.await.unwrap();
        assert_eq!(drain.open(), 0);
    }
}

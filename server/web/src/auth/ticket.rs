//! One-time tickets for WebSockets: a browser cannot set headers on an upgrade, and a ticket in an address must be
//! worthless a moment later.

use crate::doors::Random;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::{DeviceHash, SessionId, TabId};
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;
use synaq_store::StaffRow;
use synaq_wire::limits::TICKET_MS;

/// Tickets that wait at one moment: 10 000 candidates reconnecting within seconds, twice over.
const WAITING_MAX: usize = 20_000;

/// Whom a ticket lets in.
#[derive(Clone, Debug)]
pub(crate) enum Bearer {
    /// A candidate's tab
    Candidate { session: SessionId, device: DeviceHash, tab: TabId },
    /// A member of staff, with the hash of the cookie, so that signing out ends the socket too
    Staff { staff: Box<StaffRow>, cookie: [u8; 32] },
}

/// Why no ticket was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TicketError {
    #[error("too many tickets wait")]
    Full,
    #[error("the random source gave no bytes")]
    Entropy,
}

/// Tickets that wait for their socket, by their hash.
pub(crate) struct Tickets {
    waiting: Mutex<HashMap<[u8; 32], (Bearer, At)>>,
    clock: Arc<dyn Clock>,
    random: Random,
}

impl Tickets {
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Random) -> Self {
        Self { waiting: Mutex::default(), clock, random }
    }

    pub(crate) fn issue(&self, bearer: Bearer) -> Result<String, TicketError> {
        let now = self.clock.now();
        let ticket = super::secret(&*self.random).map_err(|_| TicketError::Entropy)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            waiting.retain(|_, (_, until)| *until > now);
        }
        if waiting.len() >= WAITING_MAX {
            return Err(TicketError::Full);
        }
        waiting.insert(super::hash(&ticket), (bearer, now + Span(TICKET_MS)));
        Ok(ticket)
    }

    /// Uses a ticket up.
    pub(crate) fn take(&self, ticket: &str) -> Option<Bearer> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (bearer, until) = waiting.remove(&super::hash(ticket))?;
        (self.clock.now() < until).then_some(bearer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::HandClock;
    use ring::rand::SystemRandom;
    use uuid::Uuid;

    fn bearer() -> Bearer {
        let (session, tab) = (SessionId(Uuid::nil()), TabId(Uuid::nil()));
        Bearer::Candidate { session, device: DeviceHash([0; 32]), tab }
    }

    #[test]
    fn a_ticket_works_once_and_not_after_its_time() {
        let clock = Arc::new(HandClock::default());
        let tickets = Tickets::new(clock.clone(), Arc::new(SystemRandom::new()));
        let first = tickets.issue(bearer()).unwrap();
        assert!(tickets.take(&first).is_some());
        assert!(tickets.take(&first).is_none(), "used");
        let second = tickets.issue(bearer()).unwrap();
        clock.advance(Span(TICKET_MS));
        assert!(tickets.take(&second).is_none(), "expired");
        assert!(tickets.take("").is_none());
    }

    #[test]
    fn expired_tickets_make_room_and_live_ones_do_not() {
        let clock = Arc::new(HandClock::default());
        let tickets = Tickets::new(clock.clone(), Arc::new(SystemRandom::new()));
        for _ in 0..WAITING_MAX {
            tickets.issue(bearer()).unwrap();
        }
        assert!(matches!(tickets.issue(bearer()), Err(TicketError::Full)));
        clock.advance(Span(TICKET_MS));
        assert!(tickets.issue(bearer()).is_ok());
    }
}

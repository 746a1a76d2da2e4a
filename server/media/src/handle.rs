use crate::{
    NotFound, OfferError, PublisherStatus, Relay, Stats, Still, Turn,
    door::Parcel,
    sdp,
    shared::{Shared, Wake},
};
use std::{fmt, net::SocketAddr, str::FromStr, sync::Arc};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// What a WHIP or WHEP endpoint answers: body, and the id for its `Location`.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `application/sdp`
    pub sdp: String,
    pub resource: ResourceId,
    /// For a `Link` of the same answer (RFC 9725, section 4.6), where a relay is configured.
    pub relay: Option<Relay>,
    pub stays: Stays,
}

/// How long a peer stays: false until it is connected, then true; the channel closes when it is gone.
pub type Stays = watch::Receiver<bool>;

/// Unguessable name of one peer (120 random bits); whoever knows it may close it. Text form: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResourceId([u8; 16]);

impl ResourceId {
    pub(crate) fn new(thread: u8, entropy: &dyn ring::rand::SecureRandom) -> Option<Self> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes).ok()?;
        bytes[0] = thread;
        Some(Self(bytes))
    }

    fn thread(self) -> usize {
        usize::from(self.0[0])
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({:02x}..)", self.0[0])
    }
}

impl FromStr for ResourceId {
    type Err = NotFound;

    fn from_str(text: &str) -> Result<Self, NotFound> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotFound);
        }
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| NotFound)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Publisher,
    Viewer,
}

/// What the network thread is asked to do.
pub(crate) enum Command {
    Offer {
        session: Uuid,
        role: Role,
        sdp: sdp::Offer,
        reply: oneshot::Sender<Result<Answer, OfferError>>,
    },
    Close {
        resource: ResourceId,
        reply: oneshot::Sender<Result<(), NotFound>>,
    },
    Resize {
        resource: ResourceId,
        small: bool,
        reply: oneshot::Sender<Result<(), NotFound>>,
    },
    CloseSession {
        session: Uuid,
        reply: oneshot::Sender<()>,
    },
    /// From the door: datagrams for this thread's peers
    Inward(Parcel),
    /// To the door: packets for TCP connections
    Outward(Parcel),
    /// To the door: an address is a peer's of this thread, or is so no longer
    Route {
        address: SocketAddr,
        thread: usize,
        here: bool,
    },
    /// From the door: a TCP connection of this address is over
    Ended {
        address: SocketAddr,
    },
    Stop,
}

/// The way in for the HTTP endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Arc<[Wake]>,
    pub(crate) turn: Option<Arc<Turn>>,
    pub(crate) address: SocketAddr,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Handle {
    /// Takes a candidate's WHIP offer (RFC 9725). An earlier publisher of the session is replaced.
    ///
    /// # Errors
    /// [`OfferError`]; nothing changes then.
    pub async fn publish(&self, session: Uuid, offer: String) -> Result<Answer, OfferError> {
        self.offer(session, Role::Publisher, &offer, false).await
    }

    /// The same, of a candidate whose screen is recorded beside the webcam: the second video line, where the offer has
    /// one.
    ///
    /// # Errors
    /// [`OfferError`]; nothing changes then.
    pub async fn publish_with_screen(&self, session: Uuid, offer: String) -> Result<Answer, OfferError> {
        self.offer(session, Role::Publisher, &offer, true).await
    }

    /// Takes a proctor's WHEP offer. Works before the candidate publishes; the picture comes when it comes.
    ///
    /// # Errors
    /// [`OfferError`]; nothing changes then.
    pub async fn view(&self, session: Uuid, offer: String) -> Result<Answer, OfferError> {
        self.offer(session, Role::Viewer, &offer, false).await
    }

    /// The same for the shared screen, without sound.
    ///
    /// # Errors
    /// [`OfferError`]; nothing changes then.
    pub async fn view_screen(&self, session: Uuid, offer: String) -> Result<Answer, OfferError> {
        self.offer(session, Role::Viewer, &offer, true).await
    }

    /// Closes one peer: DELETE on the resource.
    ///
    /// # Errors
    /// [`NotFound`] when it is gone already.
    pub async fn close(&self, resource: ResourceId) -> Result<(), NotFound> {
        let thread = self.threads.get(resource.thread()).ok_or(NotFound)?;
        let (reply, closed) = oneshot::channel();
        thread.send(Command::Close { resource, reply }).map_err(|_| NotFound)?;
        closed.await.map_err(|_| NotFound)?
    }

    /// How closely a viewer is looked at: `small`, as a tile, gets every other picture where the publisher sends layers,
    /// and no sound. What is recorded stays as it is.
    ///
    /// # Errors
    /// [`NotFound`] when it is gone, or publishes.
    pub async fn resize(&self, resource: ResourceId, small: bool) -> Result<(), NotFound> {
        let thread = self.threads.get(resource.thread()).ok_or(NotFound)?;
        let (reply, resized) = oneshot::channel();
        thread.send(Command::Resize { resource, small, reply }).map_err(|_| NotFound)?;
        resized.await.map_err(|_| NotFound)?
    }

    /// Ends a session's media: publisher and viewers are closed, the recording is finished (its facts follow).
    pub async fn close_session(&self, session: Uuid) {
        let (reply, closed) = oneshot::channel();
        if self.thread(session).send(Command::CloseSession { session, reply }).is_ok() {
            // An error means that the thread has stopped and closed everything.
            let _ = closed.await;
        }
    }

    /// The newest still, kept for ten minutes after the last peer has left.
    #[must_use]
    pub fn still(&self, session: Uuid) -> Option<Still> {
        self.shared.room(session)?.still()
    }

    /// Sound level of the last half second's loudest packet in -dBov (RFC 6464): 0 is the loudest, 127 silence.
    /// `None` without sound, or when the browser does not say.
    #[must_use]
    pub fn level(&self, session: Uuid) -> Option<u8> {
        self.shared.room(session)?.level()
    }

    /// State of the session's publisher; `None` without one.
    #[must_use]
    pub fn status(&self, session: Uuid) -> Option<PublisherStatus> {
        self.shared.room(session)?.status()
    }

    /// Sessions that have a publisher now, in no order.
    #[must_use]
    pub fn publishing(&self) -> Vec<Uuid> {
        self.shared.publishing()
    }

    /// The address that answers name: UDP, and TCP on the same port if it is on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counters since the start, over all threads.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }

    async fn offer(
        &self,
        session: Uuid,
        role: Role,
        offer: &str,
        screen: bool,
    ) -> Result<Answer, OfferError> {
        let offer = sdp::check(offer, role)?;
        let screen = screen && (role == Role::Viewer || offer.second);
        let sdp = sdp::Offer { screen, ..offer };
        let (reply, answer) = oneshot::channel();
        self.thread(session).send(Command::Offer { session, role, sdp, reply })?;
        let answer = answer.await.map_err(|_| OfferError::Stopped)??;
        let relay = self.turn.as_ref().and_then(|turn| turn.relay(&ring::rand::SystemRandom::new()));
        Ok(Answer { relay, ..answer })
    }

    /// A room never changes its thread, so the session id alone must pick it.
    fn thread(&self, session: Uuid) -> &Wake {
        let threads = self.threads.len() as u128;
        let index = usize::try_from(session.as_u128() % threads).expect("a remainder of a usize fits");
        &self.threads[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_id_survives_its_text_form_and_refuses_others() {
        let id = ResourceId::new(3, &ring::rand::SystemRandom::new()).unwrap();
        assert_eq!(id.to_string().parse::<ResourceId>().unwrap(), id);
        for bad in ["", "+1", "zz", &"f".repeat(31), &"+".repeat(32), &"f".repeat(33)] {
            assert_eq!(bad.parse::<ResourceId>(), Err(NotFound), "{bad}");
        }
    }
}

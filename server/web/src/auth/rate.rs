//! How often one may ask. Nobody is ever locked out: whoever waits as told gets in.

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_runtime::Clock;
use synaq_wire::limits::{FRAMES_BURST, FRAMES_PER_S};
use synaq_wire::problem::{Code, Problem};

use crate::doors::Options;

/// Idle keys are swept out after this many questions: never more often, because a sweep looks at all keys.
const SWEEP_AFTER: u32 = 20_000;

/// The process's clock as governor wants it.
#[derive(Clone)]
pub(crate) struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let millis = u64::try_from(self.0.now().0).unwrap_or(0);
        Nanos::new(millis.saturating_mul(1_000_000))
    }
}

type Keyed = RateLimiter<u64, DashMapStateStore<u64>, Ticks, NoOpMiddleware<Nanos>>;

/// A socket's own bucket.
pub(crate) struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>,
    clock: Ticks,
}

impl Bucket {
    /// For frames of one socket.
    pub(crate) fn frames(clock: &Arc<dyn Clock>) -> Self {
        let clock = Ticks(Arc::clone(clock));
        let quota = Quota::per_second(nonzero(FRAMES_PER_S)).allow_burst(nonzero(FRAMES_BURST));
        Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock }
    }

    pub(crate) fn take(&self) -> Result<(), Problem> {
        self.limiter.check().map_err(|until| wait(until.wait_time_from(self.clock.now())))
    }
}

/// All keyed limits.
pub(crate) struct Rates {
    /// One login from one address: four tries at once, then one in ten seconds
    sign_in: Limit,
    /// One address at the sign-in, whatever login
    address: Limit,
    /// One personal link
    links: Limit,
    /// One address at what is no personal link
    wrong_links: Limit,
    /// Requests of one link's trial run: the line is measured by a row of them
    trials: Limit,
    /// Photos of one session
    photos: Limit,
    /// Stills of one session that come over HTTP
    stills: Limit,
    /// Pieces of one device's own recording
    pieces: Limit,
    /// Tickets of one session or member of staff: each leads to an event, and all of them share one bounded map
    tickets: Limit,
    /// SDP offers of one session or member of staff
    offers: Limit,
    /// Letters that anybody may ask for to be sent to one person
    letters: Limit,
    /// Codes of one person's second factor
    codes: Limit,
}

struct Limit {
    limiter: Keyed,
    clock: Ticks,
    asked: AtomicU32,
}

impl Limit {
    fn new(clock: &Arc<dyn Clock>, every: Duration, burst: u32) -> Self {
        let clock = Ticks(Arc::clone(clock));
        let quota = Quota::with_period(every).expect("a period is not zero").allow_burst(nonzero(burst));
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Self { limiter, clock, asked: AtomicU32::new(0) }
    }

    fn take(&self, key: impl Hash) -> Result<(), Problem> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_AFTER == SWEEP_AFTER - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&hasher.finish()).map_err(|until| wait(until.wait_time_from(self.clock.now())))
    }
}

impl Rates {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        let limit = |every_ms, burst| Limit::new(clock, Duration::from_millis(every_ms), burst);
        Self {
            sign_in: limit(10_000, 4),
            // A class room behind one address signs in at once.
            address: limit(1_000, 60),
            // Opened, bound, reloaded: a few each. All links of a sitting may come from one address.
            links: limit(1_000, 30),
            // 128 bits cannot be guessed; this is for the log and for mistyped links of a class room.
            wrong_links: limit(1_000, 60),
            // A measuring is a dozen small requests and two loads; a few in a row.
            trials: limit(1_000, 80),
            photos: limit(10_000, 12),
            // The page keeps the pace it is told, 5 s; a reload begins anew.
            stills: limit(2_500, 8),
            // Ten seconds of recording each; after the end what is left comes in a row.
            pieces: limit(1_000, 30),
            // Pages that reconnect wait half a second at least, and longer each time.
            tickets: limit(1_000, 30),
            // Networks that break every few seconds ask again after each break.
            offers: limit(2_000, 30),
            // The first may have gone astray; more only fill a letter box.
            letters: limit(600_000, 3),
            // A million codes and three that are right: guessing takes years.
            codes: limit(15_000, 5),
        }
    }

    pub(crate) fn sign_in(&self, login: &str, from: IpAddr) -> Result<(), Problem> {
        self.address.take(from)?;
        self.sign_in.take((login.to_lowercase(), from))
    }

    pub(crate) fn link(&self, of: SessionId) -> Result<(), Problem> {
        self.links.take(of)
    }

    pub(crate) fn wrong_link(&self, from: IpAddr) -> Result<(), Problem> {
        self.wrong_links.take(from)
    }

    pub(crate) fn trial(&self, session: SessionId) -> Result<(), Problem> {
        self.trials.take(session)
    }

    pub(crate) fn photo(&self, session: SessionId) -> Result<(), Problem> {
        self.photos.take(session)
    }

    pub(crate) fn still(&self, session: SessionId) -> Result<(), Problem> {
        self.stills.take(session)
    }

    pub(crate) fn piece(&self, session: SessionId) -> Result<(), Problem> {
        self.pieces.take(session)
    }

    pub(crate) fn ticket(&self, by: uuid::Uuid) -> Result<(), Problem> {
        self.tickets.take(by)
    }

    pub(crate) fn code(&self, of: uuid::Uuid) -> Result<(), Problem> {
        self.codes.take(of)
    }

    pub(crate) fn letter(&self, to: uuid::Uuid) -> Result<(), Problem> {
        self.letters.take(to)
    }

    pub(crate) fn offer(&self, by: uuid::Uuid) -> Result<(), Problem> {
        self.offers.take(by)
    }
}

fn nonzero(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("limits are not zero")
}

fn wait(time: Duration) -> Problem {
    let wait_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    Problem { retry_after_ms: Some(wait_ms), ..Problem::new(Code::TooManyRequests) }
}

/// Address a request came from, as far as it can be believed. IPv6 counts by its /64: a home has a whole one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct From(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for From
where
    Arc<Options>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let options = Arc::<Options>::from_ref(state);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        // Without the peer's address, as in-process tests call it, everybody shares one bucket.
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|list| list.to_str().ok());
        let last = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let from = last.filter(|_| options.trusted_proxies.contains(&peer)).unwrap_or(peer);
        Ok(Self(network(from)))
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::HandClock;
    use synaq_core::time::Span;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn guessing_a_password_slows_down_and_locks_nobody_else_out() {
        let hand = Arc::new(HandClock::default());
        let clock: Arc<dyn Clock> = hand.clone();
        let rates = Rates::new(&clock);
        for _ in 0..4 {
            rates.sign_in("aigul", ELSEWHERE).unwrap();
        }
        let refused = rates.sign_in("Aigul", ELSEWHERE).unwrap_err();
        assert_eq!(refused.code, Code::TooManyRequests);
        let wait_ms = i64::try_from(refused.retry_after_ms.unwrap()).unwrap();
        assert!((9_000..=10_000).contains(&wait_ms), "{wait_ms}");
        rates.sign_in("aigul", HOME).expect("the victim at home gets in");
        hand.advance(Span(wait_ms));
        rates.sign_in("aigul", ELSEWHERE).expect("waiting as told is enough");
    }

    /// A centre behind one address, or a load test.
    #[test]
    fn ten_thousand_candidates_behind_one_address_come_in_and_come_back_at_once() {
        let hand = Arc::new(HandClock::default());
        let clock: Arc<dyn Clock> = hand.clone();
        let rates = Rates::new(&clock);
        for candidate in 0..10_000 {
            let session = SessionId(uuid::Uuid::from_u128(candidate));
            for _ in 0..2 {
                rates.link(session).unwrap();
                rates.ticket(session.0).unwrap();
            }
        }
        let one = SessionId(uuid::Uuid::from_u128(1));
        assert!((0..100).any(|_| rates.link(one).is_err()), "but one link has its limit");
        assert!((0..100).any(|_| rates.wrong_link(HOME).is_err()), "and guessing has its own");
        rates.wrong_link(ELSEWHERE).unwrap();
    }

    #[test]
    fn a_socket_may_burst_and_then_keeps_to_its_rate() {
        let hand = Arc::new(HandClock::default());
        let clock: Arc<dyn Clock> = hand.clone();
        let bucket = Bucket::frames(&clock);
        for _ in 0..FRAMES_BURST {
            bucket.take().unwrap();
        }
        assert!(bucket.take().is_err());
        hand.advance(Span::secs(1));
        for _ in 0..FRAMES_PER_S {
            bucket.take().unwrap();
        }
        assert!(bucket.take().is_err());
    }

    #[test]
    fn one_home_is_one_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), HOME);
    }
}

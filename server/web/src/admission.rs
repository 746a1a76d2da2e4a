//! Who may sit down. Seats are bounded; who finds none waits in a queue over HTTP, without a socket, in the order of
//! arrival. Waiting never takes exam time: only candidates whose clock does not run can be asked to wait. All of this
//! may be lost: a restart makes the queue anew, and a running exam is let in at once.

use metrics::gauge;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use synaq_core::ids::{DeviceHash, SessionId};
use synaq_core::session::{Stage, State};
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;
use synaq_wire::problem::{Code, Problem};

/// How many may be here at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Candidates with a seat: a live socket, or one that went less than a minute ago. Running exams are let in beyond it
    pub candidates: usize,
    /// Candidates in the queue; beyond it nobody gets a place
    pub waiting: usize,
}

/// Measured without strain: 18,000 connections.
const CANDIDATES_MAX: usize = 18_000;
/// Descriptors that are not sockets of candidates: store, evidence, proctors, requests under way. A quarter if there are
/// few.
const DESCRIPTORS_KEPT: usize = 1_024;

impl Default for Limits {
    fn default() -> Self {
        Self { candidates: CANDIDATES_MAX, waiting: 20_000 }
    }
}

impl Limits {
    /// What a process with so many file descriptors can hold: a tenth of what is left is for reconnecting ones, whose
    /// old socket is not noticed yet.
    #[must_use]
    pub fn within(descriptors: usize) -> Self {
        let seats = (descriptors - DESCRIPTORS_KEPT.min(descriptors / 4)) / 10 * 9;
        Self { candidates: seats.clamp(1, CANDIDATES_MAX), ..Self::default() }
    }
}

/// A seat is kept for whoever lost the connection, and a place in the queue for whoever does not ask: a slow restart of
/// a browser.
const KEPT: Span = Span::mins(1);
/// Seats and places that were given up are looked for this often.
const SWEEP_EVERY: Span = Span::secs(1);
/// Asked again soon where it moves soon: (places up to, milliseconds).
const ASK_AGAIN: [(usize, u64); 2] = [(50, 2_000), (500, 5_000)];
const ASK_AGAIN_LAST_MS: u64 = 10_000;
/// Nobody gets a place: ask again after this.
const NO_PLACE_MS: u64 = 30_000;

/// What a candidate who asks to come in hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    Admitted,
    /// 1 is next
    Waits {
        position: u32,
        retry_after_ms: u64,
    },
    /// The queue is full too
    NoPlace,
}

impl Entry {
    /// Go on, or why not.
    pub(crate) fn admitted(self) -> Result<(), Problem> {
        let full = Problem::new(Code::ExamFullQueue);
        match self {
            Self::Admitted => Ok(()),
            Self::Waits { position, retry_after_ms } => {
                Err(Problem { position: Some(position), retry_after_ms: Some(retry_after_ms), ..full })
            }
            Self::NoPlace => Err(Problem { retry_after_ms: Some(NO_PLACE_MS), ..full }),
        }
    }
}

/// Never asked to wait: a running clock must not run for nothing, and what was given before the end must arrive.
pub(crate) fn goes_first(state: &State) -> bool {
    match &state.stage {
        Stage::Running { .. } => true,
        Stage::Closed { .. } => state.sealed.is_none(),
        Stage::Absent | Stage::Preparing => false,
    }
}

/// The queue as readiness asks about it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Queue(Arc<OnceLock<Arc<Admission>>>);

impl Queue {
    /// Whether a candidate who comes now for the first time gets neither a seat nor a place. Running exams are let in.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.get().is_some_and(|admission| admission.is_full())
    }

    /// There is one front door; a second one would not be asked about.
    pub(crate) fn follow(&self, admission: &Arc<Admission>) {
        let _ = self.0.set(Arc::clone(admission));
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue(..)")
    }
}

/// Seats and queue.
pub(crate) struct Admission {
    limits: Limits,
    clock: Arc<dyn Clock>,
    hall: Mutex<Hall>,
}

#[derive(Default)]
struct Hall {
    seats: HashMap<SessionId, SeatKept>,
    /// By number: the order of arrival
    queue: VecDeque<Waiting>,
    numbers: HashMap<SessionId, u64>,
    next_number: u64,
    swept_at: Option<At>,
}

struct SeatKept {
    /// Which asked last
    device: DeviceHash,
    sockets: u32,
    until: At,
}

impl SeatKept {
    fn is_kept(&self, now: At) -> bool {
        self.sockets > 0 || self.until > now
    }
}

struct Waiting {
    number: u64,
    session: SessionId,
    device: DeviceHash,
    asked_at: At,
}

impl Admission {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self { limits, clock, hall: Mutex::default() }
    }

    /// Whether this device waits with a place: it was believed when it got it, so nobody has to be asked again.
    pub(crate) fn is_waiting(&self, session: SessionId, device: DeviceHash) -> bool {
        let hall = self.hall();
        hall.place(session).is_some_and(|place| hall.queue[place].device == device)
    }

    /// Whether this device holds the seat: whoever comes back after a cut need not be looked up again.
    pub(crate) fn is_seated(&self, session: SessionId, device: DeviceHash) -> bool {
        let now = self.clock.now();
        let hall = self.hall();
        hall.seats.get(&session).is_some_and(|seat| seat.device == device && seat.is_kept(now))
    }

    /// Asks for a seat; `first` never waits.
    pub(crate) fn enter(&self, session: SessionId, device: DeviceHash, first: bool) -> Entry {
        let now = self.clock.now();
        let mut hall = self.hall();
        hall.sweep(now);
        let until = now + KEPT;
        if let Some(seat) = hall.seats.get_mut(&session) {
            (seat.until, seat.device) = (until, device);
            return Entry::Admitted;
        }
        let free = self.limits.candidates.saturating_sub(hall.seats.len());
        let nobody_before = free > 0 && hall.queue.is_empty();
        if !first && !nobody_before {
            let Some(place) = hall.take_place(session, device, now, self.limits.waiting) else {
                return Entry::NoPlace;
            };
            if place >= free {
                hall.tell();
                return waits(place);
            }
        }
        hall.leave_queue(session);
        hall.seats.insert(session, SeatKept { device, sockets: 0, until });
        hall.tell();
        Entry::Admitted
    }

    /// Whether a candidate who comes now for the first time gets neither a seat nor a place.
    fn is_full(&self) -> bool {
        let mut hall = self.hall();
        hall.sweep(self.clock.now());
        let nobody_before = hall.queue.is_empty() && hall.seats.len() < self.limits.candidates;
        hall.queue.len() >= self.limits.waiting && !nobody_before
    }

    /// A socket of that session is open; dropping what is returned says that it has gone.
    pub(crate) fn sit(self: &Arc<Self>, session: SessionId, device: DeviceHash) -> Chair {
        let until = self.clock.now() + KEPT;
        let mut hall = self.hall();
        hall.seats.entry(session).or_insert(SeatKept { device, sockets: 0, until }).sockets += 1;
        hall.tell();
        Chair { admission: Arc::clone(self), session, given_up: false }
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    fn place(&self, session: SessionId) -> Option<usize> {
        let number = self.numbers.get(&session)?;
        self.queue.binary_search_by_key(number, |waiting| waiting.number).ok()
    }

    /// The place held, or a new one at the end; none when there is no room.
    fn take_place(&mut self, session: SessionId, device: DeviceHash, now: At, most: usize) -> Option<usize> {
        if let Some(place) = self.place(session) {
            (self.queue[place].asked_at, self.queue[place].device) = (now, device);
            return Some(place);
        }
        if self.queue.len() >= most {
            return None;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.numbers.insert(session, number);
        self.queue.push_back(Waiting { number, session, device, asked_at: now });
        Some(self.queue.len() - 1)
    }

    fn leave_queue(&mut self, session: SessionId) {
        if let Some(place) = self.place(session) {
            self.queue.remove(place);
        }
        self.numbers.remove(&session);
    }

    fn sweep(&mut self, now: At) {
        if self.swept_at.is_some_and(|swept_at| now - swept_at < SWEEP_EVERY) {
            return;
        }
        self.swept_at = Some(now);
        self.seats.retain(|_, seat| seat.is_kept(now));
        let numbers = &mut self.numbers;
        self.queue.retain(|waiting| {
            let asks = now - waiting.asked_at < KEPT;
            if !asks {
                numbers.remove(&waiting.session);
            }
            asks
        });
    }

    fn tell(&self) {
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        gauge!("synaq_admission_waiting").set(count(self.queue.len()));
        gauge!("synaq_admission_seated").set(count(self.seats.len()));
    }
}

fn waits(place: usize) -> Entry {
    let again = ASK_AGAIN.iter().find(|(up_to, _)| place < *up_to);
    Entry::Waits {
        position: u32::try_from(place + 1).unwrap_or(u32::MAX),
        retry_after_ms: again.map_or(ASK_AGAIN_LAST_MS, |(_, ms)| *ms),
    }
}

/// A socket's share in its candidate's seat.
pub(crate) struct Chair {
    admission: Arc<Admission>,
    session: SessionId,
    given_up: bool,
}

impl Chair {
    /// The exam is over: nobody comes back to it in a hurry.
    pub(crate) const fn give_up(&mut self) {
        self.given_up = true;
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        let until = self.admission.clock.now() + KEPT;
        let mut hall = self.admission.hall();
        let Some(seat) = hall.seats.get_mut(&self.session) else { return };
        seat.sockets = seat.sockets.saturating_sub(1);
        seat.until = until;
        if self.given_up && seat.sockets == 0 {
            hall.seats.remove(&self.session);
        }
        hall.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::HandClock;
    use uuid::Uuid;

    const DEVICE: DeviceHash = DeviceHash([1; 32]);

    fn session(n: u128) -> SessionId {
        SessionId(Uuid::from_u128(n))
    }

    fn hall(candidates: usize, waiting: usize) -> (Arc<HandClock>, Arc<Admission>) {
        let clock = Arc::new(HandClock::default());
        let admission = Admission::new(Limits { candidates, waiting }, clock.clone());
        (clock, Arc::new(admission))
    }

    fn position(entry: Entry) -> u32 {
        match entry {
            Entry::Waits { position, .. } => position,
            Entry::Admitted => 0,
            Entry::NoPlace => u32::MAX,
        }
    }

    #[test]
    fn whoever_finds_no_seat_waits_in_the_order_of_arrival_and_gets_the_next_one() {
        let (clock, hall) = hall(2, 10);
        let ask = |n| position(hall.enter(session(n), DEVICE, false));
        assert_eq!((ask(1), ask(2), ask(3), ask(4)), (0, 0, 1, 2));
        assert_eq!((ask(4), ask(3)), (2, 1), "asking again changes no place");
        let mut chair = hall.sit(session(1), DEVICE);
        chair.give_up();
        drop(chair);
        assert_eq!(ask(4), 2, "the one before comes first");
        assert_eq!(ask(5), 3);
        assert_eq!((ask(3), ask(4), ask(5)), (0, 1, 2));
        assert_eq!(ask(1), 3, "whoever gave the seat up comes last");
        clock.advance(Span::secs(30));
        assert_eq!(ask(4), 1);
        clock.advance(Span::secs(31));
        assert_eq!(
            ask(4),
            0,
            "seats of those who never came are free after a minute, places of the silent too"
        );
    }

    #[test]
    fn a_running_exam_is_let_in_beyond_the_limit_and_never_waits() {
        let (_, hall) = hall(1, 10);
        let _chair = hall.sit(session(1), DEVICE);
        assert_eq!(position(hall.enter(session(2), DEVICE, false)), 1);
        for n in 10..20 {
            assert_eq!(hall.enter(session(n), DEVICE, true), Entry::Admitted);
        }
        assert_eq!(position(hall.enter(session(2), DEVICE, false)), 1);
        assert_eq!(hall.enter(session(2), DEVICE, true), Entry::Admitted, "its clock runs now");
        assert!(!hall.is_waiting(session(2), DEVICE));
    }

    #[test]
    fn a_seat_is_kept_across_a_reconnect_and_a_place_for_a_minute() {
        let (clock, hall) = hall(1, 10);
        drop(hall.sit(session(1), DEVICE));
        assert_eq!(position(hall.enter(session(2), DEVICE, false)), 1);
        clock.advance(Span::secs(59));
        assert!(hall.is_seated(session(1), DEVICE) && !hall.is_seated(session(1), DeviceHash([2; 32])));
        assert_eq!(hall.enter(session(1), DEVICE, false), Entry::Admitted);
        assert!(hall.is_waiting(session(2), DEVICE) && !hall.is_waiting(session(2), DeviceHash([2; 32])));
        clock.advance(Span::secs(2));
        assert_eq!(position(hall.enter(session(3), DEVICE, false)), 1, "the silent one lost its place");
        assert_eq!(position(hall.enter(session(2), DEVICE, false)), 2);
    }

    #[test]
    fn the_queue_is_bounded_and_says_when_to_ask_again() {
        let (_, hall) = hall(0, 600);
        let entries: Vec<_> = (0..=600).map(|n| hall.enter(session(n), DEVICE, false)).collect();
        assert_eq!(entries[0], Entry::Waits { position: 1, retry_after_ms: 2_000 });
        assert_eq!(entries[499], Entry::Waits { position: 500, retry_after_ms: 5_000 });
        assert_eq!(entries[599], Entry::Waits { position: 600, retry_after_ms: 10_000 });
        assert_eq!(entries[600], Entry::NoPlace);
        let problem = entries[600].admitted().unwrap_err();
        assert_eq!((problem.code, problem.position), (Code::ExamFullQueue, None));
    }

    #[test]
    fn the_queue_is_full_as_long_as_nobody_new_gets_a_place() {
        let (clock, hall) = hall(1, 2);
        let queue = Queue::default();
        assert!(!queue.is_full(), "there is no front door yet");
        queue.follow(&hall);
        for n in 1..=2 {
            hall.enter(session(n), DEVICE, false);
            assert!(!queue.is_full(), "{n}");
        }
        hall.enter(session(3), DEVICE, false);
        assert!(queue.is_full());
        assert_eq!(hall.enter(session(4), DEVICE, false), Entry::NoPlace);
        clock.advance(Span::secs(61));
        assert!(!queue.is_full(), "nobody asked for a minute, and nobody had to ask for it to be seen");
    }

    #[test]
    fn seats_follow_the_descriptors_of_the_process() {
        assert_eq!(Limits::within(20_000).candidates, 17_073);
        assert_eq!(Limits::within(1_000_000).candidates, CANDIDATES_MAX);
        assert_eq!(Limits::within(1_024).candidates, 684);
        assert_eq!(Limits::within(0).candidates, 1);
    }
}

//! What takes a shard's session away from its desk: reading a stream, sealing a record. Done beside the shard, a few at
//! a time, so that nobody's answer waits for somebody else's log.

use crate::episode::{Episode, Tell};
use crate::handle::SubmitError;
use crate::loaded::Loaded;
use crate::sealing::{self, Sealed};
use crate::service::Ports;
use crate::shard::Request;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Creation, ExamSession};
use synaq_core::time::At;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Streams read and replayed at once, those included that wait for the shard's next round: enough to keep four
/// processors and the readers of a store busy during a commit. A session that is asked for waits for no more than these.
const LOADS_AT_ONCE: usize = 128;
/// Records folded and signed at once: five hundred exams that end together leave processors to those that go on.
const SEALS_AT_ONCE: usize = 2;

/// What an errand came back with.
pub(crate) enum Brought {
    Session(SessionId, Result<(Box<Loaded>, Box<Creation>), SubmitError>),
    /// A record of the session as it stood at this position
    Seal(SessionId, Seq, Result<Box<Sealed>, String>),
}

/// An errand that is done, with what the log may have to hear of it.
struct Returned {
    brought: Brought,
    /// Why it is made again
    trouble: Option<String>,
}

/// The errands of one shard.
pub(crate) struct Errands {
    ports: Arc<Ports>,
    under_way: JoinSet<Returned>,
    loads: Lane<SessionId>,
    seals: Lane<Seal>,
    /// Left by the process before, in the order in which they are brought when nobody asks for another one
    left_behind: VecDeque<SessionId>,
    /// Of these, the ones that nobody has asked for yet
    not_asked_for: HashSet<SessionId>,
    loads_fail: Episode,
    seals_fail: Episode,
    /// Asked of sessions that are not here yet, in order
    parked: HashMap<SessionId, Vec<Request>>,
    parked_count: usize,
    parked_max: usize,
    /// Waits for its seal, or is being sealed
    sealing: HashSet<SessionId>,
}

struct Seal {
    session: SessionId,
    known: Arc<ExamSession>,
    at: At,
}

/// A queue of errands, of which some are under way.
struct Lane<T> {
    waiting: VecDeque<T>,
    under_way: usize,
    at_once: usize,
}

impl<T> Lane<T> {
    const fn new(at_once: usize) -> Self {
        Self { waiting: VecDeque::new(), under_way: 0, at_once }
    }

    fn next(&mut self) -> Option<T> {
        if self.under_way == self.at_once {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.under_way += 1;
        Some(next)
    }
}

impl Errands {
    /// Begins to bring the sessions that the process before left behind. Must be called within an async runtime.
    pub(crate) fn new(ports: Arc<Ports>, parked_max: usize, left_behind: VecDeque<SessionId>) -> Self {
        let mut errands = Self {
            ports,
            under_way: JoinSet::new(),
            loads: Lane::new(LOADS_AT_ONCE),
            seals: Lane::new(SEALS_AT_ONCE),
            not_asked_for: left_behind.iter().copied().collect(),
            left_behind,
            loads_fail: Episode::default(),
            seals_fail: Episode::default(),
            parked: HashMap::new(),
            parked_count: 0,
            parked_max,
            sealing: HashSet::new(),
        };
        errands.send_out();
        errands
    }

    /// Somebody waits for a session that is on its way.
    pub(crate) fn anybody_waits(&self) -> bool {
        self.parked_count > 0
    }

    /// Brings a session, unless it is on its way.
    pub(crate) fn load(&mut self, session: SessionId) {
        if let std::collections::hash_map::Entry::Vacant(place) = self.parked.entry(session) {
            place.insert(Vec::new());
            self.not_asked_for.remove(&session);
            self.loads.waiting.push_back(session);
            self.send_out();
        }
    }

    /// Brings a session and keeps what is asked of it until then. Given back when too much waits already.
    pub(crate) fn park(&mut self, request: Request) -> Result<(), Request> {
        if self.parked_count == self.parked_max {
            return Err(request);
        }
        self.load(request.session);
        self.parked_count += 1;
        self.parked.entry(request.session).or_default().push(request);
        Ok(())
    }

    /// What was asked of a session that has come, or will not come.
    pub(crate) fn take_parked(&mut self, session: SessionId) -> Vec<Request> {
        let parked = self.parked.remove(&session).unwrap_or_default();
        self.parked_count -= parked.len();
        parked
    }

    /// Seals a session as it stands, unless that is being done.
    pub(crate) fn seal(&mut self, loaded: &Loaded, at: At) {
        if self.sealing.insert(loaded.id) {
            let known = Arc::clone(&loaded.session);
            self.seals.waiting.push_back(Seal { session: loaded.id, known, at });
            self.send_out();
        }
    }

    /// The next errand to come back; pending while none is under way.
    pub(crate) async fn next(&mut self) -> Brought {
        match self.under_way.join_next().await {
            Some(brought) => self.back(brought),
            None => std::future::pending().await,
        }
    }

    /// As [`Errands::next`], if one has come back.
    pub(crate) fn try_next(&mut self) -> Option<Brought> {
        let brought = self.under_way.try_join_next()?;
        Some(self.back(brought))
    }

    fn back(&mut self, returned: Result<Returned, tokio::task::JoinError>) -> Brought {
        // Errands are never aborted while the shard lives, so this is a panic, and a bug of the whole process.
        let returned = returned.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let Returned { brought, trouble } = returned;
        match &brought {
            Brought::Session(session, _) => {
                self.loads.under_way -= 1;
                note(&mut self.loads_fail, &OF_LOADS, *session, trouble.as_deref());
            }
            Brought::Seal(session, ..) => {
                self.seals.under_way -= 1;
                self.sealing.remove(session);
                note(&mut self.seals_fail, &OF_SEALS, *session, trouble.as_deref());
            }
        }
        self.send_out();
        brought
    }

    fn send_out(&mut self) {
        while let Some(session) = self.next_load() {
            let ports = Arc::clone(&self.ports);
            self.under_way.spawn(async move {
                let (loaded, trouble) = match load(&ports, session).await {
                    Ok(loaded) => (Ok(loaded), None),
                    Err((error, why)) => (Err(error), why),
                };
                Returned { brought: Brought::Session(session, loaded), trouble }
            });
        }
        while let Some(Seal { session, known, at }) = self.seals.next() {
            let ports = Arc::clone(&self.ports);
            self.under_way.spawn(async move {
                let upto = known.state().seq;
                let sealed = seal(&ports, session, &known, at).await;
                let trouble = sealed.as_ref().err().cloned();
                Returned { brought: Brought::Seal(session, upto, sealed.map(Box::new)), trouble }
            });
        }
    }

    /// Whom somebody asks for comes first; then whoever was left behind and is not on the way.
    fn next_load(&mut self) -> Option<SessionId> {
        if let Some(session) = self.loads.next() {
            return Some(session);
        }
        while self.loads.under_way < self.loads.at_once {
            let session = self.left_behind.pop_front()?;
            if self.not_asked_for.remove(&session) {
                self.parked.insert(session, Vec::new());
                self.loads.under_way += 1;
                return Some(session);
            }
        }
        None
    }
}

fn note(episode: &mut Episode, words: &Words, session: SessionId, trouble: Option<&str>) {
    let tell = match trouble {
        Some(why) => {
            tracing::debug!(%session, why, "an errand for a session failed; it is made again");
            episode.failed(session, Instant::now())
        }
        None => episode.left(session),
    };
    words.tell(tell, trouble);
}

/// What the log says of one kind of trouble.
struct Words {
    began: &'static str,
    lasts: &'static str,
    over: &'static str,
}

const OF_LOADS: Words = Words {
    began: "sessions cannot be loaded; each is tried again until it can",
    lasts: "sessions can still not be loaded",
    over: "all sessions that could not be loaded are back",
};
const OF_SEALS: Words = Words {
    began: "records cannot be sealed; each is tried again until it can",
    lasts: "records can still not be sealed",
    over: "all records that could not be sealed are",
};

impl Words {
    fn tell(&self, tell: Option<Tell>, why: Option<&str>) {
        match tell {
            Some(Tell::Began) => tracing::warn!(why, "{}", self.began),
            Some(Tell::Lasts { sessions, failures }) => {
                tracing::warn!(why, sessions, failures, "{}", self.lasts);
            }
            Some(Tell::Over { failures }) => tracing::info!(failures, "{}", self.over),
            None => {}
        }
    }
}

/// A session that is loaded, and what it would be created with.
type Found = (Box<Loaded>, Box<Creation>);

/// With the reason of what is tried again; anything else is told here, because nobody tries it again.
async fn load(ports: &Ports, session: SessionId) -> Result<Found, (SubmitError, Option<String>)> {
    let opened = ports.source.open(session).await.map_err(|error| match error {
        crate::SourceError::NotFound => (SubmitError::NotFound, None),
        crate::SourceError::Unavailable(_) => (SubmitError::Store, Some(with_cause(&error))),
    })?;
    let log = ports
        .log
        .load(session, Seq(0))
        .await
        .map_err(|error| (SubmitError::Store, Some(with_cause(&error))))?;
    let loaded = Loaded::replay(session, opened.context, &log).map_err(|error| {
        tracing::error!(%session, %error, "a stored session cannot be replayed");
        (SubmitError::Damaged, None)
    })?;
    Ok((Box::new(loaded), Box::new(opened.creation)))
}

/// The error and what is behind it.
fn with_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

async fn seal(ports: &Ports, session: SessionId, known: &ExamSession, at: At) -> Result<Sealed, String> {
    let log = ports.log.load(session, Seq(0)).await.map_err(|error| with_cause(&error))?;
    sealing::seal(session, known, &log, ports.source.as_ref(), &ports.keys, at)
        .await
        .map_err(|error| with_cause(&error))
}

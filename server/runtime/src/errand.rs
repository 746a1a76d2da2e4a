//! What takes a shard's session away from its desk: reading a stream, sealing a record. Done beside the shard, a few at
//! a time, so that nobody's answer waits for somebody else's log.

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

/// Streams read and replayed at once: enough to keep four processors and the readers of a store busy.
const LOADS_AT_ONCE: usize = 32;
/// Records folded and signed at once: five hundred exams that end together leave processors to those that go on.
const SEALS_AT_ONCE: usize = 2;

/// What an errand came back with.
pub(crate) enum Brought {
    Session(SessionId, Result<(Box<Loaded>, Box<Creation>), SubmitError>),
    /// A record of the session as it stood at this position
    Seal(SessionId, Seq, Result<Box<Sealed>, String>),
}

/// The errands of one shard.
pub(crate) struct Errands {
    ports: Arc<Ports>,
    under_way: JoinSet<Brought>,
    loads: Lane<SessionId>,
    seals: Lane<Seal>,
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
    pub(crate) fn new(ports: Arc<Ports>, parked_max: usize) -> Self {
        Self {
            ports,
            under_way: JoinSet::new(),
            loads: Lane::new(LOADS_AT_ONCE),
            seals: Lane::new(SEALS_AT_ONCE),
            parked: HashMap::new(),
            parked_count: 0,
            parked_max,
            sealing: HashSet::new(),
        }
    }

    /// Somebody waits for a session that is on its way.
    pub(crate) fn anybody_waits(&self) -> bool {
        self.parked_count > 0
    }

    /// Brings a session, unless it is on its way.
    pub(crate) fn load(&mut self, session: SessionId) {
        if let std::collections::hash_map::Entry::Vacant(place) = self.parked.entry(session) {
            place.insert(Vec::new());
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

    fn back(&mut self, brought: Result<Brought, tokio::task::JoinError>) -> Brought {
        // Errands are never aborted while the shard lives, so this is a panic, and a bug of the whole process.
        let brought = brought.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        match &brought {
            Brought::Session(..) => self.loads.under_way -= 1,
            Brought::Seal(session, ..) => {
                self.seals.under_way -= 1;
                self.sealing.remove(session);
            }
        }
        self.send_out();
        brought
    }

    fn send_out(&mut self) {
        while let Some(session) = self.loads.next() {
            let ports = Arc::clone(&self.ports);
            self.under_way.spawn(async move { Brought::Session(session, load(&ports, session).await) });
        }
        while let Some(Seal { session, known, at }) = self.seals.next() {
            let ports = Arc::clone(&self.ports);
            self.under_way.spawn(async move {
                let upto = known.state().seq;
                let sealed = seal(&ports, session, &known, at).await;
                Brought::Seal(session, upto, sealed.map(Box::new))
            });
        }
    }
}

async fn load(ports: &Ports, session: SessionId) -> Result<(Box<Loaded>, Box<Creation>), SubmitError> {
    let opened = ports.source.open(session).await.map_err(|error| match error {
        crate::SourceError::NotFound => SubmitError::NotFound,
        crate::SourceError::Unavailable(_) => {
            tracing::warn!(%session, %error, "a session cannot be opened");
            SubmitError::Store
        }
    })?;
    let log = ports.log.load(session, Seq(0)).await.map_err(|error| {
        tracing::warn!(%session, %error, "a session cannot be loaded");
        SubmitError::Store
    })?;
    let loaded = Loaded::replay(session, opened.context, &log).map_err(|error| {
        tracing::error!(%session, %error, "a stored session cannot be replayed");
        SubmitError::Damaged
    })?;
    Ok((Box::new(loaded), Box::new(opened.creation)))
}

async fn seal(ports: &Ports, session: SessionId, known: &ExamSession, at: At) -> Result<Sealed, String> {
    let log = ports.log.load(session, Seq(0)).await.map_err(|error| error.to_string())?;
    sealing::seal(session, known, &log, ports.source.as_ref(), &ports.keys, at)
        .await
        .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)))
}

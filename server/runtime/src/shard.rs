//! One task that owns many sessions: decide, apply, append whatever arrived meanwhile, and only then speak.

use crate::handle::{Change, Done, Snapshot, SubmitError};
use crate::loaded::{Loaded, Step};
use crate::sealing::{self, Approver};
use crate::service::{Options, Ports};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Fact, Input, Stage};
use synaq_core::time::{At, Span};
use synaq_store::{Batch, Error as StoreError, Lease};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

/// Tried again this long after a record could not be sealed, or a session not be loaded.
const RETRY: Span = Span::secs(2);
/// A store that failed for longer than this was down: the time is ours, not the candidate's (P2).
const DOWN_AFTER: Span = Span::secs(2);
/// Sessions in memory before idle ones are let go; one has 10 to 50 KiB.
const SESSIONS_KEPT: usize = 2_000;

pub(crate) type Reply = oneshot::Sender<Result<Done, SubmitError>>;

pub(crate) enum Request {
    Submit { session: SessionId, input: Box<Input>, reply: Option<Reply> },
    Watch { session: SessionId, reply: oneshot::Sender<Result<watch::Receiver<Snapshot>, SubmitError>> },
}

pub(crate) struct Shard {
    pub(crate) ports: Arc<Ports>,
    pub(crate) options: Options,
    pub(crate) lease: Lease,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) outbox_filled: Arc<Notify>,
    /// The last sign of life of the process before this one
    pub(crate) down_from: At,
    pub(crate) memory: Memory,
}

/// What a shard remembers; all of it can be had from the log again.
#[derive(Default)]
pub(crate) struct Memory {
    sessions: HashMap<SessionId, Loaded>,
    timers: BinaryHeap<Reverse<(At, SessionId)>>,
    /// Loaded by this process before: what they say of sockets and media is our own
    known: HashSet<SessionId>,
    /// Dropped because the log did not take a batch, and since when
    dropped: HashMap<SessionId, At>,
    /// Closed and ready to be sealed
    to_seal: VecDeque<SessionId>,
    /// Another process holds the lease
    fenced: bool,
}

/// What waits for one commit.
#[derive(Default)]
struct Round {
    batch: Batch,
    touched: BTreeSet<SessionId>,
    replies: Vec<(SessionId, Reply, Done)>,
}

impl Shard {
    /// Runs until told to stop, and then to the end of its mailbox: what was taken in is decided and stored.
    pub(crate) async fn run(
        mut self,
        mut mailbox: mpsc::Receiver<Request>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut requests = Vec::with_capacity(self.options.batch_inputs);
        loop {
            let due = self.memory.timers.peek().map(|Reverse((at, _))| *at);
            let arrived = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped), if !mailbox.is_closed() => {
                    mailbox.close();
                    continue;
                }
                arrived = mailbox.recv_many(&mut requests, self.options.batch_inputs) => arrived,
                () = std::future::ready(()), if !self.memory.to_seal.is_empty() => usize::MAX,
                () = sleep_until(self.ports.clock.now(), due) => usize::MAX,
            };
            if arrived == 0 {
                return;
            }
            self.round(&mut requests).await;
            // One record a round: five hundred exams that end together must not hold up an answer.
            if let Some(session) = self.memory.to_seal.pop_front() {
                self.seal_or_retry(session).await;
            }
            if self.memory.fenced {
                tracing::error!("another process took over the store: this one stops speaking for it");
                return;
            }
        }
    }

    /// Decides everything that arrived, commits once, speaks.
    async fn round(&mut self, requests: &mut Vec<Request>) {
        let mut round = Round::default();
        for session in self.take_due() {
            self.step(session, Input::Tick, None, &mut round).await;
        }
        for request in requests.drain(..) {
            match request {
                Request::Submit { session, input, reply } => {
                    self.step(session, *input, reply, &mut round).await
                }
                Request::Watch { session, reply } => {
                    let answer = self.watch(session, &mut round).await;
                    // Whoever asked may have gone.
                    let _ = reply.send(answer);
                }
            }
        }
        self.commit(round).await;
    }

    fn take_due(&mut self) -> Vec<SessionId> {
        let now = self.ports.clock.now();
        let memory = &mut self.memory;
        let mut due = Vec::new();
        while let Some(Reverse((at, session))) = memory.timers.peek().copied() {
            if at > now {
                break;
            }
            memory.timers.pop();
            // An entry that was armed for an older deadline is stale.
            let armed = memory.sessions.get(&session).is_some_and(|loaded| loaded.armed == Some(at));
            if armed || memory.dropped.contains_key(&session) {
                due.push(session);
            }
        }
        due
    }

    async fn step(&mut self, session: SessionId, input: Input, reply: Option<Reply>, round: &mut Round) {
        if let Err(error) = self.ensure(session, round).await {
            if let Some(reply) = reply {
                let _ = reply.send(Err(error));
            }
            return;
        }
        let now = self.ports.clock.now();
        let loaded = self.memory.sessions.get_mut(&session).expect("ensured above");
        let outcome = match loaded.decide(now, input, &mut round.batch.events) {
            Ok(step) => self.remember(session, step, round).await,
            Err(error) => {
                // A number or text that the strict profile does not take: told as such, or it would be sent for ever.
                tracing::warn!(%session, %error, "an input could not be put into canonical form");
                Err(SubmitError::OutsideProfile)
            }
        };
        round.touched.insert(session);
        match (reply, outcome) {
            (Some(reply), Ok(done)) => round.replies.push((session, reply, done)),
            (Some(reply), Err(error)) => {
                self.forget(session, round);
                let _ = reply.send(Err(error));
            }
            (None, Ok(_)) => {}
            (None, Err(_)) => self.forget(session, round),
        }
    }

    /// An approval is signed in the batch that says so.
    async fn remember(
        &mut self,
        session: SessionId,
        step: Step,
        round: &mut Round,
    ) -> Result<Done, SubmitError> {
        for event in &step.events {
            let Fact::RecordApproved { by, sha256, note, ruling } = &event.fact else { continue };
            let name = self.ports.source.staff_name(*by).await.map_err(|error| {
                tracing::warn!(%session, %error, "the approver cannot be read");
                SubmitError::Store
            })?;
            let digest = sha256.parse().map_err(|_| {
                tracing::error!(%session, "core approved something that is no digest");
                SubmitError::Store
            })?;
            let approver = Approver {
                staff: *by,
                name: &name,
                note: note.as_deref(),
                ruling: ruling.as_ref(),
                at: event.at,
            };
            let (approval, message) = sealing::approve(session, digest, &approver, &self.ports.keys)
                .map_err(|error| {
                    tracing::error!(%session, %error, "an approval was not signed");
                    SubmitError::Store
                })?;
            round.batch.approvals.push(approval);
            round.batch.messages.push(message);
        }
        Ok(step.done)
    }

    /// Takes a session's part out of the round: it failed before the commit.
    fn forget(&mut self, session: SessionId, round: &mut Round) {
        self.drop_and_reload(session);
        round.touched.remove(&session);
        round.batch.events.retain(|event| event.stream != session);
        round.batch.approvals.retain(|approval| approval.session != session);
        round.batch.messages.retain(|message| message.session != session);
        for (_, reply, _) in round.replies.extract_if(.., |(of, _, _)| *of == session) {
            let _ = reply.send(Err(SubmitError::Store));
        }
    }

    async fn watch(
        &mut self,
        session: SessionId,
        round: &mut Round,
    ) -> Result<watch::Receiver<Snapshot>, SubmitError> {
        // What is shown must be durable: a round with steps of this session is committed first.
        if round.touched.contains(&session) {
            self.commit(std::mem::take(round)).await;
        }
        self.ensure(session, round).await?;
        if round.touched.contains(&session) {
            self.commit(std::mem::take(round)).await;
        }
        self.memory.sessions.get(&session).map(Loaded::watch).ok_or(SubmitError::Store)
    }

    /// Forgets a working copy that ran ahead of the log, and comes back to it by timer: deadlines must not wait for
    /// somebody to touch the session.
    fn drop_and_reload(&mut self, session: SessionId) {
        let now = self.ports.clock.now();
        self.memory.sessions.remove(&session);
        self.memory.dropped.entry(session).or_insert(now);
        self.memory.timers.push(Reverse((now + RETRY, session)));
    }

    /// Has a session in memory. One that the store could not give is tried again by timer, whoever asked for it.
    async fn ensure(&mut self, session: SessionId, round: &mut Round) -> Result<(), SubmitError> {
        let loaded = self.load(session, round).await;
        if matches!(loaded, Err(SubmitError::Store)) {
            self.drop_and_reload(session);
        }
        loaded
    }

    /// Loads a session, creating its stream on first sight.
    async fn load(&mut self, session: SessionId, round: &mut Round) -> Result<(), SubmitError> {
        if self.memory.sessions.contains_key(&session) {
            return Ok(());
        }
        let opened = self.ports.source.open(session).await.map_err(|error| match error {
            crate::SourceError::NotFound => SubmitError::NotFound,
            crate::SourceError::Unavailable(_) => {
                tracing::warn!(%session, %error, "a session cannot be opened");
                SubmitError::Store
            }
        })?;
        let log = self.ports.log.load(session, Seq(0)).await.map_err(|error| {
            tracing::warn!(%session, %error, "a session cannot be loaded");
            SubmitError::Store
        })?;
        let mut loaded = Loaded::replay(session, opened.context, &log).map_err(|error| {
            tracing::error!(%session, %error, "a stored session cannot be replayed");
            SubmitError::Damaged
        })?;
        let first = if loaded.is_fresh() {
            Some(Input::Create(Box::new(opened.creation)))
        } else {
            self.gone_since(session, &loaded).map(|down_from| Input::Recover { down_from })
        };
        if let Some(input) = first {
            loaded.decide(self.ports.clock.now(), input, &mut round.batch.events).map_err(|error| {
                tracing::error!(%session, %error, "a session cannot be brought back");
                SubmitError::Store
            })?;
            round.touched.insert(session);
        }
        self.make_room();
        self.memory.known.insert(session);
        self.memory.dropped.remove(&session);
        self.memory.sessions.insert(session, loaded);
        self.arm(session);
        self.queue_for_sealing(session);
        Ok(())
    }

    /// Since when nobody served this session: the end of the process before, or the first batch the log did not take.
    fn gone_since(&self, session: SessionId, loaded: &Loaded) -> Option<At> {
        if !self.memory.known.contains(&session) {
            return loaded.outlived_a_process().then_some(self.down_from);
        }
        let dropped = self.memory.dropped.get(&session).copied()?;
        (self.ports.clock.now() - dropped > DOWN_AFTER).then_some(dropped)
    }

    fn make_room(&mut self) {
        if self.memory.sessions.len() >= SESSIONS_KEPT {
            self.memory.sessions.retain(|_, loaded| !loaded.is_idle());
        }
    }

    /// One append for the whole round; effects leave only after it.
    async fn commit(&mut self, mut round: Round) {
        if !round.batch.events.is_empty() {
            let changed: BTreeSet<_> = round.batch.events.iter().map(|event| event.stream).collect();
            // A working copy that the log does not take is dropped, and with it what it thought the lists know.
            for session in &changed {
                let loaded = self.memory.sessions.get_mut(session);
                round.batch.summaries.extend(loaded.and_then(Loaded::changed_summary));
            }
            let filled_outbox = !round.batch.messages.is_empty();
            if let Err(error) = self.append(std::mem::take(&mut round.batch)).await {
                return self.fail(round, &error);
            }
            if filled_outbox {
                self.outbox_filled.notify_one();
            }
            for session in &changed {
                self.announce(*session);
            }
        }
        for (_, reply, done) in round.replies {
            // Whoever asked may have gone; the answer is durable and comes again on resend.
            let _ = reply.send(Ok(done));
        }
        for session in round.touched {
            self.arm(session);
            self.queue_for_sealing(session);
        }
    }

    async fn append(&self, batch: Batch) -> Result<(), StoreError> {
        self.ports.log.append(self.lease, Arc::new(batch)).await.map(|_| ())
    }

    /// The log did not take the batch, or nobody knows whether it did: forget every working copy that ran ahead and
    /// let the clients resend.
    fn fail(&mut self, round: Round, error: &StoreError) {
        tracing::error!(%error, sessions = round.touched.len(), "a batch was not committed");
        self.memory.fenced |= matches!(error, StoreError::Fenced);
        for session in &round.touched {
            self.drop_and_reload(*session);
        }
        for (_, reply, _) in round.replies {
            let _ = reply.send(Err(SubmitError::Store));
        }
    }

    fn announce(&self, session: SessionId) {
        let Some(loaded) = self.memory.sessions.get(&session) else { return };
        loaded.publish();
        if let Some(sitting) = loaded.session.state().sitting {
            // No wall open: nobody to tell.
            let _ = self.changes.send(Change { sitting, session });
        }
    }

    fn arm(&mut self, session: SessionId) {
        let Some(loaded) = self.memory.sessions.get_mut(&session) else { return };
        let due = loaded.session.next_deadline();
        if due != loaded.armed {
            loaded.armed = due;
            if let Some(at) = due {
                self.memory.timers.push(Reverse((at, session)));
            }
        }
    }

    /// A closed session is sealed as soon as nothing speaks against it.
    fn queue_for_sealing(&mut self, session: SessionId) {
        let Some(loaded) = self.memory.sessions.get(&session) else { return };
        let closed = matches!(loaded.session.state().stage, Stage::Closed { .. });
        let waits = loaded.session.seal_waits(self.ports.clock.now()).is_some();
        if closed && !waits && !self.memory.to_seal.contains(&session) {
            self.memory.to_seal.push_back(session);
        }
    }

    async fn seal_or_retry(&mut self, session: SessionId) {
        let now = self.ports.clock.now();
        let still =
            self.memory.sessions.get(&session).is_some_and(|loaded| loaded.session.seal_waits(now).is_none());
        if !still {
            return;
        }
        if let Err(why) = self.seal(session, now).await {
            tracing::warn!(%session, why, "a record was not sealed; it is tried again");
            self.drop_and_reload(session);
        }
    }

    async fn seal(&mut self, session: SessionId, now: At) -> Result<(), String> {
        let log = self.ports.log.load(session, Seq(0)).await.map_err(|error| error.to_string())?;
        let loaded = self.memory.sessions.get_mut(&session).ok_or("not in memory")?;
        let sealed =
            sealing::seal(loaded, &log, self.ports.source.as_ref(), &self.ports.keys, now).await.map_err(
                |error| format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)),
            )?;
        let input =
            Input::Sealed { sha256: sealed.record.sha256.to_string(), kid: sealed.record.kid.clone() };
        let mut batch =
            Batch { records: vec![sealed.record], messages: vec![sealed.message], ..Batch::default() };
        loaded.decide(now, input, &mut batch.events).map_err(|error| error.to_string())?;
        batch.summaries.extend(loaded.changed_summary());
        if let Err(error) = self.append(batch).await {
            self.memory.fenced |= matches!(error, StoreError::Fenced);
            return Err(error.to_string());
        }
        self.outbox_filled.notify_one();
        self.announce(session);
        self.arm(session);
        Ok(())
    }
}

async fn sleep_until(now: At, due: Option<At>) {
    match due {
        Some(at) => {
            let wait = u64::try_from((at - now).0.max(0)).expect("not negative");
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        }
        None => std::future::pending().await,
    }
}

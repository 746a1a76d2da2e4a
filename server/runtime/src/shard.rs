//! One task that owns many sessions: decide, apply, append whatever arrived meanwhile, and only then speak.

use crate::handle::{Change, Done, Snapshot, SubmitError};
use crate::loaded::{Loaded, Step};
use crate::sealing::{self, Approver};
use crate::service::{Options, Ports};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Fact, Input, Stage};
use synaq_core::time::{At, Span};
use synaq_store::{Batch, Error as StoreError, Lease};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

/// Tried again this long after a record could not be sealed.
const SEAL_RETRY: Span = Span::secs(5);

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
    pub(crate) sessions: HashMap<SessionId, Loaded>,
    pub(crate) timers: BinaryHeap<Reverse<(At, SessionId)>>,
    /// Another process holds the lease
    pub(crate) fenced: bool,
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
            let due = self.timers.peek().map(|Reverse((at, _))| *at);
            let arrived = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped), if !mailbox.is_closed() => {
                    mailbox.close();
                    continue;
                }
                arrived = mailbox.recv_many(&mut requests, self.options.batch_inputs) => arrived,
                () = sleep_until(self.ports.clock.now(), due) => usize::MAX,
            };
            if arrived == 0 {
                return;
            }
            self.round(&mut requests).await;
            if self.fenced {
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
        let mut due = Vec::new();
        while let Some(Reverse((at, session))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            // An entry that was armed for an older deadline is stale.
            if self.sessions.get(&session).is_some_and(|loaded| loaded.armed == Some(at)) {
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
        let loaded = self.sessions.get_mut(&session).expect("ensured above");
        let outcome = match loaded.decide(now, input, &mut round.batch.events) {
            Ok(step) => self.remember(session, step, round).await,
            Err(error) => {
                tracing::error!(%session, %error, "a decision could not be put into canonical form");
                Err(SubmitError::Store)
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
            let Fact::RecordApproved { by, sha256, note } = &event.fact else { continue };
            let name = self.ports.source.staff_name(*by).await.map_err(|error| {
                tracing::warn!(%session, %error, "the approver cannot be read");
                SubmitError::Store
            })?;
            let digest = sha256.parse().map_err(|_| {
                tracing::error!(%session, "core approved something that is no digest");
                SubmitError::Store
            })?;
            let approver = Approver { staff: *by, name: &name, note: note.as_deref(), at: event.at };
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
        self.sessions.remove(&session);
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
        self.sessions.get(&session).map(Loaded::watch).ok_or(SubmitError::Store)
    }

    /// Loads a session, creating its stream on first sight.
    async fn ensure(&mut self, session: SessionId, round: &mut Round) -> Result<(), SubmitError> {
        if self.sessions.contains_key(&session) {
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
            SubmitError::Store
        })?;
        if loaded.is_fresh() {
            let create = Input::Create(Box::new(opened.creation));
            loaded
                .decide(self.ports.clock.now(), create, &mut round.batch.events)
                .map_err(|_| SubmitError::Store)?;
            round.touched.insert(session);
        }
        self.sessions.insert(session, loaded);
        self.arm(session);
        Ok(())
    }

    /// One append for the whole round; effects leave only after it.
    async fn commit(&mut self, mut round: Round) {
        if !round.batch.events.is_empty() {
            let changed: BTreeSet<_> = round.batch.events.iter().map(|event| event.stream).collect();
            round.batch.summaries =
                changed.iter().filter_map(|id| self.sessions.get(id)).map(Loaded::summary).collect();
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
            self.seal_if_due(session).await;
        }
    }

    async fn append(&self, batch: Batch) -> Result<(), StoreError> {
        self.ports.log.append(self.lease, batch).await.map(|_| ())
    }

    /// The log did not take the batch, or nobody knows whether it did: forget every working copy that ran ahead and
    /// let the clients resend.
    fn fail(&mut self, round: Round, error: &StoreError) {
        tracing::error!(%error, sessions = round.touched.len(), "a batch was not committed");
        self.fenced |= matches!(error, StoreError::Fenced);
        for session in &round.touched {
            self.sessions.remove(session);
        }
        for (_, reply, _) in round.replies {
            let _ = reply.send(Err(SubmitError::Store));
        }
    }

    fn announce(&self, session: SessionId) {
        let Some(loaded) = self.sessions.get(&session) else { return };
        loaded.publish();
        if let Some(sitting) = loaded.session.state().sitting {
            // No wall open: nobody to tell.
            let _ = self.changes.send(Change { sitting, session });
        }
    }

    fn arm(&mut self, session: SessionId) {
        let Some(loaded) = self.sessions.get_mut(&session) else { return };
        let due = loaded.session.next_deadline();
        if due != loaded.armed {
            loaded.armed = due;
            if let Some(at) = due {
                self.timers.push(Reverse((at, session)));
            }
        }
    }

    /// Seals a closed session as soon as nothing speaks against it.
    async fn seal_if_due(&mut self, session: SessionId) {
        let Some(loaded) = self.sessions.get(&session) else { return };
        let now = self.ports.clock.now();
        if !matches!(loaded.session.state().stage, Stage::Closed { .. })
            || loaded.session.seal_waits(now).is_some()
        {
            return;
        }
        if let Err(why) = self.seal(session, now).await {
            tracing::warn!(%session, why, "a record was not sealed; it is tried again");
            if let Some(loaded) = self.sessions.get_mut(&session) {
                let at = now + SEAL_RETRY;
                loaded.armed = Some(at);
                self.timers.push(Reverse((at, session)));
            }
        }
    }

    async fn seal(&mut self, session: SessionId, now: At) -> Result<(), String> {
        let log = self.ports.log.load(session, Seq(0)).await.map_err(|error| error.to_string())?;
        let loaded = self.sessions.get_mut(&session).ok_or("not in memory")?;
        let sealed =
            sealing::seal(loaded, &log, self.ports.source.as_ref(), &self.ports.keys, now).await.map_err(
                |error| format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)),
            )?;
        let input =
            Input::Sealed { sha256: sealed.record.sha256.to_string(), kid: sealed.record.kid.clone() };
        let mut batch =
            Batch { records: vec![sealed.record], messages: vec![sealed.message], ..Batch::default() };
        loaded.decide(now, input, &mut batch.events).map_err(|error| error.to_string())?;
        batch.summaries.push(loaded.summary());
        if let Err(error) = self.append(batch).await {
            self.sessions.remove(&session);
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

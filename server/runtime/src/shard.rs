//! One task that owns many sessions: decide, apply, append whatever arrived meanwhile, and only then speak.

use crate::changes::{Change, Changes};
use crate::errand::{Brought, Errands};
use crate::handle::{Done, SubmitError};
use crate::loaded::{Loaded, Step};
use crate::memory::Memory;
use crate::meters::Meters;
use crate::round::{Ahead, Round, Watching};
use crate::sealing::{self, Approver, Sealed};
use crate::service::{Options, Ports};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use synaq_core::ids::{Seq, SessionId, StaffId};
use synaq_core::session::{Creation, Fact, Input, Stage, Voided};
use synaq_core::time::{At, Span};
use synaq_store::{Lease, NewMessage};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

/// A shard with nothing to do looks at its clock this often.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A shard that did not come round for longer stood still: a suspended machine, a stopped process, a disk that hung.
/// Nobody was served, and the time is given back (P2).
const STOOD_AFTER: Span = Span::secs(3);
/// Inputs of a round at most, for a shard that rests most of the time.
const QUIET_MAX: usize = 1;
/// Sessions that come back in one round: the room of a batch for those that were here all the time.
const BROUGHT_MAX: usize = 64;

pub(crate) type Reply = oneshot::Sender<Result<Done, SubmitError>>;

/// One thing asked of one session.
pub(crate) struct Request {
    pub(crate) session: SessionId,
    pub(crate) ask: Ask,
    pub(crate) posted: Instant,
}

pub(crate) enum Ask {
    Submit { input: Box<Input>, reply: Option<Reply> },
    Watch { reply: Watching },
}

pub(crate) struct Shard {
    pub(crate) ports: Arc<Ports>,
    pub(crate) options: Options,
    pub(crate) lease: Lease,
    pub(crate) changes: Arc<Changes>,
    pub(crate) outbox_filled: Arc<Notify>,
    pub(crate) memory: Memory,
    pub(crate) errands: Errands,
    /// What came while the last batch was on its way
    pub(crate) ahead: Ahead,
    pub(crate) meters: Meters,
    /// Another process holds the lease
    pub(crate) fenced: bool,
    /// So little comes that no groups form
    pub(crate) quiet: Arc<AtomicBool>,
}

impl Shard {
    /// Runs until told to stop, and then to the end of its mailbox: what was taken in is decided and stored.
    pub(crate) async fn run(
        mut self,
        mut mailbox: mpsc::Receiver<Request>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut requests = Vec::with_capacity(self.options.batch_inputs);
        let mut brought = Vec::with_capacity(BROUGHT_MAX);
        let mut open = true;
        let mut beat = self.ports.clock.now();
        while open || self.errands.anybody_waits() || !self.ahead.is_empty() {
            let (due, rests) = (self.memory.next_timer(), self.ahead.is_empty());
            let room = self.options.batch_inputs.saturating_sub(self.ahead.len());
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped), if !mailbox.is_closed() => {
                    mailbox.close();
                    continue;
                }
                arrived = mailbox.recv_many(&mut requests, room), if open && room > 0 => open = arrived > 0,
                one = self.errands.next() => brought.push(one),
                () = rest(self.ports.clock.now(), due), if rests => {}
                () = std::future::ready(()), if !rests => {}
            }
            self.quiet.store(rests && requests.len() <= QUIET_MAX, Ordering::Relaxed);
            let now = self.ports.clock.now();
            let stood_since = (now - beat > STOOD_AFTER).then_some(beat);
            beat = now;
            // However full the mailbox, who has come back is served in the next round.
            while brought.len() < BROUGHT_MAX
                && let Some(one) = self.errands.try_next()
            {
                brought.push(one);
            }
            self.round(stood_since, &mut requests, &mut brought, &mut mailbox).await;
            if self.fenced {
                tracing::error!("another process took over the store: this one stops speaking for it");
                return;
            }
        }
    }

    /// Decides everything that arrived, commits once, speaks.
    async fn round(
        &mut self,
        stood_since: Option<At>,
        requests: &mut Vec<Request>,
        brought: &mut Vec<Brought>,
        mailbox: &mut mpsc::Receiver<Request>,
    ) {
        let Ahead { mut round, held } = std::mem::take(&mut self.ahead);
        if let Some(since) = stood_since {
            self.give_back(since, &mut round).await;
        }
        for one in brought.drain(..) {
            match one {
                Brought::Session(session, loaded) => self.welcome(session, loaded, &mut round).await,
                Brought::Seal(session, upto, sealed) => self.put_seal(session, upto, sealed, &mut round),
            }
        }
        for session in self.memory.take_due(self.ports.clock.now()) {
            if self.memory.holds(session) {
                self.step(session, Input::Tick, None, &mut round).await;
            } else {
                self.errands.load(session);
            }
        }
        let taken_up = Instant::now();
        for request in held.into_iter().chain(requests.drain(..)) {
            self.take_up(request, taken_up, &mut round).await;
        }
        self.commit(round, mailbox).await;
        self.memory.say_what_is_owed();
    }

    pub(crate) async fn take_up(&mut self, request: Request, at: Instant, round: &mut Round) {
        self.meters.mailbox_wait_seconds.record(at - request.posted);
        if self.memory.holds(request.session) {
            self.serve(request, round).await;
        } else if let Err(Request { ask, .. }) = self.errands.park(request) {
            ask.refuse(SubmitError::Busy { retry_after_ms: self.options.retry_after_ms });
        }
    }

    /// Before anything else of the round: no deadline may pass, and no answer be late, by time that was ours.
    async fn give_back(&mut self, since: At, round: &mut Round) {
        tracing::warn!(
            stood_ms = (self.ports.clock.now() - since).0,
            "nobody was served: the time is given back"
        );
        for session in self.memory.ids() {
            self.step(session, Input::StoodStill { since }, None, round).await;
        }
    }

    /// Of a session that is here, unless this very round lost it.
    async fn serve(&mut self, Request { session, ask, .. }: Request, round: &mut Round) {
        if !self.memory.holds(session) {
            return ask.refuse(SubmitError::Store);
        }
        match ask {
            Ask::Submit { input, reply } => self.step(session, *input, reply, round).await,
            Ask::Watch { reply } => round.watching.push((session, reply)),
        }
    }

    /// A session has come, or will not come: whoever waited for it is served.
    async fn welcome(
        &mut self,
        session: SessionId,
        loaded: Result<(Box<Loaded>, Box<Creation>), SubmitError>,
        round: &mut Round,
    ) {
        let parked = self.errands.take_parked(session);
        let come = loaded.and_then(|(loaded, creation)| self.seat(*loaded, creation, round));
        if let Err(error) = come {
            match error {
                SubmitError::Store => self.drop_and_reload(session),
                _ => self.memory.give_up(session),
            }
            for request in parked {
                request.ask.refuse(error);
            }
            return;
        }
        for request in parked {
            self.serve(request, round).await;
        }
    }

    /// Creates a stream on first sight, and gives the time back in which nobody served it.
    fn seat(
        &mut self,
        mut loaded: Loaded,
        creation: Box<Creation>,
        round: &mut Round,
    ) -> Result<(), SubmitError> {
        let (session, now) = (loaded.id, self.ports.clock.now());
        let creation_now = creation.clone();
        let first = if loaded.is_fresh() {
            Some(Input::Create(creation))
        } else {
            self.memory.gone_since(&loaded, now).map(|down_from| Input::Recover { down_from })
        };
        if let Some(input) = first {
            loaded.decide(now, input, &mut round.batch.events).map_err(|error| {
                tracing::error!(%session, %error, "a session cannot be brought back");
                round.forget(session);
                SubmitError::Store
            })?;
        }
        // What the centre changed while the session was away, also if it was told and a crash forgot it.
        let arrangement = creation_now.arrangement(loaded.session.context().rules.switched_off.clone());
        if !loaded.session.is_arranged(&arrangement) {
            let input = Input::Arrange(Box::new(arrangement));
            loaded.decide(now, input, &mut round.batch.events).map_err(|error| {
                tracing::error!(%session, %error, "a session's arrangement cannot be written down");
                round.forget(session);
                SubmitError::Store
            })?;
        }
        self.memory.insert(loaded);
        round.touched.insert(session);
        Ok(())
    }

    async fn step(&mut self, session: SessionId, input: Input, reply: Option<Reply>, round: &mut Round) {
        let now = self.ports.clock.now();
        let loaded = self.memory.get_mut(session).expect("the caller looked");
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
            (None, Ok(_)) => {}
            (reply, Err(error)) => {
                round.forget(session);
                self.drop_and_reload(session);
                // Whoever asked may have gone.
                let _ = reply.map(|reply| reply.send(Err(error)));
            }
        }
    }

    /// An approval is signed in the batch that says so, and so is the notice that an attempt does not count.
    async fn remember(
        &mut self,
        session: SessionId,
        step: Step,
        round: &mut Round,
    ) -> Result<Done, SubmitError> {
        for event in &step.events {
            if let Fact::AttemptVoided { voided } = &event.fact {
                round.batch.messages.extend(self.void_notice(session, voided, event.at).await?);
            }
            let Fact::RecordApproved { by, sha256, note, ruling } = &event.fact else { continue };
            let name = self.name(session, *by).await?;
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

    /// Tells the platform that what it has does not count; a record sealed later says so itself.
    async fn void_notice(
        &self,
        session: SessionId,
        voided: &Voided,
        at: At,
    ) -> Result<Option<NewMessage>, SubmitError> {
        let sealed = self.memory.get(session).and_then(|loaded| loaded.session.state().sealed.as_ref());
        let Some((sha256, ..)) = sealed else { return Ok(None) };
        let not_signed = |error: &dyn std::fmt::Display| {
            tracing::error!(%session, %error, "a notice of a void attempt was not signed");
            SubmitError::Store
        };
        let digest = sha256.parse().map_err(|error| not_signed(&error))?;
        let name = self.name(session, voided.by).await?;
        sealing::void(session, digest, (voided, &name), at, &self.ports.keys)
            .map(Some)
            .map_err(|error| not_signed(&error))
    }

    async fn name(&self, session: SessionId, staff: StaffId) -> Result<String, SubmitError> {
        self.ports.source.staff_name(staff).await.map_err(|error| {
            tracing::warn!(%session, %error, "a member of staff cannot be read");
            SubmitError::Store
        })
    }

    pub(crate) fn drop_and_reload(&mut self, session: SessionId) {
        self.memory.drop_and_reload(session, self.ports.clock.now());
    }

    pub(crate) fn announce(&mut self, session: SessionId) {
        let Some(loaded) = self.memory.get_mut(session) else { return };
        let news = loaded.publish();
        if let Some(sitting) = loaded.session.state().sitting {
            self.changes.tell(Change { sitting, session }, news);
        }
    }

    /// A closed session is sealed as soon as nothing speaks against it. Called after commit only: the record covers
    /// what is durable.
    pub(crate) fn queue_for_sealing(&mut self, session: SessionId) {
        let Some(loaded) = self.memory.get(session) else { return };
        let now = self.ports.clock.now();
        let closed = matches!(loaded.session.state().stage, Stage::Closed { .. });
        if closed && loaded.session.seal_waits(now).is_none() {
            self.errands.seal(loaded, now);
        }
    }

    /// The record goes into the batch that says it is sealed.
    fn put_seal(
        &mut self,
        session: SessionId,
        upto: Seq,
        sealed: Result<Box<Sealed>, String>,
        round: &mut Round,
    ) {
        let Some(loaded) = self.memory.get_mut(session) else { return };
        // Touched in any case: a session that went on meanwhile is looked at again after the commit.
        round.touched.insert(session);
        if loaded.seq() != upto {
            return;
        }
        let put = sealed.and_then(|sealed| {
            let Sealed { record, message } = *sealed;
            let input = Input::Sealed { sha256: record.sha256.to_string(), kid: record.kid.clone() };
            loaded
                .decide(record.sealed_at, input, &mut round.batch.events)
                .map_err(|error| error.to_string())?;
            round.batch.records.push(record);
            round.batch.messages.push(message);
            Ok(())
        });
        if let Err(why) = put {
            tracing::debug!(%session, why, "a record was not sealed; it is tried again");
            round.forget(session);
            self.drop_and_reload(session);
        }
    }
}

impl Ask {
    fn refuse(self, error: SubmitError) {
        // Whoever asked may have gone.
        match self {
            Self::Submit { reply, .. } => drop(reply.map(|reply| reply.send(Err(error)))),
            Self::Watch { reply } => drop(reply.send(Err(error))),
        }
    }
}

/// Until the next deadline, and never longer than a heartbeat.
async fn rest(now: At, due: Option<At>) {
    let until_due = |at: At| Duration::from_millis(u64::try_from((at - now).0).unwrap_or(0));
    tokio::time::sleep(due.map_or(HEARTBEAT, until_due).min(HEARTBEAT)).await;
}

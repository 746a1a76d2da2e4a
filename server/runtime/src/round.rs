//! What waits for one commit, and the commit: apply early, speak late.

use crate::handle::{Done, Snapshot, SubmitError};
use crate::loaded::Loaded;
use crate::shard::{Reply, Request, Shard};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_store::{Batch, Error as StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Parts that may be refused out of one batch. Each costs the neighbours one more attempt; a store that refuses more is
/// not to be believed, and the whole round is told to resend.
const REFUSALS_MAX: usize = 16;

/// Nothing is decided further ahead of the log: a disk that hangs is noticed before whatever waited is judged.
const AHEAD_FOR: Duration = Duration::from_millis(250);

pub(crate) type Watching = oneshot::Sender<Result<watch::Receiver<Snapshot>, SubmitError>>;

/// What waits for one commit.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) batch: Batch,
    pub(crate) touched: BTreeSet<SessionId>,
    pub(crate) replies: Vec<(SessionId, Reply, Done)>,
    /// What is shown must be durable: whoever wants to look at a touched session waits for the commit too
    pub(crate) watching: Vec<(SessionId, Watching)>,
}

/// What came while a batch was on its way. No session is in two batches that are not durable: what is shown of it, and
/// what is undone should a batch fail, is then never another batch's.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Of sessions that are not in that batch: decided
    pub(crate) round: Round,
    /// Of sessions that are in it, in order
    pub(crate) held: Vec<Request>,
}

impl Ahead {
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inputs, at most: one may decide to nothing.
    pub(crate) fn len(&self) -> usize {
        let Round { batch, replies, watching, touched } = &self.round;
        batch.events.len().max(replies.len()).max(touched.len()) + watching.len() + self.held.len()
    }
}

impl Round {
    /// Whose state it speaks of once it is durable.
    fn sessions(&self) -> BTreeSet<SessionId> {
        self.touched.iter().chain(self.watching.iter().map(|(session, _)| session)).copied().collect()
    }

    /// Takes a session's part out; whoever waits for it must ask again.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.touched.remove(&session);
        take_out(&mut self.batch, session);
        for (_, reply, _) in self.replies.extract_if(.., |(of, _, _)| *of == session) {
            // Whoever asked may have gone.
            let _ = reply.send(Err(SubmitError::Store));
        }
        for (_, watching) in self.watching.extract_if(.., |(of, _)| *of == session) {
            let _ = watching.send(Err(SubmitError::Store));
        }
    }
}

fn take_out(batch: &mut Batch, session: SessionId) {
    batch.events.retain(|event| event.stream != session);
    batch.summaries.retain(|summary| summary.session != session);
    batch.records.retain(|record| record.session != session);
    batch.approvals.retain(|approval| approval.session != session);
    batch.messages.retain(|message| message.session != session);
}

impl Shard {
    /// One append for the whole round; effects leave only after it.
    pub(crate) async fn commit(&mut self, mut round: Round, mailbox: &mut mpsc::Receiver<Request>) {
        if !round.batch.events.is_empty() {
            let mut changed: BTreeSet<_> = round.batch.events.iter().map(|event| event.stream).collect();
            // A working copy that the log does not take is dropped, and with it what it thought the lists know.
            for session in &changed {
                let loaded = self.memory.get_mut(*session);
                round.batch.summaries.extend(loaded.and_then(Loaded::changed_summary));
            }
            if let Err(error) = self.append(&mut round, &mut changed, mailbox).await {
                return self.fail(round, &error);
            }
            for session in changed {
                self.announce(session);
            }
        }
        self.speak(round);
    }

    /// Stores the round's batch. A part that the log refuses is lost alone: its neighbours are stored without it.
    async fn append(
        &mut self,
        round: &mut Round,
        changed: &mut BTreeSet<SessionId>,
        mailbox: &mut mpsc::Receiver<Request>,
    ) -> Result<(), StoreError> {
        let mut refusals = 0;
        while !changed.is_empty() {
            let batch = Arc::new(std::mem::take(&mut round.batch));
            let events = u32::try_from(batch.events.len()).unwrap_or(u32::MAX);
            let (begun, asked_at) = (Instant::now(), self.ports.clock.now());
            let appended = if batch.events.len() < self.options.ahead_from {
                self.ports.log.append(self.lease, Arc::clone(&batch)).await.map(drop)
            } else {
                self.append_and_go_on(Arc::clone(&batch), &round.sessions(), mailbox).await
            };
            self.meters.commit_seconds.record(begun.elapsed());
            let error = match appended {
                Ok(()) => {
                    self.memory.store_works();
                    self.meters.commit_events.record(f64::from(events));
                    if !batch.messages.is_empty() {
                        self.outbox_filled.notify_one();
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            let refused = error.refused_session().filter(|session| changed.remove(session));
            let Some(session) = refused.filter(|_| refusals < REFUSALS_MAX) else {
                // A database that stands still fails by a time-out: the wait for that is ours too.
                self.memory.store_failed(asked_at);
                return Err(error);
            };
            refusals += 1;
            tracing::error!(%session, %error, "a session's part of a batch was refused; it is loaded again");
            round.batch = Arc::unwrap_or_clone(batch);
            round.forget(session);
            self.drop_and_reload(session);
        }
        Ok(())
    }

    /// Stores a batch, and decides meanwhile what arrives for other sessions than those `under_way`.
    async fn append_and_go_on(
        &mut self,
        batch: Arc<Batch>,
        under_way: &BTreeSet<SessionId>,
        mailbox: &mut mpsc::Receiver<Request>,
    ) -> Result<(), StoreError> {
        let (log, lease) = (Arc::clone(&self.ports.log), self.lease);
        // Aborted when dropped: a shard that is gone stores nothing.
        let mut append = JoinSet::new();
        append.spawn(async move { log.append(lease, batch).await.map(drop) });
        let too_far = Instant::now() + AHEAD_FOR;
        let mut arrived = Vec::new();
        let mut open = true;
        loop {
            let room = self.options.batch_inputs.saturating_sub(self.ahead.len());
            let goes_on = open && room > 0 && Instant::now() < too_far;
            tokio::select! {
                biased;
                Some(done) = append.join_next() => return done.unwrap_or_else(|error| {
                    Err(StoreError::Unavailable(Box::new(error)))
                }),
                count = mailbox.recv_many(&mut arrived, room), if goes_on => open = count > 0,
            }
            let taken_up = Instant::now();
            // Put aside, so that it is not part of the shard while the shard adds to it.
            let mut round = std::mem::take(&mut self.ahead.round);
            for request in arrived.drain(..) {
                if under_way.contains(&request.session) {
                    self.ahead.held.push(request);
                } else {
                    self.take_up(request, taken_up, &mut round).await;
                }
            }
            self.ahead.round = round;
        }
    }

    fn speak(&mut self, round: Round) {
        for (_, reply, done) in round.replies {
            // Whoever asked may have gone; the answer is durable and comes again on resend.
            let _ = reply.send(Ok(done));
        }
        for (session, watching) in round.watching {
            let snapshots = self.memory.get_mut(session).map(Loaded::watch);
            let _ = watching.send(snapshots.ok_or(SubmitError::Store));
        }
        for session in round.touched {
            self.memory.is_served(session);
            self.memory.arm(session);
            self.queue_for_sealing(session);
        }
    }

    /// The log did not take the batch, or nobody knows whether it did: forget every working copy that ran ahead and
    /// let the clients resend.
    fn fail(&mut self, mut round: Round, error: &StoreError) {
        tracing::error!(%error, sessions = round.touched.len(), "a batch was not committed");
        self.fenced |= matches!(error, StoreError::Fenced);
        for session in std::mem::take(&mut round.touched) {
            round.forget(session);
            self.drop_and_reload(session);
        }
        // What is left touched nothing: it is as durable as before.
        self.speak(round);
    }
}

//! A session in memory: the working copy that runs ahead of the log by at most one batch.

use crate::handle::{Done, Receipt, Snapshot};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use synaq_core::decision::{TheoryOutcome, outcome};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::proctoring::IncidentStatus;
use synaq_core::session::{Context, Effect, Event, ExamSession, Fact, Finish, Input, Stage};
use synaq_core::time::At;
use synaq_seal::{Digest, chain, json};
use synaq_store::{Append, Error as StoreError, Recorded, Summary};
use tokio::sync::watch;

pub(crate) struct Loaded {
    pub(crate) id: SessionId,
    /// Shared with whoever looks; copied when it goes on while they do
    pub(crate) session: Arc<ExamSession>,
    head: Digest,
    /// Instant and chain head of every event, for receipts: `marks[seq - 1]`, 40 bytes each
    marks: Vec<(At, Digest)>,
    /// While somebody watches
    watchers: Option<watch::Sender<Snapshot>>,
    /// What is not published yet is more than answers
    news: bool,
    /// When the shard's timer was last armed for this session
    pub(crate) armed: Option<At>,
    /// As it stands in the store, if this process wrote it: most answers change nothing in it
    listed: Option<Summary>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("id", &self.id)
            .field("events", &self.marks.len())
            .finish_non_exhaustive()
    }
}

impl Loaded {
    /// Replays a stream, checking every link of its hash chain on the way.
    pub(crate) fn replay(id: SessionId, context: Arc<Context>, log: &[Recorded]) -> Result<Self, StoreError> {
        let mut session = ExamSession::new(context);
        let mut head = chain::GENESIS;
        let mut marks = Vec::with_capacity(log.len());
        for (expected, recorded) in (1..).zip(log) {
            // The chain is over the stored body, so that a later release replays what an earlier one wrote.
            let body: Value = serde_json::from_str(&recorded.body)
                .map_err(|error| damaged(id, recorded.seq, &error.to_string()))?;
            let event =
                Event::deserialize(&body).map_err(|error| damaged(id, recorded.seq, &error.to_string()))?;
            let leaf = chain::leaf(&id.to_string(), recorded.seq.0, recorded.at.0, &recorded.kind, &body)
                .map_err(|error| damaged(id, recorded.seq, &error.to_string()))?;
            let hash = chain::next(&head, &leaf);
            if recorded.seq != Seq(expected) || hash != recorded.hash {
                return Err(damaged(id, recorded.seq, "the hash chain does not hold"));
            }
            session.apply(&event);
            head = hash;
            marks.push((event.at, head));
        }
        let session = Arc::new(session);
        Ok(Self { id, session, head, marks, watchers: None, news: false, armed: None, listed: None })
    }

    /// Decides and applies; what must be stored is pushed to `appends`.
    pub(crate) fn decide(
        &mut self,
        at: At,
        input: Input,
        appends: &mut Vec<Append>,
    ) -> Result<Step, json::Error> {
        let decision = self.session.decide(at, input);
        if !self.is_watched() {
            // Its last snapshot would make the working copy a shared one.
            self.watchers = None;
        }
        let first = self.marks.len();
        let mut events = Vec::with_capacity(decision.events.len());
        for event in decision.events {
            let seq = Seq(self.marks.len() as u64 + 1);
            let (event, linked) = normalized(self.id, seq, event, &self.head)?;
            Arc::make_mut(&mut self.session).apply(&event);
            self.head = linked.hash;
            self.marks.push((event.at, linked.hash));
            let Linked { kind, body, hash } = linked;
            appends.push(Append { stream: self.id, seq, at: event.at, kind, body, hash });
            self.news |= !is_plain_answer(&event);
            events.push(event);
        }
        let receipt = decision.effects.iter().find_map(|effect| match effect {
            Effect::Accepted => self.receipt_of_command(first, &events),
            Effect::AlreadyDone(seq) => self.receipt(*seq),
            _ => None,
        });
        Ok(Step { done: Done { effects: decision.effects, receipt }, events })
    }

    /// The command's own first event; what was settled before it at the same instant carries no client reference.
    fn receipt_of_command(&self, first: usize, events: &[Event]) -> Option<Receipt> {
        let own = events.iter().position(|event| event.client.is_some()).unwrap_or(0);
        self.receipt(Seq((first + own) as u64 + 1))
    }

    fn receipt(&self, seq: Seq) -> Option<Receipt> {
        let index = usize::try_from(seq.0).ok()?.checked_sub(1)?;
        self.marks.get(index).map(|(at, hash)| Receipt { seq, at: *at, hash: *hash })
    }

    /// Shows watchers what is durable now, and wakes them unless it is plain answers only; whether it is more. Called
    /// after commit only.
    pub(crate) fn publish(&mut self) -> bool {
        let news = std::mem::take(&mut self.news);
        if let Some(watchers) = self.watchers.as_ref().filter(|watchers| watchers.receiver_count() > 0) {
            let snapshot = self.snapshot();
            watchers.send_if_modified(|shown| {
                *shown = snapshot;
                news
            });
        }
        news
    }

    /// What is durable now and from here on. Called after commit only.
    pub(crate) fn watch(&mut self) -> watch::Receiver<Snapshot> {
        match &self.watchers {
            Some(watchers) if watchers.receiver_count() > 0 => watchers.subscribe(),
            _ => {
                let (watchers, snapshot) = watch::channel(self.snapshot());
                self.watchers = Some(watchers);
                snapshot
            }
        }
    }

    fn is_watched(&self) -> bool {
        self.watchers.as_ref().is_some_and(|watchers| watchers.receiver_count() > 0)
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { id: self.id, session: Arc::clone(&self.session), head: self.head }
    }

    /// Nobody outside needs it in memory: no one watches, no timer runs, no record waits.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.session.state();
        let goes_on = match state.stage {
            Stage::Absent | Stage::Preparing => self.session.next_deadline().is_some(),
            Stage::Running { .. } => true,
            Stage::Closed { .. } => state.sealed.is_none(),
        };
        !goes_on && !self.is_watched()
    }

    /// Position of the newest event.
    pub(crate) fn seq(&self) -> Seq {
        Seq(self.marks.len() as u64)
    }

    /// Sockets, media and waiting devices of an earlier process are gone; a running clock may have run without us.
    pub(crate) fn outlived_a_process(&self) -> bool {
        let state = self.session.state();
        let running = matches!(state.stage, Stage::Running { .. });
        running || state.socket.is_some() || state.waiting_device.is_some() || state.video || state.audio
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.marks.is_empty()
    }

    /// What the lists must learn; none if they know.
    pub(crate) fn changed_summary(&mut self) -> Option<Summary> {
        let summary = self.summary();
        if self.listed.as_ref() == Some(&summary) {
            return None;
        }
        self.listed = Some(summary.clone());
        Some(summary)
    }

    /// Where it stands, for lists.
    fn summary(&self) -> Summary {
        let state = self.session.state();
        let mut summary = Summary {
            session: self.id,
            state: "created".to_owned(),
            finish: None,
            outcome: None,
            correct: None,
            total: state.form.as_ref().and_then(|form| u16::try_from(form.questions.len()).ok()),
            warnings: self.session.warnings_given(),
            incidents: self.incidents(),
            started_at: state.started_at,
            finished_at: None,
            live: false,
        };
        match &state.stage {
            Stage::Absent => {}
            Stage::Preparing => {
                if state.binding.is_some() {
                    "preparing".clone_into(&mut summary.state);
                }
            }
            Stage::Running { .. } => {
                "running".clone_into(&mut summary.state);
                summary.live = true;
            }
            Stage::Closed { finish, at } => {
                let stage = if state.approved.is_some() {
                    "approved"
                } else if state.sealed.is_some() {
                    "sealed"
                } else {
                    "closed"
                };
                stage.clone_into(&mut summary.state);
                summary.live = state.sealed.is_none();
                summary.finish = Some(finish.name().to_owned());
                summary.finished_at = Some(*at);
                self.judge(finish, &mut summary);
            }
        }
        summary
    }

    /// By code, without those that a person dismissed.
    fn incidents(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for incident in &self.session.state().incidents {
            if !matches!(incident.status, IncidentStatus::Dismissed { .. }) {
                *counts.entry(incident.code.name().to_owned()).or_insert(0) += 1;
            }
        }
        counts
    }

    fn judge(&self, finish: &Finish, summary: &mut Summary) {
        if self.session.ruled_not_valid() {
            summary.outcome = Some("no_result".to_owned());
            return;
        }
        let Some(score) = self.session.score() else { return };
        let outcome = outcome(finish, score, self.session.context().programme.plan.threshold_pct);
        let word = match outcome {
            TheoryOutcome::Passed => "passed",
            TheoryOutcome::NotPassed(_) => "not_passed",
            TheoryOutcome::NoResult(_) => "no_result",
        };
        summary.outcome = Some(word.to_owned());
        // what was ended early is kept as evidence, not scored.
        if matches!(finish, Finish::Submitted | Finish::TimeExpired) {
            summary.correct = u16::try_from(score.correct).ok();
        }
    }
}

/// An answer while the clock runs: its giver hears of it by the acknowledgement, nobody else is shown it at once.
const fn is_plain_answer(event: &Event) -> bool {
    matches!(event.fact, Fact::AnswerPut { .. })
}

/// What a decision came to.
pub(crate) struct Step {
    pub(crate) done: Done,
    pub(crate) events: Vec<Event>,
}

struct Linked {
    kind: String,
    body: String,
    hash: Digest,
}

/// What people type may come in decomposed letters, which the profile refuses: such an event is put into NFC first, and
/// what is applied is what is stored.
fn normalized(id: SessionId, seq: Seq, event: Event, head: &Digest) -> Result<(Event, Linked), json::Error> {
    let mut body = serde_json::to_value(&event).expect("core's events are plain JSON");
    let event = match json::normalize(&mut body) {
        true => serde_json::from_value(body.clone()).expect("NFC changes no shape"),
        false => event,
    };
    let linked = link(id, seq, event.at, body, head)?;
    Ok((event, linked))
}

fn link(id: SessionId, seq: Seq, at: At, body: Value, head: &Digest) -> Result<Linked, json::Error> {
    let kind = body["fact"]["type"].as_str().expect("every fact is tagged").to_owned();
    let leaf = chain::leaf(&id.to_string(), seq.0, at.0, &kind, &body)?;
    Ok(Linked { kind, body: body.to_string(), hash: chain::next(head, &leaf) })
}

fn damaged(id: SessionId, seq: Seq, why: &str) -> StoreError {
    StoreError::Damaged(format!("event {} of session {id}: {why}", seq.0))
}

//! What must hold whatever happens, judged by the log as JSON and by what people were told. Nothing here calls core's
//! rules; only [`live_state`] replays by core's `apply`, because that is what it is about.

mod acts;
mod answers;
mod budget;
mod delivery;
mod staff;
mod violations;

use crate::history::History;
use crate::node::Ground;
use crate::plan::Plan;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::session::{Event, ExamSession};
use synaq_store::{Delivery, DeliveryState, EventLog as _, MessageKind, Outbox as _, SimStore};

/// When no fault is left, a look at a session comes back within this.
const ANSWERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// An event as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) seq: u64,
    pub(crate) at: i64,
    /// Epoch and number of the candidate's command behind it
    pub(crate) client: Option<(u64, u64)>,
    pub(crate) kind: String,
    pub(crate) body: Value,
    pub(crate) hash: synaq_seal::Digest,
}

impl Fact {
    /// A number in the fact; 0 where there is none.
    pub(crate) fn int(&self, name: &str) -> i64 {
        self.body["fact"][name].as_i64().unwrap_or(0)
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.body["fact"][name].as_str().unwrap_or_default()
    }

    pub(crate) fn value(&self, name: &str) -> &Value {
        &self.body["fact"][name]
    }
}

/// A sealed record as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) payload: Vec<u8>,
    pub(crate) json: Value,
    pub(crate) sha256: String,
    pub(crate) approvals: usize,
}

/// One exam on disk.
#[derive(Clone, Debug)]
pub(crate) struct Exam {
    pub(crate) session: SessionId,
    pub(crate) facts: Vec<Fact>,
    pub(crate) record: Option<Record>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Exam {
    pub(crate) fn first(&self, kind: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.kind == kind)
    }

    pub(crate) fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().filter(move |fact| fact.kind == kind)
    }

    /// How it ended: `submitted`, `violation`, ...
    pub(crate) fn finish(&self) -> Option<&str> {
        self.first("closed")?.value("finish")["reason"].as_str()
    }
}

/// Everything on disk.
pub(crate) struct Disk(pub(crate) Vec<Exam>);

impl Disk {
    pub(crate) async fn read(store: &SimStore, sessions: &[SessionId], history: &History) -> Self {
        let mut exams = Vec::new();
        for session in sessions {
            let log = store.load(*session, Seq(0)).await.unwrap_or_else(|error| {
                history.find("log_has_a_hole", Some(*session), error.to_string());
                Vec::new()
            });
            let facts = log.iter().map(|recorded| {
                let body: Value = serde_json::from_str(&recorded.body).unwrap_or_default();
                let client = &body["client"];
                let client = client["epoch"].as_u64().zip(client["client_seq"].as_u64());
                let kind = recorded.kind.clone();
                Fact { seq: recorded.seq.0, at: recorded.at.0, client, kind, body, hash: recorded.hash }
            });
            let facts = facts.collect();
            let record = store.record(*session).await.ok().flatten().map(|stored| Record {
                json: serde_json::from_slice(&stored.record.payload).unwrap_or_default(),
                sha256: stored.record.sha256.to_string(),
                payload: stored.record.payload,
                approvals: stored.approvals.len(),
            });
            let deliveries = store.deliveries(&[*session]).await.unwrap_or_default();
            exams.push(Exam { session: *session, facts, record, deliveries });
        }
        Self(exams)
    }
}

/// Every exam is approved, and the platform has everything it did not refuse.
pub(crate) async fn is_settled(store: &SimStore, sessions: &[SessionId]) -> bool {
    let summaries = store.summaries(sessions).await.unwrap_or_default();
    let approved = summaries.iter().filter(|summary| summary.state == "approved").count();
    let deliveries = store.deliveries(sessions).await.unwrap_or_default();
    let refused = |session| {
        deliveries.iter().any(|d| {
            d.message.session == session
                && d.message.kind == MessageKind::Record
                && d.state == DeliveryState::Refused
        })
    };
    let open = deliveries.iter().any(|d| d.state == DeliveryState::Queued && !refused(d.message.session));
    approved == sessions.len() && !open
}

/// Everything that can be judged at the end of a run.
pub(crate) fn judge(plan: &Plan, disk: &Disk, ground: &Ground, settled: bool) {
    let history = &ground.history;
    for exam in &disk.0 {
        if !settled {
            let newest = exam.facts.last().map(|fact| format!("{} {}", fact.kind, fact.at));
            let states: Vec<_> = exam.deliveries.iter().map(|d| (d.message.kind, d.state)).collect();
            let detail = format!("newest event {newest:?}, messages {states:?}");
            history.find("did_not_settle", Some(exam.session), detail);
        }
        answers::judge(exam, history);
        violations::judge(exam, history);
        budget::judge(exam, plan, history);
        acts::judge(exam, plan, history);
        delivery::judge(exam, &ground.platform.kept(), history);
        staff::judge(exam, history);
        count(exam, history);
    }
}

/// What the suite must have played.
fn count(exam: &Exam, history: &History) {
    if exam.first("started").is_some() {
        history.count("exams");
    }
    if let Some(closed) = exam.first("closed") {
        let finish = closed.value("finish");
        let why = finish["why"].as_str().or(finish["reason"].as_str());
        history.count(&format!("ended {}", why.unwrap_or_default()));
    }
    for fact in &exam.facts {
        let what = match fact.kind.as_str() {
            "violation_counted" => format!("violation {}", fact.text("consequence")),
            "warning_effective" => format!("warning effective {}", fact.text("how")),
            kind @ ("answer_put"
            | "answer_late"
            | "answer_superseded"
            | "downtime_credited"
            | "paused"
            | "break_asked"
            | "break_withdrawn"
            | "break_granted"
            | "break_refused"
            | "break_ended"
            | "recheck_asked"
            | "recheck_ruled"
            | "recheck_withdrawn"
            | "gesture_asked"
            | "gesture_answered"
            | "gesture_judged"
            | "attempt_voided"
            | "time_credited"
            | "time_extended"
            | "device_bound"
            | "device_waiting"
            | "record_sealed"
            | "record_approved"
            | "clock_stepped"
            | "incident_dismissed"
            | "evidence_gap"
            | "end_proposed"
            | "end_withdrawn"
            | "outbox_drained"
            | "late_window_ended"
            | "identity_asked_again"
            | "evidence_awaited") => format!("event {kind}"),
            _ => continue,
        };
        history.count(&what);
    }
}

/// Replaying the log gives what is in memory.
pub(crate) async fn live_state(ground: &Ground, sessions: &[SessionId]) {
    let node = ground.node.borrow().clone();
    let Some(node) = node else { return };
    for session in sessions {
        let Ok(live) = tokio::time::timeout(ANSWERS_WITHIN, node.handle.look(*session)).await else {
            ground.history.find("no_answer", Some(*session), "a look at the session never came back");
            continue;
        };
        let Ok(live) = live else { continue };
        let state = live.session.state();
        let Ok(log) = ground.store().another_process().load(*session, Seq(0)).await else { continue };
        let mut replayed = ExamSession::new(std::sync::Arc::clone(&ground.context));
        let known = log.iter().take_while(|recorded| recorded.seq <= state.seq);
        let mut head = synaq_seal::chain::GENESIS;
        for recorded in known {
            let event: Result<Event, _> = serde_json::from_str(&recorded.body);
            if let Ok(event) = event {
                replayed.apply(&event);
            }
            head = recorded.hash;
        }
        ground.history.count("live states compared");
        if replayed.state() != state || head != live.head {
            let detail = format!("memory is at {}, the log at {}", state.seq.0, replayed.state().seq.0);
            ground.history.find("replay_differs", Some(*session), detail);
        }
    }
}

/// The same for the same plan, or chance has come in from somewhere.
pub(crate) fn log_hash(disk: &Disk, history: &History) -> String {
    let mut hash = Sha256::new();
    for exam in &disk.0 {
        for fact in &exam.facts {
            hash.update(format!("{} {} {} {}\n", exam.session, fact.seq, fact.at, fact.hash));
        }
        for delivery in &exam.deliveries {
            hash.update(format!("{:?} {:?} {}\n", delivery.message.id, delivery.state, delivery.attempts));
        }
    }
    let notes = history.notes();
    let mut counts = BTreeMap::new();
    counts.extend(notes.counts.iter());
    hash.update(format!("{:?} {:?} {counts:?}", notes.told, notes.staff_told));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

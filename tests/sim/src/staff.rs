//! A proctor before one candidate's tile, the recorder behind it, and the commission after it. What they know is the
//! view they were shown; what they ask carries a label of its own, so that the log says how often it was done.

use crate::dice::Dice;
use crate::history::StaffTold;
use crate::net::note_shown;
use crate::node::{Ground, Node};
use crate::plan::{Deed, name_of};
use crate::ports::{COMMISSION, PROCTOR, SECOND_PROCTOR, candidate_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::{SessionId, StaffId};
use synaq_core::proctoring::{Code, DetectorEvent, IncidentStatus, SignalPhase, Source};
use synaq_core::session::{
    Effect, EvidenceRef, ExamSession, Gesture, Input, MediaFact, PauseCause, PhotoKind, PhotosSeen, Ruling,
    SealWaits, StaffCommand, StaffEndReason, Stage,
};
use synaq_core::time::{At, Span};
use synaq_runtime::Snapshot;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a person looks at the tile.
const LOOK: Duration = Duration::from_millis(900);
/// Who is away for so long beyond the end of a break is seen to be back, or the exam would stand still.
const BACK_WITHIN: Span = Span::secs(90);
/// New photos that do not come within this are not waited for.
const PHOTOS_WITHIN: Span = Span::secs(60);

/// What is to be done at some time.
#[derive(Clone, Debug)]
enum Todo {
    Deed(Deed),
    EvidenceOver { name: String, finished: bool },
}

/// Everybody behind one tile.
pub(crate) struct Staff {
    ground: Arc<Ground>,
    session: SessionId,
    asks_again: bool,
    deeds: Vec<(u64, Deed)>,
    todo: BTreeMap<(Instant, u64), Todo>,
    todos: u64,
    labels: u64,
    /// When a person has made up their mind about something they saw
    minds: BTreeMap<String, Instant>,
    paused_until: Option<Instant>,
    all_stopped_until: Option<Instant>,
    recording: bool,
    /// Whether the attempt counts was thought about, once
    judged_void: bool,
    opened: BTreeSet<String>,
}

impl Staff {
    pub(crate) fn new(
        ground: Arc<Ground>,
        session: SessionId,
        asks_again: bool,
        deeds: Vec<(u64, Deed)>,
    ) -> Self {
        Self {
            ground,
            session,
            asks_again,
            deeds,
            todo: BTreeMap::new(),
            todos: 0,
            labels: 0,
            minds: BTreeMap::new(),
            paused_until: None,
            all_stopped_until: None,
            recording: false,
            judged_void: false,
            opened: BTreeSet::new(),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut view: Option<(u64, watch::Receiver<Snapshot>)> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let node = self.ground.node.borrow().clone();
            let Some(node) = node else { continue };
            let fresh = view.as_ref().is_some_and(|(no, seen)| *no == node.no && seen.has_changed().is_ok());
            if !fresh {
                let Ok(seen) = node.handle.watch(self.session).await else { continue };
                view = Some((node.no, seen));
            }
            let Some((_, seen)) = &mut view else { continue };
            let changed = seen.has_changed().unwrap_or(false);
            let snapshot = seen.borrow_and_update().clone();
            if changed {
                note_shown(&self.ground.history, &snapshot);
            }
            self.look(&node, &snapshot).await;
            if snapshot.session.state().approved.is_some() {
                return;
            }
        }
    }

    async fn look(&mut self, node: &Node, snapshot: &Snapshot) {
        let session = &snapshot.session;
        match &session.state().stage {
            Stage::Absent => {}
            Stage::Preparing => self.admit(node, session).await,
            Stage::Running { .. } => {
                self.begin_deeds();
                self.supervise(node, session).await;
            }
            Stage::Closed { .. } => self.conclude(node, session).await,
        }
        if !matches!(session.state().stage, Stage::Absent) {
            self.devices(node, session).await;
        }
    }

    fn begin_deeds(&mut self) {
        for (at_ms, deed) in std::mem::take(&mut self.deeds) {
            self.after(at_ms, Todo::Deed(deed));
        }
    }

    fn after(&mut self, ms: u64, todo: Todo) {
        self.todos += 1;
        self.todo.insert((Instant::now() + Duration::from_millis(ms), self.todos), todo);
    }

    fn label(&mut self, what: &str) -> String {
        self.labels += 1;
        format!("{what} #{}-{}", candidate_of(self.session), self.labels)
    }

    /// A person needs some time before they act on what they see; how long, and what they decide, is their own.
    fn made_up(&mut self, about: String) -> Option<Dice> {
        let name =
            about.bytes().fold(17_u64, |name, byte| name.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut dice = Dice::new(self.ground.seed, &[0x9e, u64::from(candidate_of(self.session)), name]);
        let takes = Duration::from_millis(200 + dice.below(12_000));
        let at = *self.minds.entry(about).or_insert_with(|| Instant::now() + takes);
        (Instant::now() >= at).then_some(dice)
    }

    async fn ask(&mut self, node: &Node, by: StaffId, label: String, command: StaffCommand) {
        let what = label.split(' ').next().unwrap_or_default().to_owned();
        let done = node.handle.submit(self.session, Input::Staff { by, command }).await;
        let accepted = done.ok().map(|done| done.effects.contains(&Effect::Accepted));
        if accepted == Some(true) {
            self.ground.history.count(&format!("staff {what}"));
        }
        let told = StaffTold { session: self.session, label, accepted };
        self.ground.history.notes().staff_told.push(told);
    }

    async fn admit(&mut self, node: &Node, session: &ExamSession) {
        let state = session.state();
        if !state.identity_submitted || state.admitted.is_some() {
            return;
        }
        let digest = |kind| state.photos.get(&kind).map(|photo| photo.sha256.clone());
        let seen = PhotosSeen { face: digest(PhotoKind::Face), document: digest(PhotoKind::Document) };
        if self.made_up(format!("admit {seen:?}")).is_none() {
            return;
        }
        if std::mem::take(&mut self.asks_again) {
            let reason = self.label("photos");
            return self.ask(node, PROCTOR, reason.clone(), StaffCommand::AskAgain { reason }).await;
        }
        let label = self.label("admit");
        self.ask(node, PROCTOR, label, StaffCommand::Admit { seen: Some(seen) }).await;
    }

    async fn devices(&mut self, node: &Node, session: &ExamSession) {
        let Some((.., socket)) = session.state().waiting_device else { return };
        let Some(mut dice) = self.made_up(format!("device {socket}")) else { return };
        if dice.percent(60) {
            let label = self.label("device");
            self.ask(node, PROCTOR, label, StaffCommand::AdmitDevice { waiting: Some(socket) }).await;
        }
    }

    async fn supervise(&mut self, node: &Node, session: &ExamSession) {
        while let Some(first) = self.todo.first_entry() {
            if first.key().0 > Instant::now() {
                break;
            }
            match first.remove() {
                Todo::Deed(deed) => self.deed(node, session, deed).await,
                Todo::EvidenceOver { name, finished } => self.evidence_over(node, name, finished).await,
            }
        }
        let over = |until: Option<Instant>| until.is_none_or(|until| Instant::now() >= until);
        if session.state().pauses.contains_key(&PauseCause::Staff) && over(self.paused_until) {
            let label = self.label("resume");
            self.ask(node, PROCTOR, label, StaffCommand::Resume).await;
        }
        if session.state().pauses.contains_key(&PauseCause::Everybody) && over(self.all_stopped_until) {
            let label = self.label("resume_all");
            self.ask(node, SECOND_PROCTOR, label, StaffCommand::ResumeEverybody).await;
        }
        self.away(node, session).await;
        self.check(node, session).await;
        self.gesture(node, session).await;
        if session.state().help_asked_at.is_some() {
            let label = self.label("answer");
            self.ask(node, PROCTOR, label.clone(), StaffCommand::Say(label)).await;
        }
        self.rule(node, session).await;
        if let Some(proposal) = session.state().end_proposal.clone()
            && let Some(mut dice) = self.made_up(format!("proposal {}", proposal.note))
        {
            let agrees = dice.percent(60);
            let note = self.label(if agrees { "end" } else { "withdraw" });
            let command = match agrees {
                true => StaffCommand::End { why: proposal.why, note: note.clone() },
                false => StaffCommand::WithdrawEnd,
            };
            self.ask(node, SECOND_PROCTOR, note, command).await;
        }
    }

    /// A break is granted, or refused with a reason; who does not come back is looked for.
    async fn away(&mut self, node: &Node, session: &ExamSession) {
        let Some(away) = session.state().away.clone() else { return };
        if let Some(granted) = away.granted {
            if node.now() > granted.until + BACK_WITHIN {
                let label = self.label("back");
                self.ask(node, SECOND_PROCTOR, label, StaffCommand::EndBreak).await;
            }
            return;
        }
        let Some(mut dice) = self.made_up(format!("break {}", away.asked_at.0)) else { return };
        if dice.percent(75) {
            let label = self.label("grant");
            return self.ask(node, PROCTOR, label, StaffCommand::GrantBreak { minutes: None }).await;
        }
        let reason = self.label("refuse");
        self.ask(node, PROCTOR, reason.clone(), StaffCommand::RefuseBreak { reason }).await;
    }

    /// New photos are ruled on; those that do not come are not waited for without end, since the clock may stand.
    async fn check(&mut self, node: &Node, session: &ExamSession) {
        let Some(recheck) = session.state().recheck.clone() else { return };
        if !recheck.submitted {
            if node.now() > recheck.asked_at + PHOTOS_WITHIN {
                let label = self.label("withdraw");
                self.ask(node, PROCTOR, label, StaffCommand::WithdrawRecheck).await;
            }
            return;
        }
        let Some(mut dice) = self.made_up(format!("recheck {}", recheck.asked_at.0)) else { return };
        let digest = |kind| recheck.photos.get(&kind).map(|photo| photo.sha256.clone());
        let seen = PhotosSeen { face: digest(PhotoKind::Face), document: digest(PhotoKind::Document) };
        let note = self.label("ruled");
        let accepted = dice.percent(70);
        let command = StaffCommand::RuleRecheck { accepted, seen: Some(seen), note: Some(note.clone()) };
        self.ask(node, PROCTOR, note, command).await;
    }

    async fn gesture(&mut self, node: &Node, session: &ExamSession) {
        let Some(asked_at) = session.state().challenge.as_ref().and_then(|held| held.asked_at) else {
            return;
        };
        let Some(mut dice) = self.made_up(format!("gesture {}", asked_at.0)) else { return };
        let note = self.label("judge");
        let command = StaffCommand::JudgeGesture { accepted: dice.percent(70), note: Some(note.clone()) };
        self.ask(node, PROCTOR, note, command).await;
    }

    /// What only a person may decide.
    async fn rule(&mut self, node: &Node, session: &ExamSession) {
        let open: Vec<_> = session.open_human_incidents().map(|held| (held.no, held.began_at)).collect();
        for (incident, began_at) in open {
            let Some(mut dice) = self.made_up(format!("incident {}", incident.0)) else { continue };
            let note = self.label("rule");
            let command = match dice.percent(65) {
                true => StaffCommand::Confirm {
                    incident,
                    began_at,
                    warnings_seen: session.warnings_given(),
                    note: Some(note.clone()),
                },
                false => StaffCommand::Dismiss { incident, note: Some(note.clone()) },
            };
            self.ask(node, PROCTOR, note, command).await;
        }
    }

    async fn deed(&mut self, node: &Node, session: &ExamSession, deed: Deed) {
        self.ground.history.count(&format!("deed {}", name_of(&deed)));
        match deed {
            Deed::Pause { for_ms } => {
                self.paused_until = Some(Instant::now() + Duration::from_millis(for_ms));
                let reason = self.label("pause");
                self.ask(node, PROCTOR, reason.clone(), StaffCommand::Pause { reason }).await;
            }
            Deed::Credit { secs } => {
                let (reason, span) = (self.label("credit"), Span::secs(i64::from(secs)));
                self.ask(node, PROCTOR, reason.clone(), StaffCommand::Credit { span, reason }).await;
            }
            Deed::Extend { secs } => {
                let (reason, span) = (self.label("extend"), Span::secs(i64::from(secs)));
                self.ask(node, PROCTOR, reason.clone(), StaffCommand::Extend { span, reason }).await;
            }
            Deed::End { why } => {
                let why = match why.as_str() {
                    "safety" => StaffEndReason::Safety,
                    "technical" => StaffEndReason::Technical,
                    "candidate_request" => StaffEndReason::CandidateRequest,
                    _ => StaffEndReason::Impersonation,
                };
                let note = self.label("end");
                self.ask(node, PROCTOR, note.clone(), StaffCommand::End { why, note }).await;
            }
            Deed::Record { code, ago_ms, both } => self.record(node, session, &code, ago_ms, both).await,
            Deed::Detect { code, confidence_pct } => self.detect(node, &code, confidence_pct).await,
            Deed::Say => {
                let label = self.label("say");
                self.ask(node, PROCTOR, label.clone(), StaffCommand::Say(label)).await;
            }
            Deed::StopAll { for_ms } => {
                self.all_stopped_until = Some(Instant::now() + Duration::from_millis(for_ms));
                let reason = self.label("stop_all");
                self.ask(node, PROCTOR, reason.clone(), StaffCommand::PauseEverybody { reason }).await;
            }
            Deed::Recheck { stop } => {
                let reason = self.label("recheck");
                self.ask(node, PROCTOR, reason.clone(), StaffCommand::AskRecheck { reason, stop }).await;
            }
            Deed::Gesture { after_ms } => {
                let (label, gesture) = (self.label("gesture"), Gesture::RaiseHand);
                let after = Span(i64::try_from(after_ms).expect("a plan's span"));
                self.ask(node, PROCTOR, label, StaffCommand::PlanGesture { gesture, after }).await;
            }
            Deed::Evidence { for_ms, finished } => self.evidence(node, for_ms, finished).await,
        }
    }

    /// Two proctors who mark one phone make one violation, whoever is faster.
    async fn record(&mut self, node: &Node, session: &ExamSession, code: &str, ago_ms: u64, both: bool) {
        let Ok(code) = code.parse::<Code>() else { return };
        let ago = Span(i64::try_from(ago_ms).expect("a plan's span"));
        let started = session.state().started_at.unwrap_or(At(0));
        let began_at = (node.now() - ago).max(started);
        for by in [PROCTOR, SECOND_PROCTOR].into_iter().take(if both { 2 } else { 1 }) {
            let note = self.label("record");
            let command = StaffCommand::Record {
                code,
                began_at,
                warnings_seen: session.warnings_given(),
                note: Some(note.clone()),
            };
            self.ask(node, by, note, command).await;
        }
    }

    async fn detect(&self, node: &Node, code: &str, confidence_pct: u8) {
        let Ok(code) = code.parse::<Code>() else { return };
        let claim = DetectorEvent {
            code,
            phase: SignalPhase::Seen,
            source: Source::Model,
            confidence_pct,
            at: node.now(),
            note: None,
            measured: None,
        };
        // A detector says it again at the next picture; here there is none.
        let _ = node.handle.submit(self.session, Input::Detect(claim)).await;
    }

    async fn tell(&self, node: &Node, fact: MediaFact) -> bool {
        node.handle.submit(self.session, Input::Media(fact)).await.is_ok()
    }

    async fn evidence(&mut self, node: &Node, for_ms: u64, finished: bool) {
        if !std::mem::replace(&mut self.recording, true) {
            self.tell(node, MediaFact::Recording(true)).await;
        }
        let name = self.label("webcam").replace(' ', "-");
        if self.tell(node, MediaFact::Opened { name: name.clone() }).await {
            self.opened.insert(name.clone());
        }
        self.after(for_ms, Todo::EvidenceOver { name, finished });
    }

    async fn evidence_over(&mut self, node: &Node, name: String, finished: bool) {
        let mut dice = Dice::new(self.ground.seed, &[0xe5, self.labels]);
        let sha256 = dice.bytes().map(|byte| format!("{byte:02x}")).concat();
        if finished
            && self.tell(node, MediaFact::Stored(EvidenceRef { name: name.clone(), sha256, bytes: 9 })).await
        {
            self.opened.remove(&name);
        }
    }

    /// The recorder ends with the exam, what nobody ruled on is ruled on, and the commission approves what is sealed.
    async fn conclude(&mut self, node: &Node, session: &ExamSession) {
        self.rule(node, session).await;
        if std::mem::take(&mut self.recording) {
            self.tell(node, MediaFact::Recording(false)).await;
        }
        let state = session.state();
        if state.voided.is_none()
            && let Some(mut dice) = self.made_up("void".to_owned())
            && !std::mem::replace(&mut self.judged_void, true)
            && dice.percent(10)
        {
            let reason = self.label("void");
            let ground = "technical".to_owned();
            let command = StaffCommand::Void { ground, reason: reason.clone(), replaced_by: None };
            self.ask(node, COMMISSION, reason, command).await;
        }
        let Some((sha256, ..)) = state.sealed.clone() else {
            return self.count_waits(node, session);
        };
        if self.made_up("approval".to_owned()).is_none() {
            return;
        }
        let note = self.label("approve");
        let long = session.unsupervised(node.now()) > Span::mins(10);
        let ruling = long.then(|| Ruling { valid: true, note: "жарамды".to_owned() });
        let command = StaffCommand::Approve { sha256, note: Some(note.clone()), ruling };
        self.ask(node, COMMISSION, note, command).await;
    }

    fn count_waits(&mut self, node: &Node, session: &ExamSession) {
        let what = match session.seal_waits(node.now()) {
            Some(SealWaits::HumanIncidents(_)) => "sealing waited for a person",
            Some(SealWaits::LateWindow(_)) => "sealing waited for late answers",
            Some(SealWaits::Evidence(_)) => "sealing waited for evidence",
            _ => return,
        };
        if self.minds.insert(what.to_owned(), Instant::now()).is_none() {
            self.ground.history.count(what);
        }
        let dismissed = session.state().incidents.iter();
        let dismissed = dismissed.filter(|held| matches!(held.status, IncidentStatus::Dismissed { .. }));
        if dismissed.count() > 0 && self.minds.insert("dismissed".to_owned(), Instant::now()).is_none() {
            self.ground.history.count("exams with dismissed incidents");
        }
    }
}

//! A candidate and their page: an outbox with numbers of its own, reconnects, resending, a reload, a second tab or
//! device. What the page knows it knows from the frames it got.

pub(crate) mod page;
mod prepare;
mod trouble;

use crate::dice::Dice;
use crate::net::{Answer, Down, Line};
use crate::node::Ground;
use crate::plan;
use crate::ports::{RIGHT, START, SimClock};
use page::{Page, Pending};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use synaq_core::ids::SessionId;
use synaq_core::proctoring::{Code, SignalPhase};
use synaq_core::session::{BreakWhy, Command, Refusal, Stage, Standing};
use synaq_core::time::{At, Span};
use synaq_runtime::Snapshot;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// A page that only waits opens a new connection after this long.
const WAITS_AT_MOST_MS: u64 = 20_000;
/// A page that hears that something failed tries again after this long.
const AGAIN_MS: u64 = 600;

/// What a page has to do at some time.
#[derive(Clone, Debug)]
pub(crate) enum Todo {
    Connect,
    Prepare,
    Act(plan::Act),
    Trouble(plan::Trouble),
    Put(Command),
    /// Goes on without the break, if nobody has answered
    WithdrawBreak,
    /// Photos of a check in mid-exam
    Photograph,
    Resend,
    Publish,
    /// A fault of the line is over
    Clear,
    PictureBack,
    /// Nothing was heard for too long
    GiveUpLine,
    Leave,
}

/// What decides about a page.
pub(crate) struct Script {
    pub(crate) habits: plan::Candidate,
    /// From the start of the exam; of a visitor from the moment it is in charge
    pub(crate) acts: Vec<(u64, plan::Act)>,
    /// From the beginning
    pub(crate) troubles: Vec<(u64, plan::Trouble)>,
    /// A second page of the same exam, and how long it stays
    pub(crate) visits_ms: Option<u64>,
}

/// A page at work.
pub(crate) struct Candidate {
    ground: Arc<Ground>,
    clock: SimClock,
    session: SessionId,
    script: Script,
    page: Page,
    line: Option<Line>,
    in_charge: bool,
    seen: Option<Snapshot>,
    todo: BTreeMap<(Instant, u64), Todo>,
    todos: u64,
    dice: Dice,
    preparing: bool,
    acting: bool,
    publishing: bool,
    picture_lost: bool,
    displays: bool,
    acknowledges: bool,
    /// How long the next break lasts
    away_ms: u64,
    /// Of the break, check and gesture that the page has seen to, when each was asked for
    seen_to: BTreeSet<(&'static str, At)>,
    drained: bool,
    gone: bool,
    connections: u64,
}

impl Candidate {
    pub(crate) fn new(
        ground: Arc<Ground>,
        clock: SimClock,
        session: SessionId,
        script: Script,
        page: Page,
    ) -> Self {
        let dice = Dice::new(ground.seed, &[0xca, u64::from(script.habits.no), page.name()]);
        Self {
            ground,
            clock,
            session,
            script,
            page,
            line: None,
            in_charge: false,
            seen: None,
            todo: BTreeMap::new(),
            todos: 0,
            dice,
            preparing: false,
            acting: false,
            publishing: false,
            picture_lost: false,
            displays: false,
            acknowledges: false,
            away_ms: 0,
            seen_to: BTreeSet::new(),
            drained: false,
            gone: false,
            connections: 0,
        }
    }

    fn visits(&self) -> bool {
        self.script.visits_ms.is_some()
    }

    fn after(&mut self, ms: u64, todo: Todo) {
        self.todos += 1;
        self.todo.insert((Instant::now() + Duration::from_millis(ms), self.todos), todo);
    }

    fn history(&self) -> &crate::history::History {
        &self.ground.history
    }

    /// Until the exam is over and nothing is left on the page.
    pub(crate) async fn run(mut self, mut over: watch::Receiver<bool>) {
        let told = over.clone();
        self.after(0, Todo::Connect);
        for (at_ms, trouble) in std::mem::take(&mut self.script.troubles) {
            self.after(at_ms, Todo::Trouble(trouble));
        }
        if let Some(stays_ms) = self.script.visits_ms {
            self.after(stays_ms, Todo::Leave);
        }
        while !self.gone {
            let next = self.todo.keys().next().map(|(at, _)| *at);
            tokio::select! {
                biased;
                () = is_over(&mut over) => return,
                frame = heard(self.line.as_mut()) => match frame {
                    Some(frame) => self.hear(frame),
                    None => self.line_lost(),
                },
                () = until(next) => {
                    if let Some((_, todo)) = self.todo.pop_first() {
                        self.perform(todo, &told).await;
                    }
                }
            }
            self.leave_when_done();
        }
        if let Some(line) = self.line.take() {
            line.cut(true);
        }
    }

    async fn perform(&mut self, todo: Todo, over: &watch::Receiver<bool>) {
        match todo {
            Todo::Connect => self.connect().await,
            Todo::Prepare => self.prepare().await,
            Todo::Act(act) => self.act(act),
            Todo::Trouble(trouble) => self.suffer(trouble, over).await,
            Todo::Put(command) => self.put(command),
            Todo::WithdrawBreak => self.withdraw_break(),
            Todo::Photograph => self.photograph_again().await,
            Todo::Resend => self.resend_failed(),
            Todo::Publish => self.publish().await,
            Todo::Clear => self.clear(),
            Todo::PictureBack => self.picture_lost = false,
            Todo::GiveUpLine => self.give_up_line(),
            Todo::Leave => self.gone = true,
        }
    }

    fn hear(&mut self, frame: Down) {
        match frame {
            Down::Welcome(epoch, snapshot) => {
                self.in_charge = epoch.is_some();
                if let Some(epoch) = epoch {
                    self.page.bound_under(epoch);
                }
                self.look_at(snapshot);
                self.send_outbox();
                if !self.in_charge {
                    self.after(WAITS_AT_MOST_MS, Todo::GiveUpLine);
                }
            }
            Down::State(snapshot) => self.look_at(snapshot),
            Down::Answer { epoch, client_seq, answer } => match answer {
                Answer::Done => {
                    if let Some(Pending { command: Command::Drained, .. }) =
                        self.page.settle(epoch, client_seq)
                    {
                        self.drained = true;
                    }
                }
                Answer::Refused(refusal) => {
                    // A page that waits keeps what it has until it is in charge again.
                    if refusal != Refusal::OtherDevice {
                        self.page.settle(epoch, client_seq);
                    }
                }
                Answer::Failed => {
                    self.page.failed(epoch, client_seq);
                    self.after(AGAIN_MS, Todo::Resend);
                }
            },
            Down::Bye => self.line_lost(),
        }
    }

    fn line_lost(&mut self) {
        self.line = None;
        self.in_charge = false;
        let wait = self.dice.below(1_500) + 200;
        self.after(wait, Todo::Connect);
    }

    fn look_at(&mut self, snapshot: Snapshot) {
        let state = snapshot.session.state();
        let (stage, standing, sees) = (state.stage.clone(), state.standing.clone(), state.video);
        self.seen = Some(snapshot);
        if !self.in_charge {
            return;
        }
        if matches!(stage, Stage::Preparing) && !self.preparing && !self.visits() {
            self.preparing = true;
            self.after(300, Todo::Prepare);
        }
        if !matches!(stage, Stage::Absent | Stage::Preparing) && !self.acting {
            self.acting = true;
            for (at_ms, act) in std::mem::take(&mut self.script.acts) {
                self.after(at_ms, Todo::Act(act));
            }
        }
        if matches!(stage, Stage::Running { .. }) && !sees && !self.publishing && !self.picture_lost {
            self.publishing = true;
            self.after(900, Todo::Publish);
        }
        if let Standing::Warned(warning) = standing {
            self.warned(warning.ordinal);
        }
        if matches!(stage, Stage::Running { .. }) && !self.visits() {
            self.asked();
        }
    }

    /// A break that was granted ends, photos are taken, a gesture is shown: each once.
    fn asked(&mut self) {
        let Some(seen) = self.seen.clone() else { return };
        let state = seen.session.state();
        let granted = state.away.as_ref().and_then(|away| Some((away.asked_at, away.granted.as_ref()?.at)));
        if let Some((asked_at, _)) = granted
            && self.seen_to.insert(("break", asked_at))
        {
            self.after(self.away_ms, Todo::Put(Command::ReturnFromBreak));
        }
        if let Some(recheck) = state.recheck.as_ref().filter(|recheck| !recheck.submitted)
            && self.seen_to.insert(("recheck", recheck.asked_at))
        {
            self.after(1_500, Todo::Photograph);
        }
        let gesture = state.challenge.as_ref().filter(|held| held.answered.is_none());
        if let Some(asked_at) = gesture.and_then(|held| held.asked_at)
            && self.seen_to.insert(("gesture", asked_at))
        {
            let alternative = self.dice.percent(30);
            self.after(2_000, Todo::Put(Command::AnswerGesture { alternative }));
        }
    }

    fn withdraw_break(&mut self) {
        let waits = self.seen.as_ref().and_then(|seen| seen.session.state().away.clone());
        if waits.is_some_and(|away| away.granted.is_none()) {
            self.put(Command::WithdrawBreak);
        }
    }

    fn warned(&mut self, ordinal: u32) {
        if let Some(wait) = self.script.habits.displays_after_ms
            && !self.displays
        {
            self.displays = true;
            self.after(wait, Todo::Put(Command::WarningDisplayed { ordinal }));
        }
        if let Some(wait) = self.script.habits.acknowledges_after_ms
            && !self.acknowledges
        {
            self.acknowledges = true;
            self.after(wait, Todo::Put(Command::AcknowledgeWarning { ordinal }));
        }
    }

    fn act(&mut self, act: plan::Act) {
        match act {
            plan::Act::Answer { question, shown } => {
                let shown = match self.right(question) {
                    Some(right) if self.script.habits.knows => BTreeSet::from([right]),
                    _ => shown.into_iter().collect(),
                };
                self.put(Command::Answer { question, shown });
            }
            plan::Act::Flag { question, on } => self.put(Command::Flag { question, on }),
            plan::Act::LeavePage { for_ms } => self.leave(Code::WindowBlur, for_ms, false),
            plan::Act::LeaveFullScreen { for_ms } => self.leave(Code::FullscreenExit, for_ms, false),
            plan::Act::CameraOff { for_ms, restore_fails } => {
                self.leave(Code::CameraOff, for_ms, restore_fails)
            }
            plan::Act::Prompt { for_ms } => {
                self.put(Command::Prompt { open: true });
                self.after(for_ms, Todo::Put(Command::Prompt { open: false }));
            }
            plan::Act::Call => self.put(Command::CallProctor),
            plan::Act::Say => self.put(Command::Say("сәлем".to_owned())),
            plan::Act::Break { away_ms, waits_ms } => {
                self.away_ms = away_ms;
                self.put(Command::AskBreak(BreakWhy::Toilet));
                if let Some(waits_ms) = waits_ms {
                    self.after(waits_ms, Todo::WithdrawBreak);
                }
            }
            plan::Act::HandIn => self.put(Command::HandIn),
            plan::Act::OfflineAtEnd { for_ms } => self.go_offline_at_the_end(for_ms),
        }
    }

    fn go_offline_at_the_end(&mut self, for_ms: u64) {
        const BEFORE: Span = Span::secs(6);
        let node = self.ground.node.borrow().clone();
        let left = self.seen.as_ref().zip(node).map(|(seen, node)| seen.session.remaining(node.now()));
        let wait = (left.unwrap_or(BEFORE) - BEFORE).0;
        if wait > 1_000 {
            let wait = u64::try_from(wait).expect("positive");
            return self.after(wait, Todo::Act(plan::Act::OfflineAtEnd { for_ms }));
        }
        self.cut(for_ms, false);
        for (at_ms, question) in [(1_500, 0), (3_000, 1)] {
            let answer = plan::Act::Answer { question, shown: vec![1] };
            self.after(at_ms, Todo::Act(answer));
        }
    }

    /// Where the right option of a question is shown.
    fn right(&self, question: u16) -> Option<u8> {
        let seen = self.seen.as_ref()?;
        let options = &seen.session.state().form.as_ref()?.questions.get(usize::from(question))?.options;
        u8::try_from(options.iter().position(|index| *index == RIGHT)?).ok()
    }

    fn leave(&mut self, code: Code, for_ms: u64, restore_fails: bool) {
        let signal = |phase| Command::Signal { code, phase, ago: Span::ZERO, note: None };
        self.put(signal(SignalPhase::Begin));
        if restore_fails {
            self.after(for_ms / 4, Todo::Put(signal(SignalPhase::RestoreFailed)));
        }
        self.after(for_ms, Todo::Put(signal(SignalPhase::End)));
    }

    /// Into the outbox, and onto the line if there is one. Before the first binding nothing can be asked.
    fn put(&mut self, command: Command) {
        let made_at = self.clock.elapsed_ms();
        let client_at = START + Span(made_at + self.script.habits.skew_ms);
        if let Some(pending) = self.page.put(command, client_at, made_at) {
            self.send(&pending);
        }
    }

    /// A page leaves when the exam is over and it has nothing left; one that says so says so first.
    fn leave_when_done(&mut self) {
        let Some(seen) = &self.seen else { return };
        let closed = matches!(seen.session.state().stage, Stage::Closed { .. });
        if !closed || self.visits() || !self.page.is_empty() {
            return;
        }
        if !self.script.habits.drains || self.drained || seen.session.state().drained {
            self.gone = true;
        } else if self.in_charge {
            self.put(Command::Drained);
        } else if seen.session.state().sealed.is_some() {
            self.gone = true;
        }
    }
}

async fn is_over(over: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = over.wait_for(|over| *over).await;
}

async fn heard(line: Option<&mut Line>) -> Option<Down> {
    match line {
        Some(line) => line.down.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

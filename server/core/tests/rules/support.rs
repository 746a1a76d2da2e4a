//! A bank of numbered questions, and an exam that checks after every input that its log replays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use synaq_core::bank::{AnswerKey, Bank, Choice, Item, Kind, Lang, Plan, Profession, Programme, Text, Topic};
use synaq_core::form::Seed;
use synaq_core::ids::{
    CentreId, DeviceHash, Epoch, IncidentNo, ItemId, SittingId, SocketId, StaffId, TabId, TopicId,
};
use synaq_core::proctoring::{Code, DetectorEvent, Incident, RuleTable, SignalPhase, Source};
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, Consequence, Context, Creation, Decision, DeviceReport, Effect,
    Event, EvidenceRef, ExamSession, Fact, Finish, Input, MediaFact, PhotoKind, Refusal, StaffCommand, Stage,
};
use synaq_core::time::{At, Span};
use uuid::Uuid;

/// The exam of these tests starts here: 20.11.2026, 14:00 in Almaty.
pub(crate) const START: At = At(1_795_165_200_000);
pub(crate) const PREPARED: At = At(START.0 - 600_000);
pub(crate) const PROCTOR: StaffId = StaffId(Uuid::from_u128(0xA1));
pub(crate) const SECOND_PROCTOR: StaffId = StaffId(Uuid::from_u128(0xA2));
pub(crate) const DEVICE: DeviceHash = DeviceHash([1; 32]);
pub(crate) const OTHER_DEVICE: DeviceHash = DeviceHash([2; 32]);
pub(crate) const TAB: TabId = TabId(Uuid::from_u128(0xB1));
pub(crate) const OTHER_TAB: TabId = TabId(Uuid::from_u128(0xB2));
pub(crate) const MINUTES: u16 = 60;

pub(crate) fn socket(n: u128) -> SocketId {
    SocketId(Uuid::from_u128(0xC0 + n))
}

/// `seconds` after the start.
pub(crate) fn t(seconds: i64) -> At {
    START + Span::secs(seconds)
}

pub(crate) fn text(s: &str) -> Text {
    Text { kk: s.to_owned(), ru: s.to_owned() }
}

/// `topics` topics with `per_topic` questions of four options; the right one is `a`, every fifth is multi `a c`.
pub(crate) fn bank(topics: u16, per_topic: u16) -> Bank {
    let topic_id = |n: u16| TopicId(format!("topic-{n}"));
    let items = (0..topics).flat_map(|topic| {
        (0..per_topic).map(move |n| {
            let multi = n % 5 == 4;
            Item {
                id: ItemId(format!("t{topic}-{n:03}")),
                version: 1,
                topic: topic_id(topic),
                kind: if multi { Kind::Multi } else { Kind::Single },
                difficulty: 1,
                labour_function: None,
                text: text("?"),
                options: ["a", "b", "c", "d"].map(|id| Choice { id: id.to_owned(), text: text(id) }).to_vec(),
                key: AnswerKey::new(if multi { BTreeSet::from([0, 2]) } else { BTreeSet::from([0]) }),
            }
        })
    });
    Bank {
        slug: "demo".to_owned(),
        version: 1,
        title: text("Demo"),
        profession_code: "7512-1".to_owned(),
        topics: (0..topics).map(|n| Topic { id: topic_id(n), title: text("Topic") }).collect(),
        items: items.collect(),
    }
}

pub(crate) fn plan(counts: &[u16]) -> Plan {
    Plan {
        minutes: MINUTES,
        threshold_pct: 70,
        languages: vec![Lang::Kk, Lang::Ru],
        blueprint: (0..)
            .zip(counts)
            .map(|(n, count): (u16, _)| (TopicId(format!("topic-{n}")), *count))
            .collect(),
        shuffle_questions: true,
        shuffle_options: true,
    }
}

pub(crate) fn context(rules: RuleTable) -> Arc<Context> {
    Arc::new(Context {
        programme: Programme {
            slug: "demo-4".to_owned(),
            version: 3,
            title: text("Demo"),
            profession: Profession { name: text("Confectioner"), nco_code: "7512-1".to_owned(), level: 4 },
            basis: text("standard"),
            bank_slug: "demo".to_owned(),
            bank_version: 1,
            plan: plan(&[4, 3, 3]),
            screen: false,
            breaks: synaq_core::bank::Breaks::default(),
        },
        bank: Arc::new(bank(3, 8)),
        bank_sha256: "ab".repeat(32),
        rules,
    })
}

pub(crate) fn evidence(name: &str) -> EvidenceRef {
    EvidenceRef { name: name.to_owned(), sha256: "cd".repeat(32), bytes: 100 }
}

pub(crate) fn working_device() -> DeviceReport {
    DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() }
}

pub(crate) fn creation() -> Creation {
    Creation {
        centre: CentreId(Uuid::from_u128(1)),
        sitting: SittingId(Uuid::from_u128(2)),
        draw_secret: Seed([7; 32]),
        extra: Span::ZERO,
        opens_at: t(-3_600),
        closes_at: t(3_600),
        care: synaq_core::session::Care::default(),
        called_off: None,
    }
}

/// A session with its log.
#[derive(Clone)]
pub(crate) struct Exam {
    pub(crate) session: ExamSession,
    pub(crate) log: Vec<Event>,
    pub(crate) client_seq: u64,
    pub(crate) epoch: Epoch,
}

impl Exam {
    pub(crate) fn created(rules: RuleTable) -> Self {
        let session = ExamSession::new(context(rules));
        let mut exam = Self { session, log: Vec::new(), client_seq: 0, epoch: Epoch(1) };
        exam.accept(PREPARED, Input::Create(Box::new(creation())));
        exam
    }

    /// Bound and connected, nothing else.
    pub(crate) fn attached() -> Self {
        let mut exam = Self::created(RuleTable::default());
        exam.attach_first();
        exam
    }

    fn attach_first(&mut self) {
        self.input(PREPARED, Input::Bind { device: DEVICE, tab: TAB });
        self.input(PREPARED, Input::Attach { device: DEVICE, tab: TAB, socket: socket(0) });
    }

    /// Everything before Begin.
    pub(crate) fn ready(rules: RuleTable) -> Self {
        let mut exam = Self::created(rules);
        exam.attach_first();
        exam.command(PREPARED, Command::ChooseLanguage(Lang::Kk));
        exam.command(PREPARED, Command::Consent { text_version: "1".to_owned(), lang: Lang::Kk });
        exam.command(PREPARED, Command::CheckDevice(working_device()));
        exam.accept(PREPARED, Input::Photo { kind: PhotoKind::Face, evidence: evidence("face-1") });
        exam.accept(PREPARED, Input::Photo { kind: PhotoKind::Document, evidence: evidence("document-1") });
        exam.command(PREPARED, Command::SubmitIdentity);
        exam.staff(PREPARED, StaffCommand::Admit { seen: None });
        for text in AcknowledgedText::ALL {
            let text_version = "1".to_owned();
            exam.command(PREPARED, Command::Acknowledge { text, text_version, lang: Lang::Kk });
        }
        exam.command(PREPARED, Command::Ready { nonce: Seed([9; 32]) });
        exam.flow(PREPARED, true, true);
        exam
    }

    /// Started at [`START`].
    pub(crate) fn running() -> Self {
        Self::running_with(RuleTable::default())
    }

    pub(crate) fn running_with(rules: RuleTable) -> Self {
        let mut exam = Self::ready(rules);
        exam.command(START, Command::Begin);
        exam
    }

    /// Warned at `at` by a proctor for a phone seen then.
    pub(crate) fn warned(at: At) -> Self {
        let mut exam = Self::running();
        exam.record(at, Code::ForbiddenItem, at, 0);
        assert_eq!(exam.session.warnings_given(), 1);
        exam
    }

    /// Decides, applies, and checks what must hold of every decision.
    pub(crate) fn input(&mut self, at: At, input: Input) -> Decision {
        let decision = self.session.decide(at, input);
        for event in &decision.events {
            assert!(self.log.last().is_none_or(|last| last.at <= event.at), "the log runs forward in time");
            self.session.apply(event);
            self.log.push(event.clone());
        }
        assert!(self.session.next_deadline().is_none_or(|due| due > at), "a decision leaves nothing due");
        decision
    }

    pub(crate) fn accept(&mut self, at: At, input: Input) -> Decision {
        let decision = self.input(at, input);
        assert!(decision.effects.contains(&Effect::Accepted), "{:?}", decision.effects);
        decision
    }

    pub(crate) fn refuse(&mut self, at: At, input: Input) -> Refusal {
        let decision = self.input(at, input);
        match decision.effects.last() {
            Some(Effect::Refused(refusal)) => refusal.clone(),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub(crate) fn client(&mut self, at: At) -> ClientRef {
        self.client_seq += 1;
        ClientRef { epoch: self.epoch, client_seq: self.client_seq, client_at: at }
    }

    pub(crate) fn command(&mut self, at: At, command: Command) -> Decision {
        let client = self.client(at);
        self.accept(at, Input::Candidate { client, command })
    }

    pub(crate) fn command_refused(&mut self, at: At, command: Command) -> Refusal {
        let client = self.client(at);
        self.refuse(at, Input::Candidate { client, command })
    }

    pub(crate) fn staff(&mut self, at: At, command: StaffCommand) -> Decision {
        self.accept(at, Input::Staff { by: PROCTOR, command })
    }

    pub(crate) fn staff_refused(&mut self, at: At, command: StaffCommand) -> Refusal {
        self.refuse(at, Input::Staff { by: PROCTOR, command })
    }

    pub(crate) fn record(&mut self, at: At, code: Code, began_at: At, warnings_seen: u32) -> Decision {
        self.staff(at, StaffCommand::Record { code, began_at, warnings_seen, note: None })
    }

    pub(crate) fn flow(&mut self, at: At, video: bool, audio: bool) {
        self.accept(at, Input::Media(MediaFact::Flow { video, audio }));
    }

    pub(crate) fn signal(&mut self, at: At, code: Code, phase: SignalPhase) -> Decision {
        self.signal_ago(at, code, phase, Span::ZERO)
    }

    pub(crate) fn signal_ago(&mut self, at: At, code: Code, phase: SignalPhase, ago: Span) -> Decision {
        self.command(at, Command::Signal { code, phase, ago, note: None })
    }

    pub(crate) fn model(&mut self, at: At, code: Code, phase: SignalPhase, confidence_pct: u8) -> Decision {
        let event = DetectorEvent {
            code,
            phase,
            source: Source::Model,
            confidence_pct,
            at,
            note: None,
            measured: None,
        };
        self.accept(at, Input::Detect(event))
    }

    pub(crate) fn answer(&mut self, at: At, question: u16, shown: &[u8]) -> Decision {
        let shown = shown.iter().copied().collect();
        self.command(at, Command::Answer { question, shown })
    }

    /// Answers `question` as its key wants.
    pub(crate) fn answer_right(&mut self, at: At, question: u16) {
        let shown = self.right(question);
        self.command(at, Command::Answer { question, shown });
    }

    pub(crate) fn right(&self, question: u16) -> BTreeSet<u8> {
        let form = self.session.state().form.clone().expect("the exam runs");
        let place = &form.questions[usize::from(question)];
        let item = self.session.context().bank.item(&place.item).expect("drawn from this bank");
        (0..)
            .zip(&place.options)
            .filter(|(_, option)| item.key.reveal().contains(option))
            .map(|(n, _)| n)
            .collect()
    }

    pub(crate) fn acknowledge(&mut self, at: At) {
        self.command(at, Command::AcknowledgeWarning { ordinal: 1 });
    }

    pub(crate) fn tick(&mut self, at: At) -> Decision {
        self.input(at, Input::Tick)
    }

    /// Ticks at every due instant up to `until`, as the runtime does.
    pub(crate) fn run_to(&mut self, until: At) {
        while let Some(due) = self.session.next_deadline()
            && due <= until
        {
            self.tick(due);
        }
        self.tick(until);
    }

    pub(crate) fn disconnect(&mut self, at: At, n: u128) {
        self.input(at, Input::Detach { socket: socket(n), reason: "lost".to_owned() });
    }

    pub(crate) fn reconnect(&mut self, at: At, n: u128) {
        self.input(at, Input::Attach { device: DEVICE, tab: TAB, socket: socket(n) });
    }

    pub(crate) fn incident(&self, no: u32) -> &Incident {
        self.session.state().incidents.iter().find(|held| held.no == IncidentNo(no)).expect("it was opened")
    }

    pub(crate) fn consequences(&self) -> Vec<Consequence> {
        self.session.state().violations.iter().map(|violation| violation.consequence).collect()
    }

    pub(crate) fn finish(&self) -> Option<(Finish, At)> {
        match &self.session.state().stage {
            Stage::Closed { finish, at } => Some((finish.clone(), *at)),
            _ => None,
        }
    }

    pub(crate) fn deadline(&self) -> At {
        match &self.session.state().stage {
            Stage::Running { deadline, .. } => *deadline,
            other => panic!("not running: {other:?}"),
        }
    }

    pub(crate) fn terminated(&self) -> bool {
        matches!(self.finish(), Some((Finish::Violation { .. }, _)))
    }

    /// The effective moment, if reached.
    pub(crate) fn effective_at(&self) -> Option<At> {
        self.log.iter().find_map(|event| match event.fact {
            Fact::WarningEffective { effective_at, .. } => Some(effective_at),
            _ => None,
        })
    }

    pub(crate) fn replayed(&self) -> ExamSession {
        let mut session = ExamSession::new(self.session.context().clone());
        self.log.iter().for_each(|event| session.apply(event));
        session
    }
}

pub(crate) fn switched_off(code: Code) -> RuleTable {
    RuleTable { changed: BTreeMap::new(), switched_off: BTreeSet::from([code]) }
}

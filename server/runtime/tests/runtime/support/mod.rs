//! A small installation in memory: a bank of four questions, a clock that stands still unless moved, a platform that
//! does what a test says.

use async_trait::async_trait;
use ring::rand::SystemRandom;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use synaq_core::bank::{AnswerKey, Bank, Choice, Item, Kind, Lang, Plan, Profession, Programme, Text, Topic};
use synaq_core::decision::{CandidateDocument, EventLogFacts, RecordFacts};
use synaq_core::form::Seed;
use synaq_core::ids::{
    CentreId, DeviceHash, Epoch, ItemId, SessionId, SittingId, SocketId, StaffId, TabId, TopicId,
};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, Context, Creation, DeviceReport, Effect, EvidenceRef, ExamSession,
    Input, MediaFact, PhotoKind, StaffCommand,
};
use synaq_core::time::{At, Span};
use synaq_runtime::{
    Clock, DeliveryError, Done, Handle, LogDigest, Opened, Options, PlatformAnswer, PlatformPort, Ports,
    Running, SealingKeys, SessionSource, SourceError, SubmitError,
};
use synaq_seal::bundle::{RECEIPT_TYP, Statement};
use synaq_seal::key::{Algorithm, Purpose, SigningKey, TrustSet, TrustedKey};
use synaq_store::NewMessage;
use synaq_store::SimStore;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) const START: At = At(1_795_219_200_000);
pub(crate) const SESSION: SessionId = SessionId(Uuid::from_u128(0x5e55));
pub(crate) const PROCTOR: StaffId = StaffId(Uuid::from_u128(0x57aff));
const DEVICE: DeviceHash = DeviceHash([7; 32]);
const TAB: TabId = TabId(Uuid::from_u128(0x7ab));

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Span) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> At {
        At(self.0.load(Ordering::SeqCst))
    }
}

type Gate = Arc<dyn Fn(SessionId) -> bool + Send + Sync>;

/// Rows of the directory, while it answers.
pub(crate) struct TestSource {
    down: AtomicBool,
    fails_for: Mutex<Option<SessionId>>,
    /// Whose rows come; the others' are waited for
    gate: watch::Sender<Gate>,
    asked: Mutex<Vec<SessionId>>,
}

impl Default for TestSource {
    fn default() -> Self {
        let all: Gate = Arc::new(|_| true);
        Self {
            down: AtomicBool::default(),
            fails_for: Mutex::default(),
            gate: watch::Sender::new(all),
            asked: Mutex::default(),
        }
    }
}

impl TestSource {
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn fail_for(&self, session: Option<SessionId>) {
        *self.fails_for.lock().unwrap() = session;
    }

    pub(crate) fn let_in(&self, whom: impl Fn(SessionId) -> bool + Send + Sync + 'static) {
        self.gate.send_replace(Arc::new(whom));
    }

    /// In the order of asking.
    pub(crate) fn asked_for(&self) -> Vec<SessionId> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn forget_asked(&self) {
        self.asked.lock().unwrap().clear();
    }
}

#[async_trait]
impl SessionSource for TestSource {
    async fn open(&self, session: SessionId) -> Result<Opened, SourceError> {
        self.asked.lock().unwrap().push(session);
        self.gate.subscribe().wait_for(|gate| gate(session)).await.expect("the gate lives as long as this");
        if self.down.load(Ordering::SeqCst) || *self.fails_for.lock().unwrap() == Some(session) {
            return Err(SourceError::Unavailable("scripted".into()));
        }
        let creation = Creation {
            centre: CentreId(Uuid::from_u128(1)),
            sitting: SittingId(Uuid::from_u128(2)),
            draw_secret: Seed([3; 32]),
            extra: Span::ZERO,
            opens_at: START,
            closes_at: START + Span::mins(600),
            care: synaq_core::session::Care::default(),
            called_off: None,
        };
        Ok(Opened { context: Arc::new(context()), creation })
    }

    async fn facts(
        &self,
        _: &ExamSession,
        id: SessionId,
        log: LogDigest,
        at: At,
    ) -> Result<RecordFacts, SourceError> {
        Ok(RecordFacts {
            session: id,
            assembled_at: at,
            centre_name: text("орталық"),
            centre_bin: "900101300811".to_owned(),
            centre_contacts: None,
            candidate_name: "Баи\u{306}жан".to_owned(),
            candidate_document: CandidateDocument::Iin { iin: "900101300823".to_owned() },
            question_commitments: vec!["0".repeat(64); 4],
            staff: Vec::new(),
            event_log: EventLogFacts {
                count: log.count,
                head: log.head.to_string(),
                root: log.root.to_string(),
            },
        })
    }

    async fn staff_name(&self, _: StaffId) -> Result<String, SourceError> {
        Ok("Комиссия мүшесі".to_owned())
    }
}

fn text(what: &str) -> Text {
    Text { kk: what.to_owned(), ru: what.to_owned() }
}

fn context() -> Context {
    let items = (0..4).map(|n| Item {
        id: ItemId(format!("q-{n}")),
        version: 1,
        topic: TopicId("t".to_owned()),
        kind: Kind::Single,
        difficulty: 1,
        labour_function: None,
        text: text("сұрақ"),
        options: ["a", "b", "c"].map(|id| Choice { id: id.to_owned(), text: text(id) }).into(),
        key: AnswerKey::new(BTreeSet::from([0])),
    });
    let bank = Bank {
        slug: "bank".to_owned(),
        version: 1,
        title: text("банк"),
        profession_code: "7512".to_owned(),
        topics: vec![Topic { id: TopicId("t".to_owned()), title: text("тақырып") }],
        items: items.collect(),
    };
    let plan = Plan {
        minutes: 60,
        threshold_pct: 70,
        languages: vec![Lang::Kk, Lang::Ru],
        blueprint: vec![(TopicId("t".to_owned()), 4)],
        shuffle_questions: true,
        shuffle_options: true,
    };
    let programme = Programme {
        slug: "programme".to_owned(),
        version: 1,
        title: text("бағдарлама"),
        profession: Profession { name: text("мамандық"), nco_code: "7512".to_owned(), level: 3 },
        basis: text("стандарт"),
        bank_slug: "bank".to_owned(),
        bank_version: 1,
        plan,
        screen: false,
        breaks: synaq_core::bank::Breaks::default(),
    };
    Context { programme, bank: Arc::new(bank), bank_sha256: "0".repeat(64), rules: RuleTable::default() }
}

/// What the platform does with the next messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Honest,
    Down,
    /// A success whose receipt names another digest
    Lies,
    Refuses,
}

pub(crate) struct TestPlatform {
    mood: Mutex<Mood>,
    key: SigningKey,
    pub(crate) asked: AtomicUsize,
    pub(crate) kept: Mutex<Vec<NewMessage>>,
}

impl TestPlatform {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn receipt(&self, message: &NewMessage, lie: bool) -> String {
        let about = serde_json::json!({ "kind": "receipt", "id": message.id, "platform_ref": "T-1" });
        let record_sha256 = if lie { synaq_seal::sha256(b"another") } else { message.sha256 };
        let statement = Statement { record_sha256, at: START.0, about: about.as_object().unwrap().clone() };
        let payload = statement.to_bytes().unwrap();
        let jws = synaq_seal::jws::sign(&payload, RECEIPT_TYP, &self.key, &SystemRandom::new()).unwrap();
        serde_json::to_string(&jws).unwrap()
    }
}

#[async_trait]
impl PlatformPort for TestPlatform {
    async fn deliver(&self, message: &NewMessage) -> Result<PlatformAnswer, DeliveryError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match *self.mood.lock().unwrap() {
            Mood::Down => Err(DeliveryError::Retry { why: "down".to_owned(), after: Some(Span::secs(5)) }),
            Mood::Refuses => Err(DeliveryError::Refused { why: "no".to_owned() }),
            Mood::Lies => Ok(PlatformAnswer { receipt: self.receipt(message, true) }),
            Mood::Honest => {
                self.kept.lock().unwrap().push(message.clone());
                Ok(PlatformAnswer { receipt: self.receipt(message, false) })
            }
        }
    }
}

/// A runtime over a store in memory.
pub(crate) struct Bench {
    options: Options,
    pub(crate) store: Arc<SimStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) platform: Arc<TestPlatform>,
    pub(crate) source: Arc<TestSource>,
    pub(crate) runtime: Handle,
    pub(crate) running: Running,
    next_seq: AtomicI64,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START.0)));
        Self::over(options, Arc::new(SimStore::new()), clock, Arc::default(), 1).await
    }

    /// The process is gone, the disk stays.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// As [`Bench::restart`], over a store that was prepared for the new process.
    pub(crate) async fn restart_with(self, prepare: impl FnOnce(&SimStore)) -> Self {
        let store = Arc::new(self.store.another_process());
        let seq = self.next_seq.load(Ordering::SeqCst);
        drop(self.running);
        prepare(&store);
        Self::over(self.options, store, self.clock, self.source, seq).await
    }

    async fn over(
        options: Options,
        store: Arc<SimStore>,
        clock: Arc<TestClock>,
        source: Arc<TestSource>,
        seq: i64,
    ) -> Self {
        let random = SystemRandom::new();
        let key = || SigningKey::generate(Algorithm::Es256, &random).unwrap();
        let platform_key = key();
        let trusted = TrustedKey {
            key: platform_key.public().clone(),
            purpose: Purpose::Platform,
            use_from: 0,
            use_to: None,
        };
        let platform = Arc::new(TestPlatform {
            mood: Mutex::new(Mood::Honest),
            key: platform_key,
            asked: AtomicUsize::new(0),
            kept: Mutex::default(),
        });
        let ports = Ports {
            log: store.clone(),
            outbox: store.clone(),
            source: source.clone(),
            platform: platform.clone(),
            keys: SealingKeys {
                seal: Arc::new(key()),
                approval: Arc::new(key()),
                trust: Arc::new(TrustSet::new(vec![trusted]).unwrap()),
                random: Arc::new(random.clone()),
            },
            clock: clock.clone(),
        };
        let (runtime, running) = Running::start(options, ports, Uuid::from_u128(9)).await.unwrap();
        Self { options, store, clock, platform, source, runtime, running, next_seq: AtomicI64::new(seq) }
    }

    pub(crate) fn client(&self, client_seq: u64) -> ClientRef {
        ClientRef { epoch: Epoch(1), client_seq, client_at: self.clock.now() }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        u64::try_from(self.next_seq.fetch_add(1, Ordering::SeqCst)).unwrap()
    }

    /// Somebody's seat.
    pub(crate) fn seat(&self, session: SessionId) -> Seat<'_> {
        Seat { bench: self, session }
    }

    /// Time goes by with the runtime at work: a clock that jumps is a machine that stood still.
    pub(crate) async fn pass(&self, span: Span) {
        let until = self.clock.now() + span;
        while self.clock.now() < until {
            self.clock.advance(Span::secs(1));
            self.runtime.submit(SESSION, Input::Tick).await.unwrap();
        }
    }

    pub(crate) async fn send(&self, client_seq: u64, command: Command) -> Result<Done, SubmitError> {
        self.seat(SESSION).send(client_seq, command).await
    }

    pub(crate) async fn accept(&self, command: Command) -> Done {
        self.seat(SESSION).accept(command).await
    }

    pub(crate) async fn staff(&self, command: StaffCommand) -> Done {
        self.seat(SESSION).staff(command).await
    }

    pub(crate) async fn attach(&self) {
        self.seat(SESSION).attach().await;
    }

    pub(crate) async fn begin(&self) {
        self.seat(SESSION).begin().await;
    }

    pub(crate) async fn prepare(&self) {
        self.seat(SESSION).prepare().await;
    }

    pub(crate) async fn right(&self, question: u16) -> Command {
        self.seat(SESSION).right(question).await
    }
}

/// One session of a bench.
pub(crate) struct Seat<'b> {
    bench: &'b Bench,
    session: SessionId,
}

impl Seat<'_> {
    pub(crate) async fn send(&self, client_seq: u64, command: Command) -> Result<Done, SubmitError> {
        self.bench
            .runtime
            .submit(self.session, Input::Candidate { client: self.bench.client(client_seq), command })
            .await
    }

    /// The command must be accepted.
    pub(crate) async fn accept(&self, command: Command) -> Done {
        let done = self.send(self.bench.next_seq(), command.clone()).await.unwrap();
        assert_eq!(done.effects, [Effect::Accepted], "{command:?}");
        done
    }

    pub(crate) async fn staff(&self, command: StaffCommand) -> Done {
        self.bench.runtime.submit(self.session, Input::Staff { by: PROCTOR, command }).await.unwrap()
    }

    pub(crate) async fn attach(&self) {
        let socket = SocketId(Uuid::from_u128(0x50c));
        let done = self
            .bench
            .runtime
            .submit(self.session, Input::Attach { device: DEVICE, tab: TAB, socket })
            .await
            .unwrap();
        assert_eq!(done.effects, [Effect::Attached(Epoch(1))]);
    }

    /// Through every step before the exam, into it.
    pub(crate) async fn begin(&self) {
        self.prepare().await;
        self.accept(Command::Begin).await;
    }

    /// Through every step before the exam.
    pub(crate) async fn prepare(&self) {
        self.bench.runtime.submit(self.session, Input::Bind { device: DEVICE, tab: TAB }).await.unwrap();
        self.attach().await;
        self.accept(Command::ChooseLanguage(Lang::Kk)).await;
        self.accept(Command::Consent { text_version: "consent-1".to_owned(), lang: Lang::Kk }).await;
        let report =
            DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
        self.accept(Command::CheckDevice(report)).await;
        for kind in [PhotoKind::Face, PhotoKind::Document] {
            let evidence = EvidenceRef { name: format!("{kind:?}"), sha256: "0".repeat(64), bytes: 9 };
            self.bench.runtime.submit(self.session, Input::Photo { kind, evidence }).await.unwrap();
        }
        self.accept(Command::SubmitIdentity).await;
        assert_eq!(self.staff(StaffCommand::Admit { seen: None }).await.effects, [Effect::Accepted]);
        for text in AcknowledgedText::ALL {
            self.accept(Command::Acknowledge { text, text_version: "1".to_owned(), lang: Lang::Kk }).await;
        }
        self.accept(Command::Ready { nonce: Seed([5; 32]) }).await;
        let flow = Input::Media(MediaFact::Flow { video: true, audio: true });
        self.bench.runtime.submit(self.session, flow).await.unwrap();
    }

    /// The position at which the right option of a question is shown: the author's first.
    pub(crate) async fn right(&self, question: u16) -> Command {
        let snapshot = self.bench.runtime.look(self.session).await.unwrap();
        let form = snapshot.session.state().form.clone().unwrap();
        let options = &form.questions[usize::from(question)].options;
        let place = options.iter().position(|index| *index == 0).unwrap();
        Command::Answer { question, shown: BTreeSet::from([u8::try_from(place).unwrap()]) }
    }
}

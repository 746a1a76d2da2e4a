//! A session without store and sockets: inputs at instants, for the pure functions over it.

use super::clock::START;
use std::sync::Arc;
use synaq_core::bank::Lang;
use synaq_core::form::Seed;
use synaq_core::ids::{CentreId, DeviceHash, Epoch, SittingId, SocketId, StaffId, TabId};
use synaq_core::proctoring::{Code, RuleTable, SignalPhase};
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, Context, Creation, DeviceReport, Effect, EvidenceRef, ExamSession,
    Input, MediaFact, PhotoKind, StaffCommand,
};
use synaq_core::time::{At, Span};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use uuid::Uuid;

pub(crate) const PROCTOR: StaffId = StaffId(Uuid::from_u128(1));
pub(crate) const SOCKET: SocketId = SocketId(Uuid::from_u128(2));

/// Seconds after the start.
pub(crate) fn at(seconds: i64) -> At {
    START + Span::secs(seconds)
}

pub(crate) struct Script {
    pub(crate) session: ExamSession,
    seq: u64,
}

impl Script {
    pub(crate) fn input(&mut self, at: At, input: Input) {
        let decision = self.session.decide(at, input);
        for effect in &decision.effects {
            assert!(!matches!(effect, Effect::Refused(_)), "{effect:?}");
        }
        decision.events.iter().for_each(|event| self.session.apply(event));
    }

    pub(crate) fn command(&mut self, at: At, command: Command) {
        self.seq += 1;
        let client = ClientRef { epoch: Epoch(1), client_seq: self.seq, client_at: at };
        self.input(at, Input::Candidate { client, command });
    }

    pub(crate) fn staff(&mut self, at: At, command: StaffCommand) {
        self.input(at, Input::Staff { by: PROCTOR, command });
    }

    pub(crate) fn media(&mut self, at: At, video: bool, audio: bool) {
        self.input(at, Input::Media(MediaFact::Flow { video, audio }));
    }

    pub(crate) fn signal(&mut self, at: At, code: Code, phase: SignalPhase) {
        self.command(at, Command::Signal { code, phase, ago: Span::ZERO, note: None });
    }

    pub(crate) fn tick(&mut self, at: At) {
        self.input(at, Input::Tick);
    }

    pub(crate) fn detach(&mut self, at: At) {
        self.input(at, Input::Detach { socket: SOCKET, reason: "closed".to_owned() });
    }
}

/// Bound and connected.
pub(crate) fn bound() -> Script {
    let (bank, report) = synaq_question_banks::read(DEMO_BANK).unwrap();
    let (programme, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME).unwrap();
    let context =
        Context { programme, bank: Arc::new(bank), bank_sha256: report.sha256, rules: RuleTable::default() };
    let mut script = Script { session: ExamSession::new(Arc::new(context)), seq: 0 };
    let creation = Creation {
        centre: CentreId(Uuid::from_u128(3)),
        sitting: SittingId(Uuid::from_u128(4)),
        draw_secret: Seed([7; 32]),
        extra: Span::ZERO,
        opens_at: at(-600),
        closes_at: at(3 * 3_600),
        care: synaq_core::session::Care::default(),
        called_off: None,
    };
    let (device, tab) = (DeviceHash([1; 32]), TabId(Uuid::from_u128(5)));
    script.input(at(0), Input::Create(Box::new(creation)));
    script.input(at(0), Input::Bind { device, tab });
    script.input(at(0), Input::Attach { device, tab, socket: SOCKET });
    script
}

/// Photos are with the proctor.
pub(crate) fn submitted() -> Script {
    let mut script = bound();
    let works = DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
    for command in [
        Command::ChooseLanguage(Lang::Ru),
        Command::Consent { text_version: "1".to_owned(), lang: Lang::Ru },
        Command::CheckDevice(works),
    ] {
        script.command(at(0), command);
    }
    for (kind, name) in [(PhotoKind::Face, "face-1"), (PhotoKind::Document, "document-1")] {
        let evidence = EvidenceRef { name: name.to_owned(), sha256: "0".repeat(64), bytes: 1 };
        script.input(at(0), Input::Photo { kind, evidence });
    }
    script.media(at(0), true, true);
    script.command(at(0), Command::SubmitIdentity);
    script
}

/// Everything before `begin` is done.
pub(crate) fn prepared() -> Script {
    let mut script = submitted();
    script.staff(at(0), StaffCommand::Admit { seen: None });
    for text in AcknowledgedText::ALL {
        script.command(at(0), Command::Acknowledge { text, text_version: "1".to_owned(), lang: Lang::Ru });
    }
    script.command(at(0), Command::Ready { nonce: Seed([8; 32]) });
    script
}

/// The clock runs since `at(0)`.
pub(crate) fn running() -> Script {
    let mut script = prepared();
    script.command(at(0), Command::Begin);
    script
}

/// Handed in empty after a minute.
pub(crate) fn closed() -> Script {
    let mut script = running();
    script.command(at(60), Command::HandIn);
    script
}

//! `synaq verify` and `synaq rebuild-form` on a record that core folded and the seal froze, out of the demo's programme.

use crate::process::{stderr, stdout, synaq};
use ring::rand::SystemRandom;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use synaq_core::bank::{Lang, Text};
use synaq_core::decision::{CandidateDocument, EventLogFacts, RecordFacts, fold};
use synaq_core::form::Seed;
use synaq_core::ids::{CentreId, DeviceHash, Epoch, SessionId, SittingId, SocketId, StaffId, TabId};
use synaq_core::proctoring::RuleTable;
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, Context, Creation, DeviceReport, Effect, EvidenceRef, ExamSession,
    Input, MediaFact, PhotoKind, StaffCommand,
};
use synaq_core::time::{At, Span};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_seal::bundle::{Bundle, RECORD_TYP};
use synaq_seal::jws;
use synaq_seal::key::{Algorithm, Purpose, SigningKey, TrustSet, TrustedKey};
use tempfile::TempDir;
use uuid::Uuid;

const START: At = At(1_763_683_200_000);
const DEVICE: DeviceHash = DeviceHash([1; 32]);
const TAB: TabId = TabId(Uuid::from_u128(0xB1));
/// Exit codes of `verify`, as its documentation has them.
const BUNDLE: i32 = 10;
const SEAL: i32 = 13;

struct Exam {
    session: ExamSession,
    client_seq: u64,
}

impl Exam {
    fn input(&mut self, input: Input) {
        let decision = self.session.decide(START, input);
        assert!(!decision.effects.iter().any(|effect| matches!(effect, Effect::Refused(_))), "{decision:?}");
        decision.events.iter().for_each(|event| self.session.apply(event));
    }

    fn command(&mut self, command: Command) {
        self.client_seq += 1;
        let client = ClientRef { epoch: Epoch(1), client_seq: self.client_seq, client_at: START };
        self.input(Input::Candidate { client, command });
    }

    fn photo(&mut self, kind: PhotoKind, name: &str) {
        let evidence = EvidenceRef { name: name.to_owned(), sha256: "cd".repeat(32), bytes: 100 };
        self.input(Input::Photo { kind, evidence });
    }

    /// Handed in with two answers.
    fn handed_in() -> Self {
        let (bank, report) = synaq_question_banks::read(DEMO_BANK).unwrap();
        let (programme, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME).unwrap();
        let context = Context {
            programme,
            bank: Arc::new(bank),
            bank_sha256: report.sha256,
            rules: RuleTable::default(),
        };
        let mut exam = Self { session: ExamSession::new(Arc::new(context)), client_seq: 0 };
        exam.input(Input::Create(Box::new(Creation {
            centre: CentreId(Uuid::from_u128(1)),
            sitting: SittingId(Uuid::from_u128(2)),
            draw_secret: Seed([7; 32]),
            extra: Span::ZERO,
            opens_at: START,
            closes_at: START + Span::mins(600),
            care: synaq_core::session::Care::default(),
            called_off: None,
        })));
        exam.input(Input::Bind { device: DEVICE, tab: TAB });
        exam.input(Input::Attach { device: DEVICE, tab: TAB, socket: SocketId(Uuid::from_u128(3)) });
        exam.command(Command::ChooseLanguage(Lang::Ru));
        exam.command(Command::Consent { text_version: "1".to_owned(), lang: Lang::Ru });
        let device =
            DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
        exam.command(Command::CheckDevice(device));
        exam.photo(PhotoKind::Face, "face-1");
        exam.photo(PhotoKind::Document, "document-1");
        exam.command(Command::SubmitIdentity);
        let by = StaffId(Uuid::from_u128(4));
        exam.input(Input::Staff { by, command: StaffCommand::Admit { seen: None } });
        for text in AcknowledgedText::ALL {
            exam.command(Command::Acknowledge { text, text_version: "1".to_owned(), lang: Lang::Ru });
        }
        exam.input(Input::Media(MediaFact::Flow { video: true, audio: true }));
        exam.command(Command::Ready { nonce: Seed([9; 32]) });
        exam.command(Command::Begin);
        exam.command(Command::Answer { question: 0, shown: BTreeSet::from([0]) });
        exam.command(Command::Answer { question: 1, shown: BTreeSet::from([1]) });
        exam.command(Command::HandIn);
        exam
    }

    fn payload(&self) -> Vec<u8> {
        let text = |text: &str| Text { kk: text.to_owned(), ru: text.to_owned() };
        let questions = self.session.state().form.as_ref().unwrap().questions.len();
        let facts = RecordFacts {
            session: SessionId(Uuid::from_u128(0x5E)),
            assembled_at: START,
            centre_name: text("Центр"),
            centre_bin: "900101300811".to_owned(),
            centre_contacts: None,
            candidate_name: "Кандидат".to_owned(),
            candidate_document: CandidateDocument::Iin { iin: "900101300823".to_owned() },
            question_commitments: vec!["0".repeat(64); questions],
            staff: Vec::new(),
            event_log: EventLogFacts { count: 1, head: "aa".repeat(32), root: "bb".repeat(32) },
        };
        synaq_seal::json::canonical(&fold(&self.session, &facts).unwrap()).unwrap()
    }
}

struct Sealed {
    folder: TempDir,
    bytes: Vec<u8>,
}

fn trust(key: &SigningKey) -> Vec<u8> {
    let key = TrustedKey { key: key.public().clone(), purpose: Purpose::Seal, use_from: 0, use_to: None };
    TrustSet::new(vec![key]).unwrap().to_json()
}

impl Sealed {
    fn new() -> Self {
        let random = SystemRandom::new();
        let fresh = || SigningKey::generate(Algorithm::Es256, &random).unwrap();
        let (key, other) = (fresh(), fresh());
        let jws = jws::sign(&Exam::handed_in().payload(), RECORD_TYP, &key, &random).unwrap();
        let sealed =
            Self { folder: tempfile::tempdir().unwrap(), bytes: Bundle::new(jws).to_bytes().unwrap() };
        sealed.write("bundle.json", &sealed.bytes);
        sealed.write("trust.json", &trust(&key));
        sealed.write("other.json", &trust(&other));
        sealed.write("bank.toml", DEMO_BANK.as_bytes());
        sealed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn verify(&self, bundle: &str, trust: &str, more: &[&str]) -> Output {
        let (bundle, trust) = (self.path(bundle), self.path(trust));
        let fixed = ["verify", bundle.to_str().unwrap(), "--trust", trust.to_str().unwrap()];
        synaq(fixed.iter().chain(more))
    }

    fn rebuild(&self, bundle: &str, bank: &str) -> Output {
        let (bundle, bank) = (self.path(bundle), self.path(bank));
        synaq(["rebuild-form", bundle.to_str().unwrap(), "--bank", bank.to_str().unwrap()])
    }

    /// The same record with a change, sealed by a key that the change's author has.
    fn resealed(&self, change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let payload = Bundle::parse(&self.bytes).unwrap().decode_payload().unwrap();
        let mut record = serde_json::from_slice(&payload).unwrap();
        change(&mut record);
        let random = SystemRandom::new();
        let key = SigningKey::generate(Algorithm::Es256, &random).unwrap();
        let payload = synaq_seal::json::canonical(&record).unwrap();
        Bundle::new(jws::sign(&payload, RECORD_TYP, &key, &random).unwrap()).to_bytes().unwrap()
    }
}

#[test]
fn a_sealed_record_passes_and_each_check_is_named() {
    let sealed = Sealed::new();
    let passed = sealed.verify("bundle.json", "trust.json", &[]);
    assert_eq!(passed.status.code(), Some(0), "{}", stdout(&passed));
    for line in
        ["ok           seal", "ok           score", "ok           canonical bytes", "not present  receipt"]
    {
        assert!(stdout(&passed).contains(line), "{}", stdout(&passed));
    }
    let json = sealed.verify("bundle.json", "trust.json", &["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["ok"], true);
}

#[test]
fn one_changed_byte_fails_wherever_it_is() {
    let sealed = Sealed::new();
    let step = sealed.bytes.len() / 40;
    for place in (0..sealed.bytes.len()).step_by(step) {
        let mut bytes = sealed.bytes.clone();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        sealed.write("changed.json", &bytes);
        let failed = sealed.verify("changed.json", "trust.json", &[]);
        assert!(failed.status.code().unwrap() >= BUNDLE, "byte {place}: {}", stdout(&failed));
        assert!(stdout(&failed).contains("FAILED"));
    }
}

#[test]
fn another_key_fails_at_the_seal_on_either_side() {
    let sealed = Sealed::new();
    let other_trust = sealed.verify("bundle.json", "other.json", &[]);
    assert_eq!(other_trust.status.code(), Some(SEAL));
    sealed.write("resealed.json", &sealed.resealed(|_| {}));
    let resealed = sealed.verify("resealed.json", "trust.json", &[]);
    assert_eq!(resealed.status.code(), Some(SEAL));
    assert!(stdout(&resealed).contains("is not among the trusted keys"), "{}", stdout(&resealed));
}

#[test]
fn what_is_no_bundle_or_no_trust_is_said_so() {
    let sealed = Sealed::new();
    assert_eq!(sealed.verify("bank.toml", "trust.json", &[]).status.code(), Some(BUNDLE));
    let no_trust = sealed.verify("bundle.json", "bank.toml", &[]);
    assert_eq!(no_trust.status.code(), Some(1));
    assert!(stderr(&no_trust).contains("bank.toml is no set of trusted keys"));
    assert!(stderr(&sealed.verify("gone.json", "trust.json", &[])).contains("gone.json cannot be read"));
}

#[test]
fn the_paper_is_rebuilt_from_the_record_and_the_bank() {
    let sealed = Sealed::new();
    let rebuilt = sealed.rebuild("bundle.json", "bank.toml");
    assert!(rebuilt.status.success(), "{}", stderr(&rebuilt));
    let said = stdout(&rebuilt);
    assert!(said.contains("The paper is the recorded one: 40 questions"));
    assert!(said.starts_with("1. [") && said.contains("\n40. ["));
}

#[test]
fn another_bank_another_secret_and_another_paper_are_refused() {
    let sealed = Sealed::new();
    sealed.write("changed.toml", format!("{DEMO_BANK}\n").as_bytes());
    let bank = sealed.rebuild("bundle.json", "changed.toml");
    assert_eq!(bank.status.code(), Some(1));
    assert!(stderr(&bank).contains("give the bank version that was recorded"));

    let secret = "00".repeat(32);
    sealed.write("secret.json", &sealed.resealed(|record| record["draw"]["secret"] = secret.into()));
    let refused = sealed.rebuild("secret.json", "bank.toml");
    assert!(stderr(&refused).contains("committed to before the exam"), "{}", stderr(&refused));

    let swap = |record: &mut serde_json::Value| {
        record["questions"].as_array_mut().unwrap().swap(3, 4);
    };
    sealed.write("swapped.json", &sealed.resealed(swap));
    let refused = sealed.rebuild("swapped.json", "bank.toml");
    assert!(stderr(&refused).contains("question 4 differs"), "{}", stderr(&refused));
}

//! Exams to say frames in: the demo programme, one candidate, two proctors.

use std::sync::{Arc, LazyLock};
use synaq_core::bank::{Lang, Text};
use synaq_core::decision::{CandidateDocument, EventLogFacts, RecordFacts, fold};
use synaq_core::form::Seed;
use synaq_core::ids::{CentreId, DeviceHash, Epoch, SessionId, SittingId, SocketId, StaffId, TabId};
use synaq_core::proctoring::{Code, RuleTable, SignalPhase};
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, Context, Creation, DeviceReport, Effect, Event, EvidenceRef,
    ExamSession, Input, MediaFact, PhotoKind, StaffCommand, Stage,
};
use synaq_core::time::{At, Span};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME, read, read_programme};
use uuid::Uuid;

/// The sitting opens: 20.11.2026, 13:00 in Almaty.
const OPENS: At = At(1_795_161_600_000);
/// Longest wait that one `ping` can mean.
const WAIT_MAX_S: u32 = 7_200;
const DEVICE: DeviceHash = DeviceHash([1; 32]);
const TAB: TabId = TabId(Uuid::from_u128(1));
/// Who rules.
pub(crate) const PROCTORS: [StaffId; 2] = [StaffId(Uuid::from_u128(2)), StaffId(Uuid::from_u128(3))];

/// A session, its log and its clock.
#[derive(Clone)]
pub(crate) struct Exam {
    session: ExamSession,
    log: Vec<Event>,
    now: At,
}

/// Everything before Begin is done.
pub(crate) fn prepared() -> Exam {
    static EXAM: LazyLock<Exam> = LazyLock::new(Exam::prepare);
    EXAM.clone()
}

/// In mid-exam, warned once, the next incident open.
pub(crate) fn warned() -> Exam {
    static EXAM: LazyLock<Exam> = LazyLock::new(|| {
        let mut exam = prepared();
        exam.command(1_001, Command::Begin);
        let began_at = exam.now;
        let code = Code::ForbiddenItem;
        exam.must(Input::Staff {
            by: PROCTORS[0],
            command: StaffCommand::Record { code, began_at, warnings_seen: 0, note: None },
        });
        exam.command(1_002, Command::AcknowledgeWarning { ordinal: 1 });
        exam.wait(20);
        let (code, phase, ago) = (Code::WindowBlur, SignalPhase::Begin, Span::ZERO);
        exam.command(1_003, Command::Signal { code, phase, ago, note: None });
        exam
    });
    EXAM.clone()
}

impl Exam {
    fn prepare() -> Self {
        let programme = read_programme(DEMO_PROGRAMME).expect("the demo programme is sound").0;
        let bank = Arc::new(read(DEMO_BANK).expect("the demo bank is sound").0);
        let context = Context { programme, bank, bank_sha256: "ab".repeat(32), rules: RuleTable::default() };
        let mut exam = Self { session: ExamSession::new(Arc::new(context)), log: Vec::new(), now: OPENS };
        exam.must(Input::Create(Box::new(Creation {
            centre: CentreId(Uuid::from_u128(4)),
            sitting: SittingId(Uuid::from_u128(5)),
            draw_secret: Seed([7; 32]),
            extra: Span::ZERO,
            opens_at: OPENS,
            closes_at: OPENS + Span::mins(240),
            care: synaq_core::session::Care::default(),
            called_off: None,
        })));
        exam.must(Input::Bind { device: DEVICE, tab: TAB });
        let socket = SocketId(Uuid::from_u128(6));
        exam.must(Input::Attach { device: DEVICE, tab: TAB, socket });
        let lang = Lang::Kk;
        exam.command(1, Command::ChooseLanguage(lang));
        exam.command(2, Command::Consent { text_version: "1".to_owned(), lang });
        let report =
            DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
        exam.command(3, Command::CheckDevice(report));
        for (kind, name) in [(PhotoKind::Face, "face-1"), (PhotoKind::Document, "document-1")] {
            let evidence = EvidenceRef { name: name.to_owned(), sha256: "cd".repeat(32), bytes: 100 };
            exam.must(Input::Photo { kind, evidence });
        }
        exam.command(4, Command::SubmitIdentity);
        exam.must(Input::Staff { by: PROCTORS[0], command: StaffCommand::Admit { seen: None } });
        for (client_seq, text) in (5..).zip(AcknowledgedText::ALL) {
            exam.command(client_seq, Command::Acknowledge { text, text_version: "1".to_owned(), lang });
        }
        exam.command(9, Command::Ready { nonce: Seed([9; 32]) });
        exam.must(Input::Media(MediaFact::Flow { video: true, audio: true }));
        exam
    }

    fn must(&mut self, input: Input) {
        let said = format!("{input:?}");
        assert!(self.ask(input), "the way to the exam is closed at {said}");
    }

    fn command(&mut self, client_seq: u64, command: Command) {
        let client = ClientRef { epoch: Epoch(1), client_seq, client_at: self.now };
        self.must(Input::Candidate { client, command });
    }

    /// Decides and applies a second later; whether it was not refused.
    pub(crate) fn ask(&mut self, input: Input) -> bool {
        self.now = self.now + Span::secs(1);
        let closed = self.is_closed();
        let decision = self.session.decide(self.now, input);
        for event in decision.events {
            self.session.apply(&event);
            self.log.push(event);
        }
        assert!(self.is_closed() || !closed, "an ended exam runs again");
        assert!(
            self.session.next_deadline().is_none_or(|due| due > self.now),
            "a decision leaves nothing due"
        );
        !decision.effects.iter().any(|effect| matches!(effect, Effect::Refused(_)))
    }

    /// Lets `seconds` pass; the timer rings when it is due.
    pub(crate) fn wait(&mut self, seconds: u32) {
        let until = self.now + Span::secs(i64::from(seconds.min(WAIT_MAX_S)));
        while let Some(due) = self.session.next_deadline().filter(|due| *due <= until) {
            // `ask` adds its second.
            self.now = self.now.max(due - Span::secs(1));
            self.ask(Input::Tick);
        }
        self.now = self.now.max(until);
    }

    pub(crate) fn has_question(&self, index: u16) -> bool {
        let form = self.session.state().form.as_ref();
        form.is_some_and(|form| form.questions.get(usize::from(index)).is_some())
    }

    /// What must hold of every exam, whatever was said in it. Whether there is a record to seal.
    pub(crate) fn check(&self) -> bool {
        let mut replayed = ExamSession::new(Arc::clone(self.session.context()));
        self.log.iter().for_each(|event| replayed.apply(event));
        assert_eq!(replayed.state(), self.session.state(), "the log does not replay to what is known");
        assert!(self.log.is_sorted_by_key(|event| event.at), "the log goes back in time");
        for incident in &self.session.state().incidents {
            assert!(
                self.session.counts_at(incident).is_none_or(|at| at >= OPENS),
                "counted before the sitting"
            );
        }
        let Ok(record) = fold(&self.session, &facts(self.now)) else { return false };
        synaq_seal::json::canonical(&record).expect("a record keeps the JSON profile of the seal");
        true
    }

    fn is_closed(&self) -> bool {
        matches!(self.session.state().stage, Stage::Closed { .. })
    }
}

fn facts(assembled_at: At) -> RecordFacts {
    RecordFacts {
        session: SessionId(Uuid::from_u128(7)),
        assembled_at,
        centre_name: Text::default(),
        centre_bin: "123456789012".to_owned(),
        centre_contacts: None,
        candidate_name: "Candidate".to_owned(),
        candidate_document: CandidateDocument::Iin { iin: "123456789012".to_owned() },
        question_commitments: vec!["ab".repeat(32); 40],
        staff: Vec::new(),
        event_log: EventLogFacts { count: 1, head: "ab".repeat(32), root: "ab".repeat(32) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exam_whose_time_ran_out_reaches_its_record() {
        let mut exam = prepared();
        exam.command(1_001, Command::Begin);
        assert!(!exam.check());
        exam.wait(WAIT_MAX_S);
        assert!(exam.check());
    }
}

//! The way of one candidate into a running exam, as inputs.

use synaq_core::bank::Lang;
use synaq_core::form::Seed;
use synaq_core::ids::{DeviceHash, Epoch, SocketId, StaffId, TabId};
use synaq_core::session::{
    AcknowledgedText, ClientRef, Command, DeviceReport, EvidenceRef, Input, MediaFact, PhotoKind,
    StaffCommand,
};
use synaq_core::time::At;
use uuid::Uuid;

const DEVICE: DeviceHash = DeviceHash([7; 32]);
const TAB: TabId = TabId(Uuid::from_u128(0x7ab));
pub(crate) const PROCTOR: StaffId = StaffId(Uuid::from_u128(0x57aff));
/// Questions of the demo paper that are answered in turn.
const QUESTIONS: u64 = 20;
/// Where answers begin to count, after the commands of the preparation.
const FIRST_ANSWER: u64 = 100;

pub(crate) fn command(client_seq: u64, at: At, command: Command) -> Input {
    Input::Candidate { client: ClientRef { epoch: Epoch(1), client_seq, client_at: at }, command }
}

/// The n-th answer: each to another question, with another option than the last time.
pub(crate) fn answer(n: u64, at: At) -> Input {
    let question = u16::try_from(n % QUESTIONS).expect("a remainder is small");
    let option = u8::try_from(n / QUESTIONS % 3).expect("a remainder is small");
    command(FIRST_ANSWER + n, at, Command::Answer { question, shown: [option].into() })
}

pub(crate) fn attach() -> Input {
    Input::Attach { device: DEVICE, tab: TAB, socket: SocketId(Uuid::from_u128(0x50c)) }
}

/// Everything up to the running clock.
pub(crate) fn way_in(at: At) -> Vec<Input> {
    let lang = Lang::Kk;
    let report = DeviceReport { camera: true, microphone: true, connection: true, ..DeviceReport::default() };
    let mut commands = vec![
        Command::ChooseLanguage(lang),
        Command::Consent { text_version: "1".to_owned(), lang },
        Command::CheckDevice(report),
    ];
    let mut way = vec![Input::Bind { device: DEVICE, tab: TAB }, attach()];
    let mut numbers = 1..;
    let mut give = |way: &mut Vec<Input>, commands: Vec<Command>| {
        way.extend(commands.into_iter().zip(&mut numbers).map(|(given, n)| command(n, at, given)));
    };
    give(&mut way, std::mem::take(&mut commands));
    for (kind, name) in [(PhotoKind::Face, "face-1"), (PhotoKind::Document, "document-1")] {
        let evidence = EvidenceRef { name: name.to_owned(), sha256: "cd".repeat(32), bytes: 100 };
        way.push(Input::Photo { kind, evidence });
    }
    give(&mut way, vec![Command::SubmitIdentity]);
    way.push(Input::Staff { by: PROCTOR, command: StaffCommand::Admit { seen: None } });
    let texts = AcknowledgedText::ALL.into_iter();
    let acknowledge = |text| Command::Acknowledge { text, text_version: "1".to_owned(), lang };
    give(&mut way, texts.map(acknowledge).collect());
    give(&mut way, vec![Command::Ready { nonce: Seed([5; 32]) }]);
    way.push(Input::Media(MediaFact::Flow { video: true, audio: true }));
    give(&mut way, vec![Command::Begin]);
    way
}

//! Rows with recognisable values.

use crate::{
    Append, BankRow, Batch, CandidateMore, CentreRow, Directory, EventLog, Lease, MessageKind, NewApproval,
    NewCandidate, NewMessage, NewRecord, ProgrammeRow, Role, SittingRow, SittingStanding, StaffRow, Summary,
};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, Seq, SessionId, SittingId, StaffId};
use synaq_core::time::At;
use synaq_seal::{Digest, sha256};
use uuid::Uuid;

pub(super) const NOW: At = At(1_800_000_000_000);

pub(super) const CENTRE: CentreId = CentreId(Uuid::from_u128(0xC1));
pub(super) const OTHER_CENTRE: CentreId = CentreId(Uuid::from_u128(0xC2));

pub(super) fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

pub(super) fn session(number: u32) -> SessionId {
    SessionId(uuid(number))
}

pub(super) async fn lease(store: &impl EventLog) -> Lease {
    store.take_lease(Uuid::from_u128(0xA), NOW).await.unwrap()
}

pub(super) fn digest(text: &str) -> Digest {
    sha256(text.as_bytes())
}

pub(super) fn event(stream: SessionId, seq: u64) -> Append {
    let body = format!("{{\"жауап\":\"Ә\",\"seq\":{seq}}}");
    Append { stream, seq: Seq(seq), at: At(NOW.0 + 7), kind: "answer_put".into(), hash: digest(&body), body }
}

pub(super) fn events(events: impl IntoIterator<Item = Append>) -> Batch {
    Batch { events: events.into_iter().collect(), ..Batch::default() }
}

pub(super) fn summary(session: SessionId, live: bool) -> Summary {
    Summary {
        session,
        state: "running".into(),
        finish: None,
        outcome: None,
        correct: None,
        total: Some(40),
        warnings: 1,
        incidents: [("NO_FACE".to_owned(), 2), ("PAGE_HIDDEN".to_owned(), 1)].into(),
        started_at: Some(NOW),
        finished_at: None,
        live,
    }
}

pub(super) fn record(session: SessionId) -> NewRecord {
    let payload = vec![0, 159, 146, 150];
    let sha256 = sha256(&payload);
    NewRecord { session, payload, sha256, jws: "{\"jws\":1}".into(), kid: "k1".into(), sealed_at: NOW }
}

pub(super) fn approval(session: SessionId, jws: &str) -> NewApproval {
    NewApproval { session, jws: jws.into() }
}

pub(super) fn message(number: u32, session: SessionId, kind: MessageKind) -> NewMessage {
    let body = format!("message {number}");
    NewMessage { id: uuid(number), session, kind, sha256: digest(&body), body, created_at: NOW }
}

pub(super) fn centre(id: CentreId) -> CentreRow {
    let number = id.0.as_u128();
    CentreRow {
        id,
        bin: format!("{number:012}"),
        name_kk: format!("Орталық {number}"),
        name_ru: format!("Центр {number}"),
    }
}

pub(super) fn staff(number: u32, centre: CentreId) -> StaffRow {
    StaffRow {
        id: StaffId(uuid(number)),
        centre,
        login: format!("login-{number:04}"),
        name: format!("Қызметкер {number}"),
        mail: None,
        roles: vec![Role::Centre, Role::Commission],
        password_hash: None,
        disabled: false,
    }
}

pub(super) fn bank(number: u32, centre: CentreId, version: u32) -> BankRow {
    let source = format!("bank {number}");
    BankRow {
        id: BankId(uuid(number)),
        centre,
        slug: "cook".into(),
        version,
        sha256: digest(&source).to_string(),
        source,
        imported_at: At(NOW.0 + i64::from(version)),
    }
}

pub(super) fn programme(number: u32, centre: CentreId, bank: BankId, version: u32) -> ProgrammeRow {
    ProgrammeRow {
        id: ProgrammeId(uuid(number)),
        centre,
        slug: "cook-4".into(),
        version,
        source: format!("programme {number}"),
        bank,
        created_at: At(NOW.0 + i64::from(version)),
    }
}

pub(super) fn sitting(number: u32, centre: CentreId, programme: ProgrammeId) -> SittingRow {
    SittingRow {
        id: SittingId(uuid(number)),
        centre,
        programme,
        title: format!("Емтихан {number}"),
        opens_at: At(NOW.0 + i64::from(number)),
        closes_at: At(NOW.0 + i64::from(number) + 3_600_000),
        standing: SittingStanding::default(),
    }
}

pub(super) fn candidate(number: u32, identity: &str) -> NewCandidate {
    NewCandidate {
        session: session(number),
        name: format!("Үміткер {number}"),
        identity: identity.into(),
        extra_minutes: 15,
        switched_off: vec!["FACE_ABSENT".into(), "LOOKING,\"AWAY\"".into()],
        more: CandidateMore::default(),
        wrapped_key: vec![7; 60],
    }
}

/// The rows of one centre that everything else hangs on.
#[derive(Clone, Copy)]
pub(super) struct House {
    pub(super) centre: CentreId,
    pub(super) staff: StaffId,
    pub(super) bank: BankId,
    pub(super) programme: ProgrammeId,
    pub(super) sitting: SittingId,
}

/// Two centres, each with a member of staff, a bank, a programme and a sitting.
pub(super) async fn two_houses(store: &impl Directory) -> (House, House) {
    (house(store, CENTRE, 1_000).await, house(store, OTHER_CENTRE, 2_000).await)
}

async fn house(store: &impl Directory, id: CentreId, number: u32) -> House {
    let staff = staff(number + 1, id);
    let bank = bank(number + 2, id, 1);
    let programme = programme(number + 3, id, bank.id, 1);
    let sitting = sitting(number + 4, id, programme.id);
    let house =
        House { centre: id, staff: staff.id, bank: bank.id, programme: programme.id, sitting: sitting.id };
    store.add_centre(centre(id)).await.unwrap();
    store.add_staff(staff).await.unwrap();
    store.add_bank(bank).await.unwrap();
    store.add_programme(programme).await.unwrap();
    store.add_sitting(sitting).await.unwrap();
    house
}

/// Asserts an error by its pattern and shows what came instead.
macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub(super) use refused;

//! Erasing over the real engine and the real files, killed after every step.

use super::eraser::{Outcome, Step};
use super::*;
use crate::adapter::evidence::EvidenceFolder;
use crate::store::{Place, Store};
use ring::rand::SystemRandom;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::retention::DataClass;
use synaq_core::time::At;
use synaq_seal::blob::{BlobId, InstallationKey, Reader};
use synaq_seal::key::{Algorithm, SigningKey};
use synaq_seal::secret::WRAPPED_LEN;
use synaq_seal::shares::{unwrap_share, wrap_fresh};
use synaq_store::{
    BankRow, CentreRow, Ground, HoldRow, Lifted, NewCandidate, ProgrammeRow, Role, SittingRow, StaffRow,
};
use synaq_web::Evidence as _;
use uuid::Uuid;

const DAY: i64 = 86_400_000;
const CLOSED: At = At(1_790_000_000_000);
const DUE: At = At(CLOSED.0 + 121 * DAY);
const CENTRE: CentreId = CentreId(Uuid::from_u128(1));
const STAFF: StaffId = StaffId(Uuid::from_u128(2));
/// So many that their rows take more than one page of the table, and pages were split while they came.
const CANDIDATES: u128 = 48;
const FEW: u128 = 3;
const NAMES: [&str; 4] = ["webcam-0001.webm", "clip-0001.webm", "stills-0001", "face-1"];

fn installation_key() -> InstallationKey {
    InstallationKey::from_bytes(&[5; 32]).unwrap()
}

fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x1000 + number))
}

struct House {
    eraser: Eraser,
    /// Wrapped keys as they were, by candidate
    keys: Vec<Vec<u8>>,
}

async fn open(data: &Path) -> Eraser {
    let store = Place::File(data.join("synaq.db")).open_beside().await.unwrap();
    let evidence =
        Arc::new(EvidenceFolder::new(data.join("evidence"), Arc::new(installation_key()), store.clone()));
    let seal = Arc::new(SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap());
    Eraser { store, evidence, ledger: Ledger::below(data), seal }
}

async fn people(store: &dyn Store) {
    let text = String::from;
    store
        .add_centre(CentreRow { id: CENTRE, bin: text("1"), name_kk: text("О"), name_ru: text("Ц") })
        .await
        .unwrap();
    let staff = StaffRow {
        id: STAFF,
        centre: CENTRE,
        login: text("aigul"),
        name: text("А"),
        mail: None,
        roles: vec![Role::Centre],
        password_hash: None,
        disabled: false,
    };
    store.add_staff(staff).await.unwrap();
    let bank = BankRow {
        id: BankId(Uuid::from_u128(3)),
        centre: CENTRE,
        slug: text("b"),
        version: 1,
        source: text("b"),
        sha256: text("b"),
        imported_at: CLOSED,
    };
    store.add_bank(bank).await.unwrap();
    let programme = ProgrammeRow {
        id: ProgrammeId(Uuid::from_u128(4)),
        centre: CENTRE,
        slug: text("p"),
        version: 1,
        source: text("p"),
        bank: BankId(Uuid::from_u128(3)),
        created_at: CLOSED,
    };
    store.add_programme(programme).await.unwrap();
    let sitting = SittingRow {
        id: SittingId(Uuid::from_u128(5)),
        centre: CENTRE,
        programme: ProgrammeId(Uuid::from_u128(4)),
        title: text("s"),
        opens_at: CLOSED,
        closes_at: CLOSED,
        standing: synaq_store::SittingStanding::default(),
    };
    store.add_sitting(sitting).await.unwrap();
}

/// Candidates who never began, so that their evidence counts from the end of the sitting; the first two have some.
async fn house(data: &Path, candidates: u128) -> House {
    let eraser = open(data).await;
    people(&*eraser.store).await;
    let random = SystemRandom::new();
    let (mut keys, mut list) = (Vec::new(), Vec::new());
    for number in 0..candidates {
        let id = session(number);
        let wrapped = wrap_fresh(3, &installation_key(), id.0.as_bytes(), &random).unwrap();
        let new = NewCandidate {
            session: id,
            name: format!("Үміткер {number}"),
            identity: format!("KAZ:{number}"),
            extra_minutes: 0,
            switched_off: Vec::new(),
            more: synaq_store::CandidateMore::default(),
            wrapped_key: wrapped.clone(),
        };
        list.push(new);
        keys.push(wrapped);
    }
    // The later ones first: rows go in between others.
    for some in list.rchunks(12) {
        eraser.store.add_candidates(CENTRE, SittingId(Uuid::from_u128(5)), some.to_vec()).await.unwrap();
    }
    for (number, name) in [0, 1].into_iter().flat_map(|number| NAMES.map(|name| (number, name))) {
        let (evidence, bytes) = (Arc::clone(&eraser.evidence), name.repeat(1_000).into_bytes());
        let stored = move || evidence.store(session(number), name, &bytes);
        tokio::task::spawn_blocking(stored).await.unwrap().unwrap();
    }
    House { eraser, keys }
}

/// Every byte below a folder.
fn everything(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { everything(&path) } else { fs::read(&path).unwrap() });
    }
    bytes
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The wrapped key of one class.
fn share(row: &[u8], class: DataClass) -> &[u8] {
    &row[class.share() * WRAPPED_LEN..(class.share() + 1) * WRAPPED_LEN]
}

fn hold(number: u128) -> HoldRow {
    HoldRow {
        session: session(number),
        ground: Ground::Appeal,
        reason: "№ 7".to_owned(),
        placed_at: DUE,
        placed_by: STAFF,
        lifted: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_found_in_no_byte_of_the_folder_and_opens_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let House { eraser, keys } = house(data.path(), CANDIDATES).await;
    eraser.store.place_hold(CENTRE, hold(1)).await.unwrap();
    let blob = fs::read(data.path().join(format!("evidence/{}/webcam-0001.webm.blob", session(0)))).unwrap();
    assert!(DataClass::ALL.iter().all(|class| holds(&everything(data.path()), share(&keys[0], *class))));

    let early = eraser.run(&Terms::default(), At(CLOSED.0 + 119 * DAY)).await.unwrap();
    assert_eq!(early, Outcome::default());
    let terms = Terms { photos_days: 200, ..Terms::default() };
    let outcome = eraser.run(&terms, DUE).await.unwrap();
    let others = usize::try_from(CANDIDATES).unwrap() - 1;
    assert_eq!((outcome.erased, outcome.files, outcome.held), (2 * others, 3, 3));
    assert_eq!(eraser.run(&terms, DUE).await.unwrap(), Outcome { held: 3, ..Outcome::default() });

    let left = everything(data.path());
    for number in (0..keys.len()).filter(|number| *number != 1) {
        for class in [DataClass::Recordings, DataClass::Stills] {
            // All but its first byte is ciphertext and a random nonce.
            assert!(!holds(&left, &share(&keys[number], class)[1..14]), "{class} of {number}");
        }
    }
    assert!(holds(&left, share(&keys[0], DataClass::Photos)), "the photos' time is not over");
    assert!(DataClass::ALL.iter().all(|class| holds(&left, share(&keys[1], *class))), "it is held");
    assert_eq!(eraser.evidence.names(session(0)).unwrap(), ["face-1"]);
    assert_eq!(eraser.evidence.names(session(1)).unwrap().len(), NAMES.len());

    // Whoever kept a copy of the file has the installation key and the row, and reads nothing.
    let row = eraser.store.session(session(0)).await.unwrap().candidate.candidate.wrapped_key;
    let by = installation_key();
    let key = |class: DataClass| unwrap_share(&row, class.share(), &by, session(0).0.as_bytes()).unwrap();
    assert!(key(DataClass::Recordings).is_none());
    let id = BlobId::read_from(&mut &blob[..]).unwrap();
    let other = key(DataClass::Photos).expect("the photos are kept");
    assert!(Reader::open(std::io::Cursor::new(blob), &other, id).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_after_any_step_is_ended_by_the_next() {
    for stop in [Step::Noted, Step::Destroyed, Step::Forgotten, Step::Listed, Step::Removed] {
        for nth in [1, 3] {
            let data = tempfile::tempdir().unwrap();
            let House { eraser, keys } = house(data.path(), FEW).await;
            let seen = AtomicUsize::new(0);
            let kill = |step| {
                let now = step == stop && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth;
                anyhow::ensure!(!now, "killed");
                Ok(())
            };
            let killed = eraser.run_watched(&Terms::default(), DUE, &kill).await;
            // Noting and forgetting happen once a run.
            let once = matches!(stop, Step::Noted | Step::Forgotten);
            assert_eq!(killed.is_err(), nth == 1 || !once, "{stop:?}");
            drop(eraser);

            let eraser = open(data.path()).await;
            eraser.resume(At(DUE.0 + 1)).await.unwrap();
            assert_eq!(eraser.run(&Terms::default(), At(DUE.0 + 2)).await.unwrap(), Outcome::default());
            let left = everything(data.path());
            for class in DataClass::ALL {
                assert!(!holds(&left, &share(&keys[0], class)[1..14]), "{stop:?} {class}");
                assert!(!holds(&left, &share(&keys[2], class)[1..14]), "{stop:?} {class}");
            }
            assert!(eraser.evidence.names(session(0)).unwrap().is_empty(), "{stop:?}");
            assert_eq!(eraser.ledger.read().unwrap().len(), 3 * keys.len(), "{stop:?}");
            let audit = eraser.store.audit_of(CENTRE, 1_000).await.unwrap();
            assert_eq!(audit.len(), 3 * keys.len(), "{stop:?}: each once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_does_not_bring_back_what_was_erased() {
    let data = tempfile::tempdir().unwrap();
    let House { eraser, keys } = house(data.path(), 9).await;
    // A copy from before: the file as it was after its log was cut, and the evidence.
    eraser.store.forget(&[]).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(data.path().join("synaq.db"), copy.path().join("synaq.db")).unwrap();
    let folder = Path::new("evidence").join(session(0).to_string());
    fs::create_dir_all(copy.path().join(&folder)).unwrap();
    for name in NAMES.map(|name| folder.join(format!("{name}.blob"))) {
        fs::copy(data.path().join(&name), copy.path().join(&name)).unwrap();
    }
    eraser.run(&Terms::default(), DUE).await.unwrap();

    let restored = open(copy.path()).await;
    assert_eq!(restored.evidence.names(session(0)).unwrap().len(), NAMES.len());
    assert_eq!(restored.ledger.merge(&eraser.ledger).unwrap(), 3 * keys.len());
    // A hold that the copy still has open goes before the list.
    restored.store.place_hold(CENTRE, hold(7)).await.unwrap();
    let again = restored.reapply(DUE).await.unwrap();
    assert_eq!((again.erased, again.files), (3 * (keys.len() - 1), NAMES.len()));
    let left = everything(copy.path());
    assert!(DataClass::ALL.iter().all(|class| !holds(&left, &share(&keys[0], *class)[1..14])));
    assert!(holds(&left, &keys[7]));
    let lifted = Lifted { at: DUE, by: STAFF, note: "жабылды".to_owned() };
    restored.store.lift_hold(CENTRE, session(7), lifted).await.unwrap();
    assert_eq!(restored.reapply(DUE).await.unwrap().erased, 3);
}

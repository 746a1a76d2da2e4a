//! What the demo examines whom in: a centre, its staff, a sitting with candidates, all of them made up.

use crate::clock;
use crate::keys::Keys;
use crate::secret;
use crate::store::Store;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::retention::DataClass;
use synaq_core::time::{At, Span};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_seal::shares::wrap_fresh;
use synaq_store::{
    BankRow, CandidateMore, CentreRow, NewCandidate, ProgrammeRow, Role, SittingRow, SittingStanding,
    StaffRow,
};
use uuid::Uuid;

/// A made-up number with a right check digit: the demo centre is nobody's.
const BIN: &str = "900101300811";
/// By its title the next run finds the demo's own sitting among those that somebody added.
const SITTING_TITLE: &str = "Көрсетілім / Демонстрация";
/// The sitting stays open this long, so that a demo folder is useful for weeks.
const SITTING_OPEN: Span = Span::mins(30 * 24 * 60);
/// Made-up people; two numbers with right check digits, the others foreign documents.
const CANDIDATES: [(&str, &str); 6] = [
    ("Ахметова Әлия Серікқызы", "900101300823"),
    ("Жұмабаев Ерлан Қайратұлы", "061211600012"),
    ("Смирнова Ольга Викторовна", "KZ:N0000001"),
    ("Оспанов Нұрлан Бекұлы", "KZ:N0000002"),
    ("Ким Виктория Сергеевна", "KZ:N0000003"),
    ("Қасымова Гүлнәр Маратқызы", "KZ:N0000004"),
];
/// How many seats the demo has.
pub(super) const ACCOUNTS_LEN: usize = 6;
/// Login, name, role. An earlier demo folder knows the first ones.
const ACCOUNTS: [(&str, &str, Role); ACCOUNTS_LEN] = [
    ("proctor", "Сейітова Мадина Асқарқызы", Role::Proctor),
    ("proctor2", "Петров Андрей Иванович", Role::Proctor),
    ("centre", "Тұрсынов Данияр Болатұлы", Role::Centre),
    ("commission", "Ибраева Сәуле Нұрланқызы", Role::Commission),
    ("author", "Бекова Айгүл Ерланқызы", Role::Author),
    ("auditor", "Нұрғалиев Тимур Маратұлы", Role::Auditor),
];

/// Login and password.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) login: String,
    pub(super) password: String,
}

/// The demo's centre.
pub(super) async fn centre(store: &dyn Store) -> anyhow::Result<CentreId> {
    if let Some(known) = store.centres().await?.into_iter().find(|centre| centre.bin == BIN) {
        return Ok(known.id);
    }
    let centre = CentreRow {
        id: CentreId(Uuid::now_v7()),
        bin: BIN.to_owned(),
        name_kk: "«Сынақ» кәсіптік біліктілікті тану орталығы (көрсетілім)".to_owned(),
        name_ru: "Центр признания профессиональных квалификаций «Сынақ» (демонстрация)".to_owned(),
    };
    store.add_centre(centre.clone()).await?;
    Ok(centre.id)
}

/// The accounts of the earlier run, in the order of the table, or fresh passwords.
pub(super) async fn accounts(
    store: &dyn Store,
    centre: CentreId,
    remembered: Option<[Credentials; ACCOUNTS_LEN]>,
) -> anyhow::Result<[Credentials; ACCOUNTS_LEN]> {
    if let Some(known) = remembered
        && all_stored(store, &known).await?
    {
        return Ok(known);
    }
    let mut all = Vec::with_capacity(ACCOUNTS.len());
    for (login, name, role) in ACCOUNTS {
        let password = secret::text::<12>()?;
        let hash = synaq_web::hash_password(&password, &secret::bytes::<16>()?)?;
        match store.staff_by_login(login).await? {
            Some(staff) => store.set_password(staff.id, hash).await?,
            None => {
                let staff = StaffRow {
                    id: StaffId(Uuid::now_v7()),
                    centre,
                    login: login.to_owned(),
                    name: name.to_owned(),
                    mail: None,
                    roles: vec![role],
                    password_hash: Some(hash),
                    disabled: false,
                };
                store.add_staff(staff).await?;
            }
        }
        all.push(Credentials { login: login.to_owned(), password });
    }
    <[Credentials; ACCOUNTS_LEN]>::try_from(all)
        .map_err(|_| anyhow::anyhow!("one account a line of the table"))
}

/// False when somebody removed the database and left the file with the passwords.
async fn all_stored(store: &dyn Store, known: &[Credentials; ACCOUNTS_LEN]) -> anyhow::Result<bool> {
    for ((login, ..), account) in ACCOUNTS.iter().zip(known) {
        if *login != account.login || store.staff_by_login(login).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The demo's sitting while it is open, or a fresh one with the demo's candidates.
pub(super) async fn sitting(store: &dyn Store, centre: CentreId, keys: &Keys) -> anyhow::Result<SittingId> {
    let now = At(clock::wall_millis());
    let ours = |sitting: &SittingRow| sitting.title == SITTING_TITLE && sitting.closes_at > now;
    let known = store.sittings(centre).await?.into_iter().map(|(sitting, _)| sitting).find(ours);
    let id = match known {
        Some(known) => known.id,
        None => {
            let sitting = SittingRow {
                id: SittingId(Uuid::now_v7()),
                centre,
                programme: programme(store, centre, now).await?,
                title: SITTING_TITLE.to_owned(),
                opens_at: now - Span::mins(1),
                closes_at: now + SITTING_OPEN,
                standing: SittingStanding::default(),
            };
            store.add_sitting(sitting.clone()).await?;
            sitting.id
        }
    };
    // Those who are in it already are skipped: a start that was cut short is made whole by the next.
    let candidates = CANDIDATES.iter().map(|(name, identity)| candidate(name, identity, keys));
    store.add_candidates(centre, id, candidates.collect::<anyhow::Result<_>>()?).await?;
    Ok(id)
}

async fn programme(store: &dyn Store, centre: CentreId, now: At) -> anyhow::Result<ProgrammeId> {
    let (bank, report) = synaq_question_banks::read(DEMO_BANK)?;
    let bank = BankRow {
        id: BankId(Uuid::now_v7()),
        centre,
        slug: bank.slug,
        version: bank.version,
        source: DEMO_BANK.to_owned(),
        sha256: report.sha256,
        imported_at: now,
    };
    let (programme, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME)?;
    let programme = ProgrammeRow {
        id: ProgrammeId(Uuid::now_v7()),
        centre,
        slug: programme.slug,
        version: programme.version,
        source: DEMO_PROGRAMME.to_owned(),
        bank: store.add_bank(bank).await?.id,
        created_at: now,
    };
    Ok(store.add_programme(programme).await?.id)
}

fn candidate(name: &str, identity: &str, keys: &Keys) -> anyhow::Result<NewCandidate> {
    let random = SystemRandom::new();
    let session = SessionId(Uuid::now_v7());
    let classes = DataClass::ALL.len();
    let wrapped_key = wrap_fresh(classes, &keys.installation, session.0.as_bytes(), &random)?;
    Ok(NewCandidate {
        session,
        name: name.to_owned(),
        identity: identity.to_owned(),
        extra_minutes: 0,
        switched_off: Vec::new(),
        more: CandidateMore::default(),
        wrapped_key,
    })
}

/// The last path segments of the candidates' personal links, by their place in the sitting.
pub(super) async fn link_tokens(
    store: &dyn Store,
    centre: CentreId,
    sitting: SittingId,
    keys: &Keys,
) -> anyhow::Result<Vec<String>> {
    let links = synaq_web::LinkKey::new(&keys.derivation);
    let candidates = store.candidates(centre, sitting).await?;
    Ok(candidates.iter().map(|row| links.token(row.candidate.session)).collect())
}

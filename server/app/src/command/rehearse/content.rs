//! Who rehearses: a made-up centre with one account for all seats, and a programme that lasts as long as the law bears.

use crate::clock;
use crate::secret;
use serde::{Deserialize, Serialize};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, StaffId};
use synaq_core::time::At;
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_store::{BankRow, CentreRow, Directory, ProgrammeRow, Role, StaffRow};
use uuid::Uuid;

/// A made-up number with a right check digit.
const BIN: &str = "900101300811";
const LOGIN: &str = "rehearsal";
/// The longest exam there is, so that a rehearsal of hours does not run into its end.
const MINUTES: &str = "minutes = 600";

/// The one account.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) login: String,
    pub(super) password: String,
}

/// Makes what is missing. An account that is known from before the last end of this room stays, and so do its sign-ins.
pub(super) async fn ready(store: &dyn Directory, known: Option<Account>) -> anyhow::Result<Account> {
    let there = store.staff_by_login(LOGIN).await?;
    if let (Some(_), Some(known)) = (&there, known) {
        return Ok(known);
    }
    let password = secret::text::<12>()?;
    let hash = synaq_web::hash_password(&password, &secret::bytes::<16>()?)?;
    let account = Account { login: LOGIN.to_owned(), password };
    if let Some(staff) = there {
        store.set_password(staff.id, hash).await?;
        return Ok(account);
    }
    let centre = CentreRow {
        id: CentreId(Uuid::now_v7()),
        bin: BIN.to_owned(),
        name_kk: "Дайындық орталығы".to_owned(),
        name_ru: "Центр репетиций".to_owned(),
    };
    store.add_centre(centre.clone()).await?;
    let staff = StaffRow {
        id: StaffId(Uuid::now_v7()),
        centre: centre.id,
        login: LOGIN.to_owned(),
        name: "Дайындық / Репетиция".to_owned(),
        mail: None,
        roles: vec![Role::Centre, Role::Proctor, Role::Commission],
        password_hash: Some(hash),
        disabled: false,
    };
    store.add_staff(staff).await?;
    programme(store, centre.id).await?;
    Ok(account)
}

async fn programme(store: &dyn Directory, centre: CentreId) -> anyhow::Result<()> {
    let now = At(clock::wall_millis());
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
    let source = lengthened(DEMO_PROGRAMME);
    let (programme, _) = synaq_question_banks::read_programme(&source)?;
    let programme = ProgrammeRow {
        id: ProgrammeId(Uuid::now_v7()),
        centre,
        slug: programme.slug,
        version: programme.version,
        source,
        bank: store.add_bank(bank).await?.id,
        created_at: now,
    };
    store.add_programme(programme).await?;
    Ok(())
}

fn lengthened(programme: &str) -> String {
    let line = |line: &str| if line.starts_with("minutes = ") { MINUTES.to_owned() } else { line.to_owned() };
    programme.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rehearsed_programme_is_the_demo_one_but_for_its_length() {
        let (real, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME).unwrap();
        let (longer, _) = synaq_question_banks::read_programme(&lengthened(DEMO_PROGRAMME)).unwrap();
        assert_eq!(longer.plan.minutes, 600);
        assert_eq!(longer.plan.blueprint, real.plan.blueprint);
    }
}

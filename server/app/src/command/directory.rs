//! `synaq centre add`, `synaq staff add` and `synaq staff link`: each prints a one-time set-up link. From there a centre
//! manages itself.

use crate::config::Config;
use crate::store::Store;
use crate::{clock, private, secret};
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use synaq_core::identity::Numbers;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::{At, Span};
use synaq_store::{AuditEntry, CentreRow, Role, StaffRow};
use uuid::Uuid;

/// Long enough for a weekend.
const SETUP_LINK_VALID: Span = Span::mins(72 * 60);

/// A centre to add.
#[derive(clap::Args, Debug)]
pub(crate) struct NewCentre {
    /// Business identification number (БСН/БИН), 12 digits
    #[arg(long, value_parser = bin)]
    bin: String,
    /// Name in Kazakh
    #[arg(long, value_parser = filled)]
    name_kk: String,
    /// Name in Russian
    #[arg(long, value_parser = filled)]
    name_ru: String,
    /// Login of its first member of staff, with the role centre
    #[arg(long, value_parser = filled)]
    login: String,
    /// That person's full name
    #[arg(long, value_parser = filled)]
    name: String,
}

/// A member of staff to add.
#[derive(clap::Args, Debug)]
pub(crate) struct NewStaff {
    /// The centre's business identification number
    #[arg(long)]
    centre: String,
    /// Login, unique in the installation
    #[arg(long, value_parser = filled)]
    login: String,
    /// Full name
    #[arg(long, value_parser = filled)]
    name: String,
    /// centre, author, proctor, commission or auditor; may be repeated
    #[arg(long = "role", required = true, value_parser = role)]
    roles: Vec<Role>,
}

/// The rows of an installation, running or not, with what set-up links begin with.
struct Open {
    store: Arc<dyn Store>,
    base: String,
    now: At,
    numbers: Numbers,
}

/// Adds a centre with its first member of staff.
pub(crate) async fn add_centre(config: &Path, new: NewCentre) -> anyhow::Result<()> {
    let open = Open::read(config).await?;
    anyhow::ensure!(
        open.numbers.takes(&new.bin),
        "{} is the number of a test certificate; set test_numbers = true where exams are trials only",
        new.bin
    );
    // Before anything is stored: a centre without anybody could not be added again.
    open.refuse_taken(&new.login).await?;
    let centre =
        CentreRow { id: CentreId(Uuid::now_v7()), bin: new.bin, name_kk: new.name_kk, name_ru: new.name_ru };
    open.store.add_centre(centre.clone()).await.context("the centre was not added")?;
    open.audit(centre.id, "centre_added", centre.id.0).await?;
    open.add(staff_row(centre.id, new.login, new.name, vec![Role::Centre])).await
}

/// Adds a member of staff to a centre.
pub(crate) async fn add_staff(config: &Path, new: NewStaff) -> anyhow::Result<()> {
    let open = Open::read(config).await?;
    open.refuse_taken(&new.login).await?;
    let centre = open.store.centres().await?.into_iter().find(|centre| centre.bin == new.centre);
    let centre = centre.with_context(|| format!("there is no centre with the number {}", new.centre))?;
    open.add(staff_row(centre.id, new.login, new.name, new.roles)).await
}

/// A new set-up link for somebody who is there. Their password, if any, holds until the link is used.
pub(crate) async fn link_again(config: &Path, login: &str) -> anyhow::Result<()> {
    let open = Open::read(config).await?;
    let staff = open.store.staff_by_login(login).await?;
    let staff = staff.with_context(|| format!("there is nobody with the login {login}"))?;
    open.audit(staff.centre, "setup_link_made", staff.id.0).await?;
    open.print_link(&staff).await
}

impl Open {
    async fn read(config: &Path) -> anyhow::Result<Self> {
        let config = Config::read(config)?;
        private::folder(&config.data)
            .with_context(|| format!("the data folder {} cannot be made", config.data.display()))?;
        let store = config.folders()?.store().open_beside().await?;
        let (numbers, now) = (config.numbers(), At(clock::wall_millis()));
        Ok(Self { store, base: config.public_url, now, numbers })
    }

    async fn refuse_taken(&self, login: &str) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.store.staff_by_login(login).await?.is_none(),
            "the login {login} is taken; choose another, or print a new link for it with `synaq staff link`"
        );
        Ok(())
    }

    async fn add(&self, staff: StaffRow) -> anyhow::Result<()> {
        self.store.add_staff(staff.clone()).await.context("the member of staff was not added")?;
        self.audit(staff.centre, "staff_added", staff.id.0).await?;
        self.print_link(&staff).await
    }

    async fn print_link(&self, staff: &StaffRow) -> anyhow::Result<()> {
        let token = secret::text::<32>()?;
        let expires_at = self.now + SETUP_LINK_VALID;
        self.store.add_setup_token(synaq_seal::sha256(token.as_bytes()).0, staff.id, expires_at).await?;
        println!("Set-up link for {}, valid once and until {expires_at}:", staff.login);
        println!("{}/centre/setup/{token}", self.base);
        Ok(())
    }

    async fn audit(&self, centre: CentreId, action: &str, object: Uuid) -> anyhow::Result<()> {
        let (action, object) = (action.to_owned(), object.to_string());
        Ok(self.store.audit(AuditEntry { at: self.now, centre, staff: None, action, object }).await?)
    }
}

fn staff_row(centre: CentreId, login: String, name: String, roles: Vec<Role>) -> StaffRow {
    StaffRow {
        id: StaffId(Uuid::now_v7()),
        centre,
        login,
        name,
        mail: None,
        roles,
        password_hash: None,
        disabled: false,
    }
}

fn bin(text: &str) -> Result<String, &'static str> {
    // Whether a test number is one here, the configuration says.
    if Numbers::WithTest.takes(text) {
        Ok(text.to_owned())
    } else {
        Err("12 digits with a right check digit are needed")
    }
}

fn filled(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() { Err("this must not be empty") } else { Ok(text.to_owned()) }
}

fn role(name: &str) -> Result<Role, &'static str> {
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or("choose centre, author, proctor, commission or auditor")
}

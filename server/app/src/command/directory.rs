//! `synaq centre add` and `synaq staff add`: each prints a one-time set-up link. From there a centre manages itself.

use crate::clock;
use crate::config::Config;
use crate::installation::Folders;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;
use synaq_core::ids::{CentreId, StaffId};
use synaq_core::time::{At, Span};
use synaq_store::{CentreRow, Directory, Role, StaffRow};
use synaq_store_sqlite::SqliteStore;
use uuid::Uuid;

/// A set-up link is used on the day it is sent.
const SETUP_LINK_VALID: Span = Span::mins(72 * 60);

/// A centre to add.
#[derive(clap::Args, Debug)]
pub struct NewCentre {
    /// Business identification number (БСН/БИН), 12 digits
    #[arg(long)]
    bin: String,
    /// Name in Kazakh
    #[arg(long)]
    name_kk: String,
    /// Name in Russian
    #[arg(long)]
    name_ru: String,
    /// Login of its first member of staff, with the role centre
    #[arg(long)]
    login: String,
    /// That person's full name
    #[arg(long)]
    name: String,
}

/// A member of staff to add.
#[derive(clap::Args, Debug)]
pub struct NewStaff {
    /// The centre's business identification number
    #[arg(long)]
    centre: String,
    /// Login, unique in the installation
    #[arg(long)]
    login: String,
    /// Full name
    #[arg(long)]
    name: String,
    /// centre, proctor or commission; may be repeated
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
}

/// Adds a centre with its first member of staff.
pub async fn add_centre(config: &Path, new: NewCentre) -> anyhow::Result<()> {
    let (store, base) = open(config).await?;
    anyhow::ensure!(is_bin(&new.bin), "--bin must be 12 digits with a right check digit");
    anyhow::ensure!(
        store.staff_by_login(&new.login).await?.is_none(),
        "the login {} is taken; choose another",
        new.login
    );
    let centre =
        CentreRow { id: CentreId(Uuid::now_v7()), bin: new.bin, name_kk: new.name_kk, name_ru: new.name_ru };
    store.add_centre(centre.clone()).await?;
    let staff = staff_row(centre.id, new.login, new.name, vec![Role::Centre]);
    print_link(&store, staff, &base).await
}

/// Adds a member of staff to a centre.
pub async fn add_staff(config: &Path, new: NewStaff) -> anyhow::Result<()> {
    let (store, base) = open(config).await?;
    let centre = store.centres().await?.into_iter().find(|centre| centre.bin == new.centre);
    let centre = centre.with_context(|| format!("there is no centre with the number {}", new.centre))?;
    let roles = new.roles.iter().map(|name| role(name)).collect::<anyhow::Result<Vec<_>>>()?;
    print_link(&store, staff_row(centre.id, new.login, new.name, roles), &base).await
}

async fn open(config: &Path) -> anyhow::Result<(SqliteStore, String)> {
    let config = Config::read(config)?;
    std::fs::create_dir_all(&config.data)?;
    let store = SqliteStore::open_beside(&Folders::new(&config.data).database()).await?;
    Ok((store, config.public_url))
}

async fn print_link(store: &SqliteStore, staff: StaffRow, base: &str) -> anyhow::Result<()> {
    let login = staff.login.clone();
    let id = staff.id;
    store.add_staff(staff).await?;
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    let token = URL_SAFE_NO_PAD.encode(secret);
    let expires_at = At(clock::wall_millis()) + SETUP_LINK_VALID;
    store.add_setup_token(synaq_seal::sha256(token.as_bytes()).0, id, expires_at).await?;
    println!("Set-up link for {login}, valid once and until {expires_at}:");
    println!("{base}/centre/setup/{token}");
    Ok(())
}

fn staff_row(centre: CentreId, login: String, name: String, roles: Vec<Role>) -> StaffRow {
    StaffRow { id: StaffId(Uuid::now_v7()), centre, login, name, roles, password_hash: None, disabled: false }
}

fn role(name: &str) -> anyhow::Result<Role> {
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == name)
        .with_context(|| format!("there is no role {name:?}; choose centre, proctor or commission"))
}

/// F-30: 12 digits, weights 1..11, once more with 3..11,1,2 when the sum gives 10.
fn is_bin(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != 12 || text.len() != 12 {
        return false;
    }
    let sum = |first: u32| -> u32 {
        (0..11).zip(&digits).map(|(place, digit)| digit * ((first - 1 + place) % 11 + 1)).sum::<u32>() % 11
    };
    let check = match sum(1) {
        10 => sum(3),
        check => check,
    };
    check == digits[11]
}

#[cfg(test)]
mod tests {
    use super::is_bin;

    #[test]
    fn check_digits_follow_both_weight_rows() {
        assert!(is_bin("900101300811") && is_bin("900101300823") && is_bin("061211600012"));
        assert!(!is_bin("123456789011") && !is_bin("90010130081") && !is_bin("90010130081x"));
    }
}

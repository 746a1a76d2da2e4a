//! One's own second factor: offered, confirmed by a code, removed by a code.

use crate::auth::rate::Rates;
use crate::auth::totp;
use crate::auth::who::Who;
use crate::body::Json;
use crate::centre::Audit;
use crate::doors::{App, Random};
use crate::problem::Refused;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::ids::StaffId;
use synaq_runtime::Clock;
use synaq_seal::note;
use synaq_seal::secret::InstallationKey;
use synaq_store::{FactorRow, Personnel};
use synaq_wire::people::{FactorCode, FactorOffer, FactorView, RecoveryCodes};
use synaq_wire::problem::Code;

/// As many as fit on a note.
const RECOVERY_CODES: usize = 10;
/// 80 bits: nobody guesses one within the rate of a sign-in.
const RECOVERY_BYTES: usize = 10;
/// In characters; a recovery code has sixteen and its dashes.
const CODE_CHARS: usize = 40;

/// Checks codes of second factors.
#[derive(Clone)]
pub(crate) struct Factors {
    rows: Arc<dyn Personnel>,
    key: Arc<InstallationKey>,
    clock: Arc<dyn Clock>,
    random: Random,
    rates: Arc<Rates>,
}

impl FromRef<App> for Factors {
    fn from_ref(app: &App) -> Self {
        Self {
            rows: FromRef::from_ref(app),
            key: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
            rates: FromRef::from_ref(app),
        }
    }
}

impl Factors {
    /// The confirmed factor of a person.
    pub(crate) async fn confirmed(&self, staff: StaffId) -> Result<Option<FactorRow>, Refused> {
        Ok(self.rows.factor(staff).await?.filter(|factor| factor.confirmed_at.is_some()))
    }

    /// The centre asks this person for one they do not have.
    pub(crate) async fn due(&self, staff: StaffId) -> Result<bool, Refused> {
        Ok(self.rows.factor_due(staff).await?)
    }

    /// Uses a code up: `second_factor_wrong` when it is none, or was used.
    pub(crate) async fn check(&self, staff: StaffId, factor: &FactorRow, code: &str) -> Result<(), Refused> {
        self.rates.code(staff.0)?;
        let code = typed(code)?;
        let now = self.clock.now();
        let secret = self.secret(staff, factor)?;
        let taken = match totp::step_of(&secret, &code, now) {
            Some(step) => self.rows.use_step(staff, step).await?,
            None => self.rows.use_recovery_code(staff, crate::auth::hash(&code), now).await?,
        };
        if taken { Ok(()) } else { Err(Code::SecondFactorWrong.into()) }
    }

    fn secret(&self, staff: StaffId, factor: &FactorRow) -> Result<Vec<u8>, Refused> {
        note::open(&factor.sealed, &self.key, &[b"second factor", staff.0.as_bytes()]).map_err(|error| {
            tracing::error!(%error, "a second factor cannot be opened");
            Code::Internal.into()
        })
    }
}

/// Without the spaces and dashes that people type; upper case.
fn typed(code: &str) -> Result<String, Refused> {
    if code.chars().count() > CODE_CHARS {
        return Err(Code::SecondFactorWrong.into());
    }
    Ok(code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect())
}

/// Where one stands.
pub(crate) async fn show(
    State(factors): State<Factors>,
    who: Who,
) -> Result<axum::Json<FactorView>, Refused> {
    let factor = factors.confirmed(who.staff.id).await?;
    let rule = factors.rows.factor_rule(who.staff.centre).await?;
    Ok(axum::Json(FactorView {
        confirmed: factor.is_some(),
        codes_left: factor.map_or(0, |factor| factor.codes_left),
        required: rule.iter().any(|role| who.staff.roles.contains(role)),
    }))
}

/// A fresh secret, shown once. It counts for nothing before a code of it came.
pub(crate) async fn offer(
    State(factors): State<Factors>,
    who: Who,
) -> Result<axum::Json<FactorOffer>, Refused> {
    let mut secret = [0; totp::SECRET_BYTES];
    factors.random.fill(&mut secret).map_err(|_| Code::Busy)?;
    let staff = who.staff.id;
    let purpose: [&[u8]; 2] = [b"second factor", staff.0.as_bytes()];
    let sealed = note::seal(&secret, &factors.key, &purpose, &*factors.random).map_err(|_| Code::Busy)?;
    factors.rows.offer_factor(staff, sealed).await?;
    let uri = totp::uri(&secret, &who.staff.login);
    let picture = totp::picture(&uri).ok_or(Code::Internal)?;
    Ok(axum::Json(FactorOffer { secret: totp::base32(&secret), uri, picture }))
}

/// A code proves that the secret arrived; the recovery codes are shown once.
pub(crate) async fn confirm(
    State(factors): State<Factors>,
    State(audit): State<Audit>,
    who: Who,
    Json(FactorCode { code }): Json<FactorCode>,
) -> Result<axum::Json<RecoveryCodes>, Refused> {
    let staff = who.staff.id;
    factors.rates.code(staff.0)?;
    let offered = factors.rows.factor(staff).await?.ok_or(Code::NothingWaits)?;
    if offered.confirmed_at.is_some() {
        return Err(Code::SecondFactorHeld.into());
    }
    let secret = factors.secret(staff, &offered)?;
    let now = factors.clock.now();
    let step = totp::step_of(&secret, &typed(&code)?, now).ok_or(Code::SecondFactorWrong)?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; RECOVERY_BYTES];
        factors.random.fill(&mut bytes).map_err(|_| Code::Busy)?;
        codes.push(totp::base32(&bytes));
    }
    let hashes = codes.iter().map(|code| crate::auth::hash(code)).collect();
    factors.rows.confirm_factor(staff, step, now, hashes).await?;
    audit.note(&who, "second_factor_set", staff.to_string()).await?;
    let grouped = |code: String| {
        let groups: Vec<String> =
            code.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        groups.join("-")
    };
    Ok(axum::Json(RecoveryCodes { codes: codes.into_iter().map(grouped).collect() }))
}

/// Removes one's own with a code of it.
pub(crate) async fn remove(
    State(factors): State<Factors>,
    State(audit): State<Audit>,
    who: Who,
    Json(FactorCode { code }): Json<FactorCode>,
) -> Result<StatusCode, Refused> {
    let staff = who.staff.id;
    let factor = factors.confirmed(staff).await?.ok_or(Code::NothingWaits)?;
    factors.check(staff, &factor, &code).await?;
    factors.rows.remove_factor(staff).await?;
    audit.note(&who, "second_factor_removed", staff.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

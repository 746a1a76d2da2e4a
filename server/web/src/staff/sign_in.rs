//! Sign-in, set-up, sign-out, and who one is.

use crate::auth::cookie::{self, LIFETIME};
use crate::auth::password::{PasswordError, Passwords, strong_enough};
use crate::auth::rate::{From, Rates};
use crate::auth::ticket::{Bearer, Tickets};
use crate::auth::who::Who;
use crate::body::Json;
use crate::candidate::issue;
use crate::convert;
use crate::doors::{Options, Random};
use crate::peers::{Owner, Peers};
use crate::problem::Refused;
use crate::staff::factor::Factors;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use synaq_core::ids::hex32;
use synaq_core::time::Span;
use synaq_runtime::Clock;
use synaq_store::{AuditEntry, Directory, StaffRow, StaffSession};
use synaq_wire::candidate::{Text, Ticket};
use synaq_wire::problem::{Code, Problem};
use synaq_wire::staff::{Me, SetUp, SignIn};

/// In characters; no centre's naming scheme comes near it.
const LOGIN_CHARS: usize = 200;

/// Everything a sign-in touches.
#[derive(Clone)]
pub(crate) struct Entrance {
    directory: Arc<dyn Directory>,
    passwords: Arc<Passwords>,
    options: Arc<Options>,
    clock: Arc<dyn Clock>,
    random: Random,
    factors: Factors,
}

impl axum::extract::FromRef<crate::doors::App> for Entrance {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            directory: FromRef::from_ref(app),
            passwords: FromRef::from_ref(app),
            options: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
            factors: FromRef::from_ref(app),
        }
    }
}

/// Login and password for a cookie. An unknown login, a disabled one and a wrong password look and last the same.
pub(crate) async fn sign_in(
    State(entrance): State<Entrance>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(SignIn { login, password, code }): Json<SignIn>,
) -> Result<Response, Refused> {
    rates.sign_in(&login, from)?;
    let found = match login.chars().count() {
        0..=LOGIN_CHARS => entrance.directory.staff_by_login(&login).await?,
        _ => None,
    };
    let found = found.filter(|staff| !staff.disabled);
    let stored = found.as_ref().and_then(|staff| staff.password_hash.clone());
    let right = entrance.passwords.check(password, stored).await.map_err(unhashed)?;
    let Some(staff) = found.filter(|_| right) else { return Err(Code::CredentialsWrong.into()) };
    if let Some(factor) = entrance.factors.confirmed(staff.id).await? {
        let code = code.ok_or(Code::SecondFactorNeeded)?;
        entrance.factors.check(staff.id, &factor, &code).await?;
    }
    entrance.let_in(staff).await
}

/// A one-time set-up link's form: sets the password and signs in.
pub(crate) async fn set_up(
    State(entrance): State<Entrance>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(SetUp { token, password }): Json<SetUp>,
) -> Result<Response, Refused> {
    let (hash, now) = (crate::auth::hash(&token), entrance.clock.now());
    // By the link, not for all of an address: a whole office sets its passwords on one morning.
    rates.sign_in(&hex32::encode(&hash), from)?;
    let id = entrance.directory.peek_setup_token(hash, now).await?.ok_or(Code::SetupLinkInvalid)?;
    let staff = entrance.directory.staff(id).await?;
    if !strong_enough(&password, &staff.login) {
        return Err(Code::PasswordTooWeak.into());
    }
    let password_hash = entrance.passwords.hash(password).await.map_err(unhashed)?;
    // Used up only now: a refused password must not cost the link.
    if entrance.directory.take_setup_token(hash, now).await? != Some(id) {
        return Err(Code::SetupLinkInvalid.into());
    }
    entrance.directory.set_password(id, password_hash).await?;
    // Whoever reads somebody's mail has one factor, not two.
    if entrance.factors.confirmed(id).await?.is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    entrance.let_in(staff).await
}

impl Entrance {
    async fn let_in(&self, staff: StaffRow) -> Result<Response, Refused> {
        let value = crate::auth::secret(&*self.random).map_err(|_| Code::Busy)?;
        let now = self.clock.now();
        let session = StaffSession {
            token_hash: crate::auth::hash(&value),
            staff: staff.id,
            expires_at: now + Span(LIFETIME.0),
        };
        self.directory.add_staff_session(session).await?;
        let entry = AuditEntry {
            at: now,
            centre: staff.centre,
            staff: Some(staff.id),
            action: "signed_in".to_owned(),
            object: staff.id.to_string(),
        };
        self.directory.audit(entry).await?;
        let me = self.describe(&staff).await?;
        Ok(([(SET_COOKIE, cookie::set(&value, &self.options))], axum::Json(me)).into_response())
    }

    async fn describe(&self, staff: &StaffRow) -> Result<Me, Refused> {
        let centre = self.directory.centre(staff.centre).await?;
        Ok(Me {
            staff: staff.id.0,
            login: staff.login.clone(),
            name: staff.name.clone(),
            roles: staff.roles.iter().copied().map(convert::role).collect(),
            centre: Text { kk: centre.name_kk, ru: centre.name_ru },
            second_factor_due: self.factors.due(staff.id).await?,
        })
    }
}

/// Ends this browser's sign-in.
pub(crate) async fn sign_out(
    State(entrance): State<Entrance>,
    State(peers): State<Arc<Peers>>,
    who: Who,
) -> Result<Response, Refused> {
    entrance.directory.end_staff_session(who.cookie).await?;
    peers.close_all(Owner::Staff(who.cookie)).await;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::clear(&entrance.options))]).into_response())
}

/// Who one is.
pub(crate) async fn me(State(entrance): State<Entrance>, who: Who) -> Result<axum::Json<Me>, Refused> {
    Ok(axum::Json(entrance.describe(&who.staff).await?))
}

/// A one-time ticket for the wall's socket.
pub(crate) async fn ticket(
    State(tickets): State<Arc<Tickets>>,
    State(rates): State<Arc<Rates>>,
    State(factors): State<Factors>,
    who: Who,
) -> Result<axum::Json<Ticket>, Refused> {
    rates.ticket(who.staff.id.0)?;
    if factors.due(who.staff.id).await? {
        return Err(Code::SecondFactorDue.into());
    }
    let bearer = Bearer::Staff { staff: Box::new(who.staff), cookie: who.cookie };
    Ok(axum::Json(Ticket { ticket: issue(&tickets, bearer)? }))
}

fn unhashed(error: PasswordError) -> Refused {
    tracing::error!(error = &error as &dyn std::error::Error, "a password was neither checked nor set");
    Problem::new(Code::Busy).into()
}

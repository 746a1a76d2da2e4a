//! One-time links by which somebody sets a password: for the newly invited, and for whoever forgot theirs.

use crate::auth::rate::{From, Rates};
use crate::body::Json;
use crate::centre::profile::Face;
use crate::doors::{App, Options, Random};
use crate::mail::{Letter, Post};
use crate::problem::Refused;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use std::sync::Arc;
use synaq_core::time::{At, Span};
use synaq_runtime::Clock;
use synaq_store::{Directory, StaffRow};
use synaq_wire::problem::Code;
use synaq_wire::staff::Forgot;

/// Long enough for a weekend.
pub(crate) const VALID: Span = Span::mins(72 * 60);

/// Makes set-up links.
#[derive(Clone)]
pub(crate) struct SetupLinks {
    directory: Arc<dyn Directory>,
    options: Arc<Options>,
    clock: Arc<dyn Clock>,
    random: Random,
}

impl FromRef<App> for SetupLinks {
    fn from_ref(app: &App) -> Self {
        Self {
            directory: FromRef::from_ref(app),
            options: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
        }
    }
}

/// A link that leaves once: in a letter, or on the page of whoever asked for it.
pub(crate) struct SetupLink {
    pub(crate) url: String,
    pub(crate) until: At,
}

impl SetupLinks {
    /// A fresh link; earlier ones of that person stay good until they are over.
    pub(crate) async fn make(&self, staff: &StaffRow) -> Result<SetupLink, Refused> {
        let token = crate::auth::secret(&*self.random).map_err(|_| Code::Busy)?;
        let until = self.clock.now() + VALID;
        self.directory.add_setup_token(crate::auth::hash(&token), staff.id, until).await?;
        Ok(SetupLink { url: format!("{}/centre/setup/{token}", self.options.public_origin()), until })
    }
}

/// A letter with a link for a new password, if there is such a person with an address. The answer never tells.
pub(crate) async fn forgot(
    State(directory): State<Arc<dyn Directory>>,
    State(links): State<SetupLinks>,
    State(post): State<Post>,
    State(rates): State<Arc<Rates>>,
    State(face): State<Face>,
    From(from): From,
    Json(Forgot { login }): Json<Forgot>,
) -> Result<StatusCode, Refused> {
    rates.sign_in(&login, from)?;
    if !post.is_open() {
        return Err(Code::MailOff.into());
    }
    let staff = directory.staff_by_login(&login).await?.filter(|staff| !staff.disabled);
    if let Some(staff) = staff
        && let Some(to) = staff.mail.clone()
        // Whoever asks for somebody else's must not fill their letter box.
        && rates.letter(staff.id.0).is_ok()
    {
        let link = links.make(&staff).await?;
        let content = crate::mail::password(&staff, &face.sender(staff.centre).await?, &link.url, link.until);
        let letter = Letter { kind: "password", about: staff.id.to_string(), to, content };
        post.send(staff.centre, vec![letter]).await?;
    }
    Ok(StatusCode::ACCEPTED)
}

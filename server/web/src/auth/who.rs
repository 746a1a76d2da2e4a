//! Staff by cookie. The route table names the roles; this layer holds each route to it.

use super::cookie;
use crate::doors::{App, Options};
use crate::problem::Refused;
use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use synaq_runtime::Clock;
use synaq_store::{Directory, Personnel, Role, StaffRow};
use synaq_wire::problem::Code;

/// Whose page it is that asks. In one browser the cookie changes under an open page when somebody else signs in in
/// another tab: what was typed by one must not go out as the other.
const PAGE_OF: &str = "synaq-staff";

/// A signed-in member of staff. Only the layer of a staff route makes one.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) staff: StaffRow,
    /// Hash of the cookie it came with
    pub(crate) cookie: [u8; 32],
}

/// Lets in staff that have one of `roles`; any role if there are none named.
pub(crate) async fn staff_only(
    State((app, roles)): State<(App, &'static [Role])>,
    mut request: Request,
    next: Next,
) -> Response {
    match sign_in_of(&app, request.headers(), roles).await {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

async fn sign_in_of(app: &App, headers: &HeaderMap, roles: &[Role]) -> Result<Who, Refused> {
    let options = Arc::<Options>::from_ref(app);
    let value = cookie::read(headers, &options).ok_or(Code::SignInRequired)?;
    let cookie = super::hash(value);
    let now = Arc::<dyn Clock>::from_ref(app).now();
    let staff = Arc::<dyn Directory>::from_ref(app).staff_session(cookie, now).await?;
    let staff = staff.filter(|staff| is_page_of(headers, staff)).ok_or(Code::SignInRequired)?;
    // One's own account, where a second factor is set up, is open to any role.
    if !roles.is_empty() && Arc::<dyn Personnel>::from_ref(app).factor_due(staff.id).await? {
        return Err(Code::SecondFactorDue.into());
    }
    if roles.is_empty() || roles.iter().any(|role| staff.roles.contains(role)) {
        return Ok(Who { staff, cookie });
    }
    Err(Code::RoleMissing.into())
}

fn is_page_of(headers: &HeaderMap, staff: &StaffRow) -> bool {
    headers.get(PAGE_OF).is_none_or(|page| page.to_str().is_ok_and(|page| page == staff.id.to_string()))
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        // Absent only if the table forgot the layer: closed, then.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Code::SignInRequired.into())
    }
}

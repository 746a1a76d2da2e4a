//! The HTTP and WebSocket front door: one folder per audience. A handler authorises, parses, submits, translates;
//! rules live in core, rows in the store.

#![expect(
    clippy::result_large_err,
    reason = "a problem is the answer itself; boxing each would only hide it"
)]

mod admission;
mod auth;
mod body;
mod calm;
mod candidate;
mod centre;
mod commission;
mod convert;
mod doors;
mod errors;
mod evidence;
mod form;
mod fresh;
mod guard;
mod line_stills;
mod mail;
mod meters;
mod ops;
mod owner;
mod pages;
mod peers;
mod playback;
mod problem;
mod proctor;
mod query;
mod refusals;
mod room;
mod routes;
mod sdp;
mod sight;
mod socket;
mod staff;
#[cfg(test)]
mod tests;
mod timeline;

pub use admission::{Limits, Queue};
pub use auth::link::LinkKey;
pub use auth::password::{PasswordError, hash_password};
pub use doors::{Doors, Options, Random};
pub use evidence::{Erased, Evidence, Opened, Plain};
pub use mail::{Content, PostOffice};
pub use ops::Drain;
pub use playback::{CLIP_AFTER_MS, CLIP_BEFORE_MS, ClipOf, cut_between};
pub use room::{Left, Room};
pub use routes::{Audience, Route, routes};
pub use sight::Sight;
pub use synaq_wire::candidate::Seen;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use doors::App;
use guard::{Guard, guard};
use problem::Refused;
use synaq_wire::problem::Code;

/// The whole front door. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that limits know who
/// asks.
pub fn router(options: Options, doors: Doors) -> Router {
    let app = App::new(options, doors);
    let gate = Guard::new(FromRef::from_ref(&app), FromRef::from_ref(&app));
    routes::router(&app)
        .fallback(async || Refused::from(Code::NotFound))
        .method_not_allowed_fallback(async || Refused::from(Code::MethodNotAllowed))
        .layer(from_fn_with_state(gate, guard))
        .with_state(app)
}

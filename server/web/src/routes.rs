//! Every address of the front door, with who may come: the router is built from this table, and tests walk it.

use crate::auth::who::staff_only;
use crate::doors::App;
use crate::{candidate, centre, commission, ops, pages, playback, proctor, staff};
use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use synaq_store::Role;
use tower_http::compression::CompressionLayer;

/// Who may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Anybody; secrets, if any, are in the body
    Public,
    /// A candidate's device: `Authorization: Bearer <session>.<device_key>`
    Device,
    /// Whoever holds a personal link: `Authorization: Link <link>`
    Link,
    /// Whoever holds a one-time ticket
    Ticket,
    /// Staff with one of these roles; any role if there are none
    Staff(&'static [Role]),
}

/// A line of the table.
pub struct Route {
    /// Which method
    pub method: Method,
    /// Path as axum writes patterns
    pub path: &'static str,
    /// Who may come
    pub audience: Audience,
    serve: MethodRouter<App>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.audience)
    }
}

const ANYBODY: Audience = Audience::Public;
const DEVICE: Audience = Audience::Device;
const LINK: Audience = Audience::Link;
const TICKET: Audience = Audience::Ticket;
const STAFF: Audience = Audience::Staff(&[]);
const CENTRE: Audience = Audience::Staff(&[Role::Centre]);
/// What a centre does, for whoever checks that.
const CENTRE_SEEN: Audience = Audience::Staff(&[Role::Centre, Role::Auditor]);
/// Banks and programmes.
const LIBRARY: Audience = Audience::Staff(&[Role::Centre, Role::Author]);
const LIBRARY_SEEN: Audience = Audience::Staff(&[Role::Centre, Role::Author, Role::Auditor]);
/// A result with its evidence and record.
const REVIEW: Audience = Audience::Staff(&[Role::Centre, Role::Commission]);
const REVIEW_SEEN: Audience = Audience::Staff(&[Role::Centre, Role::Commission, Role::Auditor]);
/// Whoever watches over an exam, rules on it, or checks those who do.
const WATCH: Audience = Audience::Staff(&[Role::Proctor, Role::Centre, Role::Commission, Role::Auditor]);
const COMMISSION: Audience = Audience::Staff(&[Role::Commission]);
const COMMISSION_SEEN: Audience = Audience::Staff(&[Role::Commission, Role::Auditor]);
const PROCTOR: Audience = Audience::Staff(&[Role::Proctor]);

macro_rules! table {
    ($($method:ident $verb:ident $path:literal $audience:ident $serve:path;)+) => {
        vec![$(Route {
            method: Method::$method,
            path: $path,
            audience: $audience,
            serve: $verb($serve),
        },)+]
    };
}

/// The whole table.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn routes() -> Vec<Route> {
    table! {
        GET get "/" ANYBODY pages::landing;
        GET get "/c/{link}" ANYBODY pages::candidate;
        GET get "/c/{link}/{*below}" ANYBODY pages::candidate;
        GET get "/proctor" ANYBODY pages::proctor;
        GET get "/proctor/" ANYBODY pages::proctor;
        GET get "/proctor/{*below}" ANYBODY pages::proctor;
        GET get "/centre" ANYBODY pages::centre;
        GET get "/centre/" ANYBODY pages::centre;
        GET get "/centre/{*below}" ANYBODY pages::centre;
        GET get "/assets/{*file}" ANYBODY pages::asset;
        GET get "/sw.js" ANYBODY pages::worker;
        GET get "/errors/{code}" ANYBODY pages::error;
        GET get "/healthz" ANYBODY ops::health;
        GET get "/.well-known/jwks.json" ANYBODY ops::jwks;

        POST post "/api/v1/candidate/open" ANYBODY candidate::open;
        POST post "/api/v1/candidate/bind" ANYBODY candidate::bind;
        POST post "/api/v1/candidate/ticket" DEVICE candidate::ticket;
        GET get "/api/v1/candidate/socket" TICKET candidate::socket;
        PUT put "/api/v1/candidate/photos/{kind}" DEVICE candidate::put_photo;
        PUT put "/api/v1/candidate/still" DEVICE candidate::put_still;
        GET get "/api/v1/candidate/coach" DEVICE candidate::coach;
        GET get "/api/v1/candidate/local" DEVICE candidate::local_held;
        POST post "/api/v1/candidate/local" DEVICE candidate::put_local;
        POST post "/api/v1/candidate/whip" DEVICE candidate::whip;
        DELETE delete "/api/v1/candidate/whip/{resource}" DEVICE candidate::close_whip;

        POST post "/api/v1/candidate/log" ANYBODY candidate::own_log;
        POST post "/api/v1/candidate/receipts" ANYBODY candidate::receipts;
        POST post "/api/v1/candidate/clips/{incident}" ANYBODY candidate::own_clip;
        GET get "/api/v1/candidate/pieces/{token}" ANYBODY candidate::own_piece;

        PUT put "/api/v1/candidate/trial" LINK candidate::leave_trial;
        POST post "/api/v1/candidate/trial/line" LINK candidate::trial_line;
        POST post "/api/v1/candidate/trial/picture" LINK candidate::trial_picture;

        POST post "/api/v1/staff/sign-in" ANYBODY staff::sign_in;
        POST post "/api/v1/staff/setup" ANYBODY staff::set_up;
        POST post "/api/v1/staff/forgot" ANYBODY staff::forgot;
        POST post "/api/v1/staff/sign-out" STAFF staff::sign_out;
        GET get "/api/v1/staff/me" STAFF staff::me;
        POST post "/api/v1/staff/ticket" STAFF staff::ticket;
        GET get "/api/v1/staff/second-factor" STAFF staff::factor::show;
        POST post "/api/v1/staff/second-factor" STAFF staff::factor::offer;
        POST post "/api/v1/staff/second-factor/confirm" STAFF staff::factor::confirm;
        POST post "/api/v1/staff/second-factor/remove" STAFF staff::factor::remove;

        GET get "/api/v1/proctor/sittings" PROCTOR proctor::sittings;
        GET get "/api/v1/proctor/socket" TICKET proctor::socket;
        GET get "/api/v1/proctor/sittings/{sitting}/notes" PROCTOR proctor::notes;
        POST post "/api/v1/proctor/sittings/{sitting}/notes" PROCTOR proctor::add_note;
        GET get "/api/v1/proctor/sessions/{session}/link" PROCTOR proctor::link;
        POST post "/api/v1/proctor/sessions/{session}/link" PROCTOR proctor::mail_link;
        GET get "/api/v1/centre/duty" CENTRE proctor::centre_duty;
        GET get "/api/v1/proctor/sessions/{session}/still" PROCTOR proctor::still;
        GET get "/api/v1/proctor/sessions/{session}/photos/{kind}" PROCTOR proctor::photo;
        POST post "/api/v1/proctor/sessions/{session}/whep" PROCTOR proctor::whep;
        PUT put "/api/v1/proctor/whep/{resource}" PROCTOR proctor::resize_whep;
        DELETE delete "/api/v1/proctor/whep/{resource}" PROCTOR proctor::close_whep;

        GET get "/api/v1/centre/staff" CENTRE_SEEN centre::people::list;
        POST post "/api/v1/centre/staff" CENTRE centre::people::invite;
        POST post "/api/v1/centre/staff/{staff}" CENTRE centre::people::edit;
        POST post "/api/v1/centre/staff/{staff}/link" CENTRE centre::people::link;
        POST post "/api/v1/centre/staff/{staff}/second-factor/reset" CENTRE centre::people::reset_factor;
        POST post "/api/v1/centre/second-factor" CENTRE centre::people::set_factor_rule;
        GET get "/api/v1/centre/profile" CENTRE_SEEN centre::profile::show;
        POST post "/api/v1/centre/profile" CENTRE centre::profile::save;
        GET get "/api/v1/centre/log" CENTRE_SEEN centre::log::show;
        GET get "/api/v1/centre/banks" LIBRARY_SEEN centre::banks;
        POST post "/api/v1/centre/banks" LIBRARY centre::import_bank;
        GET get "/api/v1/centre/banks/{bank}" LIBRARY_SEEN centre::bank;
        GET get "/api/v1/centre/programmes" LIBRARY_SEEN centre::programmes;
        POST post "/api/v1/centre/programmes" LIBRARY centre::import_programme;
        POST post "/api/v1/centre/programmes/compose" LIBRARY centre::compose_programme;
        GET get "/api/v1/centre/programmes/{programme}" LIBRARY_SEEN centre::programme;
        POST post "/api/v1/centre/banks/gift" LIBRARY centre::import_gift;
        GET get "/api/v1/centre/sittings" CENTRE_SEEN centre::sittings;
        POST post "/api/v1/centre/sittings" CENTRE centre::create_sitting;
        GET get "/api/v1/centre/sittings/{sitting}" CENTRE_SEEN centre::sitting;
        POST post "/api/v1/centre/sittings/{sitting}/candidates" CENTRE centre::add_candidates;
        POST post "/api/v1/centre/sittings/{sitting}/candidate" CENTRE centre::add_candidate;
        POST post "/api/v1/centre/sittings/{sitting}/change" CENTRE centre::change_sitting;
        POST post "/api/v1/centre/sittings/{sitting}/cancel" CENTRE centre::cancel_sitting;
        GET get "/api/v1/centre/sittings/{sitting}/clock" CENTRE_SEEN centre::clock;
        GET get "/api/v1/centre/sittings/{sitting}/letters" CENTRE centre::exam_letters;
        POST post "/api/v1/centre/sittings/{sitting}/letters" CENTRE centre::send_links;
        GET get "/api/v1/centre/candidates/{session}" CENTRE centre::candidate;
        POST post "/api/v1/centre/candidates/{session}/change" CENTRE centre::change_candidate;
        POST post "/api/v1/centre/candidates/{session}/withdraw" CENTRE centre::withdraw_candidate;
        POST post "/api/v1/centre/candidates/{session}/void" CENTRE centre::void_attempt;
        GET get "/api/v1/centre/overview" CENTRE_SEEN centre::overview;
        GET get "/api/v1/centre/figures" CENTRE_SEEN centre::figures;
        GET get "/api/v1/centre/results" CENTRE_SEEN centre::results;
        GET get "/api/v1/centre/results/export" CENTRE_SEEN centre::export_results;
        GET get "/api/v1/centre/sessions/{session}" REVIEW_SEEN centre::session;
        GET get "/api/v1/centre/sessions/{session}/evidence/{name}" REVIEW_SEEN centre::evidence;
        GET get "/api/v1/centre/sessions/{session}/evidence/{name}/{index}" REVIEW_SEEN centre::still;
        GET get "/api/v1/centre/sessions/{session}/recordings/{name}" REVIEW_SEEN centre::recording;
        POST post "/api/v1/centre/sessions/{session}/hold" REVIEW centre::place_hold;
        POST post "/api/v1/centre/sessions/{session}/hold/lift" REVIEW centre::lift_hold;
        GET get "/api/v1/centre/sessions/{session}/bundle" REVIEW_SEEN centre::bundle;

        GET get "/api/v1/playback/{session}" WATCH playback::view;
        GET get "/api/v1/playback/{session}/clips/{incident}" WATCH playback::clip;
        GET get "/api/v1/playback/pieces/{token}" WATCH playback::piece;

        GET get "/api/v1/commission/records" COMMISSION_SEEN centre::records;
        GET get "/api/v1/commission/records/export" COMMISSION_SEEN centre::export_records;
        POST post "/api/v1/commission/records/{session}/approve" COMMISSION commission::approve;
    }
}

/// The router of the table, without what every request passes.
pub(crate) fn router(app: &App) -> Router<App> {
    routes().into_iter().fold(Router::new(), |router, route| {
        let serve = match route.audience {
            Audience::Staff(roles) => {
                route.serve.route_layer(from_fn_with_state((app.clone(), roles), staff_only))
            }
            Audience::Public | Audience::Device | Audience::Link | Audience::Ticket => route.serve,
        };
        // Pages and their files hold no secret, so their length may depend on their content; API answers are never
        // compressed, a poor link's first load always is.
        let page = !route.path.starts_with("/api/");
        router.route(route.path, if page { serve.layer(CompressionLayer::new()) } else { serve })
    })
}

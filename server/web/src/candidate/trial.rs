//! The trial run by the personal link, any time before the exam: the line is measured, one picture is looked at, a note
//! is left for the proctor. Binds no device and submits nothing to the session.

use super::still::as_jpeg;
use crate::auth::link::LinkKey;
use crate::auth::rate::{From, Rates};
use crate::body::{self, Json};
use crate::calm::Calm;
use crate::doors::{App, Watching};
use crate::problem::Refused;
use crate::sight::GLANCE_PATIENCE;
use axum::extract::{FromRef, FromRequestParts, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};
use synaq_core::ids::SessionId;
use synaq_core::proctoring::Code as Incident;
use synaq_core::session::Stage;
use synaq_runtime::{Clock, Handle, Snapshot, SubmitError};
use synaq_store::{Directory, TrialRow};
use synaq_wire::candidate::{CoachSays, Seen};
use synaq_wire::limits::{STILL_BYTES, STILL_EVERY_MS, TRIAL_LINE_BYTES};
use synaq_wire::problem::{Code, Problem};
use synaq_wire::trial::{TrialReport, TrialView};

/// Names of browsers and cameras, in characters.
const LABEL_CHARS: usize = 120;

/// `Authorization: Link <link>`: whoever holds a personal link, before the exam. In a header, because the body is a
/// picture or a load, and an address would be written down on the way.
pub(crate) struct Holder {
    session: SessionId,
    snapshot: Snapshot,
}

impl FromRequestParts<App> for Holder {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let rates = Arc::<Rates>::from_ref(app);
        let From(from) = From::from_request_parts(parts, app).await.unwrap_or_else(|never| match never {});
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let link = header.and_then(|header| header.strip_prefix("Link ")).unwrap_or_default();
        let Some(session) = LinkKey::from_ref(app).session(link) else {
            rates.wrong_link(from)?;
            return Err(Code::LinkInvalid.into());
        };
        rates.trial(session)?;
        let snapshot = match Handle::from_ref(app).look(session).await {
            Err(SubmitError::NotFound) => return Err(Code::LinkInvalid.into()),
            looked => looked?,
        };
        let state = snapshot.session.state();
        if !matches!(state.stage, Stage::Absent | Stage::Preparing) {
            return Err(Code::WrongStage.into());
        }
        let now = Arc::<dyn Clock>::from_ref(app).now();
        if state.closes_at.is_some_and(|closes_at| now > closes_at) {
            return Err(Code::LinkExpired.into());
        }
        Ok(Self { session, snapshot })
    }
}

/// What comes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Bytes
    down: usize,
}

/// Takes what is sent and answers as many bytes as are asked for: both ways of the line, by the page's own clock.
pub(crate) async fn line(
    _: Calm,
    _: Holder,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response, Refused> {
    if wanted.down > TRIAL_LINE_BYTES {
        return Err(Problem::new(Code::OutOfLimits)
            .detail(format!("down is at most {TRIAL_LINE_BYTES}"))
            .into());
    }
    body::read(request.into_body(), TRIAL_LINE_BYTES, Code::BodyTooLarge).await?;
    Ok(LOAD.slice(..wanted.down).into_response())
}

/// Nothing on the way can make it smaller.
static LOAD: LazyLock<Bytes> = LazyLock::new(|| {
    let blocks = (0_u64..).map(|block| synaq_seal::sha256(&block.to_be_bytes()).0);
    blocks.flatten().take(TRIAL_LINE_BYTES).collect()
});

/// What the detectors make of one picture; it is kept nowhere.
pub(crate) async fn picture(
    _: Calm,
    holder: Holder,
    State(Watching(sight)): State<Watching>,
    State(rates): State<Arc<Rates>>,
    request: Request,
) -> Result<axum::Json<CoachSays>, Refused> {
    let says = |seen| Ok(axum::Json(CoachSays { seen, next_ms: STILL_EVERY_MS }));
    let switched_off = &holder.snapshot.session.context().rules.switched_off;
    let Some(sight) = sight.filter(|_| !switched_off.contains(&Incident::NoFace)) else { return says(None) };
    rates.still(holder.session)?;
    body::accept(request.headers(), &["image/jpeg"])?;
    let sent = body::read(request.into_body(), STILL_BYTES, Code::BodyTooLarge).await?;
    let Some(asked) = sight.glance(as_jpeg(sent).await?, switched_off) else {
        return says(Some(Seen::Unknown));
    };
    let seen = tokio::time::timeout(GLANCE_PATIENCE, asked).await.ok().and_then(Result::ok);
    says(Some(seen.unwrap_or(Seen::Unknown)))
}

/// Leaves the note; the newest one stands.
pub(crate) async fn leave(
    holder: Holder,
    State(directory): State<Arc<dyn Directory>>,
    State(clock): State<Arc<dyn Clock>>,
    Json(report): Json<TrialReport>,
) -> Result<StatusCode, Refused> {
    for label in [&report.browser, &report.camera_label] {
        if label.chars().count() > LABEL_CHARS || label.chars().any(char::is_control) {
            let detail = format!("a name of a browser or camera has at most {LABEL_CHARS} characters");
            return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
        }
    }
    if report.lost_pct > 100 {
        return Err(Problem::new(Code::OutOfLimits).detail("lost_pct is at most 100").into());
    }
    let report = serde_json::to_string(&report).map_err(|_| Code::Internal)?;
    directory.put_trial(TrialRow { session: holder.session, at: clock.now(), report }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The note of a session, as the proctor sees it. One of a shape that is no longer known is none.
pub(crate) fn trial_view(row: &TrialRow) -> Option<TrialView> {
    Some(TrialView { at: row.at.0, report: serde_json::from_str(&row.report).ok()? })
}

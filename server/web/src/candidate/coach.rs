//! "We can see your face": what the detectors would make of the picture, told to the candidate before the exam.

use crate::auth::device::Device;
use crate::auth::rate::Rates;
use crate::calm::Calm;
use crate::doors::Watching;
use crate::problem::Refused;
use crate::sight::GLANCE_PATIENCE;
use axum::extract::State;
use std::sync::Arc;
use std::time::Duration;
use synaq_core::proctoring::Code as Incident;
use synaq_core::session::Stage;
use synaq_media::Handle as Media;
use synaq_wire::candidate::{CoachSays, Seen};
use synaq_wire::limits::STILL_EVERY_MS;
use synaq_wire::problem::Code;

/// An older picture says nothing about how somebody sits now.
const FRESH: Duration = Duration::from_secs(15);

/// Looks at the newest still of the video. Never in the way of anything: whatever cannot be told is `unknown`.
pub(crate) async fn show(
    _: Calm,
    State(media): State<Media>,
    State(Watching(sight)): State<Watching>,
    State(rates): State<Arc<Rates>>,
    device: Device,
) -> Result<axum::Json<CoachSays>, Refused> {
    device.in_charge()?;
    let state = device.snapshot.session.state();
    // Once the clock runs, what is seen is a matter of incidents and of people.
    if !matches!(state.stage, Stage::Preparing) || state.consent.is_none() {
        return Err(Code::WrongStage.into());
    }
    let says = |seen| Ok(axum::Json(CoachSays { seen, next_ms: STILL_EVERY_MS }));
    let switched_off = &device.snapshot.session.context().rules.switched_off;
    let Some(sight) = sight.filter(|_| !switched_off.contains(&Incident::NoFace)) else { return says(None) };
    rates.still(device.session)?;
    let still = media.still(device.session.0).filter(|still| still.taken.elapsed() < FRESH);
    let Some(asked) = still.and_then(|still| sight.glance(still.webp, switched_off)) else {
        return says(Some(Seen::Unknown));
    };
    let seen = tokio::time::timeout(GLANCE_PATIENCE, asked).await.ok().and_then(Result::ok);
    says(Some(seen.unwrap_or(Seen::Unknown)))
}

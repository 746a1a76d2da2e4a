//! The candidate's camera and microphone.

use crate::auth::device::Device;
use crate::auth::rate::Rates;
use crate::calm::Calm;
use crate::peers::{Owner, Peers};
use crate::problem::Refused;
use crate::sdp;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use synaq_core::session::Stage;
use synaq_media::Handle;
use synaq_runtime::Handle as Runtime;
use synaq_wire::problem::Code;

/// Takes an offer. An earlier publisher of the session is replaced.
pub(crate) async fn publish(
    _: Calm,
    State(runtime): State<Runtime>,
    State(media): State<Handle>,
    State(peers): State<Arc<Peers>>,
    State(rates): State<Arc<Rates>>,
    device: Device,
    request: Request,
) -> Result<Response, Refused> {
    device.in_charge()?;
    let state = device.snapshot.session.state();
    if matches!(state.stage, Stage::Closed { .. }) {
        return Err(Code::ExamEnded.into());
    }
    // NB-19, Q-11: nothing is recorded before the candidate has agreed to it.
    if state.consent.is_none() {
        return Err(Code::StepMissing.into());
    }
    rates.offer(device.session.0)?;
    let offer = sdp::offer(request).await?;
    let answer = if device.snapshot.session.wants_screen() {
        media.publish_with_screen(device.session.0, offer).await?
    } else {
        media.publish(device.session.0, offer).await?
    };
    // A slow offer may outlast the exam. From here on whoever ends the exam's media finds this publisher.
    if matches!(runtime.look(device.session).await?.session.state().stage, Stage::Closed { .. }) {
        media.close_session(device.session.0).await;
        return Err(Code::ExamEnded.into());
    }
    peers.keep(answer.resource, Owner::Candidate(device.session));
    Ok(sdp::created(answer, "/api/v1/candidate/whip"))
}

/// Stops publishing.
pub(crate) async fn close(
    State(peers): State<Arc<Peers>>,
    Path(resource): Path<String>,
    device: Device,
) -> Result<StatusCode, Refused> {
    peers.close(&resource, Owner::Candidate(device.session)).await?;
    Ok(StatusCode::NO_CONTENT)
}

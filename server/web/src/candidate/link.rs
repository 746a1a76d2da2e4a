//! From a personal link to a bound device and a ticket.

use crate::admission::{Admission, goes_first};
use crate::auth::device::{Credential, Device, KnownDevices, device_hash};
use crate::auth::link::LinkKey;
use crate::auth::rate::{From, Rates};
use crate::auth::ticket::{Bearer, TicketError, Tickets};
use crate::body::Json;
use crate::centre::profile::Face;
use crate::convert;
use crate::problem::Refused;
use axum::extract::State;
use std::net::IpAddr;
use std::sync::Arc;
use synaq_core::ids::{SessionId, TabId};
use synaq_core::session::{Effect, Input, Refusal, Stage};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock, Handle, Snapshot, SubmitError};
use synaq_wire::candidate::{BindDevice, Bound, LinkInfo, OpenLink, Text, Ticket, TicketRequest};
use synaq_wire::problem::{Code, Problem};

/// The end screen stays reachable for so long, for the result and the appeal.
const END_SCREEN: Span = Span::mins(30 * 24 * 60);

/// What a link leads to. Changes nothing: mail scanners open links too.
pub(crate) async fn open(
    State(runtime): State<Handle>,
    State(face): State<Face>,
    State(links): State<LinkKey>,
    State(clock): State<Arc<dyn Clock>>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(body): Json<OpenLink>,
) -> Result<axum::Json<LinkInfo>, Refused> {
    let session = whose(&body.link, &links, &rates, from)?;
    let now = clock.now();
    let (snapshot, until) = behind(session, &runtime).await?;
    let ended = matches!(snapshot.session.state().stage, Stage::Closed { .. });
    // Whoever sat the exam may read of it for as long as it is kept.
    if !ended && now > until {
        return Err(Code::LinkExpired.into());
    }
    let row = face.directory.session(snapshot.id).await?;
    let (state, programme) = (snapshot.session.state(), &snapshot.session.context().programme);
    let minutes = (state.planned + state.extra).0 / Span::mins(1).0;
    Ok(axum::Json(LinkInfo {
        session: snapshot.id.0,
        candidate: row.candidate.candidate.name,
        contacts: face.contacts(&row.centre).await?,
        centre: Text { kk: row.centre.name_kk, ru: row.centre.name_ru },
        programme: convert::text(&programme.title),
        languages: programme.plan.languages.iter().copied().map(convert::lang).collect(),
        questions: programme.plan.questions(),
        minutes: u16::try_from(minutes).unwrap_or(u16::MAX),
        opens_at: row.sitting.opens_at.0,
        closes_at: row.sitting.closes_at.0,
        bound: state.binding.is_some(),
        screen: snapshot.session.wants_screen(),
        ended,
        server_time: now.0,
    }))
}

/// The button: binds the first device; another one learns that it will wait.
pub(crate) async fn bind(
    State(runtime): State<Handle>,
    State(links): State<LinkKey>,
    State(clock): State<Arc<dyn Clock>>,
    State(devices): State<Arc<KnownDevices>>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(body): Json<BindDevice>,
) -> Result<axum::Json<Bound>, Refused> {
    let session = whose(&body.link, &links, &rates, from)?;
    let device = device_hash(&body.device_key)
        .ok_or_else(|| Problem::new(Code::BodyMalformed).detail("device_key is base64url of 32 bytes"))?;
    let (snapshot, until) = behind(session, &runtime).await?;
    if clock.now() > until {
        return Err(Code::LinkExpired.into());
    }
    let done = runtime.submit(snapshot.id, Input::Bind { device, tab: TabId(body.tab) }).await?;
    let refusal = done.effects.iter().find_map(|effect| match effect {
        Effect::Refused(refusal) => Some(refusal),
        _ => None,
    });
    if let Some(refusal) = refusal
        && *refusal != Refusal::OtherDevice
    {
        return Err(refusal.into());
    }
    devices.add(snapshot.id, device);
    Ok(axum::Json(Bound { session: snapshot.id.0, in_charge: refusal.is_none() }))
}

/// A one-time ticket for the socket; without a free seat a place in the queue.
pub(crate) async fn ticket(
    State(runtime): State<Handle>,
    State(tickets): State<Arc<Tickets>>,
    State(devices): State<Arc<KnownDevices>>,
    State(admission): State<Arc<Admission>>,
    State(rates): State<Arc<Rates>>,
    credential: Credential,
    Json(body): Json<TicketRequest>,
) -> Result<axum::Json<Ticket>, Refused> {
    let Credential { session, device } = credential;
    // Thousands who wait and ask again, or all come back after a cut, must not fill the mailbox that answers go through.
    let (waits, seated) = (admission.is_waiting(session, device), admission.is_seated(session, device));
    let first = if waits || seated {
        false
    } else {
        let known = Device::of(credential, &runtime, &devices).await?;
        goes_first(known.snapshot.session.state())
    };
    rates.ticket(session.0)?;
    admission.enter(session, device, first).admitted()?;
    let bearer = Bearer::Candidate { session, device, tab: TabId(body.tab) };
    Ok(axum::Json(Ticket { ticket: issue(&tickets, bearer)? }))
}

/// A ticket, or why none is left.
pub(crate) fn issue(tickets: &Tickets, bearer: Bearer) -> Result<String, Refused> {
    tickets.issue(bearer).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "no ticket was made");
        let wait_ms = match error {
            TicketError::Full => 5_000,
            TicketError::Entropy => 1_000,
        };
        Problem { retry_after_ms: Some(wait_ms), ..Problem::new(Code::Busy) }.into()
    })
}

/// Counted by link, so that a whole centre behind one address is nobody's rush; by address only what is no link.
pub(super) fn whose(link: &str, links: &LinkKey, rates: &Rates, from: IpAddr) -> Result<SessionId, Refused> {
    let Some(session) = links.session(link) else {
        rates.wrong_link(from)?;
        return Err(Code::LinkInvalid.into());
    };
    rates.link(session)?;
    Ok(session)
}

/// The session, and until when its link binds a device.
async fn behind(session: SessionId, runtime: &Handle) -> Result<(Snapshot, At), Refused> {
    let snapshot = match runtime.look(session).await {
        Err(SubmitError::NotFound) => return Err(Code::LinkInvalid.into()),
        looked => looked?,
    };
    let state = snapshot.session.state();
    if state.called_off.is_some() {
        return Err(Code::CalledOff.into());
    }
    let until = match &state.stage {
        Stage::Absent | Stage::Preparing => state.closes_at.unwrap_or(At(i64::MAX)),
        Stage::Running { .. } => At(i64::MAX),
        Stage::Closed { at, .. } => *at + END_SCREEN,
    };
    Ok((snapshot, until))
}

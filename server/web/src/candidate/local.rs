//! What the candidate's device recorded by itself while nothing reached us: brought later, piece by piece, in order.

use crate::auth::device::Device;
use crate::auth::rate::Rates;
use crate::body;
use crate::evidence::Evidence;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::{Request, State};
use serde::Deserialize;
use std::io;
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::session::limits::LOCAL_PIECES_MAX;
use synaq_core::session::{Effect, EvidenceRef, Input, MediaFact, State as SessionState, local};
use synaq_core::time::{At, Span};
use synaq_runtime::{Clock, Handle};
use synaq_seal::sha256;
use synaq_wire::candidate::{LocalHeld, LocalTaken};
use synaq_wire::limits::LOCAL_BYTES;
use synaq_wire::problem::{Code, Problem};

/// EBML, RFC 8794: every WebM file begins so.
const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];

/// What the device says of a piece, in server time as it knows it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    from: i64,
    span_ms: i64,
    missing_ms: i64,
}

/// What is here already, so that a device begins where it stopped.
pub(crate) async fn held(device: Device) -> Result<axum::Json<LocalHeld>, Refused> {
    device.in_charge()?;
    let state = device.snapshot.session.state();
    Ok(axum::Json(LocalHeld {
        stored: stored(state).map(|piece| piece.sha256.clone()).collect(),
        piece_bytes: u32::try_from(LOCAL_BYTES).unwrap_or(u32::MAX),
        pieces: u32::try_from(LOCAL_PIECES_MAX).unwrap_or(u32::MAX),
    }))
}

/// Takes the next piece. One that is here already is answered as before and stored once.
pub(crate) async fn put(
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(rates): State<Arc<Rates>>,
    State(clock): State<Arc<dyn Clock>>,
    device: Device,
    Query(said): Query<Said>,
    request: Request,
) -> Result<axum::Json<LocalTaken>, Refused> {
    device.in_charge()?;
    rates.piece(device.session)?;
    body::accept(request.headers(), &["video/webm"])?;
    let sent = body::read(request.into_body(), LOCAL_BYTES, Code::BodyTooLarge).await?;
    if !sent.starts_with(EBML) {
        return Err(Problem::new(Code::OutOfLimits).detail("the piece is no WebM file").into());
    }
    let digest = sha256(&sent).to_string();
    // Looked at anew: the body of another try of the same piece may have come meanwhile.
    let snapshot = runtime.look(device.session).await?;
    if let Some(piece) = stored(snapshot.session.state()).find(|piece| piece.sha256 == digest) {
        return Ok(axum::Json(LocalTaken { name: piece.name.clone(), sha256: digest }));
    }
    let number = next(snapshot.session.state());
    let at_all = fact(said, EvidenceRef { name: local::name(number), sha256: digest.clone(), bytes: 1 });
    // Asked before anything is stored: a refused piece leaves no trace.
    refused(&snapshot.session.decide(clock.now(), at_all).effects)?;
    let session = device.session;
    let kept = tokio::task::spawn_blocking(move || keep(&*evidence, session, number, &sent)).await;
    let kept = kept.map_err(|_| Code::Internal)?.map_err(|error| {
        tracing::error!(%session, error = &error as &dyn std::error::Error, "a piece was not stored");
        Code::StoreUnavailable
    })?;
    let taken = LocalTaken { name: kept.name.clone(), sha256: digest };
    refused(&runtime.submit(session, fact(said, kept)).await?.effects)?;
    Ok(axum::Json(taken))
}

fn fact(said: Said, evidence: EvidenceRef) -> Input {
    let (from, span, missing) = (At(said.from), Span(said.span_ms), Span(said.missing_ms));
    Input::Media(MediaFact::Local { evidence, from, span, missing })
}

fn refused(effects: &[Effect]) -> Result<(), Refused> {
    let refusal = effects.iter().find_map(|effect| match effect {
        Effect::Refused(refusal) => Some(refusal),
        _ => None,
    });
    refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
}

fn stored(state: &SessionState) -> impl Iterator<Item = &EvidenceRef> {
    state.evidence.iter().filter(|piece| local::number(&piece.name).is_some())
}

/// The oldest piece that the device has announced, or the one after all.
fn next(state: &SessionState) -> u32 {
    state.local_open().find_map(|name| local::number(name)).unwrap_or(state.local_pieces + 1)
}

/// Under the number, or the next free one: a piece that was sealed right before a crash is on the disk and not yet in
/// the log.
fn keep(evidence: &dyn Evidence, session: SessionId, number: u32, piece: &[u8]) -> io::Result<EvidenceRef> {
    let most = u32::try_from(LOCAL_PIECES_MAX).unwrap_or(u32::MAX);
    for number in number..=number.saturating_add(most) {
        let name = local::name(number);
        match evidence.store(session, &name, piece) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            kept => {
                let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                return kept.map(|()| EvidenceRef { name, sha256: sha256(piece).to_string(), bytes });
            }
        }
    }
    Err(io::ErrorKind::QuotaExceeded.into())
}

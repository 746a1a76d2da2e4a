//! Stills over the exam's own connection: small, bounded, written anew, at the pace the server gives.

use crate::auth::device::Device;
use crate::auth::rate::Rates;
use crate::body;
use crate::calm::Calm;
use crate::doors::Watching;
use crate::evidence::Evidence;
use crate::line_stills::LineStills;
use crate::problem::Refused;
use axum::extract::{Request, State};
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, ImageReader, Limits};
use std::io::{self, Cursor};
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_core::ids::SessionId;
use synaq_core::session::{EvidenceRef, Input, MediaFact, Stage};
use synaq_runtime::Handle;
use synaq_seal::sha256;
use synaq_wire::candidate::StillTaken;
use synaq_wire::limits::{STILL_BYTES, STILL_EVERY_MS, STILL_SIDE_PX};
use synaq_wire::problem::Code;
use tokio::sync::Semaphore;

/// Pictures decoded at once: one takes about a millisecond of a core.
const AT_ONCE_MAX: usize = 2;
static AT_ONCE: Semaphore = Semaphore::const_new(AT_ONCE_MAX);
/// While others wait for a turn, everybody is asked for fewer.
const SLOWER: u32 = 3;
/// One of these goes into the evidence: an hour on stills makes 240 pieces.
const EVIDENCE_EVERY: Duration = Duration::from_secs(15);
/// Of one session: six hours.
const EVIDENCE_MAX: usize = 1_440;
const QUALITY: u8 = 70;
/// Decoded bytes: four per pixel, twice.
const ALLOC_BYTES: u64 = 8 * 640 * 640;

/// Takes a still of the running exam; the wall shows the newest.
#[expect(clippy::too_many_arguments, reason = "each is an extractor of the route")]
pub(crate) async fn put(
    _: Calm,
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(rates): State<Arc<Rates>>,
    State(stills): State<Arc<LineStills>>,
    State(Watching(sight)): State<Watching>,
    device: Device,
    request: Request,
) -> Result<axum::Json<StillTaken>, Refused> {
    device.in_charge()?;
    match device.snapshot.session.state().stage {
        Stage::Running { .. } => {}
        Stage::Closed { .. } => return Err(Code::ExamEnded.into()),
        Stage::Absent | Stage::Preparing => return Err(Code::WrongStage.into()),
    }
    rates.still(device.session)?;
    body::accept(request.headers(), &["image/jpeg"])?;
    let sent = body::read(request.into_body(), STILL_BYTES, Code::BodyTooLarge).await?;
    let next_ms = if AT_ONCE.available_permits() == 0 { STILL_EVERY_MS * SLOWER } else { STILL_EVERY_MS };
    let jpeg = as_jpeg(sent).await?;
    if let Some(sight) = sight {
        sight.take(device.session, jpeg.clone());
    }
    if stills.put(device.session, jpeg.clone(), Instant::now(), EVIDENCE_EVERY) {
        keep(&runtime, evidence, &device, jpeg).await?;
    }
    Ok(axum::Json(StillTaken { next_ms }))
}

async fn keep(
    runtime: &Handle,
    evidence: Arc<dyn Evidence>,
    device: &Device,
    jpeg: Bytes,
) -> Result<(), Refused> {
    let held = &device.snapshot.session.state().evidence;
    let kept = held.iter().filter(|piece| piece.name.starts_with(NAME)).count();
    if kept >= EVIDENCE_MAX {
        return Ok(());
    }
    let session = device.session;
    let stored = tokio::task::spawn_blocking(move || store(&*evidence, session, kept + 1, &jpeg)).await;
    match stored.map_err(|_| Code::Internal)? {
        Ok(stored) => drop(runtime.submit(session, Input::Media(MediaFact::Stored(stored))).await?),
        Err(error) => {
            tracing::error!(%session, error = &error as &dyn std::error::Error, "a still was not stored");
        }
    }
    Ok(())
}

const NAME: &str = "line-still-";

fn store(evidence: &dyn Evidence, session: SessionId, from: usize, jpeg: &[u8]) -> io::Result<EvidenceRef> {
    for number in from..=EVIDENCE_MAX {
        let name = format!("{NAME}{number:04}");
        match evidence.store(session, &name, jpeg) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            stored => {
                let bytes = u64::try_from(jpeg.len()).unwrap_or(u64::MAX);
                return stored.map(|()| EvidenceRef { name, sha256: sha256(jpeg).to_string(), bytes });
            }
        }
    }
    Err(io::ErrorKind::QuotaExceeded.into())
}

/// What was sent, written anew when it is this one's turn.
pub(super) async fn as_jpeg(sent: Bytes) -> Result<Bytes, Refused> {
    let turn = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    let rewritten = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        rewrite(&sent)
    });
    Ok(Bytes::from(rewritten.await.map_err(|_| Code::Internal)?.ok_or(Code::PhotoNotImage)?))
}

/// As a fresh JPEG without metadata; `None` of what is none, or larger than allowed.
fn rewrite(sent: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ImageReader::with_format(Cursor::new(sent), ImageFormat::Jpeg);
    let mut limits = Limits::default();
    limits.max_image_width = Some(STILL_SIDE_PX);
    limits.max_image_height = Some(STILL_SIDE_PX);
    limits.max_alloc = Some(ALLOC_BYTES);
    reader.limits(limits);
    let picture = reader.decode().ok()?.to_rgb8();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).ok()?;
    Some(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = image::RgbImage::new(width, height);
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture).unwrap();
        bytes
    }

    #[test]
    fn only_a_small_jpeg_is_a_still() {
        assert!(rewrite(&jpeg(320, 240)).is_some_and(|still| still.starts_with(b"\xff\xd8\xff")));
        assert!(rewrite(&jpeg(STILL_SIDE_PX + 1, 2)).is_none());
        for bad in [&b""[..], b"hello", b"\xff\xd8\xff", &jpeg(320, 240)[..200]] {
            // A JPEG that breaks off is shown as far as it goes by some decoders: either way it is bounded.
            assert!(rewrite(bad).is_none_or(|still| still.len() < STILL_BYTES));
        }
    }
}

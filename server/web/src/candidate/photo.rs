//! Photos for the identity check: bounded, decoded, and written anew, so that no metadata and no other file comes along.

use crate::auth::device::Device;
use crate::auth::rate::Rates;
use crate::body;
use crate::convert;
use crate::evidence::Evidence;
use crate::problem::Refused;
use axum::extract::{Path, Request, State};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::{self, Cursor};
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::session::{Effect, EvidenceRef, Input, PhotoKind};
use synaq_core::time::At;
use synaq_runtime::{Clock, Handle};
use synaq_seal::sha256;
use synaq_wire::candidate::PhotoStored;
use synaq_wire::limits::{PHOTO_BYTES, PHOTO_SIDE_PX};
use synaq_wire::problem::{Code, Problem};
use tokio::sync::Semaphore;

/// Decoded bytes of one picture; 8192 x 8192 in RGB alone would be three times that.
const ALLOC_BYTES: u64 = 64 * 1024 * 1024;
/// Pictures decoded at once, whatever their number: 4 x 64 MiB.
static AT_ONCE: Semaphore = Semaphore::const_new(4);
/// A proctor compares a face with a document at this size; a phone's photo is made smaller.
const STORED_SIDE_PX: u32 = 1_600;
const STORED_QUALITY: u8 = 85;
/// Photos of one kind in one session: "ask again" twenty times over.
const PER_KIND_MAX: u32 = 200;

/// Stores a photo; the proctor sees the newest one.
pub(crate) async fn put(
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(rates): State<Arc<Rates>>,
    State(clock): State<Arc<dyn Clock>>,
    Path(kind): Path<String>,
    device: Device,
    request: Request,
) -> Result<axum::Json<PhotoStored>, Refused> {
    device.in_charge()?;
    let kind = convert::photo_kind(&kind).ok_or(Code::NotFound)?;
    rates.photo(device.session)?;
    let sent = body::read(request.into_body(), PHOTO_BYTES, Code::PhotoTooLarge).await?;
    let turn = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    let session = device.session;
    let rewritten = tokio::task::spawn_blocking(move || {
        // Held by the work itself, not by a request that may go away.
        let _turn = turn;
        rewrite(&sent)
    });
    let jpeg = rewritten.await.map_err(|_| not_a_picture())??;
    refuse_early(&device, kind, clock.now())?;
    let stored = tokio::task::spawn_blocking(move || store(&*evidence, session, kind, &jpeg));
    let stored = stored.await.map_err(|_| Code::Internal)??;
    let sha256 = stored.sha256.clone();
    let done = runtime.submit(session, Input::Photo { kind, evidence: stored }).await?;
    for effect in &done.effects {
        if let Effect::Refused(refusal) = effect {
            return Err(refusal.into());
        }
    }
    Ok(axum::Json(PhotoStored { sha256 }))
}

/// Asks the rules before anything is stored: a photo at the wrong step leaves no trace.
fn refuse_early(device: &Device, kind: PhotoKind, now: At) -> Result<(), Refused> {
    let evidence = EvidenceRef { name: "asked".to_owned(), sha256: "0".repeat(64), bytes: 1 };
    let decision = device.snapshot.session.decide(now, Input::Photo { kind, evidence });
    match decision.effects.iter().find_map(|effect| match effect {
        Effect::Refused(refusal) => Some(refusal),
        _ => None,
    }) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn store(
    evidence: &dyn Evidence,
    session: SessionId,
    kind: PhotoKind,
    jpeg: &[u8],
) -> Result<EvidenceRef, Refused> {
    for number in 1..=PER_KIND_MAX {
        let name = format!("{}-{number}", convert::photo_name(kind));
        match evidence.store(session, &name, jpeg) {
            Ok(()) => {
                let bytes = u64::try_from(jpeg.len()).unwrap_or(u64::MAX);
                return Ok(EvidenceRef { name, sha256: sha256(jpeg).to_string(), bytes });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                tracing::error!(%session, error = &error as &dyn std::error::Error, "a photo was not stored");
                return Err(Code::StoreUnavailable.into());
            }
        }
    }
    Err(Code::TooManyEvents.into())
}

/// The picture upright, not larger than needed, as a fresh JPEG without metadata.
fn rewrite(sent: &[u8]) -> Result<Vec<u8>, Refused> {
    let reader = ImageReader::new(Cursor::new(sent)).with_guessed_format().map_err(|_| not_a_picture())?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(not_a_picture());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(PHOTO_SIDE_PX);
    limits.max_image_height = Some(PHOTO_SIDE_PX);
    limits.max_alloc = Some(ALLOC_BYTES);
    let mut reader = reader;
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| undecodable(&error))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| undecodable(&error))?;
    picture.apply_orientation(orientation);
    if picture.width() > STORED_SIDE_PX || picture.height() > STORED_SIDE_PX {
        picture = picture.thumbnail(STORED_SIDE_PX, STORED_SIDE_PX);
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, STORED_QUALITY)
        .encode_image(&picture.to_rgb8())
        .map_err(|error| undecodable(&error))?;
    Ok(jpeg)
}

fn undecodable(error: &image::ImageError) -> Refused {
    match error {
        image::ImageError::Limits(_) => {
            let detail = format!("at most {PHOTO_SIDE_PX} pixels on a side");
            Problem::new(Code::PhotoTooLarge).detail(detail).into()
        }
        _ => not_a_picture(),
    }
}

fn not_a_picture() -> Refused {
    Code::PhotoNotImage.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageEncoder, RgbImage};

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = RgbImage::new(width, height);
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.write_image(&picture, width, height, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    fn code(sent: &[u8]) -> Code {
        rewrite(sent).unwrap_err().0.code
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice();
        let cut = &png(640, 480)[..60];
        for sent in [b"".as_slice(), b"hello", b"\xff\xd8\xff", b"GIF89a", svg, cut] {
            assert_eq!(code(sent), Code::PhotoNotImage);
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(code(&bomb), Code::PhotoTooLarge);
    }

    #[test]
    fn a_photo_is_written_anew_and_not_larger_than_needed() {
        let jpeg = rewrite(&png(4_000, 2_000)).unwrap();
        let again = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((again.width(), again.height()), (1_600, 800));
        let mut with_comment = rewrite(&png(64, 48)).unwrap();
        // A comment segment right behind the start mark, as a camera puts its metadata.
        with_comment.splice(2..2, *b"\xff\xfe\x00\x0ameta-gps");
        let clean = rewrite(&with_comment).unwrap();
        assert!(!clean.windows(8).any(|bytes| bytes == b"meta-gps"));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }
}

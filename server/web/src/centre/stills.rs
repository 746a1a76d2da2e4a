//! One picture out of a container of stills. Its layout is the recorder's: `u32 length, u64 milliseconds` (big endian)
//! in front of each WebP file.

use super::Audit;
use super::evidence::{is_name, open};
use crate::auth::who::Who;
use crate::evidence::{Evidence, Plain};
use crate::owner::own;
use crate::playback::Views;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::io::{self, SeekFrom};
use std::sync::Arc;
use synaq_runtime::Handle;
use synaq_wire::problem::Code;

/// What stands in front of a picture.
const HEAD_BYTES: usize = 12;
/// Largest picture: the recorder takes no larger frame.
const STILL_BYTES: u32 = 1 << 20;
/// Pictures looked at in one container: a whole day of one every ten seconds.
const STILLS: u32 = 8_640;

/// A picture by its place in the container, from 0; each view in the audit log.
pub(crate) async fn show(
    State(runtime): State<Handle>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(audit): State<Audit>,
    State(views): State<Arc<Views>>,
    Path((session, name, index)): Path<(String, String, String)>,
    who: Who,
) -> Result<Response, Refused> {
    let snapshot = own(&runtime, who.staff.centre, &session).await?;
    if !is_name(&name) || !is_container(&name) {
        return Err(Code::NotFound.into());
    }
    let index = index.parse().map_err(|_| Code::NotFound)?;
    let session = snapshot.id;
    let mut opened = open(evidence, session, name.clone()).await?;
    let read = tokio::task::spawn_blocking(move || still(opened.plain.as_mut(), opened.bytes, index));
    let webp = match read.await.map_err(|_| Code::Internal)? {
        Ok(webp) => webp.ok_or(Code::NotFound)?,
        Err(error) => {
            tracing::error!(%session, error = &error as &dyn std::error::Error, "a still cannot be read");
            return Err(Code::StoreUnavailable.into());
        }
    };
    views.note(&audit, &who, "evidence_viewed", format!("{session}/{name}/{index}")).await?;
    Ok(([(CONTENT_TYPE, "image/webp")], webp).into_response())
}

pub(super) fn is_container(name: &str) -> bool {
    name.starts_with("stills-")
}

/// How many whole pictures the first `bytes` of a container hold.
pub(super) fn count(plain: &mut dyn Plain, bytes: u64) -> io::Result<u32> {
    let (mut at, mut count) = (0, 0);
    while count < STILLS
        && let Some((_, next)) = head(plain, at, bytes)?
    {
        (at, count) = (next, count + 1);
    }
    Ok(count)
}

fn still(plain: &mut dyn Plain, bytes: u64, index: u32) -> io::Result<Option<Vec<u8>>> {
    let mut at = 0;
    for _ in 0..index.min(STILLS) {
        match head(plain, at, bytes)? {
            Some((_, next)) => at = next,
            None => return Ok(None),
        }
    }
    let Some((len, _)) = head(plain, at, bytes)?.filter(|_| index < STILLS) else { return Ok(None) };
    let mut webp = vec![0; len];
    plain.read_exact(&mut webp)?;
    Ok(Some(webp))
}

/// Length of the picture whose head stands at `at`, and where the next head stands; `None` at the end.
fn head(plain: &mut dyn Plain, at: u64, bytes: u64) -> io::Result<Option<(usize, u64)>> {
    let text = at + HEAD_BYTES as u64;
    if text > bytes {
        return Ok(None);
    }
    plain.seek(SeekFrom::Start(at))?;
    let mut head = [0; HEAD_BYTES];
    plain.read_exact(&mut head)?;
    let len = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let next = text + u64::from(len);
    let len = usize::try_from(len).ok().filter(|_| len <= STILL_BYTES && next <= bytes);
    Ok(len.map(|len| (len, next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn container(stills: &[&[u8]]) -> Vec<u8> {
        let part = |still: &&[u8]| {
            let len = u32::try_from(still.len()).unwrap().to_be_bytes();
            [&len[..], &[0; 8], still].concat()
        };
        stills.iter().flat_map(part).collect()
    }

    #[test]
    fn each_picture_is_found_by_its_place_and_a_torn_one_is_none() {
        let mut bytes = container(&[b"one", b"", b"three"]);
        bytes.extend([0, 0, 0, 9, 1]);
        let (len, mut plain) = (bytes.len() as u64, Cursor::new(bytes));
        assert_eq!(count(&mut plain, len).unwrap(), 3);
        let at = |plain: &mut Cursor<_>, index| still(plain, len, index).unwrap();
        assert_eq!(at(&mut plain, 0).unwrap(), b"one");
        assert_eq!(at(&mut plain, 2).unwrap(), b"three");
        assert_eq!((at(&mut plain, 3), at(&mut plain, u32::MAX)), (None, None));
    }

    #[test]
    fn a_length_out_of_bounds_ends_the_container() {
        for bytes in [vec![], vec![0xff; 40], container(&[&[7; 4]])[..15].to_vec()] {
            let len = bytes.len() as u64;
            assert_eq!(count(&mut Cursor::new(bytes), len).unwrap(), 0);
        }
    }
}

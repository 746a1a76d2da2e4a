//! Stills that came over the exam's own connection, because the line carries no video: the newest of each session.

use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use synaq_core::ids::SessionId;
use synaq_media::Handle as Media;

/// As long as media keeps its own newest still.
const KEPT: Duration = Duration::from_secs(600);
/// Sessions whose old stills are looked through, at most every so many new ones.
const SWEEP_AFTER: u64 = 1_000;

/// At most one picture a session, at most [`synaq_wire::limits::STILL_BYTES`] each.
#[derive(Default)]
pub(crate) struct LineStills(Mutex<Stills>);

#[derive(Default)]
struct Stills {
    newest: HashMap<SessionId, Newest>,
    taken: u64,
}

struct Newest {
    jpeg: Bytes,
    taken: Instant,
    number: u64,
    evidence_at: Option<Instant>,
}

impl LineStills {
    /// Takes a still; whether one is due for the evidence, of which at most one in `evidence_every` is kept.
    pub(crate) fn put(
        &self,
        session: SessionId,
        jpeg: Bytes,
        now: Instant,
        evidence_every: Duration,
    ) -> bool {
        let mut stills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stills.taken += 1;
        if stills.taken.is_multiple_of(SWEEP_AFTER) {
            stills.newest.retain(|_, still| now.duration_since(still.taken) < KEPT);
        }
        let before = stills.newest.get(&session);
        let due = before
            .and_then(|still| still.evidence_at)
            .is_none_or(|at| now.duration_since(at) >= evidence_every);
        let evidence_at = if due { Some(now) } else { before.and_then(|still| still.evidence_at) };
        let number = before.map_or(0, |still| still.number) + 1;
        stills.newest.insert(session, Newest { jpeg, taken: now, number, evidence_at });
        due
    }

    /// The newest still of either way, with its type.
    pub(crate) fn newest(&self, media: &Media, session: SessionId) -> Option<(&'static str, Bytes)> {
        let video = media.still(session.0);
        let stills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (video, stills.newest.get(&session)) {
            (Some(video), Some(line)) if line.taken < video.taken => Some(("image/webp", video.webp)),
            (_, Some(line)) => Some(("image/jpeg", line.jpeg.clone())),
            (Some(video), None) => Some(("image/webp", video.webp)),
            (None, None) => None,
        }
    }

    /// Changes with every still of either way; 0 without any.
    pub(crate) fn number(&self, media: &Media, session: SessionId) -> u64 {
        let stills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = stills.newest.get(&session).map_or(0, |still| still.number);
        line + media.still(session.0).map_or(0, |still| still.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_still_in_a_while_is_for_the_evidence() {
        let stills = LineStills::default();
        let (session, start) = (SessionId(uuid::Uuid::nil()), Instant::now());
        let put = |seconds| {
            let at = start + Duration::from_secs(seconds);
            stills.put(session, Bytes::from_static(b"jpeg"), at, Duration::from_secs(10))
        };
        assert_eq!([0, 5, 9, 10, 14, 20].map(put), [true, false, false, true, false, true]);
    }
}

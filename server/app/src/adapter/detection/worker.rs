//! One thread that looks and listens.

use super::queue::{Left, Task, Work};
use super::{Ask, Detection, Found, Looked, Settings, Wanted};
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_core::time::Span;
use synaq_detectors::{Faces, Frame, Watch};
use tokio::sync::mpsc;

/// A camera that is off sends no pictures to ask with; a pause must end the listening all the same.
const ASKED_AGAIN_AFTER: Span = Span::secs(10);

pub(super) struct Worker {
    detection: Arc<Detection>,
    settings: Settings,
    ask: Ask,
    claims: mpsc::Sender<Found>,
}

impl Worker {
    pub(super) fn new(
        detection: Arc<Detection>,
        settings: Settings,
        ask: Ask,
        claims: mpsc::Sender<Found>,
    ) -> Self {
        Self { detection, settings, ask, claims }
    }

    pub(super) fn run(self) {
        // Made here: a face detector stays on its thread.
        let mut faces = self.settings.faces.open();
        while let Some(task) = self.detection.take() {
            let began = Instant::now();
            match task {
                Task::Watch(work) => self.look(*work, faces.as_mut()),
                Task::Glance(glance) => glance.look(&self.settings, faces.as_mut()),
            }
            let took = began.elapsed();
            metrics::histogram!("synaq_detector_seconds").record(took);
            std::thread::sleep(rest(took, self.settings.budget_pct));
        }
    }

    fn look(&self, work: Work, faces: &mut dyn Faces) {
        let Work { session, picture, levels, paces, watch, mut pictures, wanted, came } = work;
        // Once a picture; the seconds of sound between two pictures keep its answer.
        let known = wanted.filter(|(asked, _)| picture.is_none() && came - *asked < ASKED_AGAIN_AFTER);
        let (asked, wanted) = known.unwrap_or_else(|| (came, (self.ask)(session)));
        let kept = Some((asked, wanted.clone()));
        let Wanted::Yes(switched_off) = wanted else {
            // What was seen before the exam, or before a pause, proves nothing for what comes after it.
            self.detection.lock().give_back(session, Left { watch: None, pictures, wanted: kept });
            return;
        };
        let mut watch = watch.unwrap_or_else(|| Watch::new(self.settings.thresholds.clone(), switched_off));
        let mut found: Vec<Found> = Vec::new();
        let heard = |claim| Found { session, claim, look: None };
        for (at, level) in levels {
            found.extend(watch.hear(at.0, level).map(heard));
        }
        for (at, pace) in paces {
            found.extend(watch.pace(at.0, pace).into_iter().map(heard));
        }
        if let Some(picture) = picture {
            match Frame::decode(pictures, picture.taken.0, &picture.picture) {
                Ok(frame) => {
                    let claims = watch.see(&frame, faces).1;
                    let sha256 = || synaq_seal::sha256(&picture.picture).to_string();
                    let look =
                        (!claims.is_empty()).then(|| Looked { taken: picture.taken, sha256: sha256() });
                    found.extend(claims.into_iter().map(|claim| Found {
                        session,
                        claim,
                        look: look.clone(),
                    }));
                }
                Err(error) => tracing::warn!(%session, %error, "a candidate's picture cannot be looked at"),
            }
            pictures += 1;
        }
        for found in found {
            metrics::counter!("synaq_detector_claims_total", "condition" => found.claim.condition.name())
                .increment(1);
            // A condition that lasts is claimed again with the next picture.
            if self.claims.try_send(found).is_err() {
                metrics::counter!("synaq_detector_claims_lost_total").increment(1);
            }
        }
        self.detection.lock().give_back(session, Left { watch: Some(watch), pictures, wanted: kept });
    }
}

/// So that work and rest together keep to the share.
fn rest(took: Duration, budget_pct: u32) -> Duration {
    let pct = budget_pct.clamp(1, 100);
    took * (100 - pct) / pct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_takes_its_share_of_a_core_however_long_a_picture_takes() {
        for (pct, took_ms) in [(1, 10), (10, 7), (50, 20), (100, 400)] {
            let took = Duration::from_millis(took_ms);
            let share = took.as_secs_f64() / (took + rest(took, pct)).as_secs_f64();
            assert!((share * 100.0 - f64::from(pct)).abs() < 0.01, "{share} for {pct} %");
        }
        assert_eq!(rest(Duration::from_millis(1), 0), rest(Duration::from_millis(1), 1), "never for good");
    }
}

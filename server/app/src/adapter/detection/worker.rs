//! One thread that looks and listens.

use super::queue::Work;
use super::{Ask, Detection, Found, Settings, Wanted};
use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_detectors::{Faces, Frame, Watch};
use tokio::sync::mpsc;

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
        while let Some(work) = self.detection.take() {
            let began = Instant::now();
            self.look(work, faces.as_mut());
            let took = began.elapsed();
            metrics::histogram!("synaq_detector_seconds").record(took);
            std::thread::sleep(rest(took, self.settings.budget_pct));
        }
    }

    fn look(&self, work: Work, faces: &mut dyn Faces) {
        let Work { session, picture, levels, watch, mut pictures } = work;
        let Wanted::Yes(switched_off) = (self.ask)(session) else {
            // What was seen before the exam, or before a pause, proves nothing for what comes after it.
            self.detection.lock().give_back(session, None, pictures);
            return;
        };
        let mut watch = watch.unwrap_or_else(|| Watch::new(self.settings.thresholds.clone(), switched_off));
        let mut found = Vec::new();
        for (at, level) in levels {
            found.extend(watch.hear(at.0, level));
        }
        if let Some(picture) = picture {
            match Frame::decode(pictures, picture.taken.0, &picture.webp) {
                Ok(frame) => found.extend(watch.see(&frame, faces).1),
                Err(error) => tracing::warn!(%session, %error, "a candidate's picture cannot be looked at"),
            }
            pictures += 1;
        }
        for claim in found {
            metrics::counter!("synaq_detector_claims_total", "condition" => claim.condition.name())
                .increment(1);
            // A condition that lasts is claimed again with the next picture.
            if self.claims.try_send((session, claim)).is_err() {
                metrics::counter!("synaq_detector_claims_lost_total").increment(1);
            }
        }
        self.detection.lock().give_back(session, Some(watch), pictures);
    }
}

/// So that work and rest together keep to the share.
fn rest(took: Duration, budget_pct: u32) -> Duration {
    let pct = budget_pct.clamp(1, 100);
    took * (100 - pct) / pct
}

//! One picture, looked at for the one who is in it: before the exam, without a course, a claim or a trace.

use super::{Detection, Settings, switched_off};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use synaq_core::ids::SessionId;
use synaq_core::proctoring::Code;
use synaq_detectors::{Condition, Faces, Frame, Reading, Verdict, Watch, Why};
use synaq_web::Seen;
use tokio::sync::oneshot;

/// Glances waiting for a worker: two seconds of one, when no exam runs.
pub(super) const GLANCES_MAX: usize = 32;

/// A picture and who waits for an answer.
pub(super) struct Glance {
    picture: Bytes,
    switched_off: BTreeSet<Condition>,
    reply: oneshot::Sender<Seen>,
}

impl Glance {
    /// Answers, unless nobody waits any more.
    pub(super) fn look(self, settings: &Settings, faces: &mut dyn Faces) {
        if self.reply.is_closed() {
            return;
        }
        let seen = match Frame::decode(0, 0, &self.picture) {
            Ok(frame) => {
                let mut watch = Watch::new(settings.thresholds.clone(), self.switched_off);
                seen(&watch.see(&frame, faces).0)
            }
            Err(_) => Seen::Unknown,
        };
        // An error means that the page has gone.
        let _ = self.reply.send(seen);
    }
}

/// What matters most to somebody who can still move the lamp.
fn seen(readings: &[Reading]) -> Seen {
    let verdict = |condition| {
        readings.iter().find(|reading| reading.condition == condition).map(|reading| reading.verdict)
    };
    if verdict(Condition::Dark) == Some(Verdict::Present) {
        return Seen::Dark;
    }
    if verdict(Condition::Covered) == Some(Verdict::Present) {
        return Seen::Covered;
    }
    if verdict(Condition::SeveralFaces) == Some(Verdict::Present) {
        return Seen::SeveralFaces;
    }
    match verdict(Condition::NoFace) {
        Some(Verdict::Absent) => Seen::Face,
        Some(Verdict::Present) => Seen::NoFace,
        Some(Verdict::CouldNotTell(Why::TooDark)) => Seen::Dark,
        Some(Verdict::CouldNotTell(Why::TooBright)) => Seen::Bright,
        Some(Verdict::CouldNotTell(Why::Blurred)) => Seen::Blurred,
        Some(Verdict::CouldNotTell(_)) | None => Seen::Unknown,
    }
}

impl synaq_web::Sight for Detection {
    fn take(&self, session: SessionId, picture: Bytes) {
        self.show(session.0, picture);
    }

    fn glance(&self, picture: Bytes, without: &BTreeSet<Code>) -> Option<oneshot::Receiver<Seen>> {
        let (reply, answer) = oneshot::channel();
        let glance = Glance { picture, switched_off: switched_off(without), reply };
        let taken = self.lock().glance(glance);
        let outcome = if taken { "taken" } else { "refused" };
        metrics::counter!("synaq_detector_glances_total", "outcome" => outcome).increment(1);
        self.bell.notify_one();
        taken.then_some(answer)
    }
}

/// As the front door takes it.
pub(crate) fn sight(detection: Arc<Detection>) -> Arc<dyn synaq_web::Sight> {
    detection
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(condition: Condition, verdict: Verdict) -> Reading {
        Reading { condition, verdict, score: 0.0, threshold: 0.0 }
    }

    #[test]
    fn what_can_be_mended_is_said_before_what_follows_from_it() {
        use Condition::{Covered, Dark, NoFace, SeveralFaces};
        let said = |readings: &[(Condition, Verdict)]| {
            let readings: Vec<_> = readings.iter().map(|(of, verdict)| reading(*of, *verdict)).collect();
            seen(&readings)
        };
        assert_eq!(said(&[(Dark, Verdict::Absent), (NoFace, Verdict::Absent)]), Seen::Face);
        assert_eq!(said(&[(NoFace, Verdict::Present), (Dark, Verdict::Present)]), Seen::Dark);
        assert_eq!(said(&[(Covered, Verdict::Present)]), Seen::Covered);
        assert_eq!(said(&[(NoFace, Verdict::Absent), (SeveralFaces, Verdict::Present)]), Seen::SeveralFaces);
        assert_eq!(said(&[(NoFace, Verdict::Present)]), Seen::NoFace);
        for (why, seen) in [
            (Why::TooDark, Seen::Dark),
            (Why::TooBright, Seen::Bright),
            (Why::Blurred, Seen::Blurred),
            (Why::NotInstalled, Seen::Unknown),
        ] {
            assert_eq!(said(&[(NoFace, Verdict::CouldNotTell(why))]), seen);
        }
        assert_eq!(said(&[]), Seen::Unknown, "all of it is switched off");
    }
}

//! Everything that is watched of one candidate.

use crate::claim::{Claim, Condition, Phase, Reading, Verdict};
use crate::course::{Course, Hold};
use crate::face::{self, FaceBox, Faces};
use crate::frame::{Frame, Look};
use crate::pace::{Pace, PaceRule};
use crate::picture::{Baseline, reading};
use crate::sound::{Levels, SoundRule};
use std::collections::{BTreeMap, BTreeSet};

/// What is compared with what. The defaults were measured on Chromium's pictures at 320x240; `synaq detectors evaluate`
/// prints what they do to a centre's own clips.
#[derive(Clone, PartialEq, Debug)]
pub struct Thresholds {
    /// Mean brightness below which a picture is dark (a room lit by a screen alone has 13 to 23)
    pub dark_mean: f32,
    /// Deviation of the thumbnail below which something even lies before the lens (a bare wall has 7, a finger 0.3)
    pub covered_deviation: f32,
    /// Mean difference below which two pictures are the same one (a person who sits still has 1.4 and more)
    pub frozen_difference: f32,
    /// Mean difference of a changed scene
    pub changed_difference: f32,
    /// And bits of its hash
    pub changed_bits: u32,
    /// Score of a face
    pub face_score: f32,
    /// Score of a second one: higher, for it accuses
    pub second_face_score: f32,
    /// How far from the middle a face may be, 1 is the edge
    pub off_centre: f32,
    /// Darker pictures are not looked at for an absence
    pub face_mean_min: f32,
    /// Brighter pictures are not looked at for an absence
    pub face_mean_max: f32,
    /// Less sharp pictures are not looked at for an absence
    pub face_sharpness_min: f32,
    /// Pictures that differ by less from the last one that was looked at have the same faces
    pub same_faces_difference: f32,
    /// Sounds
    pub sound: SoundRule,
    /// The sender's clock
    pub pace: PaceRule,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            dark_mean: 12.0,
            covered_deviation: 5.0,
            frozen_difference: 0.1,
            changed_difference: 40.0,
            changed_bits: 15,
            face_score: 2.5,
            second_face_score: 4.0,
            off_centre: 0.6,
            face_mean_min: 25.0,
            face_mean_max: 215.0,
            face_sharpness_min: 5.0,
            same_faces_difference: 1.0,
            sound: SoundRule::default(),
            pace: PaceRule::default(),
        }
    }
}

/// How long each condition must last, at one picture every five seconds.
const fn hold(condition: Condition) -> Hold {
    match condition {
        Condition::Dark | Condition::Covered => Hold { present: 2, present_ms: 4_000, absent: 2 },
        Condition::Frozen => Hold { present: 3, present_ms: 10_000, absent: 1 },
        Condition::Changed => Hold { present: 1, present_ms: 0, absent: 1 },
        Condition::NoFace => Hold { present: 3, present_ms: 10_000, absent: 2 },
        Condition::SeveralFaces => Hold { present: 2, present_ms: 0, absent: 2 },
        Condition::OffCentre => Hold { present: 4, present_ms: 15_000, absent: 2 },
        // One each five seconds, too. A leap and a repetition are over as they come.
        Condition::ClockFrozen => Hold { present: 2, present_ms: 5_000, absent: 2 },
        Condition::ClockRate => Hold { present: 3, present_ms: 10_000, absent: 2 },
        Condition::ClockJump | Condition::Replayed => Hold { present: 1, present_ms: 0, absent: 1 },
        Condition::Sound => Hold { present: 1, present_ms: 0, absent: 1 },
    }
}

/// One candidate's detectors.
#[derive(Debug, Default)]
pub struct Watch {
    thresholds: Thresholds,
    /// Conditions that an accommodation switches off (LAW-30)
    switched_off: BTreeSet<Condition>,
    baseline: Baseline,
    faces: Option<(Look, Option<Vec<FaceBox>>)>,
    levels: Levels,
    heard_at: Option<i64>,
    courses: BTreeMap<Condition, Course>,
}

impl Watch {
    /// With these thresholds, without these conditions.
    #[must_use]
    pub fn new(thresholds: Thresholds, switched_off: BTreeSet<Condition>) -> Self {
        Self { thresholds, switched_off, ..Self::default() }
    }

    /// Reads a picture, newer than every one before. All readings come back for the error table; the claims are what a
    /// session is told.
    pub fn see(&mut self, frame: &Frame, faces: &mut dyn Faces) -> (Vec<Reading>, Vec<Claim>) {
        let mut readings = self.baseline.read(&frame.look, &self.thresholds).to_vec();
        let hidden = readings[..2].iter().any(|reading| reading.verdict == Verdict::Present);
        let wants_faces =
            [Condition::NoFace, Condition::SeveralFaces, Condition::OffCentre].iter().any(|c| self.wants(*c));
        if wants_faces && !hidden {
            let found = self.find_faces(frame, faces);
            let size = frame.gray.dimensions();
            readings.extend(face::read(found.as_deref(), &frame.look, size, &self.thresholds));
        }
        readings.retain(|reading| self.wants(reading.condition));
        let (name, version) = (faces.name(), faces.version());
        let claims = readings
            .iter()
            .filter_map(|reading| self.follow(reading, frame.taken_ms, Some(frame.number), (name, version)))
            .collect();
        (readings, claims)
    }

    /// Takes the level of a packet of sound (RFC 6464), in order.
    pub fn hear(&mut self, at_ms: i64, level: u8) -> Option<Claim> {
        if !self.wants(Condition::Sound) || !self.levels.take(at_ms, level, &self.thresholds.sound) {
            return None;
        }
        let rule = self.thresholds.sound;
        let heard = self.levels.heard(at_ms, &rule)?;
        if heard.ms >= rule.heard_ms {
            self.heard_at = Some(at_ms);
        }
        let present = self.heard_at.is_some_and(|heard| at_ms - heard < rule.quiet_ms);
        let was = self.courses.get(&Condition::Sound).is_some_and(Course::is_claimed);
        // Only the change is told.
        if present == was {
            return None;
        }
        let floor = f32::from(self.levels.floor()?);
        let reading = reading(
            Condition::Sound,
            present,
            floor - f32::from(heard.loudest),
            f32::from(rule.above_floor_db),
        );
        let at = if present { heard.since_ms } else { at_ms };
        self.follow(&reading, at, None, ("level", env!("CARGO_PKG_VERSION")))
    }

    /// Takes what some seconds of pictures showed of the sender's clock, in order.
    pub fn pace(&mut self, at_ms: i64, pace: Pace) -> Vec<Claim> {
        let readings = pace.read(&self.thresholds.pace);
        let wanted: Vec<_> = readings.into_iter().filter(|reading| self.wants(reading.condition)).collect();
        let by = ("clock", env!("CARGO_PKG_VERSION"));
        wanted.iter().filter_map(|reading| self.follow(reading, at_ms, None, by)).collect()
    }

    fn wants(&self, condition: Condition) -> bool {
        !self.switched_off.contains(&condition)
    }

    /// A picture that hardly differs from the last one that was looked at has the same faces: the dear part is spared.
    fn find_faces(&mut self, frame: &Frame, faces: &mut dyn Faces) -> Option<Vec<FaceBox>> {
        if let Some((look, found)) = &self.faces
            && look.difference(&frame.look) < self.thresholds.same_faces_difference
        {
            return found.clone();
        }
        let found = faces.find(&frame.gray);
        self.faces = Some((frame.look.clone(), found.clone()));
        found
    }

    fn follow(
        &mut self,
        reading: &Reading,
        at_ms: i64,
        picture: Option<u64>,
        by: (&'static str, &'static str),
    ) -> Option<Claim> {
        let course = self.courses.entry(reading.condition).or_default();
        let (phase, at_ms) = course.take(reading.verdict, at_ms, hold(reading.condition))?;
        let (shown, could_not_tell) = course.looked();
        let (detector, version) = match reading.condition {
            Condition::NoFace
            | Condition::SeveralFaces
            | Condition::OffCentre
            | Condition::Sound
            | Condition::ClockFrozen
            | Condition::ClockRate
            | Condition::ClockJump
            | Condition::Replayed => by,
            Condition::Dark | Condition::Covered | Condition::Frozen | Condition::Changed => {
                ("picture", env!("CARGO_PKG_VERSION"))
            }
        };
        Some(Claim {
            condition: reading.condition,
            phase,
            at_ms,
            score: reading.score,
            threshold: reading.threshold,
            confidence_pct: if phase == Phase::End { 100 } else { confidence(reading) },
            picture,
            shown,
            could_not_tell,
            detector,
            version,
        })
    }
}

/// How far the score is beyond its threshold, from 50 (just beyond) to 100 (twice as far, or nothing at all).
fn confidence(reading: &Reading) -> u8 {
    let Reading { score, threshold, .. } = *reading;
    let beyond = if threshold > 0.0 { ((score - threshold) / threshold).abs().min(1.0) } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "50 ..= 100")]
    let pct = (50.0 + 50.0 * beyond) as u8;
    pct
}

//! How often detectors are wrong, on pictures of which the truth is known.

use crate::claim::{Condition, Verdict, Why};
use crate::face::{FaceBox, Faces};
use crate::frame::Frame;
use crate::watch::{Thresholds, Watch};
use image::GrayImage;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One recording of one person under one setting.
#[derive(Debug)]
pub struct Clip {
    /// Who; people are counted by it
    pub person: String,
    /// How it was taken: `low_light`, `mask` ...
    pub setting: String,
    /// What is there in every picture of it; everything else is not
    pub truth: BTreeSet<Condition>,
    /// In order, as far apart as in an exam
    pub frames: Vec<Frame>,
}

/// What came out for one condition, setting and threshold.
#[derive(Clone, Debug, Default)]
pub struct Row {
    people: BTreeSet<String>,
    /// Pictures that were read
    pub frames: u32,
    /// Pictures in which the condition was there
    pub there: u32,
    /// Said to be there, and was not
    pub false_alarms: u32,
    /// Said to be not there, and was
    pub misses: u32,
    /// Could not tell
    pub unknown: u32,
}

impl Row {
    /// People in it.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }
}

/// The error table: by condition, setting, and threshold (in thousandths, to be an exact key).
#[derive(Clone, Debug, Default)]
pub struct ErrorTable {
    rows: BTreeMap<(Condition, String, u32), Row>,
}

/// Finds the faces of a picture once, however many thresholds are tried on it.
struct Once<'a> {
    faces: &'a mut dyn Faces,
    found: Option<(u64, Option<Vec<FaceBox>>)>,
    number: u64,
}

impl Faces for Once<'_> {
    fn name(&self) -> &'static str {
        self.faces.name()
    }

    fn version(&self) -> &'static str {
        self.faces.version()
    }

    fn find(&mut self, gray: &GrayImage) -> Option<Vec<FaceBox>> {
        match &self.found {
            Some((number, found)) if *number == self.number => found.clone(),
            _ => {
                let found = self.faces.find(gray);
                self.found = Some((self.number, found.clone()));
                found
            }
        }
    }
}

impl ErrorTable {
    /// Reads a clip at each set of thresholds and counts.
    pub fn add(&mut self, clip: &Clip, tried: &[Thresholds], faces: &mut dyn Faces) {
        let mut once = Once { faces, found: None, number: 0 };
        let mut watches: Vec<Watch> =
            tried.iter().map(|thresholds| Watch::new(thresholds.clone(), BTreeSet::new())).collect();
        for frame in &clip.frames {
            once.number += 1;
            // One threshold may be that of several sets: it is counted once a picture.
            let mut counted = BTreeSet::new();
            for watch in &mut watches {
                for reading in watch.see(frame, &mut once).0 {
                    // The first picture has nothing before it: that says nothing of the detector.
                    if reading.verdict == Verdict::CouldNotTell(Why::NoBaseline) {
                        continue;
                    }
                    let key = (reading.condition, clip.setting.clone(), thousandths(reading.threshold));
                    if counted.insert(key.clone()) {
                        let row = self.rows.entry(key).or_default();
                        row.count(clip, reading.condition, reading.verdict);
                    }
                }
            }
        }
    }

    /// The row of a condition under a setting at a threshold.
    #[must_use]
    pub fn row(&self, condition: Condition, setting: &str, threshold: f32) -> Option<&Row> {
        self.rows.get(&(condition, setting.to_owned(), thousandths(threshold)))
    }
}

impl Row {
    fn count(&mut self, clip: &Clip, condition: Condition, verdict: Verdict) {
        let there = clip.truth.contains(&condition);
        self.people.insert(clip.person.clone());
        self.frames += 1;
        self.there += u32::from(there);
        match verdict {
            Verdict::Present => self.false_alarms += u32::from(!there),
            Verdict::Absent => self.misses += u32::from(there),
            Verdict::CouldNotTell(_) => self.unknown += 1,
        }
    }
}

fn thousandths(threshold: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "thresholds are small and positive"
    )]
    let value = (threshold * 1_000.0).round() as u32;
    value
}

impl fmt::Display for ErrorTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| Condition | Setting | Threshold | People | Pictures | Was there | False alarms | Misses | Could not tell |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|---:|")?;
        for ((condition, setting, threshold), row) in &self.rows {
            let threshold = f64::from(*threshold) / 1_000.0;
            writeln!(
                f,
                "| `{}` | {setting} | {threshold} | {} | {} | {} | {} | {} | {} |",
                condition.name(),
                row.people(),
                row.frames,
                row.there,
                row.false_alarms,
                row.misses,
                row.unknown
            )?;
        }
        Ok(())
    }
}

/// The thresholds the table is made at: the defaults, and what lies on either side of them.
#[must_use]
pub fn thresholds_tried() -> Vec<Thresholds> {
    let usual = Thresholds::default();
    let lower = Thresholds {
        dark_mean: 8.0,
        covered_deviation: 3.0,
        frozen_difference: 0.05,
        changed_difference: 30.0,
        face_score: 1.5,
        second_face_score: 2.5,
        off_centre: 0.45,
        ..usual.clone()
    };
    let higher = Thresholds {
        dark_mean: 20.0,
        covered_deviation: 7.0,
        frozen_difference: 0.3,
        changed_difference: 55.0,
        face_score: 4.0,
        second_face_score: 6.0,
        off_centre: 0.75,
        ..usual.clone()
    };
    vec![lower, usual, higher]
}

//! How many faces a picture shows, and where. Whose they are is for people.

use crate::claim::{Condition, Reading, Why};
use crate::frame::Look;
use crate::picture::{reading, unknown};
use crate::watch::Thresholds;
use image::GrayImage;
use rustface::{Detector, ImageData};

static MODEL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/face-model.bin"));

/// A face in a picture, in its pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FaceBox {
    /// Left edge
    pub x: i32,
    /// Upper edge
    pub y: i32,
    /// Width
    pub width: u32,
    /// Height
    pub height: u32,
    /// How sure the detector is, in its own unit
    pub score: f32,
}

/// Finds frontal faces. One per worker thread: the model's working memory is written at every look.
pub trait Faces {
    /// For the record.
    fn name(&self) -> &'static str;

    /// For the record.
    fn version(&self) -> &'static str;

    /// Best first; `None` when it cannot look at all (a service that does not answer).
    fn find(&mut self, gray: &GrayImage) -> Option<Vec<FaceBox>>;
}

/// No detector: everything about faces is "could not tell".
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaces;

impl Faces for NoFaces {
    fn name(&self) -> &'static str {
        "none"
    }

    fn version(&self) -> &'static str {
        "0"
    }

    fn find(&mut self, _gray: &GrayImage) -> Option<Vec<FaceBox>> {
        None
    }
}

/// SeetaFace's frontal detector in Rust; its model comes out of the crate's own sources at build time.
pub struct Rustface(Box<dyn Detector>);

impl std::fmt::Debug for Rustface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rustface(..)")
    }
}

/// A face at an arm's length from a laptop is 80 to 130 of 320 pixels wide; half of that is somebody behind.
const SMALLEST_FACE_PX: u32 = 40;
/// Lower than any threshold of ours, so that the score that was not enough is known too.
const LOWEST_SCORE: f64 = 1.0;

impl Rustface {
    /// Reads the model.
    #[must_use]
    pub fn new() -> Self {
        let model = rustface::read_model(MODEL).expect("the model that was found at build time is whole");
        let mut detector = rustface::create_detector_with_model(model);
        detector.set_min_face_size(SMALLEST_FACE_PX);
        detector.set_score_thresh(LOWEST_SCORE);
        detector.set_pyramid_scale_factor(0.8);
        detector.set_slide_window_step(4, 4);
        Self(detector)
    }
}

impl Default for Rustface {
    fn default() -> Self {
        Self::new()
    }
}

impl Faces for Rustface {
    fn name(&self) -> &'static str {
        "rustface"
    }

    fn version(&self) -> &'static str {
        env!("RUSTFACE_VERSION")
    }

    fn find(&mut self, gray: &GrayImage) -> Option<Vec<FaceBox>> {
        if gray.width().min(gray.height()) < SMALLEST_FACE_PX {
            return Some(Vec::new());
        }
        let picture = ImageData::new(gray.as_raw(), gray.width(), gray.height());
        let mut faces: Vec<FaceBox> = self
            .0
            .detect(&picture)
            .iter()
            .map(|face| {
                let at = face.bbox();
                #[expect(clippy::cast_possible_truncation, reason = "a score of a few tens")]
                let score = face.score() as f32;
                FaceBox { x: at.x(), y: at.y(), width: at.width(), height: at.height(), score }
            })
            .collect();
        faces.sort_by(|one, two| two.score.total_cmp(&one.score));
        Some(faces)
    }
}

/// Reads the three conditions of faces from one picture.
pub(crate) fn read(
    found: Option<&[FaceBox]>,
    look: &Look,
    (width, height): (u32, u32),
    thresholds: &Thresholds,
) -> [Reading; 3] {
    let (score, second) = (thresholds.face_score, thresholds.second_face_score);
    let none = |why| {
        [
            unknown(Condition::NoFace, why, score),
            unknown(Condition::SeveralFaces, why, second),
            unknown(Condition::OffCentre, why, thresholds.off_centre),
        ]
    };
    let Some(found) = found else { return none(Why::NotInstalled) };
    let best = found.first().map_or(0.0, |face| face.score);
    let next = found.get(1).map_or(0.0, |face| face.score);
    if best < score {
        // No face in a picture in which none could have been found is no absence.
        if let Some(why) = unfit(look, width.min(height), thresholds) {
            return none(why);
        }
        return [
            reading(Condition::NoFace, true, best, score),
            reading(Condition::SeveralFaces, false, next, second),
            unknown(Condition::OffCentre, Why::NoBaseline, thresholds.off_centre),
        ];
    }
    let away = found.first().map_or(0.0, |face| off_centre(face, width, height));
    [
        reading(Condition::NoFace, false, best, score),
        reading(Condition::SeveralFaces, next >= second, next, second),
        reading(Condition::OffCentre, away > thresholds.off_centre, away, thresholds.off_centre),
    ]
}

/// Why no face could be found in such a picture.
fn unfit(look: &Look, side: u32, thresholds: &Thresholds) -> Option<Why> {
    if side < SMALLEST_FACE_PX {
        Some(Why::TooSmall)
    } else if look.mean < thresholds.face_mean_min {
        Some(Why::TooDark)
    } else if look.mean > thresholds.face_mean_max {
        Some(Why::TooBright)
    } else if look.sharpness < thresholds.face_sharpness_min {
        Some(Why::Blurred)
    } else {
        None
    }
}

/// How far the face's middle is from the picture's, as a part of half its side: 0 in the middle, 1 at the edge.
fn off_centre(face: &FaceBox, width: u32, height: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "pixels of a small picture")]
    let part = |start: i32, length: u32, side: u32| {
        let half = side.max(1) as f32 / 2.0;
        ((start as f32 + length as f32 / 2.0) - half).abs() / half
    };
    part(face.x, face.width, width).max(part(face.y, face.height, height))
}

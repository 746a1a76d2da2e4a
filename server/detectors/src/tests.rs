//! Whole watches over pictures of people.

use crate::{Claim, Condition, Faces, Frame, NoFaces, Phase, Rustface, Thresholds, Verdict, Watch, Why};
use image::{GrayImage, Luma, imageops};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static PEOPLE: LazyLock<GrayImage> = LazyLock::new(|| {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/people.png"));
    image::load_from_memory(bytes).expect("a picture").into_luma8()
});

/// Middle of a face in that picture.
const EINSTEIN: (u32, u32) = (897, 278);
const CURIE: (u32, u32) = (490, 285);
const LORENTZ: (u32, u32) = (690, 288);
const STONES: (u32, u32) = (1_250, 770);

/// 320 x 240 around a point, the face as large as before a laptop; a little different each time, as a sensor is.
fn seen((x, y): (u32, u32), number: u64) -> GrayImage {
    let crop = imageops::crop_imm(&*PEOPLE, x - 80, y.saturating_sub(60), 160, 120).to_image();
    noisy(imageops::resize(&crop, 320, 240, imageops::FilterType::Triangle), number)
}

fn noisy(mut picture: GrayImage, number: u64) -> GrayImage {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for pixel in picture.pixels_mut() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let noise = u8::try_from(state % 9).expect("below nine");
        pixel.0[0] = pixel.0[0].saturating_add(noise).saturating_sub(4);
    }
    picture
}

/// Watches one picture every five seconds, and keeps what was claimed.
fn watch(pictures: impl IntoIterator<Item = GrayImage>) -> Vec<Claim> {
    let mut watch = Watch::new(Thresholds::default(), BTreeSet::new());
    let mut faces = Rustface::new();
    let frames = (0..)
        .zip(pictures)
        .map(|(number, picture)| Frame::new(number, i64::try_from(number).expect("few") * 5_000, picture));
    frames.flat_map(|frame| watch.see(&frame, &mut faces).1).collect()
}

fn begun(claims: &[Claim]) -> Vec<Condition> {
    claims.iter().filter(|claim| claim.phase == Phase::Begin).map(|claim| claim.condition).collect()
}

#[test]
fn a_person_who_sits_there_raises_nothing() {
    for person in [EINSTEIN, CURIE, LORENTZ] {
        assert_eq!(watch((0..12).map(|number| seen(person, number))), [], "{person:?}");
    }
}

#[test]
fn an_empty_chair_is_claimed_after_three_pictures_and_over_after_two_with_a_face() {
    let person = (0..2).map(|number| seen(LORENTZ, number));
    let empty = (2..6).map(|number| seen(STONES, number));
    let back = (6..9).map(|number| seen(LORENTZ, number));
    let claims = watch(person.chain(empty).chain(back));
    let of_face: Vec<_> = claims
        .iter()
        .filter(|claim| claim.condition == Condition::NoFace)
        .map(|claim| (claim.phase, claim.at_ms))
        .collect();
    assert_eq!(of_face, [(Phase::Begin, 10_000), (Phase::Seen, 25_000), (Phase::End, 35_000)]);
}

#[test]
fn two_faces_are_claimed_with_picture_score_and_threshold() {
    let pair = |number| {
        let mut both = GrayImage::new(320, 240);
        for (person, x) in [(EINSTEIN, 0), (LORENTZ, 160)] {
            let half = imageops::crop_imm(&seen(person, number), 80, 0, 160, 240).to_image();
            imageops::replace(&mut both, &half, x, 0);
        }
        both
    };
    let claims = watch((0..3).map(pair));
    let claim = claims.iter().find(|claim| claim.condition == Condition::SeveralFaces).expect("claimed");
    assert_eq!((claim.phase, claim.picture), (Phase::Begin, Some(1)));
    assert!(claim.score >= claim.threshold);
    assert_eq!((claim.detector, claim.version), ("rustface", env!("RUSTFACE_VERSION")));
}

#[test]
fn a_cover_darkness_and_a_standstill_are_told_apart() {
    let even = |level: u8| move |number| noisy(GrayImage::from_pixel(320, 240, Luma([level])), number);
    assert_eq!(begun(&watch((0..3).map(even(120)))), [Condition::Covered]);
    assert_eq!(begun(&watch((0..3).map(even(6)))), [Condition::Dark, Condition::Covered]);
    let same = seen(EINSTEIN, 1);
    assert_eq!(begun(&watch(std::iter::repeat_n(same, 5))), [Condition::Frozen]);
}

#[test]
fn a_camera_that_shows_something_else_is_claimed_once() {
    let dark_room = |number| {
        let mut picture = seen(STONES, number);
        imageops::invert(&mut picture);
        imageops::rotate180(&picture)
    };
    let claims = watch((0..3).map(|number| seen(CURIE, number)).chain((3..5).map(dark_room)));
    assert!(begun(&claims).contains(&Condition::Changed), "{claims:?}");
}

#[test]
fn too_dark_for_a_face_is_no_absence() {
    let dim = |number| {
        let mut picture = seen(STONES, number);
        picture.pixels_mut().for_each(|pixel| pixel.0[0] /= 8);
        picture
    };
    let mut watch = Watch::new(Thresholds::default(), BTreeSet::new());
    let mut faces = Rustface::new();
    for number in 0..8 {
        let frame = Frame::new(number, i64::try_from(number).unwrap() * 5_000, dim(number));
        let (readings, claims) = watch.see(&frame, &mut faces);
        let no_face = readings.iter().find(|reading| reading.condition == Condition::NoFace).unwrap();
        assert_eq!(no_face.verdict, Verdict::CouldNotTell(Why::TooDark));
        assert!(begun(&claims).iter().all(|condition| *condition != Condition::NoFace));
    }
}

#[test]
fn a_condition_that_is_switched_off_is_neither_read_nor_claimed() {
    let off: BTreeSet<_> = [Condition::NoFace, Condition::SeveralFaces, Condition::OffCentre].into();
    let mut watch = Watch::new(Thresholds::default(), off.clone());
    struct Unasked;
    impl Faces for Unasked {
        fn name(&self) -> &'static str {
            "unasked"
        }
        fn version(&self) -> &'static str {
            "0"
        }
        fn find(&mut self, _: &GrayImage) -> Option<Vec<crate::FaceBox>> {
            unreachable!("faces are switched off")
        }
    }
    for number in 0..5 {
        let frame = Frame::new(number, i64::try_from(number).unwrap() * 5_000, seen(STONES, number));
        let (readings, claims) = watch.see(&frame, &mut Unasked);
        assert!(readings.iter().all(|reading| !off.contains(&reading.condition)));
        assert_eq!(begun(&claims), []);
    }
}

#[test]
fn without_a_face_detector_nothing_is_said_of_faces() {
    let mut watch = Watch::default();
    let frame = Frame::new(1, 0, seen(STONES, 1));
    let (readings, _) = watch.see(&frame, &mut NoFaces);
    let unknown = readings.iter().filter(|r| r.verdict == Verdict::CouldNotTell(Why::NotInstalled)).count();
    assert_eq!(unknown, 3);
}

#[test]
fn speech_begins_and_ends_once() {
    let mut watch = Watch::default();
    let mut claims = Vec::new();
    for at in (0..40_000).step_by(20) {
        let level = if (20_000..25_000).contains(&at) { 18 } else { 63 };
        claims.extend(watch.hear(at, level));
    }
    let phases: Vec<_> = claims.iter().map(|claim| claim.phase).collect();
    assert_eq!(phases, [Phase::Begin, Phase::End]);
    assert_eq!(claims[0].at_ms, 20_000);
}

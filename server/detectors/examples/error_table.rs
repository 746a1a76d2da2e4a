//! Prints the error table of the detectors on a set of pictures that it makes itself: 29 people from one photograph of
//! 1927 (it comes with the face detector's sources), in changed light, sharpness, compression and dress, empty rooms,
//! covers, standstills, and levels of sound.
//!
//! `cargo run --release -p synaq-detectors --example error_table`

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Luma, imageops};
use std::time::Instant;
use synaq_detectors::evaluate::{Clip, ErrorTable, thresholds_tried};
use synaq_detectors::{Condition, Faces as _, Frame, Phase, Rustface, Watch};

/// Middles of the faces, in pixels of the photograph.
const FACES: [(u32, u32); 29] = [
    (266, 66),
    (400, 108),
    (489, 148),
    (639, 116),
    (787, 147),
    (919, 114),
    (1_040, 132),
    (1_166, 120),
    (1_308, 113),
    (1_397, 66),
    (1_463, 120),
    (75, 221),
    (133, 278),
    (238, 235),
    (314, 289),
    (406, 218),
    (489, 286),
    (594, 227),
    (690, 294),
    (796, 216),
    (895, 280),
    (948, 215),
    (1_072, 278),
    (1_110, 225),
    (1_194, 275),
    (1_291, 237),
    (1_384, 278),
    (1_458, 240),
    (1_520, 297),
];
/// Places in it without anybody: steps, pavement, caption.
const EMPTY: [(u32, u32); 8] =
    [(300, 760), (600, 780), (900, 770), (1_250, 770), (200, 960), (800, 1_050), (1_480, 700), (60, 700)];
/// What is cut out of the photograph and shown at 320 x 240: a face is then as large as before a laptop.
const CUT: (u32, u32) = (112, 84);
const PICTURES: u64 = 4;
const EVERY_MS: i64 = 5_000;

fn main() {
    let people = image::load_from_memory(include_bytes!(concat!(env!("OUT_DIR"), "/people.png")))
        .expect("the photograph is a picture")
        .into_luma8();
    let clips = clips(&people);
    let mut faces = Rustface::new();
    let mut table = ErrorTable::default();
    let tried = thresholds_tried();
    let began = Instant::now();
    for clip in &clips {
        table.add(clip, &tried, &mut faces);
    }
    let pictures: usize = clips.iter().map(|clip| clip.frames.len()).sum();
    println!("{table}");
    println!("{}", sounds());
    let each = began.elapsed().as_secs_f64() * 1_000.0 / pictures as f64;
    println!("{} {}: {pictures} pictures, {each:.1} ms each\n", faces.name(), faces.version());
}

type Change = fn(&GrayImage) -> GrayImage;

const SETTINGS: [(&str, Change); 13] = [
    ("daylight", GrayImage::clone),
    ("light x 0.35", |picture| lit(picture, 35)),
    ("light x 0.20", |picture| lit(picture, 20)),
    ("light x 0.12", |picture| lit(picture, 12)),
    ("blurred (sigma 3)", |picture| imageops::blur(picture, 3.0)),
    ("compressed, quality 60", |picture| compressed(picture, 60)),
    ("compressed, quality 30", |picture| compressed(picture, 30)),
    ("compressed, quality 10", |picture| compressed(picture, 10)),
    ("glasses", glasses),
    ("mask", mask),
    ("hand over half the face", half_covered),
    ("tilted 20 degrees", |picture| tilted(picture, 20.0)),
    ("far away (half size)", far),
];

fn clips(people: &GrayImage) -> Vec<Clip> {
    let mut clips = Vec::new();
    let alone: Vec<_> = FACES.iter().copied().filter(|face| stands_alone(*face)).collect();
    for (number, face) in alone.iter().enumerate() {
        let person = format!("person {number}");
        let picture = cut(people, *face);
        for (setting, change) in SETTINGS {
            clips.push(clip(&person, setting, [], |n| noisy(change(&picture), n)));
        }
        let still = noisy(picture.clone(), 1);
        clips.push(clip(&person, "the same picture again", [Condition::Frozen], |_| still.clone()));
        let other = cut(people, alone[(number + 1) % alone.len()]);
        clips.push(clip(&person, "two people", [Condition::SeveralFaces], |n| {
            noisy(beside(&picture, &other), n)
        }));
    }
    for (number, place) in EMPTY.iter().enumerate() {
        let room = cut(people, *place);
        let name = format!("room {number}");
        clips.push(clip(&name, "empty room", [Condition::NoFace], |n| noisy(room.clone(), n)));
        clips
            .push(clip(&name, "empty room, light x 0.12", [Condition::NoFace], |n| noisy(lit(&room, 12), n)));
    }
    for level in [20_u8, 60, 120, 200] {
        let name = format!("cover {level}");
        let shade = |x: u32| level.saturating_add(u8::try_from(x / 64).unwrap_or(0));
        let cover = GrayImage::from_fn(320, 240, |x, _| Luma([shade(x)]));
        clips.push(clip(&name, "covered", [Condition::Covered], |n| noisy(cover.clone(), n)));
    }
    let dark = GrayImage::from_pixel(320, 240, Luma([5]));
    clips.push(clip("dark", "no light", [Condition::Dark, Condition::Covered], |n| noisy(dark.clone(), n)));
    clips
}

fn clip<const N: usize>(
    person: &str,
    setting: &str,
    truth: [Condition; N],
    picture: impl Fn(u64) -> GrayImage,
) -> Clip {
    let frames =
        (0..PICTURES).map(|n| Frame::new(n, i64::try_from(n).expect("few") * EVERY_MS, picture(n))).collect();
    Clip { person: person.to_owned(), setting: setting.to_owned(), truth: truth.into(), frames }
}

/// Nobody else's face is within what is cut out.
fn stands_alone((x, y): (u32, u32)) -> bool {
    let near =
        |other: &&(u32, u32)| other.0.abs_diff(x) < CUT.0 / 2 + 20 && other.1.abs_diff(y) < CUT.1 / 2 + 20;
    FACES.iter().filter(near).count() == 1
}

fn cut(people: &GrayImage, (x, y): (u32, u32)) -> GrayImage {
    let left = x.saturating_sub(CUT.0 / 2).min(people.width() - CUT.0);
    let top = y.saturating_sub(CUT.1 / 2).min(people.height() - CUT.1);
    let part = imageops::crop_imm(people, left, top, CUT.0, CUT.1).to_image();
    imageops::resize(&part, 320, 240, imageops::FilterType::CatmullRom)
}

fn lit(picture: &GrayImage, percent: u32) -> GrayImage {
    let mut picture = picture.clone();
    picture.pixels_mut().for_each(|pixel| {
        pixel.0[0] = u8::try_from(u32::from(pixel.0[0]) * percent / 100).unwrap_or(u8::MAX);
    });
    picture
}

/// A sensor is never quiet: +-4 by a generator of its own, the same in every run.
fn noisy(mut picture: GrayImage, number: u64) -> GrayImage {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for pixel in picture.pixels_mut() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let noise = u8::try_from(state % 9).expect("below nine");
        pixel.0[0] = pixel.0[0].saturating_add(noise).saturating_sub(4);
    }
    picture
}

fn compressed(picture: &GrayImage, quality: u8) -> GrayImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).expect("a small picture");
    image::load_from_memory(&bytes).expect("just encoded").into_luma8()
}

/// Two dark rims at the height of the eyes.
fn glasses(picture: &GrayImage) -> GrayImage {
    let rim = |x: u32, y: u32, middle: (i64, i64)| {
        let (dx, dy) = (i64::from(x) - middle.0, i64::from(y) - middle.1);
        (13 * 13..18 * 18).contains(&(dx * dx + dy * dy))
    };
    drawn(picture, |x, y| {
        let bridge = (152..168).contains(&x) && (104..108).contains(&y);
        (bridge || rim(x, y, (135, 106)) || rim(x, y, (185, 106))).then_some(25)
    })
}

fn mask(picture: &GrayImage) -> GrayImage {
    drawn(picture, |x, y| ((105..215).contains(&x) && (125..190).contains(&y)).then_some(215))
}

fn half_covered(picture: &GrayImage) -> GrayImage {
    drawn(picture, |x, y| ((160..240).contains(&x) && y > 40).then_some(150))
}

fn drawn(picture: &GrayImage, over: impl Fn(u32, u32) -> Option<u8>) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        over(x, y).map_or(*picture.get_pixel(x, y), |level| Luma([level]))
    })
}

fn tilted(picture: &GrayImage, degrees: f64) -> GrayImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (dx, dy) = (f64::from(x) - 160.0, f64::from(y) - 120.0);
        let (from_x, from_y) = (160.0 + dx * cos + dy * sin, 120.0 - dx * sin + dy * cos);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the picture")]
        let clamp = |value: f64, most: u32| value.round().clamp(0.0, f64::from(most - 1)) as u32;
        *picture.get_pixel(clamp(from_x, picture.width()), clamp(from_y, picture.height()))
    })
}

fn far(picture: &GrayImage) -> GrayImage {
    let mut room =
        GrayImage::from_fn(320, 240, |x, y| Luma([u8::try_from(90 + x / 8 + y / 8).unwrap_or(90)]));
    let small = imageops::resize(picture, 160, 120, imageops::FilterType::Triangle);
    imageops::replace(&mut room, &small, 80, 60);
    room
}

fn beside(one: &GrayImage, two: &GrayImage) -> GrayImage {
    let mut both = GrayImage::new(320, 240);
    for (picture, x) in [(one, 0), (two, 160)] {
        let half = imageops::crop_imm(picture, 80, 0, 160, 240).to_image();
        imageops::replace(&mut both, &half, x, 0);
    }
    both
}

/// Minutes of each kind of sound, and how often it was claimed.
fn sounds() -> String {
    type Level = fn(i64) -> u8;
    let kinds: [(&str, bool, Level); 7] = [
        ("quiet room", false, |at| 62 + u8::try_from(at / 20 % 3).unwrap_or(0)),
        ("speech near by, 5 s a minute", true, |at| spoken(at, 18)),
        ("speech in the next room, 5 s a minute", true, |at| spoken(at, 38)),
        ("whisper, 5 s a minute", true, |at| spoken(at, 50)),
        ("keyboard, four strokes a second", false, |at| if at % 250 < 20 { 35 } else { 62 }),
        ("rain or a fan, all the time", false, |at| 42 + u8::try_from(at / 20 % 3).unwrap_or(0)),
        (
            "a door, once a minute",
            false,
            |at| if (30_000..30_300).contains(&(at % 60_000)) { 12 } else { 62 },
        ),
    ];
    let head = "| Sound | Minutes | Should be claimed | Claimed |\n|---|---:|---:|---:|\n".to_owned();
    kinds.into_iter().fold(head, |table, (kind, counts, level)| {
        const MINUTES: i64 = 10;
        let mut watch = Watch::default();
        let claims = (0..MINUTES * 60_000).step_by(20).filter_map(|at| watch.hear(at, level(at)));
        let begun = claims.filter(|claim| claim.phase == Phase::Begin).count();
        let should = if counts { MINUTES } else { 0 };
        table + &format!("| {kind} | {MINUTES} | {should} | {begun} |\n")
    })
}

/// Syllables: four a second, each three tenths loud, for five seconds of every minute.
fn spoken(at: i64, loudest: u8) -> u8 {
    let speaks = (30_000..35_000).contains(&(at % 60_000));
    if speaks && at % 250 < 180 { loudest } else { 62 }
}

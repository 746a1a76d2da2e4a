//! Prints what sampler and detectors cost: one picture of 480 x 360 every five seconds and the levels of the sound, as a
//! share of one core per candidate, by processor time. Pictures are WebP as the sampler takes them in (without loss, which
//! is dearer to decode than a camera's key frame); a person, nobody and another person take turns, so that nothing is spared
//! as equal to the picture before.
//!
//! `cargo run --release -p synaq-detectors --example cost`

use image::{GrayImage, ImageFormat, imageops};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use synaq_detectors::{Frame, Rustface, Thresholds, Watch};

const SIZE: (u32, u32) = (480, 360);
const EVERY_MS: i64 = 5_000;
/// Middles of what is shown, in pixels of the photograph that comes with the face detector: a person, steps, a person.
const SHOWN: [(u32, u32); 3] = [(897, 278), (1_250, 770), (690, 288)];
/// Part of the photograph that fills a picture.
const CUT: (u32, u32) = (160, 120);
/// Pictures of one run; three runs, the median counts.
const PICTURES: u32 = 120;
const RUNS: usize = 3;
/// Levels come for each tenth of a second.
const STEP_MS: usize = 100;

fn main() {
    let people = image::load_from_memory(include_bytes!(concat!(env!("OUT_DIR"), "/people.png")))
        .expect("the photograph is a picture")
        .into_luma8();
    let pictures: Vec<Vec<u8>> = (0..PICTURES).map(|number| picture(&people, number)).collect();
    let mut runs: Vec<[Duration; 4]> = (0..RUNS).map(|_| run(&pictures)).collect();
    println!("| Part | ms a picture | % of a core per candidate |\n|---|---:|---:|");
    for (part, name) in
        ["decoding and measuring", "conditions and faces", "sound", "together"].iter().enumerate()
    {
        runs.sort_by_key(|run| run[part]);
        let each = runs[RUNS / 2][part].as_secs_f64() * 1_000.0 / f64::from(PICTURES);
        println!("| {name} | {each:.2} | {:.2} |", each / EVERY_MS as f64 * 100.0);
    }
}

/// Part after part, so that each lasts long enough for the clock.
fn run(pictures: &[Vec<u8>]) -> [Duration; 4] {
    let at = |number: u64| i64::try_from(number).expect("few") * EVERY_MS;
    let mut faces = Rustface::new();
    let mut watch = Watch::new(Thresholds::default(), BTreeSet::new());
    let began = busy();
    let frames: Vec<Frame> = (0..)
        .zip(pictures)
        .map(|(number, webp)| Frame::decode(number, at(number), webp).expect("a picture"))
        .collect();
    let decoded = busy();
    for frame in &frames {
        watch.see(frame, &mut faces);
    }
    let looked = busy();
    for at in (0..at(u64::from(PICTURES))).step_by(STEP_MS) {
        watch.hear(at, if at % 7_000 < 2_000 { 25 } else { 62 });
    }
    let listened = busy();
    [decoded - began, looked - decoded, listened - looked, listened - began]
}

/// Time that this thread had a processor: what others take of a busy machine is not ours. Elsewhere than on Linux the
/// time that passed.
fn busy() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let ran = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = ran.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

fn picture(people: &GrayImage, number: u32) -> Vec<u8> {
    let (x, y) = SHOWN[number as usize % SHOWN.len()];
    let drift = number % 9;
    let cut = imageops::crop_imm(people, x - CUT.0 / 2 + drift, y - CUT.1 / 2, CUT.0, CUT.1).to_image();
    let large = imageops::resize(&cut, SIZE.0, SIZE.1, imageops::FilterType::Triangle);
    let mut webp = Vec::new();
    image::DynamicImage::ImageLuma8(large)
        .into_rgb8()
        .write_to(&mut Cursor::new(&mut webp), ImageFormat::WebP)
        .expect("a small picture");
    webp
}

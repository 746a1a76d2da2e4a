//! Pictures in, claims out.

use super::{Ask, Detection, FaceFinder, Settings, Wanted, code, event, switched_off};
use bytes::Bytes;
use image::{GrayImage, ImageFormat, Luma};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use synaq_core::proctoring::{Code, SignalPhase, Source};
use synaq_core::time::At;
use synaq_detectors::{Condition, Phase, Thresholds};
use synaq_media::{ClockSeen, Fact};
use synaq_runtime::Clock;
use uuid::Uuid;

const SESSION: Uuid = Uuid::from_u128(7);

#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> At {
        At(self.0.load(Ordering::SeqCst))
    }
}

fn settings() -> Settings {
    Settings { workers: 1, budget_pct: 100, faces: FaceFinder::Off, thresholds: Thresholds::default() }
}

fn covered(level: u8) -> Fact {
    let mut bytes = Vec::new();
    GrayImage::from_pixel(320, 240, Luma([level]))
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .expect("a picture");
    Fact::StillTaken { webp: Bytes::from(bytes) }
}

#[tokio::test]
async fn a_cover_is_claimed_with_what_was_measured() {
    let clock = Arc::new(Hand::default());
    let detection = Arc::new(Detection::new(Arc::<Hand>::clone(&clock)));
    let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let ask: Ask = Arc::new(move |session| {
        looked.send(session).expect("the test listens");
        Wanted::Yes(BTreeSet::new())
    });
    let (workers, mut found) = detection.start(&settings(), &ask).expect("a thread");
    for number in 0..2 {
        clock.0.store(number * 5_000, Ordering::SeqCst);
        detection.notice(SESSION, &covered(120));
        // The next picture would stand for one that was not looked at yet.
        assert_eq!(looks.recv().await, Some(SESSION));
    }
    let found = found.recv().await.expect("a claim");
    let claim = &found.claim;
    assert_eq!((found.session, claim.condition, claim.phase), (SESSION, Condition::Covered, Phase::Begin));
    let event = event(&found);
    assert_eq!(
        (event.code, event.phase, event.source),
        (Code::CameraCovered, SignalPhase::Begin, Source::Model)
    );
    let measured = event.measured.expect("measured");
    assert_eq!(
        (measured.condition.as_str(), measured.threshold_milli, measured.picture),
        ("camera_covered", 5_000, Some(1))
    );
    let Fact::StillTaken { webp } = covered(120) else { panic!("a picture") };
    assert_eq!(measured.picture_at, Some(At(5_000)));
    assert_eq!(measured.picture_sha256, Some(synaq_seal::sha256(&webp).to_string()));
    assert_eq!((measured.shown, measured.could_not_tell), (Some(2), Some(0)));
    tokio::task::spawn_blocking(|| workers.stop()).await.expect("stopped");
}

#[tokio::test]
async fn a_clock_that_leaps_is_claimed_without_a_picture_and_an_accommodation_switches_it_off() {
    let leap = Fact::Clock(ClockSeen {
        passed_ms: 5_000,
        advanced_ms: -25_000,
        pictures: 60,
        jumped_ms: -30_000,
        repeated: 0,
    });
    for off in [BTreeSet::new(), switched_off(&[Code::CameraClock].into())] {
        let clock = Arc::new(Hand::default());
        let detection = Arc::new(Detection::new(Arc::<Hand>::clone(&clock)));
        let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
        let wanted = off.clone();
        let ask: Ask = Arc::new(move |session| {
            looked.send(session).expect("the test listens");
            Wanted::Yes(wanted.clone())
        });
        let (workers, mut found) = detection.start(&settings(), &ask).expect("a thread");
        detection.notice(SESSION, &leap);
        assert_eq!(looks.recv().await, Some(SESSION));
        tokio::task::spawn_blocking(|| workers.stop()).await.expect("stopped");
        if !off.is_empty() {
            assert!(found.try_recv().is_err());
            continue;
        }
        let event = event(&found.try_recv().expect("a claim"));
        assert_eq!(
            (event.code, event.phase, event.source),
            (Code::CameraClock, SignalPhase::Begin, Source::Model)
        );
        let measured = event.measured.expect("measured");
        assert_eq!(
            (
                measured.condition.as_str(),
                measured.detector.as_str(),
                measured.score_milli,
                measured.threshold_milli
            ),
            ("clock_jump", "clock", 30_000, 5_000)
        );
        assert_eq!((measured.picture, measured.shown), (None, None));
    }
}

#[tokio::test]
async fn sound_between_two_pictures_asks_nobody_and_sound_alone_asks_again_after_a_while() {
    let clock = Arc::new(Hand::default());
    let detection = Arc::new(Detection::new(Arc::<Hand>::clone(&clock)));
    let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let ask: Ask = Arc::new(move |session| {
        looked.send(session).expect("the test listens");
        Wanted::Yes(BTreeSet::new())
    });
    let (workers, _found) = detection.start(&settings(), &ask).expect("a thread");
    detection.notice(SESSION, &covered(120));
    assert_eq!(looks.recv().await, Some(SESSION));
    for second in 1..10 {
        clock.0.store(second * 1_000, Ordering::SeqCst);
        detection.notice(SESSION, &Fact::Levels { loudest: vec![60; 10] });
    }
    clock.0.store(11_000, Ordering::SeqCst);
    detection.notice(SESSION, &Fact::Levels { loudest: vec![60; 10] });
    assert_eq!(looks.recv().await, Some(SESSION));
    tokio::task::spawn_blocking(|| workers.stop()).await.expect("stopped");
    assert!(looks.try_recv().is_err(), "once for the picture, once for the sound alone");
}

#[tokio::test]
async fn before_the_exam_and_in_a_pause_nothing_is_claimed() {
    let clock = Arc::new(Hand::default());
    let detection = Arc::new(Detection::new(Arc::<Hand>::clone(&clock)));
    let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let ask: Ask = Arc::new(move |session| {
        looked.send(session).expect("the test listens");
        Wanted::No
    });
    let (workers, mut found) = detection.start(&settings(), &ask).expect("a thread");
    for number in 0..4 {
        clock.0.store(number * 5_000, Ordering::SeqCst);
        detection.notice(SESSION, &covered(3));
        assert_eq!(looks.recv().await, Some(SESSION));
    }
    tokio::task::spawn_blocking(|| workers.stop()).await.expect("stopped");
    assert!(found.try_recv().is_err());
}

#[test]
fn an_accommodation_switches_off_every_condition_of_its_code() {
    let off = switched_off(&[Code::CameraCovered, Code::SoundHeard, Code::WindowBlur].into());
    assert_eq!(off, [Condition::Dark, Condition::Covered, Condition::Sound].into());
    for condition in Condition::ALL {
        assert!(!code(condition).is_technical(), "{condition:?}");
        assert!(
            synaq_core::proctoring::explanation(condition.name()).is_some(),
            "{condition:?} is not explained"
        );
    }
}

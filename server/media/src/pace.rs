//! The sender's clock beside ours: RTP timestamps of pictures (RFC 3550, section 5.1) against when they came.
//!
//! A camera's timestamps run with the time. Those of a recording that somebody plays into the connection may stand still,
//! run at another rate, or jump where it begins again; and the pictures of a stretch that is played twice are the same
//! bytes, which an encoder does not make of two different moments. Only the webcam's: a sound card that glitches does the
//! same to the microphone's clock, and means nothing.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Told this often. A home line's queue moves arrivals by some hundred milliseconds: a tenth of it at most.
const TOLD_EVERY_MS: i64 = 5_000;
/// Nothing for so long is an interruption: what came before and after is not compared.
const PAUSE_MS: i64 = 2_000;
/// Ticks of the video clock (RFC 7741, section 4.1).
const TICKS_PER_MS: i64 = 90;
/// Key frames remembered: an hour of one each 5 s.
const KEYS_MAX: usize = 720;
/// Of one and the same picture an encoder makes few key frames that differ, and comes back to them: what came within so many
/// is no stretch that is played again.
const STILL_CYCLE: usize = 8;
/// Smaller ones are of an even picture, dark or covered, and are the same by themselves.
const KEY_BYTES_MIN: usize = 1_000;

/// What some seconds of pictures showed of the sender's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockSeen {
    /// Between the first and the last of them, by our clock, ms
    pub passed_ms: i64,
    /// By the sender's
    pub advanced_ms: i64,
    /// Pictures
    pub pictures: u32,
    /// The largest leap of the sender's clock against ours between two pictures, ms
    pub jumped_ms: i64,
    /// Key frames that differ and came in the same order before
    pub repeated: u32,
}

/// Follows one publisher's pictures.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<(u32, i64)>,
    seen: ClockSeen,
    keys: VecDeque<u64>,
    /// Where among `keys` that one stands which followed the last key frame when it came before
    next: Option<usize>,
    run: u32,
}

impl Pace {
    /// Takes the end of a picture, in order; `at_ms` on our clock.
    pub(crate) fn picture(&mut self, timestamp: u32, at_ms: i64) -> Option<ClockSeen> {
        let (before, before_ms) = self.last.replace((timestamp, at_ms))?;
        let passed = at_ms - before_ms;
        if passed >= PAUSE_MS {
            let repeated = self.seen.repeated;
            self.seen = ClockSeen { repeated, ..ClockSeen::default() };
            return None;
        }
        let advanced = i64::from(timestamp.wrapping_sub(before).cast_signed()) / TICKS_PER_MS;
        let seen = &mut self.seen;
        seen.passed_ms += passed;
        seen.advanced_ms += advanced;
        seen.pictures += 1;
        if (advanced - passed).abs() > seen.jumped_ms.abs() {
            seen.jumped_ms = advanced - passed;
        }
        (seen.passed_ms >= TOLD_EVERY_MS).then(|| std::mem::take(seen))
    }

    /// Takes a whole key frame.
    pub(crate) fn key(&mut self, data: &[u8]) {
        if data.len() < KEY_BYTES_MIN {
            return;
        }
        let mut hasher = DefaultHasher::new();
        data.hash(&mut hasher);
        let hash = hasher.finish();
        // A picture that stands still is the same again and again; that is another detector's.
        let stands = self.keys.iter().rev().take(STILL_CYCLE).any(|key| *key == hash);
        let follows = self.next.filter(|at| self.keys.get(*at) == Some(&hash));
        let found = follows.or_else(|| self.keys.iter().rposition(|key| *key == hash)).filter(|_| !stands);
        self.run = match found {
            Some(_) if follows.is_some() => self.run + 1,
            Some(_) => 1,
            None => 0,
        };
        self.next = found.map(|at| at + 1);
        self.seen.repeated = self.seen.repeated.max(self.run);
        self.keys.push_back(hash);
        if self.keys.len() > KEYS_MAX {
            self.keys.pop_front();
            self.next = self.next.and_then(|at| at.checked_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute at 12 pictures a second and what is told of it; the sender's clock by ours, in ms.
    fn told(clock: impl Fn(i64) -> i64) -> Vec<ClockSeen> {
        let mut pace = Pace::default();
        let ticks = |ms: i64| u32::try_from((clock(ms) * TICKS_PER_MS) & 0xffff_ffff).unwrap();
        // The same for every run: 0 to 99 ms.
        let jitter = |ms: i64| (ms * 7_919 / 80) % 100;
        (0..60_000).step_by(80).filter_map(|ms| pace.picture(ticks(ms), ms + jitter(ms))).collect()
    }

    fn per_mille(seen: &ClockSeen) -> i64 {
        seen.advanced_ms * 1_000 / seen.passed_ms
    }

    #[test]
    fn a_camera_runs_with_the_time_whatever_the_line_does_and_over_the_wrap() {
        for began in [0, (1 << 32) / TICKS_PER_MS - 20_000] {
            let told = told(|ms| ms + began);
            assert_eq!(told.len(), 11);
            for seen in told {
                assert!((960..=1_040).contains(&per_mille(&seen)) && seen.jumped_ms.abs() < 200, "{seen:?}");
                assert!(seen.pictures >= 60 && seen.repeated == 0);
            }
        }
    }

    #[test]
    fn a_clock_that_stands_runs_wrong_or_jumps_is_measured() {
        assert!(told(|_| 5_000).iter().all(|seen| seen.advanced_ms == 0));
        assert!(told(|ms| ms * 2).iter().all(|seen| (1_900..=2_100).contains(&per_mille(seen))));
        let jumps: Vec<i64> = told(|ms| ms % 30_000).iter().map(|seen| seen.jumped_ms).collect();
        assert_eq!(jumps.iter().filter(|jump| **jump < -29_000).count(), 1, "{jumps:?}");
    }

    #[test]
    fn an_interruption_is_no_jump() {
        let mut pace = Pace::default();
        for at in [0, 80, 160] {
            assert_eq!(pace.picture(u32::try_from(at * 90).unwrap(), at), None);
        }
        // Away for a minute, with a clock that stood meanwhile.
        let after: Vec<_> = (0..70)
            .filter_map(|n: i64| pace.picture(u32::try_from((240 + n * 80) * 90).unwrap(), 60_000 + n * 80))
            .collect();
        assert!(after.len() == 1 && after[0].jumped_ms == 0, "{after:?}");
    }

    #[test]
    fn a_stretch_that_is_played_again_is_counted_and_a_picture_that_stands_still_is_not() {
        let frame = |number: u8| vec![number; KEY_BYTES_MIN];
        let repeated = |frames: &[u8]| {
            let mut pace = Pace::default();
            frames.iter().for_each(|number| pace.key(&frame(*number)));
            pace.seen.repeated
        };
        let minute: Vec<u8> = (1..=12).collect();
        let then = |next: &[u8]| repeated(&[&minute, next].concat());
        assert_eq!(then(&[2, 3, 4, 90]), 3);
        assert_eq!(then(&[20, 21, 22]), 0);
        assert_eq!(then(&[1, 90, 3, 91]), 1, "single likenesses are no stretch");
        assert_eq!(repeated(&[7; 20]), 0);
        assert_eq!(repeated(&[1, 2, 3].repeat(20)), 0, "one picture, encoded in three ways in turn");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_stretch_is_found_to_its_edge() {
        let mut pace = Pace::default();
        let frame = |number: usize| number.to_be_bytes().repeat(KEY_BYTES_MIN);
        (0..2 * KEYS_MAX).for_each(|number| pace.key(&frame(number)));
        assert_eq!((pace.keys.len(), pace.seen.repeated), (KEYS_MAX, 0));
        (KEYS_MAX..KEYS_MAX + 10).for_each(|number| pace.key(&frame(number)));
        assert!(pace.seen.repeated >= 9, "{}", pace.seen.repeated);
    }
}

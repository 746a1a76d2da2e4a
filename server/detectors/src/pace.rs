//! The clock of the camera's sender: whether it runs as a camera's does.

use crate::claim::{Condition, Reading, Why};
use crate::picture::{reading, unknown};

/// Fewer pictures than this in a stretch say nothing about a clock: a line at its lowest step has one a second.
const PICTURES_MIN: u32 = 10;

/// When a clock is odd.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PaceRule {
    /// It stands when it advances by less than this share of the time
    pub frozen_share: f32,
    /// It runs wrong when it is off by this share of the time: a line that fills its queues delays a tenth
    pub rate_share: f32,
    /// It leaps by so many seconds between two pictures
    pub jump_s: f32,
    /// So many different key frames in a row came in this order before
    pub repeated: f32,
}

impl Default for PaceRule {
    fn default() -> Self {
        Self { frozen_share: 0.05, rate_share: 0.25, jump_s: 5.0, repeated: 2.0 }
    }
}

/// Some seconds of pictures that came without an interruption.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// By our clock, ms
    pub passed_ms: i64,
    /// By the sender's, ms
    pub advanced_ms: i64,
    /// Pictures
    pub pictures: u32,
    /// The largest leap of the sender's clock against ours, ms
    pub jumped_ms: i64,
    /// Different key frames in a row that came in the same order before
    pub repeated: u32,
}

impl Pace {
    /// The four readings.
    #[must_use]
    pub fn read(&self, rule: &PaceRule) -> [Reading; 4] {
        let repeated = f32::from(u16::try_from(self.repeated).unwrap_or(u16::MAX));
        let replayed = reading(Condition::Replayed, repeated >= rule.repeated, repeated, rule.repeated);
        if self.pictures < PICTURES_MIN || self.passed_ms <= 0 {
            let unknown = |condition, threshold| unknown(condition, Why::TooFew, threshold);
            return [
                unknown(Condition::ClockFrozen, rule.frozen_share),
                unknown(Condition::ClockRate, rule.rate_share),
                unknown(Condition::ClockJump, rule.jump_s),
                replayed,
            ];
        }
        let jump = seconds(self.jumped_ms).abs();
        let jumped = jump >= rule.jump_s;
        let share = seconds(self.advanced_ms) / seconds(self.passed_ms);
        let stands = !jumped && share.abs() < rule.frozen_share;
        let off = (share - 1.0).abs();
        let wrong = !jumped && !stands && off >= rule.rate_share;
        [
            reading(Condition::ClockFrozen, stands, share.abs(), rule.frozen_share),
            reading(Condition::ClockRate, wrong, off, rule.rate_share),
            reading(Condition::ClockJump, jumped, jump, rule.jump_s),
            replayed,
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below four hours; a leap beyond is as large")]
fn seconds(ms: i64) -> f32 {
    ms as f32 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Claim, Phase, Thresholds, Watch};
    use std::collections::BTreeSet;

    const GOOD: Pace =
        Pace { passed_ms: 5_000, advanced_ms: 5_050, pictures: 60, jumped_ms: 90, repeated: 0 };

    /// One stretch each five seconds.
    fn watch(stretches: &[Pace], off: BTreeSet<Condition>) -> Vec<Claim> {
        let mut watch = Watch::new(Thresholds::default(), off);
        let at = (1..).map(|number| number * 5_000);
        at.zip(stretches).flat_map(|(at, pace)| watch.pace(at, *pace)).collect()
    }

    fn begun(stretches: &[Pace]) -> Vec<Condition> {
        let claims = watch(stretches, BTreeSet::new());
        claims.iter().filter(|claim| claim.phase == Phase::Begin).map(|claim| claim.condition).collect()
    }

    #[test]
    fn a_clock_that_stands_runs_wrong_or_leaps_and_a_repeated_stretch_are_claimed_each_by_its_name() {
        let stands = Pace { advanced_ms: 0, ..GOOD };
        let fast = Pace { advanced_ms: 10_000, ..GOOD };
        let slow = Pace { advanced_ms: 3_000, ..GOOD };
        let back = Pace { advanced_ms: -25_000, jumped_ms: -30_000, ..GOOD };
        let again = Pace { repeated: 2, ..GOOD };
        for (stretch, condition) in [
            (stands, Condition::ClockFrozen),
            (fast, Condition::ClockRate),
            (slow, Condition::ClockRate),
            (back, Condition::ClockJump),
            (again, Condition::Replayed),
        ] {
            assert_eq!(begun(&[stretch; 4]), [condition], "{stretch:?}");
        }
        let claims = watch(&[GOOD, back, GOOD], BTreeSet::new());
        assert_eq!(
            (claims.len(), claims[0].detector, claims[0].score, claims[0].threshold),
            (2, "clock", 30.0, 5.0)
        );
        assert_eq!((claims[0].picture, claims[1].phase), (None, Phase::End));
    }

    #[test]
    fn a_weak_line_is_no_odd_clock() {
        // A queue that fills for ten seconds and empties again, and a step down to one picture a second.
        let filling = Pace { advanced_ms: 3_500, ..GOOD };
        let emptying = Pace { advanced_ms: 6_500, ..GOOD };
        let sparse = Pace { advanced_ms: 900, pictures: 5, ..GOOD };
        assert_eq!(begun(&[GOOD, filling, filling, GOOD, emptying, emptying, GOOD]), []);
        assert_eq!(begun(&[sparse; 12]), []);
        assert_eq!(begun(&[Pace { advanced_ms: 5_500, ..GOOD }; 12]), [], "a tenth off for a minute");
    }

    #[test]
    fn an_accommodation_switches_it_off() {
        let stands = Pace { advanced_ms: 0, repeated: 9, ..GOOD };
        assert_eq!(watch(&[stands; 9], Condition::ALL.into()), []);
    }
}

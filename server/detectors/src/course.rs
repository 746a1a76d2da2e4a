//! Hysteresis: one odd picture is no condition, and one good one does not end it.

use crate::claim::{Phase, Verdict};

/// How long a condition must be there to be claimed, and be gone to be over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Pictures in which it was present, without an absent one between them
    pub present: u32,
    /// And at least this long from the first of them
    pub present_ms: i64,
    /// Pictures in which it was absent
    pub absent: u32,
}

/// A condition over time.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Instant and number of pictures since it was first present
    since: Option<(i64, u32)>,
    claimed: bool,
    absent: u32,
    unknown: u32,
}

impl Course {
    /// Takes the next verdict; what is to be told, and since when the condition lasts.
    ///
    /// "Could not tell" moves nothing: neither towards a claim nor towards its end.
    pub fn take(&mut self, verdict: Verdict, at_ms: i64, hold: Hold) -> Option<(Phase, i64)> {
        match verdict {
            Verdict::CouldNotTell(_) => {
                self.unknown += u32::from(self.since.is_some());
                None
            }
            Verdict::Present => {
                let (since, count) = self.since.map_or((at_ms, 1), |(since, count)| (since, count + 1));
                self.since = Some((since, count));
                self.absent = 0;
                if self.claimed {
                    return Some((Phase::Seen, at_ms));
                }
                if count >= hold.present && at_ms - since >= hold.present_ms {
                    self.claimed = true;
                    return Some((Phase::Begin, since));
                }
                None
            }
            Verdict::Absent if self.claimed => {
                self.absent += 1;
                if self.absent < hold.absent {
                    return None;
                }
                *self = Self::default();
                Some((Phase::End, at_ms))
            }
            Verdict::Absent => {
                *self = Self::default();
                None
            }
        }
    }

    /// Pictures in a row that showed it, and those among them that allowed no answer.
    #[must_use]
    pub fn looked(&self) -> (u32, u32) {
        (self.since.map_or(0, |(_, count)| count), self.unknown)
    }

    /// Claimed and not over.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.claimed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Why;
    use proptest::prelude::*;

    const HOLD: Hold = Hold { present: 3, present_ms: 10_000, absent: 2 };
    const UNKNOWN: Verdict = Verdict::CouldNotTell(Why::TooDark);

    fn run(verdicts: &[Verdict]) -> Vec<Option<(Phase, i64)>> {
        let mut course = Course::default();
        verdicts.iter().zip(0..).map(|(verdict, at)| course.take(*verdict, at * 5_000, HOLD)).collect()
    }

    #[test]
    fn three_pictures_over_ten_seconds_are_claimed_from_the_first_of_them() {
        use Verdict::{Absent, Present};
        let told = run(&[Present, Present, Present, Present, Absent, Absent]);
        assert_eq!(
            told,
            [
                None,
                None,
                Some((Phase::Begin, 0)),
                Some((Phase::Seen, 15_000)),
                None,
                Some((Phase::End, 25_000))
            ]
        );
    }

    #[test]
    fn what_was_looked_at_is_counted_until_it_is_over() {
        let mut course = Course::default();
        for (verdict, looked) in [
            (UNKNOWN, (0, 0)),
            (Verdict::Present, (1, 0)),
            (UNKNOWN, (1, 1)),
            (Verdict::Present, (2, 1)),
            (Verdict::Absent, (0, 0)),
        ] {
            course.take(verdict, 0, HOLD);
            assert_eq!(course.looked(), looked);
        }
    }

    #[test]
    fn one_good_picture_between_starts_again() {
        use Verdict::{Absent, Present};
        assert_eq!(run(&[Present, Present, Absent, Present, Present]), [None; 5]);
    }

    #[test]
    fn pictures_that_cannot_tell_neither_claim_nor_end() {
        use Verdict::{Absent, Present};
        let told = run(&[Present, UNKNOWN, Present, UNKNOWN, Present, Absent, UNKNOWN, Absent]);
        assert_eq!(told[4], Some((Phase::Begin, 0)));
        assert_eq!(told[7], Some((Phase::End, 35_000)));
        assert!(run(&[UNKNOWN; 40]).iter().all(Option::is_none));
    }

    proptest! {
        /// Every begin is followed by an end before the next begin; `Seen` only between them.
        #[test]
        fn phases_come_in_order(verdicts in prop::collection::vec(0_u8..3, 0..200)) {
            let verdict = |number| match number {
                0 => Verdict::Absent,
                1 => Verdict::Present,
                _ => UNKNOWN,
            };
            let mut open = false;
            let verdicts: Vec<Verdict> = verdicts.into_iter().map(verdict).collect();
            for told in run(&verdicts).into_iter().flatten() {
                match told.0 {
                    Phase::Begin => prop_assert!(!std::mem::replace(&mut open, true)),
                    Phase::Seen => prop_assert!(open),
                    Phase::End => prop_assert!(std::mem::replace(&mut open, false)),
                }
            }
        }
    }
}

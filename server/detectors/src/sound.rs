//! Sound from the levels that the browser writes into each packet (RFC 6464): nothing is decoded or kept.

use std::collections::VecDeque;

/// Silence in RFC 6464's scale: 0 is as loud as can be, 127 is nothing (unit: -dBov).
const SILENT: u8 = 127;

/// When a sound is a sound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SoundRule {
    /// Louder than the room by this, in dB
    pub above_floor_db: u8,
    /// And at least this loud: -dBov, so a larger number is quieter
    pub quietest: u8,
    /// For this long altogether ...
    pub heard_ms: i64,
    /// ... within this time
    pub within_ms: i64,
    /// Over after this long without
    pub quiet_ms: i64,
    /// The room's own level is the 10th percentile of this time
    pub floor_over_ms: i64,
}

impl Default for SoundRule {
    fn default() -> Self {
        Self {
            above_floor_db: 15,
            quietest: 45,
            heard_ms: 2_000,
            within_ms: 4_000,
            quiet_ms: 5_000,
            floor_over_ms: 60_000,
        }
    }
}

/// What was heard lately, in steps: the loudest level of each tenth of a second.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    steps: VecDeque<(i64, u8)>,
}

/// Sound of the last seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// How long altogether
    pub ms: i64,
    /// -dBov
    pub loudest: u8,
    /// The first of it
    pub since_ms: i64,
}

/// The grid of the steps.
const STEP_MS: i64 = 100;
/// A floor needs some seconds of the room first.
const FLOOR_NEEDS: usize = 50;

impl Levels {
    /// Takes the level of a packet: 0 (loudest) ..= 127 (silence). Packets come in order. True when it begins a new tenth
    /// of a second: soon enough to look at all of them.
    pub fn take(&mut self, at_ms: i64, level: u8, rule: &SoundRule) -> bool {
        let level = level.min(SILENT);
        let step = at_ms - at_ms.rem_euclid(STEP_MS);
        if let Some((last, loudest)) = self.steps.back_mut()
            && *last >= step
        {
            *loudest = (*loudest).min(level);
            return false;
        }
        self.steps.push_back((step, level));
        while self.steps.front().is_some_and(|(first, _)| *first < step - rule.floor_over_ms) {
            self.steps.pop_front();
        }
        true
    }

    /// The room's own level in -dBov; none before there are five seconds of it.
    #[must_use]
    pub fn floor(&self) -> Option<u8> {
        if self.steps.len() < FLOOR_NEEDS {
            return None;
        }
        let mut levels: Vec<u8> = self.steps.iter().map(|(_, level)| *level).collect();
        // The quietest tenth: large numbers are quiet.
        let tenth = levels.len() - 1 - levels.len() / 10;
        Some(*levels.select_nth_unstable(tenth).1)
    }

    /// The sound within the last `rule.within_ms`; none before a floor is known.
    #[must_use]
    pub fn heard(&self, now_ms: i64, rule: &SoundRule) -> Option<Heard> {
        let loud_from = self.floor()?.saturating_sub(rule.above_floor_db).min(rule.quietest);
        let recent = self.steps.iter().rev().take_while(|(at, _)| *at > now_ms - rule.within_ms);
        let loud = recent.filter(|(_, level)| *level <= loud_from);
        Some(loud.fold(Heard { ms: 0, loudest: SILENT, since_ms: now_ms }, |heard, (at, level)| Heard {
            ms: heard.ms + STEP_MS,
            loudest: heard.loudest.min(*level),
            since_ms: *at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: SoundRule = SoundRule {
        above_floor_db: 15,
        quietest: 45,
        heard_ms: 2_000,
        within_ms: 4_000,
        quiet_ms: 5_000,
        floor_over_ms: 60_000,
    };

    /// Packets of 20 ms, `level` of each by its time.
    fn listen(until_ms: i64, level: impl Fn(i64) -> u8) -> Levels {
        let mut levels = Levels::default();
        for at in (0..until_ms).step_by(20) {
            levels.take(at, level(at), &RULE);
        }
        levels
    }

    #[test]
    fn a_quiet_room_has_a_floor_and_no_sound() {
        let levels = listen(20_000, |at| if at % 3 == 0 { 62 } else { 64 });
        assert_eq!(levels.floor(), Some(62));
        assert_eq!(levels.heard(20_000, &RULE).unwrap().ms, 0);
    }

    #[test]
    fn speech_over_two_seconds_is_heard() {
        let levels = listen(20_000, |at| if at >= 17_500 { 20 } else { 62 });
        assert_eq!(levels.heard(20_000, &RULE), Some(Heard { ms: 2_500, loudest: 20, since_ms: 17_500 }));
    }

    #[test]
    fn a_steady_fan_becomes_the_rooms_own_level() {
        let levels = listen(60_000, |_| 40);
        assert_eq!(levels.floor(), Some(40));
        assert_eq!(levels.heard(60_000, &RULE).unwrap().ms, 0);
    }

    #[test]
    fn nothing_is_said_before_the_room_is_known() {
        assert_eq!(listen(3_000, |_| 10).heard(3_000, &RULE), None);
    }

    #[test]
    fn only_the_last_minute_is_kept() {
        let levels = listen(300_000, |_| 60);
        assert!(levels.steps.len() <= 601);
    }
}

//! Detectors that need no model: light, cover, standstill, change of scene.

use crate::claim::{Condition, Reading, Verdict, Why};
use crate::frame::Look;
use crate::watch::Thresholds;
use std::collections::VecDeque;

/// Of one and the same picture an encoder makes few key frames that differ, and comes back to them: a picture stands still
/// if it is one of the last so many.
const STILL_CYCLE: usize = 6;

/// What the newest picture is compared with.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// Newest last
    before: VecDeque<Look>,
}

impl Baseline {
    /// Reads the four conditions of a picture, and remembers it.
    pub fn read(&mut self, look: &Look, thresholds: &Thresholds) -> [Reading; 4] {
        let dark = below(Condition::Dark, look.mean, thresholds.dark_mean);
        let covered = below(Condition::Covered, look.grid_deviation, thresholds.covered_deviation);
        let hidden = dark.verdict == Verdict::Present || covered.verdict == Verdict::Present;
        let frozen = self.frozen(look, hidden, thresholds);
        let changed = Self::changed(self.before.back(), look, hidden, thresholds);
        if self.before.len() == STILL_CYCLE {
            self.before.pop_front();
        }
        self.before.push_back(look.clone());
        [dark, covered, frozen, changed]
    }

    fn frozen(&self, look: &Look, hidden: bool, thresholds: &Thresholds) -> Reading {
        let (condition, threshold) = (Condition::Frozen, thresholds.frozen_difference);
        let least = self.before.iter().map(|before| look.difference(before)).reduce(f32::min);
        match least {
            // Darkness and a cover are quiet by themselves; that is claimed already.
            Some(least) if !hidden => below(condition, least, threshold),
            Some(_) => unknown(condition, Why::TooDark, threshold),
            None => unknown(condition, Why::NoBaseline, threshold),
        }
    }

    fn changed(before: Option<&Look>, look: &Look, hidden: bool, thresholds: &Thresholds) -> Reading {
        let (condition, threshold) = (Condition::Changed, thresholds.changed_difference);
        let Some(before) = before else { return unknown(condition, Why::NoBaseline, threshold) };
        let before_was_hidden =
            before.mean < thresholds.dark_mean || before.grid_deviation < thresholds.covered_deviation;
        if hidden || before_was_hidden {
            return unknown(condition, Why::TooDark, threshold);
        }
        let difference = look.difference(before);
        let present = difference >= threshold && look.hash_distance(before) >= thresholds.changed_bits;
        reading(condition, present, difference, threshold)
    }
}

fn below(condition: Condition, score: f32, threshold: f32) -> Reading {
    reading(condition, score < threshold, score, threshold)
}

pub(crate) fn reading(condition: Condition, present: bool, score: f32, threshold: f32) -> Reading {
    let verdict = if present { Verdict::Present } else { Verdict::Absent };
    Reading { condition, verdict, score, threshold }
}

pub(crate) fn unknown(condition: Condition, why: Why, threshold: f32) -> Reading {
    Reading { condition, verdict: Verdict::CouldNotTell(why), score: 0.0, threshold }
}

//! Delta debugging over a plan's items (Zeller, Hildebrandt 2002): leave out what the failure does not need.

use crate::plan::{Item, Plan};

/// Runs that a shrink may take: a small plan is worth a minute, not an hour.
const RUNS_MAX: u32 = 400;

/// The smallest plan found that still fails, as `fails` says, and how many runs that took.
pub fn shrink(plan: &Plan, mut fails: impl FnMut(&Plan) -> bool) -> (Plan, u32) {
    let mut best = plan.clone();
    let mut runs = 0;
    let mut chunk = best.items.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        let mut smaller = false;
        while from < best.items.len() && runs < RUNS_MAX {
            let until = (from + chunk).min(best.items.len());
            let items: Vec<Item> = best.items[..from].iter().chain(&best.items[until..]).cloned().collect();
            let candidate = Plan { items, ..best.clone() };
            runs += 1;
            if candidate.candidates().next().is_some() && fails(&candidate) {
                best = candidate;
                smaller = true;
            } else {
                from = until;
            }
        }
        if runs >= RUNS_MAX || (chunk == 1 && !smaller) {
            return (best, runs);
        }
        if !smaller || chunk > 1 {
            chunk = (chunk / 2).max(1);
        }
    }
}

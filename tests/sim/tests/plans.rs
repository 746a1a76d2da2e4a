//! A plan is all there is to a run.

use synaq_sim::{Fault, Item, Plan, play, shrink};

#[test]
fn a_plan_comes_back_from_its_file_as_it_went_in() {
    for seed in 0..50 {
        let plan = Plan::of(seed);
        let file = serde_json::to_vec_pretty(&plan).unwrap();
        assert_eq!(serde_json::from_slice::<Plan>(&file).unwrap(), plan);
    }
}

/// Map order, tasks' order, keys or a clock would show here: each run has hash tables of its own.
#[test]
fn the_same_plan_gives_the_same_log_to_the_last_byte() {
    let mut logs = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let (first, again) = (play(&Plan::of(seed)), play(&Plan::of(seed)));
        assert_eq!(first.log_hash, again.log_hash, "seed {seed}");
        assert_eq!(first.counts, again.counts, "seed {seed}");
        logs.insert(first.log_hash);
    }
    assert_eq!(logs.len(), 40, "every seed plays something of its own");
}

#[test]
fn shrinking_keeps_what_the_failure_needs_and_little_else() {
    let plan = Plan::of(3);
    let needed =
        |item: &Item| matches!(item, Item::Fault { fault: Fault::Crash { .. } | Fault::Stop { .. }, .. });
    let least = plan.items.iter().filter(|item| needed(item)).count();
    let fails = |plan: &Plan| plan.items.iter().filter(|item| needed(item)).count() == least;
    let (small, _) = shrink(&plan, fails);
    assert_eq!(small.items.len(), least + 1, "one candidate stays: {small:?}");
}

//! The short selection of the fault matrix, on the real binary.

use synaq_rig::run::{Selection, run};

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_short_selection_has_its_one_outcome() {
    let seed = rand::random_range(0..1_000_000);
    let selection = Selection { rows: Vec::new(), engine: None, seed, whole: false };
    assert!(run(&selection).await.unwrap(), "the table above says what missed; the seed is {seed}");
}

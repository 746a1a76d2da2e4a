//! The store of evidence on the real binary: over TLS with an authority of its own, away in mid-exam, killed, played, erased.

use synaq_rig::run::{Selection, run};

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_in_the_store_while_the_exam_goes_on_and_it_may_be_away() {
    let seed = rand::random_range(0..1_000_000);
    let selection = Selection { rows: vec!["9a".to_owned()], engine: None, seed, whole: false };
    assert!(run(&selection).await.unwrap(), "the table above says what missed; the seed is {seed}");
}

//! The fuzzer's corpus as an ordinary test, and its sound bundle as a promise: what this version sealed once verifies
//! for ever. The keys in `corpus/trust.json` belong to nobody.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use synaq_seal::bundle::fuzz;
use synaq_seal::key::TrustSet;
use synaq_seal::verify::{self, Outcome};

/// Changes tried on each file of the corpus, spread evenly over its bytes.
const CHANGES_PER_FILE: usize = 60;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn files() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpus().join("bundle")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        paths.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

fn trust() -> TrustSet {
    TrustSet::from_json(&fs::read(corpus().join("trust.json")).unwrap()).unwrap()
}

#[test]
fn sound_bundle_of_the_corpus_verifies_for_ever() {
    let report = verify::bundle(&fs::read(corpus().join("bundle/sound.json")).unwrap(), &trust(), None);
    assert!(report.checks().iter().all(|check| matches!(check.outcome, Outcome::Ok)), "{report:?}");
}

#[test]
fn only_the_sound_bundles_of_the_corpus_verify() {
    let sound = |bytes: &[u8]| verify::bundle(bytes, &trust(), None).ok();
    let names: Vec<String> =
        files().into_iter().filter(|(_, bytes)| sound(bytes)).map(|(name, _)| name).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for (name, expected) in names.iter().zip(["huge-numbers.json", "sealed-only.json", "sound.json"]) {
        assert!(name.ends_with(expected), "{names:?}");
    }
}

#[test]
fn no_file_of_the_corpus_nor_a_change_to_it_makes_the_verifier_panic() {
    for (_, bytes) in files() {
        fuzz(&bytes);
        for at in (0..bytes.len()).step_by((bytes.len() / CHANGES_PER_FILE).max(1)) {
            fuzz(&bytes[..at]);
            fuzz(&bytes[at..]);
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            fuzz(&changed);
            changed[at] = b'"';
            fuzz(&changed);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_verifier_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        fuzz(&bytes);
    }
}

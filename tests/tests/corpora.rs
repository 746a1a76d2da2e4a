//! The fuzzer's corpora as ordinary tests: every seed, and many changes of every seed, through the entry of its
//! target. Longer runs: `fuzz/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use synaq_fuzz_entries::{ENTRIES, Entry, Verdict};

/// Changed inputs per target, and the bytes all of them together may have: that bounds the time, not the longest seed.
const CHANGED_MAX: usize = 20_000;
const CHANGED_BYTES_MAX: usize = 24 << 20;
/// Where each input needs a peer of its own, which takes about a millisecond.
const CHANGED_PEERS_MAX: usize = 2_000;
/// Where the changes begin; a failure names it with the round.
const SEED: u64 = 0x5359_4e41_5131_3939;

/// What a change may put in: ends of numbers, and bytes that mean something to one of the formats.
const TOKENS: [&[u8]; 20] = [
    b"-9223372036854775808",
    b"9223372036854775807",
    b"18446744073709551616",
    b"4294967295",
    b"-1",
    b"0",
    b"1e999",
    b"null",
    b"{",
    b"[[",
    b"]",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r\n\r\n",
    b"a=",
    b"=",
    b"\xf0\x9f\x98\x80",
    b"\xff",
];

struct Seed {
    name: String,
    bytes: Vec<u8>,
}

/// A target's own seeds and those that its crate keeps for promises of its own.
fn seeds(target: &str) -> Vec<Seed> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![tests.join("fuzz/corpus").join(target)];
    match target {
        "sdp" => folders.push(tests.join("../server/media/corpus/sdp")),
        "bundle" => folders.push(tests.join("../server/seal/tests/corpus/bundle")),
        _ => {}
    }
    let mut seeds: Vec<Seed> = folders.iter().flat_map(|folder| files(folder)).collect();
    seeds.sort_by(|left, right| left.name.cmp(&right.name));
    seeds
}

/// Chosen by hand, that is with an ending: what a fuzzer's run left beside them would make this test another each time.
fn files(folder: &Path) -> Vec<Seed> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let chosen = paths.filter(|path| path.extension().is_some());
    let seed = |path: PathBuf| Seed {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: fs::read(&path).unwrap(),
    };
    let seeds: Vec<Seed> = chosen.map(seed).collect();
    assert!(seeds.len() >= 6, "{} is not a corpus", folder.display());
    seeds
}

fn entry(target: &str) -> Entry {
    ENTRIES.into_iter().find(|(name, _)| *name == target).unwrap().1
}

#[test]
fn every_target_of_the_fuzzer_has_a_corpus_and_nothing_else_has() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let names = fs::read_dir(corpora).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = names.collect();
    let mut targets = ENTRIES.map(|(name, _)| name.to_owned());
    found.sort();
    targets.sort();
    assert_eq!(found, targets);
}

#[test]
fn seeds_are_taken_or_refused_as_their_names_say() {
    let (mut judged, mut wrong) = (0, Vec::new());
    for (target, entry) in ENTRIES {
        for Seed { name, bytes } in seeds(target) {
            let verdict = entry(&bytes);
            if verdict == Verdict::Survived {
                continue;
            }
            let as_named = match name.split('-').next() {
                Some("valid") => verdict == Verdict::Taken,
                Some("broken") => verdict == Verdict::Refused,
                _ => false,
            };
            if !as_named {
                wrong.push(format!("{target}/{name}: {verdict:?}"));
            }
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(judged >= 50, "only {judged} seeds were judged");
}

#[test]
fn changed_candidate_frames_are_survived() {
    change("candidate_frame");
}

#[test]
fn changed_proctor_frames_are_survived() {
    change("proctor_frame");
}

#[test]
fn changed_offers_are_survived() {
    change("sdp");
}

#[test]
fn changed_rtp_is_survived() {
    change("rtp");
}

#[test]
fn changed_rtcp_is_survived() {
    change("rtcp");
}

#[test]
fn changed_stun_is_survived() {
    change("stun");
}

#[test]
fn changed_bundles_are_survived() {
    change("bundle");
}

#[test]
fn changed_banks_are_survived() {
    change("bank_toml");
}

fn change(target: &str) {
    let (entry, seeds) = (entry(target), seeds(target));
    let mut dice = Dice(SEED);
    let mut bytes_left = CHANGED_BYTES_MAX;
    let rounds = if target == "stun" { CHANGED_PEERS_MAX } else { CHANGED_MAX };
    let (mut taken, mut refused) = (0, 0);
    for round in 0..rounds {
        let seed = &seeds[dice.below(seeds.len())];
        let mut input = seed.bytes.clone();
        for _ in 0..=dice.below(4) {
            let other = &seeds[dice.below(seeds.len())];
            mutate(&mut input, &other.bytes, &mut dice);
        }
        let Ok(verdict) = catch_unwind(|| entry(&input)) else {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}-{round}"));
            fs::write(&kept, &input).unwrap();
            let from = &seed.name;
            panic!("{target}: round {round} of {SEED:#x}, from {from}; input kept in {}", kept.display());
        };
        taken += usize::from(verdict == Verdict::Taken);
        refused += usize::from(verdict == Verdict::Refused);
        let Some(left) = bytes_left.checked_sub(input.len()) else { break };
        bytes_left = left;
    }
    // Changes that are all refused at the door, or all harmless, would try nothing behind it.
    let judged = taken + refused;
    assert!(
        judged == 0 || (taken > judged / 200 && refused > judged / 200),
        "{taken} taken, {refused} refused"
    );
}

fn mutate(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (from, to) = dice.range(input.len());
    match dice.below(7) {
        0 if !input.is_empty() => {
            let at = dice.below(input.len());
            input[at] ^= 1 << dice.below(8);
        }
        1 => input.truncate(from),
        2 => drop(input.drain(from..to)),
        3 => input.extend_from_within(from..to),
        4 => {
            let (from, to) = dice.range(other.len());
            let at = dice.below(input.len() + 1);
            input.splice(at..at, other[from..to].iter().copied());
        }
        5 => number(input, dice),
        _ => {
            let at = dice.below(input.len() + 1);
            input.splice(at..at, TOKENS[dice.below(TOKENS.len())].iter().copied());
        }
    }
}

/// Puts an end of numbers in the place of a number.
fn number(input: &mut Vec<u8>, dice: &mut Dice) {
    let start = dice.below(input.len() + 1);
    let Some(from) = input[start..].iter().position(u8::is_ascii_digit).map(|at| start + at) else { return };
    let digits = input[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    input.splice(from..from + digits, TOKENS[dice.below(7)].iter().copied());
}

/// SplitMix64: the same changes on every machine, with every version of every crate.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        let bound = u64::try_from(bound.max(1)).expect("no input is that long");
        usize::try_from(word % bound).expect("below a usize")
    }

    /// Within `0..len`, at most 200 long, so that most of the input stays what it was.
    fn range(&mut self, len: usize) -> (usize, usize) {
        let from = self.below(len + 1);
        (from, from + self.below((len - from).min(200) + 1))
    }
}

//! Warnings about a sound bank that gives answers away or asks twice.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use synaq_core::bank::{Item, Kind, Text};

use crate::desk::{Desk, Place};
use crate::problem::ProblemCode;

/// An option this many times longer than the shortest stands out …
const LENGTH_RATIO: usize = 3;
/// … when the difference is also this many characters: "2 °C" beside "12 °C" gives nothing away.
const LENGTH_GAP_CHARS: usize = 40;
/// Below this number of single-choice questions a pattern of positions is chance.
const POSITION_SAMPLE_MIN: usize = 10;
/// A position holding more than this share of the correct options is predictable (four options: 25 % by chance).
const POSITION_SHARE_PCT: usize = 60;
/// Stems that differ in one word count as alike from this many shared words on; shorter ones share a pattern.
const STEM_WORDS_MIN: usize = 8;
/// Texts equal in both languages are names or numbers below this length.
const UNTRANSLATED_CHARS_MIN: usize = 20;

/// Reports all warnings about these questions.
pub(crate) fn check(desk: &mut Desk, items: &[(Item, Place)]) {
    for (item, place) in items {
        check_lengths(desk, item, place);
        check_translated(desk, item, place);
    }
    check_positions(desk, items);
    check_stems(desk, items, "kk", |text| &text.kk);
    check_stems(desk, items, "ru", |text| &text.ru);
}

fn check_lengths(desk: &mut Desk, item: &Item, place: &Place) {
    for (name, language) in [
        ("kk", (|text: &Text| text.kk.chars().count()) as fn(&Text) -> usize),
        ("ru", |text| text.ru.chars().count()),
    ] {
        let lengths = || item.options.iter().map(|option| language(&option.text));
        let (Some(shortest), Some(longest)) = (lengths().min(), lengths().max()) else { continue };
        if longest > shortest * LENGTH_RATIO && longest - shortest > LENGTH_GAP_CHARS {
            let detail = format!("{name}: from {shortest} to {longest} characters");
            desk.report(place, ProblemCode::OptionLengthsDiffer, detail);
        }
    }
}

fn check_translated(desk: &mut Desk, item: &Item, place: &Place) {
    let texts = std::iter::once(&item.text).chain(item.options.iter().map(|option| &option.text));
    for text in texts {
        if text.kk == text.ru && text.kk.chars().count() >= UNTRANSLATED_CHARS_MIN {
            desk.report(place, ProblemCode::SameInBothLanguages, crate::desk::shortened(&text.kk));
        }
    }
}

fn check_positions(desk: &mut Desk, items: &[(Item, Place)]) {
    let singles: Vec<u8> = items
        .iter()
        .filter(|(item, _)| item.kind == Kind::Single)
        .filter_map(|(item, _)| item.key.reveal().first().copied())
        .collect();
    if singles.len() < POSITION_SAMPLE_MIN {
        return;
    }
    let mut counts: HashMap<u8, usize> = HashMap::new();
    for position in &singles {
        *counts.entry(*position).or_default() += 1;
    }
    for (position, count) in counts {
        if count * 100 > singles.len() * POSITION_SHARE_PCT {
            let detail =
                format!("{count} of {} correct options stand in position {}", singles.len(), position + 1);
            desk.report(&Place::default(), ProblemCode::CorrectPositionPredictable, detail);
        }
    }
}

/// Two stems are alike when their words are the same but for one. Each stem leaves the hash of its words and
/// the hashes of its words less one, so the work grows with the words and not with the pairs of questions.
fn check_stems(desk: &mut Desk, items: &[(Item, Place)], name: &str, language: fn(&Text) -> &String) {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (at, (item, place)) in items.iter().enumerate() {
        let marks = stem_marks(language(&item.text));
        let twin = marks.iter().find_map(|mark| seen.get(mark)).copied();
        if let Some((twin, _)) = twin.and_then(|twin| items.get(twin)) {
            let detail = format!("{name}: nearly the same words as question {}", twin.id);
            desk.report(place, ProblemCode::StemsAlike, detail);
        }
        for mark in marks {
            seen.entry(mark).or_insert(at);
        }
    }
}

fn stem_marks(stem: &str) -> Vec<u64> {
    let lower = stem.to_lowercase();
    let words: Vec<u64> = lower
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut hasher = DefaultHasher::new();
            word.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    // A sum does not depend on the order of the words and loses one word by one subtraction.
    let all = words.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
    let mut marks = vec![all];
    if words.len() > STEM_WORDS_MIN {
        marks.extend(words.iter().map(|word| all.wrapping_sub(*word)));
    }
    marks
}

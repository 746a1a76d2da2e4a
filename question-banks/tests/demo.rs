//! The demo content is what it claims to be, and gives no answers away.

use std::collections::{BTreeMap, BTreeSet};

use synaq_core::bank::{Bank, Item, Kind, Lang, Text};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME, check_against, read, read_programme, write};

fn demo() -> Bank {
    let (bank, _) = read(DEMO_BANK).expect("the demo is sound");
    bank
}

fn singles(bank: &Bank) -> Vec<&Item> {
    bank.items.iter().filter(|item| item.kind == Kind::Single).collect()
}

fn correct(item: &Item) -> usize {
    usize::from(*item.key.reveal().first().expect("a single question has one correct option"))
}

const LANGUAGES: [fn(&Text) -> &str; 2] = [|text| text.get(Lang::Kk), |text| text.get(Lang::Ru)];

#[test]
fn it_holds_six_topics_of_21_questions_and_about_15_percent_multi() {
    let bank = demo();
    assert_eq!(bank.items.len(), 126);
    let mut per_topic = BTreeMap::new();
    for item in &bank.items {
        *per_topic.entry(item.topic.clone()).or_insert(0) += 1;
    }
    assert_eq!(bank.topics.len(), 6);
    assert!(bank.topics.iter().all(|topic| per_topic.get(&topic.id) == Some(&21)), "{per_topic:?}");
    assert_eq!(bank.items.len() - singles(&bank).len(), 18);
    assert!(bank.items.iter().all(|item| (4..=5).contains(&item.options.len())));
    assert!(singles(&bank).iter().all(|item| item.options.len() == 4));
}

#[test]
fn it_raises_no_warning() {
    let (_, report) = read(DEMO_BANK).expect("the demo is sound");
    let warnings: Vec<String> = report.warnings().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
}

#[test]
fn its_kazakh_is_kazakh_and_its_russian_is_not() {
    const KAZAKH_ONLY: [char; 9] = ['ә', 'ғ', 'қ', 'ң', 'ө', 'ұ', 'ү', 'һ', 'і'];
    let kazakh = |text: &str| text.to_lowercase().contains(KAZAKH_ONLY);
    for item in demo().items {
        assert!(kazakh(&item.text.kk), "{}: {}", item.id, item.text.kk);
        for text in std::iter::once(&item.text).chain(item.options.iter().map(|option| &option.text)) {
            assert!(!kazakh(&text.ru), "{}: {}", item.id, text.ru);
            for language in LANGUAGES {
                // A Latin letter that looks Cyrillic breaks search and screen readers.
                let rest = language(text).replace("°C", "");
                assert!(!rest.contains(|c: char| c.is_ascii_alphabetic()), "{}: {rest}", item.id);
            }
        }
    }
}

#[test]
fn no_stem_stands_twice() {
    let bank = demo();
    for language in LANGUAGES {
        let stems: BTreeSet<String> =
            bank.items.iter().map(|item| language(&item.text).to_lowercase()).collect();
        assert_eq!(stems.len(), bank.items.len());
    }
}

#[test]
fn no_position_holds_more_than_40_percent_of_the_correct_options() {
    let bank = demo();
    let singles = singles(&bank);
    for position in 0..4 {
        let held = singles.iter().filter(|item| correct(item) == position).count();
        assert!(held * 100 <= singles.len() * 40, "position {position}: {held} of {}", singles.len());
    }
}

#[test]
fn the_correct_option_is_the_longest_in_less_than_40_percent() {
    let bank = demo();
    let singles = singles(&bank);
    for language in LANGUAGES {
        let is_longest = |item: &&&Item| {
            let length = |at: usize| language(&item.options[at].text).chars().count();
            (0..4).filter(|at| *at != correct(item)).all(|at| length(at) < length(correct(item)))
        };
        let longest = singles.iter().filter(is_longest).count();
        assert!(longest * 100 < singles.len() * 40, "{longest} of {}", singles.len());
    }
}

#[test]
fn the_writer_gives_the_file_back_byte_for_byte() {
    assert_eq!(write(&demo()), DEMO_BANK);
}

#[test]
fn the_programme_draws_40_questions_from_it_in_60_minutes() {
    let (programme, report) = read_programme(DEMO_PROGRAMME).expect("the demo programme is sound");
    assert_eq!(report.problems, []);
    assert_eq!(programme.plan.questions(), 40);
    assert_eq!(programme.plan.minutes, 60);
    assert_eq!(programme.plan.threshold_pct, 70);
    assert_eq!(programme.plan.languages, [Lang::Kk, Lang::Ru]);
    assert!(programme.plan.shuffle_questions && programme.plan.shuffle_options);
    check_against(&programme, &demo()).expect("the demo bank serves the demo programme");
}

//! What makes a programme unlawful or impossible.

use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME, ProblemCode, check_against, read, read_programme};

fn edited(from: &str, to: &str) -> String {
    assert!(DEMO_PROGRAMME.contains(from), "{from}");
    DEMO_PROGRAMME.replacen(from, to, 1)
}

fn codes(text: &str) -> Vec<ProblemCode> {
    let refused = read_programme(text).expect_err("it must be refused");
    let report = refused.report().expect("it is TOML");
    report.errors().map(|problem| problem.code).collect()
}

fn misfit(text: &str) -> &'static str {
    let (programme, _) = read_programme(text).expect("sound by itself");
    let (bank, _) = read(DEMO_BANK).expect("the demo is sound");
    check_against(&programme, &bank).expect_err("the bank cannot serve it").code()
}

#[test]
fn a_threshold_below_70_is_refused_with_its_own_code() {
    assert_eq!(codes(&edited("threshold_pct = 70", "threshold_pct = 69")), [ProblemCode::ThresholdBelowLaw]);
    assert_eq!(ProblemCode::ThresholdBelowLaw.as_str(), "threshold_below_law");
    assert_eq!(codes(&edited("threshold_pct = 70", "threshold_pct = 100")), [ProblemCode::NumberOutOfRange]);
    read_programme(&edited("threshold_pct = 70", "threshold_pct = 85"))
        .expect("a programme may ask for more");
}

#[test]
fn a_blueprint_that_does_not_add_up_is_refused() {
    assert_eq!(codes(&edited("hygiene = 8", "hygiene = 9")), [ProblemCode::BlueprintSum]);
    let none = codes(&edited("hygiene = 8", "hygiene = 0"));
    assert_eq!(none, [ProblemCode::BlueprintSum, ProblemCode::NumberOutOfRange]);
}

#[test]
fn languages_and_navigation_are_the_known_ones() {
    assert_eq!(codes(&edited("[\"kk\", \"ru\"]", "[\"kk\", \"en\"]")), [ProblemCode::LanguageUnknown]);
    assert_eq!(codes(&edited("[\"kk\", \"ru\"]", "[]")), [ProblemCode::FieldMissing]);
    assert_eq!(codes(&edited("[\"kk\", \"ru\"]", "[\"kk\", \"kk\"]")), [ProblemCode::IdRepeated]);
    assert_eq!(codes(&edited("\"free\"", "\"linear\"")), [ProblemCode::ValueUnknown]);
    assert_eq!(
        codes(&edited("minutes = 60", "minuts = 60")),
        [ProblemCode::FieldMissing, ProblemCode::FieldUnknown]
    );
}

#[test]
fn a_blueprint_larger_than_the_bank_is_refused() {
    let greedy = edited("hygiene = 8", "hygiene = 22").replace("questions = 40", "questions = 54");
    assert_eq!(misfit(&greedy), "blueprint_exceeds_bank");
}

#[test]
fn a_stray_topic_another_bank_and_another_profession_are_refused() {
    assert_eq!(misfit(&edited("hygiene = 8", "welding = 8")), "topic_unknown");
    assert_eq!(misfit(&edited("id = \"confectioner\"\n", "id = \"baker\"\n")), "bank_mismatch");
    assert_eq!(misfit(&edited("\"7512\"", "\"7411\"")), "bank_mismatch");
}

#[test]
fn the_screen_is_asked_for_only_where_the_programme_says_so() {
    let screen = |supervision: &str| read_programme(&format!("{DEMO_PROGRAMME}\n{supervision}"));
    assert!(!screen("").unwrap().0.screen);
    assert!(!screen("[supervision]\nscreen = false").unwrap().0.screen);
    assert!(screen("[supervision]\nscreen = true").unwrap().0.screen);
    assert_eq!(codes(&format!("{DEMO_PROGRAMME}\n[supervision]\nscreen = 1")), [ProblemCode::FieldWrongType]);
    assert_eq!(codes(&format!("{DEMO_PROGRAMME}\n[supervision]\ngaze = true")), [ProblemCode::FieldUnknown]);
}

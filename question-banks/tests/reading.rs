//! What the reader refuses, how it says so, and what it only warns of.

use synaq_question_banks::limits::{FILE_BYTES_MAX, OPTIONS_MAX, QUESTIONS_MAX, TEXT_CHARS_MAX};
use synaq_question_banks::{ImportError, ImportReport, Problem, ProblemCode, read, read_bytes};

const HEAD: &str = r#"[bank]
id = "trial"
version = 1
profession_code = "7512-1"
languages = ["kk", "ru"]
title.kk = "Сынақ"
title.ru = "Проба"

[[topic]]
id = "hygiene"
title.kk = "Гигиена негіздері"
title.ru = "Гигиена"
"#;
/// First line after [`HEAD`].
const FIRST: usize = 13;

const QUESTION: &str = r#"[[question]]
id = "hyg-001"
version = 1
topic = "hygiene"
kind = "single"
difficulty = 2
text.kk = "Сұрақ қандай?"
text.ru = "Какой вопрос?"
[[question.option]]
id = "a"
correct = true
text.kk = "Бірінші"
text.ru = "Первый"
[[question.option]]
id = "b"
text.kk = "Екінші"
text.ru = "Второй"
"#;

/// The sound bank with one edit in its question.
fn edited(from: &str, to: &str) -> String {
    assert!(QUESTION.contains(from), "{from}");
    format!("{HEAD}{}", QUESTION.replacen(from, to, 1))
}

fn refusal(text: &str) -> ImportReport {
    read(text).expect_err("it must be refused").report().cloned().expect("it is TOML")
}

fn only_error(text: &str) -> Problem {
    let report = refusal(text);
    let errors: Vec<_> = report.errors().cloned().collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().expect("counted above")
}

fn warnings(text: &str) -> Vec<ProblemCode> {
    let (_, report) = read(text).expect("warnings refuse nothing");
    report.warnings().map(|problem| problem.code).collect()
}

#[test]
fn a_sound_bank_is_taken_over_with_its_key() {
    let (bank, report) = read(&format!("{HEAD}{QUESTION}")).expect("it is sound");
    assert_eq!(report.problems, []);
    assert_eq!(report.questions, 1);
    assert_eq!(report.sha256.len(), 64);
    let item = &bank.items[0];
    assert_eq!((item.id.0.as_str(), item.options.len()), ("hyg-001", 2));
    assert_eq!(item.key.reveal().iter().copied().collect::<Vec<_>>(), [0]);
}

#[test]
fn each_fault_has_its_code_its_question_and_its_line() {
    let long = format!("text.kk = \"{}\"", "ұ".repeat(TEXT_CHARS_MAX + 1));
    let cases: &[(&str, &str, ProblemCode, usize)] = &[
        ("text.kk = \"Сұрақ қандай?\"\n", "", ProblemCode::KkMissing, 6),
        ("text.ru = \"Второй\"\n", "", ProblemCode::RuMissing, 15),
        ("text.kk = \"Сұрақ қандай?\"", "text.kk = \" \"", ProblemCode::TextEmpty, 6),
        ("text.kk = \"Сұрақ қандай?\"", &long, ProblemCode::TextTooLong, 6),
        ("Какой вопрос?", "Какой <b>вопрос</b>?", ProblemCode::HtmlNotAllowed, 7),
        ("Какой вопрос?", "Какой&nbsp;вопрос?", ProblemCode::HtmlNotAllowed, 7),
        ("Какой вопрос?", "Какой \\u202Eвопрос?", ProblemCode::ControlCharacter, 7),
        (
            "text.ru = \"Какой вопрос?\"",
            "text.ru = \"Да\"\ntext.en = \"Yes\"",
            ProblemCode::LanguageUnknown,
            8,
        ),
        ("correct = true\n", "", ProblemCode::SingleNeedsOneCorrect, 8),
        ("id = \"b\"", "id = \"b\"\ncorrect = true", ProblemCode::SingleNeedsOneCorrect, 8),
        ("correct = true", "correct = \"yes\"", ProblemCode::FieldWrongType, 10),
        ("id = \"b\"", "id = \"a\"", ProblemCode::IdRepeated, 14),
        ("\"Екінші\"", "\"бірінші\"", ProblemCode::OptionRepeated, 15),
        ("topic = \"hygiene\"", "topic = \"hygeine\"", ProblemCode::TopicUnknown, 3),
        ("kind = \"single\"", "kind = \"order\"", ProblemCode::ValueUnknown, 4),
        ("difficulty = 2", "difficulty = 4", ProblemCode::NumberOutOfRange, 5),
        ("difficulty = 2", "difficulty = 0xffff_ffff_ffff_ffff", ProblemCode::NumberOutOfRange, 5),
        ("difficulty = 2", "difficulty = 1.5", ProblemCode::FieldWrongType, 5),
        ("version = 1", "version = 0", ProblemCode::NumberOutOfRange, 2),
        ("version = 1\n", "", ProblemCode::FieldMissing, 0),
        ("difficulty = 2", "difficulty = 2\ndificulty = 2", ProblemCode::FieldUnknown, 6),
        ("id = \"hyg-001\"", "id = \"HYG 1\"", ProblemCode::IdNotAllowed, 1),
    ];
    for (from, to, code, line) in cases {
        let problem = only_error(&edited(from, to));
        assert_eq!((problem.code, problem.line), (*code, FIRST + line), "{to}: {problem}");
        let question = if to.contains("HYG") { "HYG 1" } else { "hyg-001" };
        assert_eq!(problem.question.as_deref(), Some(question), "{problem}");
        assert!(!problem.advice.is_empty());
    }
}

#[test]
fn an_unknown_field_is_named_together_with_the_known_ones() {
    let problem = only_error(&edited("difficulty = 2", "difficulty = 2\ndificulty = 2"));
    assert_eq!(problem.field, "dificulty");
    assert!(problem.detail.contains("difficulty"), "{problem}");
    let in_option = only_error(&edited("id = \"b\"", "id = \"b\"\nweight = 3"));
    assert_eq!(in_option.field, "option[2].weight");
}

#[test]
fn a_multi_question_needs_a_correct_and_a_wrong_option() {
    let multi = |question: String| only_error(&question.replace("\"single\"", "\"multi\"")).code;
    assert_eq!(multi(edited("correct = true\n", "")), ProblemCode::MultiNeedsACorrect);
    assert_eq!(multi(edited("id = \"b\"", "id = \"b\"\ncorrect = true")), ProblemCode::MultiAllCorrect);
}

#[test]
fn the_number_of_options_is_bounded_on_both_sides() {
    let (one, _) = QUESTION.rsplit_once("[[question.option]]").expect("the question has two options");
    assert_eq!(only_error(&format!("{HEAD}{one}")).code, ProblemCode::TooFewOptions);
    let option = |at: usize| {
        format!("[[question.option]]\nid = \"x{at}\"\ntext.kk = \"Нұсқа {at}\"\ntext.ru = \"Вариант {at}\"\n")
    };
    let many: String = (0..OPTIONS_MAX - 1).map(option).collect();
    assert_eq!(only_error(&format!("{HEAD}{QUESTION}{many}")).code, ProblemCode::TooManyOptions);
    let most: String = (0..OPTIONS_MAX - 2).map(option).collect();
    read(&format!("{HEAD}{QUESTION}{most}")).expect("eight options are allowed");
}

#[test]
fn all_problems_of_all_questions_come_at_once_in_the_order_of_lines() {
    let bad = QUESTION
        .replace("difficulty = 2", "difficulty = 9")
        .replace("text.ru = \"Второй\"\n", "")
        .replace("\"hygiene\"", "\"fire\"");
    let nameless = bad.replace("id = \"hyg-001\"\n", "");
    let report = refusal(&format!("{HEAD}{bad}{nameless}"));
    let found: Vec<_> =
        report.errors().map(|problem| (problem.question.clone().unwrap_or_default(), problem.code)).collect();
    let expected = |id: &str| {
        [ProblemCode::TopicUnknown, ProblemCode::NumberOutOfRange, ProblemCode::RuMissing]
            .map(|code| (id.to_owned(), code))
    };
    let mut all = expected("hyg-001").to_vec();
    all.push(("#2".to_owned(), ProblemCode::FieldMissing));
    all.extend(expected("#2"));
    assert_eq!(found, all);
    assert_eq!(report.questions, 2);
    assert!(report.problems.windows(2).all(|pair| pair[0].line <= pair[1].line));
}

#[test]
fn a_repeated_question_id_names_the_first_line() {
    let second = QUESTION.replace("қандай", "неше").replace("Какой", "Который");
    let problem = only_error(&format!("{HEAD}{QUESTION}{second}"));
    assert_eq!(problem.code, ProblemCode::IdRepeated);
    assert!(problem.detail.contains(&format!("line {}", FIRST + 1)), "{problem}");
}

#[test]
fn the_header_needs_both_languages_and_a_classifier_code() {
    let whole = format!("{HEAD}{QUESTION}");
    let with = |from: &str, to: &str| only_error(&whole.replacen(from, to, 1)).code;
    assert_eq!(with("[\"kk\", \"ru\"]", "[\"ru\"]"), ProblemCode::LanguagesIncomplete);
    assert_eq!(with("[\"kk\", \"ru\"]", "[\"kk\", \"ru\", \"en\"]"), ProblemCode::LanguageUnknown);
    assert_eq!(with("\"7512-1\"", "\"confectioner\""), ProblemCode::ValueUnknown);
    assert_eq!(with("title.kk = \"Сынақ\"\n", ""), ProblemCode::KkMissing);
    assert_eq!(with("[bank]", "author = \"me\"\n[bank]"), ProblemCode::FieldUnknown);
}

#[test]
fn an_empty_file_says_what_is_missing() {
    let codes: Vec<_> = refusal("").errors().map(|problem| (problem.field.clone(), problem.code)).collect();
    let missing = |field: &str| (field.to_owned(), ProblemCode::FieldMissing);
    assert_eq!(codes, [missing("bank"), missing("topic"), missing("question")]);
}

#[test]
fn broken_toml_names_line_column_and_a_hint() {
    let broken = edited("text.ru = \"Первый\"", "text.ru = «Первый»");
    let Err(ImportError::BrokenToml(errors)) = read(&broken) else { panic!("expected broken TOML") };
    assert_eq!((errors[0].line, errors[0].column), (FIRST + 12, 11));
    assert!(errors[0].hint.contains("straight quotes"), "{errors:?}");
    let twice = edited("version = 1", "version = 1\nversion = 2");
    let Err(ImportError::BrokenToml(errors)) = read(&twice) else { panic!("expected broken TOML") };
    assert_eq!(errors[0].line, FIRST + 3);
    assert!(errors[0].hint.contains("[[question]]"), "{errors:?}");
}

#[test]
fn bytes_that_are_not_utf8_or_too_many_are_refused_before_parsing() {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.push(0xff);
    let refused = read_bytes(&bytes).expect_err("0xff is never UTF-8");
    assert!(matches!(refused, ImportError::NotUtf8 { at } if at == HEAD.len()), "{refused}");
    let large = read_bytes(&vec![b' '; FILE_BYTES_MAX + 1]).expect_err("one byte too many");
    assert_eq!(large.code(), "bank_file_too_large");
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let marked = format!("\u{feff}{HEAD}{QUESTION}");
    read_bytes(marked.as_bytes()).expect("editors on Windows write the mark");
}

#[test]
fn more_questions_than_the_limit_are_refused_without_reading_each() {
    let many = "[[question]]\n".repeat(QUESTIONS_MAX + 1);
    let report = refusal(&format!("{HEAD}{many}"));
    assert_eq!(report.questions, QUESTIONS_MAX + 1);
    assert_eq!(
        report.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [ProblemCode::TooMany]
    );
}

#[test]
fn a_report_is_bounded_and_counts_the_rest() {
    let report = refusal(&format!("{HEAD}{}", "[[question]]\n".repeat(500)));
    assert_eq!(report.problems.len(), synaq_question_banks::limits::PROBLEMS_MAX);
    assert!(report.problems_left_out > 1_000, "{}", report.problems_left_out);
}

#[test]
fn what_gives_answers_away_is_a_warning() {
    let long = format!("text.ru = \"Второй{}\"", " и очень длинный".repeat(4));
    assert_eq!(warnings(&edited("text.ru = \"Второй\"", &long)), [ProblemCode::OptionLengthsDiffer]);
    let untranslated = "Все ли поверхности в цехе вымыты?";
    let same = edited("Сұрақ қандай?", untranslated).replace("Какой вопрос?", untranslated);
    assert_eq!(warnings(&same), [ProblemCode::SameInBothLanguages]);
    let spare = "[[topic]]\nid = \"fire\"\ntitle.kk = \"Өрт\"\ntitle.ru = \"Пожар\"\n";
    assert_eq!(warnings(&format!("{HEAD}{spare}{QUESTION}")), [ProblemCode::TopicWithoutQuestions]);
}

fn numbered(at: usize) -> String {
    let word = "абвгдежзик".chars().nth(at).expect("ten letters").to_string().repeat(3);
    QUESTION
        .replace("hyg-001", &format!("hyg-{at}"))
        .replace("Сұрақ қандай?", &format!("{word} қандай?"))
        .replace("Какой вопрос?", &format!("Какой {word}?"))
}

#[test]
fn a_correct_option_that_always_stands_first_is_a_warning() {
    let bank: String = (0..10).map(numbered).collect();
    assert_eq!(warnings(&format!("{HEAD}{bank}")), [ProblemCode::CorrectPositionPredictable]);
    let nine: String = (0..9).map(numbered).collect();
    assert_eq!(warnings(&format!("{HEAD}{nine}")), []);
}

#[test]
fn stems_that_differ_in_one_word_are_alike_and_short_patterns_are_not() {
    let stem = "Как часто и чем именно нужно мыть рабочий стол в цехе";
    let with = |id: &str, kk: &str, ru: &str| {
        let question = QUESTION.replace("hyg-001", id).replace("Сұрақ қандай?", kk);
        question.replace("Какой вопрос?", ru)
    };
    let alike = format!("{}{}", with("q-1", "Бір", stem), with("q-2", "Екі", &stem.replace("цехе", "зале")));
    assert_eq!(warnings(&format!("{HEAD}{alike}")), [ProblemCode::StemsAlike]);
    let short = format!("{}{}", with("q-1", "Бір", "Что такое крем?"), with("q-2", "Екі", "Что такое агар?"));
    assert_eq!(warnings(&format!("{HEAD}{short}")), []);
}

#[test]
fn a_report_serializes_with_its_stable_codes() {
    let report = refusal(&edited("difficulty = 2", "difficulty = 4"));
    let json = serde_json::to_value(&report).expect("a report is plain data");
    assert_eq!(json["problems"][0]["code"], "number_out_of_range");
    assert_eq!(json["problems"][0]["severity"], "error");
}

#[test]
fn every_code_is_explained_in_the_format_page() {
    let page = include_str!("../schema/FORMAT.md");
    for code in ProblemCode::ALL {
        assert!(page.contains(&format!("| `{code}` |")), "{code}");
    }
}

//! Whatever bank is written reads back the same, and no text makes the readers panic.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use synaq_core::bank::{AnswerKey, Bank, Choice, Item, Kind, Text, Topic};
use synaq_core::ids::{ItemId, TopicId};
use synaq_question_banks::{DEMO_BANK, read, read_bytes, read_programme, write};

/// Plain text with quotes, backslashes, line breaks and Kazakh letters, without leading or trailing space.
fn plain() -> impl Strategy<Value = String> {
    "[A-Za-zәғқңөұүһіӘҒҚ0-9«»\"'\\\\#=\\[\\]]([ \\n]?[A-Za-zәғқңөұүһі0-9«»\"'\\\\#=\\[\\].,%–]){0,30}"
}

fn text() -> impl Strategy<Value = Text> {
    (plain(), plain()).prop_map(|(kk, ru)| Text { kk, ru })
}

prop_compose! {
    fn item(at: usize)(
        version in 1_u32..,
        kind in prop_oneof![Just(Kind::Single), Just(Kind::Multi)],
        difficulty in 1_u8..=3,
        labour_function in proptest::option::of(plain()),
        text in text(),
        texts in vec(text(), 2..=8),
        picks in btree_set(0_u8..7, 1..=7),
    ) -> Item {
        let count = u8::try_from(texts.len()).expect("at most 8");
        let first = picks.first().copied().unwrap_or(0) % count;
        let right = match kind {
            Kind::Single => [first].into(),
            // One option is left wrong: the last one.
            Kind::Multi => picks.into_iter().map(|pick| pick % (count - 1)).collect(),
        };
        let options = texts.into_iter().enumerate().map(|(at, text)| Choice {
            id: format!("o{at}"),
            // Numbered, because two options of one question must differ.
            text: Text { kk: format!("{at} {}", text.kk), ru: format!("{at} {}", text.ru) },
        });
        Item {
            id: ItemId(format!("q-{at}")),
            version,
            topic: TopicId("only".to_owned()),
            kind,
            difficulty,
            labour_function,
            text,
            options: options.collect(),
            key: AnswerKey::new(right),
        }
    }
}

prop_compose! {
    fn bank()(
        version in 1_u32..,
        title in text(),
        topic in text(),
        items in (1_usize..6).prop_flat_map(|count| (0..count).map(item).collect::<Vec<_>>()),
    ) -> Bank {
        Bank {
            slug: "round".to_owned(),
            version,
            title,
            profession_code: "7512-1-003".to_owned(),
            topics: vec![Topic { id: TopicId("only".to_owned()), title: topic }],
            items,
        }
    }
}

proptest! {
    #[test]
    fn a_written_bank_reads_back_the_same(bank in bank()) {
        let file = write(&bank);
        let (back, report) = read(&file).map_err(|error| TestCaseError::fail(format!("{error}: {:?}\n{file}", error.report())))?;
        prop_assert_eq!(report.errors().count(), 0);
        prop_assert_eq!(back, bank);
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        let _ = read(&text);
        let _ = read_programme(&text);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = read_bytes(&bytes);
    }

    #[test]
    fn a_bank_with_a_piece_cut_out_or_put_in_never_panics(
        at in 0_usize..DEMO_BANK.len(),
        cut in 0_usize..200,
        put in "[\\[\\]a-z.=\"'0-9\\n ]{0,20}",
    ) {
        // The first part of the demo is enough: it has the header, topics and both kinds of tables.
        let bytes = &DEMO_BANK.as_bytes()[..DEMO_BANK.len().min(6_000)];
        let at = at % bytes.len();
        let mut broken = bytes[..at].to_vec();
        broken.extend(put.as_bytes());
        broken.extend(&bytes[(at + cut).min(bytes.len())..]);
        let _ = read(&String::from_utf8_lossy(&broken));
    }

    #[test]
    fn tables_of_the_wrong_shape_never_panic(
        name in prop_oneof![Just("bank"), Just("topic"), Just("question"), Just("theory"), Just("bank.title")],
        value in prop_oneof![Just("1"), Just("\"x\""), Just("[]"), Just("[1, {}]"), Just("{}"), Just("1979-05-27"), Just("[[{}]]"), Just("nan")],
    ) {
        let text = format!("{name} = {value}\n");
        prop_assert!(read(&text).is_err());
        prop_assert!(read_programme(&text).is_err());
    }
}

#[test]
fn deep_nesting_is_refused_not_overflowed() {
    for open in ["[", "{a="] {
        let text = format!("a = {}", open.repeat(200_000));
        assert!(read(&text).is_err());
    }
}

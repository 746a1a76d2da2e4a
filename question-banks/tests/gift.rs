//! GIFT: what is taken, what is refused and where, and that nothing panics.

use proptest::prelude::*;
use synaq_core::bank::{Kind, Text};
use synaq_question_banks::{GiftCode, GiftFiles, GiftHead, GiftReading, read, read_gift, write};

fn head() -> GiftHead {
    let title = Text { kk: "Сұрақтар".to_owned(), ru: "Вопросы".to_owned() };
    GiftHead { slug: "gift".to_owned(), version: 1, title, profession_code: "7512".to_owned() }
}

fn two(kk: &str, ru: &str) -> GiftReading {
    read_gift(GiftFiles::Two { kk, ru }, &head())
}

/// What is said of the only question.
fn codes(answers: &str) -> Vec<GiftCode> {
    let kk = format!("::q::Сұрақ мәтіні қандай? {answers}\n");
    let ru = format!("::q::Какой текст вопроса? {answers}\n");
    let reading = two(&kk, &ru);
    assert_eq!(reading.questions.len(), 1, "{:?}", reading.questions);
    let mut codes: Vec<_> = reading.questions[0].kk.iter().map(|finding| finding.code).collect();
    codes.retain(|code| *code != GiftCode::BankRemark);
    codes
}

#[test]
fn single_and_multiple_choice_come_in_two_languages() {
    let kk = "$CATEGORY: $course$/top/Гигиена мен санитария\n\n// пікір\n::hyg-1:: Қолды не үшін жуады? {\n\
              =Кірді кетіру үшін\n~Суыту үшін # жоқ\n~Кептіру үшін\n}\n\n\
              ::hyg-2::Қайсысы дұрыс\\? {~%50%Бірінші жауап ~%50%Екінші жауап ~%-100%Үшінші жауап}\n";
    let ru = "$CATEGORY: $course$/top/Гигиена и санитария\n\n::hyg-1:: Зачем моют руки? {\n\
              =Чтобы удалить грязь\n~Чтобы охладить\n~Чтобы высушить\n}\n\n\
              ::hyg-2::Что верно? {~%50%Первый ответ ~%50%Второй ответ ~%-100%Третий ответ}\n";
    let reading = two(kk, ru);
    assert_eq!((reading.refused(), &reading.head[..]), (0, &[][..]), "{reading:?}");
    let bank = reading.bank.unwrap();
    assert_eq!(bank.topics[0].title.ru, "Гигиена и санитария");
    assert_eq!(bank.items.len(), 2);
    assert_eq!((bank.items[0].id.0.as_str(), bank.items[0].kind), ("hyg-1", Kind::Single));
    assert_eq!(bank.items[0].options[1].text.kk, "Суыту үшін");
    assert_eq!((bank.items[1].kind, bank.items[1].key.reveal().len()), (Kind::Multi, 2));
    // What is kept is a bank like any other.
    assert_eq!(read(&write(&bank)).unwrap().0, bank);
    let lines: Vec<_> = reading.questions.iter().map(|row| (row.line_kk, row.line_ru)).collect();
    assert_eq!(lines, [(Some(4), Some(3)), (Some(10), Some(9))]);
}

#[test]
fn one_file_pairs_by_the_end_of_the_name() {
    let file = "::q-1.kk::Су неше градуста қайнайды? {=100 градуста ~90 градуста}\n\n\
                ::q-1.ru::При скольких градусах кипит вода? {=При 100 градусах ~При 90 градусах}\n\n\
                ::Вопрос 2 (қаз)::Қант тәтті ме, қалай? {T}\n\n::Вопрос 2 (рус)::Сахар сладкий или нет? {TRUE}\n\n\
                ::guru::Бұл қай тілде жазылған? {=бір ~екі}\n";
    let reading = read_gift(GiftFiles::One(file), &head());
    let bank = reading.bank.as_ref().unwrap();
    let ids: Vec<_> = bank.items.iter().map(|item| item.id.0.as_str()).collect();
    assert_eq!(ids, ["q-1", "vopros-2"]);
    assert_eq!(bank.items[1].options[0].text.ru, "Верно");
    assert_eq!(reading.refused(), 1);
    assert_eq!(reading.questions[2].kk[0].code, GiftCode::LanguageUnknown);
}

#[test]
fn what_our_exam_cannot_ask_is_refused_with_its_reason() {
    for (answers, code) in [
        ("", GiftCode::NoAnswers),
        ("{}", GiftCode::Essay),
        ("{#3.14:0.01}", GiftCode::Numerical),
        ("{=жауап}", GiftCode::ShortAnswer),
        ("{=а -> б =в -> г}", GiftCode::Matching),
        ("{=а =б ~в}", GiftCode::SeveralRight),
        ("{~а ~б}", GiftCode::NothingRight),
        ("{жай мәтін}", GiftCode::AnswersUnreadable),
        ("{~%көп%а =б}", GiftCode::AnswersUnreadable),
        ("{=а ~б", GiftCode::BraceUnpaired),
        ("=а ~б}", GiftCode::BraceUnpaired),
        ("{=а ~б} {=в ~г}", GiftCode::SeveralBlanks),
        ("{=<img src\\=\"x.png\"> ~б}", GiftCode::MarkupUnknown),
        ("{=$$x^2$$ ~б}", GiftCode::MarkupUnknown),
    ] {
        assert_eq!(codes(answers), [code], "{answers}");
    }
    assert_eq!(codes("{=<b>а</b> жауап ~б жауап}"), [GiftCode::MarkupDropped]);
    assert_eq!(codes("{=а жауап#жарайсың ~б жауап####Жалпы}"), [GiftCode::FeedbackDropped]);
}

#[test]
fn languages_that_disagree_are_refused() {
    let question = |name: &str, answers: &str| format!("::{name}::Сұрақ мәтіні осында {answers}\n\n");
    let kk = question("a", "{=бір ~екі}") + &question("b", "{=бір ~екі}") + &question("c", "{=бір ~екі}");
    let ru =
        question("a", "{~один =два}") + &question("b", "{=один ~два ~три}") + &question("d", "{=один ~два}");
    let reading = two(&kk, &ru);
    assert!(reading.bank.is_none());
    let said: Vec<_> = reading
        .questions
        .iter()
        .map(|row| row.kk.iter().chain(&row.ru).map(|finding| finding.code).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        said,
        [
            [GiftCode::TranslationDiffers],
            [GiftCode::TranslationDiffers],
            [GiftCode::TranslationMissing],
            [GiftCode::TranslationMissing]
        ]
    );
}

#[test]
fn the_banks_own_checks_refuse_only_their_question() {
    let question = |name: &str, answers: &str| format!("::{name}::Сұрақ мәтіні {name} осында {answers}\n\n");
    let kk = question("good", "{=бірінші ~екінші}") + &question("bad", "{=бірдей ~бірдей}");
    let reading = two(&kk, &kk);
    assert_eq!((reading.refused(), reading.bank.unwrap().items.len()), (1, 1));
    assert!(reading.questions[1].kk.iter().any(|finding| finding.code == GiftCode::BankRefused));
}

#[test]
fn a_missing_word_and_escapes_read_as_written() {
    let kk = "::q::Су {=100 ~90 ~\\~80} градуста \\{қайнайды\\}, a\\:b\\=c &lt; d&nbsp;e\n";
    let bank = two(kk, kk).bank.unwrap();
    assert_eq!(bank.items[0].text.kk, "Су _____ градуста {қайнайды}, a:b=c < d e");
    assert_eq!(bank.items[0].options[2].text.kk, "~80");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_whatever_stands_in_the_files(kk in ".{0,400}", ru in ".{0,400}") {
        let _ = two(&kk, &ru);
        let _ = read_gift(GiftFiles::One(&kk), &head());
    }

    #[test]
    fn nothing_panics_over_signs_of_the_format(
        kk in "[:{}=~#%$\\\\\\-><a-cа-в \n0-9.&;/\\[\\]]{0,300}",
        ru in "[:{}=~#%$\\\\\\-><a-cа-в \n0-9.&;/\\[\\]]{0,300}",
    ) {
        let reading = two(&kk, &ru);
        if let Some(bank) = reading.bank {
            prop_assert_eq!(read(&write(&bank)).map(|(bank, _)| bank).ok(), Some(bank));
        }
        let _ = read_gift(GiftFiles::One(&kk), &head());
    }
}

//! Reading a bank: every problem of every question is found in one go, and one error refuses the whole.

use std::collections::{BTreeSet, HashMap};

use synaq_core::bank::{AnswerKey, Bank, Choice, Item, Kind, Topic};
use synaq_core::ids::{ItemId, TopicId};

use crate::desk::{Desk, Place, read_with, text_of};
use crate::guessable;
use crate::limits::{OPTIONS_MAX, OPTIONS_MIN, QUESTIONS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX, TOPICS_MAX};
use crate::nco::check_nco_code;
use crate::problem::{ImportError, ImportReport, ProblemCode};
use crate::table::Table;

/// `kind` as written in the file, in the order of [`Kind`].
pub(crate) const KINDS: [&str; 2] = ["single", "multi"];

/// Reads a bank from a file's text. A bank with any error is refused whole; the report of
/// [`ImportError::Refused`] then lists all problems of all questions, and the report beside an accepted bank
/// lists its warnings.
pub fn read(text: &str) -> Result<(Bank, ImportReport), ImportError> {
    read_with(text, read_bank)
}

/// As [`read`], from a file's bytes: also refuses what is not UTF-8.
pub fn read_bytes(bytes: &[u8]) -> Result<(Bank, ImportReport), ImportError> {
    read(text_of(bytes)?)
}

struct Header {
    slug: String,
    version: u32,
    profession_code: String,
    title: synaq_core::bank::Text,
}

fn read_bank(desk: &mut Desk, root: Table<'_>) -> (Option<Bank>, usize) {
    root.only(desk, &["bank", "topic", "question"]);
    let header = root.table(desk, "bank").and_then(|table| read_header(desk, &table));
    let topics = read_topics(desk, &root);
    let tables = root.tables(desk, "question");
    let found = tables.len();
    if found == 0 && !root.has("question") {
        desk.report(&root.place_of("question"), ProblemCode::FieldMissing, "a bank needs questions");
    }
    if found > QUESTIONS_MAX {
        let detail = format!("{found} questions, at most {QUESTIONS_MAX}");
        desk.report(&root.place_of("question"), ProblemCode::TooMany, detail);
        return (None, found);
    }
    let known: BTreeSet<&str> = topics.iter().map(|(topic, _)| topic.id.0.as_str()).collect();
    let items = read_questions(desk, tables, &known);
    guessable::check(desk, &items);
    // Beside refused questions this warning would accuse topics whose questions merely could not be read.
    if !desk.is_refused() {
        warn_of_empty_topics(desk, &topics, &items);
    }
    let bank = header.map(|header| Bank {
        slug: header.slug,
        version: header.version,
        title: header.title,
        profession_code: header.profession_code,
        topics: topics.into_iter().map(|(topic, _)| topic).collect(),
        items: items.into_iter().map(|(item, _)| item).collect(),
    });
    (bank, found)
}

fn warn_of_empty_topics(desk: &mut Desk, topics: &[(Topic, Place)], items: &[(Item, Place)]) {
    let used: BTreeSet<&TopicId> = items.iter().map(|(item, _)| &item.topic).collect();
    for (topic, place) in topics {
        if !used.contains(&topic.id) {
            desk.report(place, ProblemCode::TopicWithoutQuestions, topic.id.0.as_str());
        }
    }
}

fn read_header(desk: &mut Desk, table: &Table<'_>) -> Option<Header> {
    table.only(desk, &["id", "version", "profession_code", "languages", "title"]);
    let slug = table.id(desk, "id");
    let version = table.number(desk, "version", 1..=i64::from(u32::MAX));
    let profession_code = check_nco_code(desk, table, "profession_code");
    let title = table.both_languages(desk, "title", TITLE_CHARS_MAX);
    check_languages(desk, table);
    Some(Header { slug: slug?, version: version?, profession_code: profession_code?, title: title? })
}

/// The law wants kk and ru, both complete (LAW-08, order 399 item 4): the list is there to be read by people.
fn check_languages(desk: &mut Desk, table: &Table<'_>) {
    let Some(words) = table.words(desk, "languages") else { return };
    for (word, place) in &words {
        if !matches!(*word, "kk" | "ru") {
            desk.report(place, ProblemCode::LanguageUnknown, format!("found {word:?}"));
        }
    }
    if !["kk", "ru"].iter().all(|wanted| words.iter().any(|(word, _)| word == wanted)) {
        desk.report(&table.place_of("languages"), ProblemCode::LanguagesIncomplete, "");
    }
}

fn read_topics(desk: &mut Desk, root: &Table<'_>) -> Vec<(Topic, Place)> {
    let tables = root.tables(desk, "topic");
    if !root.has("topic") {
        desk.report(&root.place_of("topic"), ProblemCode::FieldMissing, "a bank needs topics");
    }
    if tables.len() > TOPICS_MAX {
        let detail = format!("{} topics, at most {TOPICS_MAX}", tables.len());
        desk.report(&root.place_of("topic"), ProblemCode::TooMany, detail);
    }
    let mut seen = HashMap::new();
    let mut topics = Vec::with_capacity(tables.len());
    for table in tables {
        table.only(desk, &["id", "title"]);
        let id = table.id(desk, "id");
        let title = table.both_languages(desk, "title", TITLE_CHARS_MAX);
        let Some(id) = id else { continue };
        report_repeated(desk, &mut seen, &id, &table.place_of("id"));
        // A topic with a bad title still exists for the questions that name it.
        topics.push((Topic { id: TopicId(id), title: title.unwrap_or_default() }, table.place));
    }
    topics
}

fn read_questions(desk: &mut Desk, tables: Vec<Table<'_>>, topics: &BTreeSet<&str>) -> Vec<(Item, Place)> {
    let mut seen = HashMap::new();
    let mut items = Vec::with_capacity(tables.len());
    for (at, table) in tables.into_iter().enumerate() {
        let name = match table.word(&mut Desk::default(), "id") {
            Some((id, _)) if !id.is_empty() => crate::desk::shortened(id),
            _ => format!("#{}", at + 1),
        };
        let table = table.filed(Some(&name), String::new());
        if let Some((id, place)) = table.word(&mut Desk::default(), "id") {
            report_repeated(desk, &mut seen, id, &place);
        }
        if let Some(item) = read_question(desk, &table, topics) {
            items.push((item, table.place));
        }
    }
    items
}

fn read_question(desk: &mut Desk, table: &Table<'_>, topics: &BTreeSet<&str>) -> Option<Item> {
    table.only(desk, &["id", "version", "topic", "kind", "difficulty", "labour_function", "text", "option"]);
    let id = table.id(desk, "id");
    let version = table.number(desk, "version", 1..=i64::from(u32::MAX));
    let topic = table.id(desk, "topic");
    if let Some(topic) = &topic
        && !topics.contains(topic.as_str())
    {
        desk.report(&table.place_of("topic"), ProblemCode::TopicUnknown, crate::desk::shortened(topic));
    }
    let kind = table.one_of(desk, "kind", &KINDS).map(|at| [Kind::Single, Kind::Multi][at]);
    let difficulty = table.number(desk, "difficulty", 1..=3);
    let labour_function = read_labour_function(desk, table);
    let text = table.both_languages(desk, "text", TEXT_CHARS_MAX);
    let options = read_options(desk, table);
    let (options, key) = options.unzip();
    if let (Some(kind), Some(options), Some(key)) = (kind, &options, &key) {
        check_key(desk, table, kind, options, key);
    }
    Some(Item {
        id: ItemId(id?),
        version: version?,
        topic: TopicId(topic?),
        kind: kind?,
        difficulty: difficulty?,
        labour_function: labour_function?,
        text: text?,
        options: options?,
        key: AnswerKey::new(key?),
    })
}

/// `Some(None)` when the author named none, `None` when the field is there and unfit.
fn read_labour_function(desk: &mut Desk, table: &Table<'_>) -> Option<Option<String>> {
    if !table.has("labour_function") {
        return Some(None);
    }
    let (text, place) = table.word(desk, "labour_function")?;
    crate::plain::check_plain(desk, &place, text, TITLE_CHARS_MAX);
    Some(Some(text.trim().to_owned()))
}

/// The options and the indexes of the correct ones; `None` when one of them could not be read.
fn read_options(desk: &mut Desk, question: &Table<'_>) -> Option<(Vec<Choice>, BTreeSet<u8>)> {
    let tables = question.tables(desk, "option");
    let found = tables.len();
    if found < OPTIONS_MIN {
        let detail = format!("{found} option(s), at least {OPTIONS_MIN}");
        desk.report(&question.place_of("option"), ProblemCode::TooFewOptions, detail);
    }
    if found > OPTIONS_MAX {
        let detail = format!("{found} options, at most {OPTIONS_MAX}");
        desk.report(&question.place_of("option"), ProblemCode::TooManyOptions, detail);
        return None;
    }
    let mut seen = HashMap::new();
    let mut options = Vec::with_capacity(found);
    let mut correct = BTreeSet::new();
    for (at, table) in (0_u8..).zip(&tables) {
        table.only(desk, &["id", "correct", "text"]);
        let id = table.id(desk, "id");
        if let Some(id) = &id {
            report_repeated(desk, &mut seen, id, &table.place_of("id"));
        }
        let text = table.both_languages(desk, "text", TEXT_CHARS_MAX);
        let flag = table.flag(desk, "correct");
        if flag == Some(true) {
            correct.insert(at);
        }
        let unfit = table.has("correct") && flag.is_none();
        if let (Some(id), Some(text), false) = (id, text, unfit) {
            report_same_text(desk, &options, &text, &table.place_of("text"));
            options.push(Choice { id, text });
        }
    }
    (options.len() == found).then_some((options, correct))
}

fn report_same_text(desk: &mut Desk, options: &[Choice], text: &synaq_core::bank::Text, place: &Place) {
    let same = |left: &str, right: &str| left.to_lowercase() == right.to_lowercase();
    let twin = options.iter().find(|other| same(&other.text.kk, &text.kk) || same(&other.text.ru, &text.ru));
    if let Some(twin) = twin {
        let detail = format!("the same as option {:?}", crate::desk::shortened(&twin.id));
        desk.report(place, ProblemCode::OptionRepeated, detail);
    }
}

fn check_key(desk: &mut Desk, table: &Table<'_>, kind: Kind, options: &[Choice], correct: &BTreeSet<u8>) {
    let place = table.place_of("option");
    match kind {
        Kind::Single if correct.len() != 1 => {
            desk.report(&place, ProblemCode::SingleNeedsOneCorrect, format!("{} marked", correct.len()));
        }
        Kind::Multi if correct.is_empty() => desk.report(&place, ProblemCode::MultiNeedsACorrect, ""),
        Kind::Multi if correct.len() == options.len() => {
            desk.report(&place, ProblemCode::MultiAllCorrect, "");
        }
        Kind::Single | Kind::Multi => {}
    }
}

fn report_repeated(desk: &mut Desk, seen: &mut HashMap<String, usize>, id: &str, place: &Place) {
    let line = desk.line_of(place);
    if let Some(first) = seen.get(id) {
        let detail = format!("{:?} stands already in line {first}", crate::desk::shortened(id));
        desk.report(place, ProblemCode::IdRepeated, detail);
    } else {
        seen.insert(id.to_owned(), line);
    }
}

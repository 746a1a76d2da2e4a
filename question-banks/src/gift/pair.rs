//! Two languages of a question become one, and the questions a bank.

use super::parse::{Asked, questions};
use super::{GiftCode, GiftFinding};
use crate::limits::{ID_BYTES_MAX, QUESTIONS_MAX};
use crate::{ImportError, write};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use synaq_core::bank::{AnswerKey, Bank, Choice, Item, Kind, Text, Topic};
use synaq_core::ids::{ItemId, TopicId};

/// Of a question that the file says nothing of: in the middle.
const DIFFICULTY: u8 = 2;
/// Reports of 1 000 problems each for the largest bank.
const ROUNDS: usize = 12;
const TRUE: (&str, &str) = ("Дұрыс", "Верно");
const FALSE: (&str, &str) = ("Дұрыс емес", "Неверно");
/// Topic of questions without a category.
const GENERAL: (&str, &str, &str) = ("general", "Жалпы сұрақтар", "Общие вопросы");

/// What the files say.
#[derive(Debug, Clone, Copy)]
pub enum GiftFiles<'a> {
    /// A file for each language, questions paired by name
    Two {
        /// Kazakh
        kk: &'a str,
        /// Russian
        ru: &'a str,
    },
    /// Both languages in one, the name's end says which: `::q-1.kk::`, `::q-1.ru::`
    One(&'a str),
}

/// What no GIFT file says of a bank.
#[derive(Debug, Clone)]
pub struct GiftHead {
    /// The author's name for it
    pub slug: String,
    /// Unique with the slug
    pub version: u32,
    /// Its title
    pub title: Text,
    /// Per the classifier
    pub profession_code: String,
}

/// A question of the files and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiftQuestion {
    /// As in the files, without the language
    pub name: String,
    /// In the bank, if it was taken
    pub id: Option<String>,
    /// Line of the Kazakh one
    pub line_kk: Option<usize>,
    /// Line of the Russian one
    pub line_ru: Option<usize>,
    /// Said of the Kazakh one
    pub kk: Vec<GiftFinding>,
    /// Said of the Russian one
    pub ru: Vec<GiftFinding>,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct GiftReading {
    /// Every question, sound or not, in the order of the Kazakh file
    pub questions: Vec<GiftQuestion>,
    /// What can be asked; none if no question can
    pub bank: Option<Bank>,
    /// More questions than a bank may have: the rest was not looked at
    pub too_many: bool,
    /// What is wrong with the head, one sentence each
    pub head: Vec<String>,
}

impl GiftReading {
    /// Questions that were not taken.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.questions.iter().filter(|question| question.id.is_none()).count()
    }
}

/// Reads the files. Nothing panics, whatever stands in them.
#[must_use]
pub fn read_gift(files: GiftFiles<'_>, head: &GiftHead) -> GiftReading {
    let (mut pairs, too_many) = paired(files);
    let mut desk = Desk::default();
    let mut items: Vec<(usize, Item)> = Vec::new();
    for (at, pair) in pairs.iter_mut().enumerate() {
        if let Some(item) = desk.item(pair) {
            items.push((at, item));
        }
    }
    let mut reading = GiftReading {
        questions: pairs.into_iter().map(Pair::row).collect(),
        bank: None,
        too_many,
        head: Vec::new(),
    };
    reading.take(head, desk.topics, items);
    reading
}

/// One name in both languages.
#[derive(Default)]
struct Pair {
    name: String,
    kk: Option<Asked>,
    ru: Option<Asked>,
    /// Of a question that cannot be paired at all
    stray: Option<Asked>,
}

impl Pair {
    fn row(self) -> GiftQuestion {
        let line = |asked: &Option<Asked>| asked.as_ref().map(|asked| asked.line);
        let (line_kk, line_ru) = (line(&self.kk).or(line(&self.stray)), line(&self.ru));
        let said = |asked: Option<Asked>| asked.map(|asked| asked.findings).unwrap_or_default();
        let mut kk = said(self.kk);
        kk.extend(said(self.stray));
        GiftQuestion { name: self.name, id: None, line_kk, line_ru, kk, ru: said(self.ru) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Kk,
    Ru,
}

fn paired(files: GiftFiles<'_>) -> (Vec<Pair>, bool) {
    let mut all: Vec<(Option<Side>, Asked)> = match files {
        GiftFiles::Two { kk, ru } => {
            let kk = questions(kk).into_iter().map(|asked| (Some(Side::Kk), asked));
            kk.chain(questions(ru).into_iter().map(|asked| (Some(Side::Ru), asked))).collect()
        }
        GiftFiles::One(both) => questions(both).into_iter().map(by_name).collect(),
    };
    let too_many = all.len() > 2 * QUESTIONS_MAX;
    all.truncate(2 * QUESTIONS_MAX);
    let mut pairs: Vec<Pair> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (side, mut asked) in all {
        let line = asked.line;
        let mut stray = |mut asked: Asked, code| {
            asked.findings.push(GiftFinding::new(code, line, ""));
            pairs.push(Pair { name: asked.name.clone(), stray: Some(asked), ..Pair::default() });
        };
        let Some(side) = side else {
            stray(asked, GiftCode::LanguageUnknown);
            continue;
        };
        if asked.name.is_empty() {
            stray(asked, GiftCode::NameMissing);
            continue;
        }
        let key = asked.name.to_lowercase();
        let at = *places.entry(key).or_insert_with(|| {
            pairs.push(Pair { name: asked.name.clone(), ..Pair::default() });
            pairs.len() - 1
        });
        let place = if side == Side::Kk { &mut pairs[at].kk } else { &mut pairs[at].ru };
        if let Some(first) = place {
            let detail = format!("first in line {}", first.line);
            asked.findings.push(GiftFinding::new(GiftCode::NameRepeated, line, detail));
            pairs.push(Pair { name: asked.name.clone(), stray: Some(asked), ..Pair::default() });
        } else {
            *place = Some(asked);
        }
    }
    (pairs, too_many)
}

const LANGUAGE_ENDS: &[(&str, Side)] = &[
    ("kk", Side::Kk),
    ("kz", Side::Kk),
    ("каз", Side::Kk),
    ("қаз", Side::Kk),
    ("ru", Side::Ru),
    ("рус", Side::Ru),
];

/// The language at the name's end, and the name without it.
fn by_name(mut asked: Asked) -> (Option<Side>, Asked) {
    let lower = asked.name.to_lowercase();
    let bare = lower.trim_end_matches([')', ']']);
    let Some((end, side)) = LANGUAGE_ENDS.iter().find(|(end, _)| bare.ends_with(end)) else {
        return (None, asked);
    };
    let stem = &bare[..bare.len() - end.len()];
    let name = stem.trim_end_matches(|end: char| !end.is_alphanumeric());
    // `guru` ends with ru and names no language.
    if name.len() == stem.len() && !name.is_empty() {
        return (None, asked);
    }
    asked.name = name.to_owned();
    (Some(*side), asked)
}

/// Topics and ids given so far.
#[derive(Default)]
struct Desk {
    topics: Vec<Topic>,
    by_category: BTreeMap<(String, String), TopicId>,
    ids: BTreeSet<String>,
}

impl Desk {
    /// The question of a pair, or what is wrong with it is said.
    fn item(&mut self, pair: &mut Pair) -> Option<Item> {
        let (kk, ru) = match (&mut pair.kk, &mut pair.ru) {
            (Some(kk), Some(ru)) => (kk, ru),
            (Some(alone), None) | (None, Some(alone)) => {
                let line = alone.line;
                alone.findings.push(GiftFinding::new(GiftCode::TranslationMissing, line, ""));
                return None;
            }
            (None, None) => return None,
        };
        if kk.is_refused() || ru.is_refused() {
            return None;
        }
        if let Some(detail) = difference(kk, ru) {
            ru.findings.push(GiftFinding::new(GiftCode::TranslationDiffers, ru.line, detail));
            return None;
        }
        let topic = self.topic(&kk.category, &ru.category);
        let id = self.id(&pair.name);
        let options = if kk.true_false {
            [TRUE, FALSE].map(|(kk, ru)| Text { kk: kk.to_owned(), ru: ru.to_owned() }).to_vec()
        } else {
            let texts = kk.options.iter().cloned().zip(ru.options.iter().cloned());
            texts.map(|(kk, ru)| Text { kk, ru }).collect()
        };
        let choice = |(at, text)| Choice { id: format!("o{at}"), text };
        Some(Item {
            id: ItemId(id),
            version: 1,
            topic,
            kind: if kk.multiple { Kind::Multi } else { Kind::Single },
            difficulty: DIFFICULTY,
            labour_function: None,
            text: Text { kk: kk.text.clone(), ru: ru.text.clone() },
            options: (1..).zip(options).map(choice).collect(),
            key: AnswerKey::new(kk.right.clone()),
        })
    }

    fn topic(&mut self, kk: &str, ru: &str) -> TopicId {
        let key = (kk.to_owned(), ru.to_owned());
        if let Some(known) = self.by_category.get(&key) {
            return known.clone();
        }
        let (id, title) = if kk.is_empty() && ru.is_empty() {
            (GENERAL.0.to_owned(), Text { kk: GENERAL.1.to_owned(), ru: GENERAL.2.to_owned() })
        } else {
            // Of a file without categories the other one's are shown; the warning of the bank's checks says so.
            let (kk, ru) = (if kk.is_empty() { ru } else { kk }, if ru.is_empty() { kk } else { ru });
            (latin(ru), Text { kk: kk.to_owned(), ru: ru.to_owned() })
        };
        let taken = |id: &str| self.topics.iter().any(|topic| topic.id.0 == id);
        let id = TopicId(free(&id, "topic", taken));
        self.topics.push(Topic { id: id.clone(), title });
        self.by_category.insert(key, id.clone());
        id
    }

    fn id(&mut self, name: &str) -> String {
        let id = free(&latin(name), "q", |id| self.ids.contains(id));
        self.ids.insert(id.clone());
        id
    }
}

/// Why the two do not ask the same.
fn difference(kk: &Asked, ru: &Asked) -> Option<String> {
    if kk.true_false != ru.true_false || kk.options.len() != ru.options.len() {
        return Some(format!("kk has {} answers, ru has {}", kk.options.len(), ru.options.len()));
    }
    (kk.right != ru.right || kk.multiple != ru.multiple)
        .then(|| "other answers are right in kk than in ru".to_owned())
}

/// `wanted`, or with a number if it is taken.
fn free(wanted: &str, otherwise: &str, taken: impl Fn(&str) -> bool) -> String {
    let wanted = if wanted.is_empty() { otherwise } else { wanted };
    if !taken(wanted) {
        return wanted.to_owned();
    }
    (2_u32..).map(|number| format!("{wanted}-{number}")).find(|id| !taken(id)).unwrap_or_default()
}

/// Letters of ids in place of Kazakh and Russian ones: stable, so that a blueprint fits the next import too.
fn latin(text: &str) -> String {
    let mut out = String::new();
    for letter in text.to_lowercase().chars() {
        let is = match letter {
            'а' | 'ә' => "a",
            'б' => "b",
            'в' => "v",
            'г' | 'ғ' => "g",
            'д' => "d",
            'е' | 'ё' | 'э' => "e",
            'ж' => "zh",
            'з' => "z",
            'и' | 'і' | 'й' => "i",
            'к' | 'қ' => "k",
            'л' => "l",
            'м' => "m",
            'н' | 'ң' => "n",
            'о' | 'ө' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' | 'ұ' | 'ү' => "u",
            'ф' => "f",
            'х' | 'һ' => "h",
            'ц' => "ts",
            'ч' => "ch",
            'ш' => "sh",
            'щ' => "sch",
            'ы' => "y",
            'ю' => "yu",
            'я' => "ya",
            'ъ' | 'ь' => "",
            _ => {
                match letter {
                    'a'..='z' | '0'..='9' | '_' | '.' => out.push(letter),
                    _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
                    _ => {}
                }
                continue;
            }
        };
        out.push_str(is);
    }
    // Room for the number that makes it the only one.
    out.truncate(ID_BYTES_MAX - 8);
    out.trim_matches('-').to_owned()
}

impl GiftReading {
    /// The bank's own checks have the last word: what they refuse is refused here too.
    fn take(&mut self, head: &GiftHead, topics: Vec<Topic>, mut items: Vec<(usize, Item)>) {
        // Each time without what the checks refused: a report that overflows names the rest in the next one.
        for _ in 0..ROUNDS {
            let used: BTreeSet<&TopicId> = items.iter().map(|(_, item)| &item.topic).collect();
            let bank = Bank {
                slug: head.slug.clone(),
                version: head.version,
                title: head.title.clone(),
                profession_code: head.profession_code.clone(),
                topics: topics.iter().filter(|topic| used.contains(&topic.id)).cloned().collect(),
                items: items.iter().map(|(_, item)| item.clone()).collect(),
            };
            if bank.items.is_empty() {
                return;
            }
            let places: HashMap<String, usize> =
                items.iter().map(|(at, item)| (item.id.0.clone(), *at)).collect();
            let (report, refused) = match crate::read(&write(&bank)) {
                Ok((bank, report)) => {
                    for (at, item) in &items {
                        self.questions[*at].id = Some(item.id.0.clone());
                    }
                    self.bank = Some(bank);
                    (report, false)
                }
                Err(ImportError::Refused(report)) => (report, true),
                Err(error) => {
                    self.head.push(error.to_string());
                    return;
                }
            };
            let mut wrong = BTreeSet::new();
            for problem in &report.problems {
                let errs = problem.severity == crate::Severity::Error;
                let Some(at) = problem.question.as_ref().and_then(|id| places.get(id)) else {
                    if errs {
                        self.head.push(problem.to_string());
                    }
                    continue;
                };
                if refused && !errs {
                    continue;
                }
                let mut detail = format!("{}: {}", problem.code, problem.detail);
                if !problem.field.is_empty() {
                    write!(detail, " ({})", problem.field).expect("writing to a String cannot fail");
                }
                let code = if errs { GiftCode::BankRefused } else { GiftCode::BankRemark };
                self.questions[*at].say(&problem.field, code, detail);
                if errs {
                    wrong.insert(*at);
                }
            }
            if !refused || !self.head.is_empty() || wrong.is_empty() {
                return;
            }
            items.retain(|(at, _)| !wrong.contains(at));
        }
    }
}

impl GiftQuestion {
    /// To the language that the bank's field names; to the Kazakh one otherwise.
    fn say(&mut self, field: &str, code: GiftCode, detail: String) {
        if field.ends_with(".ru") {
            self.ru.push(GiftFinding::new(code, self.line_ru.unwrap_or_default(), detail));
        } else {
            self.kk.push(GiftFinding::new(code, self.line_kk.unwrap_or_default(), detail));
        }
    }
}

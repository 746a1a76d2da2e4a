//! Question banks and programmes as the rules see them. File formats live in the question-banks crate.

mod programme;

pub use programme::{Breaks, LEGAL_THRESHOLD_PCT, Plan, PlanError, Profession, Programme};

use crate::ids::{ItemId, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A language the exam can be sat in, or the interface shown in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Kazakh
    Kk,
    /// Russian
    Ru,
    /// English (interface only: the law knows exams in kk and ru)
    En,
}

/// A text that the law wants in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Text {
    /// Kazakh
    pub kk: String,
    /// Russian
    pub ru: String,
}

impl Text {
    /// The text in `lang`; English readers get the Russian one.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Kk => &self.kk,
            Lang::Ru | Lang::En => &self.ru,
        }
    }
}

/// How many options are right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Exactly one
    Single,
    /// One or more, all-or-nothing
    Multi,
}

/// One immutable version of a bank. Holds the keys, so it never crosses a socket as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bank {
    /// The author's name for it: `confectioner`
    pub slug: String,
    /// Raised with every change
    pub version: u32,
    /// Its title
    pub title: Text,
    /// Code per the National Classifier of Occupations (F-38)
    pub profession_code: String,
    /// In the author's order
    pub topics: Vec<Topic>,
    /// In the author's order
    pub items: Vec<Item>,
}

/// A heading that a blueprint draws from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Topic {
    /// Within the bank
    pub id: TopicId,
    /// Shown to staff
    pub title: Text,
}

/// A question with its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Within the bank
    pub id: ItemId,
    /// Raised with every change of this question
    pub version: u32,
    /// Must exist in the bank
    pub topic: TopicId,
    /// Single or multiple choice
    pub kind: Kind,
    /// 1 easy to 3 hard
    pub difficulty: u8,
    /// LAW-10: the labour function it measures
    pub labour_function: Option<String>,
    /// The question
    pub text: Text,
    /// At least two, in the author's order
    pub options: Vec<Choice>,
    /// Which of them are right
    pub key: AnswerKey,
}

/// One answer option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Within the question: `a`
    pub id: String,
    /// What the candidate reads
    pub text: Text,
}

/// Indexes of the right options in the author's order. No `Serialize`, and `Debug` shows nothing:
/// a key can leave the server only by somebody writing code for it.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerKey(BTreeSet<u8>);

impl AnswerKey {
    /// A key out of option indexes.
    #[must_use]
    pub fn new(right: BTreeSet<u8>) -> Self {
        Self(right)
    }

    /// All-or-nothing: exactly the right options, and no other.
    #[must_use]
    pub fn accepts(&self, selected: &BTreeSet<u8>) -> bool {
        self.0 == *selected
    }

    /// The right options, for the bank's own file format and for the author's screen.
    #[must_use]
    pub fn reveal(&self) -> &BTreeSet<u8> {
        &self.0
    }
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKey(..)")
    }
}

impl Bank {
    /// The question of that id.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }
}

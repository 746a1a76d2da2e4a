//! Moodle's GIFT: a bank out of question files in Kazakh and Russian, with a report per question. What our exam cannot
//! ask as it stands there is refused with its line and the reason, never bent into something else.
//! Format: docs.moodle.org/en/GIFT_format.

mod markup;
mod pair;
mod parse;

pub use pair::{GiftFiles, GiftHead, GiftQuestion, GiftReading, read_gift};

use crate::codes::codes;
use crate::problem::Severity;
use serde::Serialize;

codes! {
    /// What is said of a question.
    GiftCode:
    /// A brace opens and never closes, or the other way round.
    BraceUnpaired, "gift_brace_unpaired", Error,
        "Close the answers with }, without a blank line in them; write \\{ and \\} in texts.";
    /// A text without answers.
    NoAnswers, "gift_no_answers", Error, "Add the answers in braces, or remove the text.";
    /// `{}`: the candidate would write an essay.
    Essay, "gift_essay", Error, "A person would have to mark it; ask it with options.";
    /// `{#...}`
    Numerical, "gift_numerical", Error, "Numbers cannot be typed in; ask it with options.";
    /// Answers with `=` only.
    ShortAnswer, "gift_short_answer", Error, "Words cannot be typed in; add wrong options with ~.";
    /// `->`
    Matching, "gift_matching", Error, "Pairs cannot be matched; ask each pair with options.";
    /// More than one pair of braces.
    SeveralBlanks, "gift_several_blanks", Error, "Ask one thing at a time: one pair of braces.";
    /// Several `=` beside `~`.
    SeveralRight, "gift_several_right", Error,
        "Either of several answers cannot be right; weigh them with ~%50% if all of them must be chosen.";
    /// No answer is right.
    NothingRight, "gift_nothing_right", Error, "Mark the right answer with =.";
    /// Neither `=` nor `~`, or a weight that is no number.
    AnswersUnreadable, "gift_answers_unreadable", Error, "Begin each answer with = or ~; write \\= and \\~ in texts.";
    /// A picture, a table, a formula.
    MarkupUnknown, "gift_markup", Error, "Pictures, tables and formulas cannot be shown; say it in words.";
    /// The same name twice in one language.
    NameRepeated, "gift_name_repeated", Error, "Give each question its own name.";
    /// Without a name there is nothing to pair by.
    NameMissing, "gift_name_missing", Error, "Name the question: ::name:: before its text.";
    /// One file, and the name does not say the language.
    LanguageUnknown, "gift_language_unknown", Error,
        "End the name with kk or ru (::q-1.kk::), or give the languages in two files.";
    /// The other language is missing.
    TranslationMissing, "gift_translation_missing", Error,
        "Add the question in the other language under the same name.";
    /// The two languages do not ask the same.
    TranslationDiffers, "gift_translation_differs", Error,
        "Give both languages the same answers in the same order, with the same ones right.";
    /// A check of the bank itself.
    BankRefused, "gift_bank", Error, "Correct the text as the bank's own rules ask.";
    /// Weights.
    PartialCredit, "gift_partial_credit", Warning,
        "Part of the points is not given: a question counts when exactly the right options are chosen.";
    /// `#feedback`
    FeedbackDropped, "gift_feedback_dropped", Warning, "Feedback is not shown in an exam.";
    /// Bold, italics, paragraphs.
    MarkupDropped, "gift_markup_dropped", Warning, "Bold, italics and paragraphs are not shown; read the text again.";
    /// A remark of the bank's own checks.
    BankRemark, "gift_bank_remark", Warning, "Look at it again.";
}

/// One thing said of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiftFinding {
    /// What
    pub code: GiftCode,
    /// Line of its file, from 1
    pub line: usize,
    /// The particulars, plain English; may be empty
    pub detail: String,
}

impl GiftFinding {
    pub(crate) fn new(code: GiftCode, line: usize, detail: impl Into<String>) -> Self {
        Self { code, line, detail: detail.into() }
    }

    /// Whether the question is refused for it.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.code.severity() == Severity::Error
    }
}

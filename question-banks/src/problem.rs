//! What can be wrong with a file, and how it is reported.

use std::fmt;

use crate::codes::codes;
use serde::Serialize;

/// Whether a problem refuses the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The whole file is refused.
    Error,
    /// The file is accepted; an author should look.
    Warning,
}

codes! {
    /// Kind of a problem.
    ProblemCode:
    /// A required field is absent.
    FieldMissing, "field_missing", Error, "Add the field.";
    /// A field the format does not have.
    FieldUnknown, "field_unknown", Error, "Remove the field or correct its spelling.";
    /// A field holds another type than the format says.
    FieldWrongType, "field_wrong_type", Error, "Write the value in the type that is named.";
    /// A number outside its range.
    NumberOutOfRange, "number_out_of_range", Error, "Use a whole number in the range that is named.";
    /// A word that is not one of those allowed.
    ValueUnknown, "value_unknown", Error, "Use one of the values that are named.";
    /// An id with other characters than a-z, 0-9, '-', '_' and '.', or too long.
    IdNotAllowed, "id_not_allowed", Error, "Use 1 to 64 of the characters a-z 0-9 - _ . in ids.";
    /// The same id twice.
    IdRepeated, "id_repeated", Error, "Give each its own id.";
    /// The Kazakh text is absent.
    KkMissing, "kk_missing", Error, "Add the Kazakh text (kk): both languages must be complete.";
    /// The Russian text is absent.
    RuMissing, "ru_missing", Error, "Add the Russian text (ru): both languages must be complete.";
    /// A language other than kk and ru.
    LanguageUnknown, "language_unknown", Error, "Only kk and ru can be given.";
    /// The header's list of languages lacks kk or ru.
    LanguagesIncomplete, "languages_incomplete", Error, "Write languages = [\"kk\", \"ru\"].";
    /// A text of nothing but white space.
    TextEmpty, "text_empty", Error, "Write the text.";
    /// A text longer than its limit.
    TextTooLong, "text_too_long", Error, "Shorten the text to the limit that is named.";
    /// Mark-up or a character entity in a plain text.
    HtmlNotAllowed, "html_not_allowed", Error, "Write plain text without tags and entities.";
    /// A control or text-direction character in a text.
    ControlCharacter, "control_character", Error, "Remove the invisible character that is named.";
    /// Fewer options than a question needs.
    TooFewOptions, "too_few_options", Error, "Give at least 2 options.";
    /// More options than a question may have.
    TooManyOptions, "too_many_options", Error, "Give at most 8 options.";
    /// Two options of a question read the same.
    OptionRepeated, "option_repeated", Error, "Make the options of a question different from each other.";
    /// `single` with no or several correct options.
    SingleNeedsOneCorrect, "single_needs_one_correct", Error,
        "Mark exactly one option correct, or make the question \"multi\".";
    /// `multi` without a correct option.
    MultiNeedsACorrect, "multi_needs_a_correct", Error, "Mark the correct options with correct = true.";
    /// `multi` in which every option is correct.
    MultiAllCorrect, "multi_all_correct", Error, "Leave at least one option that is not correct.";
    /// A topic that the file does not define.
    TopicUnknown, "topic_unknown", Error, "Define the topic in a [[topic]] table or correct its id.";
    /// More questions or topics than one file may have.
    TooMany, "too_many", Error, "Split the file.";
    /// A programme whose threshold is below the law's (NB-22).
    ThresholdBelowLaw, "threshold_below_law", Error,
        "Set threshold_pct to 70 or more: the theory stage is passed with more than 70 % (never less).";
    /// The blueprint's counts do not add up to the number of questions.
    BlueprintSum, "blueprint_sum", Error, "Make the counts of the blueprint add up to `questions`.";
    /// The blueprint takes more questions of a topic than the bank has.
    BlueprintExceedsBank, "blueprint_exceeds_bank", Error,
        "Lower the count of the topic or add questions to the bank.";
    /// The programme names another bank or profession than the bank's own.
    BankMismatch, "bank_mismatch", Error, "Use the bank that the programme names, or correct the programme.";
    /// The correct option or another one is far longer than the rest.
    OptionLengthsDiffer, "option_lengths_differ", Warning,
        "Make the options similar in length: a candidate guesses by length.";
    /// Nearly all correct options stand in the same position.
    CorrectPositionPredictable, "correct_position_predictable", Warning,
        "Vary the position of the correct option (programmes that shuffle options hide this).";
    /// Two questions ask nearly the same.
    StemsAlike, "stems_alike", Warning, "Check that the two questions do not ask the same.";
    /// Both languages hold the same text.
    SameInBothLanguages, "same_in_both_languages", Warning, "Check that the text was translated.";
    /// A topic without a question.
    TopicWithoutQuestions, "topic_without_questions", Warning, "Remove the topic or add questions to it.";
}

/// One thing wrong, at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// That of its code.
    pub severity: Severity,
    /// Kind of the problem.
    pub code: ProblemCode,
    /// Id of the question concerned; `#7` for the seventh when its id cannot be read; `None` for the file.
    pub question: Option<String>,
    /// Line in the file, from 1.
    pub line: usize,
    /// Field concerned, as a path such as `option[2].text.kk`; empty for the whole table.
    pub field: String,
    /// The particulars: a limit, a found value, the other question. Plain English.
    pub detail: String,
    /// What to do, one English sentence.
    pub advice: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(question) = &self.question {
            write!(f, ", question {question}")?;
        }
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        write!(f, ": {}", self.code)?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        write!(f, ". {}", self.advice)
    }
}

/// Everything found in one file, errors before warnings, each in the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// SHA-256 of the text that was read, lower-case hex.
    pub sha256: String,
    /// Questions present in the file, sound or not.
    pub questions: usize,
    /// What was found, at most [`crate::limits::PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// Problems beyond [`crate::limits::PROBLEMS_MAX`] that were counted but not kept.
    pub problems_left_out: usize,
}

impl ImportReport {
    /// Problems that refuse the file.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// Problems that an author should look at.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Warning)
    }
}

/// One place where the file is no TOML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column, characters from 1.
    pub column: usize,
    /// The parser's words.
    pub message: String,
    /// What to look at.
    pub hint: &'static str,
}

/// Why a file was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// More than [`crate::limits::FILE_BYTES_MAX`].
    #[error("the file has {bytes} bytes, more than the {limit} allowed; split it")]
    TooLarge { bytes: usize, limit: usize },
    /// Another encoding, or no text at all.
    #[error("the file is not UTF-8 from byte {at} on; save it as UTF-8")]
    NotUtf8 { at: usize },
    /// No TOML; never empty.
    #[error("{}", syntax_sentence(.0))]
    BrokenToml(Vec<SyntaxError>),
    /// TOML, but no sound bank or programme; the report holds at least one error.
    #[error("the file was refused: {} error(s), nothing was taken over", .0.errors().count())]
    Refused(ImportReport),
}

impl ImportError {
    /// The stable code, `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "bank_file_too_large",
            Self::NotUtf8 { .. } => "bank_file_not_utf8",
            Self::BrokenToml(_) => "bank_file_broken_toml",
            Self::Refused(_) => "bank_file_refused",
        }
    }

    /// The report, when the file could be read that far.
    pub const fn report(&self) -> Option<&ImportReport> {
        match self {
            Self::Refused(report) => Some(report),
            Self::TooLarge { .. } | Self::NotUtf8 { .. } | Self::BrokenToml(_) => None,
        }
    }
}

fn syntax_sentence(errors: &[SyntaxError]) -> String {
    errors.first().map_or_else(
        || "the file is not TOML".to_owned(),
        |first| {
            let SyntaxError { line, column, message, hint } = first;
            format!("the file is not TOML: line {line}, column {column}: {message}. {hint}")
        },
    )
}

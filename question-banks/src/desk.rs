//! The reader's desk: the text, its lines, and the problems found so far.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};

use crate::limits::{FILE_BYTES_MAX, ID_BYTES_MAX, PROBLEMS_MAX, SYNTAX_ERRORS_MAX};
use crate::problem::{ImportError, ImportReport, Problem, ProblemCode, Severity, SyntaxError};
use crate::table::Table;

/// Where in the file something stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Byte offset into the text.
    pub(crate) offset: usize,
    /// Id of the question it belongs to.
    pub(crate) question: Option<Arc<str>>,
    /// Field path within that question or within the file.
    pub(crate) field: String,
}

impl Place {
    /// The same place, one field further in.
    pub(crate) fn field(&self, name: &str, offset: usize) -> Self {
        let field = if self.field.is_empty() { name.to_owned() } else { format!("{}.{name}", self.field) };
        Self { offset, question: self.question.clone(), field }
    }
}

/// Collects problems while a text is read.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    line_starts: Vec<usize>,
    sha256: String,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    left_out: usize,
    refused: bool,
}

impl Desk {
    fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self {
            line_starts: std::iter::once(0).chain(newlines).collect(),
            sha256: Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
            errors: Vec::new(),
            warnings: Vec::new(),
            left_out: 0,
            refused: false,
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// Notes a problem; beyond the report's limit it is only counted.
    pub(crate) fn report(&mut self, place: &Place, code: ProblemCode, detail: impl Into<String>) {
        let severity = code.severity();
        self.refused |= severity == Severity::Error;
        let line = self.line(place.offset);
        let kept = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if kept.len() >= PROBLEMS_MAX {
            self.left_out += 1;
            return;
        }
        kept.push(Problem {
            severity,
            code,
            question: place.question.as_deref().map(str::to_owned),
            line,
            field: place.field.clone(),
            detail: detail.into(),
            advice: code.advice(),
        });
    }

    /// Whether an error was reported so far.
    pub(crate) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// The line that a report of this place names.
    pub(crate) fn line_of(&self, place: &Place) -> usize {
        self.line(place.offset)
    }

    /// Checks an id; what is unfit is reported and still returned, so that references to it resolve.
    pub(crate) fn check_id(&mut self, id: &str, place: &Place) {
        if !is_id(id) {
            self.report(place, ProblemCode::IdNotAllowed, format!("found {:?}", shortened(id)));
        }
    }

    fn finish(mut self, questions: usize) -> (bool, ImportReport) {
        self.errors.sort_by_key(|problem| problem.line);
        self.warnings.sort_by_key(|problem| problem.line);
        let mut problems = self.errors;
        problems.append(&mut self.warnings);
        self.left_out += problems.len().saturating_sub(PROBLEMS_MAX);
        problems.truncate(PROBLEMS_MAX);
        let report =
            ImportReport { sha256: self.sha256, questions, problems, problems_left_out: self.left_out };
        (self.refused, report)
    }
}

/// Parses `text` and lets `read` take it apart: `read` returns what it understood (`None` when something
/// required was absent, which it must have reported) and the number of questions it saw.
pub(crate) fn read_with<T>(
    text: &str,
    read: impl FnOnce(&mut Desk, Table<'_>) -> (Option<T>, usize),
) -> Result<(T, ImportReport), ImportError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(ImportError::TooLarge { bytes: text.len(), limit: FILE_BYTES_MAX });
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut desk = Desk::new(text);
    if !errors.is_empty() {
        let syntax = errors.iter().take(SYNTAX_ERRORS_MAX).map(|error| syntax_error(&desk, text, error));
        return Err(ImportError::BrokenToml(syntax.collect()));
    }
    let (read, questions) = read(&mut desk, Table::root(root.get_ref()));
    let (refused, report) = desk.finish(questions);
    match read {
        Some(read) if !refused => Ok((read, report)),
        _ => Err(ImportError::Refused(report)),
    }
}

/// As UTF-8 text, without the byte order mark that Windows editors put in front.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, ImportError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ImportError::TooLarge { bytes: bytes.len(), limit: FILE_BYTES_MAX });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| ImportError::NotUtf8 { at: error.valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn syntax_error(desk: &Desk, text: &str, error: &toml::de::Error) -> SyntaxError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let line = desk.line(offset);
    let start = desk.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
    let before = text.get(start..offset).unwrap_or_default();
    let message = error.message().to_owned();
    let hint = hint_for(&message, text.get(offset..).unwrap_or_default());
    SyntaxError { line, column: before.chars().count() + 1, message, hint }
}

fn hint_for(message: &str, rest: &str) -> &'static str {
    if rest.starts_with(['«', '“', '„', '”', '‘', '’']) {
        "Put texts between straight quotes \"...\"; typographic quotes may stand inside them."
    } else if message.contains("duplicate key") {
        "The field is given twice in one table; a new question starts with [[question]]."
    } else if message.contains("must be quoted") || message.contains("invalid basic string") {
        "Put texts between straight quotes on one line; write a quote inside a text as \\\"."
    } else if message.contains("escape") {
        "Write a backslash inside a text as \\\\."
    } else if message.contains("table") {
        "Headers are [bank], [[topic]], [[question]] and [[question.option]], each alone on its line."
    } else {
        "Each line is `field = value`; compare it with the line above."
    }
}

/// A found value, short enough for a report.
pub(crate) fn shortened(value: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let mut chars = value.chars();
    let shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() { format!("{shown}…") } else { shown }
}

/// Name of a value's type as an author knows it.
pub(crate) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text in quotes",
        DeValue::Integer(_) => "whole number",
        DeValue::Float(_) => "decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
    }
}

/// Whether banks, programmes, topics, questions and options may be called so.
#[must_use]
pub fn is_id(id: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(fit)
}

//! One GIFT file, question by question.

use super::markup::plain;
use super::{GiftCode, GiftFinding};
use std::collections::BTreeSet;

/// A question in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    /// Where it begins, from 1
    pub(super) line: usize,
    /// Last part of the category's path
    pub(super) category: String,
    pub(super) text: String,
    pub(super) options: Vec<String>,
    pub(super) right: BTreeSet<u8>,
    pub(super) multiple: bool,
    /// Right or wrong: its options are ours, not the file's
    pub(super) true_false: bool,
    pub(super) findings: Vec<GiftFinding>,
}

/// Every question of a file, in its order.
pub(super) fn questions(file: &str) -> Vec<Asked> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let (mut found, mut block, mut category) = (Vec::new(), Block::default(), String::new());
    // Old spreadsheets and editors end lines with a lone carriage return.
    let file = file.replace("\r\n", "\n").replace('\r', "\n");
    for (line, text) in (1..).zip(file.split('\n')) {
        let bare = text.trim();
        if bare.starts_with("//") {
            continue;
        }
        let heading = bare.strip_prefix("$CATEGORY:").or_else(|| bare.strip_prefix("$CATEGORY :"));
        if bare.is_empty() || heading.is_some() {
            found.extend(block.finish(&category));
        } else {
            block.add(line, text);
        }
        if let Some(path) = heading {
            category = last_part(path);
        }
    }
    found.extend(block.finish(&category));
    found
}

/// Of `$course$/top/Тема`; a slash within a name is doubled.
fn last_part(path: &str) -> String {
    let path = path.trim().replace("//", "\u{0}");
    let last = path.rsplit('/').map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
    let last = if matches!(last, "$course$" | "$system$" | "top") { "" } else { last };
    plain(&last.replace('\u{0}', "/")).text
}

/// Lines between blank ones.
#[derive(Default)]
struct Block {
    line: usize,
    text: String,
}

impl Block {
    fn add(&mut self, line: usize, text: &str) {
        if self.text.is_empty() {
            self.line = line;
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn finish(&mut self, category: &str) -> Option<Asked> {
        let block = std::mem::take(self);
        (!block.text.trim().is_empty()).then(|| question(block.text.trim(), block.line, category))
    }
}

fn question(block: &str, line: usize, category: &str) -> Asked {
    let (name, body) = named(block);
    let mut asked = Asked {
        name: plain(name).text,
        line,
        category: category.to_owned(),
        text: String::new(),
        options: Vec::new(),
        right: BTreeSet::new(),
        multiple: false,
        true_false: false,
        findings: Vec::new(),
    };
    match braces(body) {
        Ok((before, answers, after)) => {
            let after = after.trim();
            // Moodle's "missing word": the answers stand where the word is missing.
            let text = if after.is_empty() { before.to_owned() } else { format!("{before} _____ {after}") };
            asked.text = asked.taken(&text);
            asked.answers(answers);
        }
        Err(code) => {
            asked.text = plain(body).text;
            asked.say(code, "");
        }
    }
    asked
}

/// Name and the rest.
fn named(block: &str) -> (&str, &str) {
    let unnamed = ("", block);
    let Some(rest) = block.strip_prefix("::") else { return unnamed };
    let mut from = 0;
    while let Some(at) = position(&rest[from..], ':').map(|at| at + from) {
        if rest[at + 1..].starts_with(':') {
            return (rest[..at].trim(), rest[at + 2..].trim_start());
        }
        from = at + 1;
    }
    unnamed
}

/// Before, within and after the only pair of braces.
fn braces(body: &str) -> Result<(&str, &str, &str), GiftCode> {
    let (open, close) = (position(body, '{'), position(body, '}'));
    let (open, close) = match (open, close) {
        (None, None) => return Err(GiftCode::NoAnswers),
        (Some(open), Some(close)) if open < close => (open, close),
        _ => return Err(GiftCode::BraceUnpaired),
    };
    let (within, after) = (&body[open + 1..close], &body[close + 1..]);
    if position(within, '{').is_some() {
        return Err(GiftCode::BraceUnpaired);
    }
    match (position(after, '{'), position(after, '}')) {
        (None, None) => Ok((&body[..open], within, after)),
        (Some(_), Some(_)) => Err(GiftCode::SeveralBlanks),
        _ => Err(GiftCode::BraceUnpaired),
    }
}

/// First place of a character that no backslash stands before.
fn position(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if !escaped && character == wanted {
            return Some(at);
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

/// An answer as written: which sign, what weight, what text.
struct Answer<'a> {
    right: bool,
    weight: Option<&'a str>,
    text: &'a str,
}

impl Asked {
    fn say(&mut self, code: GiftCode, detail: impl Into<String>) {
        if self.findings.iter().all(|said| said.code != code) {
            self.findings.push(GiftFinding::new(code, self.line, detail));
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.findings.iter().any(GiftFinding::refuses)
    }

    fn taken(&mut self, raw: &str) -> String {
        let plain = plain(raw);
        if plain.dropped {
            self.say(GiftCode::MarkupDropped, "");
        }
        if let Some(tag) = plain.unknown {
            self.say(GiftCode::MarkupUnknown, tag);
        }
        plain.text
    }

    fn answers(&mut self, within: &str) {
        let within = self.without_feedback(within, "####").trim();
        match within.chars().next() {
            None => self.say(GiftCode::Essay, ""),
            Some('#') => self.say(GiftCode::Numerical, ""),
            Some('=' | '~') => self.choices(within),
            Some(_) => {
                let bare = self.without_feedback(within, "#").trim().to_uppercase();
                match bare.as_str() {
                    "T" | "TRUE" => self.true_or_false(0),
                    "F" | "FALSE" => self.true_or_false(1),
                    _ => self.say(GiftCode::AnswersUnreadable, ""),
                }
            }
        }
    }

    fn true_or_false(&mut self, right: u8) {
        self.true_false = true;
        self.right = BTreeSet::from([right]);
    }

    fn without_feedback<'a>(&mut self, text: &'a str, mark: &str) -> &'a str {
        let mut from = 0;
        while let Some(at) = position(&text[from..], '#').map(|at| at + from) {
            if text[at..].starts_with(mark) && !(from == 0 && at == 0 && mark == "#") {
                self.say(GiftCode::FeedbackDropped, "");
                return &text[..at];
            }
            from = at + 1;
        }
        text
    }

    fn choices(&mut self, within: &str) {
        let answers: Vec<Answer<'_>> = split(within);
        if answers.iter().any(|answer| arrow(answer.text)) {
            return self.say(GiftCode::Matching, "");
        }
        let signed = answers.iter().filter(|answer| answer.right).count();
        if signed == answers.len() {
            return self.say(GiftCode::ShortAnswer, "");
        }
        if signed > 1 {
            return self.say(GiftCode::SeveralRight, "");
        }
        let weights: Vec<Option<f64>> = answers
            .iter()
            .map(|answer| answer.weight.map_or(Some(0.0), |weight| weight.trim().parse().ok()))
            .collect();
        if weights.iter().any(|weight| weight.is_none_or(|weight: f64| !weight.is_finite())) {
            return self.say(GiftCode::AnswersUnreadable, "a weight is no number");
        }
        let counts = |answer: &Answer<'_>, weight: Option<f64>| {
            if signed > 0 { answer.right } else { weight.is_some_and(|weight| weight > 0.0) }
        };
        for (at, (answer, weight)) in (0_u8..=u8::MAX).zip(answers.iter().zip(&weights)) {
            if counts(answer, *weight) {
                self.right.insert(at);
            }
        }
        if self.right.is_empty() {
            return self.say(GiftCode::NothingRight, "");
        }
        let weighted = answers.iter().any(|answer| !answer.right && answer.weight.is_some());
        self.multiple = self.right.len() > 1;
        if weighted && (self.multiple || signed > 0) {
            self.say(GiftCode::PartialCredit, "");
        }
        for answer in answers {
            let text = self.without_feedback(answer.text, "#");
            let text = self.taken(text);
            self.options.push(text);
        }
    }
}

/// An unescaped `->`.
fn arrow(text: &str) -> bool {
    let mut from = 0;
    while let Some(at) = position(&text[from..], '-').map(|at| at + from) {
        if text[at..].starts_with("->") {
            return true;
        }
        from = at + 1;
    }
    false
}

/// By the unescaped signs in front of each answer.
fn split(within: &str) -> Vec<Answer<'_>> {
    let mut starts = Vec::new();
    let mut escaped = false;
    for (at, character) in within.char_indices() {
        if !escaped && matches!(character, '=' | '~') {
            starts.push((at, character));
        }
        escaped = character == '\\' && !escaped;
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([within.len()]);
    let answer = |((at, sign), end): (&(usize, char), usize)| {
        let text = within[at + 1..end].trim();
        let weighed = text.strip_prefix('%').and_then(|rest| rest.split_once('%'));
        let (weight, text) = weighed.map_or((None, text), |(weight, text)| (Some(weight), text));
        Answer { right: *sign == '=', weight, text }
    };
    starts.iter().zip(ends).map(answer).collect()
}

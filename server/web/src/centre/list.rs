//! Lists of candidates as centres have them: CSV out of a spreadsheet, in UTF-8, UTF-16 or Windows-1251.

use super::iin::{birth_date_is_odd, identity};
use crate::form;
use crate::mail::is_mail_address;
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1251};
use std::collections::HashMap;
use std::fmt::Write as _;
use synaq_core::identity::Numbers;
use synaq_core::proctoring::Code as IncidentCode;
use synaq_core::session::Care;
use synaq_core::session::limits::{EXTRA_MAX, REASON_CHARS};
use synaq_core::time::{At, Span};
use synaq_store::{CandidateMore, NewCandidate, ProgrammeRow};
use synaq_wire::centre::Accommodation;
use synaq_wire::limits::CSV_ROWS;
use synaq_wire::problem::{Code, Mistake, Problem};

/// Mistakes named before the rest is only counted: nobody corrects more in one go.
const MISTAKES_MAX: usize = 500;
/// Three times the programme's length.
const PCT_MAX: u16 = 200;
/// In characters; the longest names of the population register have about 120.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=200;

/// A line of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) email: Option<String>,
    pub(super) extra_minutes: u16,
    pub(super) extra_pct: Option<u16>,
    pub(super) switched_off: Vec<String>,
    pub(super) care: Care,
}

impl Line {
    /// Writes it into a row, whose session and key stay.
    pub(super) fn put(self, row: &mut NewCandidate) {
        row.name = self.name;
        row.identity = self.identity;
        row.extra_minutes = self.extra_minutes;
        row.switched_off = self.switched_off;
        row.more = CandidateMore {
            email: self.email,
            extra_pct: self.extra_pct,
            care: self.care,
            replaces: row.more.replaces,
        };
    }
}

/// Minutes of a stored programme, which per cent are of.
pub(super) fn programme_minutes(stored: &ProgrammeRow) -> Result<u16, Code> {
    let (programme, _) = synaq_question_banks::read_programme(&stored.source).map_err(|_| {
        tracing::error!(programme = %stored.id, "a stored programme cannot be read");
        Code::StoreUnavailable
    })?;
    Ok(programme.plan.minutes)
}

/// One candidate out of a form, by the rules of the lists.
pub(super) fn one(
    judge: Judge,
    name: &str,
    identity: &str,
    email: Option<&str>,
    granted: Accommodation,
    minutes: u16,
) -> Result<Line, Problem> {
    // A birth date is only worth a look in lists, so the instant does not matter.
    let mut desk = Desk::new(At(0), minutes, judge);
    let number = |number: u16| if number == 0 { String::new() } else { number.to_string() };
    let fields = Fields {
        name,
        identity,
        email: email.unwrap_or_default(),
        extra: &number(if granted.extra_pct.is_some() { 0 } else { granted.extra_minutes }),
        pct: &granted.extra_pct.map(number).unwrap_or_default(),
        off: &granted.switched_off.join(" "),
        breaks: if granted.breaks { "1" } else { "" },
        hearing: if granted.hearing_aid { "1" } else { "" },
        note: granted.note.as_deref().unwrap_or_default(),
    };
    desk.read(1, &fields);
    let list = desk.finish("utf-8").map_err(by_field)?;
    list.lines.into_iter().next().ok_or_else(|| Problem::new(Code::CsvInvalid))
}

/// What would stand at a line of a list stands at a field of the form.
fn by_field(problem: Problem) -> Problem {
    let field = |code: &str| match code.split('_').next() {
        Some("iin") => "identity",
        Some("email") => "email",
        Some("extra") => "extra",
        Some("note") => "note",
        Some("code") => "off",
        _ => "name",
    };
    let placed = |mistake: Mistake| Mistake { place: field(&mistake.code).to_owned(), ..mistake };
    let mistakes = problem.mistakes.into_iter().map(placed).collect();
    Problem { mistakes, ..Problem::new(Code::FormInvalid) }
}

/// A line's fields as written; what the list has no column for is empty.
struct Fields<'a> {
    name: &'a str,
    identity: &'a str,
    email: &'a str,
    extra: &'a str,
    pct: &'a str,
    off: &'a str,
    breaks: &'a str,
    hearing: &'a str,
    note: &'a str,
}

/// A list that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct List {
    pub(super) lines: Vec<Line>,
    pub(super) encoding: &'static str,
    pub(super) remarks: Vec<Mistake>,
}

/// Reads the whole list, or names every mistake in it.
pub(super) fn read(bytes: &[u8], now: At, minutes: u16, numbers: Numbers) -> Result<List, Problem> {
    let (text, encoding) = decode(bytes)?;
    // The reader takes a line to begin between the two, and every place would be one too small.
    let text = text.replace("\r\n", "\n");
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b';', b'\t', b','].into_iter().max_by_key(|delimiter| {
        let count = first.bytes().filter(|byte| byte == delimiter).count();
        // Of equal counts the comma: only it stands inside texts, and then another one is more frequent.
        (count, *delimiter == b',')
    });
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut desk = Desk::new(now, minutes, Judge::New(numbers));
    let mut columns = None;
    for record in reader.records() {
        let Ok(record) = record else {
            desk.wrong(0, "broken_csv", "a quote is not closed, or the line cannot be read");
            break;
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        match &columns {
            None => match Columns::find(&record) {
                Found::Header(found) => columns = Some(found),
                Found::Data(found) => {
                    desk.read(line, &found.fields(&record));
                    columns = Some(found);
                }
                Found::Nothing => {
                    let detail = "name the columns in the first line: name and iin at least";
                    desk.wrong(line, "columns_unknown", detail);
                    break;
                }
            },
            Some(columns) => desk.read(line, &columns.fields(&record)),
        }
        if desk.lines.len() > CSV_ROWS {
            desk.wrong(line, "too_many_lines", &format!("at most {CSV_ROWS} candidates in one list"));
            break;
        }
    }
    if desk.lines.is_empty() && desk.mistakes.is_empty() {
        desk.wrong(1, "list_empty", "the list has no candidates");
    }
    desk.finish(encoding)
}

/// As text, without a byte order mark. What is no UTF-8 comes from an older spreadsheet.
fn decode(bytes: &[u8]) -> Result<(String, &'static str), Problem> {
    // "Unicode text" of spreadsheets; without a mark, by the zero beside every Latin letter, digit and delimiter.
    let unicode = match bytes {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [_, 0, ..] => Some(UTF_16LE),
        [0, _, ..] => Some(UTF_16BE),
        _ => None,
    };
    if let Some(unicode) = unicode {
        let (text, _, damaged) = unicode.decode(bytes);
        if !damaged && !text.contains('\0') {
            return Ok((text.into_owned(), "utf-16"));
        }
    }
    if unicode.is_some() || bytes.contains(&0) {
        let detail = "the file is no text; save it as CSV in UTF-8";
        return Err(Problem::new(Code::CsvInvalid).detail(detail));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(), "utf-8")),
        Err(_) => Ok((WINDOWS_1251.decode_without_bom_handling(bytes).0.into_owned(), "windows-1251")),
    }
}

struct Columns {
    name: usize,
    iin: usize,
    extra: Option<usize>,
    off: Option<usize>,
    email: Option<usize>,
    pct: Option<usize>,
    breaks: Option<usize>,
    hearing: Option<usize>,
    note: Option<usize>,
}

enum Found {
    Header(Columns),
    /// No names, but a number where one is expected
    Data(Columns),
    Nothing,
}

const NAME: &[&str] = &[
    "name",
    "full name",
    "candidate",
    "фио",
    "ф и о",
    "кандидат",
    "аты жөні",
    "таж",
    "тегі аты әкесінің аты",
    "үміткер",
];
const IIN: &[&str] = &["iin", "иин", "жсн", "document", "документ", "құжат", "identity", "иин документ"];
const EXTRA: &[&str] = &[
    "extra minutes",
    "extra",
    "minutes",
    "доп минуты",
    "дополнительные минуты",
    "доп время",
    "қосымша минут",
    "қосымша минуттар",
    "қосымша уақыт",
];
const OFF: &[&str] = &[
    "switched off",
    "switched off codes",
    "off",
    "отключено",
    "отключить",
    "отключенные коды",
    "өшірілген",
    "өшірілген кодтар",
];

const EMAIL: &[&str] = &[
    "email",
    "e mail",
    "mail",
    "почта",
    "эл почта",
    "электронная почта",
    "пошта",
    "эл пошта",
    "электрондық пошта",
];
const PCT: &[&str] = &[
    "extra percent",
    "extra pct",
    "percent",
    "доп процент",
    "доп проценты",
    "процент времени",
    "қосымша пайыз",
    "уақыт пайызы",
];
const BREAKS: &[&str] = &["breaks", "перерывы", "перерыв", "үзіліс", "үзілістер"];
const HEARING: &[&str] = &["hearing aid", "слуховой аппарат", "есту аппараты"];
const NOTE: &[&str] = &["note", "примечание", "заметка", "ескертпе", "ескерту"];

impl Columns {
    fn fields<'r>(&self, record: &'r csv::StringRecord) -> Fields<'r> {
        let field = |column: usize| record.get(column).unwrap_or_default();
        let maybe = |column: Option<usize>| column.map_or("", field);
        Fields {
            name: field(self.name),
            identity: field(self.iin),
            email: maybe(self.email),
            extra: maybe(self.extra),
            pct: maybe(self.pct),
            off: maybe(self.off),
            breaks: maybe(self.breaks),
            hearing: maybe(self.hearing),
            note: maybe(self.note),
        }
    }

    fn find(record: &csv::StringRecord) -> Found {
        let headers: Vec<String> = record.iter().map(plain).collect();
        let of = |names: &[&str]| headers.iter().position(|header| names.contains(&header.as_str()));
        match (of(NAME), of(IIN)) {
            (Some(name), Some(iin)) => Found::Header(Self {
                name,
                iin,
                extra: of(EXTRA),
                off: of(OFF),
                email: of(EMAIL),
                pct: of(PCT),
                breaks: of(BREAKS),
                hearing: of(HEARING),
                note: of(NOTE),
            }),
            _ if record.get(1).is_some_and(|second| identity(second, Numbers::WithTest).is_ok()) => {
                let none = None;
                let (extra, off) = (Some(2), Some(3));
                Found::Data(Self {
                    name: 0,
                    iin: 1,
                    extra,
                    off,
                    email: none,
                    pct: none,
                    breaks: none,
                    hearing: none,
                    note: none,
                })
            }
            _ => Found::Nothing,
        }
    }
}

const fn is_cyrillic(at: char) -> bool {
    matches!(at, '\u{400}'..='\u{52f}')
}

const fn is_latin(at: char) -> bool {
    matches!(at, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Accents that stand behind their letter.
const fn is_mark(at: char) -> bool {
    matches!(at, '\u{300}'..='\u{36f}' | '\u{2bb}'..='\u{2bd}')
}

/// Lower case, letters and digits, single spaces.
fn plain(header: &str) -> String {
    let lower = header.to_lowercase().replace('ё', "е");
    let words = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// How numbers are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Judge {
    /// Of somebody new
    New(Numbers),
    /// Of somebody who is in the sitting: it was judged then, and stays
    Known,
}

struct Desk {
    now: At,
    judge: Judge,
    /// Of the programme
    minutes: u16,
    lines: Vec<Line>,
    seen: HashMap<String, u64>,
    mistakes: Vec<Mistake>,
    left_out: usize,
    remarks: Vec<Mistake>,
}

impl Desk {
    fn new(now: At, minutes: u16, judge: Judge) -> Self {
        Self {
            now,
            judge,
            minutes,
            lines: Vec::new(),
            seen: HashMap::new(),
            mistakes: Vec::new(),
            left_out: 0,
            remarks: Vec::new(),
        }
    }

    fn read(&mut self, line: u64, fields: &Fields<'_>) {
        let name = self.name(line, fields.name);
        let identity = self.identity(line, fields.identity);
        let email = self.email(line, fields.email);
        let (extra_minutes, extra_pct) = self.time(line, fields);
        let mut switched_off = self.codes(line, fields.off);
        let care = Care {
            breaks: self.said(line, fields.breaks),
            hearing_aid: self.said(line, fields.hearing),
            note: self.note(line, fields.note),
        };
        let aid = IncidentCode::Headphones.name();
        if care.hearing_aid && !switched_off.iter().any(|code| code == aid) {
            switched_off.push(aid.to_owned());
        }
        if let (Some(name), Some(identity)) = (name, identity) {
            self.lines.push(Line { name, identity, email, extra_minutes, extra_pct, switched_off, care });
        }
    }

    fn email(&mut self, line: u64, text: &str) -> Option<String> {
        let text = form::plain(text);
        if text.is_empty() {
            return None;
        }
        if !is_mail_address(&text) {
            self.wrong(line, "email", "write one address, as name@example.kz");
            return None;
        }
        Some(text)
    }

    /// Minutes, or so many per cent of the programme's.
    fn time(&mut self, line: u64, fields: &Fields<'_>) -> (u16, Option<u16>) {
        let (minutes, pct) = (fields.extra.trim(), fields.pct.trim().trim_end_matches('%').trim());
        if pct.is_empty() || pct == "0" {
            return (self.extra(line, minutes), None);
        }
        if !minutes.is_empty() && minutes != "0" {
            self.wrong(line, "extra_twice", "give the extra time in minutes or in per cent, not both");
        }
        match pct.parse::<u16>() {
            Ok(pct) if pct <= PCT_MAX => {
                let extra = (u32::from(self.minutes) * u32::from(pct)).div_ceil(100);
                let most = u16::try_from(EXTRA_MAX.0 / Span::mins(1).0).unwrap_or(u16::MAX);
                (u16::try_from(extra).unwrap_or(most).min(most), Some(pct))
            }
            _ => {
                self.wrong(line, "extra_pct", &format!("per cent are a whole number from 0 to {PCT_MAX}"));
                (0, None)
            }
        }
    }

    fn said(&mut self, line: u64, text: &str) -> bool {
        match text.trim().to_lowercase().as_str() {
            "" | "0" | "-" | "no" | "false" | "нет" | "жоқ" => false,
            "1" | "+" | "x" | "х" | "v" | "yes" | "true" | "да" | "иә" | "бар" | "ия" => true,
            _ => {
                self.wrong(line, "yes_or_no", "write yes or no");
                false
            }
        }
    }

    fn note(&mut self, line: u64, text: &str) -> Option<String> {
        let text = form::plain_lines(text);
        if text.chars().count() > REASON_CHARS || text.chars().any(|at| at.is_control() && at != '\n') {
            self.wrong(line, "note_length", &format!("a note has at most {REASON_CHARS} characters"));
        }
        (!text.is_empty()).then_some(text)
    }

    fn name(&mut self, line: u64, text: &str) -> Option<String> {
        let name = form::plain(text);
        if !NAME_CHARS.contains(&name.chars().count()) {
            self.wrong(line, "name_length", "a name has 2 to 200 characters");
            return None;
        }
        // A spreadsheet that opens our lists again would run such a name.
        let odd = |at: char| !(at.is_alphanumeric() || "-‐‑–'’ʼ`.,()/ ?\u{fffd}".contains(at) || is_mark(at));
        if name.starts_with(['=', '+', '-', '@']) || name.chars().any(odd) {
            self.wrong(line, "name_characters", "a name consists of letters, spaces and hyphens");
            return None;
        }
        // LAW: names stand in kk or ru, and in Latin letters where the document is foreign.
        let letters = || name.chars().filter(|at| at.is_alphabetic() && !is_mark(*at));
        if letters().any(|at| !is_cyrillic(at) && !is_latin(at)) {
            self.wrong(
                line,
                "name_alphabet",
                "write the name in Cyrillic or Latin letters, as in the document",
            );
            return None;
        }
        let mixed = |word: &str| {
            word.chars().any(is_cyrillic) && word.chars().any(|at| at.is_alphabetic() && is_latin(at))
        };
        if name.split([' ', '-']).any(mixed) {
            self.remark(
                line,
                "name_mixed",
                "Cyrillic and Latin letters stand in one word; they may only look alike",
            );
        }
        if name.contains(['?', '\u{fffd}']) {
            self.remark(line, "name_letters_lost", "letters seem lost; save the list in UTF-8");
        }
        Some(name)
    }

    fn identity(&mut self, line: u64, text: &str) -> Option<String> {
        let Judge::New(numbers) = self.judge else { return Some(text.to_owned()) };
        let identity = match identity(text, numbers) {
            Ok(identity) => identity,
            Err(error) => {
                self.wrong(line, error.code(), &error.to_string());
                return None;
            }
        };
        if let Some(first) = self.seen.insert(identity.clone(), line) {
            self.wrong(line, "iin_repeated", &format!("the same number stands in line {first}"));
            return None;
        }
        if !identity.contains(':') && birth_date_is_odd(&identity, self.now) {
            self.remark(line, "iin_birth_date", "the first digits are no usual birth date; that is allowed");
        }
        Some(identity)
    }

    fn extra(&mut self, line: u64, text: &str) -> u16 {
        let most = EXTRA_MAX.0 / Span::mins(1).0;
        match text {
            "" => 0,
            text => match text.parse::<u16>() {
                Ok(minutes) if i64::from(minutes) <= most => minutes,
                _ => {
                    self.wrong(
                        line,
                        "extra_minutes",
                        &format!("extra minutes are a whole number from 0 to {most}"),
                    );
                    0
                }
            },
        }
    }

    fn codes(&mut self, line: u64, text: &str) -> Vec<String> {
        let mut codes = Vec::new();
        for word in text.split([' ', ',', '|', '+', '/']).filter(|word| !word.is_empty()) {
            match word.to_uppercase().parse::<IncidentCode>() {
                Ok(code) if !codes.iter().any(|known| known == code.name()) => {
                    codes.push(code.name().to_owned())
                }
                Ok(_) => {}
                Err(_) => self.wrong(line, "code_unknown", "an incident code is not in the catalogue"),
            }
        }
        codes
    }

    fn wrong(&mut self, line: u64, code: &str, detail: &str) {
        if self.mistakes.len() >= MISTAKES_MAX {
            self.left_out += 1;
            return;
        }
        self.mistakes.push(Mistake {
            place: format!("line {line}"),
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
    }

    fn remark(&mut self, line: u64, code: &str, detail: &str) {
        if self.remarks.len() < MISTAKES_MAX {
            self.remarks.push(Mistake {
                place: format!("line {line}"),
                code: code.to_owned(),
                detail: detail.to_owned(),
            });
        }
    }

    fn finish(self, encoding: &'static str) -> Result<List, Problem> {
        if self.mistakes.is_empty() {
            return Ok(List { lines: self.lines, encoding, remarks: self.remarks });
        }
        let mut detail = format!("{} mistakes, nobody was added", self.mistakes.len());
        if self.left_out > 0 {
            write!(detail, "; {} more are not listed", self.left_out)
                .expect("writing to a String cannot fail");
        }
        Err(Problem { mistakes: self.mistakes, ..Problem::new(Code::CsvInvalid).detail(detail) })
    }
}

#[cfg(test)]
mod tests;

//! Lists of candidates as centres have them: CSV out of a spreadsheet, in UTF-8 or Windows-1251.

use super::iin::{birth_date_is_odd, identity};
use encoding_rs::WINDOWS_1251;
use std::collections::HashMap;
use std::fmt::Write as _;
use synaq_core::proctoring::Code as IncidentCode;
use synaq_core::session::limits::EXTRA_MAX;
use synaq_core::time::{At, Span};
use synaq_wire::limits::CSV_ROWS;
use synaq_wire::problem::{Code, Mistake, Problem};

/// Mistakes named before the rest is only counted: nobody corrects more in one go.
const MISTAKES_MAX: usize = 500;
/// In characters; the longest names of the population register have about 120.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=200;

/// A line of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) extra_minutes: u16,
    pub(super) switched_off: Vec<String>,
}

/// A list that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct List {
    pub(super) lines: Vec<Line>,
    pub(super) encoding: &'static str,
    pub(super) remarks: Vec<Mistake>,
}

/// Reads the whole list, or names every mistake in it.
pub(super) fn read(bytes: &[u8], now: At) -> Result<List, Problem> {
    let (text, encoding) = decode(bytes)?;
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
    let mut desk = Desk::new(now);
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
                    desk.read(line, &record, &found);
                    columns = Some(found);
                }
                Found::Nothing => {
                    let detail = "name the columns in the first line: name and iin at least";
                    desk.wrong(line, "columns_unknown", detail);
                    break;
                }
            },
            Some(columns) => desk.read(line, &record, columns),
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
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        let detail = "the file is UTF-16 or no text; save it as CSV in UTF-8";
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

impl Columns {
    fn find(record: &csv::StringRecord) -> Found {
        let headers: Vec<String> = record.iter().map(plain).collect();
        let of = |names: &[&str]| headers.iter().position(|header| names.contains(&header.as_str()));
        match (of(NAME), of(IIN)) {
            (Some(name), Some(iin)) => Found::Header(Self { name, iin, extra: of(EXTRA), off: of(OFF) }),
            _ if record.get(1).is_some_and(|second| identity(second).is_ok()) => {
                Found::Data(Self { name: 0, iin: 1, extra: Some(2), off: Some(3) })
            }
            _ => Found::Nothing,
        }
    }
}

/// Lower case, letters and digits, single spaces.
fn plain(header: &str) -> String {
    let lower = header.to_lowercase().replace('ё', "е");
    let words = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

struct Desk {
    now: At,
    lines: Vec<Line>,
    seen: HashMap<String, u64>,
    mistakes: Vec<Mistake>,
    left_out: usize,
    remarks: Vec<Mistake>,
}

impl Desk {
    fn new(now: At) -> Self {
        Self {
            now,
            lines: Vec::new(),
            seen: HashMap::new(),
            mistakes: Vec::new(),
            left_out: 0,
            remarks: Vec::new(),
        }
    }

    fn read(&mut self, line: u64, record: &csv::StringRecord, columns: &Columns) {
        let field = |column: usize| record.get(column).unwrap_or_default();
        let name = self.name(line, field(columns.name));
        let identity = self.identity(line, field(columns.iin));
        let extra_minutes = self.extra(line, columns.extra.map_or("", field));
        let switched_off = self.codes(line, columns.off.map_or("", field));
        if let (Some(name), Some(identity)) = (name, identity) {
            self.lines.push(Line { name, identity, extra_minutes, switched_off });
        }
    }

    fn name(&mut self, line: u64, text: &str) -> Option<String> {
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !NAME_CHARS.contains(&name.chars().count()) {
            self.wrong(line, "name_length", "a name has 2 to 200 characters");
            return None;
        }
        // A spreadsheet that opens our lists again would run such a name.
        if name.starts_with(['=', '+', '-', '@'])
            || name.chars().any(|at| at.is_control() || "<>".contains(at))
        {
            self.wrong(line, "name_characters", "a name consists of letters, spaces and hyphens");
            return None;
        }
        if name.contains(['?', '\u{fffd}']) {
            self.remark(line, "name_letters_lost", "letters seem lost; save the list in UTF-8");
        }
        Some(name)
    }

    fn identity(&mut self, line: u64, text: &str) -> Option<String> {
        let identity = match identity(text) {
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
mod tests {
    use super::*;
    use crate::tests::START;

    fn codes(text: &[u8]) -> Vec<(String, String)> {
        let problem = read(text, START).unwrap_err();
        assert_eq!(problem.code, Code::CsvInvalid);
        problem.mistakes.into_iter().map(|mistake| (mistake.place, mistake.code)).collect()
    }

    #[test]
    fn lists_come_in_three_languages_three_delimiters_and_two_encodings() {
        let utf8 = "\u{feff}Аты-жөні;ЖСН;Қосымша минут\r\nӘлия Сәрсенова;123456789013;30\r\n";
        let tabs = "iin\tfull name\n123456789013\tAliya Sarsenova\n";
        let list = read(utf8.as_bytes(), START).unwrap();
        assert_eq!((list.encoding, list.lines[0].extra_minutes), ("utf-8", 30));
        assert_eq!(list.lines[0].name, "Әлия Сәрсенова");
        assert_eq!(read(tabs.as_bytes(), START).unwrap().lines[0].name, "Aliya Sarsenova");
        let (cp1251, _, lost) = WINDOWS_1251.encode("Ф.И.О.,ИИН\n\"Иванов, Пётр\",123456789013\n");
        assert!(!lost);
        let list = read(&cp1251, START).unwrap();
        assert_eq!((list.encoding, list.lines[0].name.as_str()), ("windows-1251", "Иванов, Пётр"));
    }

    #[test]
    fn a_pasted_list_without_names_of_columns_is_understood() {
        let list = read(
            "Иванов Пётр,123456789013\nAda Lovelace,PASSPORT:AB123456,60,HEADPHONES\n".as_bytes(),
            START,
        );
        let lines = list.unwrap().lines;
        assert_eq!(lines[0].identity, "123456789013");
        assert_eq!(
            (lines[1].extra_minutes, lines[1].switched_off.as_slice()),
            (60, &["HEADPHONES".to_owned()][..])
        );
    }

    #[test]
    fn every_line_with_a_mistake_is_named() {
        let list = "name,iin,extra minutes,off\n\
                    A B,123456789013,0,\n\
                    C D,123456789013,0,\n\
                    E F,12345678901,0,\n\
                    =cmd(),123456789025,0,\n\
                    G H,PASSPORT:X1234,9999,NO_SUCH\n";
        let expected = [
            ("line 3", "iin_repeated"),
            ("line 4", "iin_length"),
            ("line 5", "name_characters"),
            ("line 6", "extra_minutes"),
            ("line 6", "code_unknown"),
        ];
        let expected: Vec<_> = expected.map(|(place, code)| (place.to_owned(), code.to_owned())).into();
        assert_eq!(codes(list.as_bytes()), expected);
    }

    #[test]
    fn what_is_no_list_is_refused_as_such() {
        assert_eq!(codes(b"")[0].1, "list_empty");
        assert_eq!(codes(b"a,b\nc,d\n")[0].1, "columns_unknown");
        assert_eq!(codes(b"name,iin\n")[0].1, "list_empty");
        assert!(codes(b"\xff\xfen\x00").is_empty());
        assert!(read(&[0x80; 64], START).is_err());
    }
}

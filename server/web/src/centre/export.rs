//! The list of results as a file: CSV, or a workbook with text, numbers and dates and never a formula.

use super::Audit;
use super::asked::Asked;
use super::results::{Register, SEALED};
use crate::auth::who::Who;
use crate::problem::Refused;
use crate::query::Query;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};
use std::borrow::Cow;
use synaq_core::time::{At, Span as Time};
use synaq_exam_client::CentreWords;
use synaq_store::{STATES, Span};
use synaq_wire::candidate::Lang;
use synaq_wire::centre::ResultRow;
use synaq_wire::limits::EXPORT_ROWS;
use synaq_wire::problem::{Code, Problem};

/// The law's clock (+05:00).
const OFFSET: Time = Time::mins(5 * 60);
/// In characters, by column.
const WIDTHS: [u8; 11] = [34, 10, 28, 34, 24, 26, 10, 12, 16, 18, 22];
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What is in the list of results, whatever page is shown.
pub(crate) async fn results(
    State(register): State<Register>,
    State(audit): State<Audit>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<Response, Refused> {
    file(&register, &audit, &asked, &who, &STATES).await
}

/// The same of the commission's list.
pub(crate) async fn records(
    State(register): State<Register>,
    State(audit): State<Audit>,
    Query(asked): Query<Asked>,
    who: Who,
) -> Result<Response, Refused> {
    file(&register, &audit, &asked, &who, &SEALED).await
}

async fn file(
    register: &Register,
    audit: &Audit,
    asked: &Asked,
    who: &Who,
    states: &[&str],
) -> Result<Response, Refused> {
    let kind = match asked.format.as_deref() {
        Some("xlsx") => Kind::Workbook,
        Some("csv") | None => Kind::Csv,
        Some(_) => return Err(Problem::new(Code::BodyMalformed).detail("format is csv or xlsx").into()),
    };
    let mut wanted = asked.results(states)?;
    wanted.span = Span { offset: 0, limit: EXPORT_ROWS };
    let page = register.page(who.staff.centre, &wanted).await?;
    if page.found > EXPORT_ROWS {
        let detail = format!("a file has at most {EXPORT_ROWS} rows: search, or choose one sitting");
        return Err(Problem::new(Code::OutOfLimits).detail(detail).into());
    }
    // Names leave the house with it.
    audit.note(who, "results_exported", format!("{} {}", kind.ending(), page.found)).await?;
    let lang = asked.lang.unwrap_or(Lang::Kk);
    let made = tokio::task::spawn_blocking(move || kind.make(&page.rows, lang)).await;
    let bytes = made.map_err(|_| Code::Internal)?.map_err(|error| {
        tracing::error!(%error, "the list of results does not make a file");
        Refused::from(Code::Internal)
    })?;
    let name = format!("attachment; filename=\"synaq-results.{}\"", kind.ending());
    let name = HeaderValue::from_str(&name).expect("a name of ours is header text");
    let media_type = HeaderValue::from_static(kind.media_type());
    Ok(([(CONTENT_TYPE, media_type), (CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// Which file.
#[derive(Clone, Copy)]
enum Kind {
    Csv,
    Workbook,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
enum NotMade {
    #[error("CSV: {0}")]
    Csv(String),
    #[error("workbook: {0}")]
    Workbook(#[from] XlsxError),
}

impl Kind {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Workbook => "xlsx",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Workbook => XLSX,
        }
    }

    fn make(self, rows: &[ResultRow], lang: Lang) -> Result<Vec<u8>, NotMade> {
        let words = Words::new(lang);
        match self {
            Self::Csv => csv(rows, &words),
            Self::Workbook => Ok(workbook(rows, &words)?),
        }
    }
}

/// A cell: what it is, not how it looks.
enum Cell<'r> {
    Text(Cow<'r, str>),
    Number(u32),
    Moment(At),
    Empty,
}

/// Words of the centre's page.
struct Words {
    lang: Lang,
    all: CentreWords,
}

impl Words {
    fn new(lang: Lang) -> Self {
        Self {
            lang,
            all: synaq_exam_client::centre_words(match lang {
                Lang::Kk => "kk",
                Lang::Ru => "ru",
                Lang::En => "en",
            }),
        }
    }

    fn word(&self, group: &str, key: &str) -> String {
        self.all.get(&format!("{group}.{key}")).map_or_else(|| key.to_owned(), Clone::clone)
    }

    fn heads(&self) -> [String; WIDTHS.len()] {
        [
            ("sitting", "name"),
            ("sitting", "number"),
            ("results", "sitting"),
            ("sittings", "programme"),
            ("results", "state"),
            ("results", "outcome"),
            ("results", "correct"),
            ("programmes", "questions"),
            ("results", "warnings"),
            ("results", "finished"),
            ("results", "delivery"),
        ]
        .map(|(group, key)| self.word(group, key))
    }

    fn cells<'r>(&self, row: &'r ResultRow) -> [Cell<'r>; WIDTHS.len()] {
        let summary = &row.summary;
        let text = |text: &'r str| Cell::Text(text.into());
        let known = |group: &str, key: &Option<String>| {
            key.as_ref().map_or(Cell::Empty, |key| Cell::Text(self.word(group, key).into()))
        };
        let number = |number: Option<u16>| number.map_or(Cell::Empty, |number| Cell::Number(number.into()));
        let mut state = self.word("state", &summary.state);
        if row.voided {
            state = format!("{state}, {}", self.word("results", "voided"));
        }
        [
            text(&row.name),
            text(&row.id_hint),
            text(&row.sitting),
            text(match self.lang {
                Lang::Kk => &row.programme.kk,
                Lang::Ru | Lang::En => &row.programme.ru,
            }),
            Cell::Text(state.into()),
            known("outcome", &summary.outcome),
            number(summary.correct),
            number(summary.total),
            Cell::Number(summary.warnings),
            summary.finished_at.map_or(Cell::Empty, |at| Cell::Moment(At(at))),
            known("delivery", &summary.delivery),
        ]
    }
}

/// RFC 4180, with semicolons as spreadsheets of this country expect and the mark by which they know UTF-8.
fn csv(rows: &[ResultRow], words: &Words) -> Result<Vec<u8>, NotMade> {
    let mut file = csv::WriterBuilder::new()
        .delimiter(b';')
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{FEFF}".as_bytes().to_vec());
    let failed = |error: csv::Error| NotMade::Csv(error.to_string());
    file.write_record(words.heads()).map_err(failed)?;
    for row in rows {
        let cells = words.cells(row).map(|cell| match cell {
            Cell::Text(text) => inert(&text),
            Cell::Number(number) => number.to_string(),
            Cell::Moment(at) => crate::mail::moment(at),
            Cell::Empty => String::new(),
        });
        file.write_record(cells).map_err(failed)?;
    }
    file.into_inner().map_err(|error| NotMade::Csv(error.to_string()))
}

/// A leading =, +, -, @, tab or return would be run as a formula when the file is opened (OWASP, CSV injection); full-width
/// forms of them are read like the plain ones.
fn inert(text: &str) -> String {
    const RUN: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    if text.starts_with(RUN) { format!("'{text}") } else { text.to_owned() }
}

fn workbook(rows: &[ResultRow], words: &Words) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let (head, moment) = (Format::new().set_bold(), Format::new().set_num_format("dd.mm.yyyy hh:mm"));
    let sheet = book.add_worksheet().set_name("Synaq")?.set_freeze_panes(1, 0)?;
    for (column, (title, width)) in (0_u16..).zip(words.heads().into_iter().zip(WIDTHS)) {
        sheet.set_column_width(column, width)?.write_string_with_format(0, column, title, &head)?;
    }
    for (number, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(words.cells(row)) {
            match cell {
                // Always a string, whatever it begins with: `write` would look for formulas.
                Cell::Text(text) => sheet.write_string(number, column, text)?,
                Cell::Number(count) => sheet.write_number(number, column, count)?,
                Cell::Moment(at) => {
                    let local = ExcelDateTime::from_timestamp((at + OFFSET).0.div_euclid(1_000))?;
                    sheet.write_datetime_with_format(number, column, local, &moment)?
                }
                Cell::Empty => continue,
            };
        }
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read as _};
    use synaq_wire::candidate::Text;
    use synaq_wire::centre::SessionSummary;

    fn row(name: &str) -> ResultRow {
        ResultRow {
            session: uuid::Uuid::from_u128(1),
            name: name.to_owned(),
            id_hint: "0012".to_owned(),
            sitting: "@SUM(1)".to_owned(),
            programme: Text { kk: "Аспаз".to_owned(), ru: "Повар".to_owned() },
            voided: true,
            summary: SessionSummary {
                state: "sealed".to_owned(),
                finish: None,
                outcome: Some("passed".to_owned()),
                correct: Some(31),
                total: Some(40),
                warnings: 1,
                started_at: None,
                // 20.11.2026, 14:30 at +05:00
                finished_at: Some(1_795_167_000_000),
                delivery: None,
            },
        }
    }

    const DANGEROUS: [&str; 5] = ["=1+1", "+7 701", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://x\";\"y\")"];

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text_in_csv() {
        let rows: Vec<_> = DANGEROUS.iter().map(|name| row(name)).collect();
        let file = String::from_utf8(Kind::Csv.make(&rows, Lang::Ru).unwrap()).unwrap();
        let mut lines = file.strip_prefix('\u{FEFF}').unwrap().split("\r\n");
        assert!(lines.next().unwrap().contains(";\"Этап теории\";"), "{file}");
        for (line, name) in lines.zip(DANGEROUS) {
            let expected = format!("\"'{}\";\"0012\";\"'@SUM(1)\";\"Повар\";", name.replace('"', "\"\""));
            assert!(line.starts_with(&expected), "{line}");
            assert!(line.contains("\"31\";\"40\";\"1\";\"20.11.2026, 14:30\";\"\""), "{line}");
        }
    }

    fn part(file: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text_in_a_workbook() {
        let rows: Vec<_> = DANGEROUS.iter().map(|name| row(name)).collect();
        let file = Kind::Workbook.make(&rows, Lang::Kk).unwrap();
        let sheet = part(&file, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f>") && !sheet.contains("<hyperlink"), "{sheet}");
        let texts = part(&file, "xl/sharedStrings.xml");
        for name in DANGEROUS {
            let escaped = name.replace('&', "&amp;").replace('"', "&quot;");
            assert!(
                texts.contains(&format!("<t>{name}</t>")) || texts.contains(&format!("<t>{escaped}</t>")),
                "{texts}"
            );
        }
        assert!(texts.contains("<t>Аспаз</t>") && texts.contains("<t>0012</t>"), "{texts}");
        // Numbers are numbers: no `t="s"`.
        assert!(sheet.contains("<v>31</v>") && sheet.contains("<c r=\"G2\"><v>31</v>"), "{sheet}");
    }

    #[test]
    fn heads_and_states_are_those_of_the_page_in_every_language() {
        for (lang, head, state) in [
            (Lang::Kk, "Теория кезеңі", "мөрленді, "),
            (Lang::Ru, "Этап теории", "запечатан, "),
            (Lang::En, "Theory stage", "sealed, "),
        ] {
            let file = String::from_utf8(Kind::Csv.make(&[row("A")], lang).unwrap()).unwrap();
            assert!(file.contains(&format!("\"{head}\"")) && file.contains(state), "{file}");
            assert!(!file.contains("results.") && !file.contains("voided"), "{file}");
        }
    }
}

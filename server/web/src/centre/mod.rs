//! The centre's side: banks, programmes, sittings, results. Everything asked for names the centre of the sign-in; what
//! another centre owns is not found.

mod arrange;
mod asked;
mod attempt;
mod audit;
mod banks;
mod bundle;
mod candidate;
mod candidates;
mod clock;
mod compose;
mod evidence;
mod export;
mod figures;
mod gift;
mod iin;
mod keeping;
mod letters;
mod library;
mod list;
pub(crate) mod log;
mod overview;
pub(crate) mod people;
pub(crate) mod profile;
mod programmes;
mod recording;
mod results;
mod session;
mod sitting;
mod sittings;
mod stills;

pub(crate) use attempt::void as void_attempt;
pub(crate) use audit::Audit;
pub(crate) use banks::{import as import_bank, list as banks, show as bank};
pub(crate) use bundle::download as bundle;
pub(crate) use candidate::{change as change_candidate, show as candidate, withdraw as withdraw_candidate};
pub(crate) use candidates::{add as add_candidates, add_one as add_candidate};
pub(crate) use clock::show as clock;
pub(crate) use compose::{compose as compose_programme, show as programme};
pub(crate) use evidence::{ranged, show as evidence};
pub(crate) use export::{records as export_records, results as export_results};
pub(crate) use figures::show as figures;
pub(crate) use gift::import as import_gift;
pub(crate) use keeping::{lift as lift_hold, place as place_hold};
pub(crate) use letters::{Links, list as exam_letters, send as send_links};
pub(crate) use library::Library;
pub(crate) use overview::show as overview;
pub(crate) use programmes::{import as import_programme, list as programmes};
pub(crate) use recording::show as recording;
pub(crate) use results::{Register, list as results, records};
pub(crate) use session::show as session;
pub(crate) use sitting::{cancel as cancel_sitting, change as change_sitting};
pub(crate) use sittings::{create as create_sitting, list as sittings, show as sitting};
pub(crate) use stills::show as still;

use synaq_question_banks::{ImportError, Problem as Found};
use synaq_wire::problem::{Code, Mistake, Problem};

/// The content types of TOML files: browsers know none for it.
const TOML_TYPES: &[&str] = &["application/toml", "text/plain", "application/octet-stream"];

/// What a reader found, as the wire has it.
fn mistake(found: &Found) -> Mistake {
    let place = found.question.clone().unwrap_or_else(|| format!("line {}", found.line));
    let field = if found.field.is_empty() { String::new() } else { format!("{}: ", found.field) };
    let detail = if found.detail.is_empty() { String::new() } else { format!("{}. ", found.detail) };
    Mistake {
        place,
        code: found.code.to_string(),
        detail: format!("line {}: {field}{detail}{}", found.line, found.advice),
    }
}

/// A refused file as a problem with every mistake.
fn refused_file(error: &ImportError, code: Code) -> Problem {
    let mistakes = match error {
        ImportError::Refused(report) => report.errors().map(mistake).collect(),
        ImportError::BrokenToml(errors) => {
            let broken = |error: &synaq_question_banks::SyntaxError| Mistake {
                place: format!("line {}", error.line),
                code: "broken_toml".to_owned(),
                detail: format!("column {}: {}. {}", error.column, error.message, error.hint),
            };
            errors.iter().map(broken).collect()
        }
        ImportError::TooLarge { .. } | ImportError::NotUtf8 { .. } => Vec::new(),
    };
    Problem { mistakes, ..Problem::new(code).detail(error.to_string()) }
}

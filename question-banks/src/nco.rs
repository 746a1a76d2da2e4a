//! Codes of the National Classifier of Occupations (НК РК 01-2017).

use crate::desk::{Desk, shortened};
use crate::problem::ProblemCode;
use crate::table::Table;

/// Reads a required classifier code: `7512`, `7512-1` or `7512-1-003` (F-38: initial group, occupation group,
/// and the longer form of the register).
pub(crate) fn check_nco_code(desk: &mut Desk, table: &Table<'_>, name: &str) -> Option<String> {
    if !table.has(name) {
        desk.report(&table.place_of(name), ProblemCode::FieldMissing, "");
        return None;
    }
    let (code, place) = table.word(desk, name)?;
    if !is_nco_code(code) {
        let detail = format!("found {:?}, expected 7512, 7512-1 or 7512-1-003", shortened(code));
        desk.report(&place, ProblemCode::ValueUnknown, detail);
    }
    Some(code.to_owned())
}

/// Whether it is a code of the national classifier of occupations: `7512`, `7512-1`, `7512-1-003`.
#[must_use]
pub fn is_nco_code(code: &str) -> bool {
    let mut parts = code.split('-');
    let group = parts.next().is_some_and(|part| is_digits(part, 4));
    let occupation = parts.next().is_none_or(|part| is_digits(part, 1));
    let register = parts.next().is_none_or(|part| is_digits(part, 3));
    group && occupation && register && parts.next().is_none()
}

fn is_digits(part: &str, count: usize) -> bool {
    part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_nco_code;

    #[test]
    fn the_three_forms_of_the_classifier_are_codes_and_nothing_else() {
        for code in ["7512", "7512-1", "7512-1-003"] {
            assert!(is_nco_code(code), "{code}");
        }
        for code in ["", "751", "75122", "7512-", "7512-12", "7512-1-03", "7512-1-003-1", "x512", "7512-1-"] {
            assert!(!is_nco_code(code), "{code}");
        }
    }
}

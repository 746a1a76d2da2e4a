//! Numbers a candidate is known by: an IIN, or a foreign document.

use crate::form::is_invisible;
use synaq_core::identity::Numbers;
use synaq_core::time::At;

/// Country or kind, a colon, the document's number: `UZB:AB1234567`, `PASSPORT:AB1234567`.
const DOCUMENT_CHARS: std::ops::RangeInclusive<usize> = 3..=40;

/// What is wrong with a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum BadIdentity {
    #[error("the number is missing")]
    Missing,
    #[error(
        "an IIN has 12 digits, this one {0}; spreadsheets drop leading zeros, so format the column as text"
    )]
    Length(usize),
    #[error("the last digit does not fit the others; look for a mistyped digit")]
    CheckDigit,
    #[error("write 12 digits, or a foreign document as PASSPORT:number or the country's letters and :number")]
    Shape,
}

impl BadIdentity {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Missing => "iin_missing",
            Self::Length(_) => "iin_length",
            Self::CheckDigit => "iin_check_digit",
            Self::Shape => "iin_shape",
        }
    }
}

/// The number without spaces, checked.
pub(super) fn identity(text: &str, numbers: Numbers) -> Result<String, BadIdentity> {
    let ours =
        |character: &char| !character.is_whitespace() && !is_invisible(*character) && *character != '\'';
    let bare: String = text.chars().filter(ours).collect();
    if bare.is_empty() {
        return Err(BadIdentity::Missing);
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        if bare.len() != 12 {
            return Err(BadIdentity::Length(bare.len()));
        }
        return if numbers.takes(&bare) { Ok(bare) } else { Err(BadIdentity::CheckDigit) };
    }
    let bare = bare.to_uppercase();
    let (kind, number) = bare.split_once(':').ok_or(BadIdentity::Shape)?;
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    let kind_fits = kind == "PASSPORT" || ((2..=3).contains(&kind.len()) && letters(kind));
    let fit = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if kind_fits && DOCUMENT_CHARS.contains(&number.len()) && number.bytes().all(fit) {
        return Ok(bare);
    }
    Err(BadIdentity::Shape)
}

/// F-31: since 2013 the digits need not match the person's birth data, so this is worth a look and never wrong.
pub(super) fn birth_date_is_odd(iin: &str, now: At) -> bool {
    let number = |range: std::ops::Range<usize>| iin.get(range).and_then(|text| text.parse::<u32>().ok());
    let parts = (number(0..2), number(2..4), number(4..6), number(6..7));
    let (Some(year), Some(month), Some(day), Some(sex)) = parts else { return false };
    let century = match sex {
        1 | 2 => 1800,
        3 | 4 => 1900,
        5 | 6 => 2000,
        _ => return true,
    };
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return true,
    };
    let this_year = synaq_core::calendar::legal_date(now).map_or(2100, |date| date.year().unsigned_abs());
    !(1..=days).contains(&day) || century + year > this_year
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(text: &str) -> Result<String, BadIdentity> {
        identity(text, Numbers::Real)
    }

    #[test]
    fn f30_a_wrong_check_digit_is_named_and_spaces_are_not_part_of_a_number() {
        assert_eq!(real("123456789012"), Err(BadIdentity::CheckDigit));
        assert_eq!(real("123456789013").as_deref(), Ok("123456789013"));
        assert_eq!(real(" 1234 5678 9025").as_deref(), Ok("123456789025"));
        // As it is pasted out of a page that is written from right to left.
        assert_eq!(real("\u{200e}123456789013\u{202c}").as_deref(), Ok("123456789013"));
    }

    #[test]
    fn f33_numbers_of_test_certificates_are_an_exception_that_must_be_said() {
        for number in ["123456789011", "123456789021"] {
            assert_eq!(real(number), Err(BadIdentity::CheckDigit));
            assert_eq!(identity(number, Numbers::WithTest).as_deref(), Ok(number));
        }
        assert_eq!(identity("123456789012", Numbers::WithTest), Err(BadIdentity::CheckDigit));
    }

    #[test]
    fn foreign_documents_are_taken_and_nonsense_is_named() {
        assert_eq!(real("passport:ab1234567").as_deref(), Ok("PASSPORT:AB1234567"));
        assert_eq!(real("uz:AB-123").as_deref(), Ok("UZ:AB-123"));
        for (text, expected) in [
            ("", BadIdentity::Missing),
            ("  ", BadIdentity::Missing),
            ("12345678901", BadIdentity::Length(11)),
            ("1.23457E+11", BadIdentity::Shape),
            ("PASSPORT:", BadIdentity::Shape),
            ("PASSPORT:<script>", BadIdentity::Shape),
            ("ÜZ:12345", BadIdentity::Shape),
        ] {
            assert_eq!(real(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn an_odd_birth_date_is_only_worth_a_look() {
        let now = crate::tests::START;
        for odd in ["991301300000", "990230300000", "990101000000", "270101500000"] {
            assert!(birth_date_is_odd(odd, now), "{odd}");
        }
        assert!(!birth_date_is_odd("990131300000", now));
        assert!(!birth_date_is_odd("060131500000", now));
    }
}

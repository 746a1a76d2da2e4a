//! What people type and paste, made plain: one treatment for every form of the staff.

use crate::mail::is_mail_address;
use crate::problem::Refused;
use synaq_wire::problem::{Code, Mistake, Problem};
use unicode_normalization::UnicodeNormalization as _;

/// Characters a line may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letters {
    /// Names of people: Cyrillic or Latin letters, and what stands between them
    Name,
    /// Whatever can be printed, in the scripts of this country
    Text,
}

/// Gathers the mistakes of a form, so that all of them are told at once.
#[derive(Default)]
pub(crate) struct Form {
    mistakes: Vec<Mistake>,
}

impl Form {
    /// Notes a mistake of a field.
    pub(crate) fn mistake(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.mistakes.push(Mistake { place: field.to_owned(), code: code.to_owned(), detail: detail.into() });
    }

    /// A line that must not be empty.
    pub(crate) fn line(&mut self, field: &str, typed: &str, most: usize, letters: Letters) -> String {
        let line = self.optional(field, typed, most, letters);
        if line.is_empty() && !self.mistakes.iter().any(|mistake| mistake.place == field) {
            self.mistake(field, "empty", "this must not be empty");
        }
        line
    }

    /// A line that may be empty.
    pub(crate) fn optional(&mut self, field: &str, typed: &str, most: usize, letters: Letters) -> String {
        let line = plain(typed);
        if line.chars().count() > most {
            self.mistake(field, "too_long", format!("at most {most} characters"));
        } else if !line.chars().all(|letter| is_taken(letter, letters)) {
            self.mistake(field, "wrong_letters", "there are characters that do not belong here");
        }
        line
    }

    /// A number within its bounds.
    pub(crate) fn number(&mut self, field: &str, number: u32, bounds: std::ops::RangeInclusive<u32>) {
        if !bounds.contains(&number) {
            self.mistake(field, "range", format!("from {} to {}", bounds.start(), bounds.end()));
        }
    }

    /// A mail address, or none.
    pub(crate) fn mail(&mut self, field: &str, typed: &str) -> Option<String> {
        let address = plain(typed);
        if address.is_empty() {
            return None;
        }
        if !is_mail_address(&address) {
            self.mistake(field, "no_address", "write it as name@example.kz");
        }
        Some(address)
    }

    /// The form, if nothing is wrong with it.
    pub(crate) fn done(self) -> Result<(), Refused> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        Err(Problem { mistakes: self.mistakes, ..Problem::new(Code::FormInvalid) }.into())
    }
}

/// As it was meant: composed letters (NFC), the spaces of a word processor as ours, invisible marks gone, one space between
/// words and none around them.
pub(crate) fn plain(typed: &str) -> String {
    let visible = typed.nfc().filter(|letter| !is_invisible(*letter));
    let spaced: String = visible.map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// As [`plain`], line by line.
pub(crate) fn plain_lines(typed: &str) -> String {
    let lines: Vec<String> = typed.lines().map(plain).collect();
    lines.join("\n").trim().to_owned()
}

/// Soft hyphens, joiners and marks of direction: pasted along unseen, and two names that look the same would differ.
pub(crate) const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

fn is_taken(letter: char, letters: Letters) -> bool {
    let word = matches!(letter, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{400}'..='\u{52f}')
        && letter.is_alphabetic();
    match letters {
        Letters::Name => word || matches!(letter, ' ' | '-' | '.' | '\'' | '’' | 'ʼ' | '‑' | '(' | ')'),
        Letters::Text => {
            word || letter.is_ascii_graphic()
                || matches!(
                    letter,
                    ' ' | '«'
                        | '»'
                        | '№'
                        | '“'
                        | '”'
                        | '„'
                        | '’'
                        | '‘'
                        | 'ʼ'
                        | '–'
                        | '—'
                        | '‑'
                        | '·'
                        | '…'
                        | '°'
                        | '§'
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(typed: &str) -> Result<String, String> {
        let mut form = Form::default();
        let line = form.line("name", typed, 20, Letters::Name);
        form.done().map(|()| line).map_err(|refused| refused.0.mistakes[0].code.clone())
    }

    #[test]
    fn what_a_word_processor_adds_is_taken_away() {
        assert_eq!(name("\u{a0}Әлия\u{202f} Се\u{ad}рік\u{200b}қызы \t").as_deref(), Ok("Әлия Серікқызы"));
        assert_eq!(name("и\u{306}").as_deref(), Ok("й"));
        assert_eq!(name("\u{202e}O’Neil-Ким\u{202c}").as_deref(), Ok("O’Neil-Ким"));
        let mut form = Form::default();
        let text = form.line("name_ru", "Центр  “Сынақ” — №1", 40, Letters::Text);
        assert!(form.done().is_ok());
        assert_eq!(text, "Центр “Сынақ” — №1");
    }

    #[test]
    fn each_kind_of_mistake_is_named() {
        for (typed, code) in [
            ("", "empty"),
            (" \u{200b}\u{a0} ", "empty"),
            ("Ааааааааааааааааааааа", "too_long"),
            ("Айгүл😀", "wrong_letters"),
            ("אבג", "wrong_letters"),
            ("علي", "wrong_letters"),
            ("<b>", "wrong_letters"),
            ("Анна1", "wrong_letters"),
            ("А\u{0}", "wrong_letters"),
        ] {
            assert_eq!(name(typed), Err(code.to_owned()), "{typed}");
        }
        let mut form = Form::default();
        assert_eq!(form.mail("mail", " a@example.kz\u{a0}").as_deref(), Some("a@example.kz"));
        assert_eq!(form.mail("mail", " "), None);
        form.mail("mail", "а@example.kz");
        assert_eq!(form.done().unwrap_err().0.mistakes[0].code, "no_address");
    }
}

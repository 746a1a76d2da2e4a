//! Plain text: what candidates read holds no mark-up and nothing invisible.

use crate::desk::{Desk, Place, shortened};
use crate::problem::ProblemCode;

/// Reports all that is wrong with one text.
pub(crate) fn check_plain(desk: &mut Desk, place: &Place, text: &str, chars_max: usize) {
    if text.trim().is_empty() {
        desk.report(place, ProblemCode::TextEmpty, "");
        return;
    }
    let chars = text.chars().count();
    if chars > chars_max {
        desk.report(place, ProblemCode::TextTooLong, format!("{chars} characters, at most {chars_max}"));
    }
    if let Some(markup) = find_markup(text) {
        desk.report(place, ProblemCode::HtmlNotAllowed, format!("found {}", shortened(markup)));
    }
    if let Some(unseen) = text.chars().find(|character| is_unseen(*character)) {
        desk.report(place, ProblemCode::ControlCharacter, format!("U+{:04X}", u32::from(unseen)));
    }
}

/// Control characters other than the line break, direction overrides (they make a text read otherwise than
/// it is stored, Unicode TR 36) and invisible joiners.
fn is_unseen(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The first tag, comment or character entity. `5 < 7` and `R&D` are none.
fn find_markup(text: &str) -> Option<&str> {
    let tag = text.match_indices('<').find_map(|(at, _)| tag_at(&text[at..]));
    tag.or_else(|| text.match_indices('&').find_map(|(at, _)| entity_at(&text[at..])))
}

fn tag_at(rest: &str) -> Option<&str> {
    let name = rest[1..].trim_start_matches(['/', '!', '?', '-']);
    let opens = name.starts_with(|first: char| first.is_ascii_alphabetic()) || rest.starts_with("<!--");
    if !opens {
        return None;
    }
    let end = rest[1..].find(['<', '>']).map(|end| end + 1)?;
    rest[end..].starts_with('>').then(|| &rest[..=end])
}

fn entity_at(rest: &str) -> Option<&str> {
    // The longest HTML entity name has 31 characters ("CounterClockwiseContourIntegral").
    const ENTITY_BYTES_MAX: usize = 34;
    let end = rest.bytes().take(ENTITY_BYTES_MAX).position(|byte| byte == b';')?;
    let name = rest.get(1..end)?;
    let name = name.strip_prefix('#').unwrap_or(name);
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| &rest[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_comments_and_entities_are_markup() {
        for text in
            ["a <b>b</b>", "</p>", "<!-- x -->", "<img src=x onerror=alert(1)>", "a&nbsp;b", "&#1178;"]
        {
            assert!(find_markup(text).is_some(), "{text}");
        }
    }

    #[test]
    fn comparisons_and_ampersands_are_plain() {
        for text in
            ["t < 5 °C", "a<b және a<c", "5<7", "R&D және қант;", "тұз & су", "<", "&;", "a <", "1 <2>"]
        {
            assert_eq!(find_markup(text), None, "{text}");
        }
    }

    #[test]
    fn direction_overrides_and_controls_are_unseen() {
        assert!(is_unseen('\u{202e}') && is_unseen('\t') && is_unseen('\u{0}') && is_unseen('\u{200b}'));
        assert!(!is_unseen('\n') && !is_unseen('ә') && !is_unseen('\u{a0}'));
    }
}

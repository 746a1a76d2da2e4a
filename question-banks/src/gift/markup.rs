//! Texts of GIFT as plain texts: escapes, entities, and the mark-up that can go without changing what is asked.

/// What became of a text.
pub(super) struct Plain {
    pub(super) text: String,
    /// Bold, italics or paragraphs went
    pub(super) dropped: bool,
    /// A tag that cannot go
    pub(super) unknown: Option<String>,
}

/// Tags whose absence changes no question.
const LIGHT: &[&str] = &["p", "br", "div", "span", "b", "strong", "i", "em", "u", "font", "small", "big"];
/// Longest name of a tag: a `<` that is followed by more is no tag.
const TAG_CHARS: usize = 12;
const FORMATS: &[&str] = &["[html]", "[moodle]", "[plain]", "[markdown]"];

/// A text as the candidate reads it.
pub(super) fn plain(raw: &str) -> Plain {
    let raw = raw.trim();
    let format = FORMATS.iter().find(|format| raw.starts_with(**format));
    let bare = unescaped(&raw[format.map_or(0, |format| format.len())..]);
    if format == Some(&"[plain]") {
        return Plain { text: one_line(&bare), dropped: false, unknown: None };
    }
    let (mut text, mut dropped, mut unknown) = (String::with_capacity(bare.len()), false, None);
    let mut rest = bare.as_str();
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match tag(rest) {
            Some((name, length)) => {
                if LIGHT.contains(&name.as_str()) {
                    dropped = true;
                    text.push(if matches!(name.as_str(), "p" | "br" | "div") { ' ' } else { '\u{2060}' });
                } else if unknown.is_none() {
                    unknown = Some(name);
                }
                rest = &rest[length..];
            }
            None => {
                text.push('<');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    // The joiner kept apart what a light tag stood between, for the entities' sake.
    let text = entities(&text).replace('\u{2060}', "");
    if unknown.is_none() && text.contains("$$") {
        unknown = Some("$$".to_owned());
    }
    Plain { text: one_line(&text), dropped, unknown }
}

/// Name and length in bytes of the tag at the beginning of `text`, if it is one.
fn tag(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('<')?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).take(TAG_CHARS).collect();
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let after = inner.get(name.len()..)?.chars().next()?;
    if !begins || !(after.is_whitespace() || matches!(after, '>' | '/')) {
        return None;
    }
    let length = text.find('>')? + 1;
    Some((name.to_ascii_lowercase(), length))
}

const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&apos;", "'"),
    ("&laquo;", "«"),
    ("&raquo;", "»"),
    ("&ndash;", "–"),
    ("&mdash;", "—"),
    ("&hellip;", "…"),
    ("&deg;", "°"),
    // Last, or it would make entities of what was written about them.
    ("&amp;", "&"),
];

fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, is)| text.replace(entity, is))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => out.push('\n'),
                Some(escaped) if "~=#{}:\\".contains(escaped) => out.push(escaped),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            (plain, false) => out.push(plain),
        }
    }
    out
}

/// White space of any kind is one space: no-break spaces come out of every word processor.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

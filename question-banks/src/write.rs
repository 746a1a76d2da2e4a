//! Writing a bank so that [`crate::read`] gives the same bank back.

use std::fmt::Write;

use synaq_core::bank::{Bank, Breaks, Item, Kind, Lang, Programme, Text};

use crate::read::KINDS;

/// The bank as a TOML file. Holds the answer keys: for the bank's owner only.
#[must_use]
pub fn write(bank: &Bank) -> String {
    let mut out = String::new();
    line(&mut out, "[bank]");
    field(&mut out, "id", &quoted(&bank.slug));
    field(&mut out, "version", &bank.version.to_string());
    field(&mut out, "profession_code", &quoted(&bank.profession_code));
    field(&mut out, "languages", "[\"kk\", \"ru\"]");
    both(&mut out, "title", &bank.title);
    for topic in &bank.topics {
        line(&mut out, "\n[[topic]]");
        field(&mut out, "id", &quoted(&topic.id.0));
        both(&mut out, "title", &topic.title);
    }
    for item in &bank.items {
        write_question(&mut out, item);
    }
    out
}

/// The programme as a TOML file, so that [`crate::read_programme`] gives the same programme back.
#[must_use]
pub fn write_programme(programme: &Programme) -> String {
    let mut out = String::new();
    line(&mut out, "[programme]");
    field(&mut out, "id", &quoted(&programme.slug));
    field(&mut out, "version", &programme.version.to_string());
    both(&mut out, "title", &programme.title);
    both(&mut out, "basis", &programme.basis);
    line(&mut out, "\n[profession]");
    both(&mut out, "name", &programme.profession.name);
    field(&mut out, "nco_code", &quoted(&programme.profession.nco_code));
    field(&mut out, "level", &programme.profession.level.to_string());
    line(&mut out, "\n[bank]");
    field(&mut out, "id", &quoted(&programme.bank_slug));
    field(&mut out, "version", &programme.bank_version.to_string());
    let plan = &programme.plan;
    line(&mut out, "\n[theory]");
    field(
        &mut out,
        "questions",
        &plan.blueprint.iter().map(|(_, count)| u32::from(*count)).sum::<u32>().to_string(),
    );
    field(&mut out, "minutes", &plan.minutes.to_string());
    field(&mut out, "threshold_pct", &plan.threshold_pct.to_string());
    let languages: Vec<_> = plan.languages.iter().map(|lang| quoted(word(*lang))).collect();
    field(&mut out, "languages", &format!("[{}]", languages.join(", ")));
    field(&mut out, "navigation", &quoted("free"));
    field(&mut out, "shuffle_questions", &plan.shuffle_questions.to_string());
    field(&mut out, "shuffle_options", &plan.shuffle_options.to_string());
    line(&mut out, "\n[theory.blueprint]");
    for (topic, count) in &plan.blueprint {
        field(&mut out, &quoted(&topic.0), &count.to_string());
    }
    if programme.screen {
        line(&mut out, "\n[supervision]");
        field(&mut out, "screen", "true");
    }
    if programme.breaks != Breaks::default() {
        line(&mut out, "\n[breaks]");
        field(&mut out, "stop_clock", &programme.breaks.stop_clock.to_string());
        field(&mut out, "minutes", &programme.breaks.minutes.to_string());
    }
    out
}

const fn word(lang: Lang) -> &'static str {
    match lang {
        Lang::Kk => "kk",
        Lang::Ru => "ru",
        Lang::En => "en",
    }
}

fn write_question(out: &mut String, item: &Item) {
    line(out, "\n[[question]]");
    field(out, "id", &quoted(&item.id.0));
    field(out, "version", &item.version.to_string());
    field(out, "topic", &quoted(&item.topic.0));
    let kind = match item.kind {
        Kind::Single => KINDS[0],
        Kind::Multi => KINDS[1],
    };
    field(out, "kind", &quoted(kind));
    field(out, "difficulty", &item.difficulty.to_string());
    if let Some(labour_function) = &item.labour_function {
        field(out, "labour_function", &quoted(labour_function));
    }
    both(out, "text", &item.text);
    for (at, option) in (0_u8..).zip(&item.options) {
        line(out, "[[question.option]]");
        field(out, "id", &quoted(&option.id));
        if item.key.reveal().contains(&at) {
            field(out, "correct", "true");
        }
        both(out, "text", &option.text);
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn field(out: &mut String, name: &str, value: &str) {
    writeln!(out, "{name} = {value}").expect("writing to a String cannot fail");
}

fn both(out: &mut String, name: &str, text: &Text) {
    field(out, &format!("{name}.kk"), &quoted(&text.kk));
    field(out, &format!("{name}.ru"), &quoted(&text.ru));
}

/// A TOML basic string on one line, as the specification's section "String" has it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                write!(out, "\\u{:04X}", u32::from(control)).expect("writing to a String cannot fail");
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

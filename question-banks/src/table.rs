//! A TOML table as the reader walks it: every access reports what does not fit and goes on.

use std::ops::RangeInclusive;

use synaq_core::bank::Text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::desk::{Desk, Place, shortened, type_name};
use crate::plain::check_plain;
use crate::problem::ProblemCode;

/// One table of the file and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Table<'t> {
    fields: &'t DeTable<'t>,
    pub(crate) place: Place,
}

impl<'t> Table<'t> {
    /// The whole file.
    pub(crate) fn root(fields: &'t DeTable<'t>) -> Self {
        Self { fields, place: Place::default() }
    }

    /// The same table, its problems filed under `question` and `field`.
    pub(crate) fn filed(mut self, question: Option<&str>, field: String) -> Self {
        self.place.question = question.map(Into::into);
        self.place.field = field;
        self
    }

    /// Reports every field that is not in `known`, by name.
    pub(crate) fn only(&self, desk: &mut Desk, known: &[&str]) {
        for (name, _) in self.fields {
            if !known.contains(&name.get_ref().as_ref()) {
                let place = self.place.field(&shortened(name.get_ref()), name.span().start);
                desk.report(&place, ProblemCode::FieldUnknown, format!("known here: {}", known.join(", ")));
            }
        }
    }

    fn get(&self, name: &str) -> Option<(&'t Spanned<DeValue<'t>>, Place)> {
        let (key, value) = self.fields.get_key_value(name)?;
        Some((value, self.place.field(name, key.span().start)))
    }

    /// Whether the field is there, whatever it holds.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Where the field stands; the table itself when it is absent.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        self.get(name).map_or_else(|| self.place.field(name, self.place.offset), |(_, place)| place)
    }

    fn required<T>(&self, desk: &mut Desk, name: &str, read: Option<T>) -> Option<T> {
        if read.is_none() && !self.has(name) {
            desk.report(&self.place_of(name), ProblemCode::FieldMissing, "");
        }
        read
    }

    /// A text as written, without any check of its content; `None` when absent or no text.
    pub(crate) fn word(&self, desk: &mut Desk, name: &str) -> Option<(&'t str, Place)> {
        let (value, place) = self.get(name)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text, place)),
            other => wrong_type(desk, &place, "text in quotes", other),
        }
    }

    /// A required id, checked.
    pub(crate) fn id(&self, desk: &mut Desk, name: &str) -> Option<String> {
        let word = self.word(desk, name);
        let (id, place) = self.required(desk, name, word)?;
        desk.check_id(id, &place);
        Some(id.to_owned())
    }

    /// A required word out of a list; the index of it.
    pub(crate) fn one_of(&self, desk: &mut Desk, name: &str, allowed: &[&str]) -> Option<usize> {
        let word = self.word(desk, name);
        let (word, place) = self.required(desk, name, word)?;
        let found = allowed.iter().position(|candidate| *candidate == word);
        if found.is_none() {
            let detail = format!("found {:?}, allowed: {}", shortened(word), allowed.join(", "));
            desk.report(&place, ProblemCode::ValueUnknown, detail);
        }
        found
    }

    /// A required whole number in `range`.
    pub(crate) fn number<N: TryFrom<i64>>(
        &self,
        desk: &mut Desk,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Option<N> {
        let found = self.get(name);
        let (value, place) = self.required(desk, name, found)?;
        let DeValue::Integer(written) = value.get_ref() else {
            return wrong_type(desk, &place, "whole number", value.get_ref());
        };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        let fit = number.filter(|number| range.contains(number)).and_then(|number| N::try_from(number).ok());
        if fit.is_none() {
            let detail = format!(
                "found {}, allowed: {} to {}",
                shortened(written.as_str()),
                range.start(),
                range.end()
            );
            desk.report(&place, ProblemCode::NumberOutOfRange, detail);
        }
        fit
    }

    /// `true` or `false`; `None` when absent or neither.
    pub(crate) fn flag(&self, desk: &mut Desk, name: &str) -> Option<bool> {
        let (value, place) = self.get(name)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => wrong_type(desk, &place, "true or false", other),
        }
    }

    /// A required `true` or `false`.
    pub(crate) fn required_flag(&self, desk: &mut Desk, name: &str) -> Option<bool> {
        let flag = self.flag(desk, name);
        self.required(desk, name, flag)
    }

    /// A required sub-table.
    pub(crate) fn table(&self, desk: &mut Desk, name: &str) -> Option<Table<'t>> {
        let found = self.get(name);
        let (value, place) = self.required(desk, name, found)?;
        match value.get_ref() {
            DeValue::Table(fields) => Some(Table { fields, place }),
            other => wrong_type(desk, &place, "table", other),
        }
    }

    /// The tables of a `[[name]]` list, empty when absent. Each stands at its own header.
    pub(crate) fn tables(&self, desk: &mut Desk, name: &str) -> Vec<Table<'t>> {
        let Some((value, place)) = self.get(name) else { return Vec::new() };
        let DeValue::Array(entries) = value.get_ref() else {
            report_type(desk, &place, "list of tables", value.get_ref());
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let field = format!("{name}[{}]", at + 1);
            let place =
                Place { field: String::new(), ..self.place.clone() }.field(&field, entry.span().start);
            match entry.get_ref() {
                DeValue::Table(fields) => tables.push(Table { fields, place }),
                other => report_type(desk, &place, "table", other),
            }
        }
        tables
    }

    /// The words of a required list.
    pub(crate) fn words(&self, desk: &mut Desk, name: &str) -> Option<Vec<(&'t str, Place)>> {
        let found = self.get(name);
        let (value, place) = self.required(desk, name, found)?;
        let DeValue::Array(entries) = value.get_ref() else {
            return wrong_type(desk, &place, "list of texts", value.get_ref());
        };
        let mut words = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            match entry.get_ref() {
                DeValue::String(word) => words.push((word.as_ref(), place.clone())),
                other => report_type(desk, &place, "text in quotes", other),
            }
        }
        Some(words)
    }

    /// The fields of this table in the order of the file, each a whole number in `range`.
    pub(crate) fn counts(&self, desk: &mut Desk, range: RangeInclusive<i64>) -> Vec<(String, u16, Place)> {
        let mut names: Vec<_> = self.fields.keys().collect();
        names.sort_by_key(|name| name.span().start);
        let mut counts = Vec::with_capacity(names.len());
        for name in names {
            let place = self.place_of(name.get_ref());
            desk.check_id(name.get_ref(), &place);
            if let Some(count) = self.number(desk, name.get_ref(), range.clone()) {
                counts.push((name.get_ref().to_string(), count, place));
            }
        }
        counts
    }

    /// A required text in both languages, plain and of at most `chars_max` characters each.
    pub(crate) fn both_languages(&self, desk: &mut Desk, name: &str, chars_max: usize) -> Option<Text> {
        let table = self.table(desk, name)?;
        for (language, _) in table.fields {
            if !matches!(language.get_ref().as_ref(), "kk" | "ru") {
                let place = table.place.field(&shortened(language.get_ref()), language.span().start);
                desk.report(&place, ProblemCode::LanguageUnknown, "");
            }
        }
        let kk = table.language(desk, "kk", ProblemCode::KkMissing, chars_max);
        let ru = table.language(desk, "ru", ProblemCode::RuMissing, chars_max);
        Some(Text { kk: kk?, ru: ru? })
    }

    fn language(
        &self,
        desk: &mut Desk,
        name: &str,
        missing: ProblemCode,
        chars_max: usize,
    ) -> Option<String> {
        if !self.has(name) {
            desk.report(&self.place_of(name), missing, "");
            return None;
        }
        let (text, place) = self.word(desk, name)?;
        check_plain(desk, &place, text, chars_max);
        Some(text.trim().to_owned())
    }
}

fn wrong_type<T>(desk: &mut Desk, place: &Place, wanted: &str, found: &DeValue<'_>) -> Option<T> {
    report_type(desk, place, wanted, found);
    None
}

fn report_type(desk: &mut Desk, place: &Place, wanted: &str, found: &DeValue<'_>) {
    desk.report(place, ProblemCode::FieldWrongType, format!("expected {wanted}, found {}", type_name(found)));
}

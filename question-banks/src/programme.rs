//! Reading a programme: by what plan the theory exam is made from a bank and judged (LAW-01).

use synaq_core::bank::{Bank, Breaks, LEGAL_THRESHOLD_PCT, Lang, Plan, PlanError, Profession, Programme};
use synaq_core::ids::TopicId;

use crate::desk::{Desk, read_with};
use crate::limits::{QUESTIONS_MAX, TITLE_CHARS_MAX};
use crate::nco::check_nco_code;
use crate::problem::{ImportError, ImportReport, ProblemCode};
use crate::table::Table;

/// Longest theory exam, minutes; the bound that [`Plan::check`] sets.
pub const MINUTES_MAX: u32 = 600;
/// Levels of the national qualification framework.
pub const LEVEL_MAX: u32 = 8;

/// Reads a programme from a file's text; all that is wrong is reported at once, as for a bank.
pub fn read_programme(text: &str) -> Result<(Programme, ImportReport), ImportError> {
    read_with(text, |desk, root| (read_tables(desk, &root), 0))
}

/// Why a sound programme cannot be held over a bank.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Another bank, or another version of it.
    #[error("the programme draws from bank {wanted}, this is bank {found}; import the bank it names")]
    OtherBank { wanted: String, found: String },
    /// Classifier codes that differ.
    #[error("the programme is for profession {programme}, the bank for {bank}; correct one of the codes")]
    OtherProfession { programme: String, bank: String },
    /// A blueprint entry without a topic in the bank.
    #[error("topic {topic} of the blueprint is not in the bank; correct its id")]
    TopicUnknown { topic: String },
    /// What the rules themselves refuse.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl FitError {
    /// The stable code, `snake_case`; of [`ProblemCode`] where the same thing can stand in a report.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        let code = match self {
            Self::OtherBank { .. } | Self::OtherProfession { .. } => ProblemCode::BankMismatch,
            Self::TopicUnknown { .. } => ProblemCode::TopicUnknown,
            Self::Plan(plan) => match plan {
                PlanError::ThresholdBelowLaw(_) => ProblemCode::ThresholdBelowLaw,
                PlanError::TopicTooSmall { .. } => ProblemCode::BlueprintExceedsBank,
                PlanError::TopicTwice(_) => ProblemCode::IdRepeated,
                PlanError::Languages => ProblemCode::LanguagesIncomplete,
                PlanError::ThresholdUnreachable(_) | PlanError::Minutes(_) => ProblemCode::NumberOutOfRange,
                PlanError::NoQuestions => ProblemCode::FieldMissing,
            },
        };
        code.as_str()
    }
}

/// Refuses a programme that this bank cannot serve: another bank or profession, a topic that the bank does not
/// have, a blueprint larger than the bank.
pub fn check_against(programme: &Programme, bank: &Bank) -> Result<(), FitError> {
    let named = |slug: &str, version: u32| format!("{slug} version {version}");
    let wanted = named(&programme.bank_slug, programme.bank_version);
    let found = named(&bank.slug, bank.version);
    if wanted != found {
        return Err(FitError::OtherBank { wanted, found });
    }
    if programme.profession.nco_code != bank.profession_code {
        return Err(FitError::OtherProfession {
            programme: programme.profession.nco_code.clone(),
            bank: bank.profession_code.clone(),
        });
    }
    let stray = |topic: &TopicId| !bank.topics.iter().any(|held| held.id == *topic);
    if let Some((topic, _)) = programme.plan.blueprint.iter().find(|(topic, _)| stray(topic)) {
        return Err(FitError::TopicUnknown { topic: topic.0.clone() });
    }
    Ok(programme.plan.check(bank)?)
}

fn read_tables(desk: &mut Desk, root: &Table<'_>) -> Option<Programme> {
    root.only(desk, &["programme", "profession", "bank", "theory", "supervision", "breaks"]);
    let head = root.table(desk, "programme").and_then(|table| read_head(desk, &table));
    let profession = root.table(desk, "profession").and_then(|table| read_profession(desk, &table));
    let bank = root.table(desk, "bank").and_then(|table| read_bank_reference(desk, &table));
    let plan = root.table(desk, "theory").and_then(|table| read_plan(desk, &table));
    let screen = root.has("supervision").then(|| root.table(desk, "supervision")).flatten();
    let screen = screen.is_some_and(|table| read_screen(desk, &table));
    let breaks = root.has("breaks").then(|| root.table(desk, "breaks")).flatten();
    let breaks = breaks.and_then(|table| read_breaks(desk, &table)).unwrap_or_default();
    let (head, (bank_slug, bank_version)) = (head?, bank?);
    Some(Programme {
        slug: head.slug,
        version: head.version,
        title: head.title,
        profession: profession?,
        basis: head.basis,
        bank_slug,
        bank_version,
        plan: plan?,
        screen,
        breaks,
    })
}

/// By which rule a break in mid-exam goes; what is left out is as without the table.
fn read_breaks(desk: &mut Desk, table: &Table<'_>) -> Option<Breaks> {
    table.only(desk, &["stop_clock", "minutes"]);
    let usual = Breaks::default();
    let stop_clock = if table.has("stop_clock") { table.flag(desk, "stop_clock")? } else { usual.stop_clock };
    let minutes = if table.has("minutes") { table.number(desk, "minutes", 1..=60)? } else { usual.minutes };
    Some(Breaks { stop_clock, minutes })
}

/// Whether the whole screen is shared: nothing else of the supervision is the programme's matter.
fn read_screen(desk: &mut Desk, table: &Table<'_>) -> bool {
    table.only(desk, &["screen"]);
    table.flag(desk, "screen").unwrap_or(false)
}

struct Head {
    slug: String,
    version: u32,
    title: synaq_core::bank::Text,
    basis: synaq_core::bank::Text,
}

fn read_head(desk: &mut Desk, table: &Table<'_>) -> Option<Head> {
    table.only(desk, &["id", "version", "title", "basis"]);
    let slug = table.id(desk, "id");
    let version = table.number(desk, "version", 1..=i64::from(u32::MAX));
    let title = table.both_languages(desk, "title", TITLE_CHARS_MAX);
    let basis = table.both_languages(desk, "basis", TITLE_CHARS_MAX);
    Some(Head { slug: slug?, version: version?, title: title?, basis: basis? })
}

fn read_profession(desk: &mut Desk, table: &Table<'_>) -> Option<Profession> {
    table.only(desk, &["name", "nco_code", "level"]);
    let name = table.both_languages(desk, "name", TITLE_CHARS_MAX);
    let nco_code = check_nco_code(desk, table, "nco_code");
    let level = table.number(desk, "level", 1..=i64::from(LEVEL_MAX));
    Some(Profession { name: name?, nco_code: nco_code?, level: level? })
}

fn read_bank_reference(desk: &mut Desk, table: &Table<'_>) -> Option<(String, u32)> {
    table.only(desk, &["id", "version"]);
    let slug = table.id(desk, "id");
    let version = table.number(desk, "version", 1..=i64::from(u32::MAX));
    Some((slug?, version?))
}

fn read_plan(desk: &mut Desk, table: &Table<'_>) -> Option<Plan> {
    table.only(
        desk,
        &[
            "questions",
            "minutes",
            "threshold_pct",
            "languages",
            "navigation",
            "shuffle_questions",
            "shuffle_options",
            "blueprint",
        ],
    );
    let questions = table.number::<u16>(desk, "questions", 1..=questions_max());
    let minutes = table.number(desk, "minutes", 1..=i64::from(MINUTES_MAX));
    let threshold_pct = read_threshold(desk, table);
    let languages = read_languages(desk, table);
    // The sessions know free navigation only; the word stands in the file so that a later rule is no surprise.
    let navigation = table.one_of(desk, "navigation", &["free"]);
    let shuffle_questions = table.required_flag(desk, "shuffle_questions");
    let shuffle_options = table.required_flag(desk, "shuffle_options");
    let blueprint =
        table.table(desk, "blueprint").map(|blueprint| read_blueprint(desk, &blueprint, questions));
    navigation?;
    Some(Plan {
        minutes: minutes?,
        threshold_pct: threshold_pct?,
        languages: languages?,
        blueprint: blueprint?,
        shuffle_questions: shuffle_questions?,
        shuffle_options: shuffle_options?,
    })
}

fn questions_max() -> i64 {
    i64::try_from(QUESTIONS_MAX).expect("10 000 fits 64 bits")
}

/// NB-22: a threshold below 70 has its own code; 100 could not be exceeded.
fn read_threshold(desk: &mut Desk, table: &Table<'_>) -> Option<u8> {
    let threshold = table.number::<u8>(desk, "threshold_pct", 0..=99)?;
    if threshold < LEGAL_THRESHOLD_PCT {
        let detail = format!("found {threshold}, at least {LEGAL_THRESHOLD_PCT}");
        desk.report(&table.place_of("threshold_pct"), ProblemCode::ThresholdBelowLaw, detail);
    }
    Some(threshold)
}

fn read_languages(desk: &mut Desk, table: &Table<'_>) -> Option<Vec<Lang>> {
    let words = table.words(desk, "languages")?;
    let mut languages = Vec::with_capacity(words.len());
    for (word, place) in words {
        match word {
            "kk" => languages.push(Lang::Kk),
            "ru" => languages.push(Lang::Ru),
            _ => desk.report(&place, ProblemCode::LanguageUnknown, crate::desk::shortened(word)),
        }
    }
    let place = table.place_of("languages");
    if languages.is_empty() {
        desk.report(&place, ProblemCode::FieldMissing, "at least one of kk and ru");
    }
    if languages.iter().any(|language| languages.iter().filter(|other| *other == language).count() > 1) {
        desk.report(&place, ProblemCode::IdRepeated, "a language stands twice");
    }
    Some(languages)
}

fn read_blueprint(desk: &mut Desk, table: &Table<'_>, questions: Option<u16>) -> Vec<(TopicId, u16)> {
    let counts = table.counts(desk, 1..=questions_max());
    let sum: u64 = counts.iter().map(|(_, count, _)| u64::from(*count)).sum();
    if let Some(questions) = questions
        && sum != u64::from(questions)
    {
        let detail = format!("the counts add up to {sum}, questions = {questions}");
        desk.report(&table.place, ProblemCode::BlueprintSum, detail);
    }
    counts.into_iter().map(|(topic, count, _)| (TopicId(topic), count)).collect()
}

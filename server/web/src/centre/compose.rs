//! Programmes made on the page: a form becomes the same file that is imported, and the same checks judge it.

use super::programmes::Importer;
use crate::auth::who::Who;
use crate::body::Json;
use crate::convert;
use crate::form::{Form, Letters};
use crate::problem::Refused;
use axum::extract::{Path, State};
use synaq_core::bank::{Breaks, Plan, Profession, Programme, Text};
use synaq_core::ids::{BankId, ProgrammeId, TopicId};
use synaq_question_banks::limits::TITLE_CHARS_MAX;
use synaq_question_banks::{LEVEL_MAX, MINUTES_MAX, is_id, is_nco_code, write_programme};
use synaq_wire::candidate::Text as Words;
use synaq_wire::centre::{BlueprintCount, ProgrammeForm, ProgrammeRow};
use synaq_wire::problem::{Code, Problem};

/// The form of a stored version, to begin the next one with.
pub(crate) async fn show(
    State(importer): State<Importer>,
    Path(id): Path<String>,
    who: Who,
) -> Result<axum::Json<ProgrammeForm>, Refused> {
    let id: ProgrammeId = id.parse().map_err(|_| Code::NotFound)?;
    let stored = importer.directory.programme(who.staff.centre, id).await?;
    let (programme, _) = importer.library.programme(who.staff.centre, &stored).await?;
    let newest = newest(&importer, &who, &programme.slug).await?;
    Ok(axum::Json(ProgrammeForm { after: Some(newest), ..form(programme, stored.bank) }))
}

/// The number of the newest version of that name, 0 where there is none.
async fn newest(importer: &Importer, who: &Who, slug: &str) -> Result<u32, Refused> {
    let stored = importer.directory.programmes(who.staff.centre).await?;
    Ok(stored.iter().filter(|row| row.slug == slug).map(|row| row.version).max().unwrap_or(0))
}

/// A new immutable version; its number is one above the highest there is.
pub(crate) async fn compose(
    State(importer): State<Importer>,
    who: Who,
    Json(body): Json<ProgrammeForm>,
) -> Result<axum::Json<ProgrammeRow>, Refused> {
    let body = checked(body)?;
    let bank = importer.directory.bank(who.staff.centre, BankId(body.bank)).await?;
    let newest = newest(&importer, &who, &body.slug).await?;
    // Theirs is a version already, and stays one; whoever comes second must have seen it.
    if body.after.is_some_and(|after| after != newest) {
        return Err(Code::ChangedMeanwhile.into());
    }
    let version = newest.checked_add(1).ok_or_else(|| Problem::new(Code::OutOfLimits))?;
    let programme = Programme {
        slug: body.slug,
        version,
        title: text(body.title),
        profession: Profession { name: text(body.profession), nco_code: body.nco_code, level: body.level },
        basis: text(body.basis),
        bank_slug: bank.slug,
        bank_version: bank.version,
        plan: Plan {
            minutes: body.minutes,
            threshold_pct: body.threshold_pct,
            languages: body.languages.into_iter().map(convert::core_lang).collect(),
            blueprint: body.blueprint.into_iter().map(|line| (TopicId(line.topic), line.count)).collect(),
            shuffle_questions: body.shuffle_questions,
            shuffle_options: body.shuffle_options,
        },
        screen: body.screen,
        breaks: Breaks { stop_clock: body.break_stops_clock, minutes: body.break_minutes },
    };
    importer.take(&who, write_programme(&programme), "programme_composed").await.map(axum::Json)
}

/// Mistakes stand at the fields of the form, not at lines of the file that becomes of it.
fn checked(mut body: ProgrammeForm) -> Result<ProgrammeForm, Refused> {
    let mut form = Form::default();
    names(&mut form, &body.slug, &body.nco_code);
    body.title = both(&mut form, "title", &body.title);
    body.profession = both(&mut form, "profession", &body.profession);
    body.basis = both(&mut form, "basis", &body.basis);
    form.number("level", body.level.into(), 1..=LEVEL_MAX);
    form.number("minutes", body.minutes.into(), 1..=MINUTES_MAX);
    form.done()?;
    Ok(body)
}

/// What a bank or a programme is called in files, and its occupation's code.
pub(super) fn names(form: &mut Form, slug: &str, nco_code: &str) {
    if !is_id(slug) {
        form.mistake("slug", "no_slug", "1 to 64 of a-z 0-9 - _ .");
    }
    if !is_nco_code(nco_code) {
        form.mistake("nco_code", "no_code", "write it as 7512, 7512-1 or 7512-1-003");
    }
}

/// A title in both languages.
pub(super) fn both(form: &mut Form, field: &str, typed: &Words) -> Words {
    let mut line = |lang, typed| form.line(&format!("{field}_{lang}"), typed, TITLE_CHARS_MAX, Letters::Text);
    Words { kk: line("kk", &typed.kk), ru: line("ru", &typed.ru) }
}

fn text(text: Words) -> Text {
    Text { kk: text.kk, ru: text.ru }
}

fn form(programme: Programme, bank: BankId) -> ProgrammeForm {
    let plan = programme.plan;
    ProgrammeForm {
        slug: programme.slug,
        title: convert::text(&programme.title),
        profession: convert::text(&programme.profession.name),
        nco_code: programme.profession.nco_code,
        level: programme.profession.level,
        basis: convert::text(&programme.basis),
        bank: bank.0,
        minutes: plan.minutes,
        threshold_pct: plan.threshold_pct,
        languages: plan.languages.into_iter().map(convert::lang).collect(),
        blueprint: plan
            .blueprint
            .into_iter()
            .map(|(topic, count)| BlueprintCount { topic: topic.0, count })
            .collect(),
        shuffle_questions: plan.shuffle_questions,
        shuffle_options: plan.shuffle_options,
        screen: programme.screen,
        break_stops_clock: programme.breaks.stop_clock,
        break_minutes: programme.breaks.minutes,
        after: None,
    }
}

//! A bank out of GIFT files: first a look at every question, then the same again to keep it.

use super::banks::row;
use super::compose::{both, names};
use super::{Audit, Library};
use crate::auth::who::Who;
use crate::body;
use crate::form::Form;
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Request, State};
use std::sync::Arc;
use synaq_core::bank::Text;
use synaq_core::ids::BankId;
use synaq_question_banks::{GiftFiles, GiftFinding, GiftHead, GiftQuestion, GiftReading, read_gift, write};
use synaq_runtime::Clock;
use synaq_seal::sha256;
use synaq_store::{BankRow, Directory};
use synaq_wire::candidate::Lang;
use synaq_wire::centre::{GiftFindingRow, GiftImport, GiftQuestionRow, GiftReport, GiftTake};
use synaq_wire::limits::BANK_BYTES;
use synaq_wire::problem::{Code, Problem};

/// Two files of the largest size, and what JSON adds to their line ends and quotes.
const BODY_MAX: usize = 2 * BANK_BYTES + BANK_BYTES / 2;

/// Reads the files and reports on each question; keeps a new version of the bank if that is asked for.
pub(crate) async fn import(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    State(audit): State<Audit>,
    State(clock): State<Arc<dyn Clock>>,
    State(fresh): State<Fresh>,
    who: Who,
    request: Request,
) -> Result<axum::Json<GiftReport>, Refused> {
    let source = body::text(request, &["application/json"], BODY_MAX).await?;
    let mut files: GiftImport = serde_json::from_str(&source)
        .map_err(|error| Problem::new(Code::BodyMalformed).detail(error.to_string()))?;
    let mut form = Form::default();
    names(&mut form, &files.slug, &files.profession_code);
    files.title = both(&mut form, "title", &files.title);
    form.done()?;
    let stored = directory.banks(who.staff.centre).await?;
    let newest = stored.iter().filter(|row| row.slug == files.slug).map(|row| row.version).max();
    let take = files.take;
    let read = tokio::task::spawn_blocking(move || {
        let head = GiftHead {
            slug: files.slug,
            version: newest.unwrap_or(0).saturating_add(1),
            title: Text { kk: files.title.kk, ru: files.title.ru },
            profession_code: files.profession_code,
        };
        let files = match &files.ru {
            Some(ru) => GiftFiles::Two { kk: &files.kk, ru },
            None => GiftFiles::One(&files.kk),
        };
        read_gift(files, &head)
    });
    let reading = read.await.map_err(|_| Code::Internal)?;
    let refused = reading.refused();
    let wanted = match take {
        GiftTake::Check => false,
        GiftTake::All => refused == 0,
        GiftTake::Sound => true,
    };
    let mut imported = None;
    if let Some(bank) = reading.bank.as_ref().filter(|_| wanted && !reading.too_many) {
        let source = write(bank);
        let id = BankId(fresh.id().map_err(|_| Code::Busy)?);
        let new = BankRow {
            id,
            centre: who.staff.centre,
            slug: bank.slug.clone(),
            version: bank.version,
            sha256: sha256(source.as_bytes()).to_string(),
            source,
            imported_at: clock.now(),
        };
        let stored = directory.add_bank(new).await.map_err(|error| match error {
            // Somebody else imported the same slug in the same moment.
            synaq_store::Error::Taken(_) => Code::ChangedMeanwhile.into(),
            error => Refused::from(error),
        })?;
        audit.note(&who, "bank_imported", stored.id.to_string()).await?;
        imported = Some(row(&stored, &*library.bank(&stored).await?));
    }
    Ok(axum::Json(report(reading, imported)))
}

fn report(reading: GiftReading, imported: Option<synaq_wire::centre::BankRow>) -> GiftReport {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let refused = reading.refused();
    GiftReport {
        taken: count(reading.questions.len() - refused),
        refused: count(refused),
        too_many: reading.too_many,
        head: reading.head,
        questions: reading.questions.into_iter().map(question).collect(),
        imported,
    }
}

fn question(question: GiftQuestion) -> GiftQuestionRow {
    let line = |line: Option<usize>| line.map(|line| u32::try_from(line).unwrap_or(u32::MAX));
    let finding = |lang: Lang| {
        move |finding: GiftFinding| GiftFindingRow {
            lang,
            line: u32::try_from(finding.line).unwrap_or(u32::MAX),
            code: finding.code.to_string(),
            refuses: finding.refuses(),
            detail: finding.detail,
            advice: finding.code.advice().to_owned(),
        }
    };
    let kk = question.kk.into_iter().map(finding(Lang::Kk));
    GiftQuestionRow {
        line_kk: line(question.line_kk),
        line_ru: line(question.line_ru),
        name: question.name,
        id: question.id,
        findings: kk.chain(question.ru.into_iter().map(finding(Lang::Ru))).collect(),
    }
}

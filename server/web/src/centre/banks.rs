//! Question banks of the centre.

use super::{Audit, Library, TOML_TYPES, mistake, refused_file};
use crate::auth::who::Who;
use crate::body;
use crate::convert;
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Path, Request, State};
use std::sync::Arc;
use synaq_core::bank::{Bank, Item, Kind};
use synaq_core::ids::BankId;
use synaq_runtime::Clock;
use synaq_seal::sha256;
use synaq_store::Directory;
use synaq_wire::centre::{BankDetail, BankImported, BankOption, BankQuestion, BankRow, TopicRow};
use synaq_wire::limits::BANK_BYTES;
use synaq_wire::problem::{Code, Problem};

/// All bank versions, newest first.
pub(crate) async fn list(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    who: Who,
) -> Result<axum::Json<Vec<BankRow>>, Refused> {
    let mut rows = Vec::new();
    for stored in directory.banks(who.staff.centre).await? {
        rows.push(row(&stored, &*library.bank(&stored).await?));
    }
    Ok(axum::Json(rows))
}

/// One bank with questions and keys, for the centre's eyes.
pub(crate) async fn show(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    State(audit): State<Audit>,
    Path(id): Path<String>,
    who: Who,
) -> Result<axum::Json<BankDetail>, Refused> {
    let id: BankId = id.parse().map_err(|_| Code::NotFound)?;
    let stored = directory.bank(who.staff.centre, id).await?;
    let bank = library.bank(&stored).await?;
    audit.note(&who, "bank_viewed", id.to_string()).await?;
    let questions = bank.items.iter().map(question).collect();
    Ok(axum::Json(BankDetail { row: row(&stored, &bank), questions }))
}

/// Takes a bank over, whole or not at all.
pub(crate) async fn import(
    State(directory): State<Arc<dyn Directory>>,
    State(audit): State<Audit>,
    State(clock): State<Arc<dyn Clock>>,
    State(fresh): State<Fresh>,
    who: Who,
    request: Request,
) -> Result<axum::Json<BankImported>, Refused> {
    let source = body::text(request, TOML_TYPES, BANK_BYTES).await?;
    let read = tokio::task::spawn_blocking(move || {
        let read = synaq_question_banks::read_bytes(source.as_bytes());
        (source, read)
    });
    let (source, read) = read.await.map_err(|_| Code::Internal)?;
    let (bank, report) = read.map_err(|error| refused_file(&error, Code::BankInvalid))?;
    let id = BankId(fresh.id().map_err(|_| Code::Busy)?);
    let new = synaq_store::BankRow {
        id,
        centre: who.staff.centre,
        slug: bank.slug.clone(),
        version: bank.version,
        sha256: sha256(source.as_bytes()).to_string(),
        source,
        imported_at: clock.now(),
    };
    let stored = directory.add_bank(new).await.map_err(|error| match error {
        synaq_store::Error::Taken(_) => {
            let detail = format!("{} version {} exists with other content", bank.slug, bank.version);
            Problem::new(Code::BankVersionTaken).detail(detail).into()
        }
        error => Refused::from(error),
    })?;
    let known = stored.id != id;
    if !known {
        audit.note(&who, "bank_imported", stored.id.to_string()).await?;
    }
    let remarks = report.warnings().map(mistake).collect();
    Ok(axum::Json(BankImported { row: row(&stored, &bank), known, remarks }))
}

pub(super) fn row(stored: &synaq_store::BankRow, bank: &Bank) -> BankRow {
    let topic = |topic: &synaq_core::bank::Topic| TopicRow {
        id: topic.id.0.clone(),
        title: convert::text(&topic.title),
        questions: count(bank.items.iter().filter(|item| item.topic == topic.id).count()),
    };
    BankRow {
        bank: stored.id.0,
        slug: stored.slug.clone(),
        version: stored.version,
        title: convert::text(&bank.title),
        questions: count(bank.items.len()),
        topics: bank.topics.iter().map(topic).collect(),
        sha256: stored.sha256.clone(),
        imported_at: stored.imported_at.0,
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

fn question(item: &Item) -> BankQuestion {
    let right = item.key.reveal();
    let options = (0_u8..).zip(&item.options).map(|(at, option)| BankOption {
        id: option.id.clone(),
        text: convert::text(&option.text),
        right: right.contains(&at),
    });
    BankQuestion {
        id: item.id.0.clone(),
        version: item.version,
        topic: item.topic.0.clone(),
        multiple: item.kind == Kind::Multi,
        difficulty: item.difficulty,
        text: convert::text(&item.text),
        options: options.collect(),
    }
}

//! Qualification programmes of the centre.

use super::{Audit, Library, TOML_TYPES, refused_file};
use crate::auth::who::Who;
use crate::body;
use crate::convert;
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::{Request, State};
use std::sync::Arc;
use synaq_core::bank::{Bank, Programme, Text};
use synaq_core::ids::ProgrammeId;
use synaq_question_banks::{ProblemCode, check_against, read_programme};
use synaq_runtime::Clock;
use synaq_store::Directory;
use synaq_wire::centre::{BlueprintRow, ProgrammeRow};
use synaq_wire::limits::BODY_BYTES;
use synaq_wire::problem::{Code, Mistake, Problem};
use uuid::Uuid;

/// All programme versions, newest first.
pub(crate) async fn list(
    State(directory): State<Arc<dyn Directory>>,
    State(library): State<Arc<Library>>,
    who: Who,
) -> Result<axum::Json<Vec<ProgrammeRow>>, Refused> {
    let mut rows = Vec::new();
    for stored in directory.programmes(who.staff.centre).await? {
        let (programme, bank) = library.programme(who.staff.centre, &stored).await?;
        rows.push(row(stored.id.0, &programme, &bank));
    }
    Ok(axum::Json(rows))
}

/// Takes a programme over, if the law and its bank bear it.
pub(crate) async fn import(
    State(importer): State<Importer>,
    who: Who,
    request: Request,
) -> Result<axum::Json<ProgrammeRow>, Refused> {
    let source = body::text(request, TOML_TYPES, BODY_BYTES).await?;
    let source = source.strip_prefix('\u{feff}').map_or(source.clone(), str::to_owned);
    importer.take(&who, source, "programme_imported").await.map(axum::Json)
}

/// What programmes come in with.
#[derive(Clone)]
pub(crate) struct Importer {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) library: Arc<Library>,
    audit: Audit,
    clock: Arc<dyn Clock>,
    fresh: Fresh,
}

impl axum::extract::FromRef<crate::doors::App> for Importer {
    fn from_ref(app: &crate::doors::App) -> Self {
        use axum::extract::FromRef;
        Self {
            directory: FromRef::from_ref(app),
            library: FromRef::from_ref(app),
            audit: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            fresh: FromRef::from_ref(app),
        }
    }
}

impl Importer {
    /// Reads, checks and keeps a programme's file; `action` is what the audit log calls it.
    pub(super) async fn take(
        &self,
        who: &Who,
        source: String,
        action: &str,
    ) -> Result<ProgrammeRow, Refused> {
        let centre = who.staff.centre;
        let (programme, _) = read_programme(&source).map_err(|error| {
            let mut below = error.report().into_iter().flat_map(|report| report.errors());
            let below = below.any(|found| found.code == ProblemCode::ThresholdBelowLaw);
            refused_file(&error, if below { Code::ThresholdBelowLaw } else { Code::ProgrammeInvalid })
        })?;
        let banks = self.directory.banks(centre).await?;
        let named = |row: &&synaq_store::BankRow| {
            row.slug == programme.bank_slug && row.version == programme.bank_version
        };
        let bank_row = banks.iter().find(named).ok_or_else(|| {
            let detail = format!(
                "bank {} version {} is not here; import it first",
                programme.bank_slug, programme.bank_version
            );
            unfit("bank_mismatch", detail)
        })?;
        let bank = self.library.bank(bank_row).await?;
        check_against(&programme, &bank).map_err(|error| unfit(error.code(), error.to_string()))?;
        let id = ProgrammeId(self.fresh.id().map_err(|_| Code::Busy)?);
        let new = synaq_store::ProgrammeRow {
            id,
            centre,
            slug: programme.slug.clone(),
            version: programme.version,
            source,
            bank: bank_row.id,
            created_at: self.clock.now(),
        };
        let stored = self.directory.add_programme(new).await.map_err(|error| match error {
            synaq_store::Error::Taken(_) => {
                let detail = "this version exists with other content; raise the version";
                unfit("version_taken", detail.to_owned()).into()
            }
            error => Refused::from(error),
        })?;
        if stored.id == id {
            self.audit.note(who, action, id.to_string()).await?;
        }
        Ok(row(stored.id.0, &programme, &bank))
    }
}

fn unfit(code: &str, detail: String) -> Problem {
    let below = code == ProblemCode::ThresholdBelowLaw.as_str();
    let mistake = Mistake { place: "programme".to_owned(), code: code.to_owned(), detail: detail.clone() };
    let code = if below { Code::ThresholdBelowLaw } else { Code::ProgrammeInvalid };
    Problem { mistakes: vec![mistake], ..Problem::new(code).detail(detail) }
}

/// A programme as a row.
pub(super) fn row(id: Uuid, programme: &Programme, bank: &Bank) -> ProgrammeRow {
    let plan = &programme.plan;
    let title = |topic: &synaq_core::ids::TopicId| {
        let known = bank.topics.iter().find(|known| known.id == *topic);
        known.map_or_else(|| Text { kk: topic.0.clone(), ru: topic.0.clone() }, |known| known.title.clone())
    };
    let line = |(topic, count): &(synaq_core::ids::TopicId, u16)| BlueprintRow {
        topic: topic.0.clone(),
        title: convert::text(&title(topic)),
        count: *count,
    };
    ProgrammeRow {
        programme: id,
        slug: programme.slug.clone(),
        version: programme.version,
        title: convert::text(&programme.title),
        profession: convert::text(&programme.profession.name),
        nco_code: programme.profession.nco_code.clone(),
        questions: plan.questions(),
        minutes: plan.minutes,
        threshold_pct: plan.threshold_pct,
        languages: plan.languages.iter().copied().map(convert::lang).collect(),
        blueprint: plan.blueprint.iter().map(line).collect(),
        bank: format!("{} {}", programme.bank_slug, programme.bank_version),
        screen: programme.screen,
    }
}

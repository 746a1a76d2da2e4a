//! One result with everything behind it.

use super::Audit;
use super::evidence::{is_name, media_type};
use super::keeping::{self, Keeper};
use super::results::{Register, result_row, summaries};
use super::stills::{self, is_container};
use crate::auth::who::Who;
use crate::convert::{self, small};
use crate::evidence::Evidence;
use crate::owner::own;
use crate::problem::Refused;
use crate::timeline::{self, Names};
use axum::extract::{Path, State};
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId};
use synaq_core::retention::DataClass;
use synaq_core::session::limits::UNSUPERVISED_COMMISSION;
use synaq_core::session::{Event, EvidenceRef, Fact, State as Known};
use synaq_runtime::{Handle, Snapshot};
use synaq_store::{MessageKind, Recorded};
use synaq_wire::centre::{EvidenceRow, LateAnswer, RecordView, Ruling, SessionDetail};

/// The whole detail; every view is in the audit log.
pub(crate) async fn show(
    State(runtime): State<Handle>,
    State(register): State<Register>,
    State(evidence): State<Arc<dyn Evidence>>,
    State(keeper): State<Keeper>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
) -> Result<axum::Json<SessionDetail>, Refused> {
    let centre = who.staff.centre;
    let snapshot = own(&runtime, centre, &session).await?;
    let id = snapshot.id;
    audit.note(&who, "session_viewed", id.to_string()).await?;
    let names = Names::of(&register.directory, centre).await?;
    let row = register.directory.session(id).await?;
    let log = register.log.load(id, Seq(0)).await?;
    let unsupervised = snapshot.session.unsupervised(keeper.clock.now());
    let state = snapshot.session.state();
    let title = convert::text(&snapshot.session.context().programme.title);
    let summary = summaries(&register.log, &register.lists, &[id]).await?.take(id);
    let (keeping, gone) = keeping::view(&keeper, id, state, row.sitting.closes_at, &names).await?;
    let mut evidence = evidence_rows(evidence, id, &log).await?;
    evidence.retain(|row| !gone.contains(&DataClass::of(&row.name)));
    Ok(axum::Json(SessionDetail {
        row: result_row(row.candidate, row.sitting.title, title, summary),
        timeline: log.iter().filter_map(|recorded| timeline::entry(recorded, &names)).collect(),
        incidents: timeline::incidents(state, &names),
        late_answers: small(state.late_answers.len()),
        late: late(state),
        device_clock_behind_ms: state.device_report.as_ref().and_then(|report| report.clock_behind_ms),
        unsupervised_ms: unsupervised.0,
        validity_must_be_ruled: unsupervised > UNSUPERVISED_COMMISSION,
        ruling: state.ruling.as_ref().map(|ruling| Ruling { valid: ruling.valid, note: ruling.note.clone() }),
        evidence,
        keeping,
        record: record(&register, &snapshot, &names).await?,
    }))
}

fn late(state: &Known) -> Vec<LateAnswer> {
    let rows = state.late_answers.iter();
    rows.map(|(index, answer)| LateAnswer { question: index + 1, at: answer.at.0 }).collect()
}

/// What the log names, and what a crash cut off before the log could.
async fn evidence_rows(
    evidence: Arc<dyn Evidence>,
    session: SessionId,
    log: &[Recorded],
) -> Result<Vec<EvidenceRow>, Refused> {
    let mut rows: Vec<EvidenceRow> = log.iter().filter_map(stored).map(known_row).collect();
    let rows = tokio::task::spawn_blocking(move || {
        let mut names = evidence.names(session).unwrap_or_else(|error| {
            tracing::warn!(%session, %error, "the folder of evidence cannot be listed; the log's list is shown");
            Vec::new()
        });
        names.retain(|name| is_name(name) && !rows.iter().any(|row| row.name == *name));
        for row in rows.iter_mut().filter(|row| is_recorded(&row.name)) {
            // What the disk cannot open is still what the log says was stored.
            if let Ok(opened) = evidence.open(session, &row.name) {
                looked_into(row, opened);
            }
        }
        let unheard = names.into_iter().filter_map(|name| {
            let opened = evidence.open(session, &name).ok()?;
            let mut row = known_row(EvidenceRef { name, sha256: String::new(), bytes: opened.bytes });
            looked_into(&mut row, opened);
            Some(row)
        });
        let mut rows: Vec<_> = unheard.chain(rows.iter().cloned()).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    });
    Ok(rows.await.map_err(|_| synaq_wire::problem::Code::Internal)?)
}

fn stored(recorded: &Recorded) -> Option<EvidenceRef> {
    if !matches!(recorded.kind.as_str(), "photo_stored" | "evidence_stored" | "local_stored") {
        return None;
    }
    match serde_json::from_str::<Event>(&recorded.body).ok()?.fact {
        Fact::PhotoStored { evidence, .. }
        | Fact::LocalStored { evidence, .. }
        | Fact::EvidenceStored { evidence } => Some(evidence),
        _ => None,
    }
}

/// As the log has it. Without a digest, nothing has closed it; a recording that goes on looks the same.
fn known_row(evidence: EvidenceRef) -> EvidenceRow {
    EvidenceRow {
        media_type: media_type(&evidence.name).to_owned(),
        name: evidence.name,
        bytes: evidence.bytes,
        sha256: evidence.sha256,
        unfinished: false,
        parts: 0,
    }
}

fn is_recorded(name: &str) -> bool {
    name.starts_with("webcam-") || is_container(name)
}

/// What only the piece itself tells.
fn looked_into(row: &mut EvidenceRow, mut opened: crate::evidence::Opened) {
    row.unfinished = opened.unfinished;
    if is_container(&row.name) {
        row.parts = stills::count(opened.plain.as_mut(), opened.bytes).unwrap_or_else(|error| {
            tracing::warn!(name = row.name, %error, "a container of stills cannot be read");
            0
        });
    }
}

async fn record(
    register: &Register,
    snapshot: &Snapshot,
    names: &Names,
) -> Result<Option<RecordView>, Refused> {
    let Some(stored) = register.log.record(snapshot.id).await? else { return Ok(None) };
    let deliveries = register.outbox.deliveries(&[snapshot.id]).await?;
    let delivery = deliveries.into_iter().find(|delivery| delivery.message.kind == MessageKind::Record);
    let approved = snapshot.session.state().approved;
    Ok(Some(RecordView {
        sha256: stored.record.sha256.to_string(),
        kid: stored.record.kid,
        sealed_at: stored.record.sealed_at.0,
        payload: String::from_utf8_lossy(&stored.record.payload).into_owned(),
        approved_by: approved.map(|(by, _)| names.get(by)),
        approved_at: approved.map(|(_, at)| at.0),
        delivery: delivery.as_ref().map_or("queued", |delivery| delivery.state.as_str()).to_owned(),
        delivery_detail: delivery.as_ref().and_then(|delivery| delivery.why.clone()),
        platform_ref: delivery.and_then(|delivery| delivery.platform_ref),
    }))
}

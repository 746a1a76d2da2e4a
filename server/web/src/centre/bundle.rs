//! The downloadable bundle: the sealed bytes, their signatures, and what they refer to; `synaq verify` checks it offline.

use super::Audit;
use super::keeping::Keeper;
use super::results::Register;
use crate::auth::who::Who;
use crate::owner::own;
use crate::problem::Refused;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::error::Error;
use synaq_core::ids::{Seq, SessionId};
use synaq_runtime::Handle;
use synaq_seal::Digest;
use synaq_seal::bundle::{Bundle, Event, Evidence};
use synaq_store::{ErasureRow, MessageKind, Recorded, StoredRecord};
use synaq_wire::problem::Code;

/// The bundle of a sealed record.
pub(crate) async fn download(
    State(runtime): State<Handle>,
    State(register): State<Register>,
    State(keeper): State<Keeper>,
    State(audit): State<Audit>,
    Path(session): Path<String>,
    who: Who,
) -> Result<Response, Refused> {
    let id = own(&runtime, who.staff.centre, &session).await?.id;
    let stored = register.log.record(id).await?.ok_or(Code::RecordNotSealed)?;
    let log = register.log.load(id, Seq(0)).await?;
    let deliveries = register.outbox.deliveries(&[id]).await?;
    let record = deliveries.into_iter().find(|delivery| delivery.message.kind == MessageKind::Record);
    let receipt = record.and_then(|delivery| delivery.receipt);
    audit.note(&who, "bundle_downloaded", id.to_string()).await?;
    let erasures = keeper.retention.erasures(id).await?;
    let bytes = bundle(id, &stored, &log, receipt.as_deref(), &erasures).map_err(|error| {
        tracing::error!(session = %id, error = &*error, "a stored record does not make a bundle");
        Refused::from(Code::Internal)
    })?;
    let name = HeaderValue::from_str(&format!("attachment; filename=\"synaq-{id}.json\""));
    let name = name.expect("an id is header text");
    let media_type = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, media_type), (CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// What the bundle takes from the record itself.
#[derive(Deserialize)]
struct Fields {
    event_log: EventLog,
    #[serde(default)]
    evidence: Vec<Listed>,
}

#[derive(Deserialize)]
struct EventLog {
    count: u64,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    sha256: Digest,
    bytes: u64,
}

fn bundle(
    id: SessionId,
    stored: &StoredRecord,
    log: &[Recorded],
    receipt: Option<&str>,
    erasures: &[ErasureRow],
) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let fields: Fields = serde_json::from_slice(&stored.record.payload)?;
    let mut bundle = Bundle::new(serde_json::from_str(&stored.record.jws)?);
    bundle.approvals =
        stored.approvals.iter().map(|jws| serde_json::from_str(jws)).collect::<Result<_, _>>()?;
    // Exactly those that the record counts: its own sealing and approval come behind them.
    let counted = log.iter().take_while(|recorded| recorded.seq.0 <= fields.event_log.count);
    bundle.events = Some(counted.map(|recorded| event(id, recorded)).collect::<Result<_, _>>()?);
    let listed = fields.evidence.into_iter();
    let listed =
        listed.map(|listed| Evidence { name: listed.name, sha256: listed.sha256, bytes: listed.bytes });
    bundle.evidence = Some(listed.collect());
    let statements = erasures.iter().filter_map(|row| row.statement.as_deref());
    bundle.erasures = statements.map(serde_json::from_str).collect::<Result<_, _>>()?;
    bundle.receipt = receipt.map(serde_json::from_str).transpose()?;
    Ok(bundle.to_bytes()?)
}

fn event(id: SessionId, recorded: &Recorded) -> Result<Event, synaq_seal::json::Error> {
    Ok(Event {
        sid: id.to_string(),
        seq: recorded.seq.0,
        at: recorded.at.0,
        kind: recorded.kind.clone(),
        body: synaq_seal::json::parse(recorded.body.as_bytes())?,
        hash: recorded.hash,
    })
}

//! The candidate's own log: what happened in their exam, what was held against them, and the receipts of their answers.
//! Whoever holds the personal link may read it once the exam has ended, for as long as the session is kept: an appeal
//! and a court come later than the end screen (LAW-24, LAW-41).

use super::link::whose;
use super::view::end;
use crate::auth::link::LinkKey;
use crate::auth::rate::{From, Rates};
use crate::body::Json;
use crate::centre::Register;
use crate::centre::profile::Face;
use crate::convert;
use crate::playback::{ClipOf, Player};
use crate::problem::Refused;
use crate::timeline::explained;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use synaq_core::calendar::{APPEAL_CONSIDERED_WORKING_DAYS, APPEAL_WORKING_DAYS};
use synaq_core::ids::{CentreId, Seq};
use synaq_core::proctoring::{Incident, IncidentStatus};
use synaq_core::session::{Consequence, Event, Fact, MessageFrom, Stage, State as Known};
use synaq_core::time::Span;
use synaq_runtime::{Handle, Snapshot, SubmitError};
use synaq_seal::bundle::Event as Sealed;
use synaq_seal::chain;
use synaq_seal::receipts::{ANSWER_KINDS, KIND, Receipt, Receipts, VERSION};
use synaq_store::Recorded;
use synaq_wire::candidate::{OpenLink, Text};
use synaq_wire::own_log::{OwnAnswer, OwnAppeal, OwnIncident, OwnLine, OwnLog};
use synaq_wire::problem::Code;

/// The log; opening it is in the audit log.
pub(crate) async fn show(
    State(player): State<Player>,
    State(register): State<Register>,
    State(face): State<Face>,
    State(links): State<LinkKey>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(body): Json<OpenLink>,
) -> Result<axum::Json<OwnLog>, Refused> {
    let (snapshot, centre) = ended(&body.link, &links, &rates, from, &player.runtime).await?;
    let id = snapshot.id;
    player.views.note_candidate(&player.audit, centre, id, "candidate_log_opened", id.to_string()).await?;
    let row = register.directory.session(id).await?;
    let log = register.log.load(id, Seq(0)).await?;
    let record = register.log.record(id).await?;
    let state = snapshot.session.state();
    let lines = Lines::of(&log);
    Ok(axum::Json(OwnLog {
        session: id.0,
        candidate: row.candidate.candidate.name,
        contacts: face.contacts(&row.centre).await?,
        centre: Text { kk: row.centre.name_kk, ru: row.centre.name_ru },
        programme: convert::text(&snapshot.session.context().programme.title),
        started_at: state.started_at.map(|at| at.0),
        end: end(&snapshot.session, true).ok_or(Code::WrongStage)?,
        lines: lines.lines,
        incidents: state.incidents.iter().map(|incident| own_incident(state, incident)).collect(),
        answers: lines.answers,
        record_sha256: record.map(|record| record.record.sha256.to_string()),
        appeal: OwnAppeal {
            file_working_days: APPEAL_WORKING_DAYS,
            consider_working_days: APPEAL_CONSIDERED_WORKING_DAYS,
        },
        server_time: player.clock.now().0,
    }))
}

/// The receipts as a file that `synaq verify --receipts` holds against the bundle.
pub(crate) async fn receipts(
    State(player): State<Player>,
    State(register): State<Register>,
    State(links): State<LinkKey>,
    State(rates): State<Arc<Rates>>,
    From(from): From,
    Json(body): Json<OpenLink>,
) -> Result<Response, Refused> {
    let (snapshot, centre) = ended(&body.link, &links, &rates, from, &player.runtime).await?;
    let id = snapshot.id;
    let action = "candidate_receipts_downloaded";
    player.views.note_candidate(&player.audit, centre, id, action, id.to_string()).await?;
    let log = register.log.load(id, Seq(0)).await?;
    let record = register.log.record(id).await?;
    let receipts = answers(&id.to_string(), &log).map_err(|error| {
        tracing::error!(session = %id, %error, "stored events do not make receipts");
        Code::Internal
    })?;
    let file = Receipts {
        kind: KIND.to_owned(),
        v: VERSION,
        session: id.to_string(),
        record_sha256: record.map(|record| record.record.sha256),
        receipts,
        device: None,
    };
    let bytes = serde_json::to_vec_pretty(&file).map_err(|_| Code::Internal)?;
    let name = HeaderValue::from_str(&format!("attachment; filename=\"synaq-receipts-{id}.json\""));
    let name = name.expect("an id is header text");
    let media_type = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, media_type), (CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// The session behind a link, once its exam has ended.
pub(super) async fn ended(
    link: &str,
    links: &LinkKey,
    rates: &Rates,
    from: IpAddr,
    runtime: &Handle,
) -> Result<(Snapshot, CentreId), Refused> {
    let session = whose(link, links, rates, from)?;
    let snapshot = match runtime.look(session).await {
        Err(SubmitError::NotFound) => return Err(Code::LinkInvalid.into()),
        looked => looked?,
    };
    let state = snapshot.session.state();
    match (&state.stage, state.centre) {
        (Stage::Closed { .. }, Some(centre)) => Ok((snapshot, centre)),
        _ => Err(Code::WrongStage.into()),
    }
}

fn answers(id: &str, log: &[Recorded]) -> Result<Vec<Receipt>, synaq_seal::json::Error> {
    let before = std::iter::once(chain::GENESIS).chain(log.iter().map(|recorded| recorded.hash));
    let answers = before.zip(log).filter(|(_, recorded)| ANSWER_KINDS.contains(&recorded.kind.as_str()));
    let receipt = |(prev, recorded): (_, &Recorded)| {
        let event = Sealed {
            sid: id.to_owned(),
            seq: recorded.seq.0,
            at: recorded.at.0,
            kind: recorded.kind.clone(),
            body: synaq_seal::json::parse(recorded.body.as_bytes())?,
            hash: recorded.hash,
        };
        Ok(Receipt { prev, event })
    };
    answers.map(receipt).collect()
}

fn own_incident(state: &Known, incident: &Incident) -> OwnIncident {
    let counted = state.violations.iter().find(|violation| violation.incident == incident.no);
    let (outcome, by_person) = match (&incident.status, counted.map(|violation| violation.consequence)) {
        (IncidentStatus::Open, _) => ("open", false),
        (IncidentStatus::Recorded, _) => ("recorded", false),
        (IncidentStatus::Dismissed { .. }, _) => ("dismissed", true),
        (status, consequence) => {
            let outcome = match consequence {
                Some(Consequence::Warning) => "warning",
                Some(Consequence::Termination) => "termination",
                Some(Consequence::None) | None => "without_consequence",
            };
            (outcome, matches!(status, IncidentStatus::ConfirmedHuman { .. }))
        }
    };
    let kept = state.evidence.iter().any(|evidence| evidence.name == ClipOf::Webcam.name(incident.no.0));
    OwnIncident {
        no: incident.no.0,
        code: incident.code.name().to_owned(),
        began_at: incident.began_at.0,
        ended_at: incident.ended_at.map(|at| at.0),
        outcome: outcome.to_owned(),
        by_person,
        // What was written of somebody who was not found at fault is nobody's reason.
        note: incident
            .note
            .clone()
            .filter(|_| matches!(incident.status, IncidentStatus::ConfirmedHuman { .. })),
        explanation: explained(incident),
        clip: kept || counted.is_some(),
    }
}

/// The log, sorted into what is told line by line and what has a receipt.
#[derive(Default)]
struct Lines {
    lines: Vec<OwnLine>,
    answers: Vec<OwnAnswer>,
}

impl Lines {
    fn of(log: &[Recorded]) -> Self {
        let mut all = Self::default();
        for recorded in log {
            let Ok(event) = serde_json::from_str::<Event>(&recorded.body) else { continue };
            let (seq, at, hash) = (recorded.seq.0, recorded.at.0, recorded.hash.to_string());
            if let Some((question, standing)) = answer(&event.fact) {
                let standing = standing.to_owned();
                all.answers.push(OwnAnswer { question: question + 1, seq, at, hash, standing });
            } else if let Some(line) = line(&event.fact) {
                all.lines.push(OwnLine { seq, at, hash, kind: recorded.kind.clone(), ..line });
            }
        }
        all
    }
}

const fn answer(fact: &Fact) -> Option<(u16, &'static str)> {
    match fact {
        Fact::AnswerPut { question, .. } => Some((*question, "counts")),
        Fact::AnswerLate { question, .. } => Some((*question, "late")),
        Fact::AnswerSuperseded { question, .. } => Some((*question, "superseded")),
        _ => None,
    }
}

/// What concerns the candidate of an event; none of what is only between machines, or between members of staff.
fn line(fact: &Fact) -> Option<OwnLine> {
    let plain = OwnLine::default();
    let which = |which: &str| Some(OwnLine { which: Some(which.to_owned()), ..OwnLine::default() });
    let said = |said: &str| Some(OwnLine { said: Some(said.to_owned()), ..OwnLine::default() });
    let lasted = |span: Span, said: Option<&str>| {
        Some(OwnLine {
            seconds: Some(span.0 / 1_000),
            said: said.map(ToOwned::to_owned),
            ..OwnLine::default()
        })
    };
    let incident = |no: u32, which: Option<&str>| {
        Some(OwnLine { incident: Some(no), which: which.map(ToOwned::to_owned), ..OwnLine::default() })
    };
    match fact {
        Fact::DeviceBound { admitted_by, .. } => {
            which(if admitted_by.is_some() { "admitted" } else { "own" })
        }
        Fact::DeviceWaiting { .. }
        | Fact::Connected { .. }
        | Fact::Disconnected { .. }
        | Fact::ConsentGiven { .. }
        | Fact::DeviceChecked { .. }
        | Fact::IdentitySubmitted
        | Fact::Admitted { .. }
        | Fact::FormDrawn { .. }
        | Fact::Started { .. }
        | Fact::RecordingBegan
        | Fact::RecordingEnded
        | Fact::WarningDisplayed { .. }
        | Fact::WarningAcknowledged { .. }
        | Fact::WarningEffective { .. }
        | Fact::Resumed { .. }
        | Fact::HelpAsked
        | Fact::HelpAnswered { .. }
        | Fact::RecordSealed { .. }
        | Fact::RecordApproved { .. }
        | Fact::BreakAsked { .. }
        | Fact::BreakWithdrawn
        | Fact::BreakEnded { .. }
        | Fact::RecheckWithdrawn { .. }
        | Fact::GestureAsked { .. }
        | Fact::GestureWithdrawn { .. }
        | Fact::AccommodationChanged { .. }
        | Fact::AttemptVoided { .. } => Some(plain),
        Fact::BreakGranted { stops_clock, .. } => which(if *stops_clock { "stands" } else { "runs" }),
        Fact::RecheckRuled { accepted, .. } | Fact::GestureJudged { accepted, .. } => {
            which(if *accepted { "accepted" } else { "not_accepted" })
        }
        Fact::GestureAnswered { alternative } => which(if *alternative { "alternative" } else { "gesture" }),
        Fact::ExamCalledOff { called_off, .. } => which(if called_off.is_some() { "off" } else { "on" }),
        Fact::LanguageChosen { lang } => which(&format!("{lang:?}").to_lowercase()),
        Fact::PhotoStored { kind, .. } => which(convert::photo_name(*kind)),
        Fact::Acknowledged { text, .. } => which(serde_json::to_value(text).ok()?.as_str()?),
        Fact::IdentityAskedAgain { reason, .. }
        | Fact::Paused { reason, .. }
        | Fact::BreakRefused { reason, .. }
        | Fact::RecheckAsked { reason, .. }
        | Fact::SittingMoved { reason, .. } => said(reason),
        Fact::IncidentOpened { no, code, .. } => incident(no.0, Some(code.name())),
        Fact::IncidentConfirmed { no, .. }
        | Fact::IncidentDismissed { no, .. }
        | Fact::IncidentReopened { no, .. } => incident(no.0, None),
        Fact::ViolationCounted { incident: no, consequence, .. } => {
            incident(no.0, Some(convert::consequence(*consequence)))
        }
        Fact::TimeCredited { span, reason, .. } | Fact::TimeExtended { span, reason, .. } => {
            lasted(*span, Some(reason))
        }
        Fact::DowntimeCredited { span, .. } => lasted(span.to - span.from, None),
        Fact::MediaChanged { video, audio } => which(match (video, audio) {
            (true, true) => "both",
            (true, false) => "video",
            (false, true) => "audio",
            (false, false) => "none",
        }),
        Fact::ScreenChanged { live } => which(if *live { "on" } else { "off" }),
        Fact::MediaStepped { step, .. } => which(step.name()),
        Fact::MessageSent { from, text } => Some(OwnLine {
            which: Some(if *from == MessageFrom::Candidate { "candidate" } else { "proctor" }.to_owned()),
            said: Some(text.clone()),
            ..OwnLine::default()
        }),
        Fact::Closed { finish, .. } => which(finish.name()),
        _ => None,
    }
}

//! A session's log and incidents as staff read them: who, when, what; never an answer.

use crate::convert;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use synaq_core::ids::{CentreId, IncidentNo, StaffId};
use synaq_core::proctoring::{Explanation, Finding, Incident, IncidentStatus, Said, Source, explanation};
use synaq_core::session::{Event, ExamSession, Fact, Finish, State};
use synaq_store::{Directory, Error, Recorded};
use synaq_wire::proctor::{ExplanationView, FindingView, IncidentView, TimelineEntry};

/// Full names of a centre's staff.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(HashMap<StaffId, String>);

impl Names {
    pub(crate) async fn of(directory: &Arc<dyn Directory>, centre: CentreId) -> Result<Self, Error> {
        let staff = directory.staff_of(centre).await?;
        Ok(Self(staff.into_iter().map(|staff| (staff.id, staff.name)).collect()))
    }

    /// The name; the id of somebody who came after the names were read.
    pub(crate) fn get(&self, id: StaffId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Those that wait for a person, oldest first.
pub(crate) fn open_incidents(session: &ExamSession) -> Vec<IncidentView> {
    let (state, nobody) = (session.state(), Names::default());
    let mut open: Vec<&Incident> = session.open_human_incidents().collect();
    open.sort_by_key(|incident| (incident.began_at, incident.no));
    open.into_iter().map(|incident| incident_view(state, incident, &nobody)).collect()
}

/// All incidents, newest first.
pub(crate) fn incidents(state: &State, names: &Names) -> Vec<IncidentView> {
    state.incidents.iter().rev().map(|incident| incident_view(state, incident, names)).collect()
}

fn incident_view(state: &State, incident: &Incident, names: &Names) -> IncidentView {
    let by = match &incident.status {
        IncidentStatus::ConfirmedHuman { by, .. } | IncidentStatus::Dismissed { by, .. } => {
            Some(names.get(*by))
        }
        _ => None,
    };
    let counted = state.violations.iter().find(|violation| violation.incident == incident.no);
    IncidentView {
        no: incident.no.0,
        code: incident.code.name().to_owned(),
        class: convert::class(incident.class).to_owned(),
        source: convert::source(incident.source).to_owned(),
        began_at: incident.began_at.0,
        ended_at: incident.ended_at.map(|at| at.0),
        status: convert::status(&incident.status).to_owned(),
        by,
        consequence: counted.map(|violation| convert::consequence(violation.consequence).to_owned()),
        note: incident.note.clone(),
        finding: incident.finding.as_ref().map(finding),
        explanation: explained(incident),
    }
}

/// A detector's condition says more than its code: dark and covered share one.
pub(crate) fn explained(incident: &Incident) -> Option<ExplanationView> {
    let by_condition = incident.finding.as_ref().and_then(|finding| explanation(&finding.measured.condition));
    // What a person saw needs no words of ours.
    let by_code = || explanation(incident.code.name()).filter(|_| incident.source != Source::Proctor);
    by_condition.or_else(by_code).map(explanation_view)
}

fn finding(finding: &Finding) -> FindingView {
    let Finding { confidence_pct, measured } = finding.clone();
    FindingView {
        detector: measured.detector,
        version: measured.version,
        condition: measured.condition,
        confidence_pct,
        score_milli: measured.score_milli,
        threshold_milli: measured.threshold_milli,
        picture_at: measured.picture_at.map(|at| at.0),
        picture_sha256: measured.picture_sha256,
        shown: measured.shown,
        could_not_tell: measured.could_not_tell,
    }
}

fn explanation_view(words: &Explanation) -> ExplanationView {
    let said = |said: Said| synaq_wire::proctor::Said {
        kk: said.kk.to_owned(),
        ru: said.ru.to_owned(),
        en: said.en.to_owned(),
    };
    ExplanationView { seen: said(words.seen), not_meant: said(words.not_meant) }
}

/// A line of the timeline; `None` if the stored body is no event, which the log's own check reports.
pub(crate) fn entry(recorded: &Recorded, names: &Names) -> Option<TimelineEntry> {
    let event: Event = serde_json::from_str(&recorded.body).ok()?;
    Some(TimelineEntry {
        seq: recorded.seq.0,
        at: recorded.at.0,
        kind: recorded.kind.clone(),
        by: by(&event.fact).map(|id| names.get(id)),
        what: what(&event.fact),
    })
}

const fn by(fact: &Fact) -> Option<StaffId> {
    match fact {
        Fact::DeviceBound { admitted_by: by, .. }
        | Fact::IncidentConfirmed { by, .. }
        | Fact::BreakEnded { by } => *by,
        Fact::IdentityAskedAgain { by, .. }
        | Fact::Admitted { by }
        | Fact::IncidentDismissed { by, .. }
        | Fact::IncidentReopened { by, .. }
        | Fact::Paused { by, .. }
        | Fact::Resumed { by, .. }
        | Fact::BreakGranted { by, .. }
        | Fact::BreakRefused { by, .. }
        | Fact::RecheckAsked { by, .. }
        | Fact::RecheckRuled { by, .. }
        | Fact::RecheckWithdrawn { by }
        | Fact::GesturePlanned { by, .. }
        | Fact::GestureJudged { by, .. }
        | Fact::GestureWithdrawn { by }
        | Fact::TimeCredited { by, .. }
        | Fact::TimeExtended { by, .. }
        | Fact::HelpAnswered { by }
        | Fact::EndProposed { by, .. }
        | Fact::EndWithdrawn { by }
        | Fact::RecordApproved { by, .. }
        | Fact::SittingMoved { by: Some(by), .. }
        | Fact::AccommodationChanged { by: Some(by), .. }
        | Fact::ExamCalledOff { by: Some(by), .. }
        | Fact::AttemptVoided { voided: synaq_core::session::Voided { by, .. } }
        | Fact::Closed { finish: Finish::Staff { by, .. }, .. }
        | Fact::MessageSent { from: synaq_core::session::MessageFrom::Staff(by), .. } => Some(*by),
        _ => None,
    }
}

fn what(fact: &Fact) -> Option<String> {
    let numbered = |no: &IncidentNo, rest: &dyn Display| Some(format!("#{} {rest}", no.0));
    match fact {
        Fact::DeviceBound { epoch, .. } => Some(epoch.0.to_string()),
        Fact::Disconnected { reason, .. }
        | Fact::IdentityAskedAgain { reason, .. }
        | Fact::BreakRefused { reason, .. }
        | Fact::RecheckAsked { reason, .. }
        | Fact::Paused { reason, .. } => Some(reason.clone()),
        Fact::BreakAsked { why } => Some(why.name().to_owned()),
        Fact::BreakGranted { until, stops_clock, .. } => {
            Some(format!("{until} {}", if *stops_clock { "clock_stands" } else { "clock_runs" }))
        }
        Fact::GesturePlanned { gesture, .. } | Fact::GestureAsked { gesture } => {
            Some(gesture.name().to_owned())
        }
        Fact::GestureAnswered { alternative } => {
            Some(if *alternative { "alternative" } else { "shown" }.to_owned())
        }
        Fact::RecheckRuled { accepted, note, .. } | Fact::GestureJudged { accepted, note, .. } => {
            let word = if *accepted { "accepted" } else { "not_accepted" };
            Some(note.as_ref().map_or_else(|| word.to_owned(), |note| format!("{word}: {note}")))
        }
        Fact::SittingMoved { reason, .. } | Fact::AccommodationChanged { reason, .. } => Some(reason.clone()),
        Fact::ExamCalledOff { called_off, .. } => called_off.as_ref().map(|off| off.reason.clone()),
        Fact::AttemptVoided { voided } => Some(format!("{}: {}", voided.ground, voided.reason)),
        Fact::LanguageChosen { lang } => Some(format!("{lang:?}").to_lowercase()),
        Fact::ConsentGiven { text_version, .. } => Some(text_version.clone()),
        Fact::Acknowledged { text, .. } => serde_json::to_value(text).ok()?.as_str().map(ToOwned::to_owned),
        Fact::PhotoStored { evidence, .. } | Fact::EvidenceStored { evidence } => Some(evidence.name.clone()),
        Fact::EvidenceOpened { name } => Some(name.clone()),
        // The question's number, as on the candidate's screen; never what was chosen.
        Fact::AnswerPut { question, .. }
        | Fact::AnswerLate { question, .. }
        | Fact::AnswerSuperseded { question, .. }
        | Fact::Flagged { question, .. } => Some((u32::from(*question) + 1).to_string()),
        Fact::DetectorReported { event } => Some(event.code.name().to_owned()),
        Fact::IncidentOpened { no, code, .. } => numbered(no, code),
        Fact::IncidentReopened { no, .. } | Fact::DismissalFinal { no } => Some(format!("#{}", no.0)),
        Fact::IncidentSeen { no, .. } | Fact::IncidentEnded { no, .. } | Fact::IncidentRecorded { no } => {
            Some(format!("#{}", no.0))
        }
        Fact::IncidentConfirmed { no, note, .. } | Fact::IncidentDismissed { no, note, .. } => {
            numbered(no, &note.as_deref().unwrap_or_default()).map(|text| text.trim_end().to_owned())
        }
        Fact::ViolationCounted { incident, consequence, .. } => {
            numbered(incident, &convert::consequence(*consequence))
        }
        Fact::TimeCredited { span, reason, .. } | Fact::TimeExtended { span, reason, .. } => {
            Some(format!("{} s: {reason}", span.0 / 1_000))
        }
        Fact::ClockStepped { from, to } => Some(format!("-{} s", (*from - *to).0 / 1_000)),
        Fact::DowntimeCredited { span, .. } => Some(format!("{} s", (span.to - span.from).0 / 1_000)),
        Fact::MediaChanged { video, audio } => Some(format!("video {video}, audio {audio}")),
        Fact::ScreenChanged { live } => Some(if *live { "screen on" } else { "screen off" }.to_owned()),
        Fact::MediaStepped { step, why } => Some(format!("{}: {}", step.name(), why.name())),
        Fact::LocalKept { pieces } => Some(pieces.to_string()),
        Fact::LocalStored { evidence, span, .. } => Some(format!("{}, {} s", evidence.name, span.0 / 1_000)),
        Fact::EvidenceGap { span, why, .. } => Some(format!("{} ms: {why}", span.0)),
        Fact::MessageSent { text, .. } => Some(text.clone()),
        Fact::EndProposed { why, note, .. } => Some(format!("{}: {note}", convert::end_reason(*why))),
        Fact::Closed { finish, note } => {
            let note = note.as_deref().map_or(String::new(), |note| format!(": {note}"));
            Some(format!("{}{note}", finish.name()))
        }
        Fact::RecordSealed { sha256, .. } | Fact::RecordApproved { sha256, .. } => Some(sha256.clone()),
        _ => None,
    }
}

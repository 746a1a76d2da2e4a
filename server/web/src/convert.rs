//! Core's nouns as the wire spells them.

use synaq_core::bank;
use synaq_core::proctoring::{Class, Code as IncidentCode, Incident, IncidentStatus, Source};
use synaq_core::session::{
    BreakWhy as CoreBreakWhy, Consequence, Gesture as CoreGesture, MediaStep as CoreStep, PhotoKind,
    StaffEndReason, Stage as CoreStage, State,
};
use synaq_store::Role as StoreRole;
use synaq_wire::candidate::{BreakView, BreakWhy, Gesture, Lang, MediaStep, Stage, Text};
use synaq_wire::staff::Role;

pub(crate) const fn lang(lang: bank::Lang) -> Lang {
    match lang {
        bank::Lang::Kk => Lang::Kk,
        bank::Lang::Ru => Lang::Ru,
        bank::Lang::En => Lang::En,
    }
}

pub(crate) const fn core_lang(lang: Lang) -> bank::Lang {
    match lang {
        Lang::Kk => bank::Lang::Kk,
        Lang::Ru => bank::Lang::Ru,
        Lang::En => bank::Lang::En,
    }
}

pub(crate) const fn media_step(step: CoreStep) -> MediaStep {
    match step {
        CoreStep::Full => MediaStep::Full,
        CoreStep::Small => MediaStep::Small,
        CoreStep::Stills => MediaStep::Stills,
        CoreStep::Signals => MediaStep::Signals,
    }
}

pub(crate) const fn break_why(why: CoreBreakWhy) -> BreakWhy {
    match why {
        CoreBreakWhy::Toilet => BreakWhy::Toilet,
        CoreBreakWhy::Illness => BreakWhy::Illness,
    }
}

pub(crate) const fn gesture(gesture: CoreGesture) -> Gesture {
    match gesture {
        CoreGesture::RaiseHand => Gesture::RaiseHand,
        CoreGesture::TurnHead => Gesture::TurnHead,
        CoreGesture::HandOnShoulder => Gesture::HandOnShoulder,
        CoreGesture::BlankSheet => Gesture::BlankSheet,
    }
}

/// A break, as both seats see it.
pub(crate) fn away(state: &State) -> Option<BreakView> {
    state.away.as_ref().map(|away| BreakView {
        why: break_why(away.why),
        asked_at: away.asked_at.0,
        until: away.until().map(|at| at.0),
        stops_clock: away.granted.as_ref().is_some_and(|granted| granted.stops_clock),
    })
}

pub(crate) fn text(text: &bank::Text) -> Text {
    Text { kk: text.kk.clone(), ru: text.ru.clone() }
}

pub(crate) const fn store_role(role: Role) -> StoreRole {
    match role {
        Role::Centre => StoreRole::Centre,
        Role::Proctor => StoreRole::Proctor,
        Role::Commission => StoreRole::Commission,
        Role::Author => StoreRole::Author,
        Role::Auditor => StoreRole::Auditor,
    }
}

pub(crate) const fn role(role: StoreRole) -> Role {
    match role {
        StoreRole::Centre => Role::Centre,
        StoreRole::Proctor => Role::Proctor,
        StoreRole::Commission => Role::Commission,
        StoreRole::Author => Role::Author,
        StoreRole::Auditor => Role::Auditor,
    }
}

pub(crate) const fn stage(stage: &CoreStage) -> Stage {
    match stage {
        CoreStage::Absent | CoreStage::Preparing => Stage::Preparing,
        CoreStage::Running { paused_since: None, .. } => Stage::Running,
        CoreStage::Running { paused_since: Some(_), .. } => Stage::Paused,
        CoreStage::Closed { .. } => Stage::Closed,
    }
}

pub(crate) const fn end_reason(why: StaffEndReason) -> &'static str {
    match why {
        StaffEndReason::Safety => "safety",
        StaffEndReason::Technical => "technical",
        StaffEndReason::CandidateRequest => "candidate_request",
        StaffEndReason::Impersonation => "impersonation",
    }
}

pub(crate) const fn class(class: Class) -> &'static str {
    match class {
        Class::Auto => "auto",
        Class::Human => "human",
        Class::Info => "info",
    }
}

pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Client => "client",
        Source::Server => "server",
        Source::Model => "model",
        Source::Proctor => "proctor",
    }
}

pub(crate) const fn status(status: &IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::ConfirmedAuto { .. } => "confirmed_auto",
        IncidentStatus::ConfirmedHuman { .. } => "confirmed_human",
        IncidentStatus::Dismissed { .. } => "dismissed",
        IncidentStatus::Recorded => "recorded",
    }
}

pub(crate) const fn consequence(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::Warning => "warning",
        Consequence::Termination => "termination",
        Consequence::None => "none",
    }
}

pub(crate) const fn photo_name(kind: PhotoKind) -> &'static str {
    match kind {
        PhotoKind::Face => "face",
        PhotoKind::Document => "document",
    }
}

pub(crate) fn photo_kind(name: &str) -> Option<PhotoKind> {
    [PhotoKind::Face, PhotoKind::Document].into_iter().find(|kind| photo_name(*kind) == name)
}

/// A count for the wire; nothing of a session comes near the bound.
pub(crate) fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The incident of that number.
pub(crate) fn incident(state: &State, no: synaq_core::ids::IncidentNo) -> Option<&Incident> {
    state.incidents.iter().find(|incident| incident.no == no)
}

/// Every code of the catalogue, as rows for a list of reasons.
pub(crate) fn codes() -> Vec<synaq_wire::proctor::CodeRow> {
    let row = |code: &IncidentCode| synaq_wire::proctor::CodeRow {
        code: code.name().to_owned(),
        class: class(code.default_rule().class).to_owned(),
        technical: code.is_technical(),
    };
    IncidentCode::ALL.iter().map(row).collect()
}

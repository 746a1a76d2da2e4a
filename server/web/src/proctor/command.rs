//! A proctor's command as core's.

use synaq_core::bank::Lang;
use synaq_core::ids::{IncidentNo, SocketId};
use synaq_core::session::{Gesture as CoreGesture, PhotosSeen, StaffCommand, StaffEndReason};
use synaq_core::time::{At, Span};
use synaq_wire::candidate::Gesture;
use synaq_wire::problem::{Code, Problem};
use synaq_wire::proctor::{EndWhy, EverybodyAct, ProctorCommand};

/// Core's command; `out_of_limits` where a code is none of the catalogue.
pub(super) fn command(command: ProctorCommand) -> Result<StaffCommand, Problem> {
    use ProctorCommand as C;
    Ok(match command {
        C::Admit { seen } => StaffCommand::Admit { seen: seen.map(photos) },
        C::AskAgain { reason } => StaffCommand::AskAgain { reason },
        C::AdmitDevice { waiting } => StaffCommand::AdmitDevice { waiting: waiting.map(SocketId) },
        C::Say { text } => StaffCommand::Say(text),
        C::Confirm { incident, began_at, warnings_seen, note } => StaffCommand::Confirm {
            incident: IncidentNo(incident),
            began_at: At(began_at),
            warnings_seen,
            note,
        },
        C::Dismiss { incident, note, undo: Some(true) } => {
            StaffCommand::SetAside { incident: IncidentNo(incident), note }
        }
        C::Dismiss { incident, note, .. } => StaffCommand::Dismiss { incident: IncidentNo(incident), note },
        C::UndoDismiss { incident } => StaffCommand::UndoDismiss { incident: IncidentNo(incident) },
        C::Record { code, began_at, warnings_seen, note } => {
            let detail = "code is not in the catalogue of incident codes";
            let code = code.parse().map_err(|_| Problem::new(Code::OutOfLimits).detail(detail))?;
            StaffCommand::Record { code, began_at: At(began_at), warnings_seen, note }
        }
        C::Pause { reason } => StaffCommand::Pause { reason },
        C::Resume => StaffCommand::Resume,
        C::Credit { span_ms, reason } => StaffCommand::Credit { span: Span(span_ms), reason },
        C::Extend { span_ms, reason } => StaffCommand::Extend { span: Span(span_ms), reason },
        C::End { why, note } => StaffCommand::End { why: reason(why), note },
        C::WithdrawEnd => StaffCommand::WithdrawEnd,
        C::GrantBreak { minutes } => StaffCommand::GrantBreak { minutes },
        C::RefuseBreak { reason } => StaffCommand::RefuseBreak { reason },
        C::EndBreak => StaffCommand::EndBreak,
        C::AskRecheck { reason, stop_clock: stop } => StaffCommand::AskRecheck { reason, stop },
        C::RuleRecheck { accepted, seen, note } => {
            StaffCommand::RuleRecheck { accepted, seen: seen.map(photos), note }
        }
        C::WithdrawRecheck => StaffCommand::WithdrawRecheck,
        C::PlanGesture { gesture, after_ms } => {
            StaffCommand::PlanGesture { gesture: core_gesture(gesture), after: Span(after_ms) }
        }
        C::JudgeGesture { accepted, note } => StaffCommand::JudgeGesture { accepted, note },
        C::WithdrawGesture => StaffCommand::WithdrawGesture,
    })
}

/// The same for somebody who reads in `lang`.
pub(super) fn for_everybody(act: EverybodyAct, lang: Option<Lang>) -> StaffCommand {
    match act {
        EverybodyAct::Say { kk, ru, en } => StaffCommand::Say(match lang {
            Some(Lang::Ru) => ru,
            Some(Lang::En) => en,
            Some(Lang::Kk) | None => kk,
        }),
        EverybodyAct::Pause { reason } => StaffCommand::PauseEverybody { reason },
        EverybodyAct::Resume => StaffCommand::ResumeEverybody,
    }
}

fn photos(seen: synaq_wire::proctor::PhotosSeen) -> PhotosSeen {
    PhotosSeen { face: seen.face, document: seen.document }
}

const fn core_gesture(gesture: Gesture) -> CoreGesture {
    match gesture {
        Gesture::RaiseHand => CoreGesture::RaiseHand,
        Gesture::TurnHead => CoreGesture::TurnHead,
        Gesture::HandOnShoulder => CoreGesture::HandOnShoulder,
        Gesture::BlankSheet => CoreGesture::BlankSheet,
    }
}

const fn reason(why: EndWhy) -> StaffEndReason {
    match why {
        EndWhy::Safety => StaffEndReason::Safety,
        EndWhy::Technical => StaffEndReason::Technical,
        EndWhy::CandidateRequest => StaffEndReason::CandidateRequest,
        EndWhy::Impersonation => StaffEndReason::Impersonation,
    }
}

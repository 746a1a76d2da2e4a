//! A proctor's command as core's.

use synaq_core::ids::{IncidentNo, SocketId};
use synaq_core::session::{PhotosSeen, StaffCommand, StaffEndReason};
use synaq_core::time::{At, Span};
use synaq_wire::problem::{Code, Problem};
use synaq_wire::proctor::{EndWhy, ProctorCommand};

/// Core's command; `out_of_limits` where a code is none of the catalogue.
pub(super) fn command(command: ProctorCommand) -> Result<StaffCommand, Problem> {
    use ProctorCommand as C;
    Ok(match command {
        C::Admit { seen } => StaffCommand::Admit {
            seen: seen.map(|seen| PhotosSeen { face: seen.face, document: seen.document }),
        },
        C::AskAgain { reason } => StaffCommand::AskAgain { reason },
        C::AdmitDevice { waiting } => StaffCommand::AdmitDevice { waiting: waiting.map(SocketId) },
        C::Say { text } => StaffCommand::Say(text),
        C::Confirm { incident, began_at, warnings_seen, note } => StaffCommand::Confirm {
            incident: IncidentNo(incident),
            began_at: At(began_at),
            warnings_seen,
            note,
        },
        C::Dismiss { incident, note } => StaffCommand::Dismiss { incident: IncidentNo(incident), note },
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
    })
}

const fn reason(why: EndWhy) -> StaffEndReason {
    match why {
        EndWhy::Safety => StaffEndReason::Safety,
        EndWhy::Technical => StaffEndReason::Technical,
        EndWhy::CandidateRequest => StaffEndReason::CandidateRequest,
        EndWhy::Impersonation => StaffEndReason::Impersonation,
    }
}

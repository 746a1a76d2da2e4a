//! A frame's command as core's: bounded and spelled out, nothing judged.

use std::collections::BTreeSet;
use synaq_core::form::Seed;
use synaq_core::ids::hex32;
use synaq_core::proctoring::SignalPhase as CorePhase;
use synaq_core::session::{
    AcknowledgedText as CoreText, BreakWhy as CoreBreakWhy, Command, DeviceReport as CoreReport,
    MediaStep as CoreStep, StepWhy as CoreWhy,
};
use synaq_core::time::Span;
use synaq_wire::candidate::{
    AcknowledgedText, BreakWhy, CandidateCommand, DeviceReport, MediaStep, SignalPhase, StepWhy,
};
use synaq_wire::problem::{Code, Problem};

use crate::convert::core_lang;

/// Core's command; `out_of_limits` where a text is no code or no nonce.
pub(super) fn command(command: CandidateCommand) -> Result<Command, Problem> {
    use CandidateCommand as C;
    Ok(match command {
        C::ChooseLanguage { lang } => Command::ChooseLanguage(core_lang(lang)),
        C::Consent { text_version, lang } => Command::Consent { text_version, lang: core_lang(lang) },
        C::CheckDevice { report } => Command::CheckDevice(device_report(report)),
        C::SubmitIdentity => Command::SubmitIdentity,
        C::Acknowledge { text: which, text_version, lang } => {
            Command::Acknowledge { text: text(which), text_version, lang: core_lang(lang) }
        }
        C::Ready { nonce } => Command::Ready { nonce: seed(&nonce)? },
        C::Begin => Command::Begin,
        C::Answer { question, shown } => Command::Answer { question, shown: places(&shown)? },
        C::Flag { question, on } => Command::Flag { question, on },
        C::Signal { code, phase: which, ago_ms, note } => {
            let code = code.parse().map_err(|_| refused("code is not in the catalogue of incident codes"))?;
            Command::Signal { code, phase: phase(which), ago: Span(ago_ms), note }
        }
        C::StepMedia { step, why } => Command::StepMedia { step: media_step(step), why: step_why(why) },
        C::KeepLocal { pieces } => Command::KeepLocal { pieces },
        C::Prompt { open } => Command::Prompt { open },
        C::WarningDisplayed { ordinal } => Command::WarningDisplayed { ordinal },
        C::AcknowledgeWarning { ordinal } => Command::AcknowledgeWarning { ordinal },
        C::AskBreak { why } => Command::AskBreak(match why {
            BreakWhy::Toilet => CoreBreakWhy::Toilet,
            BreakWhy::Illness => CoreBreakWhy::Illness,
        }),
        C::WithdrawBreak => Command::WithdrawBreak,
        C::ReturnFromBreak => Command::ReturnFromBreak,
        C::AnswerGesture { alternative } => Command::AnswerGesture { alternative },
        C::CallProctor => Command::CallProctor,
        C::Say { text } => Command::Say(text),
        C::HandIn => Command::HandIn,
        C::Drained => Command::Drained,
    })
}

fn refused(detail: &str) -> Problem {
    Problem::new(Code::OutOfLimits).detail(detail)
}

fn seed(nonce: &str) -> Result<Seed, Problem> {
    hex32::decode(nonce).map(Seed).ok_or_else(|| refused("nonce is 64 lower-case hex digits"))
}

fn places(shown: &[u8]) -> Result<BTreeSet<u8>, Problem> {
    let places: BTreeSet<u8> = shown.iter().copied().collect();
    if places.len() == shown.len() {
        return Ok(places);
    }
    Err(Problem::new(Code::NoSuchOption).detail("an option is named twice"))
}

const fn text(text: AcknowledgedText) -> CoreText {
    match text {
        AcknowledgedText::Methodology => CoreText::Methodology,
        AcknowledgedText::AppealProcedure => CoreText::AppealProcedure,
        AcknowledgedText::ForbiddenItems => CoreText::ForbiddenItems,
        AcknowledgedText::Conduct => CoreText::Conduct,
    }
}

const fn media_step(step: MediaStep) -> CoreStep {
    match step {
        MediaStep::Full => CoreStep::Full,
        MediaStep::Small => CoreStep::Small,
        MediaStep::Stills => CoreStep::Stills,
        MediaStep::Signals => CoreStep::Signals,
    }
}

const fn step_why(why: StepWhy) -> CoreWhy {
    match why {
        StepWhy::WeakLine => CoreWhy::WeakLine,
        StepWhy::NoPath => CoreWhy::NoPath,
        StepWhy::AnswersFirst => CoreWhy::AnswersFirst,
        StepWhy::Recovered => CoreWhy::Recovered,
    }
}

const fn phase(phase: SignalPhase) -> CorePhase {
    match phase {
        SignalPhase::Begin => CorePhase::Begin,
        SignalPhase::Seen => CorePhase::Seen,
        SignalPhase::RestoreFailed => CorePhase::RestoreFailed,
        SignalPhase::End => CorePhase::End,
    }
}

fn device_report(report: DeviceReport) -> CoreReport {
    CoreReport {
        camera: report.camera,
        microphone: report.microphone,
        connection: report.connection,
        round_trip_ms: report.round_trip_ms,
        camera_label: report.camera_label,
        browser: report.browser,
        second_screen: report.second_screen,
        screen: report.screen,
        // The seal's JSON has integers of 53 bits.
        clock_behind_ms: report.clock_behind_ms.filter(|ms| ms.unsigned_abs() < 1 << 53),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(code: &str) -> CandidateCommand {
        CandidateCommand::Signal { code: code.to_owned(), phase: SignalPhase::Begin, ago_ms: 0, note: None }
    }

    #[test]
    fn what_cannot_be_spelled_in_core_is_refused_by_name() {
        let twice = CandidateCommand::Answer { question: 0, shown: vec![1, 1] };
        let nonce = |nonce: &str| CandidateCommand::Ready { nonce: nonce.to_owned() };
        for (bad, code) in [
            (signal("NO_SUCH_CODE"), Code::OutOfLimits),
            (signal(""), Code::OutOfLimits),
            (nonce("abc"), Code::OutOfLimits),
            (nonce(&"A".repeat(64)), Code::OutOfLimits),
            (twice, Code::NoSuchOption),
        ] {
            assert_eq!(command(bad).unwrap_err().code, code);
        }
        assert!(command(signal("WINDOW_BLUR")).is_ok());
        assert!(command(nonce(&"0a".repeat(32))).is_ok());
    }
}

//! What the borrowed `candidate/command.rs` takes from its crate.

use synaq_core::bank;
use synaq_core::session::{MediaStep as CoreStep, StepWhy as CoreWhy};
use synaq_wire::candidate::{Lang, MediaStep, StepWhy};

pub(crate) const fn core_lang(lang: Lang) -> bank::Lang {
    match lang {
        Lang::Kk => bank::Lang::Kk,
        Lang::Ru => bank::Lang::Ru,
        Lang::En => bank::Lang::En,
    }
}

pub(crate) const fn core_media_step(step: MediaStep) -> CoreStep {
    match step {
        MediaStep::Full => CoreStep::Full,
        MediaStep::Small => CoreStep::Small,
        MediaStep::Stills => CoreStep::Stills,
        MediaStep::Signals => CoreStep::Signals,
    }
}

pub(crate) const fn step_why(why: StepWhy) -> CoreWhy {
    match why {
        StepWhy::WeakLine => CoreWhy::WeakLine,
        StepWhy::NoPath => CoreWhy::NoPath,
        StepWhy::AnswersFirst => CoreWhy::AnswersFirst,
        StepWhy::Recovered => CoreWhy::Recovered,
    }
}

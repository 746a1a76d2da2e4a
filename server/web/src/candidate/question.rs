//! The text of one question, for the one who sits the exam, while the clock runs.

use crate::convert::small;
use synaq_core::bank::{Kind, Lang};
use synaq_core::session::{ExamSession, Stage};
use synaq_core::time::At;
use synaq_wire::candidate::ItemView;
use synaq_wire::problem::{Code, Problem};

/// Question `index` in the candidate's language and order of options. No key, no weight, no id of the bank.
pub(super) fn question(session: &ExamSession, index: u16, at: At) -> Result<ItemView, Problem> {
    let state = session.state();
    match &state.stage {
        Stage::Running { .. } => {}
        Stage::Closed { .. } => return Err(Problem::new(Code::ExamEnded)),
        Stage::Absent | Stage::Preparing => return Err(Problem::new(Code::WrongStage)),
    }
    if session.questions_covered(at) {
        return Err(Problem::new(Code::WrongStage).detail("the questions are covered now"));
    }
    let form = state.form.as_deref().ok_or_else(|| Problem::new(Code::WrongStage))?;
    let missing = || Problem::new(Code::NoSuchQuestion);
    let place = form.questions.get(usize::from(index)).ok_or_else(missing)?;
    let item = session.context().bank.item(&place.item).ok_or_else(missing)?;
    let lang = state.lang.unwrap_or(Lang::Kk);
    let options = place.options.iter().filter_map(|option| item.options.get(usize::from(*option)));
    Ok(ItemView {
        index: small(usize::from(index)),
        multiple: item.kind == Kind::Multi,
        text: item.text.get(lang).to_owned(),
        options: options.map(|option| option.text.get(lang).to_owned()).collect(),
    })
}

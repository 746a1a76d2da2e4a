//! What the centre changes before the exam begins, and what it says of an attempt afterwards.

use super::{Deciding, within};
use crate::ids::{SessionId, StaffId};
use crate::session::event::{Fact, Voided};
use crate::session::input::{Arrangement, Refusal};
use crate::session::limits::{EXTRA_MAX, LABEL_CHARS, REASON_CHARS};
use crate::session::state::{ExamSession, Stage, State, TimeChangeKind};
use crate::time::Span;

impl Deciding<'_> {
    /// Only what differs, and only before the start: a clock that runs is the proctor's matter, with a reason of its own.
    pub(super) fn arrange(&mut self, arrangement: Arrangement) -> Result<(), Refusal> {
        if !matches!(self.state().stage, Stage::Preparing) {
            return Ok(());
        }
        let note = arrangement.care.note.as_deref().unwrap_or_default();
        within(note, 0, REASON_CHARS)?;
        within(&arrangement.reason, 0, REASON_CHARS)?;
        if arrangement.opens_at >= arrangement.closes_at
            || !(Span::ZERO..=EXTRA_MAX).contains(&arrangement.extra)
        {
            return Err(Refusal::OutOfLimits);
        }
        let Differences { times, accommodation, called_off } = self.session.differs(&arrangement);
        let Arrangement { opens_at, closes_at, extra, switched_off, care, by, reason, .. } = arrangement;
        if times {
            self.emit(Fact::SittingMoved { by, opens_at, closes_at, reason: reason.clone() });
        }
        if accommodation {
            self.emit(Fact::AccommodationChanged { by, extra, switched_off, care, reason });
        }
        if called_off {
            self.emit(Fact::ExamCalledOff { by, called_off: arrangement.called_off });
        }
        Ok(())
    }

    /// Of an exam that has ended: one that goes on is ended first, one that never began is withdrawn.
    pub(super) fn void(
        &mut self,
        by: StaffId,
        ground: String,
        reason: String,
        replaced_by: Option<SessionId>,
    ) -> Result<(), Refusal> {
        if !matches!(self.state().stage, Stage::Closed { .. }) {
            return Err(Refusal::WrongStage);
        }
        within(&ground, 1, LABEL_CHARS)?;
        within(&reason, 1, REASON_CHARS)?;
        let voided = Voided { by, ground, reason, replaced_by };
        // Said again after an answer was lost on its way, it says nothing new.
        if self.state().voided.as_ref().is_none_or(|(known, _)| *known != voided) {
            self.emit(Fact::AttemptVoided { voided });
        }
        Ok(())
    }
}

struct Differences {
    times: bool,
    accommodation: bool,
    called_off: bool,
}

impl ExamSession {
    /// Whether [`Input::Arrange`](crate::session::Input::Arrange) with it would change anything.
    #[must_use]
    pub fn is_arranged(&self, arrangement: &Arrangement) -> bool {
        let Differences { times, accommodation, called_off } = self.differs(arrangement);
        !matches!(self.state().stage, Stage::Preparing) || !(times || accommodation || called_off)
    }

    fn differs(&self, arrangement: &Arrangement) -> Differences {
        let state = self.state();
        let times = (Some(arrangement.opens_at), Some(arrangement.closes_at));
        let off_differs = match &state.switched_off {
            Some(known) => *known != arrangement.switched_off,
            None => !arrangement.switched_off.is_empty(),
        };
        Differences {
            times: (state.opens_at, state.closes_at) != times,
            accommodation: off_differs
                || state.extra - state.extended() != arrangement.extra
                || state.care != arrangement.care,
            called_off: state.called_off != arrangement.called_off,
        }
    }
}

impl State {
    /// What staff added to the accommodation's time.
    pub(in crate::session) fn extended(&self) -> Span {
        let extensions = self.time_changes.iter().filter(|change| change.kind == TimeChangeKind::Extension);
        extensions.fold(Span::ZERO, |sum, change| sum + change.span)
    }
}

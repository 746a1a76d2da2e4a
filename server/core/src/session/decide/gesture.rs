//! A simple gesture before the camera at a time nobody can foresee: a recorded or replaced picture does not follow it.
//! The candidate may always take another way, a person judges, and an accommodation switches all of it off.

use super::{Deciding, note_within};
use crate::ids::StaffId;
use crate::proctoring::Code;
use crate::session::event::{Fact, Gesture};
use crate::session::input::Refusal;
use crate::session::limits::{GESTURE_AFTER_MAX, NOTE_CHARS};
use crate::time::Span;

impl Deciding<'_> {
    /// `after` comes by chance from whoever asks; the candidate learns of it only then.
    pub(super) fn plan_gesture(&mut self, by: StaffId, gesture: Gesture, after: Span) -> Result<(), Refusal> {
        self.running()?;
        if self.session.rule(Code::ProctorOrderIgnored).is_none() {
            return Err(Refusal::CodeSwitchedOff);
        }
        if after < Span::ZERO || after > GESTURE_AFTER_MAX {
            return Err(Refusal::OutOfLimits);
        }
        if self.state().challenge.is_some() {
            return Err(Refusal::WrongStage);
        }
        self.emit(Fact::GesturePlanned { by, gesture, due_at: self.at + after });
        Ok(())
    }

    pub(super) fn answer_gesture(&mut self, alternative: bool) -> Result<(), Refusal> {
        self.running()?;
        let asked = self.state().challenge.as_ref().filter(|held| held.asked_at.is_some());
        if asked.is_none_or(|held| held.answered.is_some()) {
            return Err(Refusal::NothingWaits);
        }
        self.emit_command(Fact::GestureAnswered { alternative });
        Ok(())
    }

    /// Not seen is an incident that a person rules on, never a violation by this alone.
    pub(super) fn judge_gesture(
        &mut self,
        by: StaffId,
        accepted: bool,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        self.running()?;
        note_within(note.as_ref(), NOTE_CHARS)?;
        let asked_at = self.state().challenge.as_ref().and_then(|held| held.asked_at);
        let asked_at = asked_at.ok_or(Refusal::NothingWaits)?;
        self.emit(Fact::GestureJudged { by, accepted, note: note.clone() });
        if !accepted {
            self.raise(Code::ProctorOrderIgnored, asked_at, note);
        }
        Ok(())
    }

    pub(super) fn withdraw_gesture(&mut self, by: StaffId) -> Result<(), Refusal> {
        self.running()?;
        if self.state().challenge.is_none() {
            return Err(Refusal::NothingWaits);
        }
        self.emit(Fact::GestureWithdrawn { by });
        Ok(())
    }
}

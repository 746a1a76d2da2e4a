//! A break in the exam, for the toilet or when somebody feels unwell: asked for, granted or refused, and over.

use super::violations::Opening;
use super::{Deciding, within};
use crate::ids::StaffId;
use crate::proctoring::{Class, Code, Source};
use crate::session::event::{BreakWhy, Fact, PauseCause};
use crate::session::input::Refusal;
use crate::session::limits::{BREAK_MAX, REASON_CHARS};
use crate::session::state::{Break, Granted};
use crate::time::{At, Span};

impl Deciding<'_> {
    pub(super) fn ask_break(&mut self, why: BreakWhy) -> Result<(), Refusal> {
        self.running()?;
        if self.state().away.is_some() {
            return Err(Refusal::WrongStage);
        }
        self.emit_command(Fact::BreakAsked { why });
        Ok(())
    }

    /// Whoever can go on after all need not wait for an answer.
    pub(super) fn withdraw_break(&mut self) -> Result<(), Refusal> {
        self.running()?;
        self.break_asked()?;
        self.emit_command(Fact::BreakWithdrawn);
        Ok(())
    }

    /// `minutes`: other than the programme's, such as for an accommodation. What goes on then ends: nobody is where
    /// it could be seen how it goes on.
    pub(super) fn grant_break(&mut self, by: StaffId, minutes: Option<u16>) -> Result<(), Refusal> {
        self.running()?;
        let why = self.break_asked()?;
        let rule = self.session.context().programme.breaks;
        let span = Span::mins(i64::from(minutes.unwrap_or(rule.minutes)));
        if span <= Span::ZERO || span > BREAK_MAX {
            return Err(Refusal::OutOfLimits);
        }
        self.end_running_incidents(self.at, |_| true);
        self.emit(Fact::BreakGranted { by, until: self.at + span, stops_clock: rule.stop_clock });
        if rule.stop_clock {
            self.pause_for(by, why.name().to_owned(), PauseCause::Break);
        }
        Ok(())
    }

    pub(super) fn refuse_break(&mut self, by: StaffId, reason: String) -> Result<(), Refusal> {
        self.running()?;
        self.break_asked()?;
        within(&reason, 1, REASON_CHARS)?;
        self.emit(Fact::BreakRefused { by, reason });
        Ok(())
    }

    /// The candidate is back: said by the candidate, or seen by a proctor.
    pub(super) fn end_break(&mut self, by: Option<StaffId>) -> Result<(), Refusal> {
        self.running()?;
        let Some(Break { granted: Some(granted), overrun, .. }) = self.state().away.clone() else {
            return Err(Refusal::NothingWaits);
        };
        let fact = Fact::BreakEnded { by };
        if by.is_none() {
            self.emit_command(fact)
        } else {
            self.emit(fact)
        }
        if let Some(no) = overrun {
            self.emit(Fact::IncidentSeen { no, seen_at: self.at, restore_failed: false });
            self.emit(Fact::IncidentEnded { no, ended_at: self.at });
        }
        self.resume_from(by.unwrap_or(granted.by), PauseCause::Break);
        Ok(())
    }

    /// Nobody is blamed by a clock: how long somebody was away is for a person to judge.
    pub(super) fn break_overran(&mut self, at: At, began_at: At) {
        let opening = Opening {
            code: Code::LeftPlace,
            class: Class::Human,
            source: Source::Server,
            began_at,
            note: None,
            finding: None,
        };
        self.open_incident(at, opening);
    }

    fn break_asked(&self) -> Result<BreakWhy, Refusal> {
        match &self.state().away {
            Some(Break { granted: None, why, .. }) => Ok(*why),
            _ => Err(Refusal::NothingWaits),
        }
    }
}

impl Break {
    /// Until when, once it is granted.
    #[must_use]
    pub fn until(&self) -> Option<At> {
        self.granted.as_ref().map(|Granted { until, .. }| *until)
    }
}

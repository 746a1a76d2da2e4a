//! The budget: pauses, credits, extensions, and our own downtime, which is never charged.

use super::{Deciding, within};
use crate::ids::StaffId;
use crate::session::event::{DowntimeSpan, Fact, PauseCause};
use crate::session::input::Refusal;
use crate::session::limits::{
    CLOCK_STEP, EVIDENCE_WAIT, REASON_CHARS, RETURN_WAIT, SERVER_RESTARTED, TIME_STEP_MAX, TIME_STEP_MIN,
    TIME_TOTAL_MAX,
};
use crate::session::state::Stage;
use crate::time::{At, Span};

impl Deciding<'_> {
    pub(super) fn pause(&mut self, by: StaffId, reason: String, cause: PauseCause) -> Result<(), Refusal> {
        self.running()?;
        within(&reason, 1, REASON_CHARS)?;
        if self.state().pauses.contains_key(&cause) {
            return Err(Refusal::WrongStage);
        }
        self.pause_for(by, reason, cause);
        Ok(())
    }

    /// One more reason for the clock to stand.
    pub(super) fn pause_for(&mut self, by: StaffId, reason: String, cause: PauseCause) {
        if self.state().clock_runs() {
            self.end_running_incidents(self.at, |_| true);
            self.credit_return(self.at);
        }
        self.emit(Fact::Paused { by, reason, cause });
    }

    /// Ends what a proctor stopped this clock for; a break ends with it, a check of the identity is ruled on instead.
    pub(super) fn resume(&mut self, by: StaffId) -> Result<(), Refusal> {
        self.running()?;
        let pauses = &self.state().pauses;
        let mut stopped = [PauseCause::Staff, PauseCause::Everybody].into_iter();
        if let Some(cause) = stopped.find(|cause| pauses.contains_key(cause)) {
            self.resume_from(by, cause);
            return Ok(());
        }
        if pauses.contains_key(&PauseCause::Break) {
            return self.end_break(Some(by));
        }
        Err(Refusal::WrongStage)
    }

    pub(super) fn resume_everybody(&mut self, by: StaffId) -> Result<(), Refusal> {
        self.running()?;
        if !self.state().pauses.contains_key(&PauseCause::Everybody) {
            return Err(Refusal::WrongStage);
        }
        self.resume_from(by, PauseCause::Everybody);
        Ok(())
    }

    /// One reason less for the clock to stand, if it is one.
    pub(super) fn resume_from(&mut self, by: StaffId, cause: PauseCause) {
        if self.state().pauses.contains_key(&cause) {
            self.emit(Fact::Resumed { by, cause });
        }
    }

    pub(super) fn credit(&mut self, by: StaffId, span: Span, reason: String) -> Result<(), Refusal> {
        self.running()?;
        self.span_within(span)?;
        within(&reason, 1, REASON_CHARS)?;
        self.emit(Fact::TimeCredited { by, span, reason });
        Ok(())
    }

    /// Also before the start: an accommodation approved late (LAW-30).
    pub(super) fn extend(&mut self, by: StaffId, span: Span, reason: String) -> Result<(), Refusal> {
        if !matches!(self.state().stage, Stage::Preparing) {
            self.running()?;
        }
        self.span_within(span)?;
        within(&reason, 1, REASON_CHARS)?;
        self.emit(Fact::TimeExtended { by, span, reason });
        Ok(())
    }

    fn span_within(&self, span: Span) -> Result<(), Refusal> {
        let given = self.state().given_by_staff + span;
        if (TIME_STEP_MIN..=TIME_STEP_MAX).contains(&span) && given <= TIME_TOTAL_MAX {
            Ok(())
        } else {
            Err(Refusal::OutOfLimits)
        }
    }

    /// A clock set back stops decisions until it has caught up: written down once, because nothing else shows it.
    pub(super) fn note_clock(&mut self, told: At) {
        let Some(from) = self.last_at else { return };
        if from - told > CLOCK_STEP && self.state().stepped_from != Some(from) {
            self.emit_at(from, Fact::ClockStepped { from, to: told });
        }
    }

    /// The process is gone, and with it sockets and recorder: neither the lost socket nor the missing picture is held
    /// against the candidate.
    pub(super) fn recover(&mut self, down_from: At) {
        let (from, was_here) = self.last_served(down_from);
        if let Some((_, _, socket)) = self.state().waiting_device {
            self.emit_at(from, Fact::Disconnected { socket, reason: SERVER_RESTARTED.to_owned() });
        }
        if let Some((socket, _)) = self.state().socket {
            self.emit_at(from, Fact::Disconnected { socket, reason: SERVER_RESTARTED.to_owned() });
        }
        self.credit_downtime(from, was_here);
        if self.state().video || self.state().audio {
            self.emit(Fact::MediaChanged { video: false, audio: false });
        }
        if self.state().screen {
            self.emit(Fact::ScreenChanged { live: false });
        }
        self.recover_evidence();
    }

    pub(super) fn stood_still(&mut self, since: At) {
        if self.state().clock_runs() {
            let (from, was_here) = self.last_served(since);
            self.credit_downtime(from, was_here);
        }
    }

    /// What was due before we went happens first, and what ran then ends: nobody saw how it went on. Answers when that
    /// was, and whether the page was here then.
    fn last_served(&mut self, told: At) -> (At, bool) {
        let from = told.min(self.at).max(self.last_at.unwrap_or(told));
        self.settle(from);
        let was_here = self.was_here(from);
        self.credit_return(from);
        self.end_running_incidents(from, |_| true);
        (from, was_here)
    }

    /// A page that broke off a moment before may have felt what brought us down; one that was on its way back to us
    /// still is.
    fn was_here(&self, from: At) -> bool {
        let state = self.state();
        state.socket.is_some()
            || state.return_awaited_until.is_some_and(|until| from < until)
            || state.vacant_since.is_some_and(|since| from - since < RETURN_WAIT)
    }

    fn credit_downtime(&mut self, from: At, was_here: bool) {
        if self.state().clock_runs() && from < self.at {
            let awaited_until = was_here.then_some(self.at + RETURN_WAIT);
            self.emit(Fact::DowntimeCredited { span: DowntimeSpan { from, to: self.at }, awaited_until });
        }
    }

    /// The page is back after a downtime of ours, or its clock stops: until then it could not be served (P2).
    pub(super) fn credit_return(&mut self, at: At) {
        let state = self.state();
        let awaited = state.return_awaited_until.is_some_and(|until| at < until) && state.clock_runs();
        let Some(from) = state.downtimes.last().map(|down| down.to).filter(|from| awaited && *from < at)
        else {
            return;
        };
        self.emit_at(at, Fact::DowntimeCredited { span: DowntimeSpan { from, to: at }, awaited_until: None });
    }

    /// The recorder went down with us. What it left open is read again, and that takes its own time.
    fn recover_evidence(&mut self) {
        if self.session.evidence_until().is_some() && !self.state().evidence_open.is_empty() {
            self.emit(Fact::EvidenceAwaited { until: self.at + EVIDENCE_WAIT });
        }
        if self.state().recording {
            self.emit(Fact::RecordingEnded);
        }
    }
}

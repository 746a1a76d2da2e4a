//! Answers, flags and the hand-in.

use super::Deciding;
use crate::bank::Kind;
use crate::session::event::{ClientRef, Fact, Finish};
use crate::session::input::{Command, Refusal};
use crate::session::limits::ANSWERS_MAX;
use crate::session::state::Stage;
use crate::time::At;
use std::collections::BTreeSet;

impl Deciding<'_> {
    /// Taken whenever the clock's budget lasts. Neither the warning's cover nor a pause refuses an answer: they
    /// hide the questions on the screen, while what arrives may have been queued on the device before. 9.3 lets
    /// answers be blocked for at most 60 s; losing one would weigh more than the rule gains.
    pub(super) fn put_answer(
        &mut self,
        client: ClientRef,
        question: u16,
        shown: BTreeSet<u8>,
    ) -> Result<(), Refusal> {
        match &self.state().stage {
            Stage::Absent | Stage::Preparing => Err(Refusal::WrongStage),
            Stage::Running { .. } => {
                self.fits_form(question, &shown)?;
                self.emit_last(Fact::AnswerPut { question, shown });
                Ok(())
            }
            Stage::Closed { finish: Finish::TimeExpired, at } => {
                self.late_answers_taken(client, *at)?;
                self.fits_form(question, &shown)?;
                self.emit_command(Fact::AnswerLate { question, shown });
                Ok(())
            }
            Stage::Closed { .. } => Err(Refusal::ExamEnded),
        }
    }

    /// Made before the deadline by the device's own clock (a claim: not scored, shown to the commission), and
    /// delivered before the window and the record are closed.
    fn late_answers_taken(&self, client: ClientRef, deadline: At) -> Result<(), Refusal> {
        let taken =
            client.client_at < deadline && !self.state().late_window_over && self.not_sealed().is_ok();
        if taken { Ok(()) } else { Err(Refusal::ExamEnded) }
    }

    /// A superseded device's or tab's answers are kept as evidence, once, and never acknowledged.
    pub(super) fn superseded(&mut self, client: ClientRef, command: Command) -> Result<(), Refusal> {
        let kept = self.state().kept_superseded.contains(&(client.epoch, client.client_seq));
        if let Command::Answer { question, shown } = command
            && !kept
            && self.state().answer_events < ANSWERS_MAX
            && self.evidence_still_taken(client)
            && self.fits_form(question, &shown).is_ok()
        {
            self.emit_command(Fact::AnswerSuperseded { question, shown });
        }
        Err(Refusal::SupersededEpoch)
    }

    fn evidence_still_taken(&self, client: ClientRef) -> bool {
        match &self.state().stage {
            Stage::Running { .. } => true,
            Stage::Closed { finish: Finish::TimeExpired, at } => self.late_answers_taken(client, *at).is_ok(),
            _ => false,
        }
    }

    pub(super) fn flag(&mut self, question: u16, on: bool) -> Result<(), Refusal> {
        self.running()?;
        self.fits_form(question, &BTreeSet::new())?;
        self.emit_command(Fact::Flagged { question, on });
        Ok(())
    }

    /// Always accepted while time remains, even paused or warned: supervision and attempt are two machines.
    pub(super) fn hand_in(&mut self) -> Result<(), Refusal> {
        self.running()?;
        self.close(self.at, self.client, Finish::Submitted, None);
        Ok(())
    }

    pub(super) fn drained(&mut self) -> Result<(), Refusal> {
        if !matches!(self.state().stage, Stage::Closed { .. }) {
            return Err(Refusal::WrongStage);
        }
        self.emit_command(Fact::OutboxDrained);
        Ok(())
    }

    pub(super) fn running(&self) -> Result<(), Refusal> {
        match self.state().stage {
            Stage::Running { .. } => Ok(()),
            Stage::Closed { .. } => Err(Refusal::ExamEnded),
            Stage::Absent | Stage::Preparing => Err(Refusal::WrongStage),
        }
    }

    fn fits_form(&self, question: u16, shown: &BTreeSet<u8>) -> Result<(), Refusal> {
        let form = self.state().form.as_deref().ok_or(Refusal::WrongStage)?;
        let place = form.questions.get(usize::from(question)).ok_or(Refusal::NoSuchQuestion)?;
        place.authors(shown).ok_or(Refusal::NoSuchOption)?;
        let kind = self.session.context().bank.item(&place.item).map(|item| item.kind);
        if kind == Some(Kind::Single) && shown.len() > 1 {
            return Err(Refusal::NoSuchOption);
        }
        Ok(())
    }
}

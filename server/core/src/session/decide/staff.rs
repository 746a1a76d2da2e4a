//! What people may do to a session: talk, end it for one of four reasons, approve the record.

use super::{Deciding, note_within, within};
use crate::ids::StaffId;
use crate::session::event::{Fact, Finish, MessageFrom, Ruling, StaffEndReason};
use crate::session::input::Refusal;
use crate::session::limits::{MESSAGE_CHARS, NOTE_CHARS, UNSUPERVISED_COMMISSION};

impl Deciding<'_> {
    pub(super) fn staff_says(&mut self, by: StaffId, text: String) -> Result<(), Refusal> {
        within(&text, 1, MESSAGE_CHARS)?;
        self.emit(Fact::MessageSent { from: MessageFrom::Staff(by), text });
        if self.state().help_asked_at.is_some() {
            self.emit(Fact::HelpAnswered { by });
        }
        Ok(())
    }

    /// Conduct is not among the reasons: that ends an exam only by a warning and a repetition (NB-20).
    /// Impersonation needs two different people.
    pub(super) fn end(&mut self, by: StaffId, why: StaffEndReason, note: String) -> Result<(), Refusal> {
        self.running()?;
        Self::note_required(&note)?;
        if why != StaffEndReason::Impersonation {
            self.close(self.at, None, Finish::Staff { why, by, second: None }, Some(note));
            return Ok(());
        }
        match self.state().end_proposal.clone() {
            None => self.emit(Fact::EndProposed { why, by, note }),
            Some(first) if first.by == by => return Err(Refusal::SecondPersonNeeded),
            Some(first) => {
                let finish = Finish::Staff { why, by: first.by, second: Some(by) };
                self.close(self.at, None, finish, Some(format!("{}\n{note}", first.note)));
            }
        }
        Ok(())
    }

    pub(super) fn withdraw_end(&mut self, by: StaffId) -> Result<(), Refusal> {
        if self.state().end_proposal.is_none() {
            return Err(Refusal::NothingWaits);
        }
        self.emit(Fact::EndWithdrawn { by });
        Ok(())
    }

    /// LAW-04: no result exists before the commission's decision; it approves exactly the bytes it saw. After too
    /// long without supervision it also says whether the exam stands.
    pub(super) fn approve(
        &mut self,
        by: StaffId,
        sha256: String,
        note: Option<String>,
        ruling: Option<Ruling>,
    ) -> Result<(), Refusal> {
        note_within(note.as_ref(), NOTE_CHARS)?;
        ruling.as_ref().map_or(Ok(()), |ruling| within(&ruling.note, 1, NOTE_CHARS))?;
        match &self.state().sealed {
            Some((sealed, _, _)) if *sealed == sha256 => {}
            _ => return Err(Refusal::RecordMismatch),
        }
        if self.state().approved.is_some() {
            return Err(Refusal::NothingWaits);
        }
        if ruling.is_none() && self.session.unsupervised(self.at) > UNSUPERVISED_COMMISSION {
            return Err(Refusal::ValidityRulingMissing);
        }
        self.emit(Fact::RecordApproved { by, sha256, note, ruling });
        Ok(())
    }
}

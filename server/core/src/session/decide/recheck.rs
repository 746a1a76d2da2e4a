//! Who sits there, looked at once more in the middle of the exam: new photos beside the old ones, and a person's word.

use super::violations::Opening;
use super::{Deciding, note_within, within};
use crate::ids::StaffId;
use crate::proctoring::{Class, Code, Source};
use crate::session::event::{EvidenceRef, Fact, PauseCause, PhotoKind};
use crate::session::input::{PhotosSeen, Refusal};
use crate::session::limits::{NOTE_CHARS, REASON_CHARS};
use crate::session::state::Recheck;
use crate::time::At;

impl Deciding<'_> {
    /// Also again, when the photos that came show too little.
    pub(super) fn ask_recheck(&mut self, by: StaffId, reason: String, stop: bool) -> Result<(), Refusal> {
        self.running()?;
        within(&reason, 1, REASON_CHARS)?;
        if self.state().recheck.as_ref().is_some_and(|recheck| !recheck.submitted) {
            return Err(Refusal::WrongStage);
        }
        self.emit(Fact::RecheckAsked { by, reason: reason.clone() });
        if stop && !self.state().pauses.contains_key(&PauseCause::Recheck) {
            self.pause_for(by, reason, PauseCause::Recheck);
        }
        Ok(())
    }

    /// A photo of the running exam belongs to the check that was asked for.
    pub(super) fn recheck_photo(&mut self, kind: PhotoKind, evidence: EvidenceRef) -> Result<(), Refusal> {
        match &self.state().recheck {
            Some(Recheck { submitted: false, .. }) => {
                self.emit(Fact::PhotoStored { kind, evidence });
                Ok(())
            }
            _ => Err(Refusal::WrongStage),
        }
    }

    pub(super) fn submit_recheck(&mut self) -> Result<(), Refusal> {
        let recheck = self.state().recheck.as_ref().filter(|recheck| !recheck.submitted);
        let photos = recheck.map(|recheck| recheck.photos.len()).ok_or(Refusal::WrongStage)?;
        if photos < 2 {
            return Err(Refusal::StepMissing);
        }
        self.emit_command(Fact::IdentitySubmitted);
        Ok(())
    }

    /// Accepted, or raised: an incident that a person rules on like any other. What was looked at is what is ruled on.
    pub(super) fn rule_recheck(
        &mut self,
        by: StaffId,
        accepted: bool,
        seen: Option<&PhotosSeen>,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        self.running()?;
        note_within(note.as_ref(), NOTE_CHARS)?;
        let recheck = self.state().recheck.as_ref().filter(|recheck| recheck.submitted);
        let recheck = recheck.ok_or(Refusal::NothingWaits)?;
        let held = |kind| recheck.photos.get(&kind).map(|photo| photo.sha256.as_str());
        let same = |seen: &PhotosSeen| {
            seen.face.as_deref() == held(PhotoKind::Face)
                && seen.document.as_deref() == held(PhotoKind::Document)
        };
        if !seen.is_none_or(same) {
            return Err(Refusal::PhotosChanged);
        }
        let asked_at = recheck.asked_at;
        if !accepted {
            Self::note_required(note.as_deref().unwrap_or_default())?;
            if self.session.rule(Code::FaceMismatch).is_none() {
                return Err(Refusal::CodeSwitchedOff);
            }
        }
        self.emit(Fact::RecheckRuled { by, accepted, note: note.clone() });
        if !accepted {
            self.raise(Code::FaceMismatch, asked_at, note);
        }
        self.resume_from(by, PauseCause::Recheck);
        Ok(())
    }

    pub(super) fn withdraw_recheck(&mut self, by: StaffId) -> Result<(), Refusal> {
        self.running()?;
        if self.state().recheck.is_none() {
            return Err(Refusal::NothingWaits);
        }
        self.emit(Fact::RecheckWithdrawn { by });
        self.resume_from(by, PauseCause::Recheck);
        Ok(())
    }

    /// An incident that a proctor saw and does not rule on by the same click.
    pub(super) fn raise(&mut self, code: Code, began_at: At, note: Option<String>) {
        let opening =
            Opening { code, class: Class::Human, source: Source::Proctor, began_at, note, finding: None };
        let no = self.open_incident(self.at, opening);
        self.emit(Fact::IncidentEnded { no, ended_at: self.at.max(began_at) });
    }
}

//! What the media room says. Losing a picture is a fact for the proctor, never an end of anything.

use super::preparation::evidence_within;
use super::{Deciding, within};
use crate::session::event::{EvidenceRef, Fact, MediaStep, StepWhy};
use crate::session::input::{MediaFact, Refusal};
use crate::session::limits::{LABEL_CHARS, LOCAL_PIECES_MAX, LOCAL_SPAN_MAX, REASON_CHARS};
use crate::session::local;
use crate::time::{At, Span};

impl Deciding<'_> {
    pub(super) fn media(&mut self, fact: MediaFact) -> Result<(), Refusal> {
        match fact {
            MediaFact::Flow { video, audio } => {
                if (video, audio) != (self.state().video, self.state().audio) {
                    self.emit(Fact::MediaChanged { video, audio });
                }
            }
            MediaFact::Screen(live) => {
                if live != self.state().screen {
                    self.emit(Fact::ScreenChanged { live });
                }
            }
            MediaFact::Local { evidence, from, span, missing } => {
                self.local(evidence, from, span, missing)?;
            }
            // A sealed record says nothing of what begins now.
            MediaFact::Recording(true) | MediaFact::Opened { .. } if self.state().sealed.is_some() => {
                return Err(Refusal::ExamEnded);
            }
            MediaFact::Recording(on) => {
                if on != self.state().recording {
                    self.emit(if on { Fact::RecordingBegan } else { Fact::RecordingEnded });
                }
            }
            MediaFact::Opened { name } => {
                within(&name, 1, LABEL_CHARS)?;
                if !self.state().evidence_open.contains(&name) && !self.is_stored(&name) {
                    self.emit(Fact::EvidenceOpened { name });
                }
            }
            MediaFact::Stored(evidence) => {
                evidence_within(&evidence)?;
                // Resent because the first answer was lost.
                if !self.state().evidence.contains(&evidence) {
                    self.emit(Fact::EvidenceStored { evidence });
                }
            }
            MediaFact::Checkpoint { name, chunks, bytes, head } => {
                within(&name, 1, LABEL_CHARS)?;
                crate::ids::hex32::decode(&head).ok_or(Refusal::OutOfLimits)?;
                // Behind the seal nothing is added to what it covers.
                if self.state().sealed.is_none() {
                    self.emit(Fact::EvidenceCheckpoint { name, chunks, bytes, head });
                }
            }
            MediaFact::Gap { span, why, name } => self.gap(span, why, name)?,
        }
        Ok(())
    }

    /// The ladder belongs to the exam: before it there is time to wait for a better line, after it nothing is sent.
    pub(super) fn step_media(&mut self, step: MediaStep, why: StepWhy) -> Result<(), Refusal> {
        self.running()?;
        self.emit_command(Fact::MediaStepped { step, why });
        Ok(())
    }

    /// Said before the hand-in, so that the record waits for what is still on the way. What the device no longer has is
    /// named as missing.
    pub(super) fn keep_local(&mut self, pieces: u16) -> Result<(), Refusal> {
        self.state().started_at.ok_or(Refusal::WrongStage)?;
        self.not_sealed()?;
        if usize::from(pieces) > LOCAL_PIECES_MAX {
            return Err(Refusal::OutOfLimits);
        }
        let open = self.state().local_open().cloned();
        let lost: Vec<_> = open.skip(usize::from(pieces)).collect();
        self.emit_command(Fact::LocalKept { pieces });
        for name in lost {
            let why = format!("{name} was lost on the candidate's device");
            self.emit(Fact::EvidenceGap { span: Span::ZERO, why, name: Some(name) });
        }
        Ok(())
    }

    /// What the device kept comes in order and late, also after the end while the record waits for it. Its instants
    /// are a claim: they may say nothing of a time that has not been.
    fn local(&mut self, evidence: EvidenceRef, from: At, span: Span, missing: Span) -> Result<(), Refusal> {
        if self.state().sealed.is_some() {
            return Err(Refusal::ExamEnded);
        }
        evidence_within(&evidence)?;
        if self.state().evidence.contains(&evidence) {
            return Ok(());
        }
        let begun = self.state().started_at.ok_or(Refusal::WrongStage)?;
        let held = self.state().evidence.iter().filter(|held| local::number(&held.name).is_some()).count();
        let spans = Span::ZERO <= missing
            && missing <= self.at - begun
            && Span::ZERO < span
            && span <= LOCAL_SPAN_MAX
            && from <= self.at;
        if !spans || local::number(&evidence.name).is_none() || held >= LOCAL_PIECES_MAX {
            return Err(Refusal::OutOfLimits);
        }
        if missing > Span::ZERO {
            let why = format!("recorded nowhere before {}", evidence.name);
            self.emit(Fact::EvidenceGap { span: missing, why, name: None });
        }
        self.emit(Fact::LocalStored { evidence, from, span });
        Ok(())
    }

    fn gap(&mut self, span: Span, why: String, name: Option<String>) -> Result<(), Refusal> {
        within(&why, 0, REASON_CHARS)?;
        name.as_deref().map_or(Ok(()), |name| within(name, 1, LABEL_CHARS))?;
        if span < Span::ZERO {
            return Err(Refusal::OutOfLimits);
        }
        self.emit(Fact::EvidenceGap { span, why, name });
        Ok(())
    }

    fn is_stored(&self, name: &str) -> bool {
        self.state().evidence.iter().any(|stored| stored.name == name)
    }

    pub(super) fn sealed(&mut self, sha256: String, kid: String) -> Result<(), Refusal> {
        if self.session.seal_waits(self.at).is_some() {
            return Err(Refusal::WrongStage);
        }
        within(&kid, 1, LABEL_CHARS)?;
        crate::ids::hex32::decode(&sha256).ok_or(Refusal::OutOfLimits)?;
        self.emit(Fact::RecordSealed { sha256, kid });
        Ok(())
    }
}

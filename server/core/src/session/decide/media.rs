//! What the media room says. Losing a picture is a fact for the proctor, never an end of anything.

use super::preparation::evidence_within;
use super::{Deciding, within};
use crate::session::event::Fact;
use crate::session::input::{MediaFact, Refusal};
use crate::session::limits::{LABEL_CHARS, REASON_CHARS};
use crate::time::Span;

impl Deciding<'_> {
    pub(super) fn media(&mut self, fact: MediaFact) -> Result<(), Refusal> {
        match fact {
            MediaFact::Flow { video, audio } => {
                if (video, audio) != (self.state().video, self.state().audio) {
                    self.emit(Fact::MediaChanged { video, audio });
                }
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
            MediaFact::Gap { span, why, name } => self.gap(span, why, name)?,
        }
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

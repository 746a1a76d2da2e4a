//! What the media room says. Losing a picture is a fact for the proctor, never an end of anything.

use super::preparation::evidence_within;
use super::{Deciding, within};
use crate::session::event::Fact;
use crate::session::input::{MediaFact, Refusal};
use crate::session::limits::REASON_CHARS;
use crate::time::Span;

impl Deciding<'_> {
    pub(super) fn media(&mut self, fact: MediaFact) -> Result<(), Refusal> {
        match fact {
            MediaFact::Flow { video, audio } => {
                if (video, audio) != (self.state().video, self.state().audio) {
                    self.emit(Fact::MediaChanged { video, audio });
                }
            }
            MediaFact::Stored(evidence) => {
                evidence_within(&evidence)?;
                self.emit(Fact::EvidenceStored { evidence });
            }
            MediaFact::Gap { span, why } => {
                within(&why, 0, REASON_CHARS)?;
                if span < Span::ZERO {
                    return Err(Refusal::OutOfLimits);
                }
                self.emit(Fact::EvidenceGap { span, why });
            }
        }
        Ok(())
    }

    pub(super) fn sealed(&mut self, sha256: String, kid: String) -> Result<(), Refusal> {
        if self.session.seal_waits(self.at).is_some() {
            return Err(Refusal::WrongStage);
        }
        within(&kid, 1, crate::session::limits::LABEL_CHARS)?;
        crate::ids::hex32::decode(&sha256).ok_or(Refusal::OutOfLimits)?;
        self.emit(Fact::RecordSealed { sha256, kid });
        Ok(())
    }
}

//! Raw claims: bounded, written down, and merged into incidents.

use super::violations::Opening;
use super::{Deciding, note_within};
use crate::ids::IncidentNo;
use crate::proctoring::{
    Class, Code, DetectorEvent, Finding, IncidentStatus, Measured, Rule, SignalPhase, Source,
};
use crate::session::event::Fact;
use crate::session::input::Refusal;
use crate::session::limits::{
    CHATTER_EVENTS_MAX, DETECTOR_NAME_BYTES, RESUME_GRACE, SIGNAL_AGO_MAX, SIGNAL_NOTE_CHARS,
};
use crate::session::state::Stage;
use crate::time::{At, Span};

/// Hexadecimal digits of a digest.
const SHA256_HEX: usize = 64;

/// How a behaviour stood before a claim about it.
#[derive(Clone, Copy)]
struct Before {
    held: bool,
    cut_off: bool,
}

impl Deciding<'_> {
    /// From the browser, perhaps queued while it was offline.
    pub(super) fn signal(
        &mut self,
        code: Code,
        phase: SignalPhase,
        ago: Span,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        note_within(note.as_ref(), SIGNAL_NOTE_CHARS)?;
        self.not_closed()?;
        let at = self.at - ago.clamp(Span::ZERO, SIGNAL_AGO_MAX);
        let at = self.earliest_claim().map_or(at, |earliest| at.max(earliest));
        let claim = DetectorEvent {
            code,
            phase,
            source: Source::Client,
            confidence_pct: 100,
            at,
            note,
            measured: None,
        };
        let before = self.before(code);
        self.emit_command(Fact::DetectorReported { event: claim.clone() });
        self.merge(&claim, before);
        Ok(())
    }

    /// From the server's own observation or a detector.
    pub(super) fn detect(&mut self, mut claim: DetectorEvent) -> Result<(), Refusal> {
        note_within(claim.note.as_ref(), SIGNAL_NOTE_CHARS)?;
        self.not_closed()?;
        let named = |measured: &Measured| {
            [&measured.detector, &measured.version, &measured.condition]
                .iter()
                .all(|name| name.len() <= DETECTOR_NAME_BYTES)
                && measured.picture_sha256.as_ref().is_none_or(|digest| digest.len() == SHA256_HEX)
        };
        if claim.confidence_pct > 100 || !claim.measured.as_ref().is_none_or(named) {
            return Err(Refusal::OutOfLimits);
        }
        if self.state().chatter_events >= CHATTER_EVENTS_MAX {
            return Err(Refusal::TooManyEvents);
        }
        let earliest = self.earliest_observation().map_or(claim.at, |earliest| claim.at.max(earliest));
        claim.at = earliest.max(self.at - SIGNAL_AGO_MAX).min(self.at);
        self.observe(&claim);
        Ok(())
    }

    /// Written down and merged, whatever it becomes.
    pub(super) fn observe(&mut self, claim: &DetectorEvent) {
        let before = self.before(claim.code);
        self.emit(Fact::DetectorReported { event: claim.clone() });
        self.merge(claim, before);
    }

    fn before(&self, code: Code) -> Before {
        Before { held: self.state().holds(code), cut_off: self.state().is_cut_off(code) }
    }

    pub(super) fn prompt(&mut self, open: bool) -> Result<(), Refusal> {
        self.not_closed()?;
        self.emit_command(Fact::PromptShown { open });
        Ok(())
    }

    fn not_closed(&self) -> Result<(), Refusal> {
        match self.state().stage {
            Stage::Closed { .. } => Err(Refusal::ExamEnded),
            _ => Ok(()),
        }
    }

    /// Nothing before the start counts, nothing from a pause, and nothing while our server was down.
    fn earliest_observation(&self) -> Option<At> {
        let state = self.state();
        let back = state.downtimes.last().map(|span| span.to);
        state.started_at.max(state.resumed_at).max(back)
    }

    /// A browser's claims never run backwards either.
    fn earliest_claim(&self) -> Option<At> {
        self.earliest_observation().max(self.state().last_claim_at)
    }

    fn merge(&mut self, claim: &DetectorEvent, before: Before) {
        let Some(rule) = self.countable(claim) else { return };
        let mut seen_at = claim.at;
        if claim.code.needs_failed_restore() {
            // Network loss is technical: a device claim needs a live socket from its first moment on.
            let Some((_, since)) = self.state().socket else { return };
            seen_at = seen_at.max(since);
        }
        let restore_failed = claim.phase == SignalPhase::RestoreFailed;
        match (claim.phase, self.continued(claim.code, seen_at, before)) {
            (SignalPhase::End, None) => {}
            (SignalPhase::End, Some(no)) => {
                let ended = self.incident(no).and_then(|incident| incident.ended_at);
                if self.state().holds(claim.code) {
                    // Back in full screen but the page still hidden, or the other way round.
                    self.emit(Fact::IncidentSeen { no, seen_at, restore_failed: false });
                } else if ended.is_none_or(|ended| before.cut_off && seen_at > ended) {
                    let began_at = self.incident(no).map_or(seen_at, |incident| incident.began_at);
                    self.emit(Fact::IncidentEnded { no, ended_at: seen_at.max(began_at) });
                }
            }
            (_, Some(no)) => self.emit(Fact::IncidentSeen { no, seen_at, restore_failed }),
            (_, None) => {
                let confidence_pct = claim.confidence_pct;
                let finding = claim.measured.clone().map(|measured| Finding { confidence_pct, measured });
                let opening = Opening {
                    code: claim.code,
                    class: rule.class,
                    source: claim.source,
                    began_at: seen_at,
                    note: claim.note.clone(),
                    finding,
                };
                let no = self.open_incident(self.at, opening);
                if restore_failed {
                    self.emit(Fact::IncidentSeen { no, seen_at, restore_failed });
                }
            }
        }
    }

    /// The rule a claim is measured by; `None` when it is for the record only.
    fn countable(&self, claim: &DetectorEvent) -> Option<Rule> {
        let rule = self.session.rule(claim.code)?;
        let counts = self.state().clock_runs()
            && !self.state().on_break()
            && !claim.code.is_technical()
            && rule.class != Class::Info
            && claim.confidence_pct >= rule.min_confidence_pct;
        counts.then_some(rule)
    }

    fn continued(&self, code: Code, at: At, before: Before) -> Option<IncidentNo> {
        if let Some(incident) = self.incident_to_continue(code, at, before.held) {
            return Some(incident.no);
        }
        // Cut off by a lost connection and reported on right after it came back: one course, whatever the gap.
        let (_, since) = self.state().socket?;
        if !before.cut_off || at > since + RESUME_GRACE {
            return None;
        }
        let last = self.state().incidents.iter().rev().find(|held| held.code.same_behaviour(code))?;
        let open = last.status != IncidentStatus::Recorded && !self.is_tail_over(last, at);
        (open && last.ended_at.is_some_and(|ended| ended <= since)).then_some(last.no)
    }
}

//! What time alone brings about, at the exact instant it was due.

use super::Deciding;
use super::violations::Opening;
use crate::ids::IncidentNo;
use crate::session::deadline::Due;
use crate::session::event::{Fact, Finish};
use crate::session::state::Standing;
use crate::time::{At, Span};

impl Deciding<'_> {
    /// Everything due up to and at `until`, in time order. Ends: each step removes its own cause.
    pub(super) fn settle(&mut self, until: At) {
        while let Some((due_at, due)) = self.session.next_due() {
            if due_at > until {
                break;
            }
            self.perform(due_at, due);
        }
    }

    fn perform(&mut self, due_at: At, due: Due) {
        let at = due_at.max(self.last_at.unwrap_or(due_at));
        match due {
            Due::TimeExpired => self.close(at, None, Finish::TimeExpired, None),
            Due::WarningEffective(how) => {
                let ordinal = self.warning_ordinal();
                self.emit_at(at, Fact::WarningEffective { ordinal, effective_at: due_at, how });
            }
            Due::CoverEnd => {
                let ordinal = self.warning_ordinal();
                self.emit_at(at, Fact::WarningCoverEnded { ordinal });
            }
            Due::Confirm(no) => {
                let began_at = self
                    .incident(no)
                    .map_or(at, |incident| self.session.counted_from(incident).unwrap_or(incident.began_at));
                self.confirm_auto(at, no, began_at);
            }
            Due::Persist(no) => self.persist(at, no),
            Due::RunOut(no) => {
                let ended_at = self.incident(no).map_or(at, |incident| incident.seen_at);
                self.emit_at(at, Fact::IncidentEnded { no, ended_at });
            }
            Due::Record(no) => self.emit_at(at, Fact::IncidentRecorded { no }),
            Due::BreakOverrun => self.break_overran(at, due_at),
            Due::GestureAsk => {
                if let Some(gesture) = self.state().challenge.as_ref().map(|held| held.gesture) {
                    self.emit_at(at, Fact::GestureAsked { gesture });
                }
            }
            Due::DismissalFinal(no) => self.emit_at(at, Fact::DismissalFinal { no }),
            Due::LateWindowEnd => self.emit_at(at, Fact::LateWindowEnded),
            Due::EvidenceWaitEnd => self.give_up_evidence(at),
            Due::TabReturnEnd => self.promote_waiting_tab(at),
        }
    }

    /// NB-20 and Q-04: the tail of the first violation never counts, but 30 s after the warning took effect
    /// what still goes on is a new incident. It counts at once, its minimum duration has long been met.
    fn persist(&mut self, at: At, no: IncidentNo) {
        let Some(old) = self.incident(no).cloned() else { return };
        let confirmed = old.is_confirmed();
        let met = confirmed || self.session.auto_confirm_at(&old).is_some_and(|met| met <= at);
        self.emit_at(at, Fact::IncidentEnded { no, ended_at: at });
        if !confirmed && self.session.is_too_short(&old, at) {
            self.emit_at(at, Fact::IncidentRecorded { no });
        }
        let new = self.open_incident(
            at,
            Opening {
                code: old.code,
                class: old.class,
                source: old.source,
                began_at: at,
                note: None,
                finding: old.finding.clone(),
            },
        );
        if old.restore_failed {
            self.emit_at(at, Fact::IncidentSeen { no: new, seen_at: at, restore_failed: true });
        }
        if met && old.class == crate::proctoring::Class::Auto {
            self.confirm_auto(at, new, at);
        }
    }

    /// The record says what is missing rather than wait without end.
    fn give_up_evidence(&mut self, at: At) {
        for name in self.state().evidence_open.clone() {
            let why = format!("{name} was not finished in time");
            self.emit_at(at, Fact::EvidenceGap { span: Span::ZERO, why, name: Some(name) });
        }
        if self.state().recording {
            let why = "the recorder did not end in time".to_owned();
            self.emit_at(at, Fact::EvidenceGap { span: Span::ZERO, why, name: None });
            self.emit_at(at, Fact::RecordingEnded);
        }
    }

    fn warning_ordinal(&self) -> u32 {
        match &self.state().standing {
            Standing::Warned(warning) | Standing::Terminated { warning, .. } => warning.ordinal,
            Standing::Clean => 0,
        }
    }
}

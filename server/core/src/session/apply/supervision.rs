//! Claims, incidents, violations and the warning.

use crate::ids::IncidentNo;
use crate::proctoring::{DetectorEvent, Incident, IncidentStatus, SignalPhase, Source};
use crate::session::event::{Consequence, Event, Fact};
use crate::session::limits::{CLAIM_IN_TIME, RESUME_GRACE, SHIELD_AFTERGLOW};
use crate::session::state::{Held, Standing, State, Violation, Warning};
use crate::time::{At, Span};

impl State {
    pub(super) fn apply_incident(&mut self, event: &Event) {
        match &event.fact {
            Fact::PromptShown { open } => self.apply_prompt(*open, event.at),
            Fact::DetectorReported { event: claim } => self.apply_claim(claim, event.at),
            Fact::IncidentOpened { no, code, class, source, began_at, note, finding } => {
                self.incidents.push(Incident {
                    no: *no,
                    code: *code,
                    class: *class,
                    source: *source,
                    began_at: *began_at,
                    seen_at: *began_at,
                    ended_at: None,
                    restore_failed: false,
                    status: IncidentStatus::Open,
                    note: note.clone(),
                    finding: finding.clone(),
                });
                self.note_overrun(*no, *code, *source);
            }
            Fact::IncidentSeen { no, seen_at, restore_failed } => self.change_incident(*no, |incident| {
                incident.seen_at = incident.seen_at.max(*seen_at);
                incident.ended_at = None;
                incident.restore_failed |= restore_failed;
            }),
            Fact::IncidentEnded { no, ended_at } => self.change_incident(*no, |incident| {
                incident.seen_at = incident.seen_at.max(*ended_at);
                incident.ended_at = Some(*ended_at);
            }),
            Fact::IncidentRecorded { no } => {
                self.change_incident(*no, |incident| incident.status = IncidentStatus::Recorded);
            }
            Fact::IncidentConfirmed { no, by, began_at, note } => self.change_incident(*no, |incident| {
                incident.status = match by {
                    Some(by) => IncidentStatus::ConfirmedHuman { by: *by, at: event.at },
                    None => IncidentStatus::ConfirmedAuto { at: event.at },
                };
                incident.began_at = *began_at;
                incident.note = note.clone().or(incident.note.take());
            }),
            Fact::IncidentDismissed { no, by, note, undo_until } => {
                if let Some(until) = undo_until {
                    self.undoable.insert(*no, (*by, *until));
                }
                self.change_incident(*no, |incident| {
                    incident.status = IncidentStatus::Dismissed { by: *by, at: event.at };
                    incident.note = note.clone().or(incident.note.take());
                });
            }
            Fact::IncidentReopened { no, .. } => {
                self.undoable.remove(no);
                self.change_incident(*no, |incident| incident.status = IncidentStatus::Open);
            }
            Fact::DismissalFinal { no } => {
                self.undoable.remove(no);
            }
            _ => {}
        }
    }

    /// Opened and closed time and again, prompts shield no longer than their sum allows: what comes then is only
    /// written down.
    fn apply_prompt(&mut self, open: bool, at: At) {
        if open {
            if self.prompt_shield_left() > Span::ZERO {
                self.prompt_open_since = self.prompt_open_since.or(Some(at));
            }
        } else if let Some(since) = self.prompt_open_since.take() {
            let end = at.min(since + self.prompt_shield_left());
            let before = self.prompt_closed_at.map_or(since, |closed| since.max(closed + SHIELD_AFTERGLOW));
            let added = (end + SHIELD_AFTERGLOW - before).max(Span::ZERO);
            self.prompt_shielded = self.prompt_shielded + added;
            self.prompt_closed_at = Some(end);
        }
    }

    fn apply_claim(&mut self, claim: &DetectorEvent, heard_at: At) {
        match claim.phase {
            SignalPhase::Begin => self.hold(claim, heard_at),
            SignalPhase::Seen
                if self.cut_off.contains(&claim.code) || self.held.contains_key(&claim.code) =>
            {
                self.hold(claim, heard_at);
            }
            // Whoever failed to restore a device has it off until an end is reported.
            SignalPhase::RestoreFailed if claim.code.needs_failed_restore() => {
                self.hold(claim, heard_at);
            }
            SignalPhase::End => {
                self.held.remove(&claim.code);
                self.cut_off.remove(&claim.code);
            }
            SignalPhase::Seen | SignalPhase::RestoreFailed => {}
        }
        if claim.source == Source::Client {
            self.last_claim_at = self.last_claim_at.max(Some(claim.at));
        }
    }

    fn hold(&mut self, claim: &DetectorEvent, heard_at: At) {
        let queued = heard_at - claim.at > CLAIM_IN_TIME;
        let silent_from = if queued { heard_at + RESUME_GRACE } else { heard_at };
        self.held.insert(claim.code, Held { source: claim.source, silent_from });
        self.cut_off.remove(&claim.code);
    }

    pub(super) fn forget_held(&mut self) {
        self.held.clear();
        self.cut_off.clear();
    }

    pub(super) fn apply_standing(&mut self, event: &Event) {
        match &event.fact {
            Fact::ViolationCounted { ordinal, incident, consequence } => {
                self.violations.push(Violation {
                    ordinal: *ordinal,
                    incident: *incident,
                    consequence: *consequence,
                    at: event.at,
                });
                self.take_consequence(*consequence, *ordinal, *incident, event.at);
            }
            Fact::WarningDisplayed { ordinal } => self.change_warning(*ordinal, |warning| {
                warning.displayed_at = warning.displayed_at.or(Some(event.at));
            }),
            Fact::WarningAcknowledged { ordinal } => self.change_warning(*ordinal, |warning| {
                warning.acknowledged_at = warning.acknowledged_at.or(Some(event.at));
            }),
            Fact::WarningEffective { ordinal, effective_at, how } => {
                self.change_warning(*ordinal, |warning| {
                    warning.effective = warning.effective.or(Some((*effective_at, *how)));
                });
            }
            Fact::WarningCoverEnded { ordinal } => self.change_warning(*ordinal, |warning| {
                warning.uncovered_at = warning.uncovered_at.or(Some(event.at));
            }),
            _ => {}
        }
    }

    fn take_consequence(&mut self, consequence: Consequence, ordinal: u32, incident: IncidentNo, at: At) {
        match (consequence, &self.standing) {
            (Consequence::Warning, Standing::Clean) => {
                self.standing = Standing::Warned(Warning {
                    ordinal,
                    incident,
                    given_at: at,
                    displayed_at: None,
                    acknowledged_at: None,
                    effective: None,
                    uncovered_at: None,
                    live: Span::ZERO,
                });
            }
            (Consequence::Termination, Standing::Warned(warning)) => {
                self.standing = Standing::Terminated { warning: warning.clone(), incident };
            }
            _ => {}
        }
    }

    fn change_incident(&mut self, no: IncidentNo, change: impl FnOnce(&mut Incident)) {
        if let Some(incident) = self.incidents.iter_mut().find(|incident| incident.no == no) {
            change(incident);
        }
    }

    fn change_warning(&mut self, ordinal: u32, change: impl FnOnce(&mut Warning)) {
        if let Standing::Warned(warning) = &mut self.standing
            && warning.ordinal == ordinal
        {
            change(warning);
        }
    }
}

//! From incident to violation, from violation to consequence (NB-20, Q-03, Q-04, Q-12).

use super::{Deciding, note_within, within};
use crate::ids::{IncidentNo, StaffId};
use crate::proctoring::{Class, Code, DetectorEvent, Finding, Incident, IncidentStatus, SignalPhase, Source};
use crate::session::event::{ClientRef, Consequence, EffectiveHow, Fact, Finish};
use crate::session::input::Refusal;
use crate::session::limits::{NOTE_CHARS, PERSIST_LIMIT};
use crate::session::state::{Stage, Standing};
use crate::time::At;

/// What an incident is opened with.
pub(super) struct Opening {
    pub(super) code: Code,
    pub(super) class: Class,
    pub(super) source: Source,
    pub(super) began_at: At,
    pub(super) note: Option<String>,
    pub(super) finding: Option<Finding>,
}

impl Deciding<'_> {
    pub(super) fn incident(&self, no: IncidentNo) -> Option<&Incident> {
        self.state().incidents.iter().find(|incident| incident.no == no)
    }

    pub(super) fn open_incident(
        &mut self,
        at: At,
        Opening { code, class, source, began_at, note, finding }: Opening,
    ) -> IncidentNo {
        let last = self.state().incidents.last().map_or(0, |incident| incident.no.0);
        let no = IncidentNo(last.saturating_add(1));
        self.emit_at(at, Fact::IncidentOpened { no, code, class, source, began_at, note, finding });
        no
    }

    pub(super) fn confirm_auto(&mut self, at: At, no: IncidentNo, began_at: At) {
        self.emit_at(at, Fact::IncidentConfirmed { no, by: None, began_at, note: None });
        self.count(at, no, began_at);
    }

    /// A confirmed incident is a violation. The first warns, a repeated one ends the exam with no further click.
    fn count(&mut self, at: At, incident: IncidentNo, began_at: At) {
        let state = self.state();
        let running = matches!(state.stage, Stage::Running { .. });
        let consequence = match (&state.standing, state.warning_effective()) {
            (Standing::Clean, _) if running => Consequence::Warning,
            // only what itself begins at or after the warning took effect is a repetition.
            (Standing::Warned(_), Some(effective)) if running && began_at >= effective => {
                Consequence::Termination
            }
            _ => Consequence::None,
        };
        let counted = state.violations.last().map_or(0, |violation| violation.ordinal);
        let ordinal = counted.saturating_add(1);
        self.emit_at(at, Fact::ViolationCounted { ordinal, incident, consequence });
        if consequence == Consequence::Termination {
            self.close(at, None, Finish::Violation { incident }, None);
        }
    }

    /// Ends the attempt. What still runs ends with it; what nobody has ruled on stays open for a person.
    pub(super) fn close(&mut self, at: At, client: Option<ClientRef>, finish: Finish, note: Option<String>) {
        self.end_running_incidents(at, |_| true);
        let short: Vec<_> = self
            .state()
            .incidents
            .iter()
            .filter(|incident| incident.status == IncidentStatus::Open)
            .filter(|incident| self.session.is_too_short(incident, incident.ended_at.unwrap_or(at)))
            .map(|incident| incident.no)
            .collect();
        for no in short {
            self.emit_at(at, Fact::IncidentRecorded { no });
        }
        self.push(at, client, Fact::Closed { finish, note });
    }

    pub(super) fn end_running_incidents(&mut self, at: At, ends: impl Fn(&Incident) -> bool) {
        let running: Vec<_> = self
            .state()
            .incidents
            .iter()
            .filter(|incident| incident.ended_at.is_none() && ends(incident))
            .map(|incident| (incident.no, self.last_known(incident, at)))
            .collect();
        for (no, ended_at) in running {
            self.emit_at(at, Fact::IncidentEnded { no, ended_at });
        }
    }

    /// A held behaviour went on until now, one seen now and then until it was last seen.
    fn last_known(&self, incident: &Incident, at: At) -> At {
        if self.state().holds(incident.code) { at.max(incident.began_at) } else { incident.seen_at }
    }

    /// The incident that a claim of `code` at `at` belongs to: still running, or ended less than its merge gap
    /// ago; a held behaviour runs until its end is reported. One from before the warning never swallows what begins when its tail would count anew.
    pub(super) fn incident_to_continue(&self, code: Code, at: At, was_held: bool) -> Option<&Incident> {
        let incident = self.state().incidents.iter().rev().find(|held| held.code.same_behaviour(code))?;
        let runs_until = if was_held { at.max(incident.seen_at) } else { incident.seen_at };
        let last = incident.ended_at.unwrap_or(runs_until);
        let open = incident.status != IncidentStatus::Recorded && !self.is_tail_over(incident, at);
        (open && at <= last + self.session.merge_gap(code)).then_some(incident)
    }

    /// 30 s after the warning took effect an incident from before it has no tail any more.
    pub(super) fn is_tail_over(&self, incident: &Incident, at: At) -> bool {
        self.state()
            .warning_effective()
            .is_some_and(|effective| incident.began_at < effective && at >= effective + PERSIST_LIMIT)
    }

    pub(super) fn confirm(
        &mut self,
        by: StaffId,
        no: IncidentNo,
        began_at: At,
        warnings_seen: u32,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        note_within(note.as_ref(), NOTE_CHARS)?;
        self.not_sealed()?;
        let incident = self.incident(no).ok_or(Refusal::IncidentNotOpen)?;
        if incident.code.is_technical() {
            return Err(Refusal::TechnicalCode);
        }
        if incident.status != IncidentStatus::Open {
            return Err(Refusal::IncidentNotOpen);
        }
        self.beginning_within(began_at)?;
        self.same_warnings(warnings_seen)?;
        self.confirm_human(by, no, began_at, note);
        Ok(())
    }

    pub(super) fn dismiss(
        &mut self,
        by: StaffId,
        no: IncidentNo,
        note: Option<String>,
        undo_until: Option<At>,
    ) -> Result<(), Refusal> {
        note_within(note.as_ref(), NOTE_CHARS)?;
        self.not_sealed()?;
        let incident = self.incident(no).ok_or(Refusal::IncidentNotOpen)?;
        if incident.status != IncidentStatus::Open {
            return Err(Refusal::IncidentNotOpen);
        }
        self.emit(Fact::IncidentDismissed { no, by, note, undo_until });
        Ok(())
    }

    /// A slip of whoever dismissed it, for a few seconds; the record waits for them.
    pub(super) fn undo_dismiss(&mut self, by: StaffId, no: IncidentNo) -> Result<(), Refusal> {
        self.not_sealed()?;
        match self.state().undoable.get(&no) {
            Some((dismissed_by, _)) if *dismissed_by == by => {}
            _ => return Err(Refusal::NothingWaits),
        }
        self.emit(Fact::IncidentReopened { no, by });
        Ok(())
    }

    pub(super) fn record(
        &mut self,
        by: StaffId,
        code: Code,
        began_at: At,
        warnings_seen: u32,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        note_within(note.as_ref(), NOTE_CHARS)?;
        self.not_sealed()?;
        if self.state().started_at.is_none() {
            return Err(Refusal::WrongStage);
        }
        if code.is_technical() {
            return Err(Refusal::TechnicalCode);
        }
        if self.session.rule(code).is_none() {
            return Err(Refusal::CodeSwitchedOff);
        }
        self.beginning_within(began_at)?;
        self.same_warnings(warnings_seen)?;
        let claim = DetectorEvent {
            code,
            phase: SignalPhase::Seen,
            source: Source::Proctor,
            confidence_pct: 100,
            at: began_at,
            note: note.clone(),
            measured: None,
        };
        self.emit(Fact::DetectorReported { event: claim });
        let continued = self
            .incident_to_continue(code, began_at, self.state().holds(code))
            .map(|held| (held.no, held.is_confirmed()));
        match continued {
            // Two proctors, or a proctor and a detector, marking one phone make one violation.
            Some((no, true)) => {
                let ended = self.incident(no).is_some_and(|held| held.ended_at.is_some());
                self.emit(Fact::IncidentSeen { no, seen_at: began_at, restore_failed: false });
                if ended {
                    self.emit(Fact::IncidentEnded { no, ended_at: began_at });
                }
            }
            Some((no, false))
                if self.incident(no).is_some_and(|held| held.status == IncidentStatus::Open) =>
            {
                self.confirm_human(by, no, began_at, note);
            }
            _ => {
                let at = self.at;
                let (class, source) = (Class::Human, Source::Proctor);
                let opening = Opening { code, class, source, began_at, note: note.clone(), finding: None };
                let no = self.open_incident(at, opening);
                // A person marks what was seen, not a course: no detector will report its end.
                self.emit(Fact::IncidentEnded { no, ended_at: at.max(began_at) });
                self.confirm_human(by, no, began_at, note);
            }
        }
        Ok(())
    }

    fn confirm_human(&mut self, by: StaffId, no: IncidentNo, began_at: At, note: Option<String>) {
        self.emit(Fact::IncidentConfirmed { no, by: Some(by), began_at, note });
        self.count(self.at, no, began_at);
    }

    /// Confirmations name the warning count on the proctor's screen, so that nobody ends an exam unknowingly.
    fn same_warnings(&self, seen: u32) -> Result<(), Refusal> {
        if seen == self.session.warnings_given() { Ok(()) } else { Err(Refusal::WarningsChanged) }
    }

    fn beginning_within(&self, began_at: At) -> Result<(), Refusal> {
        let last = match self.state().stage {
            Stage::Closed { at, .. } => at,
            _ => self.at,
        };
        match self.state().started_at {
            Some(started) if (started..=last).contains(&began_at) => Ok(()),
            _ => Err(Refusal::BeginningOutOfRange),
        }
    }

    /// What is sealed is no longer ruled on here: only the commission and an appeal can.
    pub(super) fn not_sealed(&self) -> Result<(), Refusal> {
        if self.state().sealed.is_some() { Err(Refusal::WrongStage) } else { Ok(()) }
    }

    pub(super) fn warning_displayed(&mut self, ordinal: u32) -> Result<(), Refusal> {
        self.open_warning(ordinal)?;
        self.emit_command(Fact::WarningDisplayed { ordinal });
        Ok(())
    }

    pub(super) fn acknowledge_warning(&mut self, ordinal: u32) -> Result<(), Refusal> {
        self.open_warning(ordinal)?;
        self.emit_command(Fact::WarningAcknowledged { ordinal });
        if self.state().warning_effective().is_none() {
            let how = EffectiveHow::Acknowledged;
            self.emit(Fact::WarningEffective { ordinal, effective_at: self.at, how });
        }
        Ok(())
    }

    fn open_warning(&self, ordinal: u32) -> Result<(), Refusal> {
        match (&self.state().stage, &self.state().standing) {
            (Stage::Closed { .. }, _) => Err(Refusal::ExamEnded),
            (_, Standing::Warned(warning)) if warning.ordinal == ordinal => Ok(()),
            _ => Err(Refusal::NoSuchWarning),
        }
    }

    pub(super) fn note_required(note: &str) -> Result<(), Refusal> {
        within(note, 1, NOTE_CHARS)
    }
}

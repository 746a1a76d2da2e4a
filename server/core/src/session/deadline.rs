//! What falls due by the passing of time alone, and when exactly.

use super::event::{EffectiveHow, Finish, PauseCause};
use super::limits::{
    LATE_WINDOW, PERSIST_LIMIT, PROMPT_SHIELD, PROMPT_SHIELD_TOTAL, RESUME_GRACE, SHIELD_AFTERGLOW,
    TAB_RETURN_GRACE, WARNING_COVER, WARNING_GRACE, WARNING_LIVE_SOCKET,
};
use super::state::{ExamSession, Stage, Standing, State, Warning};
use crate::ids::IncidentNo;
use crate::proctoring::{Class, Code, Incident, IncidentStatus};
use crate::time::{At, Span};

/// Something that happens without anybody's input. Of two at one instant the one named first goes first:
/// the end of time before any violation, the warning's effect before what it changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// The budget ran out
    TimeExpired,
    /// The warning counts as known
    WarningEffective(EffectiveHow),
    /// The questions come back
    CoverEnd,
    /// An automatic code reached its minimum duration
    Confirm(IncidentNo),
    /// An incident from before the warning goes on for too long
    Persist(IncidentNo),
    /// Nobody saw it for its merge gap
    RunOut(IncidentNo),
    /// Too short to confirm itself, and too long ago to be continued
    Record(IncidentNo),
    /// A break lasted longer than it was granted for
    BreakOverrun,
    /// The planned moment of a gesture is there
    GestureAsk,
    /// A dismissal can no longer be taken back
    DismissalFinal(IncidentNo),
    /// Late answers are no longer taken
    LateWindowEnd,
    /// Recordings that are still open are not waited for any longer
    EvidenceWaitEnd,
    /// The tab in charge did not come back: the waiting one of its device goes on
    TabReturnEnd,
}

impl ExamSession {
    /// The instant at which `decide(Input::Tick)` has something to do. May lie in the past.
    #[must_use]
    pub fn next_deadline(&self) -> Option<At> {
        self.next_due().map(|(at, _)| at)
    }

    pub(super) fn next_due(&self) -> Option<(At, Due)> {
        self.stage_due().into_iter().chain(self.tab_due()).chain(self.undo_due()).min()
    }

    fn undo_due(&self) -> Option<(At, Due)> {
        let unsealed = self.state.undoable.iter().filter(|_| self.state.sealed.is_none());
        unsealed.map(|(no, (_, until))| (*until, Due::DismissalFinal(*no))).min()
    }

    /// Not while everything stands: an alarm calls the candidate away too.
    fn break_due(&self) -> Option<(At, Due)> {
        let held = [PauseCause::Staff, PauseCause::Everybody];
        let away = self.state.away.as_ref().filter(|away| away.overrun.is_none())?;
        let until = away.until()?.max(self.state.resumed_at.unwrap_or(At(i64::MIN)));
        let counts = self.rule(Code::LeftPlace).is_some()
            && !held.iter().any(|cause| self.state.pauses.contains_key(cause));
        counts.then_some((until, Due::BreakOverrun))
    }

    /// Not while the clock stands or the candidate is away: it waits until they are there.
    fn gesture_due(&self) -> Option<(At, Due)> {
        let planned = self.state.challenge.as_ref().filter(|held| held.asked_at.is_none())?;
        let here = self.state.clock_runs() && !self.state.on_break();
        here.then_some((planned.due_at, Due::GestureAsk))
    }

    fn tab_due(&self) -> Option<(At, Due)> {
        let (device, ..) = self.state.waiting_device?;
        let bound = self.state.binding.as_ref().is_some_and(|binding| binding.device == device);
        let until = self.state.tab_may_return_until()?;
        bound.then_some((until, Due::TabReturnEnd))
    }

    fn stage_due(&self) -> Option<(At, Due)> {
        match &self.state.stage {
            Stage::Absent | Stage::Preparing => None,
            Stage::Running { deadline, paused_since } => {
                // Who could not come back to us yet still has what was left.
                let ends = self.state.return_awaited_until.map_or(*deadline, |until| until.max(*deadline));
                let expiry = paused_since.is_none().then_some((ends, Due::TimeExpired));
                let incidents =
                    self.state.incidents.iter().filter_map(|incident| self.incident_due(incident));
                let acts = self.break_due().into_iter().chain(self.gesture_due());
                expiry.into_iter().chain(self.warning_due()).chain(incidents).chain(acts).min()
            }
            Stage::Closed { finish: Finish::TimeExpired, at } => {
                let waits = !self.state.drained && !self.state.late_window_over;
                let late = waits.then_some((*at + LATE_WINDOW, Due::LateWindowEnd));
                late.into_iter().chain(self.evidence_due()).min()
            }
            Stage::Closed { .. } => self.evidence_due(),
        }
    }

    fn evidence_due(&self) -> Option<(At, Due)> {
        self.evidence_until().map(|at| (at, Due::EvidenceWaitEnd))
    }

    fn warning_due(&self) -> Option<(At, Due)> {
        let Standing::Warned(warning) = &self.state.standing else { return None };
        let effective = match warning.effective {
            None => {
                self.state.warning_effective_at(warning).map(|(at, how)| (at, Due::WarningEffective(how)))
            }
            Some(_) => None,
        };
        let covers = warning.acknowledged_at.is_none() && warning.uncovered_at.is_none();
        let uncover = covers.then(|| self.state.cover_end(warning)).flatten().map(|at| (at, Due::CoverEnd));
        effective.into_iter().chain(uncover).min()
    }

    fn incident_due(&self, incident: &Incident) -> Option<(At, Due)> {
        let no = incident.no;
        let confirm = self.auto_confirm_at(incident).map(|at| (at, Due::Confirm(no)));
        let persist = self.persist_at(incident).map(|at| (at, Due::Persist(no)));
        let out = self.run_out_at(incident).map(|at| (at, Due::RunOut(no)));
        let record = self.record_at(incident).map(|at| (at, Due::Record(no)));
        confirm.into_iter().chain(persist).chain(out).chain(record).min()
    }

    /// When an automatic incident confirms itself. A held behaviour runs with the clock; one that is only seen
    /// now and then must have been seen for that long.
    pub(super) fn auto_confirm_at(&self, incident: &Incident) -> Option<At> {
        if incident.class != Class::Auto
            || incident.status != IncidentStatus::Open
            || (incident.code.needs_failed_restore() && !incident.restore_failed)
        {
            return None;
        }
        let met = self.counted_from(incident)? + self.rule(incident.code)?.min_duration;
        if incident.ended_at.unwrap_or(incident.seen_at) >= met {
            return Some(met);
        }
        Some(met.max(self.runs_silently_from(incident)?))
    }

    /// From when on a running incident's silence means that it goes on.
    fn runs_silently_from(&self, incident: &Incident) -> Option<At> {
        if incident.ended_at.is_some() {
            return None;
        }
        let family = self.state.held.iter().filter(|(code, _)| code.same_behaviour(incident.code));
        family.map(|(_, held)| held.silent_from).max()
    }

    /// 30 s after the warning took effect, for a running incident that counts from before it.
    pub(super) fn persist_at(&self, incident: &Incident) -> Option<At> {
        let effective = self.state.warning_effective()?;
        let silent_from = self.runs_silently_from(incident)?;
        let stands = match incident.status {
            IncidentStatus::Open | IncidentStatus::ConfirmedAuto { .. } => true,
            IncidentStatus::ConfirmedHuman { .. } => true,
            IncidentStatus::Dismissed { .. } | IncidentStatus::Recorded => false,
        };
        let from = match incident.status {
            IncidentStatus::Open => self.counted_from(incident)?,
            _ => incident.began_at,
        };
        (stands && from < effective).then_some((effective + PERSIST_LIMIT).max(silent_from))
    }

    fn run_out_at(&self, incident: &Incident) -> Option<At> {
        if incident.ended_at.is_some() || self.state.holds(incident.code) {
            return None;
        }
        Some(incident.seen_at + self.merge_gap(incident.code))
    }

    fn record_at(&self, incident: &Incident) -> Option<At> {
        let ended = incident.ended_at?;
        if incident.status != IncidentStatus::Open || !self.is_too_short(incident, ended) {
            return None;
        }
        let gap_over = ended + self.merge_gap(incident.code);
        if !self.state.is_cut_off(incident.code) {
            return Some(gap_over);
        }
        let (_, since) = self.state.socket?;
        Some(gap_over.max(since + RESUME_GRACE))
    }

    /// For the record only, unless it is continued: an automatic incident that did not confirm itself, or a
    /// shorter one than its code asks for.
    pub(super) fn is_too_short(&self, incident: &Incident, ended: At) -> bool {
        let min = self.rule(incident.code).map_or(Span::ZERO, |rule| rule.min_duration);
        match incident.class {
            Class::Auto | Class::Info => true,
            Class::Human => ended - incident.began_at < min,
        }
    }

    pub(super) fn merge_gap(&self, code: Code) -> Span {
        self.rule(code).map_or(Span::ZERO, |rule| rule.merge_gap)
    }

    /// From when an incident counts; `None` while an open warning shields it without a known end.
    pub(super) fn counted_from(&self, incident: &Incident) -> Option<At> {
        if !incident.code.is_window() {
            return Some(incident.began_at);
        }
        let mut from = incident.began_at;
        if let Some(end) = self.state.prompt_shield_end() {
            from = from.max(end);
        }
        if let Standing::Warned(warning) = &self.state.standing {
            let closed =
                warning.acknowledged_at.or(warning.uncovered_at).or(self.state.cover_end(warning))?;
            from = from.max(closed + SHIELD_AFTERGLOW);
        }
        Some(from)
    }
}

impl State {
    /// The paper is out and the clock is not stopped.
    pub(super) fn clock_runs(&self) -> bool {
        matches!(self.stage, Stage::Running { paused_since: None, .. })
    }

    /// The candidate is away with a proctor's word.
    #[must_use]
    pub fn on_break(&self) -> bool {
        self.away.as_ref().is_some_and(|away| away.granted.is_some())
    }

    /// The behaviour behind `code` began and was not reported ended.
    pub(super) fn holds(&self, code: Code) -> bool {
        self.held.keys().any(|held| held.same_behaviour(code))
    }

    /// It was held when the connection was lost, and the browser has not said how it went on.
    pub(super) fn is_cut_off(&self, code: Code) -> bool {
        self.cut_off.iter().any(|held| held.same_behaviour(code))
    }

    pub(super) fn warning_effective(&self) -> Option<At> {
        match &self.standing {
            Standing::Warned(Warning { effective: Some((at, _)), .. }) => Some(*at),
            _ => None,
        }
    }

    /// How long a prompt opened now shields.
    pub(super) fn prompt_shield_left(&self) -> Span {
        (PROMPT_SHIELD_TOTAL - self.prompt_shielded).clamp(Span::ZERO, PROMPT_SHIELD)
    }

    fn prompt_shield_end(&self) -> Option<At> {
        let closed = match self.prompt_open_since {
            // Until it closes nobody knows; the bound is the latest it can be.
            Some(since) => Some(since + self.prompt_shield_left()),
            None => self.prompt_closed_at,
        };
        closed.map(|at| at + SHIELD_AFTERGLOW)
    }

    /// Until when the tab in charge is waited for; none while it is here, or before it ever came. After a fall of ours
    /// all tabs come back at once, so it is counted from our return.
    pub(super) fn tab_may_return_until(&self) -> Option<At> {
        let vacant = self.vacant_since?;
        let back = self.downtimes.last().map_or(vacant, |down| down.to);
        Some(vacant.max(back) + TAB_RETURN_GRACE)
    }

    /// When the socket will have been live for `span` since the warning was given.
    fn live_for(&self, warning: &Warning, span: Span) -> Option<At> {
        let (_, since) = self.socket?;
        Some(since.max(warning.given_at) + (span - warning.live).max(Span::ZERO))
    }

    /// the earliest of 10 s after display and 30 s of live socket (acknowledgement is at once).
    pub(super) fn warning_effective_at(&self, warning: &Warning) -> Option<(At, EffectiveHow)> {
        let displayed = warning.displayed_at.map(|at| (at + WARNING_GRACE, EffectiveHow::Displayed));
        let live = self.live_for(warning, WARNING_LIVE_SOCKET).map(|at| (at, EffectiveHow::LiveSocket));
        displayed.into_iter().chain(live).min()
    }

    /// When the questions come back if nobody acknowledges; `None` while the candidate is away and has not seen
    /// the warning.
    pub(super) fn cover_end(&self, warning: &Warning) -> Option<At> {
        let displayed = warning.displayed_at.map(|at| at + WARNING_COVER);
        displayed.into_iter().chain(self.live_for(warning, WARNING_COVER)).min()
    }
}

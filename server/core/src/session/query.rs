//! What others ask of a session. Nothing here changes it.

use super::event::{Finish, MediaStep};
use super::limits::{EVIDENCE_WAIT, LATE_WINDOW};
use super::state::{ExamSession, Stage, Standing};
use crate::decision::{Score, score};
use crate::ids::{Epoch, StaffId};
use crate::proctoring::{Class, Incident, IncidentStatus};
use crate::time::{At, Span};
use std::collections::BTreeSet;

/// Why the record cannot be sealed yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealWaits {
    /// The exam goes on, or never started
    #[error("the exam has not ended")]
    NotClosed,
    /// Somebody must rule on incidents
    #[error("{0} incidents wait for a person's decision")]
    HumanIncidents(u32),
    /// Late answers may still come
    #[error("late answers are taken until {0}")]
    LateWindow(At),
    /// A dismissal can still be taken back
    #[error("a dismissal can be taken back until {0}")]
    Undo(At),
    /// Recordings are still being finished
    #[error("recordings are being finished, until {0} at the latest")]
    Evidence(At),
    /// Done
    #[error("the record is sealed already")]
    AlreadySealed,
}

impl ExamSession {
    /// What is left of the budget; stands still while paused, nothing after the end.
    #[must_use]
    pub fn remaining(&self, at: At) -> Span {
        match &self.state.stage {
            Stage::Absent | Stage::Preparing => self.state.planned + self.state.extra,
            Stage::Running { deadline, paused_since } => {
                (*deadline - paused_since.unwrap_or(at)).max(Span::ZERO)
            }
            Stage::Closed { .. } => Span::ZERO,
        }
    }

    /// 0 or 1 (NB-20).
    #[must_use]
    pub fn warnings_given(&self) -> u32 {
        match self.state.standing {
            Standing::Clean => 0,
            Standing::Warned(_) | Standing::Terminated { .. } => 1,
        }
    }

    /// The warning, a break, or a pause, covers the questions on the candidate's screen.
    #[must_use]
    pub fn questions_covered(&self, at: At) -> bool {
        match (&self.state.stage, &self.state.standing) {
            (Stage::Running { paused_since: Some(_), .. }, _) => true,
            (Stage::Running { .. }, _) if self.state.on_break() => true,
            (Stage::Running { .. }, Standing::Warned(warning)) => {
                warning.acknowledged_at.is_none()
                    && warning.uncovered_at.is_none()
                    && self.state.cover_end(warning).is_none_or(|end| at < end)
            }
            _ => false,
        }
    }

    /// Time without a picture so far, our own downtime and pauses left out.
    #[must_use]
    pub fn unsupervised(&self, at: At) -> Span {
        let running = self.state.unsupervised_since.map_or(Span::ZERO, |since| at - since);
        self.state.unsupervised + running.max(Span::ZERO)
    }

    /// How much of the picture the page says that it sends.
    #[must_use]
    pub fn media_step(&self) -> MediaStep {
        self.state.media_steps.last().map_or(MediaStep::Full, |stepped| stepped.step)
    }

    /// Incidents nobody has ruled on.
    pub fn open_human_incidents(&self) -> impl Iterator<Item = &Incident> {
        self.state.incidents.iter().filter(|incident| incident.awaits_person())
    }

    /// How long until a behaviour that still goes on ends the exam by itself, once the warning is effective.
    #[must_use]
    pub fn countdown_to_second(&self, at: At) -> Option<Span> {
        if !self.state.clock_runs() {
            return None;
        }
        let effective = self.state.warning_effective()?;
        let ends = self.state.incidents.iter().filter(|incident| incident.class == Class::Auto);
        let ends = ends.filter_map(|incident| {
            let second = self.auto_confirm_at(incident).filter(|_| {
                incident.ended_at.is_none()
                    && self.counted_from(incident).is_some_and(|from| from >= effective)
            });
            second.or(self.persist_at(incident))
        });
        ends.min().map(|end| (end - at).max(Span::ZERO))
    }

    /// When a running automatic incident counts by itself: at its code's own time, or by outlasting the warning.
    #[must_use]
    pub fn counts_at(&self, incident: &Incident) -> Option<At> {
        self.auto_confirm_at(incident).into_iter().chain(self.persist_at(incident)).min()
    }

    /// Until when an unacknowledged warning covers the questions at the latest; `None` when it does not, or while the
    /// candidate is away and has not seen it.
    #[must_use]
    pub fn covered_until(&self) -> Option<At> {
        match (&self.state.stage, &self.state.standing) {
            (Stage::Running { .. }, Standing::Warned(warning)) => {
                let covers = warning.acknowledged_at.is_none() && warning.uncovered_at.is_none();
                covers.then(|| self.state.cover_end(warning)).flatten()
            }
            _ => None,
        }
    }

    /// Right answers of all questions in the form; `None` before the draw.
    #[must_use]
    pub fn score(&self) -> Option<Score> {
        let form = self.state.form.as_deref()?;
        Some(score(&self.context.bank, form, &self.state.answers))
    }

    /// Why the record cannot be sealed at `at`; `None` when it can.
    #[must_use]
    pub fn seal_waits(&self, at: At) -> Option<SealWaits> {
        let Stage::Closed { finish, at: closed_at } = &self.state.stage else {
            return Some(SealWaits::NotClosed);
        };
        if self.state.sealed.is_some() {
            return Some(SealWaits::AlreadySealed);
        }
        let open = self.open_human_incidents().count();
        if open > 0 {
            return Some(SealWaits::HumanIncidents(u32::try_from(open).unwrap_or(u32::MAX)));
        }
        if let Some((_, until)) = self.state.undoable.values().max_by_key(|(_, until)| *until)
            && at < *until
        {
            return Some(SealWaits::Undo(*until));
        }
        let until = *closed_at + LATE_WINDOW;
        let late = *finish == Finish::TimeExpired
            && !self.state.drained
            && !self.state.late_window_over
            && at < until;
        if late {
            return Some(SealWaits::LateWindow(until));
        }
        self.evidence_until().filter(|until| at < *until).map(SealWaits::Evidence)
    }

    /// Until when the record of an ended exam waits for a recorder that is not through, or for pieces of evidence that
    /// are still open; `None` without any.
    pub(super) fn evidence_until(&self) -> Option<At> {
        let Stage::Closed { at: closed_at, .. } = &self.state.stage else { return None };
        let whole = self.state.evidence_open.is_empty() && !self.state.recording;
        if whole || self.state.sealed.is_some() {
            return None;
        }
        let until = *closed_at + EVIDENCE_WAIT;
        Some(self.state.evidence_until.map_or(until, |moved| moved.max(until)))
    }

    /// Everybody of the staff whom the record mentions: who admitted, confirmed, changed the time, or ended it.
    #[must_use]
    pub fn staff_involved(&self) -> BTreeSet<StaffId> {
        let state = &self.state;
        let mut staff: BTreeSet<StaffId> = state.admitted.iter().map(|(by, _)| *by).collect();
        staff.extend(state.time_changes.iter().map(|change| change.by));
        staff.extend(state.breaks.iter().map(|taken| taken.granted.by));
        staff.extend(state.rechecks.iter().map(|done| done.by));
        staff.extend(state.challenges.iter().map(|done| done.by));
        staff.extend(state.incidents.iter().filter_map(|incident| match incident.status {
            IncidentStatus::ConfirmedHuman { by, .. } | IncidentStatus::Dismissed { by, .. } => Some(by),
            _ => None,
        }));
        if let Stage::Closed { finish: Finish::Staff { by, second, .. }, .. } = &state.stage {
            staff.insert(*by);
            staff.extend(second);
        }
        staff.extend(state.voided.iter().map(|(voided, _)| voided.by));
        staff
    }

    /// The commission ruled that the exam does not stand: whatever was right in it, there is no result.
    #[must_use]
    pub fn ruled_not_valid(&self) -> bool {
        self.state.ruling.as_ref().is_some_and(|ruling| !ruling.valid)
    }

    /// A superseded binding: what it still sends is kept as evidence only.
    #[must_use]
    pub fn is_evidence_only(&self, epoch: Epoch) -> bool {
        self.state.binding.as_ref().is_some_and(|binding| epoch < binding.epoch)
    }
}

//! Breaks, checks of the identity in mid-exam, and gestures.

use crate::ids::IncidentNo;
use crate::proctoring::{Code, Source};
use crate::session::event::{Event, Fact};
use crate::session::state::{
    Break, BreakTaken, Challenge, ChallengeDone, Granted, Recheck, RecheckDone, State,
};
use crate::time::At;
use std::collections::BTreeMap;

impl State {
    pub(super) fn apply_act(&mut self, event: &Event) {
        match &event.fact {
            Fact::BreakAsked { why } => {
                self.break_refused = None;
                self.away = Some(Break { why: *why, asked_at: event.at, granted: None, overrun: None });
            }
            Fact::BreakWithdrawn => self.away = None,
            Fact::BreakGranted { by, until, stops_clock } => {
                if let Some(away) = &mut self.away {
                    away.granted =
                        Some(Granted { by: *by, at: event.at, until: *until, stops_clock: *stops_clock });
                }
                self.forget_held();
            }
            Fact::BreakRefused { reason, .. } => {
                self.away = None;
                self.break_refused = Some((event.at, reason.clone()));
            }
            Fact::BreakEnded { .. } => {
                self.take_break(event.at);
                self.resumed_at = Some(event.at);
                self.forget_held();
            }
            Fact::RecheckAsked { by, reason } => {
                self.recheck = Some(Recheck {
                    by: *by,
                    asked_at: event.at,
                    reason: reason.clone(),
                    photos: BTreeMap::new(),
                    submitted: false,
                });
            }
            Fact::RecheckRuled { by, accepted, .. } => {
                if let Some(recheck) = self.recheck.take() {
                    let (asked_at, ruled_at) = (recheck.asked_at, event.at);
                    self.rechecks.push(RecheckDone { asked_at, ruled_at, by: *by, accepted: *accepted });
                }
            }
            Fact::RecheckWithdrawn { .. } => self.recheck = None,
            _ => self.apply_gesture(event),
        }
    }

    fn apply_gesture(&mut self, event: &Event) {
        match &event.fact {
            Fact::GesturePlanned { by, gesture, due_at } => {
                self.challenge = Some(Challenge {
                    by: *by,
                    gesture: *gesture,
                    due_at: *due_at,
                    asked_at: None,
                    answered: None,
                });
            }
            Fact::GestureAsked { .. } => {
                self.challenge.iter_mut().for_each(|held| held.asked_at = Some(event.at));
            }
            Fact::GestureAnswered { alternative } => {
                self.challenge.iter_mut().for_each(|held| held.answered = Some((event.at, *alternative)));
            }
            Fact::GestureJudged { by, accepted, .. } => {
                if let Some(held) = self.challenge.take() {
                    self.challenges.push(ChallengeDone {
                        gesture: held.gesture,
                        asked_at: held.asked_at.unwrap_or(event.at),
                        alternative: held.answered.is_some_and(|(_, alternative)| alternative),
                        by: *by,
                        accepted: *accepted,
                    });
                }
            }
            Fact::GestureWithdrawn { .. } => self.challenge = None,
            _ => {}
        }
    }

    fn take_break(&mut self, at: At) {
        if let Some(Break { why, granted: Some(granted), overrun, .. }) = self.away.take() {
            self.breaks.push(BreakTaken { why, granted, ended_at: at, overran: overrun.is_some() });
        }
    }

    /// With the exam ends whatever was on its way.
    pub(super) fn end_acts(&mut self, at: At) {
        self.take_break(at);
        self.recheck = None;
        self.challenge = None;
    }

    /// The server itself says that somebody left their place only when a break lasts too long.
    pub(super) fn note_overrun(&mut self, no: IncidentNo, code: Code, source: Source) {
        if code == Code::LeftPlace && source == Source::Server {
            self.away.iter_mut().for_each(|away| away.overrun = Some(no));
        }
    }
}

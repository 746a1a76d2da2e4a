//! The opened candidate.

use crate::candidate::chat_line;
use crate::convert;
use crate::timeline::{self, Names};
use std::collections::VecDeque;
use std::sync::Arc;
use synaq_core::ids::{Seq, SessionId, StaffId};
use synaq_core::proctoring::Code;
use synaq_core::session::{PauseCause, PhotoKind, Standing};
use synaq_core::time::At;
use synaq_runtime::Snapshot;
use synaq_store::{Error, EventLog};
use synaq_wire::candidate::DeviceReport;
use synaq_wire::proctor::{Detail, GestureView, RecheckView, Tile, TimelineEntry};
use synaq_wire::trial::TrialView;

/// Lines of the timeline that are kept and shown.
const TIMELINE_MAX: usize = 200;

/// The opened session's timeline, read on as it grows.
pub(super) struct Opened {
    pub(super) session: SessionId,
    read_to: Seq,
    /// Read once: a trial run ends before the exam
    trial: Option<TrialView>,
    newest_first: VecDeque<TimelineEntry>,
}

impl Opened {
    pub(super) fn new(session: SessionId, trial: Option<TrialView>) -> Self {
        Self { session, read_to: Seq(0), trial, newest_first: VecDeque::new() }
    }

    pub(super) async fn read_on(&mut self, log: &Arc<dyn EventLog>, names: &Names) -> Result<(), Error> {
        for recorded in log.load(self.session, self.read_to).await? {
            self.read_to = recorded.seq;
            if let Some(entry) = timeline::entry(&recorded, names) {
                self.newest_first.push_front(entry);
                self.newest_first.truncate(TIMELINE_MAX);
            }
        }
        Ok(())
    }

    pub(super) fn detail(
        &self,
        snapshot: &Snapshot,
        tile: Tile,
        names: &Names,
        me: StaffId,
        now: At,
    ) -> Box<Detail> {
        let state = snapshot.session.state();
        let photo = |kind| state.photos.get(&kind).map(|evidence| evidence.sha256.clone());
        let effective = match &state.standing {
            Standing::Warned(warning) => warning.effective,
            Standing::Clean | Standing::Terminated { .. } => None,
        };
        let rule = snapshot.session.context().programme.breaks;
        Box::new(Detail {
            tile,
            lang: state.lang.map(convert::lang),
            device: state.device_report.clone().map(device_report),
            trial: self.trial.clone(),
            face_photo: photo(PhotoKind::Face),
            document_photo: photo(PhotoKind::Document),
            device_waits: state.waiting_device.is_some(),
            waiting: state.waiting_device.map(|(_, _, socket)| socket.0),
            incidents: timeline::incidents(state, names),
            end_proposed_by: state.end_proposal.as_ref().map(|proposal| names.get(proposal.by)),
            end_proposed_by_me: state.end_proposal.as_ref().is_some_and(|proposal| proposal.by == me),
            messages: state.messages.iter().map(chat_line).collect(),
            timeline: self.newest_first.iter().cloned().collect(),
            unsupervised_ms: snapshot.session.unsupervised(now).0,
            warning_effective_at: effective.map(|(at, _)| at.0),
            started_at: state.started_at.map(|at| at.0),
            break_minutes: rule.minutes,
            break_stops_clock: rule.stop_clock,
            recheck: state.recheck.as_ref().map(|held| RecheckView {
                asked_at: held.asked_at.0,
                reason: held.reason.clone(),
                stops_clock: state.pauses.contains_key(&PauseCause::Recheck),
                face_photo: held.photos.get(&PhotoKind::Face).map(|photo| photo.sha256.clone()),
                document_photo: held.photos.get(&PhotoKind::Document).map(|photo| photo.sha256.clone()),
                submitted: held.submitted,
            }),
            gesture: state.challenge.as_ref().map(|held| GestureView {
                gesture: convert::gesture(held.gesture),
                due_at: held.due_at.0,
                asked_at: held.asked_at.map(|at| at.0),
                answered: held
                    .answered
                    .map(|(_, alternative)| if alternative { "alternative" } else { "shown" }.to_owned()),
            }),
            gestures_off: snapshot.session.rule(Code::ProctorOrderIgnored).is_none(),
        })
    }
}

fn device_report(report: synaq_core::session::DeviceReport) -> DeviceReport {
    DeviceReport {
        camera: report.camera,
        microphone: report.microphone,
        connection: report.connection,
        round_trip_ms: report.round_trip_ms,
        camera_label: report.camera_label,
        browser: report.browser,
        second_screen: report.second_screen,
        screen: report.screen,
        clock_behind_ms: report.clock_behind_ms,
    }
}

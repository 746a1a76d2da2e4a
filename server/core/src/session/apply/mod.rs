//! The only writer of state. Total: any event of the log can be applied, whatever came before it.

mod acts;
mod supervision;

use super::event::{Event, Fact, PauseCause};
use super::limits::{RESUME_GRACE, SERVER_RESTARTED, SERVER_STOPPED};
use super::local;
use super::state::{
    Answer, Binding, Done, EndProposal, ExamSession, MediaStepped, Message, Stage, Standing, State,
    TimeChange, TimeChangeKind,
};
use crate::ids::{Seq, StaffId};
use crate::proctoring::Source;
use crate::time::{At, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

impl ExamSession {
    /// Folds one event into the state.
    pub fn apply(&mut self, event: &Event) {
        self.state.apply(event);
    }
}

impl State {
    fn apply(&mut self, event: &Event) {
        self.seq = Seq(self.seq.0 + 1);
        self.last_at = self.last_at.max(Some(event.at));
        self.note_command(event);
        self.count_room(event);
        match &event.fact {
            Fact::SessionCreated { .. }
            | Fact::SittingMoved { .. }
            | Fact::AccommodationChanged { .. }
            | Fact::ExamCalledOff { .. }
            | Fact::LanguageChosen { .. }
            | Fact::ConsentGiven { .. }
            | Fact::DeviceChecked { .. }
            | Fact::PhotoStored { .. }
            | Fact::IdentitySubmitted
            | Fact::IdentityAskedAgain { .. }
            | Fact::Admitted { .. }
            | Fact::Acknowledged { .. } => self.apply_preparation(event),
            Fact::DeviceBound { .. }
            | Fact::DeviceWaiting { .. }
            | Fact::Connected { .. }
            | Fact::Disconnected { .. } => self.apply_connection(event),
            Fact::FormDrawn { .. }
            | Fact::Started { .. }
            | Fact::AnswerPut { .. }
            | Fact::AnswerLate { .. }
            | Fact::AnswerSuperseded { .. }
            | Fact::Flagged { .. }
            | Fact::Closed { .. }
            | Fact::OutboxDrained
            | Fact::LateWindowEnded => self.apply_attempt(event),
            Fact::Paused { .. }
            | Fact::Resumed { .. }
            | Fact::TimeCredited { .. }
            | Fact::TimeExtended { .. }
            | Fact::DowntimeCredited { .. } => self.apply_time(event),
            Fact::BreakAsked { .. }
            | Fact::BreakWithdrawn
            | Fact::BreakGranted { .. }
            | Fact::BreakRefused { .. }
            | Fact::BreakEnded { .. }
            | Fact::RecheckAsked { .. }
            | Fact::RecheckRuled { .. }
            | Fact::RecheckWithdrawn { .. }
            | Fact::GesturePlanned { .. }
            | Fact::GestureAsked { .. }
            | Fact::GestureAnswered { .. }
            | Fact::GestureJudged { .. }
            | Fact::GestureWithdrawn { .. } => self.apply_act(event),
            Fact::PromptShown { .. }
            | Fact::DetectorReported { .. }
            | Fact::IncidentOpened { .. }
            | Fact::IncidentSeen { .. }
            | Fact::IncidentEnded { .. }
            | Fact::IncidentRecorded { .. }
            | Fact::IncidentConfirmed { .. }
            | Fact::IncidentDismissed { .. }
            | Fact::IncidentReopened { .. }
            | Fact::DismissalFinal { .. } => self.apply_incident(event),
            Fact::ViolationCounted { .. }
            | Fact::WarningDisplayed { .. }
            | Fact::WarningAcknowledged { .. }
            | Fact::WarningEffective { .. }
            | Fact::WarningCoverEnded { .. } => self.apply_standing(event),
            Fact::MediaChanged { .. }
            | Fact::ScreenChanged { .. }
            | Fact::MediaStepped { .. }
            | Fact::LocalKept { .. }
            | Fact::LocalStored { .. }
            | Fact::RecordingBegan
            | Fact::RecordingEnded
            | Fact::EvidenceOpened { .. }
            | Fact::EvidenceStored { .. }
            | Fact::EvidenceCheckpoint { .. }
            | Fact::EvidenceGap { .. }
            | Fact::EvidenceAwaited { .. }
            | Fact::MessageSent { .. }
            | Fact::HelpAsked
            | Fact::HelpAnswered { .. }
            | Fact::EndProposed { .. }
            | Fact::EndWithdrawn { .. }
            | Fact::RecordSealed { .. }
            | Fact::RecordApproved { .. }
            | Fact::AttemptVoided { .. }
            | Fact::ClockStepped { .. } => self.apply_company(event),
        }
    }

    /// Remembers which command took effect, so that a repeated one does not again.
    fn note_command(&mut self, event: &Event) {
        if let Some(client) = event.client {
            // It was never away.
            self.return_awaited_until = None;
            if matches!(event.fact, Fact::AnswerSuperseded { .. }) {
                self.kept_superseded.insert((client.epoch, client.client_seq));
            } else {
                let done = Done { seq: self.seq, fingerprint: event.fingerprint };
                self.receipts.keep(client.epoch, client.client_seq, done);
            }
        }
    }

    fn count_room(&mut self, event: &Event) {
        match &event.fact {
            Fact::AnswerPut { .. } | Fact::AnswerLate { .. } | Fact::AnswerSuperseded { .. } => {
                self.answer_events += 1;
            }
            Fact::DetectorReported { .. } | Fact::DeviceWaiting { .. } => self.chatter_events += 1,
            _ => self.chatter_events += u64::from(event.client.is_some()),
        }
    }

    fn apply_preparation(&mut self, event: &Event) {
        match &event.fact {
            Fact::SessionCreated {
                centre,
                sitting,
                draw_secret,
                planned,
                extra,
                opens_at,
                closes_at,
                switched_off,
                care,
                ..
            } => {
                self.centre = Some(*centre);
                self.sitting = Some(*sitting);
                self.draw_secret = Some(*draw_secret);
                self.planned = *planned;
                self.extra = *extra;
                self.opens_at = Some(*opens_at);
                self.closes_at = Some(*closes_at);
                // An empty set may be the silence of a log from before it was kept.
                self.switched_off = (!switched_off.is_empty()).then(|| switched_off.clone());
                self.care = care.clone();
                self.stage = Stage::Preparing;
            }
            Fact::SittingMoved { opens_at, closes_at, .. } => {
                self.opens_at = Some(*opens_at);
                self.closes_at = Some(*closes_at);
            }
            Fact::AccommodationChanged { extra, switched_off, care, .. } => {
                self.extra = *extra + self.extended();
                self.switched_off = Some(switched_off.clone());
                self.care = care.clone();
            }
            Fact::ExamCalledOff { called_off, .. } => self.called_off = called_off.clone(),
            Fact::LanguageChosen { lang } => self.lang = Some(*lang),
            Fact::ConsentGiven { text_version, lang } => self.consent = Some((text_version.clone(), *lang)),
            Fact::DeviceChecked { report } => self.device_report = Some(report.clone()),
            Fact::PhotoStored { kind, evidence } => {
                let photos = self.recheck.as_mut().map_or(&mut self.photos, |recheck| &mut recheck.photos);
                photos.insert(*kind, evidence.clone());
                self.evidence.push(evidence.clone());
            }
            Fact::IdentitySubmitted if self.recheck.is_some() => {
                self.recheck.iter_mut().for_each(|recheck| recheck.submitted = true);
            }
            Fact::IdentitySubmitted => {
                self.identity_submitted = true;
                self.asked_again = None;
            }
            Fact::IdentityAskedAgain { reason, .. } => {
                self.identity_submitted = false;
                self.asked_again = Some(reason.clone());
                self.photos.clear();
            }
            Fact::Admitted { by } => self.admitted = Some((*by, event.at)),
            Fact::Acknowledged { text, text_version, lang } => {
                self.acknowledged.insert(*text, (text_version.clone(), *lang));
            }
            _ => {}
        }
    }

    fn apply_connection(&mut self, event: &Event) {
        match &event.fact {
            Fact::DeviceBound { epoch, device, tab, .. } => {
                self.binding = Some(Binding { epoch: *epoch, device: *device, tab: *tab });
                self.once_in_charge.insert((*device, *tab));
            }
            Fact::DeviceWaiting { device, tab, socket } => {
                self.waiting_device = Some((*device, *tab, *socket));
                self.waiting_since = Some(event.at);
            }
            Fact::Connected { tab, socket, .. } => {
                self.lose_socket(event.at);
                self.socket = Some((*socket, event.at));
                self.vacant_since = None;
                self.return_awaited_until = None;
                if let Some(binding) = &mut self.binding {
                    binding.tab = *tab;
                }
                if self.waiting_device.is_some_and(|(_, _, waiting)| waiting == *socket) {
                    self.waiting_device = None;
                    self.waiting_since = None;
                }
            }
            Fact::Disconnected { socket, reason } => {
                if self.waiting_device.is_some_and(|(_, _, waiting)| waiting == *socket) {
                    self.waiting_device = None;
                    self.waiting_since = None;
                }
                if self.socket.is_none_or(|(live, _)| live != *socket) {
                    return;
                }
                self.lose_socket(event.at);
                self.vacant_since = Some(event.at);
                if reason == SERVER_RESTARTED || reason == SERVER_STOPPED {
                    self.forget_held();
                } else {
                    self.interruptions += u32::from(self.clock_runs());
                }
            }
            _ => {}
        }
    }

    fn apply_attempt(&mut self, event: &Event) {
        match &event.fact {
            Fact::FormDrawn { nonce, form } => {
                self.draw_nonce = Some(*nonce);
                self.form = Some(Arc::new(form.clone()));
            }
            Fact::Started { deadline } => {
                self.stage = Stage::Running { deadline: *deadline, paused_since: None };
                self.started_at = Some(event.at);
                self.prompt_shielded = Span::ZERO;
                self.deadline_version += 1;
                self.forget_held();
                self.watch_supervision(event.at);
            }
            Fact::AnswerPut { question, shown } => {
                let seq = self.seq;
                put_newest(&mut self.answers, *question, shown, event, seq);
            }
            Fact::AnswerLate { question, shown } => {
                let seq = self.seq;
                put_newest(&mut self.late_answers, *question, shown, event, seq);
            }
            Fact::Flagged { question, on: true } => {
                self.flags.insert(*question);
            }
            Fact::Flagged { question, on: false } => {
                self.flags.remove(question);
            }
            Fact::Closed { finish, note } => {
                self.finish_note = note.clone();
                self.end_acts(event.at);
                self.stop_pause(event.at);
                self.stage = Stage::Closed { finish: finish.clone(), at: event.at };
                self.end_proposal = None;
                self.forget_held();
                self.watch_supervision(event.at);
            }
            Fact::OutboxDrained => self.drained = true,
            Fact::LateWindowEnded => self.late_window_over = true,
            _ => {}
        }
    }

    fn apply_time(&mut self, event: &Event) {
        match &event.fact {
            Fact::Paused { by, reason, cause } => {
                self.pauses.insert(*cause, self.time_changes.len());
                self.note_time(TimeChangeKind::Pause, event.at, Span::ZERO, *by, reason);
                if let Stage::Running { paused_since, .. } = &mut self.stage {
                    *paused_since = paused_since.or(Some(event.at));
                    self.deadline_version += 1;
                }
                self.forget_held();
            }
            Fact::Resumed { cause, .. } => {
                if self.pauses.keys().any(|held| held != cause) {
                    self.end_pause(*cause, event.at);
                } else {
                    self.stop_pause(event.at);
                }
                self.resumed_at = Some(event.at);
                self.forget_held();
            }
            Fact::TimeCredited { by, span, reason } => {
                self.note_time(TimeChangeKind::Credit, event.at, *span, *by, reason);
                self.given_by_staff = self.given_by_staff + *span;
                self.give_back(*span);
            }
            Fact::TimeExtended { by, span, reason } => {
                self.note_time(TimeChangeKind::Extension, event.at, *span, *by, reason);
                self.given_by_staff = self.given_by_staff + *span;
                self.extra = self.extra + *span;
                self.move_deadline(*span);
            }
            Fact::DowntimeCredited { span, awaited_until } => {
                self.return_awaited_until = *awaited_until;
                self.forget_held();
                self.give_back(span.to - span.from);
                self.downtimes.push(*span);
                if let Some(since) = self.unsupervised_since {
                    self.unsupervised = self.unsupervised + (span.from - since).max(Span::ZERO);
                    self.unsupervised_since = Some(span.to);
                }
            }
            _ => {}
        }
        self.watch_supervision(event.at);
    }

    fn apply_company(&mut self, event: &Event) {
        match &event.fact {
            Fact::MediaChanged { video, audio } => {
                self.video = *video;
                self.audio = *audio;
                self.watch_supervision(event.at);
            }
            Fact::ScreenChanged { live } => self.screen = *live,
            Fact::AttemptVoided { voided } => self.voided = Some((voided.clone(), event.at)),
            Fact::RecordingBegan => self.recording = true,
            Fact::RecordingEnded => self.recording = false,
            Fact::EvidenceOpened { name } => {
                self.evidence_open.insert(name.clone());
            }
            Fact::MediaStepped { step, why } => {
                self.media_steps.push(MediaStepped { at: event.at, step: *step, why: *why });
            }
            Fact::LocalKept { pieces } => self.open_local(*pieces),
            Fact::EvidenceStored { evidence } | Fact::LocalStored { evidence, .. } => {
                self.evidence_open.remove(&evidence.name);
                self.local_pieces = self.local_pieces.max(local::number(&evidence.name).unwrap_or(0));
                self.evidence.push(evidence.clone());
            }
            Fact::EvidenceGap { span, why, name } => {
                if let Some(name) = name {
                    self.evidence_open.remove(name);
                }
                self.evidence_gaps.push((event.at, *span, why.clone()));
            }
            Fact::EvidenceAwaited { until } => self.evidence_until = Some(*until),
            Fact::MessageSent { from, text } => {
                let message = Message { seq: self.seq, at: event.at, from: *from, text: text.clone() };
                self.messages.push(message);
            }
            Fact::HelpAsked => self.help_asked_at = self.help_asked_at.or(Some(event.at)),
            Fact::HelpAnswered { .. } => self.help_asked_at = None,
            Fact::EndProposed { why, by, note } => {
                self.end_proposal = Some(EndProposal { why: *why, by: *by, note: note.clone() });
            }
            Fact::EndWithdrawn { .. } => self.end_proposal = None,
            Fact::RecordSealed { sha256, kid } => self.sealed = Some((sha256.clone(), kid.clone(), event.at)),
            Fact::RecordApproved { by, ruling, .. } => {
                self.approved = Some((*by, event.at));
                self.ruling = ruling.clone();
            }
            Fact::ClockStepped { from, .. } => self.stepped_from = Some(*from),
            _ => {}
        }
    }

    /// Names the pieces that wait on the device and have no name yet.
    fn open_local(&mut self, pieces: u16) {
        for _ in self.local_open().count()..usize::from(pieces) {
            self.local_pieces += 1;
            self.evidence_open.insert(local::name(self.local_pieces));
        }
    }

    /// Adds the live time of the socket to an open warning, and sets aside what only the browser could tell.
    /// A device's claim ends with the socket: network loss is technical.
    fn lose_socket(&mut self, at: At) {
        let Some((_, since)) = self.socket.take() else { return };
        if let Standing::Warned(warning) = &mut self.standing {
            warning.live = warning.live + (at - since.max(warning.given_at)).max(Span::ZERO);
        }
        if at - since > RESUME_GRACE {
            self.cut_off.clear();
        }
        self.held.retain(|code, held| {
            if held.source == Source::Client && !code.needs_failed_restore() {
                self.cut_off.insert(*code);
            }
            held.source != Source::Client && !code.needs_failed_restore()
        });
    }

    fn note_time(&mut self, kind: TimeChangeKind, at: At, span: Span, by: StaffId, reason: &str) {
        self.time_changes.push(TimeChange { kind, at, span, by, reason: reason.to_owned() });
    }

    /// The clock goes on, or the exam ends in the middle of a pause: either way the pause is given back.
    fn stop_pause(&mut self, at: At) {
        if let Stage::Running { paused_since, .. } = &mut self.stage
            && let Some(since) = paused_since.take()
        {
            for cause in self.pauses.keys().copied().collect::<Vec<_>>() {
                self.end_pause(cause, at);
            }
            self.give_back(at - since);
        }
    }

    /// One of several reasons is over. Each is noted with its own length; what is given back is the time that the clock
    /// stood, once.
    fn end_pause(&mut self, cause: PauseCause, at: At) {
        let Some(noted) = self.pauses.remove(&cause) else { return };
        if let Some(pause) = self.time_changes.get_mut(noted) {
            pause.span = at - pause.at;
        }
    }

    fn give_back(&mut self, span: Span) {
        self.credited = self.credited + span;
        self.move_deadline(span);
    }

    fn move_deadline(&mut self, span: Span) {
        if let Stage::Running { deadline, .. } = &mut self.stage {
            *deadline = *deadline + span;
            self.deadline_version += 1;
        }
    }

    /// Time without a picture counts while the clock runs.
    fn watch_supervision(&mut self, at: At) {
        let blind = self.clock_runs() && !self.video;
        match (blind, self.unsupervised_since) {
            (true, None) => self.unsupervised_since = Some(at),
            (false, Some(since)) => {
                self.unsupervised = self.unsupervised + (at - since).max(Span::ZERO);
                self.unsupervised_since = None;
            }
            _ => {}
        }
    }
}

/// A command given earlier and delivered later never overwrites a newer one of the same binding.
fn put_newest(
    answers: &mut BTreeMap<u16, Answer>,
    question: u16,
    shown: &std::collections::BTreeSet<u8>,
    event: &Event,
    seq: Seq,
) {
    let Some(client) = event.client else { return };
    let given = (client.epoch, client.client_seq);
    if answers.get(&question).is_some_and(|held| (held.epoch, held.client_seq) > given) {
        return;
    }
    let answer = Answer {
        shown: shown.clone(),
        client_seq: client.client_seq,
        epoch: client.epoch,
        seq,
        at: event.at,
    };
    answers.insert(question, answer);
}

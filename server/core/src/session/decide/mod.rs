//! Decide is pure: what is due happens first, then the input is judged on what that left.

mod answers;
mod arrangement;
mod breaks;
mod connection;
mod gesture;
mod media;
mod preparation;
mod recheck;
mod settle;
mod signals;
mod staff;
mod time;
mod violations;

use super::event::{ClientRef, Event, Fact, MessageFrom, PauseCause};
use super::fingerprint::Fingerprint;
use super::input::{Command, Decision, Effect, Input, Refusal, StaffCommand};
use super::limits::{ANSWERS_MAX, CHATTER_EVENTS_MAX, DISMISSAL_UNDO, MESSAGE_CHARS};
use super::state::{ExamSession, Stage, State};
use crate::ids::StaffId;
use crate::time::At;
use std::borrow::Cow;

impl ExamSession {
    /// Judges one input at one instant. Never changes the session: append the events, then `apply` each.
    /// A refusal is an effect; even then events can be there, of what was due before.
    #[must_use]
    pub fn decide(&self, at: At, input: Input) -> Decision {
        let told = at;
        let at = at.max(self.state.last_at.unwrap_or(at));
        let mut deciding = Deciding {
            session: Cow::Borrowed(self),
            at,
            client: None,
            fingerprint: None,
            last_at: self.state.last_at,
            concluded: false,
            decision: Decision::default(),
        };
        deciding.note_clock(told);
        if !matches!(input, Input::Recover { .. } | Input::StoodStill { .. }) {
            deciding.settle(at);
        }
        match deciding.handle(input) {
            Ok(()) if deciding.decision.effects.is_empty() => deciding.answer(Effect::Accepted),
            Ok(()) => {}
            Err(refusal) => deciding.answer(Effect::Refused(refusal)),
        }
        if !deciding.concluded {
            deciding.settle(at);
        }
        deciding.decision
    }
}

/// A decision being made: the session as the events so far leave it.
struct Deciding<'a> {
    session: Cow<'a, ExamSession>,
    at: At,
    client: Option<ClientRef>,
    fingerprint: Option<Fingerprint>,
    last_at: Option<At>,
    concluded: bool,
    decision: Decision,
}

impl Deciding<'_> {
    fn state(&self) -> &State {
        self.session.state()
    }

    fn answer(&mut self, effect: Effect) {
        self.decision.effects.push(effect);
    }

    /// Now, as part of the input.
    fn emit(&mut self, fact: Fact) {
        self.emit_at(self.at, fact);
    }

    /// Now, as the very command of the candidate: it becomes its receipt.
    fn emit_command(&mut self, fact: Fact) {
        self.push(self.at, self.client, fact);
    }

    /// The candidate's command and nothing after it: the session need not be copied to see what it leaves,
    /// because nothing can fall due by it.
    fn emit_last(&mut self, fact: Fact) {
        let event = self.event(self.at, self.client, fact);
        self.decision.events.push(event);
        self.concluded = true;
    }

    /// At the instant it was due, but never before the event in front of it.
    fn emit_at(&mut self, at: At, fact: Fact) {
        self.push(at, None, fact);
    }

    fn event(&self, at: At, client: Option<ClientRef>, fact: Fact) -> Event {
        let at = at.max(self.last_at.unwrap_or(at));
        Event { at, client, fingerprint: client.and(self.fingerprint), fact }
    }

    fn push(&mut self, at: At, client: Option<ClientRef>, fact: Fact) {
        let event = self.event(at, client, fact);
        self.last_at = Some(event.at);
        self.session.to_mut().apply(&event);
        self.decision.events.push(event);
    }

    fn handle(&mut self, input: Input) -> Result<(), Refusal> {
        match (&self.state().stage, input) {
            (Stage::Absent, Input::Create(creation)) => self.create(&creation),
            (Stage::Absent, _) | (_, Input::Create(_)) => Err(Refusal::WrongStage),
            (_, Input::Bind { device, tab }) => self.bind(device, tab),
            (_, Input::Attach { device, tab, socket }) => self.attach(device, tab, socket),
            (_, Input::Detach { socket, reason }) => {
                self.detach(socket, reason);
                Ok(())
            }
            (_, Input::Candidate { client, command }) => self.candidate(client, command),
            (_, Input::Staff { by, command }) => self.staff(by, command),
            (_, Input::Photo { kind, evidence }) => self.photo(kind, evidence),
            (_, Input::Media(fact)) => self.media(fact),
            (_, Input::Detect(event)) => self.detect(event),
            (_, Input::Tick) => Ok(()),
            (_, Input::Recover { down_from }) => {
                self.recover(down_from);
                Ok(())
            }
            (_, Input::StoodStill { since }) => {
                self.stood_still(since);
                Ok(())
            }
            (_, Input::Arrange(arrangement)) => self.arrange(*arrangement),
            (_, Input::Sealed { sha256, kid }) => self.sealed(sha256, kid),
        }
    }

    fn candidate(&mut self, client: ClientRef, command: Command) -> Result<(), Refusal> {
        let binding = self.state().binding.as_ref().ok_or(Refusal::WrongStage)?;
        if client.client_seq == 0 {
            return Err(Refusal::OutOfLimits);
        }
        if client.epoch > binding.epoch {
            return Err(Refusal::OtherDevice);
        }
        let fingerprint = Fingerprint::of(&command);
        if let Some(done) = self.state().receipts.get(client.epoch, client.client_seq) {
            if done.fingerprint.is_some_and(|held| held != fingerprint) {
                return Err(Refusal::ClientSeqReused);
            }
            self.answer(Effect::AlreadyDone(done.seq));
            return Ok(());
        }
        self.client = Some(client);
        self.fingerprint = Some(fingerprint);
        if self.session.is_evidence_only(client.epoch) {
            return self.superseded(client, command);
        }
        if !self.has_room(&command) {
            return Err(Refusal::TooManyEvents);
        }
        match command {
            Command::ChooseLanguage(lang) => self.choose_language(lang),
            Command::Consent { text_version, lang } => self.consent(text_version, lang),
            Command::CheckDevice(report) => self.check_device(report),
            Command::SubmitIdentity => self.submit_identity(),
            Command::Acknowledge { text, text_version, lang } => self.acknowledge(text, text_version, lang),
            Command::Ready { nonce } => self.draw_paper(nonce),
            Command::Begin => self.begin(),
            Command::Answer { question, shown } => self.put_answer(client, question, shown),
            Command::Flag { question, on } => self.flag(question, on),
            Command::Signal { code, phase, ago, note } => self.signal(code, phase, ago, note),
            Command::StepMedia { step, why } => self.step_media(step, why),
            Command::KeepLocal { pieces } => self.keep_local(pieces),
            Command::Prompt { open } => self.prompt(open),
            Command::WarningDisplayed { ordinal } => self.warning_displayed(ordinal),
            Command::AcknowledgeWarning { ordinal } => self.acknowledge_warning(ordinal),
            Command::AskBreak(why) => self.ask_break(why),
            Command::WithdrawBreak => self.withdraw_break(),
            Command::ReturnFromBreak => self.end_break(None),
            Command::AnswerGesture { alternative } => self.answer_gesture(alternative),
            Command::CallProctor => {
                self.emit_command(Fact::HelpAsked);
                Ok(())
            }
            Command::Say(text) => {
                within(&text, 1, MESSAGE_CHARS)?;
                self.emit_command(Fact::MessageSent { from: MessageFrom::Candidate, text });
                Ok(())
            }
            Command::HandIn => self.hand_in(),
            Command::Drained => self.drained(),
        }
    }

    fn staff(&mut self, by: StaffId, command: StaffCommand) -> Result<(), Refusal> {
        match command {
            StaffCommand::Admit { seen } => self.admit(by, seen.as_ref()),
            StaffCommand::AskAgain { reason } => self.ask_again(by, reason),
            StaffCommand::AdmitDevice { waiting } => self.admit_device(by, waiting),
            StaffCommand::Say(text) => self.staff_says(by, text),
            StaffCommand::Confirm { incident, began_at, warnings_seen, note } => {
                self.confirm(by, incident, began_at, warnings_seen, note)
            }
            StaffCommand::Dismiss { incident, note } => self.dismiss(by, incident, note, None),
            StaffCommand::SetAside { incident, note } => {
                self.dismiss(by, incident, note, Some(self.at + DISMISSAL_UNDO))
            }
            StaffCommand::UndoDismiss { incident } => self.undo_dismiss(by, incident),
            StaffCommand::Record { code, began_at, warnings_seen, note } => {
                self.record(by, code, began_at, warnings_seen, note)
            }
            StaffCommand::Pause { reason } => self.pause(by, reason, PauseCause::Staff),
            StaffCommand::Resume => self.resume(by),
            StaffCommand::PauseEverybody { reason } => self.pause(by, reason, PauseCause::Everybody),
            StaffCommand::ResumeEverybody => self.resume_everybody(by),
            StaffCommand::GrantBreak { minutes } => self.grant_break(by, minutes),
            StaffCommand::RefuseBreak { reason } => self.refuse_break(by, reason),
            StaffCommand::EndBreak => self.end_break(Some(by)),
            StaffCommand::AskRecheck { reason, stop } => self.ask_recheck(by, reason, stop),
            StaffCommand::RuleRecheck { accepted, seen, note } => {
                self.rule_recheck(by, accepted, seen.as_ref(), note)
            }
            StaffCommand::WithdrawRecheck => self.withdraw_recheck(by),
            StaffCommand::PlanGesture { gesture, after } => self.plan_gesture(by, gesture, after),
            StaffCommand::JudgeGesture { accepted, note } => self.judge_gesture(by, accepted, note),
            StaffCommand::WithdrawGesture => self.withdraw_gesture(by),
            StaffCommand::Credit { span, reason } => self.credit(by, span, reason),
            StaffCommand::Extend { span, reason } => self.extend(by, span, reason),
            StaffCommand::End { why, note } => self.end(by, why, note),
            StaffCommand::WithdrawEnd => self.withdraw_end(by),
            StaffCommand::Void { ground, reason, replaced_by } => self.void(by, ground, reason, replaced_by),
            StaffCommand::Approve { sha256, note, ruling } => self.approve(by, sha256, note, ruling),
        }
    }

    /// Answers have their room and chatter has its own; what ends or warns always has.
    fn has_room(&self, command: &Command) -> bool {
        match command {
            Command::HandIn
            | Command::Drained
            | Command::AcknowledgeWarning { .. }
            | Command::WarningDisplayed { .. }
            | Command::Ready { .. }
            | Command::ReturnFromBreak
            | Command::Begin => true,
            Command::Answer { .. } => self.state().answer_events < ANSWERS_MAX,
            _ => self.state().chatter_events < CHATTER_EVENTS_MAX,
        }
    }
}

/// Between `least` and `most` characters, spaces at the ends not counted for the least.
fn within(text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    if text.trim().chars().count() < least || text.chars().count() > most {
        return Err(Refusal::OutOfLimits);
    }
    Ok(())
}

fn note_within(note: Option<&String>, most: usize) -> Result<(), Refusal> {
    note.map_or(Ok(()), |note| within(note, 0, most))
}

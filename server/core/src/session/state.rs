//! What is known of a session. Written by `apply` alone, readable by everybody.

use crate::bank::{Bank, Lang, Programme};
use crate::form::{ExamForm, Seed};
use crate::ids::{CentreId, DeviceHash, Epoch, IncidentNo, Seq, SittingId, SocketId, StaffId, TabId};
use crate::proctoring::{Code, Incident, Rule, RuleTable, Source};
use crate::session::event::{
    BreakWhy, CalledOff, Care, Consequence, DowntimeSpan, EffectiveHow, EvidenceRef, Finish, Gesture,
    MediaStep, MessageFrom, PauseCause, PhotoKind, Ruling, StaffEndReason, StepWhy, Voided,
};
use crate::session::fingerprint::Fingerprint;
use crate::session::input::{AcknowledgedText, DeviceReport};
use crate::session::receipts::Receipts;
use crate::time::{At, Span};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// What does not change during a session: loaded by the runtime before the log is replayed.
#[derive(Clone, Debug)]
pub struct Context {
    /// The programme version the session was created under
    pub programme: Programme,
    /// The bank version it draws from, with keys
    pub bank: Arc<Bank>,
    /// SHA-256 of the bank as stored, hex
    pub bank_sha256: String,
    /// Who confirms what
    pub rules: RuleTable,
}

/// Where the attempt stands (9.2, 9.3). Supervision is a machine of its own: [`Standing`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// No event yet
    #[default]
    Absent,
    /// Consent, device check, identity, acknowledgements
    Preparing,
    /// The paper is out and the clock runs, unless paused
    Running {
        /// Server value; moves with pauses and credits
        deadline: At,
        /// When the clock was stopped, if it is
        paused_since: Option<At>,
    },
    /// Ended
    Closed {
        /// Why
        finish: Finish,
        /// When
        at: At,
    },
}

/// Where supervision stands (NB-20).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// No violation
    #[default]
    Clean,
    /// One violation
    Warned(Warning),
    /// A repeated one ended the exam
    Terminated {
        /// The one warning before
        warning: Warning,
        /// The second violation
        incident: IncidentNo,
    },
}

/// The one warning of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Always 1
    pub ordinal: u32,
    /// The first violation
    pub incident: IncidentNo,
    /// When it was committed
    pub given_at: At,
    /// When the client reported it on screen
    pub displayed_at: Option<At>,
    /// When the candidate pressed the button
    pub acknowledged_at: Option<At>,
    /// From when on a new incident counts as the second
    pub effective: Option<(At, EffectiveHow)>,
    /// When the questions came back without an acknowledgement
    pub uncovered_at: Option<At>,
    /// Live socket time since `given_at` up to the last disconnect
    pub live: Span,
}

/// A counted violation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// 1, 2, ...
    pub ordinal: u32,
    /// Which incident
    pub incident: IncidentNo,
    /// What it did
    pub consequence: Consequence,
    /// When it was counted
    pub at: At,
}

/// A bound device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// From 1
    pub epoch: Epoch,
    /// Whose key
    pub device: DeviceHash,
    /// Which tab
    pub tab: TabId,
}

/// A candidate's command that took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// Its first event
    pub seq: Seq,
    /// What it said; none in logs from before it was kept
    pub fingerprint: Option<Fingerprint>,
}

/// The newest answer to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Positions in the candidate's order
    pub shown: BTreeSet<u8>,
    /// Which of the device's commands gave it: a smaller one never overwrites it
    pub client_seq: u64,
    /// Under which binding
    pub epoch: Epoch,
    /// Where it stands in the log
    pub seq: Seq,
    /// When it was stored
    pub at: At,
}

/// A behaviour that goes on until its end is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Who said so
    pub source: Source,
    /// From when on silence means that it goes on: later than the claim if that was queued on the device,
    /// because its end may be queued behind it
    pub silent_from: At,
}

/// A step of the ladder between full video and signals only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MediaStepped {
    /// When
    pub at: At,
    /// From then on
    pub step: MediaStep,
    /// Why
    pub why: StepWhy,
}

/// A line of the conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Where it stands in the log
    pub seq: Seq,
    /// When
    pub at: At,
    /// Who
    pub from: MessageFrom,
    /// What
    pub text: String,
}

/// What moved the deadline by a person's hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeChangeKind {
    /// The clock stood still
    Pause,
    /// Given back for a fault
    Credit,
    /// Added
    Extension,
}

/// A pause, credit or extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeChange {
    /// Which
    pub kind: TimeChangeKind,
    /// When; of a pause its beginning
    pub at: At,
    /// How long; of a running pause nothing yet
    pub span: Span,
    /// Who
    pub by: StaffId,
    /// Why
    pub reason: String,
}

/// A break that is asked for or goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Break {
    /// What for
    pub why: BreakWhy,
    /// When the candidate asked
    pub asked_at: At,
    /// Once a proctor said yes
    pub granted: Option<Granted>,
    /// The incident of not being back in time
    pub overrun: Option<IncidentNo>,
}

/// A proctor's yes to a break.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// Who
    pub by: StaffId,
    /// When it began
    pub at: At,
    /// When the candidate is awaited back
    pub until: At,
    /// The clock stands meanwhile
    pub stops_clock: bool,
}

/// A break that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreakTaken {
    /// What for
    pub why: BreakWhy,
    /// How it was granted
    pub granted: Granted,
    /// When the candidate was back, or the exam ended
    pub ended_at: At,
    /// Not back in time
    pub overran: bool,
}

/// Face and document, asked for once more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recheck {
    /// Who asked
    pub by: StaffId,
    /// When
    pub asked_at: At,
    /// Why; the candidate reads it
    pub reason: String,
    /// What came so far
    pub photos: BTreeMap<PhotoKind, EvidenceRef>,
    /// The candidate sent them
    pub submitted: bool,
}

/// What came of a check of the identity in mid-exam.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecheckDone {
    /// When it was asked for
    pub asked_at: At,
    /// When it was ruled on
    pub ruled_at: At,
    /// By whom
    pub by: StaffId,
    /// The same person
    pub accepted: bool,
}

/// A gesture that is planned or asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Who wants to see it
    pub by: StaffId,
    /// Which
    pub gesture: Gesture,
    /// When it is asked for
    pub due_at: At,
    /// When it was
    pub asked_at: Option<At>,
    /// When the candidate answered, and whether another way was taken
    pub answered: Option<(At, bool)>,
}

/// What came of a gesture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChallengeDone {
    /// Which
    pub gesture: Gesture,
    /// When it was asked for
    pub asked_at: At,
    /// Another way was taken
    pub alternative: bool,
    /// Who judged
    pub by: StaffId,
    /// It was seen
    pub accepted: bool,
}

/// A first person asked to end the exam for impersonation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndProposal {
    /// Why
    pub why: StaffEndReason,
    /// Who
    pub by: StaffId,
    /// Their note
    pub note: String,
}

/// The fold of a session's events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Number of events applied; the next one gets `seq + 1`
    pub seq: Seq,
    /// Instant of the newest event: a clock that steps back never reorders the log
    pub last_at: Option<At>,
    /// From where the server's clock was last seen to step back
    pub stepped_from: Option<At>,
    /// Stored answers, of whatever standing: their room is their own
    pub answer_events: u64,
    /// What else the browser caused, and detectors' claims
    pub chatter_events: u64,
    /// Owner
    pub centre: Option<CentreId>,
    /// Which sitting
    pub sitting: Option<SittingId>,
    /// Server's half of the draw
    pub draw_secret: Option<Seed>,
    /// Candidate's half
    pub draw_nonce: Option<Seed>,
    /// Budget of the programme
    pub planned: Span,
    /// Accommodation and extensions
    pub extra: Span,
    /// Returned for faults, pauses and our downtime
    pub credited: Span,
    /// Pauses, credits and extensions, in order
    pub time_changes: Vec<TimeChange>,
    /// Credits and extensions by staff so far, for their limit
    pub given_by_staff: Span,
    /// Earliest start
    pub opens_at: Option<At>,
    /// The link's end
    pub closes_at: Option<At>,
    /// Codes switched off for this candidate, as the log last said; none in logs that never did
    pub switched_off: Option<BTreeSet<Code>>,
    /// What else an accommodation grants
    pub care: Care,
    /// The exam will not be held
    pub called_off: Option<CalledOff>,
    /// The attempt does not count
    pub voided: Option<(Voided, At)>,
    /// Attempt
    pub stage: Stage,
    /// Supervision
    pub standing: Standing,
    /// Interface and paper
    pub lang: Option<Lang>,
    /// Version and language of the consent text
    pub consent: Option<(String, Lang)>,
    /// Latest device check
    pub device_report: Option<DeviceReport>,
    /// Latest photos
    pub photos: BTreeMap<PhotoKind, EvidenceRef>,
    /// The candidate asked the proctor to look
    pub identity_submitted: bool,
    /// Why photos are wanted again
    pub asked_again: Option<String>,
    /// Who admitted, when
    pub admitted: Option<(StaffId, At)>,
    /// Text to its version and language
    pub acknowledged: BTreeMap<AcknowledgedText, (String, Lang)>,
    /// The paper
    pub form: Option<Arc<ExamForm>>,
    /// When the clock started
    pub started_at: Option<At>,
    /// Why the clock stands, and the time change of each; empty while it runs
    pub pauses: BTreeMap<PauseCause, usize>,
    /// A break that is asked for or goes on
    pub away: Option<Break>,
    /// Why the last one was refused, and when
    pub break_refused: Option<(At, String)>,
    /// Breaks that are over
    pub breaks: Vec<BreakTaken>,
    /// A check of the identity that is not ruled on
    pub recheck: Option<Recheck>,
    /// Those that are
    pub rechecks: Vec<RecheckDone>,
    /// A gesture that is not judged
    pub challenge: Option<Challenge>,
    /// Those that are
    pub challenges: Vec<ChallengeDone>,
    /// Dismissals that can be taken back: by whom, and until when
    pub undoable: BTreeMap<IncidentNo, (StaffId, At)>,
    /// Raised with every change of the deadline
    pub deadline_version: u32,
    /// Question index to newest answer
    pub answers: BTreeMap<u16, Answer>,
    /// Late answers, for the commission
    pub late_answers: BTreeMap<u16, Answer>,
    /// Marked for later
    pub flags: BTreeSet<u16>,
    /// The device in charge
    pub binding: Option<Binding>,
    /// Another tab or device that waits
    pub waiting_device: Option<(DeviceHash, TabId, SocketId)>,
    /// Since when it waits
    pub waiting_since: Option<At>,
    /// Tabs that were in charge once, the present one among them
    pub once_in_charge: HashSet<(DeviceHash, TabId)>,
    /// The live socket
    pub socket: Option<(SocketId, At)>,
    /// When the last live socket went; none while one lives
    pub vacant_since: Option<At>,
    /// Commands that took effect
    pub receipts: Receipts,
    /// Commands of a superseded epoch already kept as evidence; they never become receipts
    pub kept_superseded: BTreeSet<(Epoch, u64)>,
    /// All incidents, in order
    pub incidents: Vec<Incident>,
    /// All counted violations, in order
    pub violations: Vec<Violation>,
    /// Behaviours that began and have not been reported ended
    pub held: BTreeMap<Code, Held>,
    /// Held by the browser's word when its socket went: it owes word of how they went on
    pub cut_off: BTreeSet<Code>,
    /// Time of the browser's newest signal: its claims never run backwards
    pub last_claim_at: Option<At>,
    /// When the clock last went on after a pause
    pub resumed_at: Option<At>,
    /// Our own prompt is open since
    pub prompt_open_since: Option<At>,
    /// Our own prompt was closed at, or its shield ended
    pub prompt_closed_at: Option<At>,
    /// How long prompts have shielded since the start, afterglow included
    pub prompt_shielded: Span,
    /// What reaches the server
    pub video: bool,
    /// What reaches the server
    pub audio: bool,
    /// The shared screen reaches the server
    pub screen: bool,
    /// Every step of the ladder, in order; full video before the first
    pub media_steps: Vec<MediaStepped>,
    /// Since when the running exam is unsupervised
    pub unsupervised_since: Option<At>,
    /// Summed so far, without the running span
    pub unsupervised: Span,
    /// Connection losses during the exam
    pub interruptions: u32,
    /// Our own downtime
    pub downtimes: Vec<DowntimeSpan>,
    /// The page was here when we went down and has not come back yet: until then that is ours too
    pub return_awaited_until: Option<At>,
    /// Stored evidence
    pub evidence: Vec<EvidenceRef>,
    /// The recorder is not through yet: pieces may still be begun
    pub recording: bool,
    /// Pieces begun and not yet stored, by name
    pub evidence_open: BTreeSet<String>,
    /// Number of the newest piece recorded by the device, waiting or stored: the next one gets the number after it
    pub local_pieces: u32,
    /// The record waits for them until then, if a restart moved it
    pub evidence_until: Option<At>,
    /// Holes in the recording
    pub evidence_gaps: Vec<(At, Span, String)>,
    /// Conversation
    pub messages: Vec<Message>,
    /// The candidate calls
    pub help_asked_at: Option<At>,
    /// What the person who ended the exam wrote
    pub finish_note: Option<String>,
    /// First person of two
    pub end_proposal: Option<EndProposal>,
    /// The device has nothing left
    pub drained: bool,
    /// The time for late answers is over
    pub late_window_over: bool,
    /// Digest and key of the sealed record
    pub sealed: Option<(String, String, At)>,
    /// Who approved it, when
    pub approved: Option<(StaffId, At)>,
    /// What the commission said of the exam's validity, where it had to
    pub ruling: Option<Ruling>,
}

/// One candidate's sitting. Knows the rules and nothing else: no clock, no socket, no database.
#[derive(Clone, Debug)]
pub struct ExamSession {
    pub(super) context: Arc<Context>,
    pub(super) state: State,
}

impl ExamSession {
    /// A session without events.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Self {
        Self { context, state: State::default() }
    }

    /// What is known.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Programme, bank and rules.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Codes that an accommodation switches off for this candidate (LAW-30).
    #[must_use]
    pub fn switched_off(&self) -> &BTreeSet<Code> {
        self.state.switched_off.as_ref().unwrap_or(&self.context.rules.switched_off)
    }

    /// The rule in force for `code`; `None` when an accommodation switches it off.
    #[must_use]
    pub fn rule(&self, code: Code) -> Option<Rule> {
        (!self.switched_off().contains(&code)).then(|| self.context.rules.set(code))
    }
}

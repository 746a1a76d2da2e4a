//! What happened, past tense, never edited. A new shape is a new variant with an upcast test.

use crate::bank::Lang;
use crate::form::{ExamForm, Seed};
use crate::ids::{CentreId, DeviceHash, Epoch, IncidentNo, SessionId, SittingId, SocketId, StaffId, TabId};
use crate::proctoring::{Class, Code, DetectorEvent, Finding, Source};
use crate::session::fingerprint::Fingerprint;
use crate::session::input::{AcknowledgedText, DeviceReport};
use crate::time::{At, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A fact with its instant and, if a candidate's command caused it, that command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Server time
    pub at: At,
    /// The candidate's command behind it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientRef>,
    /// What that command said; none in logs from before it was kept
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<Fingerprint>,
    /// What happened
    pub fact: Fact,
}

/// Identity of a candidate's command: repeated, it yields the earlier receipt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ClientRef {
    /// Device binding it was given under
    pub epoch: Epoch,
    /// The device's own counter, from 1
    pub client_seq: u64,
    /// What the device's clock said; a claim
    pub client_at: At,
}

/// Evidence by digest; the bytes lie sealed in the blob store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// Within the session: `face-1`, `webcam-0001.webm`
    pub name: String,
    /// SHA-256 over the plaintext, hex
    pub sha256: String,
    /// Plaintext length
    pub bytes: u64,
}

/// Which photo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoKind {
    /// The candidate's face
    Face,
    /// The identity document
    Document,
}

/// Who wrote a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "who", content = "id", rename_all = "snake_case")]
pub enum MessageFrom {
    /// The candidate
    Candidate,
    /// A proctor
    Staff(StaffId),
}

/// How much of the candidate's picture the line carries; each step needs less of it than the one before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaStep {
    /// Video as the programme asks for it
    #[default]
    Full,
    /// Smaller and slower video
    Small,
    /// A still every few seconds, over the exam's own connection
    Stills,
    /// No picture, only what the page notices
    Signals,
}

impl MediaStep {
    /// How it is named in records and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Small => "small",
            Self::Stills => "stills",
            Self::Signals => "signals",
        }
    }
}

/// Why the candidate's page changed the step. All of it is technical (9.3): never a violation, never blame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepWhy {
    /// The line is slow, or loses what is sent
    WeakLine,
    /// Video finds no way to the server
    NoPath,
    /// Answers waited for the line: video gave way to them
    AnswersFirst,
    /// The line carries more again
    Recovered,
}

impl StepWhy {
    /// How it is named in records and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeakLine => "weak_line",
            Self::NoPath => "no_path",
            Self::AnswersFirst => "answers_first",
            Self::Recovered => "recovered",
        }
    }
}

/// What a violation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The first: a blocking warning (NB-20)
    Warning,
    /// A repeated one: the exam ended (NB-20)
    Termination,
    /// It began before the warning took effect, or after the end: kept for the commission
    None,
}

/// Why the warning counts as known to the candidate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveHow {
    /// The candidate acknowledged it
    Acknowledged,
    /// 10 s after the client reported it displayed
    Displayed,
    /// 30 s of live socket after it was committed
    LiveSocket,
}

/// Why the exam ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Finish {
    /// Handed in
    Submitted,
    /// The budget ran out
    TimeExpired,
    /// A repeated violation
    Violation {
        /// The second one
        incident: IncidentNo,
    },
    /// A proctor ended it
    Staff {
        /// Why
        why: StaffEndReason,
        /// Who
        by: StaffId,
        /// The second person, for impersonation
        second: Option<StaffId>,
    },
}

impl Finish {
    /// How an end is named in records, in lists and on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::TimeExpired => "time_expired",
            Self::Violation { .. } => "violation",
            Self::Staff { why: StaffEndReason::Safety, .. } => "safety",
            Self::Staff { why: StaffEndReason::Technical, .. } => "technical",
            Self::Staff { why: StaffEndReason::CandidateRequest, .. } => "candidate_request",
            Self::Staff { why: StaffEndReason::Impersonation, .. } => "impersonation",
        }
    }
}

/// The four reasons a proctor may end an exam for; conduct is not among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffEndReason {
    /// Danger to a person
    Safety,
    /// It cannot go on technically
    Technical,
    /// The candidate asked for it
    CandidateRequest,
    /// Somebody else sits the exam; needs a second person
    Impersonation,
}

/// What the commission says of an exam that went without supervision for too long.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ruling {
    /// The exam stands
    pub valid: bool,
    /// Why
    pub note: String,
}

/// A span of our own downtime, never charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DowntimeSpan {
    /// The last sign of life of whatever served the session
    pub from: At,
    /// When it was served again, or its page was back
    pub to: At,
}

/// Why the clock stands. It goes on when none of them holds any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// A proctor stopped it for this candidate
    #[default]
    Staff,
    /// A proctor stopped it for the whole sitting, such as for a fire alarm
    Everybody,
    /// A break whose time is not charged
    Break,
    /// The identity is checked once more
    Recheck,
}

impl PauseCause {
    /// How it is named on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Everybody => "everybody",
            Self::Break => "break",
            Self::Recheck => "recheck",
        }
    }

    const fn is_staff(&self) -> bool {
        matches!(self, Self::Staff)
    }
}

/// What a break is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakWhy {
    /// The toilet
    Toilet,
    /// Feeling unwell, medicine
    Illness,
}

impl BreakWhy {
    /// How it is named in records and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toilet => "toilet",
            Self::Illness => "illness",
        }
    }
}

/// A simple movement before the camera. None of them is a sign that means something somewhere; to each there is another
/// way for whoever cannot or does not want to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gesture {
    /// Raise a hand
    RaiseHand,
    /// Turn the head slowly to the side and back
    TurnHead,
    /// Lay a hand on the shoulder
    HandOnShoulder,
    /// Hold an empty sheet of paper before the camera
    BlankSheet,
}

impl Gesture {
    /// How it is named in records and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RaiseHand => "raise_hand",
            Self::TurnHead => "turn_head",
            Self::HandOnShoulder => "hand_on_shoulder",
            Self::BlankSheet => "blank_sheet",
        }
    }
}

/// What an accommodation grants beside time and detectors (LAW-30).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Care {
    /// Breaks are granted when asked for
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub breaks: bool,
    /// A hearing aid or cochlear implant is worn
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hearing_aid: bool,
    /// What else the proctor has to know
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Care {
    /// Nothing is granted.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Why an exam that was not begun will not be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CalledOff {
    /// The whole sitting was cancelled; otherwise this candidate was withdrawn
    pub sitting: bool,
    /// In the centre's words
    pub reason: String,
}

/// Why an attempt does not count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Voided {
    /// Who
    pub by: StaffId,
    /// From the centre's list: `technical`, `appeal`, ...
    pub ground: String,
    /// In words
    pub reason: String,
    /// The new attempt
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<SessionId>,
}

/// Everything that can happen to a session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fact {
    /// The centre put a candidate into a sitting. Always the first event.
    SessionCreated {
        centre: CentreId,
        sitting: SittingId,
        programme: String,
        programme_version: u32,
        bank: String,
        bank_version: u32,
        /// SHA-256 of the bank as stored, hex
        bank_sha256: String,
        /// Server's half of the draw; secret until the session is closed
        draw_secret: Seed,
        planned: Span,
        /// Accommodation (LAW-30)
        extra: Span,
        opens_at: At,
        closes_at: At,
        /// Incident codes that an accommodation switches off for this candidate (LAW-30)
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        switched_off: BTreeSet<Code>,
        /// What else an accommodation grants
        #[serde(default, skip_serializing_if = "Care::is_none")]
        care: Care,
    },
    /// The centre moved the sitting before this exam began.
    SittingMoved {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<StaffId>,
        opens_at: At,
        closes_at: At,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The centre changed what is granted to this candidate before the exam began (LAW-30).
    AccommodationChanged {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<StaffId>,
        extra: Span,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        switched_off: BTreeSet<Code>,
        #[serde(default, skip_serializing_if = "Care::is_none")]
        care: Care,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The sitting was cancelled or the candidate withdrawn, before the exam began; without `called_off` that was taken
    /// back.
    ExamCalledOff {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<StaffId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        called_off: Option<CalledOff>,
    },
    /// The attempt does not count. What was recorded stays.
    AttemptVoided {
        voided: Voided,
    },
    /// A device and tab were bound: the first by the candidate's button, another tab of that device by itself once the
    /// former one is gone, another device by a proctor.
    DeviceBound {
        epoch: Epoch,
        device: DeviceHash,
        tab: TabId,
        admitted_by: Option<StaffId>,
    },
    /// Another tab or device asks to sit this exam and waits for a proctor.
    DeviceWaiting {
        device: DeviceHash,
        tab: TabId,
        socket: SocketId,
    },
    Connected {
        epoch: Epoch,
        tab: TabId,
        socket: SocketId,
    },
    Disconnected {
        socket: SocketId,
        reason: String,
    },
    LanguageChosen {
        lang: Lang,
    },
    ConsentGiven {
        text_version: String,
        lang: Lang,
    },
    DeviceChecked {
        report: DeviceReport,
    },
    PhotoStored {
        kind: PhotoKind,
        evidence: EvidenceRef,
    },
    IdentitySubmitted,
    IdentityAskedAgain {
        by: StaffId,
        reason: String,
    },
    Admitted {
        by: StaffId,
    },
    Acknowledged {
        text: AcknowledgedText,
        text_version: String,
        lang: Lang,
    },
    /// seed = SHA-256(draw_secret || nonce)
    FormDrawn {
        nonce: Seed,
        form: ExamForm,
    },
    Started {
        deadline: At,
    },
    /// `shown` are positions in the candidate's order of options; empty clears the answer.
    AnswerPut {
        question: u16,
        shown: BTreeSet<u8>,
    },
    /// Made before the deadline, delivered up to 10 min after it: not scored, shown to the commission.
    AnswerLate {
        question: u16,
        shown: BTreeSet<u8>,
    },
    /// Given under a superseded epoch: evidence only.
    AnswerSuperseded {
        question: u16,
        shown: BTreeSet<u8>,
    },
    Flagged {
        question: u16,
        on: bool,
    },
    /// The candidate's page opened (or closed) a prompt of ours, such as a permission request.
    PromptShown {
        open: bool,
    },
    DetectorReported {
        event: DetectorEvent,
    },
    IncidentOpened {
        no: IncidentNo,
        code: Code,
        class: Class,
        source: Source,
        began_at: At,
        note: Option<String>,
        /// What the detector measured that opened it
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<Finding>,
    },
    IncidentSeen {
        no: IncidentNo,
        seen_at: At,
        restore_failed: bool,
    },
    IncidentEnded {
        no: IncidentNo,
        ended_at: At,
    },
    /// Too short, switched off, or for the record only.
    IncidentRecorded {
        no: IncidentNo,
    },
    IncidentConfirmed {
        no: IncidentNo,
        by: Option<StaffId>,
        began_at: At,
        note: Option<String>,
    },
    IncidentDismissed {
        no: IncidentNo,
        by: StaffId,
        note: Option<String>,
        /// Until then whoever dismissed it can take that back
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo_until: Option<At>,
    },
    /// The dismissal was taken back: it waits for a person again.
    IncidentReopened {
        no: IncidentNo,
        by: StaffId,
    },
    /// The time to take the dismissal back is over.
    DismissalFinal {
        no: IncidentNo,
    },
    ViolationCounted {
        ordinal: u32,
        incident: IncidentNo,
        consequence: Consequence,
    },
    WarningDisplayed {
        ordinal: u32,
    },
    WarningAcknowledged {
        ordinal: u32,
    },
    WarningEffective {
        ordinal: u32,
        effective_at: At,
        how: EffectiveHow,
    },
    /// 60 s passed without an acknowledgement: the questions came back.
    WarningCoverEnded {
        ordinal: u32,
    },
    Paused {
        by: StaffId,
        reason: String,
        #[serde(default, skip_serializing_if = "PauseCause::is_staff")]
        cause: PauseCause,
    },
    Resumed {
        by: StaffId,
        #[serde(default, skip_serializing_if = "PauseCause::is_staff")]
        cause: PauseCause,
    },
    /// The candidate asks for a break.
    BreakAsked {
        why: BreakWhy,
    },
    /// The candidate goes on without it.
    BreakWithdrawn,
    BreakGranted {
        by: StaffId,
        until: At,
        /// By the programme's rule
        stops_clock: bool,
    },
    BreakRefused {
        by: StaffId,
        reason: String,
    },
    /// The candidate is back: none, by their own word; else seen by a proctor.
    BreakEnded {
        by: Option<StaffId>,
    },
    /// Face and document are asked for once more, in the middle of the exam.
    RecheckAsked {
        by: StaffId,
        reason: String,
    },
    RecheckRuled {
        by: StaffId,
        accepted: bool,
        note: Option<String>,
    },
    RecheckWithdrawn {
        by: StaffId,
    },
    /// A gesture will be asked for; the candidate learns of it at `due_at`.
    GesturePlanned {
        by: StaffId,
        gesture: Gesture,
        due_at: At,
    },
    GestureAsked {
        gesture: Gesture,
    },
    /// The candidate says that it was shown, or that another way was taken.
    GestureAnswered {
        alternative: bool,
    },
    GestureJudged {
        by: StaffId,
        accepted: bool,
        note: Option<String>,
    },
    GestureWithdrawn {
        by: StaffId,
    },
    /// Time given back for a fault that was not the candidate's.
    TimeCredited {
        by: StaffId,
        span: Span,
        reason: String,
    },
    /// Time added, such as an accommodation approved late.
    TimeExtended {
        by: StaffId,
        span: Span,
        reason: String,
    },
    DowntimeCredited {
        span: DowntimeSpan,
        /// The page was here when we went, and until then the time of its coming back is ours too
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaited_until: Option<At>,
    },
    /// Whether the webcam and the microphone reach the server.
    MediaChanged {
        video: bool,
        audio: bool,
    },
    /// Whether the shared screen reaches the server, where the programme asks for it.
    ScreenChanged {
        live: bool,
    },
    /// The candidate's page changed how much of the picture it sends.
    MediaStepped {
        step: MediaStep,
        why: StepWhy,
    },
    /// So many pieces of its own recording wait on the candidate's device: the record waits for them too.
    LocalKept {
        pieces: u16,
    },
    /// A piece that the candidate's device recorded while nothing reached us, delivered later. `from` and `span` are the
    /// device's word, in server time.
    LocalStored {
        evidence: EvidenceRef,
        from: At,
        span: Span,
    },
    /// The recorder took a publisher up: more pieces of evidence may come until it has ended.
    RecordingBegan,
    /// The recorder is through with it; everything of it is stored or named as missing.
    RecordingEnded,
    /// A piece of evidence was begun: the record waits for its digest.
    EvidenceOpened {
        name: String,
    },
    EvidenceStored {
        evidence: EvidenceRef,
    },
    /// How far a piece that is being recorded had come: whoever holds it can prove that it is what was recorded up to
    /// there, also when it was cut off later.
    EvidenceCheckpoint {
        name: String,
        chunks: u64,
        bytes: u64,
        /// Of the hash chain over those chunks, hex
        head: String,
    },
    EvidenceGap {
        span: Span,
        why: String,
        /// The opened piece that will not come whole, if it is one
        #[serde(skip_serializing_if = "Option::is_none", default)]
        name: Option<String>,
    },
    /// A restart of ours cut open pieces off after the end: what is left of them is still being read.
    EvidenceAwaited {
        until: At,
    },
    MessageSent {
        from: MessageFrom,
        text: String,
    },
    HelpAsked,
    HelpAnswered {
        by: StaffId,
    },
    EndProposed {
        why: StaffEndReason,
        by: StaffId,
        note: String,
    },
    EndWithdrawn {
        by: StaffId,
    },
    Closed {
        finish: Finish,
        note: Option<String>,
    },
    /// The device said that nothing is left to deliver.
    OutboxDrained,
    /// 10 min after the time expired: late answers are no longer taken.
    LateWindowEnded,
    RecordSealed {
        sha256: String,
        kid: String,
    },
    RecordApproved {
        by: StaffId,
        sha256: String,
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ruling: Option<Ruling>,
    },
    /// The server's clock was set back: the session stands still at `from` until the clock is there again.
    ClockStepped {
        from: At,
        to: At,
    },
}

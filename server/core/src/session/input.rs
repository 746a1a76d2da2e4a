//! What may be asked of a session, and what a decision answers.

use crate::bank::Lang;
use crate::form::Seed;
use crate::ids::{
    CentreId, DeviceHash, Epoch, IncidentNo, Seq, SessionId, SittingId, SocketId, StaffId, TabId,
};
use crate::proctoring::{Code, DetectorEvent, SignalPhase};
use crate::session::event::{
    BreakWhy, CalledOff, Care, ClientRef, Event, EvidenceRef, Gesture, MediaStep, PhotoKind, Ruling,
    StaffEndReason, StepWhy,
};
use crate::time::{At, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the device check found; claims of the browser, shown to the proctor.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DeviceReport {
    /// A live camera picture was seen
    pub camera: bool,
    /// The microphone's level moved
    pub microphone: bool,
    /// The page is connected to the server
    pub connection: bool,
    /// Round trip in milliseconds
    pub round_trip_ms: u32,
    /// The camera's name, up to 120 characters
    pub camera_label: String,
    /// Browser and system in a word or two, up to 120 characters
    pub browser: String,
    /// More than one screen, where the browser can tell
    pub second_screen: Option<bool>,
    /// What the browser says is shared, where the programme asks for the screen: `monitor`, or `unknown` where it
    /// does not say
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// The server's clock less the device's, ms, as the page measured it; decides nothing
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_behind_ms: Option<i64>,
}

/// What the candidate confirms to have read before the exam (NB-15, NB-16, NB-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcknowledgedText {
    /// Methodology of the exam
    Methodology,
    /// Complaint and appeal procedure
    AppealProcedure,
    /// Forbidden items
    ForbiddenItems,
    /// Rules of conduct
    Conduct,
}

impl AcknowledgedText {
    /// All four are needed before the exam.
    pub const ALL: [Self; 4] =
        [Self::Methodology, Self::AppealProcedure, Self::ForbiddenItems, Self::Conduct];
}

/// Everything that creating a session needs.
#[derive(Clone, Debug)]
pub struct Creation {
    /// Owner
    pub centre: CentreId,
    /// Which sitting
    pub sitting: SittingId,
    /// Fresh 256 bits: the server's half of the draw
    pub draw_secret: Seed,
    /// Accommodation (LAW-30)
    pub extra: Span,
    /// Earliest start
    pub opens_at: At,
    /// The link's end; no start after it
    pub closes_at: At,
    /// What else an accommodation grants
    pub care: Care,
    /// The sitting was cancelled, or the candidate withdrawn
    pub called_off: Option<CalledOff>,
}

/// How a centre arranged a sitting for a candidate, as it stands now: what a session that is being prepared differs in is
/// changed, and what it agrees in leaves no trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrangement {
    /// Earliest start
    pub opens_at: At,
    /// The link's end; no start after it
    pub closes_at: At,
    /// Accommodation (LAW-30)
    pub extra: Span,
    /// Incident codes that an accommodation switches off
    pub switched_off: BTreeSet<Code>,
    /// What else an accommodation grants
    pub care: Care,
    /// The sitting was cancelled, or the candidate withdrawn
    pub called_off: Option<CalledOff>,
    /// Who changed it last; none when a session that was away learns of it
    pub by: Option<StaffId>,
    /// Why
    pub reason: String,
}

impl Creation {
    /// The same, for a session that was created before.
    #[must_use]
    pub fn arrangement(&self, switched_off: BTreeSet<Code>) -> Arrangement {
        Arrangement {
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            extra: self.extra,
            switched_off,
            care: self.care.clone(),
            called_off: self.called_off.clone(),
            by: None,
            reason: String::new(),
        }
    }
}

/// A candidate's command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Language of interface and paper; fixed once the exam has started
    ChooseLanguage(Lang),
    /// The consent text of that version, read in that language
    Consent { text_version: String, lang: Lang },
    /// Result of the device check
    CheckDevice(DeviceReport),
    /// Both photos are there, ask the proctor
    SubmitIdentity,
    /// One of the four texts
    Acknowledge { text: AcknowledgedText, text_version: String, lang: Lang },
    /// Draw the paper with the candidate's half of the draw; the clock does not start
    Ready { nonce: Seed },
    /// Start the clock over the drawn paper
    Begin,
    /// Positions in the candidate's order of options; empty clears the answer
    Answer { question: u16, shown: BTreeSet<u8> },
    /// Mark for later
    Flag { question: u16, on: bool },
    /// A signal of the browser; `ago` says how long before this command it happened, by the client's own clock
    Signal { code: Code, phase: SignalPhase, ago: Span, note: Option<String> },
    /// The page changed how much of the picture it sends
    StepMedia { step: MediaStep, why: StepWhy },
    /// So many pieces of the device's own recording wait on it, the one being recorded among them
    KeepLocal { pieces: u16 },
    /// Our own prompt opened or closed
    Prompt { open: bool },
    /// The warning stands on the screen
    WarningDisplayed { ordinal: u32 },
    /// The candidate pressed the button
    AcknowledgeWarning { ordinal: u32 },
    /// Ask for a break
    AskBreak(BreakWhy),
    /// Go on without it
    WithdrawBreak,
    /// Back from the break
    ReturnFromBreak,
    /// The gesture was shown, or another way was taken
    AnswerGesture { alternative: bool },
    /// Call the proctor
    CallProctor,
    /// To the proctor
    Say(String),
    /// Hand in; always accepted while time remains
    HandIn,
    /// Nothing is left on the device
    Drained,
}

/// A staff member's command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StaffCommand {
    /// Identity is right; `seen` says by which photos, so that others are never admitted unseen
    Admit { seen: Option<PhotosSeen> },
    /// Photos again
    AskAgain { reason: String },
    /// Let the waiting tab or device take over; `waiting` says which, so that another is never admitted unseen
    AdmitDevice { waiting: Option<SocketId> },
    /// To the candidate; also answers a call
    Say(String),
    /// The incident is a violation that began then; `warnings_seen` is what the proctor's screen showed
    Confirm { incident: IncidentNo, began_at: At, warnings_seen: u32, note: Option<String> },
    /// It is none
    Dismiss { incident: IncidentNo, note: Option<String> },
    /// It is none; for [`super::limits::DISMISSAL_UNDO`] the same person can take that back
    SetAside { incident: IncidentNo, note: Option<String> },
    /// That was a slip: it waits for a person again
    UndoDismiss { incident: IncidentNo },
    /// A violation seen by the proctor
    Record { code: Code, began_at: At, warnings_seen: u32, note: Option<String> },
    /// Stop the clock
    Pause { reason: String },
    /// Go on
    Resume,
    /// Stop it with everybody else's of the sitting
    PauseEverybody { reason: String },
    /// Everybody goes on; what else stops this one's clock still does
    ResumeEverybody,
    /// The break is granted; minutes other than the programme's only where a proctor says so
    GrantBreak { minutes: Option<u16> },
    /// It is not, and why
    RefuseBreak { reason: String },
    /// The candidate was seen to be back
    EndBreak,
    /// Face and document once more; `stop` says whether the clock stands meanwhile
    AskRecheck { reason: String, stop: bool },
    /// It is the same person, or a person must look into it; `seen` says by which photos
    RuleRecheck { accepted: bool, seen: Option<PhotosSeen>, note: Option<String> },
    /// Not needed after all
    WithdrawRecheck,
    /// Ask for a gesture after that time
    PlanGesture { gesture: Gesture, after: Span },
    /// It was seen, or it was not
    JudgeGesture { accepted: bool, note: Option<String> },
    /// Not needed after all
    WithdrawGesture,
    /// Give time back for a fault
    Credit { span: Span, reason: String },
    /// Add time
    Extend { span: Span, reason: String },
    /// End the exam; impersonation only proposes, a second person must send the same
    End { why: StaffEndReason, note: String },
    /// Take a proposal back
    WithdrawEnd,
    /// The attempt does not count, on a ground that the centre names; `replaced_by` is the new one, if there is one
    Void { ground: String, reason: String, replaced_by: Option<SessionId> },
    /// The commission approves the sealed record; after too long without supervision it must rule on validity
    Approve { sha256: String, note: Option<String>, ruling: Option<Ruling> },
}

/// The photos on the proctor's screen, by SHA-256 in hex; what was not on it is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PhotosSeen {
    /// The candidate's face
    pub face: Option<String>,
    /// The identity document
    pub document: Option<String>,
}

/// What media says; never an end of anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaFact {
    /// What reaches the server now
    Flow { video: bool, audio: bool },
    /// Whether the shared screen reaches the server now
    Screen(bool),
    /// A finished piece that the device recorded by itself; `from` and `span` are its word, `missing` is what it says
    /// was recorded nowhere right before
    Local { evidence: EvidenceRef, from: At, span: Span, missing: Span },
    /// Whether the recorder has a publisher of this session, or still something of an earlier one
    Recording(bool),
    /// A piece of evidence was begun
    Opened { name: String },
    /// A finished piece of evidence
    Stored(EvidenceRef),
    /// How far a piece has come: so many whole chunks of so many bytes, and the head of the chain over them, hex
    Checkpoint { name: String, chunks: u64, bytes: u64, head: String },
    /// A hole in the recording; `name` is the opened piece that will not come, if it is one
    Gap { span: Span, why: String, name: Option<String> },
}

/// Everything a session can be asked.
#[derive(Clone, Debug)]
pub enum Input {
    /// Only as the first input
    Create(Box<Creation>),
    /// The candidate's button: binds the first device
    Bind { device: DeviceHash, tab: TabId },
    /// A socket of that device and tab came
    Attach { device: DeviceHash, tab: TabId, socket: SocketId },
    /// A socket went
    Detach { socket: SocketId, reason: String },
    /// A candidate's command; `client.epoch` is the epoch the device was bound under
    Candidate { client: ClientRef, command: Command },
    /// A staff command; the caller has checked role and centre
    Staff { by: StaffId, command: StaffCommand },
    /// A photo was stored
    Photo { kind: PhotoKind, evidence: EvidenceRef },
    /// From the media room
    Media(MediaFact),
    /// From a detector on the server
    Detect(DetectorEvent),
    /// The timer armed from `next_deadline`
    Tick,
    /// The node is back; the last time mark before was at `down_from`
    Recover { down_from: At },
    /// Nobody was served since `since`, by a suspended machine or an append that hung; sockets and recorder live on
    StoodStill { since: At },
    /// How the centre arranged it now
    Arrange(Box<Arrangement>),
    /// The record was sealed (runtime does it in the same transaction)
    Sealed { sha256: String, kid: String },
}

/// What a decision answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// To append, in order
    pub events: Vec<Event>,
    /// To let out, only after commit
    pub effects: Vec<Effect>,
}

/// What leaves after commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Done now; the receipt names the first event of this decision that carries the command (events without
    /// `client` before it were due anyway)
    Accepted,
    /// Done before; the earlier receipt
    AlreadyDone(Seq),
    /// Bound under this epoch
    Attached(Epoch),
    /// The socket's tab or device waits for a proctor
    AttachWaits,
    /// This older socket must be closed: the same device came back
    CloseSocket(SocketId),
    /// Nothing was changed
    Refused(Refusal),
}

/// Why nothing was changed. Each has a stable code on the wire and a page that says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Not at this stage, such as an answer before the start
    #[error("this is not possible at the stage the session is in")]
    WrongStage,
    /// Answer after the end
    #[error("the exam has ended; answers are no longer taken")]
    ExamEnded,
    /// Before the sitting opens
    #[error("the sitting has not opened yet")]
    NotOpenYet,
    /// After the sitting's end
    #[error("the link was valid until the end of the sitting")]
    LinkExpired,
    /// The sitting was cancelled, or the candidate withdrawn
    #[error("the centre called this exam off")]
    CalledOff,
    /// No such place in the form
    #[error("the form has no such question")]
    NoSuchQuestion,
    /// Option not in the form, or several for a single choice
    #[error("the question has no such option, or takes only one")]
    NoSuchOption,
    /// Another device is bound
    #[error("this exam is bound to another device; a proctor can admit this one")]
    OtherDevice,
    /// The epoch was superseded
    #[error("another device took over this exam; what this one still sends is kept as evidence only")]
    SupersededEpoch,
    /// Same epoch and number, other content
    #[error("this number was given to another command before; that one stays")]
    ClientSeqReused,
    /// Consent, device check, identity or a text is missing
    #[error("a step before this one is missing")]
    StepMissing,
    /// Not bound to the programme's languages
    #[error("the exam cannot be sat in this language")]
    LanguageNotOffered,
    /// Camera and microphone are required to start (NB-19), and the screen where the programme asks for it
    #[error(
        "camera, microphone and a screen that is asked for must reach the server before the exam can start"
    )]
    MediaMissing,
    /// The programme or bank cannot be drawn
    #[error("the paper cannot be drawn from the bank")]
    CannotDraw,
    /// No such incident, or already ruled on
    #[error("this incident is not open")]
    IncidentNotOpen,
    /// Somebody warned meanwhile: look again
    #[error("the warning count has changed since you looked; look again before you decide")]
    WarningsChanged,
    /// A beginning in the future or before the start
    #[error("the violation's beginning must lie within the exam and not in the future")]
    BeginningOutOfRange,
    /// A technical code is never a violation
    #[error("a technical fault is never a violation")]
    TechnicalCode,
    /// LAW-30
    #[error("an accommodation switches this code off for this candidate")]
    CodeSwitchedOff,
    /// No warning of that number
    #[error("there is no such warning")]
    NoSuchWarning,
    /// Too long, empty, or a time span outside its limits
    #[error("a text or a number is outside its limits")]
    OutOfLimits,
    /// Impersonation needs a second person
    #[error("ending for impersonation needs a second person")]
    SecondPersonNeeded,
    /// Other photos than on the proctor's screen
    #[error("the photos have changed since you looked; look again before you decide")]
    PhotosChanged,
    /// The commission must say whether the exam stands
    #[error("supervision was missing for more than 10 minutes; the commission must rule on validity")]
    ValidityRulingMissing,
    /// No device or end proposal waits, or another than on the screen
    #[error("nothing waits for this decision")]
    NothingWaits,
    /// The record is not sealed, or another digest was approved
    #[error("the record shown is not the sealed one; open it again")]
    RecordMismatch,
    /// A log limit
    #[error("this session has reached a limit on stored events")]
    TooManyEvents,
}

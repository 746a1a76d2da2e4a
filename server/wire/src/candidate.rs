//! The candidate's frames and bodies.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Interface and exam language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Kazakh
    Kk,
    /// Russian
    Ru,
    /// English
    En,
}

/// A text in both languages of the law.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Kazakh
    pub kk: String,
    /// Russian
    pub ru: String,
}

/// `POST /api/v1/candidate/open`: what a personal link leads to. Changes nothing, so a mail scanner may call it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct OpenLink {
    /// The link's last path segment
    pub link: String,
}

/// Whom a candidate calls, and where they appeal: from the centre's profile. What it does not say is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CentreContacts {
    /// Business identification number
    pub bin: String,
    /// Address
    pub address: Text,
    /// Telephone
    pub phone: String,
    /// Mail address
    pub mail: String,
    /// Where and how to appeal
    pub appeals: Text,
}

/// Answer to [`OpenLink`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LinkInfo {
    /// Whose exam
    pub session: Uuid,
    /// The candidate, as the centre wrote the name
    pub candidate: String,
    /// The centre
    pub centre: Text,
    /// Where it is found, if it has said so
    #[serde(default)]
    pub contacts: Option<CentreContacts>,
    /// The programme
    pub programme: Text,
    /// Languages the exam can be sat in
    pub languages: Vec<Lang>,
    /// Number of questions
    pub questions: u16,
    /// Minutes, accommodation included
    pub minutes: u16,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End of the sitting
    #[ts(type = "number")]
    pub closes_at: i64,
    /// A device is bound already
    pub bound: bool,
    /// The exam shares the whole screen: not every device can
    pub screen: bool,
    /// The exam has ended: the link leads to the candidate's own log
    #[serde(default)]
    pub ended: bool,
    /// Server time
    #[ts(type = "number")]
    pub server_time: i64,
}

/// `POST /api/v1/candidate/bind`: the button. Binds the first device; the same device may repeat it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct BindDevice {
    /// The link's last path segment
    pub link: String,
    /// 256 bits made by this browser, base64url without padding. From here on it is the device's credential:
    /// `Authorization: Bearer <session>.<device_key>`.
    pub device_key: String,
    /// Made per tab, kept in sessionStorage
    pub tab: Uuid,
}

/// Answer to [`BindDevice`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Bound {
    /// First half of the credential
    pub session: Uuid,
    /// Whether this device is in charge; otherwise it waits for a proctor once it has connected
    pub in_charge: bool,
}

/// `POST /api/v1/candidate/ticket`: a one-time ticket for `GET /api/v1/candidate/socket?ticket=...`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// Which tab connects
    pub tab: Uuid,
}

/// A one-time ticket for a WebSocket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Ticket {
    /// Opaque, valid once and for 30 s
    pub ticket: String,
}

/// Answer to `PUT /api/v1/candidate/photos/{face|document}` (body: the picture).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PhotoStored {
    /// SHA-256 of the stored picture, hex
    pub sha256: String,
}

/// Answer to `PUT /api/v1/candidate/still` (body: the picture).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StillTaken {
    /// The next one is wanted after this
    pub next_ms: u32,
}

/// Answer to `GET /api/v1/candidate/coach`: advice before the exam, never a claim, kept nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CoachSays {
    /// What the newest picture shows; none when no machine looks at pictures here
    pub seen: Option<Seen>,
    /// The next one is there after this
    pub next_ms: u32,
}

/// What a machine makes of one picture of somebody who wants to be seen well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// One face
    Face,
    /// None
    NoFace,
    /// More than one
    SeveralFaces,
    /// Too little light
    Dark,
    /// Too much light
    Bright,
    /// Something even lies before the lens
    Covered,
    /// Nothing is sharp
    Blurred,
    /// It could not be told
    Unknown,
}

/// Answer to `GET /api/v1/candidate/local`: what the server has of the device's own recording.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LocalHeld {
    /// SHA-256 of each stored piece, hex
    pub stored: Vec<String>,
    /// A larger piece is refused
    pub piece_bytes: u32,
    /// More pieces than these are refused
    pub pieces: u32,
}

/// Answer to `POST /api/v1/candidate/local?from=&span_ms=&missing_ms=` (body: the piece). Repeated, it is the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LocalTaken {
    /// Its name among the evidence
    pub name: String,
    /// SHA-256 as stored, hex
    pub sha256: String,
}

/// What the candidate's browser sends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export, rename = "CandidateFrame")]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Durable; answered by `ack` or `refused` with the same `client_seq`
    Command {
        /// The device's counter, from 1 within an epoch; repeated, it yields the earlier receipt
        #[ts(type = "number")]
        client_seq: u64,
        /// Device binding it was given under
        epoch: u32,
        /// What the device's clock said; a claim
        #[ts(type = "number")]
        client_at: i64,
        /// What to do
        command: CandidateCommand,
    },
    /// Ask for the text of a question; answered by `question`
    Question {
        /// From 0
        index: u16,
    },
    /// At least every 5 s; answered by `pong`
    Ping {
        /// Comes back
        n: u32,
        /// Percent left in a device that runs on its battery; absent on mains, and where the browser does not tell
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        battery: Option<u8>,
    },
}

/// A candidate's command. Option positions are places in the shown order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum CandidateCommand {
    ChooseLanguage {
        lang: Lang,
    },
    Consent {
        text_version: String,
        lang: Lang,
    },
    CheckDevice {
        report: DeviceReport,
    },
    SubmitIdentity,
    Acknowledge {
        text: AcknowledgedText,
        text_version: String,
        lang: Lang,
    },
    /// Draws and stores the paper, before the start; sent once everything but the start is done, and only after the
    /// page has shown `draw_commitment`. `nonce`: 256 bits as 64 lower-case hex digits
    Ready {
        nonce: String,
    },
    /// Starts the clock over the drawn paper
    Begin,
    Answer {
        question: u16,
        shown: Vec<u8>,
    },
    Flag {
        question: u16,
        on: bool,
    },
    /// `code`: incident code; `ago_ms`: how long before this frame's `client_at` it happened
    Signal {
        code: String,
        phase: SignalPhase,
        #[ts(type = "number")]
        ago_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
    },
    /// The page changed how much of the picture it sends
    StepMedia {
        step: MediaStep,
        why: StepWhy,
    },
    /// So many pieces of the device's own recording wait on it, the one being recorded among them; said before they
    /// are sent, so that the record waits for them
    KeepLocal {
        pieces: u16,
    },
    Prompt {
        open: bool,
    },
    WarningDisplayed {
        ordinal: u32,
    },
    AcknowledgeWarning {
        ordinal: u32,
    },
    /// Ask for a break; a proctor grants or refuses it
    AskBreak {
        why: BreakWhy,
    },
    WithdrawBreak,
    ReturnFromBreak,
    /// The gesture was shown, or another way was taken
    AnswerGesture {
        alternative: bool,
    },
    CallProctor,
    Say {
        text: String,
    },
    HandIn,
    Drained,
}

/// What a break is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum BreakWhy {
    /// The toilet
    Toilet,
    /// Feeling unwell, medicine
    Illness,
}

/// A simple movement before the camera; to each there is another way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
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

/// A break that is asked for or goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BreakView {
    /// What for
    pub why: BreakWhy,
    /// When it was asked for
    #[ts(type = "number")]
    pub asked_at: i64,
    /// When the candidate is awaited back; none while nobody has granted it
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// The clock stands meanwhile
    pub stops_clock: bool,
}

/// The identity is checked once more in mid-exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecheckAsked {
    /// Why, as the proctor wrote it
    pub reason: String,
    /// Photo is stored
    pub face_photo: bool,
    /// Photo is stored
    pub document_photo: bool,
    /// Both are sent, a proctor looks
    pub submitted: bool,
}

/// A gesture the candidate is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GestureAsked {
    /// Which
    pub gesture: Gesture,
    /// It was answered, a proctor looks
    pub answered: bool,
}

/// How much of the picture the line carries; each step needs less of it than the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum MediaStep {
    /// Video as the programme asks for it
    Full,
    /// Smaller and slower video
    Small,
    /// A still every few seconds, over HTTP
    Stills,
    /// No picture
    Signals,
}

/// Why the page changed the step; all of it is technical.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum StepWhy {
    /// The line is slow, or loses what is sent
    WeakLine,
    /// Video finds no way to the server
    NoPath,
    /// Answers waited for the line
    AnswersFirst,
    /// The line carries more again
    Recovered,
}

/// Where in its course a signal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SignalPhase {
    /// It began
    Begin,
    /// It is still so
    Seen,
    /// An on-screen attempt to restore the device failed
    RestoreFailed,
    /// It ended
    End,
}

/// The four texts of the briefing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
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

/// What the device check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DeviceReport {
    /// A live picture was seen
    pub camera: bool,
    /// The level moved
    pub microphone: bool,
    /// The socket lives
    pub connection: bool,
    /// Round trip in milliseconds
    pub round_trip_ms: u32,
    /// At most 120 characters
    pub camera_label: String,
    /// At most 120 characters
    pub browser: String,
    /// Where the browser can tell
    pub second_screen: Option<bool>,
    /// What is shared, where the exam asks for the screen: monitor | unknown
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<String>,
    /// The server's clock less the device's, ms; within 2^53
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub clock_behind_ms: Option<i64>,
}

/// What the server sends to a candidate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export, rename = "CandidateServerFrame")]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// First frame of a socket
    Welcome {
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
        /// The device binding of this socket; none while it waits for a proctor
        epoch: Option<u32>,
        /// Highest `client_seq` known of this epoch, so that a fresh page goes on counting
        #[ts(type = "number")]
        last_client_seq: u64,
        /// The question answered last: where a device that knows nothing of this exam goes on
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        last_question: Option<u16>,
        /// Everything
        view: Box<CandidateView>,
    },
    /// Everything, after a change
    State {
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
        /// The whole view, never a difference
        view: Box<CandidateView>,
    },
    /// The command is durable
    Ack {
        /// As sent
        #[ts(type = "number")]
        client_seq: u64,
        /// As sent
        epoch: u32,
        /// Proof
        receipt: Receipt,
    },
    /// Nothing was changed
    Refused {
        /// As sent; none if the frame could not be read
        #[ts(type = "number | null")]
        client_seq: Option<u64>,
        /// Why
        problem: Problem,
    },
    /// The text of a question
    Question {
        /// Text and options in the shown order
        question: ItemView,
    },
    /// Answer to `ping`
    Pong {
        /// As sent
        n: u32,
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
    },
    /// The server closes this socket; whether to come back stands in the problem's code
    Bye {
        /// Why
        problem: Problem,
    },
}

/// Receipt of a durable command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Receipt {
    /// Position in the session's log
    #[ts(type = "number")]
    pub seq: u64,
    /// When it was stored
    #[ts(type = "number")]
    pub at: i64,
    /// Head of the session's hash chain after it, hex
    pub hash: String,
}

/// A question as a candidate gets it: no key, no weight, no bank id, options in the shown order only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ItemView {
    /// From 0
    pub index: u16,
    /// Several options may be right
    pub multiple: bool,
    /// In the exam's language
    pub text: String,
    /// In the shown order
    pub options: Vec<String>,
}

/// Everything a candidate's page shows, except the text of the questions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CandidateView {
    /// Grows with every change; an older view is thrown away
    #[ts(type = "number")]
    pub version: u64,
    /// Attempt
    pub stage: Stage,
    /// This socket's place
    pub attach: Attach,
    /// Preparation
    pub steps: Steps,
    /// SHA-256 of the server's half of the draw, hex: shown before the page sends its nonce
    pub draw_commitment: String,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End of the sitting
    #[ts(type = "number")]
    pub closes_at: i64,
    /// The clock, once running
    pub clock: Option<Clock>,
    /// Answers and flags, one per question, once the exam has started. What `ack` has told alone is not sent again.
    pub questions: Vec<QuestionMark>,
    /// The one warning
    pub warning: Option<WarningView>,
    /// Something that will count as a violation if it goes on
    pub attention: Option<Attention>,
    /// What reaches the server
    pub media: MediaFlow,
    /// Pieces of the device's own recording that the server waits for
    pub local_waits: u16,
    /// Whether a proctor has the wall of this sitting open now
    pub proctor_present: bool,
    /// Whether a proctor has this candidate's live picture open now, or had it until some seconds ago
    #[serde(default)]
    pub watched_live: bool,
    /// Conversation
    pub messages: Vec<ChatLine>,
    /// The call is not answered yet
    pub help_asked: bool,
    /// A break that is asked for or goes on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub away: Option<BreakView>,
    /// Why the last break was not granted
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub break_refused: Option<String>,
    /// Face and document are asked for once more
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recheck: Option<RecheckAsked>,
    /// A gesture is asked for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub gesture: Option<GestureAsked>,
    /// After the end
    pub end: Option<EndView>,
}

/// Where the attempt stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before the exam
    Preparing,
    /// The clock runs
    Running,
    /// A proctor stopped the clock
    Paused,
    /// Ended
    Closed,
}

/// Whether this socket is in charge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Attach {
    /// This tab sits the exam
    InCharge,
    /// Another tab or device does; a proctor can admit this one
    Waiting,
}

/// Steps before the exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Steps {
    /// Chosen language
    pub lang: Option<Lang>,
    /// Consent was given
    pub consent: bool,
    /// Device check was passed
    pub device_check: bool,
    /// Photo is stored
    pub face_photo: bool,
    /// Photo is stored
    pub document_photo: bool,
    /// The proctor's ruling
    pub identity: Identity,
    /// What the proctor wrote when asking again
    pub asked_again: Option<String>,
    /// Texts confirmed so far
    pub acknowledged: Vec<AcknowledgedText>,
    /// The paper is drawn and stored; `begin` only starts the clock
    pub paper: bool,
    /// Everything is there: `begin` would be accepted now
    pub ready: bool,
}

/// Where the identity check stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Photos not sent yet
    Missing,
    /// The proctor looks
    Submitted,
    /// The proctor wants new photos
    AskedAgain,
    /// Right
    Admitted,
}

/// Server time only; the page counts down to `deadline` by the offset it measured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Clock {
    /// Server time of the end; while paused, `remaining_ms` stands still
    #[ts(type = "number")]
    pub deadline: i64,
    /// Grows with every change of the deadline
    pub version: u32,
    /// At `server_time` of the frame
    #[ts(type = "number")]
    pub remaining_ms: i64,
    /// Whole budget now
    #[ts(type = "number")]
    pub total_ms: i64,
    /// Why the clock stands, if it does
    pub paused: bool,
}

/// What is known of one question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct QuestionMark {
    /// Chosen positions as the server has them; empty if open
    pub shown: Vec<u8>,
    /// `client_seq` that gave it, 0 if open
    #[ts(type = "number")]
    pub client_seq: u64,
    /// Marked for later
    pub flagged: bool,
}

/// The one warning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WarningView {
    /// Always 1
    pub ordinal: u32,
    /// Incident code
    pub code: String,
    /// The proctor's words, if a person recorded it
    pub note: Option<String>,
    /// When the behaviour began
    #[ts(type = "number")]
    pub began_at: i64,
    /// When the warning was given
    #[ts(type = "number")]
    pub given_at: i64,
    /// The page has reported it on screen
    pub displayed: bool,
    /// The button was pressed
    pub acknowledged: bool,
    /// The questions are covered until then at the latest; none once acknowledged or over
    #[ts(type = "number | null")]
    pub covered_until: Option<i64>,
}

/// What is going on now that will count if it does not stop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Attention {
    /// Incident code
    pub code: String,
    /// Server time
    #[ts(type = "number")]
    pub since: i64,
    /// Server time at which it counts
    #[ts(type = "number | null")]
    pub counts_at: Option<i64>,
    /// It would end the exam
    pub would_end: bool,
}

/// What reaches the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MediaFlow {
    /// Webcam
    pub video: bool,
    /// Microphone
    pub audio: bool,
    /// Shared screen; absent where the exam does not ask for it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<bool>,
}

/// A line of the conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ChatLine {
    /// Position in the log: unique
    #[ts(type = "number")]
    pub seq: u64,
    /// Server time
    #[ts(type = "number")]
    pub at: i64,
    /// The candidate wrote it; otherwise a proctor
    pub from_candidate: bool,
    /// Plain text
    pub text: String,
}

/// After the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EndView {
    /// Server time
    #[ts(type = "number")]
    pub at: i64,
    /// submitted | time_expired | violation | safety | technical | candidate_request | impersonation
    pub reason: String,
    /// How many questions have an answer
    pub answered: u16,
    /// All questions
    pub total: u16,
    /// None until scored, and none when the law knows no score (ended for a violation, technical, safety)
    pub result: Option<ResultView>,
    /// The record is sealed
    pub sealed: bool,
    /// The commission has approved the record; until then everything is preliminary
    pub approved: bool,
    /// Last day to appeal once the result is known, `YYYY-MM-DD` at +05:00 (LAW-41)
    pub appeal_until: Option<String>,
    /// What the commission ruled on an exam that went without supervision for too long: it stands, or there is no result
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub valid: Option<bool>,
    /// Answers that arrived after the end and were kept for the commission
    pub late_answers: u16,
}

/// Result of the theory stage, never of the procedure (LAW-04).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ResultView {
    /// Strictly more than the threshold
    pub passed: bool,
    /// All-or-nothing
    pub correct: u16,
    /// All questions
    pub total: u16,
    /// Per cent
    pub threshold_pct: u8,
}

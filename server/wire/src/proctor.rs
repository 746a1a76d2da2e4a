//! The wall's frames and bodies.

use crate::candidate::{BreakView, ChatLine, DeviceReport, Gesture, Lang, MediaStep, Stage, Text};
use crate::problem::Problem;
use crate::trial::TrialView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// A row of `GET /api/v1/proctor/sittings`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SittingRow {
    /// Which
    pub sitting: Uuid,
    /// As the centre named it
    pub title: String,
    /// The programme
    pub programme: Text,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End
    #[ts(type = "number")]
    pub closes_at: i64,
    /// How many candidates, without those who were withdrawn
    pub candidates: u32,
    /// How many it takes, if that is limited
    pub capacity: Option<u32>,
    /// It will not be held
    pub cancelled: bool,
}

/// What the proctor's browser sends on `GET /api/v1/proctor/socket?ticket=...`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export, rename = "ProctorFrame")]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Show this sitting, or several at once as one pool; answered by `wall`
    Watch {
        /// Which
        sitting: Uuid,
        /// And these with it, [`POOL_SITTINGS`](crate::limits::POOL_SITTINGS) in all
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(as = "Option<Vec<Uuid>>", optional)]
        beside: Vec<Uuid>,
    },
    /// Show this candidate in detail, or nobody; answered by `detail` now and after every change
    Open {
        /// Whom
        session: Option<Uuid>,
    },
    /// Answered by `done` or `refused` with the same `re`
    Command {
        /// The browser's own number
        re: u32,
        /// Whom
        session: Uuid,
        /// What
        command: ProctorCommand,
    },
    /// For everybody of the watched sitting, or of one of the watched; answered by `done_all` or `refused` with the same `re`
    Everybody {
        /// The browser's own number
        re: u32,
        /// What
        act: EverybodyAct,
        /// Which of several; without it all that the wall shows
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        sitting: Option<Uuid>,
    },
    /// On duty, or not for now: candidates are split among those who are. Who opens a wall is.
    Duty {
        /// Whether
        on: bool,
    },
    /// At least every 5 s
    Ping {
        /// Comes back
        n: u32,
    },
}

/// What is done for a whole sitting at once; each candidate has it in their own log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum EverybodyAct {
    /// Each reads it in the language they chose; who has not ended yet
    Say { kk: String, ru: String, en: String },
    /// Stops the clocks that run, such as for a fire alarm
    Pause { reason: String },
    /// What was stopped for everybody goes on; all of that time is given back
    Resume,
}

/// A proctor's command. Every one is in the log with who and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProctorCommand {
    /// The photos on the screen by SHA-256: others are refused with `photos_changed`; without them whatever is there
    Admit {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        seen: Option<PhotosSeen>,
    },
    AskAgain {
        reason: String,
    },
    /// `waiting` of the screen: another one is refused with `nothing_waits`; without it whoever waits
    AdmitDevice {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        waiting: Option<Uuid>,
    },
    Say {
        text: String,
    },
    Confirm {
        incident: u32,
        #[ts(type = "number")]
        began_at: i64,
        warnings_seen: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
    },
    /// `undo`: for 8 s the same person can take it back with `undo_dismiss`
    Dismiss {
        incident: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        undo: Option<bool>,
    },
    UndoDismiss {
        incident: u32,
    },
    /// `code`: incident code of the catalogue
    Record {
        code: String,
        #[ts(type = "number")]
        began_at: i64,
        warnings_seen: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
    },
    Pause {
        reason: String,
    },
    Resume,
    Credit {
        #[ts(type = "number")]
        span_ms: i64,
        reason: String,
    },
    Extend {
        #[ts(type = "number")]
        span_ms: i64,
        reason: String,
    },
    End {
        why: EndWhy,
        note: String,
    },
    WithdrawEnd,
    /// `minutes`: 1 to 60, other than the programme's
    GrantBreak {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        minutes: Option<u16>,
    },
    RefuseBreak {
        reason: String,
    },
    /// The candidate was seen to be back
    EndBreak,
    /// Face and document once more; the candidate reads `reason`
    AskRecheck {
        reason: String,
        stop_clock: bool,
    },
    /// Not `accepted` needs a note, and opens an incident `FACE_MISMATCH` that a person rules on
    RuleRecheck {
        accepted: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        seen: Option<PhotosSeen>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
    },
    WithdrawRecheck,
    /// `after_ms`: 0 to 15 min, chosen by chance
    PlanGesture {
        gesture: Gesture,
        #[ts(type = "number")]
        after_ms: i64,
    },
    /// Not `accepted` opens an incident `PROCTOR_ORDER_IGNORED` that a person rules on
    JudgeGesture {
        accepted: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        note: Option<String>,
    },
    WithdrawGesture,
}

/// The photos a proctor looked at, as the detail names them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PhotosSeen {
    /// The candidate's face
    pub face: Option<String>,
    /// The identity document
    pub document: Option<String>,
}

/// The four reasons; conduct is not among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum EndWhy {
    /// Danger to a person
    Safety,
    /// It cannot go on technically
    Technical,
    /// The candidate asked for it
    CandidateRequest,
    /// Needs a second person
    Impersonation,
}

/// What the server sends to a proctor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export, rename = "ProctorServerFrame")]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The whole wall
    Wall {
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
        /// Which
        sitting: SittingRow,
        /// And these with it, in the order they were asked for
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(as = "Option<Vec<SittingRow>>", optional)]
        beside: Vec<SittingRow>,
        /// Sitting by sitting, by place
        tiles: Vec<Tile>,
        /// Every code of the catalogue with its class, for the list of reasons
        codes: Vec<CodeRow>,
    },
    /// One tile, after a change
    Tile {
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
        /// Whole
        tile: Tile,
    },
    /// Sound and still, several times a second, only what changed
    Pulse {
        /// One per candidate
        pulses: Vec<Pulse>,
    },
    /// The opened candidate
    Detail {
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
        /// Whole
        detail: Box<Detail>,
    },
    /// Durable
    Done {
        /// As sent
        re: u32,
    },
    /// Durable for `done` candidates; `refused` are those whom it does not concern, such as after the end
    DoneAll {
        /// As sent
        re: u32,
        /// How many
        done: u32,
        /// How many
        refused: u32,
    },
    /// Who watches whom, after every change
    Duty {
        /// Everybody with this wall open, in the order they came
        proctors: Vec<DutyRow>,
        /// Candidates of this proctor
        mine: Vec<Uuid>,
        /// Candidates nobody watches now
        unwatched: u32,
    },
    /// Nothing was changed
    Refused {
        /// As sent
        re: Option<u32>,
        /// Why
        problem: Problem,
    },
    /// Answer to `ping`
    Pong {
        /// As sent
        n: u32,
        /// Server time
        #[ts(type = "number")]
        server_time: i64,
    },
    /// The server closes this socket
    Bye {
        /// Why
        problem: Problem,
    },
}

/// A proctor with the wall open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DutyRow {
    /// Full name
    pub name: String,
    /// Whoever reads this
    pub me: bool,
    /// On duty
    pub on: bool,
    /// How many candidates
    pub watches: u32,
}

/// A row of `GET /api/v1/centre/duty`: a sitting that somebody sits or watches now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SittingDuty {
    /// Which
    pub sitting: Uuid,
    /// As the centre named it
    pub title: String,
    /// Candidates who are here
    pub here: u32,
    /// Names of the proctors on duty
    pub proctors: Vec<String>,
}

/// A row of `GET /api/v1/proctor/sittings/{sitting}/notes`, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ShiftNoteRow {
    /// When
    #[ts(type = "number")]
    pub at: i64,
    /// Who wrote it
    pub by: String,
    /// Plain text
    pub text: String,
}

/// Body of `POST /api/v1/proctor/sittings/{sitting}/notes`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct NewShiftNote {
    /// 1 to 2,000 characters
    pub text: String,
}

/// Answer to `GET /api/v1/proctor/sessions/{session}/link`; asking is in the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PersonalLink {
    /// The candidate's, whole
    pub link: String,
    /// Where `POST` to the same address mails it, with one letter of the name before the @; nothing without an address,
    /// and where nobody sends letters
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub mail: Option<String>,
}

/// An incident code for the list of reasons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CodeRow {
    /// `FORBIDDEN_ITEM`
    pub code: String,
    /// auto | human | info
    pub class: String,
    /// Never a violation
    pub technical: bool,
}

/// One candidate on the wall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Tile {
    /// Who
    pub session: Uuid,
    /// Which of several watched sittings; absent where the wall shows one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sitting: Option<Uuid>,
    /// Stable place within the sitting, from 0
    pub place: u32,
    /// The candidate
    pub name: String,
    /// Grows with every change
    #[ts(type = "number")]
    pub version: u64,
    /// Attempt
    pub stage: Stage,
    /// What the candidate is doing before the exam: link | language | consent | device_check | identity | briefing |
    /// waiting | exam | ended
    pub step: String,
    /// A socket lives
    pub online: bool,
    /// Since when that is so
    #[ts(type = "number | null")]
    pub online_changed_at: Option<i64>,
    /// What reaches the server
    pub video: bool,
    /// What reaches the server
    pub audio: bool,
    /// Whether the shared screen does; absent where the exam does not ask for it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<bool>,
    /// How much of the picture the candidate's page sends; less than `full` is technical, never a violation
    pub media_step: MediaStep,
    /// Server time of the end
    #[ts(type = "number | null")]
    pub deadline: Option<i64>,
    /// Questions with an answer
    pub answered: u16,
    /// All questions
    pub total: u16,
    /// Violations that led to a warning: 0 or 1
    pub warnings: u32,
    /// Human incidents nobody has ruled on
    pub open_incidents: u32,
    /// Those incidents, oldest first
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<IncidentView>>", optional)]
    pub open: Vec<IncidentView>,
    /// Human incidents that people have ruled on
    #[serde(default)]
    pub ruled_incidents: u32,
    /// From when on a new violation would end the exam; absent without an effective warning
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub warning_effective_at: Option<i64>,
    /// When the exam started
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub started_at: Option<i64>,
    /// Why the clock stands: staff | everybody | break | recheck
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub paused_for: Vec<String>,
    /// A break that is asked for or goes on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub away: Option<BreakView>,
    /// The most urgent thing to do: none | help | identity | device | incident | end_proposal | break | recheck |
    /// gesture | camera | screen | recording (nothing of the picture can be written) | offline | warned
    pub trouble: String,
    /// Sorts the queue: larger first, 0 is calm
    pub rank: u32,
    /// Since when
    #[ts(type = "number | null")]
    pub trouble_since: Option<i64>,
    /// Code of the most urgent open incident
    pub trouble_code: Option<String>,
    /// How it ended, if it did
    pub end_reason: Option<String>,
    /// Number of the newest still; fetch `GET /api/v1/proctor/sessions/{session}/still?n=`
    #[ts(type = "number")]
    pub still: u64,
}

/// Sound and still of one candidate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Pulse {
    /// Who
    pub session: Uuid,
    /// 0 silent to 100 loud; none without sound
    pub level: Option<u8>,
    /// Number of the newest still
    #[ts(type = "number")]
    pub still: u64,
    /// Percent left in the candidate's device, while it runs on its battery
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub battery: Option<u8>,
}

/// The opened candidate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Detail {
    /// As on the wall
    pub tile: Tile,
    /// Chosen language
    pub lang: Option<Lang>,
    /// What the device check found
    pub device: Option<DeviceReport>,
    /// What a trial run found days before, if there was one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trial: Option<TrialView>,
    /// Photos that exist: `GET /api/v1/proctor/sessions/{session}/photos/{face|document}`
    pub face_photo: Option<String>,
    /// SHA-256, changes with every new photo
    pub document_photo: Option<String>,
    /// A tab or device waits
    pub device_waits: bool,
    /// Which: its connection, for `admit_device`
    pub waiting: Option<Uuid>,
    /// All incidents, newest first
    pub incidents: Vec<IncidentView>,
    /// The first of two people who want to end it for impersonation
    pub end_proposed_by: Option<String>,
    /// It was this proctor
    pub end_proposed_by_me: bool,
    /// Conversation
    pub messages: Vec<ChatLine>,
    /// Newest first, at most 200
    pub timeline: Vec<TimelineEntry>,
    /// Summed time without a picture during the exam
    #[ts(type = "number")]
    pub unsupervised_ms: i64,
    /// From when on a new violation would end the exam; none without an effective warning
    #[ts(type = "number | null")]
    pub warning_effective_at: Option<i64>,
    /// When the exam started
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// How the programme wants a break: so many minutes
    pub break_minutes: u16,
    /// And whether the clock stands meanwhile
    pub break_stops_clock: bool,
    /// A check of the identity in mid-exam
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recheck: Option<RecheckView>,
    /// A gesture that is planned or asked for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub gesture: Option<GestureView>,
    /// An accommodation switches gestures off for this candidate
    pub gestures_off: bool,
}

/// A check of the identity that is not ruled on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecheckView {
    /// When it was asked for
    #[ts(type = "number")]
    pub asked_at: i64,
    /// As the candidate reads it
    pub reason: String,
    /// The clock stands meanwhile
    pub stops_clock: bool,
    /// SHA-256 of the new photo: `.../photos/face?sha256=`
    pub face_photo: Option<String>,
    /// SHA-256 of the new photo
    pub document_photo: Option<String>,
    /// Both are sent: a ruling is due
    pub submitted: bool,
}

/// A gesture that is not judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GestureView {
    /// Which
    pub gesture: Gesture,
    /// When it will be, or was, asked for
    #[ts(type = "number")]
    pub due_at: i64,
    /// The candidate sees it since
    #[ts(type = "number | null")]
    pub asked_at: Option<i64>,
    /// shown | alternative, once the candidate said so
    pub answered: Option<String>,
}

/// An incident as the proctor sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct IncidentView {
    /// Within the session
    pub no: u32,
    /// Code of the catalogue
    pub code: String,
    /// auto | human | info
    pub class: String,
    /// client | server | model | proctor
    pub source: String,
    /// Server time
    #[ts(type = "number")]
    pub began_at: i64,
    /// None while it runs
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// open | confirmed_auto | confirmed_human | dismissed | recorded
    pub status: String,
    /// Who ruled, by name
    pub by: Option<String>,
    /// warning | termination | none, once it is a violation
    pub consequence: Option<String>,
    /// Explanation or note
    pub note: Option<String>,
    /// What a detector measured when it opened; none for what people and browsers report
    pub finding: Option<FindingView>,
    /// In words: what was seen or heard, and what that does not mean; none for what only people report
    pub explanation: Option<ExplanationView>,
}

/// What a machine's claim rested on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FindingView {
    /// Name of the detector
    pub detector: String,
    /// Its version
    pub version: String,
    /// `no_face`, `camera_covered` ...
    pub condition: String,
    /// How sure it was, 0 ..= 100
    pub confidence_pct: u8,
    /// In thousandths of the detector's unit
    pub score_milli: i32,
    /// In the same
    pub threshold_milli: i32,
    /// When the picture was taken, server time; none for sound
    #[ts(type = "number | null")]
    pub picture_at: Option<i64>,
    /// SHA-256 of that picture
    pub picture_sha256: Option<String>,
    /// Pictures in a row that showed it
    pub shown: Option<u32>,
    /// Pictures among them that allowed no answer
    pub could_not_tell: Option<u32>,
}

/// A sentence in the languages of the interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Said {
    /// Kazakh
    pub kk: String,
    /// Russian
    pub ru: String,
    /// English
    pub en: String,
}

/// An incident in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ExplanationView {
    /// What was seen or heard
    pub seen: Said,
    /// What that does not mean
    pub not_meant: Said,
}

/// A line of the timeline; the app words it by `kind`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimelineEntry {
    /// Position in the log
    #[ts(type = "number")]
    pub seq: u64,
    /// Server time
    #[ts(type = "number")]
    pub at: i64,
    /// The fact's type: `warning_displayed`
    pub kind: String,
    /// Name of the member of staff behind it
    pub by: Option<String>,
    /// Code, reason or number that belongs to it; never an answer
    pub what: Option<String>,
}

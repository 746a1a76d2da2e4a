//! One error shape on the wire: RFC 9457 problem+json with a stable code; a page per code says what to do.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Stable codes. Each has a page `docs/errors/<code>.md`, served at `/errors/<code>`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, TS)]
        #[ts(export)]
        pub enum Code {$(
            $(#[$doc])*
            #[doc = $title]
            #[serde(rename = $code)]
            $name,
        )+}

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$name => $code,)+}
            }

            /// HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self {$(Self::$name => $status,)+}
            }

            /// One English line; the apps show their own text in kk, ru or en by the code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {$(Self::$name => $title,)+}
            }
        }
    };
}

codes! {
    // what was sent
    FrameMalformed = "frame_malformed", 400, "The frame is not valid JSON of a known shape";
    FrameTooLarge = "frame_too_large", 413, "The frame is larger than allowed";
    BodyMalformed = "body_malformed", 400, "The body is not valid JSON of the documented shape";
    BodyTooLarge = "body_too_large", 413, "The body is larger than allowed";
    MediaTypeUnsupported = "media_type_unsupported", 415, "The content type is not accepted here";
    NotFound = "not_found", 404, "There is nothing at this address";
    MethodNotAllowed = "method_not_allowed", 405, "This address does not take this method";
    OutOfLimits = "out_of_limits", 422, "A text or a number is outside its limits";
    // who sent it
    SignInRequired = "sign_in_required", 401, "Sign in first";
    CredentialsWrong = "credentials_wrong", 401, "Login or password is wrong";
    RoleMissing = "role_missing", 403, "Your role does not allow this";
    OriginForbidden = "origin_forbidden", 403, "The request comes from a foreign page";
    HostForbidden = "host_forbidden", 421, "The server is not configured for this host name";
    TicketInvalid = "ticket_invalid", 401, "The one-time ticket is used, expired or unknown";
    TooManyRequests = "too_many_requests", 429, "Too many requests; wait as told";
    SetupLinkInvalid = "setup_link_invalid", 404, "The set-up link is used, expired or unknown";
    PasswordTooWeak = "password_too_weak", 422, "The password is too short or too common";
    LoginTaken = "login_taken", 409, "This login is taken";
    SecondFactorNeeded = "second_factor_needed", 401, "The password is right; a code of the second factor is needed";
    SecondFactorWrong = "second_factor_wrong", 401, "The code is wrong or was used";
    SecondFactorDue = "second_factor_due", 403, "Your centre asks for a second factor; set it up first";
    SecondFactorHeld = "second_factor_held", 409, "A second factor is set up already";
    LastHead = "last_head", 409, "Nobody else could manage the centre then";
    FormInvalid = "form_invalid", 422, "The form has mistakes; the report names each field";
    ChangedMeanwhile = "changed_meanwhile", 409, "Somebody else changed this since you looked";
    MailOff = "mail_off", 409, "No mail server is configured";
    // candidate's way
    LinkInvalid = "link_invalid", 404, "The personal link is not valid";
    CalledOff = "called_off", 410, "The centre called this exam off";
    LinkExpired = "link_expired", 410, "The personal link was valid until the end of the sitting";
    CredentialInvalid = "credential_invalid", 401, "This device does not hold the key for this exam";
    OtherDevice = "other_device", 409, "Another device or tab sits this exam";
    SupersededEpoch = "superseded_epoch", 409, "Another device or tab took over this exam";
    ClientSeqReused = "client_seq_reused", 409, "This number was given to another command before";
    WrongStage = "wrong_stage", 409, "This is not possible at this stage";
    StepMissing = "step_missing", 409, "A step before this one is missing";
    NotOpenYet = "not_open_yet", 409, "The sitting has not opened yet";
    ExamEnded = "exam_ended", 409, "The exam has ended";
    MediaMissing = "media_missing", 409, "Camera and microphone must reach the server first";
    LanguageNotOffered = "language_not_offered", 422, "The exam cannot be sat in this language";
    NoSuchQuestion = "no_such_question", 422, "The form has no such question";
    NoSuchOption = "no_such_option", 422, "The question has no such option, or takes only one";
    NoSuchWarning = "no_such_warning", 422, "There is no such warning";
    CannotDraw = "cannot_draw", 500, "The paper cannot be drawn from the bank";
    TooManyEvents = "too_many_events", 429, "This session has reached its limit of stored events";
    PhotoTooLarge = "photo_too_large", 413, "The photo is larger than allowed";
    PhotoNotImage = "photo_not_image", 422, "The file is not a JPEG, PNG or WebP picture";
    // media
    SdpMalformed = "sdp_malformed", 400, "The offer is not valid SDP";
    SdpTooLarge = "sdp_too_large", 413, "The offer is larger than allowed";
    SdpMediaLines = "sdp_media_lines", 422, "At most one audio and two video lines are taken";
    SdpNoVp8 = "sdp_no_vp8", 422, "The offer has no VP8 video or no Opus audio";
    MediaFull = "media_full", 503, "The media service has no room for another connection";
    MediaStopped = "media_stopped", 503, "The media service is not running";
    NoPicture = "no_picture", 404, "There is no picture of this candidate yet";
    // proctor's way
    IncidentNotOpen = "incident_not_open", 409, "This incident is not open";
    WarningsChanged = "warnings_changed", 409, "The warning count changed since you looked";
    BeginningOutOfRange = "beginning_out_of_range", 422, "The beginning must lie within the exam and not in the future";
    TechnicalCode = "technical_code", 422, "A technical fault is never a violation";
    CodeSwitchedOff = "code_switched_off", 422, "An accommodation switches this code off for this candidate";
    SecondPersonNeeded = "second_person_needed", 409, "Ending for impersonation needs a second person";
    NothingWaits = "nothing_waits", 409, "Nothing waits for this decision";
    PhotosChanged = "photos_changed", 409, "The photos changed since you looked";
    // centre's way
    BankInvalid = "bank_invalid", 422, "The bank has mistakes; the report names each question";
    BankVersionTaken = "bank_version_taken", 409, "This version of the bank exists with other content";
    ProgrammeInvalid = "programme_invalid", 422, "The programme has a mistake";
    ThresholdBelowLaw = "threshold_below_law", 422, "The law asks for more than 70 %";
    CsvInvalid = "csv_invalid", 422, "The list has mistakes; the report names each line";
    TimesOutOfOrder = "times_out_of_order", 422, "The end lies before the beginning, or has passed already";
    SittingFull = "sitting_full", 409, "The sitting has no room for so many candidates";
    ExamStarted = "exam_started", 409, "The exam has started; this can no longer be changed";
    SittingCancelled = "sitting_cancelled", 409, "The sitting is cancelled";
    CandidateKnown = "candidate_known", 409, "A candidate with this number is in the sitting already";
    RecordSealed = "record_sealed", 409, "The record is sealed; what it says stays";
    HoldOpen = "hold_open", 409, "The evidence of this session is held already";
    EvidenceErased = "evidence_erased", 410, "This evidence was erased when its time was over";
    RecordNotSealed = "record_not_sealed", 409, "The record is not sealed yet";
    RecordMismatch = "record_mismatch", 409, "The record shown is not the sealed one";
    ValidityRulingMissing = "validity_ruling_missing", 422, "The commission must rule on validity";
    // the server's way
    ExamFullQueue = "exam_full_queue", 503, "All seats are taken; you have a place in the queue";
    Busy = "busy", 503, "The server is busy; try again as told";
    StoreUnavailable = "store_unavailable", 503, "The store does not take writes now; nothing was lost";
    ShuttingDown = "shutting_down", 503, "The server is restarting";
    Internal = "internal", 500, "A fault of ours; the trace id finds it in the log";
}

/// RFC 9457.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Problem {
    /// Path of the page that says what to do
    #[serde(rename = "type")]
    pub type_: String,
    /// One English line
    pub title: String,
    /// HTTP status
    pub status: u16,
    /// Stable
    pub code: Code,
    /// What exactly, in English; no personal data
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// Finds the log lines
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trace: Option<String>,
    /// When to try again
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub retry_after_ms: Option<u64>,
    /// Place in the queue, 1 is next
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub position: Option<u32>,
    /// Mistakes by place, for forms and files
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Mistake>>", optional)]
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a file or form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Mistake {
    /// Field, line or question: `line 12`, `hyg-004`
    pub place: String,
    /// Stable
    pub code: String,
    /// What is wrong and what to do, in English
    pub detail: String,
}

impl Problem {
    /// A problem of that code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            type_: format!("/errors/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: None,
            trace: None,
            retry_after_ms: None,
            position: None,
            mistakes: Vec::new(),
        }
    }

    /// With what exactly was wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<&synaq_core::session::Refusal> for Code {
    fn from(refusal: &synaq_core::session::Refusal) -> Self {
        use synaq_core::session::Refusal as R;
        match refusal {
            R::WrongStage => Self::WrongStage,
            R::ExamEnded => Self::ExamEnded,
            R::NotOpenYet => Self::NotOpenYet,
            R::LinkExpired => Self::LinkExpired,
            R::CalledOff => Self::CalledOff,
            R::NoSuchQuestion => Self::NoSuchQuestion,
            R::NoSuchOption => Self::NoSuchOption,
            R::OtherDevice => Self::OtherDevice,
            R::SupersededEpoch => Self::SupersededEpoch,
            R::ClientSeqReused => Self::ClientSeqReused,
            R::PhotosChanged => Self::PhotosChanged,
            R::ValidityRulingMissing => Self::ValidityRulingMissing,
            R::StepMissing => Self::StepMissing,
            R::LanguageNotOffered => Self::LanguageNotOffered,
            R::MediaMissing => Self::MediaMissing,
            R::CannotDraw => Self::CannotDraw,
            R::IncidentNotOpen => Self::IncidentNotOpen,
            R::WarningsChanged => Self::WarningsChanged,
            R::BeginningOutOfRange => Self::BeginningOutOfRange,
            R::TechnicalCode => Self::TechnicalCode,
            R::CodeSwitchedOff => Self::CodeSwitchedOff,
            R::NoSuchWarning => Self::NoSuchWarning,
            R::OutOfLimits => Self::OutOfLimits,
            R::SecondPersonNeeded => Self::SecondPersonNeeded,
            R::NothingWaits => Self::NothingWaits,
            R::RecordMismatch => Self::RecordMismatch,
            R::TooManyEvents => Self::TooManyEvents,
        }
    }
}

impl From<&synaq_core::session::Refusal> for Problem {
    fn from(refusal: &synaq_core::session::Refusal) -> Self {
        Self::new(refusal.into()).detail(refusal.to_string())
    }
}

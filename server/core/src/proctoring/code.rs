//! The catalogue of incident codes and the one table of their defaults.

use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who confirms an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A plain technical fact confirms itself after its minimum duration
    Auto,
    /// Seen or heard: a person decides
    Human,
    /// For the record only
    Info,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $class:ident, $min_s:literal s, gap $gap_s:literal s, conf $conf:literal;)+) => {
        /// Incident codes (data dictionary 8.2). Technical codes are never violations.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum Code {$(
            $(#[$doc])*
            #[serde(rename = $text)]
            $name,
        )+}

        impl Code {
            /// Every code, in the catalogue's order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The catalogue's name: `CAMERA_OFF`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$name => $text,)+}
            }

            /// Defaults; a centre may change any of them.
            #[must_use]
            pub const fn default_rule(self) -> Rule {
                match self {$(
                    Self::$name => Rule {
                        class: Class::$class,
                        min_duration: Span::secs($min_s),
                        merge_gap: Span::secs($gap_s),
                        min_confidence_pct: $conf,
                    },
                )+}
            }
        }
    };
}

codes! {
    /// An item of the forbidden list (NB-21)
    ForbiddenItem = "FORBIDDEN_ITEM": Human, 0 s, gap 60 s, conf 40;
    /// Another person in the room
    SecondPerson = "SECOND_PERSON": Human, 0 s, gap 60 s, conf 40;
    /// No frontal face seen
    NoFace = "NO_FACE": Human, 10 s, gap 30 s, conf 40;
    /// Another face than at admission; recognising who it is stays with people
    FaceMismatch = "FACE_MISMATCH": Human, 0 s, gap 60 s, conf 40;
    /// The candidate left the place
    LeftPlace = "LEFT_PLACE": Human, 0 s, gap 60 s, conf 40;
    /// Somebody else speaks
    SpeechOther = "SPEECH_OTHER": Human, 2 s, gap 30 s, conf 40;
    /// The candidate speaks
    SpeechCandidate = "SPEECH_CANDIDATE": Human, 2 s, gap 30 s, conf 40;
    /// Headphones seen; off for a hearing aid
    Headphones = "HEADPHONES": Human, 0 s, gap 60 s, conf 40;
    /// Camera track ended by hand while the socket lives
    CameraOff = "CAMERA_OFF": Auto, 15 s, gap 5 s, conf 100;
    /// Camera covered or dark
    CameraCovered = "CAMERA_COVERED": Human, 10 s, gap 30 s, conf 40;
    /// The camera sends the same picture again and again
    CameraFrozen = "CAMERA_FROZEN": Human, 15 s, gap 30 s, conf 40;
    /// The camera suddenly shows something else
    CameraChanged = "CAMERA_CHANGED": Human, 0 s, gap 60 s, conf 40;
    /// The clock of the camera's stream stands, runs wrong or leaps, or a stretch of it came before
    CameraClock = "CAMERA_CLOCK": Human, 0 s, gap 60 s, conf 40;
    /// The face is at the edge of the picture: advice, never a violation by itself
    FaceOffCentre = "FACE_OFF_CENTRE": Info, 15 s, gap 60 s, conf 40;
    /// A sound well above the room's own; a machine cannot say whose
    SoundHeard = "SOUND_HEARD": Human, 0 s, gap 30 s, conf 40;
    /// Microphone track ended by hand while the socket lives
    MicOff = "MIC_OFF": Auto, 15 s, gap 5 s, conf 100;
    /// Screen share ended by hand while the socket lives
    ScreenShareEnded = "SCREEN_SHARE_ENDED": Auto, 15 s, gap 5 s, conf 100;
    /// Exam page hidden
    WindowBlur = "WINDOW_BLUR": Auto, 10 s, gap 5 s, conf 100;
    /// Full screen left
    FullscreenExit = "FULLSCREEN_EXIT": Auto, 10 s, gap 5 s, conf 100;
    /// A second screen is connected
    SecondScreen = "SECOND_SCREEN": Human, 0 s, gap 60 s, conf 100;
    /// Remote control software
    RemoteControl = "REMOTE_CONTROL": Human, 0 s, gap 60 s, conf 40;
    /// The camera's label looks like a virtual one; too weak a sign to hold against anybody
    VirtualCamera = "VIRTUAL_CAMERA": Info, 0 s, gap 300 s, conf 40;
    /// Virtual machine
    VirtualMachine = "VIRTUAL_MACHINE": Info, 0 s, gap 300 s, conf 40;
    /// Copy, cut or paste
    CopyPaste = "COPY_PASTE": Info, 0 s, gap 30 s, conf 100;
    /// Developer tools
    Devtools = "DEVTOOLS": Info, 0 s, gap 60 s, conf 40;
    /// Another tab or device asked to sit this exam
    SecondConnection = "SECOND_CONNECTION": Human, 0 s, gap 60 s, conf 100;
    /// Looked away for long; never automatic, never gaze tracking
    LookingAwayLong = "LOOKING_AWAY_LONG": Human, 20 s, gap 30 s, conf 40;
    /// Somebody else sits the exam
    Impersonation = "IMPERSONATION": Human, 0 s, gap 60 s, conf 40;
    /// The proctor's instruction was not followed
    ProctorOrderIgnored = "PROCTOR_ORDER_IGNORED": Human, 0 s, gap 60 s, conf 100;
    /// Anything else, described in the note
    Other = "OTHER": Human, 0 s, gap 0 s, conf 100;
    /// Technical: the connection was lost
    NetworkLost = "NETWORK_LOST": Info, 0 s, gap 5 s, conf 100;
    /// Technical: a device failed
    DeviceFailure = "DEVICE_FAILURE": Info, 0 s, gap 5 s, conf 100;
    /// Technical: power was lost
    PowerLoss = "POWER_LOSS": Info, 0 s, gap 5 s, conf 100;
    /// Technical: our own fault
    ServerFault = "SERVER_FAULT": Info, 0 s, gap 5 s, conf 100;
}

impl Code {
    /// Network, power, device and our own faults are never a violation, whoever claims them.
    #[must_use]
    pub const fn is_technical(self) -> bool {
        matches!(self, Self::NetworkLost | Self::DeviceFailure | Self::PowerLoss | Self::ServerFault)
    }

    /// Leaving the exam's window: hiding the page and leaving full screen come together and are one behaviour.
    #[must_use]
    pub const fn is_window(self) -> bool {
        matches!(self, Self::WindowBlur | Self::FullscreenExit)
    }

    /// Claims of both codes merge into one incident.
    #[must_use]
    pub fn same_behaviour(self, other: Self) -> bool {
        self == other || (self.is_window() && other.is_window())
    }

    /// Device codes need one failed on-screen attempt to restore before they confirm themselves.
    #[must_use]
    pub const fn needs_failed_restore(self) -> bool {
        matches!(self, Self::CameraOff | Self::MicOff | Self::ScreenShareEnded)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.name() == text).ok_or(UnknownCode)
    }
}

/// Not in the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no such incident code; the catalogue lists them")]
pub struct UnknownCode;

/// How events of one code become an incident, and who confirms it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Who confirms
    pub class: Class,
    /// Shorter is for the record only
    pub min_duration: Span,
    /// Events closer than this are one incident
    pub merge_gap: Span,
    /// Events below this are for the record only
    pub min_confidence_pct: u8,
}

/// The table in force for one session: defaults, a centre's changes, and what an accommodation switches off.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleTable {
    /// A centre's changes
    pub changed: BTreeMap<Code, Rule>,
    /// Named codes an accommodation profile switches off (LAW-30)
    pub switched_off: BTreeSet<Code>,
}

impl RuleTable {
    /// The rule for `code`; `None` when an accommodation switches it off.
    #[must_use]
    pub fn rule(&self, code: Code) -> Option<Rule> {
        if self.switched_off.contains(&code) {
            return None;
        }
        Some(self.set(code))
    }

    /// The rule for `code`, whether or not an accommodation switches it off.
    #[must_use]
    pub fn set(&self, code: Code) -> Rule {
        self.changed.get(&code).copied().unwrap_or(code.default_rule())
    }

    /// The table as the documentation prints it; switched-off codes say so.
    #[must_use]
    pub fn markdown(&self) -> String {
        let head = "| Code | Who confirms | Minimum | Merge gap | Confidence |\n|---|---|---:|---:|---:|\n";
        Code::ALL.iter().fold(head.to_owned(), |table, code| {
            let row = match self.rule(*code) {
                Some(_) if code.is_technical() => format!("| `{code}` | never: technical | | | |\n"),
                None => format!("| `{code}` | switched off | | | |\n"),
                Some(rule) => {
                    let who = match rule.class {
                        Class::Auto => "auto",
                        Class::Human => "human",
                        Class::Info => "info",
                    };
                    format!(
                        "| `{code}` | {who} | {} s | {} s | {} % |\n",
                        rule.min_duration.0 / 1_000,
                        rule.merge_gap.0 / 1_000,
                        rule.min_confidence_pct
                    )
                }
            };
            table + &row
        })
    }
}

/// The forbidden items (NB-21), named in a violation's note.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ForbiddenItem {
    Pager,
    CellPhone,
    Tablet,
    Ipad,
    Ipod,
    Smartphone,
    Laptop,
    Player,
    Modem,
    RadioComm,
    SmartWatch,
    SmartGlasses,
    FitnessBand,
    Dictaphone,
    Calculator,
    HeadphonesWired,
    HeadphonesWireless,
    CribSheet,
    StudyLiterature,
    OtherDevice,
}

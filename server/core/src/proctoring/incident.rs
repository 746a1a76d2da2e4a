//! Detector events and the incidents they merge into.

use super::{Class, Code};
use crate::ids::{IncidentNo, StaffId};
use crate::time::At;
use serde::{Deserialize, Serialize};

/// Who claims it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The candidate's browser: a claim by an untrusted client
    Client,
    /// Observed by the server itself
    Server,
    /// A picture or sound detector
    Model,
    /// A person watching
    Proctor,
}

/// Where in its course the observed behaviour is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalPhase {
    /// It began
    Begin,
    /// It is (still) seen; a begin if none was seen
    Seen,
    /// The candidate tried on screen to restore the device, and it failed
    RestoreFailed,
    /// It ended
    End,
}

/// A raw claim. Never a violation by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DetectorEvent {
    /// What is claimed
    pub code: Code,
    /// Where in its course
    pub phase: SignalPhase,
    /// Who claims it
    pub source: Source,
    /// 0..=100; 100 for plain facts. Below the code's minimum it is kept for the record only.
    pub confidence_pct: u8,
    /// Since when, by server time
    pub at: At,
    /// What the browser said, or a person wrote; no personal data
    pub note: Option<String>,
    /// What a detector measured, so that a person can judge it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// What a detector saw or heard, and what it compared that with (F-29: an explanation is stored with every claim of a
/// machine).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Its name, up to 40 characters
    pub detector: String,
    /// Its version, up to 40 characters
    pub version: String,
    /// The plain condition: `camera_dark`, `no_face` ...
    pub condition: String,
    /// In thousandths of the detector's unit
    pub score_milli: i32,
    /// In the same
    pub threshold_milli: i32,
    /// Number of pictures looked at before this one; none for sound
    pub picture: Option<u64>,
    /// When that picture was taken, by server time: the place in the recording
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_at: Option<At>,
    /// SHA-256 of the picture as the detector got it, hexadecimal
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_sha256: Option<String>,
    /// Pictures in a row, with this one, that showed it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<u32>,
    /// Pictures among them that allowed no answer
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_not_tell: Option<u32>,
}

/// What a machine's claim rested on, kept with the incident that it opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// How sure the detector was, 0 ..= 100
    pub confidence_pct: u8,
    /// What it measured
    pub measured: Measured,
}

/// How an incident stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Not long enough yet, or waiting for a person
    Open,
    /// By the rule of its code
    ConfirmedAuto {
        /// When
        at: At,
    },
    /// By a person
    ConfirmedHuman {
        /// Who
        by: StaffId,
        /// When
        at: At,
    },
    /// By a person
    Dismissed {
        /// Who
        by: StaffId,
        /// When
        at: At,
    },
    /// It ended before its code's minimum duration, or is for the record only
    Recorded,
}

/// Merged detector events of one code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Within the session, from 1
    pub no: IncidentNo,
    /// What
    pub code: Code,
    /// Who confirms it, by the table in force when it opened
    pub class: Class,
    /// Who claimed it first
    pub source: Source,
    /// When it began; a human confirmation may name an earlier or later moment
    pub began_at: At,
    /// When it was last seen
    pub seen_at: At,
    /// When it ended; none while it runs
    pub ended_at: Option<At>,
    /// An on-screen attempt to restore the device failed
    pub restore_failed: bool,
    /// How it stands
    pub status: IncidentStatus,
    /// Explanation or the proctor's note
    pub note: Option<String>,
    /// What a detector measured when it opened; none for what people and browsers report
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

impl Incident {
    /// By its rule or by a person.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        matches!(self.status, IncidentStatus::ConfirmedAuto { .. } | IncidentStatus::ConfirmedHuman { .. })
    }

    /// A human incident nobody has ruled on: the record waits for it, the proctor's queue shows it.
    #[must_use]
    pub fn awaits_person(&self) -> bool {
        self.class == Class::Human && self.status == IncidentStatus::Open
    }
}

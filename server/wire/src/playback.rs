//! Recordings along one line of time, for proctors and commissions. Links in here are signed for the one who asked, for
//! [`LINK_MS`]; each needs the sign-in besides.

use crate::proctor::{IncidentView, TimelineEntry};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// How long a link to a recording is good.
pub const LINK_MS: i64 = 15 * 60 * 1_000;

/// `GET /api/v1/playback/{session}`. All times are server time, milliseconds UTC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlaybackView {
    /// Whose
    pub session: Uuid,
    /// Where the line begins: the start of the exam or of the first recording
    #[ts(type = "number")]
    pub from: i64,
    /// Where it ends: the end of the exam or of what is recorded so far
    #[ts(type = "number")]
    pub to: i64,
    /// More may be recorded: ask again for it
    pub live: bool,
    /// Until when the links are good
    #[ts(type = "number")]
    pub until: i64,
    /// One for each source of pictures, the webcam with the sound first
    pub tracks: Vec<PlaybackTrack>,
    /// Where the webcam was not recorded, and why as far as the log says
    pub gaps: Vec<PlaybackGap>,
    /// The log, oldest first, without answers
    pub events: Vec<TimelineEntry>,
    /// All incidents, oldest first
    pub incidents: Vec<IncidentView>,
}

/// Recordings of one source, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlaybackTrack {
    /// webcam | screen
    pub kind: String,
    /// What plays when
    pub parts: Vec<PlaybackPart>,
}

/// A recording, playable by its link (`Range` is taken).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlaybackPart {
    /// Name of the evidence; `local-...` was recorded by the candidate's device, and its place is the device's word
    pub name: String,
    /// When its time 0 was
    #[ts(type = "number")]
    pub at: i64,
    /// How long it is, milliseconds
    #[ts(type = "number")]
    pub ms: u64,
    /// Signed link
    pub url: String,
    /// Pictures, not sound alone
    pub pictured: bool,
    /// Nobody finished it: it grows, or a crash cut it off
    pub unfinished: bool,
}

/// A time without a recording.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlaybackGap {
    /// From
    #[ts(type = "number")]
    pub from: i64,
    /// To
    #[ts(type = "number")]
    pub to: i64,
    /// As the log has it; none if it says nothing
    pub why: Option<String>,
}

/// `GET /api/v1/playback/{session}/clips/{incident}`: ten seconds before an incident began to ten seconds after.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ClipView {
    /// Of which incident
    pub incident: u32,
    /// What is in it
    #[ts(type = "number")]
    pub from: i64,
    /// Up to here so far
    #[ts(type = "number")]
    pub to: i64,
    /// When the incident began
    #[ts(type = "number")]
    pub began_at: i64,
    /// Nothing will be added
    pub whole: bool,
    /// It is kept as evidence of its own under this name
    pub name: Option<String>,
    /// Signed link
    pub url: String,
    /// Until when the links are good
    #[ts(type = "number")]
    pub until: i64,
    /// The screen of the same time, where it is shared
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<ScreenClip>,
}

/// What was recorded of the shared screen around an incident, without sound.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ScreenClip {
    /// What is in it: it begins up to twenty seconds earlier than asked, where its picture can be entered
    #[ts(type = "number")]
    pub from: i64,
    /// Up to here so far
    #[ts(type = "number")]
    pub to: i64,
    /// It is kept as evidence of its own under this name
    pub name: Option<String>,
    /// Signed link
    pub url: String,
}

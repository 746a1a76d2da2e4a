//! A trial run, days before the exam: what a device can do, and that its owner has practised. Advice throughout.

use crate::candidate::Seen;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `PUT /api/v1/candidate/trial`: the note that stays behind. Claims of the browser; nothing of the exam reads them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct TrialReport {
    /// At most 120 characters
    pub browser: String,
    /// A live picture was seen
    pub camera: bool,
    /// At most 120 characters
    pub camera_label: String,
    /// The level moved
    pub microphone: bool,
    /// What a machine made of the picture last; none where nobody looks
    pub seen: Option<Seen>,
    /// The middle one of the round trips, milliseconds
    pub round_trip_ms: u32,
    /// The longest of them
    pub longest_trip_ms: u32,
    /// How many of the requests came to nothing, in per cent
    pub lost_pct: u8,
    /// From the server, kilobits a second
    pub down_kbit_s: u32,
    /// To the server
    pub up_kbit_s: u32,
    /// More than one screen, where the browser can tell
    pub second_screen: Option<bool>,
    /// The exam can be shown in full screen
    pub fullscreen: bool,
    /// Whether this browser can share its screen
    pub screen_share: bool,
    /// The practice questions were handed in
    pub practised: bool,
    /// The practice warning was acknowledged
    pub warned: bool,
    /// The practice cut was sat through
    pub reconnected: bool,
}

/// The note, for the proctor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrialView {
    /// When it was left, server time
    #[ts(type = "number")]
    pub at: i64,
    /// What was found
    pub report: TrialReport,
}

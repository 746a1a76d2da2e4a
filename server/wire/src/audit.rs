//! What an auditor needs to believe the times of a sitting.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// How the server's clock stood beside another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ClockMarkView {
    /// By the server's clock
    #[ts(type = "number")]
    pub at: i64,
    /// `start` of a process, `wall` for the machine's clock, or the name of a time server
    pub source: String,
    /// The server's clock less the other one, ms; none when the other did not answer
    #[ts(type = "number | null")]
    pub ahead_ms: Option<i64>,
    /// The difference is true to so many ms
    #[ts(type = "number | null")]
    pub within_ms: Option<i64>,
    /// Why there is none, in English
    pub why: Option<String>,
}

/// A receipt of the platform beside our own times: by a common clock it was made between sending and closing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReceiptTime {
    /// Whose record or approval
    pub session: Uuid,
    /// `record` or `approval`
    pub kind: String,
    /// When it was ready to be sent, by the server's clock
    #[ts(type = "number")]
    pub ready_at: i64,
    /// When the platform says that it received it, under its signature
    #[ts(type = "number")]
    pub received_at: i64,
    /// When the receipt was here, by the server's clock
    #[ts(type = "number")]
    pub settled_at: i64,
    /// By how much the server's clock is at least ahead of the platform's; below 0 behind, 0 when they may agree
    #[ts(type = "number")]
    pub ahead_ms: i64,
}

/// `GET /api/v1/centre/sittings/{sitting}/clock`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ClockEvidence {
    /// Which sitting
    pub sitting: Uuid,
    /// Its title
    pub title: String,
    /// Marks are from here on, and the last of each source before
    #[ts(type = "number")]
    pub from: i64,
    /// Up to here
    #[ts(type = "number")]
    pub to: i64,
    /// Oldest first
    pub marks: Vec<ClockMarkView>,
    /// There are more marks than are shown
    pub is_cut: bool,
    /// Receipts for this sitting, oldest first
    pub receipts: Vec<ReceiptTime>,
}

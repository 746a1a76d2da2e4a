//! Long lists, page by page, what plots are drawn from, and the centre's overview.

use crate::centre::ResultRow;
use crate::proctor::SittingRow;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// `GET /api/v1/centre/sittings`: a page of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SittingsPage {
    /// In the order asked for
    pub rows: Vec<SittingRow>,
    /// How many were found, on all pages
    pub found: u32,
    /// How many there are
    pub all: u32,
}

/// `GET /api/v1/centre/results` and `GET /api/v1/commission/records`: a page of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ResultsPage {
    /// In the order asked for
    pub rows: Vec<ResultRow>,
    /// How many were found, on all pages
    pub found: u32,
    /// How many the list has without a search
    pub all: u32,
}

/// `GET /api/v1/centre/figures`: how exams went, of one sitting or of all; without attempts that do not count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Figures {
    /// Exams with a score
    pub scored: u32,
    /// Exams by share of right answers, ten steps; a share of exactly a step belongs below it (exactly 70 % is not
    /// passed)
    pub scores: Vec<u32>,
    /// Exams with a beginning and an end
    pub timed: u32,
    /// Minutes of a step
    pub minutes_step: u32,
    /// Exams by minutes used; the last step holds everything longer too
    pub minutes: Vec<u32>,
    /// Incidents by code, most exams first
    pub incidents: Vec<IncidentCount>,
}

/// How often something was noticed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct IncidentCount {
    /// Which
    pub code: String,
    /// Times, without those that a person dismissed
    pub incidents: u32,
    /// Exams with one or more
    pub exams: u32,
}

/// `GET /api/v1/centre/overview`: what a centre has, what comes next, and what has reached the platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CentreOverview {
    /// Versions of banks
    pub banks: u32,
    /// Versions of programmes
    pub programmes: u32,
    /// Sittings
    pub sittings: u32,
    /// Candidates in them
    pub candidates: u32,
    /// The sitting that opens last
    pub newest: Option<Uuid>,
    /// Open now or next
    pub near: Vec<SittingRow>,
    /// Messages to the platform
    pub delivery: DeliveryView,
    /// Room for recordings
    pub storage: StorageView,
}

/// What of a centre's records and approvals has reached the platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeliveryView {
    /// With a receipt
    pub accepted: u32,
    /// On their way
    pub queued: u32,
    /// Refused: a person must look
    pub refused: u32,
    /// When the oldest one on its way was made
    #[ts(type = "number | null")]
    pub oldest_queued: Option<i64>,
    /// When the newest receipt came
    #[ts(type = "number | null")]
    pub last_receipt: Option<i64>,
}

/// Room for recordings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StorageView {
    /// disk | object_store | unknown
    pub kept: String,
    /// Left on the disk
    #[ts(type = "number | null")]
    pub free_bytes: Option<u64>,
    /// Candidates of the next 24 hours, at least one
    pub candidates: u32,
    /// Whole hours for which it suffices for that many at once, at the most a recording may take
    pub hours: Option<u32>,
    /// Less than a working day's exams
    pub low: bool,
}

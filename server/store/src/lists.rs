//! Long lists, page by page: searched, sorted and counted where the rows lie, never carried whole.

use crate::{DeliveryState, Error, SittingRow};
use async_trait::async_trait;
use std::collections::BTreeMap;
use synaq_core::ids::{CentreId, ProgrammeId, SessionId, SittingId};
use synaq_core::time::At;

/// Which part of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Rows before it
    pub offset: u32,
    /// Rows of it at most
    pub limit: u32,
}

/// A part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<Row> {
    /// In the order asked for
    pub rows: Vec<Row>,
    /// Rows that were found, on all pages
    pub found: u64,
    /// Rows of the centre, found or not
    pub all: u64,
}

/// A column that sittings are sorted by; of equals, the later opening comes first, then the id decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SittingsBy {
    /// Its name
    Title,
    /// Earliest start
    Opens,
    /// End
    Closes,
    /// How many candidates
    Candidates,
}

/// Which sittings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SittingsAsked {
    /// Each of these, folded, occurs in the title
    pub words: Vec<String>,
    /// Only those that end after it and are not cancelled
    pub open_at: Option<At>,
    /// In which order
    pub by: SittingsBy,
    /// The other way round
    pub down: bool,
    /// Which part
    pub span: Span,
}

/// A column that results are sorted by; what is not known comes last either way, and of equals the place in the newest
/// sitting decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResultsBy {
    /// The candidate's
    Name,
    /// Title of the sitting
    Sitting,
    /// From created to approved
    State,
    /// passed, not passed, no result
    Outcome,
    /// Right answers
    Correct,
    /// Warnings given
    Warnings,
    /// When it ended
    Finished,
    /// accepted, queued, refused
    Delivery,
}

/// Which results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultsAsked {
    /// Each of these, folded, occurs in name, number or title of the sitting
    pub words: Vec<String>,
    /// Only in one of these states; in any without
    pub states: Vec<String>,
    /// Only of this sitting
    pub sitting: Option<SittingId>,
    /// In which order
    pub by: ResultsBy,
    /// The other way round
    pub down: bool,
    /// Which part
    pub span: Span,
}

/// States of a session in their order.
pub const STATES: [&str; 6] = ["created", "preparing", "running", "closed", "sealed", "approved"];
/// Outcomes in their order.
pub const OUTCOMES: [&str; 3] = ["passed", "not_passed", "no_result"];

/// One candidate in the list of results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultLine {
    /// Whose
    pub session: SessionId,
    /// Full name
    pub name: String,
    /// IIN or foreign document
    pub identity: String,
    /// The attempt does not count
    pub voided: bool,
    /// Title of the sitting
    pub sitting: String,
    /// Its programme
    pub programme: ProgrammeId,
}

/// What plots are drawn from: only attempts that count.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResultCounts {
    /// Right answers, all questions, exams
    pub scores: Vec<(u16, u16, u64)>,
    /// Whole minutes from start to end, exams
    pub minutes: Vec<(u32, u64)>,
    /// By code: incidents, and exams that had any
    pub incidents: BTreeMap<String, (u64, u64)>,
}

impl ResultCounts {
    /// Adds the incidents of one session, as a summary keeps them.
    pub fn add_incidents(&mut self, of_session: &BTreeMap<String, u32>) {
        for (code, count) in of_session {
            let (incidents, exams) = self.incidents.entry(code.clone()).or_default();
            *incidents += u64::from(*count);
            *exams += 1;
        }
    }
}

/// How much a centre has, and what of it has reached the platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CentreStanding {
    /// Versions of banks
    pub banks: u64,
    /// Versions of programmes
    pub programmes: u64,
    /// Sittings
    pub sittings: u64,
    /// Candidates in them
    pub candidates: u64,
    /// Messages with a receipt
    pub accepted: u64,
    /// Messages on their way
    pub queued: u64,
    /// Messages that wait for a person
    pub refused: u64,
    /// When the oldest one on its way was made
    pub oldest_queued: Option<At>,
    /// When the newest receipt came
    pub last_receipt: Option<At>,
}

impl CentreStanding {
    /// Adds messages of one state: when the oldest of them was made, and when the newest was settled.
    pub fn add_messages(
        &mut self,
        state: DeliveryState,
        messages: u64,
        oldest: Option<At>,
        newest: Option<At>,
    ) {
        match state {
            DeliveryState::Queued => {
                self.queued += messages;
                self.oldest_queued = self.oldest_queued.or(oldest).min(oldest);
            }
            DeliveryState::Accepted => {
                self.accepted += messages;
                self.last_receipt = self.last_receipt.max(newest);
            }
            DeliveryState::Refused => self.refused += messages,
        }
    }
}

/// Lists of a centre.
#[async_trait]
pub trait Lists: Send + Sync {
    /// Sittings with their number of candidates, without those who do not count.
    async fn sittings_page(
        &self,
        centre: CentreId,
        asked: &SittingsAsked,
    ) -> Result<Page<(SittingRow, u32)>, Error>;
    /// Candidates of all sittings.
    async fn results_page(&self, centre: CentreId, asked: &ResultsAsked) -> Result<Page<ResultLine>, Error>;
    /// What became of the records of those sessions; nothing for those without one.
    async fn fates(&self, sessions: &[SessionId]) -> Result<Vec<(SessionId, DeliveryState)>, Error>;
    /// Scores, durations and incidents, of one sitting or of all.
    async fn result_counts(
        &self,
        centre: CentreId,
        sitting: Option<SittingId>,
    ) -> Result<ResultCounts, Error>;
    /// How much there is.
    async fn centre_standing(&self, centre: CentreId) -> Result<CentreStanding, Error>;
}

//! What one run plays, resolved to the last millisecond: a seed gives a plan, a plan gives the same run for ever, and
//! every item of it can be left out.

mod draw;

use serde::{Deserialize, Serialize};

/// A run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Where it came from; also feeds delays on the lines and people's moods
    pub seed: u64,
    /// Length of the exams
    pub minutes: u16,
    /// What happens; each can be left out
    pub items: Vec<Item>,
}

/// Something that happens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// Sits one exam; whatever names a candidate who is not there is left out by itself
    Candidate(Candidate),
    /// A candidate does something, so long after the start of the exam
    Act { candidate: u8, at_ms: u64, act: Act },
    /// Something happens to a candidate's line or device, so long after they joined
    Line { candidate: u8, at_ms: u64, trouble: Trouble },
    /// A proctor or a detector does something, so long after the start of the exam
    Deed { candidate: u8, at_ms: u64, deed: Deed },
    /// Something breaks on our side or at the platform, so long after the beginning of the run
    Fault { at_ms: u64, fault: Fault },
}

/// A candidate and their habits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    pub no: u8,
    pub join_ms: u64,
    /// How wrong the device's clock is
    pub skew_ms: i64,
    /// Accommodation
    pub extra_min: u8,
    /// How long a warning stands before the page reports it on screen; none for a page that never does
    pub displays_after_ms: Option<u64>,
    /// How long a warning stands before it is acknowledged; none for never
    pub acknowledges_after_ms: Option<u64>,
    /// The page says when nothing is left on it
    pub drains: bool,
    /// The proctor asks for the photos once more
    pub asked_again: bool,
    /// Gives the right answer to whatever is answered
    pub knows: bool,
}

/// What a candidate does in the exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    Answer {
        question: u16,
        shown: Vec<u8>,
    },
    Flag {
        question: u16,
        on: bool,
    },
    LeavePage {
        for_ms: u64,
    },
    LeaveFullScreen {
        for_ms: u64,
    },
    /// A device goes off, and the on-screen attempt to restore it fails or not
    CameraOff {
        for_ms: u64,
        restore_fails: bool,
    },
    Prompt {
        for_ms: u64,
    },
    Call,
    Say,
    /// Asks for a break, and comes back so long after it was granted; or goes on without it after so long
    Break {
        away_ms: u64,
        waits_ms: Option<u64>,
    },
    HandIn,
    /// The line is gone when the shown deadline is near, and something is answered meanwhile
    OfflineAtEnd {
        for_ms: u64,
    },
}

/// What happens between a candidate and the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// The line breaks; what is under way still arrives, after the next connection is up perhaps, or not
    Cut { offline_ms: u64, arrives: bool },
    /// Nothing comes through, and neither side is told
    HalfOpen { for_ms: u64 },
    /// Frames take so long
    Slow { for_ms: u64, delay_ms: u64 },
    /// The page sends everything it has not heard of once more
    SendTwice,
    /// The page is loaded anew
    Reload { for_ms: u64 },
    /// The link is opened in a second tab
    SecondTab { for_ms: u64 },
    /// The link is opened on a second device
    SecondDevice { for_ms: u64 },
    /// The picture does not reach us
    PictureLost { for_ms: u64 },
}

/// What staff or a detector do in the exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    Pause {
        for_ms: u64,
    },
    Credit {
        secs: u32,
    },
    Extend {
        secs: u32,
    },
    /// `safety`, `technical`, `candidate_request`, `impersonation`
    End {
        why: String,
    },
    /// A violation seen by a proctor that began so long ago; two proctors may mark the same
    Record {
        code: String,
        ago_ms: u64,
        both: bool,
    },
    /// A detector claims something
    Detect {
        code: String,
        confidence_pct: u8,
    },
    Say,
    /// The clocks of everybody are stopped, such as for a fire alarm
    StopAll {
        for_ms: u64,
    },
    /// Face and document once more
    Recheck {
        stop: bool,
    },
    /// A gesture at a time nobody foresees
    Gesture {
        after_ms: u64,
    },
    /// The recorder begins a piece of evidence, and finishes it or not
    Evidence {
        for_ms: u64,
        finished: bool,
    },
}

/// What breaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// An append fails, and nothing is stored
    AppendFails,
    /// An append is stored, and answered as a failure
    AppendUnknown,
    /// Appends find no room
    DiskFull {
        for_ms: u64,
    },
    /// Appends take that long
    SlowAppends {
        for_ms: u64,
        each_ms: u64,
    },
    /// Appends wait before they store anything
    HeldAppends {
        for_ms: u64,
    },
    /// An append is stored, and its answer waits
    HeldAnswer {
        for_ms: u64,
    },
    /// Another process takes the store over; this one goes on for a while without knowing
    TakeOver {
        overlap_ms: u64,
    },
    /// The process is gone, whatever it was doing; the next one's wall clock may differ
    Crash {
        down_ms: u64,
        step_ms: i64,
    },
    /// The process is gone while an append waits, before anything of it is stored
    CrashInAppend {
        down_ms: u64,
    },
    /// The process is gone after a commit, before anybody heard of it
    CrashAfterCommit {
        down_ms: u64,
    },
    /// The process is told to stop
    Stop {
        down_ms: u64,
    },
    /// Nothing can be read from the log
    LoadsFail {
        for_ms: u64,
    },
    /// The store cannot be taken over
    StartsFail {
        for_ms: u64,
    },
    /// Time marks are not written
    MarksFail {
        for_ms: u64,
    },
    /// Programmes, banks and names cannot be read
    SourceFails {
        for_ms: u64,
    },
    /// Each session takes so long to be read: after a fall some are asked for before they are there
    SlowLoads {
        for_ms: u64,
        each_ms: u64,
    },
    /// Due messages cannot be claimed
    ClaimsFail {
        for_ms: u64,
    },
    /// The end of a delivery is not written
    SettlesFail {
        for_ms: u64,
    },
    /// The clock goes forward at once, as the port allows
    ClockJump {
        by_ms: u64,
    },
    PlatformDown {
        for_ms: u64,
    },
    PlatformSlow {
        for_ms: u64,
        each_ms: u64,
    },
    /// It answers without a valid receipt
    PlatformLies {
        for_ms: u64,
    },
    /// It keeps the message, and its answer is lost
    PlatformForgets {
        for_ms: u64,
    },
    /// It refuses for good
    PlatformRefuses {
        for_ms: u64,
    },
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        draw::plan(seed)
    }

    /// Every candidate in it.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.items.iter().filter_map(|item| match item {
            Item::Candidate(candidate) => Some(candidate),
            _ => None,
        })
    }

    /// Every fault in it.
    pub fn faults(&self) -> impl Iterator<Item = (u64, &Fault)> {
        self.items.iter().filter_map(|item| match item {
            Item::Fault { at_ms, fault } => Some((*at_ms, fault)),
            _ => None,
        })
    }

    /// The process's wall clock is not its predecessor's, or jumps.
    #[must_use]
    pub fn steps_clocks(&self) -> bool {
        self.faults().any(|(_, fault)| match fault {
            Fault::Crash { step_ms, .. } => *step_ms != 0,
            Fault::ClockJump { .. } => true,
            _ => false,
        })
    }

    /// Marks may be older than a second when a process goes.
    #[must_use]
    pub fn loses_marks(&self) -> bool {
        self.faults().any(|(_, fault)| matches!(fault, Fault::MarksFail { .. }))
    }
}

/// As it is called in plans and reports.
#[must_use]
pub fn name_of(what: &impl Serialize) -> String {
    let value = serde_json::to_value(what).expect("plans are plain JSON");
    let name = ["fault", "trouble", "deed", "act"].iter().find_map(|tag| value.get(tag)?.as_str());
    name.unwrap_or("?").to_owned()
}

/// How long a fault lasts at most, what comes of it included.
#[must_use]
pub(crate) const fn lasts_ms(fault: &Fault) -> u64 {
    match fault {
        Fault::DiskFull { for_ms }
        | Fault::SlowAppends { for_ms, .. }
        | Fault::HeldAppends { for_ms }
        | Fault::HeldAnswer { for_ms }
        | Fault::LoadsFail { for_ms }
        | Fault::StartsFail { for_ms }
        | Fault::MarksFail { for_ms }
        | Fault::SourceFails { for_ms }
        | Fault::SlowLoads { for_ms, .. }
        | Fault::ClaimsFail { for_ms }
        | Fault::SettlesFail { for_ms }
        | Fault::PlatformDown { for_ms }
        | Fault::PlatformSlow { for_ms, .. }
        | Fault::PlatformLies { for_ms }
        | Fault::PlatformForgets { for_ms }
        | Fault::PlatformRefuses { for_ms } => *for_ms,
        Fault::TakeOver { overlap_ms } => *overlap_ms,
        Fault::Crash { down_ms, .. }
        | Fault::CrashInAppend { down_ms }
        | Fault::CrashAfterCommit { down_ms }
        | Fault::Stop { down_ms } => *down_ms,
        Fault::ClockJump { by_ms } => *by_ms,
        Fault::AppendFails | Fault::AppendUnknown => 0,
    }
}

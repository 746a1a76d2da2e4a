//! What detectors say.

/// A plain condition that a detector can see or hear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Condition {
    /// Almost no light reaches the camera
    Dark,
    /// Something even lies before the lens
    Covered,
    /// The same picture again and again: no sensor is that quiet
    Frozen,
    /// The camera suddenly shows something else
    Changed,
    /// No frontal face is visible
    NoFace,
    /// More than one face is visible
    SeveralFaces,
    /// The face is at the edge, or much larger or smaller than at admission
    OffCentre,
    /// A sound well above the room's own; whose it is a machine cannot say
    Sound,
    /// Pictures come, and the sender's clock stands still
    ClockFrozen,
    /// The sender's clock runs at another rate than time
    ClockRate,
    /// The sender's clock leapt while pictures came
    ClockJump,
    /// A stretch of pictures came before, byte for byte
    Replayed,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 12] = [
        Self::Dark,
        Self::Covered,
        Self::Frozen,
        Self::Changed,
        Self::NoFace,
        Self::SeveralFaces,
        Self::OffCentre,
        Self::Sound,
        Self::ClockFrozen,
        Self::ClockRate,
        Self::ClockJump,
        Self::Replayed,
    ];

    /// Its name in records, tables and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "camera_dark",
            Self::Covered => "camera_covered",
            Self::Frozen => "camera_frozen",
            Self::Changed => "camera_changed",
            Self::NoFace => "no_face",
            Self::SeveralFaces => "several_faces",
            Self::OffCentre => "face_off_centre",
            Self::Sound => "sound_heard",
            Self::ClockFrozen => "clock_frozen",
            Self::ClockRate => "clock_rate",
            Self::ClockJump => "clock_jump",
            Self::Replayed => "stream_replayed",
        }
    }
}

/// Why a detector could not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Too little light to find a face
    TooDark,
    /// Too much light to find a face
    TooBright,
    /// Nothing in the picture is sharp
    Blurred,
    /// Smaller than any face that could be found in it
    TooSmall,
    /// Nothing yet to compare with
    NoBaseline,
    /// Too few pictures came
    TooFew,
    /// No detector of this kind is installed
    NotInstalled,
}

impl Why {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::Blurred => "blurred",
            Self::TooSmall => "too_small",
            Self::NoBaseline => "no_baseline",
            Self::TooFew => "too_few",
            Self::NotInstalled => "not_installed",
        }
    }
}

/// Whether a condition is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is there
    Present,
    /// It is not there
    Absent,
    /// The picture does not allow an answer
    CouldNotTell(Why),
}

/// One detector's answer about one picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reading {
    /// About what
    pub condition: Condition,
    /// The answer
    pub verdict: Verdict,
    /// What was measured, in the detector's own unit
    pub score: f32,
    /// What it was compared with, in the same unit
    pub threshold: f32,
}

/// Where in its course a condition is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Present long enough to be claimed
    Begin,
    /// Still present
    Seen,
    /// Absent long enough to be over
    End,
}

/// Something to tell the session, with what a person needs to judge it.
#[derive(Clone, PartialEq, Debug)]
pub struct Claim {
    /// What
    pub condition: Condition,
    /// Where in its course
    pub phase: Phase,
    /// When the condition was first seen (`Begin`), or last decided upon; milliseconds on the caller's clock
    pub at_ms: i64,
    /// What was measured
    pub score: f32,
    /// What it was compared with
    pub threshold: f32,
    /// 0 ..= 100
    pub confidence_pct: u8,
    /// Number of the picture it was seen in; none for sound
    pub picture: Option<u64>,
    /// Pictures in a row, with this one, that showed it
    pub shown: u32,
    /// Pictures among them that allowed no answer
    pub could_not_tell: u32,
    /// Which detector
    pub detector: &'static str,
    /// Its version
    pub version: &'static str,
}

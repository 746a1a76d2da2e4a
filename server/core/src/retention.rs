//! How long evidence is kept, and what stops the clock. The law sets the appeal (LAW-41, D-05, D-06) and asks that
//! personal data go when their purpose is reached (Law 94-V); the periods themselves are ours (domain.md 11, "Data").

use crate::calendar::Calendar;
use crate::time::{At, Span};
use std::fmt;
use std::str::FromStr;

/// D-06: a registered appeal is considered within 5 working days; it is registered on its last day at the latest.
const APPEAL_IN_ALL_WORKING_DAYS: u16 = 10;
/// Where the calendar does not reach: ten working days fit into it in every year so far, holidays included.
const APPEAL_IN_ALL_FALLBACK: Span = Span::mins(30 * DAY_MINUTES);
const DAY_MINUTES: i64 = 24 * 60;

/// Shortest period an installation may set, days: below it an appeal could meet nothing but its own answer.
pub const MIN_DAYS: u16 = 30;
/// Longest, days: ten years.
pub const MAX_DAYS: u16 = 3_650;
/// Unless set otherwise: an appeal in all its days (one month with holidays), then the three months within which a court
/// is gone to (domain.md 9.5).
pub const USUAL_DAYS: u16 = 120;

/// Kinds of evidence that are kept and erased together. The event log and the sealed record are no such kind: they are
/// kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DataClass {
    /// Webcam, microphone, screen, clips, pieces kept by the candidate's browser
    Recordings,
    /// Single pictures taken during the exam
    Stills,
    /// Face and document
    Photos,
}

impl DataClass {
    /// All of them, in the order of their keys.
    pub const ALL: [Self; 3] = [Self::Recordings, Self::Stills, Self::Photos];

    /// As stored and as shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Stills => "stills",
            Self::Photos => "photos",
        }
    }

    /// Which of a session's keys it is under.
    #[must_use]
    pub const fn share(self) -> usize {
        match self {
            Self::Recordings => 0,
            Self::Stills => 1,
            Self::Photos => 2,
        }
    }

    /// By the name of a piece of evidence. What nobody named otherwise is a recording.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let begins = |kinds: &[&str]| kinds.iter().any(|kind| name.starts_with(kind));
        if begins(&["face-", "document-"]) {
            Self::Photos
        } else if begins(&["stills-", "line-still-"]) {
            Self::Stills
        } else {
            Self::Recordings
        }
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no such class of data")]
pub struct NoSuchClass;

impl FromStr for DataClass {
    type Err = NoSuchClass;

    fn from_str(text: &str) -> Result<Self, NoSuchClass> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or(NoSuchClass)
    }
}

/// Days each class is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Of recordings
    pub recordings_days: u16,
    /// Of stills
    pub stills_days: u16,
    /// Of photos
    pub photos_days: u16,
}

impl Default for Terms {
    fn default() -> Self {
        Self { recordings_days: USUAL_DAYS, stills_days: USUAL_DAYS, photos_days: USUAL_DAYS }
    }
}

impl Terms {
    /// Of one class.
    #[must_use]
    pub const fn days(&self, class: DataClass) -> u16 {
        match class {
            DataClass::Recordings => self.recordings_days,
            DataClass::Stills => self.stills_days,
            DataClass::Photos => self.photos_days,
        }
    }

    /// The rule by which a class goes, as it is written down: `recordings_days=120`.
    #[must_use]
    pub fn rule(&self, class: DataClass) -> String {
        format!("{class}_days={}", self.days(class))
    }

    /// The shortest of them: a session younger than that needs no look.
    #[must_use]
    pub fn shortest(&self) -> u16 {
        self.recordings_days.min(self.stills_days).min(self.photos_days)
    }
}

/// What a session's evidence depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Somebody holds it
    pub held: bool,
    /// The exam was begun
    pub started: bool,
    /// When its sitting closed
    pub closes_at: At,
    /// When the exam ended
    pub finished_at: Option<At>,
    /// When the commission decided
    pub decided_at: Option<At>,
}

/// Whether a class may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// No: somebody holds it
    Held,
    /// No: nobody has decided yet, so that the time for an appeal has not begun
    Undecided,
    /// Not before this moment
    Until(At),
    /// Since this moment
    Due(At),
}

/// Counted from the end of the exam (or of the sitting, for whoever never began), never before an appeal could be filed
/// and considered.
#[must_use]
pub fn verdict(
    class: DataClass,
    terms: &Terms,
    standing: &Standing,
    calendar: &Calendar,
    now: At,
) -> Verdict {
    if standing.held {
        return Verdict::Held;
    }
    let ended = standing.finished_at.unwrap_or(standing.closes_at);
    let kept = ended + Span::mins(i64::from(terms.days(class)) * DAY_MINUTES);
    let due = match standing.decided_at {
        Some(decided) => kept.max(appeal_over(decided, calendar)),
        None if standing.started => return Verdict::Undecided,
        None => kept,
    };
    if now < due { Verdict::Until(due) } else { Verdict::Due(due) }
}

fn appeal_over(decided: At, calendar: &Calendar) -> At {
    calendar.working_deadline(decided, APPEAL_IN_ALL_WORKING_DAYS).unwrap_or(decided + APPEAL_IN_ALL_FALLBACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    /// Monday 14 December 2026, noon at +05:00
    const MONDAY: At = At(1_797_231_600_000);

    fn standing() -> Standing {
        let at = Some(MONDAY);
        Standing { held: false, started: true, closes_at: MONDAY, finished_at: at, decided_at: at }
    }

    fn of(terms: &Terms, standing: &Standing, after_days: i64) -> Verdict {
        let now = At(MONDAY.0 + after_days * DAY);
        verdict(DataClass::Recordings, terms, standing, &Calendar::kazakhstan(), now)
    }

    #[test]
    fn a_class_goes_after_its_days_and_not_a_moment_earlier() {
        let due = At(MONDAY.0 + 120 * DAY);
        assert_eq!(of(&Terms::default(), &standing(), 119), Verdict::Until(due));
        assert_eq!(of(&Terms::default(), &standing(), 120), Verdict::Due(due));
    }

    #[test]
    fn nothing_goes_before_an_appeal_could_be_filed_and_considered() {
        let late = Standing { decided_at: Some(At(MONDAY.0 + 115 * DAY)), ..standing() };
        let Verdict::Until(due) = of(&Terms::default(), &late, 121) else { panic!("the appeal is open") };
        // 8 April 2027 is a Thursday; ten working days later it is the 22nd.
        assert_eq!(crate::calendar::legal_date(due).unwrap().to_string(), "2027-04-22");
        // Beyond the calendar a month stands in.
        let year = 400 * DAY;
        let far = Standing {
            finished_at: Some(At(MONDAY.0 + year)),
            decided_at: Some(At(MONDAY.0 + year + 119 * DAY)),
            ..standing()
        };
        let due = At(MONDAY.0 + year + 149 * DAY);
        assert_eq!(of(&Terms::default(), &far, 530), Verdict::Until(due));
    }

    #[test]
    fn a_hold_and_a_missing_decision_stop_everything() {
        let held = Standing { held: true, ..standing() };
        assert_eq!(of(&Terms::default(), &held, 9_999), Verdict::Held);
        let undecided = Standing { decided_at: None, ..standing() };
        assert_eq!(of(&Terms::default(), &undecided, 9_999), Verdict::Undecided);
        let never_began = Standing { started: false, finished_at: None, decided_at: None, ..standing() };
        assert_eq!(of(&Terms::default(), &never_began, 120), Verdict::Due(At(MONDAY.0 + 120 * DAY)));
    }

    #[test]
    fn every_piece_of_evidence_has_its_class() {
        for (name, class) in [
            ("webcam-0001.webm", DataClass::Recordings),
            ("screen-0001.webm", DataClass::Recordings),
            ("clip-0003.webm", DataClass::Recordings),
            ("local-0001.webm", DataClass::Recordings),
            ("stills-0001", DataClass::Stills),
            ("line-still-0001", DataClass::Stills),
            ("face-1", DataClass::Photos),
            ("document-2", DataClass::Photos),
        ] {
            assert_eq!(DataClass::of(name), class, "{name}");
            assert_eq!(class.as_str().parse(), Ok(class));
            assert_eq!(DataClass::ALL[class.share()], class);
        }
    }
}

//! Legal dates: working days at +05:00 with the days off kept as data (F-34 to F-36, Q-27).

mod kazakhstan;

pub use ::time::Date;

use crate::time::At;
use ::time::{Duration, OffsetDateTime, Time, UtcOffset, Weekday};
use std::collections::{BTreeMap, BTreeSet};

/// LAW-41: an appeal is filed within 5 working days from being informed of the result.
pub const APPEAL_WORKING_DAYS: u16 = 5;
/// D-06, LAW-42: the centre considers an appeal within 5 working days from its registration.
pub const APPEAL_CONSIDERED_WORKING_DAYS: u16 = 5;
/// D-03: the commission decides within 3 working days.
pub const DECISION_WORKING_DAYS: u16 = 3;
/// D-02, Q-10: ten full working days lie between the notice and the exam.
pub const NOTICE_WORKING_DAYS: u16 = 10;
/// D-09: a voucher is valid for 45 calendar days, counted from the day after its issue.
pub const VOUCHER_CALENDAR_DAYS: u16 = 45;

/// Why a date cannot be computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarError {
    /// The Government announces each year's days off; guessing one would shift a legal deadline
    #[error("the working-day calendar does not cover {0}; add that year's days off")]
    YearNotCovered(i32),
    /// Beyond what dates can say
    #[error("the date lies outside the calendar's range")]
    OutOfRange,
}

/// Days off and worked weekends, year by year.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    years: BTreeMap<i32, Year>,
}

/// One year's exceptions from the five-day week.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Year {
    /// Days off that fall on Monday to Friday
    pub days_off: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked instead of another day
    pub worked: BTreeSet<Date>,
}

impl Calendar {
    /// A calendar out of years, such as an operator's own.
    #[must_use]
    pub fn new(years: BTreeMap<i32, Year>) -> Self {
        Self { years }
    }

    /// Kazakhstan 2024 to 2027; 2027 is a projection until the Government announces its swaps.
    #[must_use]
    pub fn kazakhstan() -> Self {
        Self::new(kazakhstan::years())
    }

    /// Whether work is done on that day.
    pub fn is_working_day(&self, date: Date) -> Result<bool, CalendarError> {
        let year = self.years.get(&date.year()).ok_or(CalendarError::YearNotCovered(date.year()))?;
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(if weekend { year.worked.contains(&date) } else { !year.days_off.contains(&date) })
    }

    /// The `count`-th working day after `from`: counting starts with the next day.
    pub fn add_working_days(&self, from: Date, count: u16) -> Result<Date, CalendarError> {
        let mut date = from;
        for _ in 0..count {
            date = self.next_working_day(date)?;
        }
        Ok(date)
    }

    fn next_working_day(&self, after: Date) -> Result<Date, CalendarError> {
        let mut date = after;
        loop {
            date = date.next_day().ok_or(CalendarError::OutOfRange)?;
            if self.is_working_day(date)? {
                return Ok(date);
            }
        }
    }

    /// LAW-41: the last instant at which an appeal is in time; electronic filing is open until midnight.
    pub fn appeal_deadline(&self, informed_at: At) -> Result<At, CalendarError> {
        let informed = legal_date(informed_at)?;
        Ok(end_of_day(self.add_working_days(informed, APPEAL_WORKING_DAYS)?))
    }

    /// The end of the `count`-th working day after that of an instant.
    pub fn working_deadline(&self, from: At, count: u16) -> Result<At, CalendarError> {
        Ok(end_of_day(self.add_working_days(legal_date(from)?, count)?))
    }

    /// D-03: the last instant at which the commission decides in time.
    pub fn decision_deadline(&self, exam_ended_at: At) -> Result<At, CalendarError> {
        let ended = legal_date(exam_ended_at)?;
        Ok(end_of_day(self.add_working_days(ended, DECISION_WORKING_DAYS)?))
    }

    /// the earliest exam day after a notice, ten full working days in between.
    pub fn earliest_exam(&self, notice_sent: Date) -> Result<Date, CalendarError> {
        self.next_working_day(self.add_working_days(notice_sent, NOTICE_WORKING_DAYS)?)
    }
}

/// D-09, Q-07: a voucher's last day, prolonged by documented days of incapacity.
pub fn voucher_last_day(issued: Date, incapacity_days: u16) -> Result<Date, CalendarError> {
    let days = i64::from(VOUCHER_CALENDAR_DAYS) + i64::from(incapacity_days);
    issued.checked_add(Duration::days(days)).ok_or(CalendarError::OutOfRange)
}

/// F-36: one offset for all of Kazakhstan; old time-zone data would give +6 for Almaty.
fn legal_offset() -> UtcOffset {
    UtcOffset::from_hms(5, 0, 0).expect("+05:00 is a valid offset")
}

/// The legal date of an instant.
pub fn legal_date(at: At) -> Result<Date, CalendarError> {
    let instant = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000)
        .map_err(|_| CalendarError::OutOfRange)?;
    let local = instant.checked_to_offset(legal_offset()).ok_or(CalendarError::OutOfRange)?;
    Ok(local.date())
}

/// The last millisecond of a legal date.
#[must_use]
pub fn end_of_day(date: Date) -> At {
    let midnight = date.with_time(Time::MIDNIGHT).assume_offset(legal_offset());
    At(midnight.unix_timestamp() * 1_000 + 86_400_000 - 1)
}

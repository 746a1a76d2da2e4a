//! Days off in Kazakhstan that fall on working weekdays, and worked weekends (F-34, F-35).

use super::Year;
use ::time::{Date, Month};
use std::collections::BTreeMap;

type Days = &'static [(u8, &'static [u8])];

/// Year, (month, days off), (month, worked weekend days).
const YEARS: &[(i32, Days, Days)] = &[
    (
        2024,
        &[
            (1, &[1, 2]),
            (3, &[8, 21, 22, 25]),
            (5, &[1, 7, 8, 9]),
            (7, &[8]),
            (8, &[30]),
            (10, &[25]),
            (12, &[16]),
        ],
        &[(5, &[4])],
    ),
    (
        2025,
        &[
            (1, &[1, 2, 3, 7]),
            (3, &[10, 21, 24, 25]),
            (5, &[1, 7, 9]),
            // Kurban Ait
            (6, &[6]),
            (7, &[7]),
            (9, &[1]),
            (10, &[27]),
            (12, &[16]),
        ],
        &[(1, &[5])],
    ),
    (
        2026,
        &[
            (1, &[1, 2, 7]),
            (3, &[9, 23, 24, 25]),
            // 27 May: Kurban Ait. 30 August is no holiday any more (F-35).
            (5, &[1, 7, 11, 27]),
            (7, &[6]),
            (10, &[26]),
            (12, &[16]),
        ],
        &[],
    ),
    (
        2027,
        &[
            (1, &[1, 4, 7]),
            // 15 March: Constitution Day (F-35)
            (3, &[8, 15, 22, 23, 24]),
            (5, &[3, 7, 10]),
            (7, &[6]),
            (10, &[25]),
            (12, &[16]),
        ],
        &[],
    ),
];

pub(super) fn years() -> BTreeMap<i32, Year> {
    YEARS
        .iter()
        .map(|(year, off, worked)| {
            let dates = |days: Days| {
                days.iter()
                    .flat_map(|(month, days)| days.iter().map(|day| date(*year, *month, *day)))
                    .collect()
            };
            (*year, Year { days_off: dates(off), worked: dates(worked) })
        })
        .collect()
}

fn date(year: i32, month: u8, day: u8) -> Date {
    let month = Month::try_from(month).expect("the table's months are 1 to 12");
    Date::from_calendar_date(year, month, day).expect("the table's days exist")
}

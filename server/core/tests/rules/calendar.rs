use synaq_core::calendar::{Calendar, CalendarError, Date, end_of_day, legal_date, voucher_last_day};
use synaq_core::time::At;

fn date(text: &str) -> Date {
    legal_date(format!("{text}T12:00:00+05:00").parse::<At>().unwrap()).unwrap()
}

fn noon(text: &str) -> At {
    format!("{text}T12:00:00+05:00").parse().unwrap()
}

#[test]
fn appeals_are_in_time_for_five_working_days() {
    let calendar = Calendar::kazakhstan();
    for (informed, last) in [("2026-12-14", "2026-12-22"), ("2027-03-12", "2027-03-25")] {
        let wanted: At = format!("{last}T23:59:59.999+05:00").parse().unwrap();
        assert_eq!(calendar.appeal_deadline(noon(informed)), Ok(wanted));
    }
}

#[test]
fn the_commission_has_three_working_days() {
    let wanted = end_of_day(date("2026-10-29"));
    assert_eq!(Calendar::kazakhstan().decision_deadline(noon("2026-10-23")), Ok(wanted));
}

#[test]
fn ten_full_working_days_lie_between_notice_and_exam() {
    let calendar = Calendar::kazakhstan();
    assert_eq!(calendar.add_working_days(date("2026-12-21"), 10), Ok(date("2027-01-06")));
    assert_eq!(calendar.earliest_exam(date("2026-12-21")), Ok(date("2027-01-08")));
    assert_eq!(calendar.add_working_days(date("2026-03-17"), 10), Ok(date("2026-04-03")));
}

#[test]
fn vouchers_last_forty_five_calendar_days_and_the_days_of_illness() {
    assert_eq!(voucher_last_day(date("2026-11-03"), 0), Ok(date("2026-12-18")));
    assert_eq!(voucher_last_day(date("2026-11-03"), 6), Ok(date("2026-12-24")));
}

#[test]
fn swapped_and_abolished_holidays_are_known() {
    let calendar = Calendar::kazakhstan();
    for (day, works) in [
        ("2024-05-04", true),
        ("2024-05-08", false),
        ("2024-08-30", false),
        ("2025-01-05", true),
        ("2025-01-03", false),
        ("2026-08-31", true),
        ("2027-03-15", false),
        ("2026-11-21", false),
    ] {
        assert_eq!(calendar.is_working_day(date(day)), Ok(works), "{day}");
    }
}

#[test]
fn a_year_without_data_is_an_error_and_no_guess() {
    let calendar = Calendar::kazakhstan();
    assert_eq!(calendar.appeal_deadline(noon("2027-12-29")), Err(CalendarError::YearNotCovered(2028)));
}

#[test]
fn legal_dates_are_those_of_plus_five() {
    assert_eq!(legal_date("2026-11-20T19:00:00Z".parse().unwrap()), Ok(date("2026-11-21")));
    assert_eq!(legal_date("2026-11-20T18:59:59.999Z".parse().unwrap()), Ok(date("2026-11-20")));
    assert_eq!(legal_date(At(i64::MAX)), Err(CalendarError::OutOfRange));
}

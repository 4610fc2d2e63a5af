//! Working hours in a time zone: what "outside working hours" means.
//!
//! In: minutes of the day, days of the week and a zone of the tz database. Out: whether an instant lies inside.

use super::policy::Policy;
use super::time::Micros;
use chrono::{DateTime, Datelike as _, Timelike as _, Weekday};

/// The days of the week as the configuration writes them, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Tells whether a text names a zone: one of the tz database, such as `Europe/Berlin`, or `UTC`.
#[must_use]
pub fn is_zone(text: &str) -> bool {
    text.parse::<chrono_tz::Tz>().is_ok()
}

/// Reads a time of the day written as `07:30` as minutes; `24:00` ends a day.
#[must_use]
pub fn parse_minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= 24 * 60).then_some(all)
}

/// Writes minutes of the day as `07:30`.
#[must_use]
pub fn minute_text(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Tells whether an instant lies outside the working hours of the policy, daylight saving followed.
#[must_use]
pub fn outside(policy: &Policy, time: Micros) -> bool {
    let zone = policy.time_zone.parse::<chrono_tz::Tz>().unwrap_or(chrono_tz::UTC);
    let Some(local) = DateTime::from_timestamp_micros(time).map(|t| t.with_timezone(&zone)) else {
        return false;
    };
    let minute = i64::from(local.hour() * 60 + local.minute());
    let (from, to) = (policy.work_from_minute, policy.work_to_minute);
    let works = |day: Weekday| policy.work_days >> day.num_days_from_monday() & 1 == 1;
    let inside = if from < to {
        works(local.weekday()) && (from..to).contains(&minute)
    } else {
        // A night shift belongs to the day on which it begins.
        works(local.weekday()) && minute >= from || works(local.weekday().pred()) && minute < to
    };
    !inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_time;

    #[test]
    fn hours_follow_the_zone_its_daylight_saving_and_the_week() {
        let at = |text: &str| parse_time(text).expect("a time");
        let default = Policy::default();
        assert!(
            outside(&default, at("2026-01-10T05:59:59Z")) && !outside(&default, at("2026-01-10T06:00:00Z"))
        );
        assert!(outside(&default, at("2026-01-10T20:00:00Z")));
        let berlin = Policy {
            time_zone: "Europe/Berlin".into(),
            work_from_minute: 8 * 60,
            work_to_minute: 18 * 60,
            work_days: 0b1_1111,
            ..Policy::default()
        };
        assert!(outside(&berlin, at("2026-01-12T06:30:00Z")), "07:30 in winter");
        assert!(!outside(&berlin, at("2026-07-13T06:30:00Z")), "08:30 in summer");
        assert!(outside(&berlin, at("2026-07-12T10:00:00Z")), "a Sunday");
        let night = Policy { work_from_minute: 22 * 60, work_to_minute: 6 * 60, ..berlin };
        assert!(!outside(&night, at("2026-07-11T01:00:00Z")), "Friday's shift ends on Saturday");
        assert!(outside(&night, at("2026-07-12T01:00:00Z")) && outside(&night, at("2026-07-13T01:00:00Z")));
    }

    #[test]
    fn times_of_the_day_are_read_strictly() {
        assert_eq!(parse_minute("07:30"), Some(450));
        assert_eq!(parse_minute("24:00"), Some(1440));
        for bad in ["7:30", "07.30", "24:01", "07:60", "", "0730", "+7:30"] {
            assert_eq!(parse_minute(bad), None, "{bad}");
        }
        assert_eq!(minute_text(450), "07:30");
        assert!(is_zone("Europe/Berlin") && is_zone("UTC") && !is_zone("Berlin"));
    }
}

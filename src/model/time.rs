//! Instants and days: text in any of the shapes that audit files use, microseconds since 1970 UTC out.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Microseconds since 1970-01-01T00:00:00 UTC.
pub type Micros = i64;

/// Microseconds in a second.
pub const SECOND: Micros = 1_000_000;
/// Microseconds in an hour.
pub const HOUR: Micros = 3_600 * SECOND;
/// Microseconds in a day.
pub const DAY: Micros = 24 * HOUR;

/// Days since 1970-01-01, in UTC.
pub type Day = i32;

/// Returns the UTC day that holds `time`.
#[must_use]
pub fn day_of(time: Micros) -> Day {
    i32::try_from(time.div_euclid(DAY)).unwrap_or(if time < 0 { i32::MIN } else { i32::MAX })
}

/// Returns the first instant of `day`.
#[must_use]
pub fn day_start(day: Day) -> Micros {
    i64::from(day) * DAY
}

/// Returns `day` as `YYYY-MM-DD`.
#[must_use]
pub fn day_text(day: Day) -> String {
    format_time(day_start(day))[..10].to_owned()
}

/// Reads `YYYY-MM-DD`.
#[must_use]
pub fn parse_day(text: &str) -> Option<Day> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let start = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros();
    YEARS.contains(&start).then(|| day_of(start))
}

/// Writes RFC 3339 in UTC; fractions appear only where there are any.
#[must_use]
pub fn format_time(time: Micros) -> String {
    DateTime::<Utc>::from_timestamp_micros(time)
        .map_or_else(|| time.to_string(), |t| t.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Instants of the years 1 to 9999 in UTC, which four digits can write: what lies beyond has no form that SQL, RFC 3339 and
/// the names of folders share.
pub const YEARS: std::ops::Range<Micros> = -719_162 * DAY..2_932_897 * DAY;

/// No zone on Earth is farther from UTC than 14 hours, in minutes; the parsers of other formats allow 18.
const FARTHEST: i64 = 18 * 60;

/// Reads an instant as the service writes it into the data of its events: as [`parse_iso_time`] does, or in the American
/// form (`9/4/2026 10:16:38 PM`), which the service uses whatever the language of its users.
#[must_use]
pub fn parse_time(text: &str) -> Option<Micros> {
    parse_iso_time(text).or_else(|| parse_american(text.trim())).filter(|time| YEARS.contains(time))
}

/// Reads an instant in a form that leaves no doubt about the order of day and month.
///
/// Nothing outside of the years 1 to 9999 in UTC is one, nor is one with an offset of more than 18 hours.
///
/// Takes RFC 3339 with any number of fraction digits and any zone, the same without a zone (UTC by
/// contract), a blank in place of `T`, and a bare date. Digits past the microsecond are cut, never rounded, so that copies
/// of an event from a finer and a coarser source cannot end up on two days.
#[must_use]
pub fn parse_iso_time(text: &str) -> Option<Micros> {
    let text = text.trim();
    parse_iso(text.as_bytes()).or_else(|| parse_other(text)).filter(|time| YEARS.contains(time))
}

/// The fast path: `YYYY-MM-DDTHH:MM:SS[.fff][Z|+hh:mm]`, nearly every record of a large file.
fn parse_iso(b: &[u8]) -> Option<Micros> {
    if b.len() < 19 || b[4] != b'-' || b[7] != b'-' || !matches!(b[10], b'T' | b't' | b' ') {
        return None;
    }
    if b[13] != b':' || b[16] != b':' {
        return None;
    }
    let two = |i: usize| -> Option<i64> {
        let (hi, lo) = (b[i].wrapping_sub(b'0'), b[i + 1].wrapping_sub(b'0'));
        (hi < 10 && lo < 10).then(|| i64::from(hi) * 10 + i64::from(lo))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )?;
    let days = i64::from(date.to_epoch_days());
    let mut at = 19;
    let mut micros = 0_i64;
    if at < b.len() && matches!(b[at], b'.' | b',') {
        at += 1;
        let start = at;
        while at < b.len() && b[at].is_ascii_digit() {
            if at - start < 6 {
                micros = micros * 10 + i64::from(b[at] - b'0');
            }
            at += 1;
        }
        for _ in (at - start).min(6)..6 {
            micros *= 10;
        }
    }
    let offset = match &b[at..] {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let mut digits = [0; 4];
            let mut n = 0;
            for digit in rest.iter().filter(|c| **c != b':').map(|c| c.wrapping_sub(b'0')) {
                *digits.get_mut(n).filter(|_| digit < 10)? = i64::from(digit);
                n += 1;
            }
            if n < digits.len() {
                return None;
            }
            if digits[2] > 5 {
                return None;
            }
            let minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3];
            if minutes > FARTHEST {
                return None;
            }
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60;
    Some(seconds * SECOND + micros)
}

fn parse_other(text: &str) -> Option<Micros> {
    if let Some(day) = parse_day(text) {
        return Some(day_start(day));
    }
    let near =
        |t: &DateTime<chrono::FixedOffset>| i64::from(t.offset().local_minus_utc()).abs() <= FARTHEST * 60;
    DateTime::parse_from_rfc3339(text).ok().filter(near).map(|t| t.timestamp_micros())
}

fn parse_american(text: &str) -> Option<Micros> {
    ["%m/%d/%Y, %I:%M:%S%.f %p", "%m/%d/%Y %I:%M:%S%.f %p", "%m/%d/%Y %H:%M:%S%.f"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc().timestamp_micros())
}

/// A half-open span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// First instant inside.
    pub from: Micros,
    /// First instant after.
    pub to: Micros,
}

impl Span {
    /// Tells whether `time` lies inside.
    #[must_use]
    pub const fn contains(&self, time: Micros) -> bool {
        self.from <= time && time < self.to
    }

    /// Tells whether the two spans share an instant.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// The parts of the span that none of `holes` touches, in order.
    #[must_use]
    pub fn without(&self, holes: &[Self]) -> Vec<Self> {
        let mut holes: Vec<Self> = holes.iter().copied().filter(|hole| hole.overlaps(self)).collect();
        holes.sort();
        let mut parts = Vec::new();
        let mut at = self.from;
        for hole in holes {
            if at < hole.from {
                parts.push(Self { from: at, to: hole.from });
            }
            at = at.max(hole.to);
        }
        if at < self.to {
            parts.push(Self { from: at, to: self.to });
        }
        parts
    }
}

/// The window of a run: `days` whole UTC days ending with the day of `as_of`; nothing after `as_of` exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Midnight at which the window starts.
    pub from: Micros,
    /// The instant the run stands at; later events do not exist to it.
    pub as_of: Micros,
    /// Length in UTC days.
    pub days: i32,
}

impl Window {
    /// Builds the window of `days` days that ends with the day of `as_of`.
    #[must_use]
    pub fn ending(as_of: Micros, days: i32) -> Self {
        Self { from: day_start(day_of(as_of) - days + 1), as_of, days }
    }

    /// First day inside.
    #[must_use]
    pub fn first_day(&self) -> Day {
        day_of(self.from)
    }

    /// The day of `as_of`.
    #[must_use]
    pub fn last_day(&self) -> Day {
        day_of(self.as_of)
    }

    /// Tells whether an event at `time` belongs to the window.
    #[must_use]
    pub const fn contains(&self, time: Micros) -> bool {
        self.from <= time && time <= self.as_of
    }
}

/// Returns an instant to the minute, as people read it: `2026-10-25 09:30 UTC`.
#[must_use]
pub fn format_minute(time: Micros) -> String {
    format!("{} UTC", format_time(time).get(..16).unwrap_or_default().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_written_form() {
        let expected = parse_time("2022-06-20T00:43:35.737Z").expect("plain");
        for text in [
            "2022-06-20T00:43:35.7370000Z",
            "2022-06-20T00:43:35.7370000+00:00",
            "2022-06-20T02:43:35.737+02:00",
            "2022-06-20 00:43:35.737",
            " 2022-06-20T00:43:35.737 ",
        ] {
            assert_eq!(parse_iso_time(text), Some(expected), "{text}");
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        let american = "6/20/2022, 12:43:35.737 AM";
        assert_eq!((parse_time(american), parse_iso_time(american)), (Some(expected), None));
        assert_eq!(format_time(expected), "2022-06-20T00:43:35.737Z");
        for text in [
            "",
            "yesterday",
            "2022-13-01T00:00:00Z",
            "2022-06-20T00:43:35X",
            "2022-06-20T00:43:35+1",
            "2022-06-20T00:43:35+00:000",
            "2022-06-20T00:43:35+0a:00",
            "2022-06-20T00:43:35-99:00",
            "2022-06-20T00:43:35+18:01",
            "2022-06-20T00:43:35+02:60",
            "9999-12-31T23:59:59-01:00",
            "0001-01-01T00:00:00+01:00",
            "0000-06-01T00:00:00Z",
            "0000-06-01",
            "10000-01-01",
            "+10000-01-01",
            "-0001-01-01",
            "1/1/10000 10:00:00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_instant_are_read() {
        for text in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2022-06-20T12:00:00Z"] {
            assert_eq!(parse_time(text).map(format_time).as_deref(), Some(text));
        }
        assert_eq!(parse_day("0001-01-01").map(day_text).as_deref(), Some("0001-01-01"));
        assert!(parse_time("9999-12-31T23:59:59+18:00").is_some());
    }

    #[test]
    fn cuts_rather_than_rounds() {
        let fine = parse_time("2022-06-20T23:59:59.9999999Z").expect("seven digits");
        assert_eq!(day_text(day_of(fine)), "2022-06-20");
    }

    #[test]
    fn a_window_counts_its_last_day() {
        let as_of = parse_time("2026-03-31T10:00:00Z").expect("time");
        let window = Window::ending(as_of, 90);
        assert_eq!(format_time(window.from), "2026-01-01T00:00:00Z");
        assert_eq!(window.last_day() - window.first_day() + 1, 90);
    }
}

//! Text that stands for an instant in, what it can mean out: programs write dates in the order of their user's country.
//!
//! ISO 8601 leaves no doubt, and neither does a date with dots, which is day first. `05/01/2026` is 5 January or 1 May. What
//! decides is the whole file: a date that has only one reading, or the instant inside the id of an event.

use crate::model::time::{DAY, Micros, YEARS, parse_iso_time};
use chrono::NaiveDate;

/// How far a date that was written in a local zone may be from the instant in UTC.
const NEAR: Micros = 2 * DAY;

/// The order of day and month in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Order {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// What a text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing that can be read.
    None,
    /// One instant, written in a form that has one order only.
    At(Micros),
    /// One instant, which shows the order that the file is written in.
    Shows(Order, Micros),
    /// One of two instants.
    Either(Either),
}

/// A date with two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct Either {
    /// The instant, if the day comes first.
    pub day_first: Micros,
    /// The instant, if the month comes first.
    pub month_first: Micros,
    /// Whether it has the form of the English portal and of no program that writes the day first: `1/5/2026, 9:12:33 AM`.
    pub portal: bool,
}

impl Either {
    /// Returns the instant in an order.
    pub(in crate::source) const fn in_order(self, order: Order) -> Micros {
        match order {
            Order::DayFirst => self.day_first,
            Order::MonthFirst => self.month_first,
        }
    }

    /// Returns the order in which the date is that of `instant`; nothing where neither is or both are.
    pub(super) fn order_by(self, instant: Micros) -> Option<Order> {
        let near = |time: Micros| (time - instant).abs() <= NEAR;
        match (near(self.day_first), near(self.month_first)) {
            (true, false) => Some(Order::DayFirst),
            (false, true) => Some(Order::MonthFirst),
            _ => None,
        }
    }
}

/// What the dates of a file show about their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::source) struct Evidence {
    /// Dates that are day first.
    pub day_first: u64,
    /// Dates that are month first.
    pub month_first: u64,
    /// Dates with two readings that do not have the form of the English portal.
    pub foreign: u64,
    /// Dates with two readings that do.
    pub portal: u64,
}

impl Evidence {
    /// Notes a date that shows its order.
    pub(super) const fn shows(&mut self, order: Order) {
        match order {
            Order::DayFirst => self.day_first += 1,
            Order::MonthFirst => self.month_first += 1,
        }
    }

    /// Notes a date with two readings.
    pub(super) const fn doubts(&mut self, either: Either) {
        if either.portal {
            self.portal += 1;
        } else {
            self.foreign += 1;
        }
    }

    /// Counts dates with two readings.
    pub(super) const fn undecided(&self) -> u64 {
        self.foreign + self.portal
    }

    /// Adds what another part of the file shows.
    pub(in crate::source) const fn add(&mut self, other: Self) {
        self.day_first += other.day_first;
        self.month_first += other.month_first;
        self.foreign += other.foreign;
        self.portal += other.portal;
    }

    /// Returns the order of the file, where its dates agree on one.
    pub(in crate::source) const fn order(&self) -> Option<Order> {
        match (self.day_first, self.month_first) {
            (1.., 0) => Some(Order::DayFirst),
            (0, 1..) => Some(Order::MonthFirst),
            (0, 0) if self.is_assumed() => Some(Order::MonthFirst),
            _ => None,
        }
    }

    /// Returns true if the order follows from the form of the dates alone.
    pub(in crate::source) const fn is_assumed(&self) -> bool {
        self.day_first == 0 && self.month_first == 0 && self.foreign == 0 && self.portal > 0
    }
}

/// Reads a text.
pub(super) fn meaning(text: &str) -> Meaning {
    if text.is_empty() {
        return Meaning::None;
    }
    match parse_iso_time(text).or_else(|| of_serialiser(text)) {
        Some(time) => Meaning::At(time),
        None => local(text).unwrap_or(Meaning::None),
    }
}

/// Reads the form of older .NET serialisers, `/Date(1655685815737)/`.
fn of_serialiser(text: &str) -> Option<Micros> {
    let inner = text.trim().strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.get(1..).and_then(|rest| rest.find(['+', '-'])).map_or(inner.len(), |i| i + 1);
    inner.get(..end)?.parse::<i64>().ok()?.checked_mul(1000).filter(|time| YEARS.contains(time))
}

/// Reads a date and a time as a program writes them for people: `19/12/2025, 08:49:37.587`, `12/19/2025 8:49 AM +00:00`,
/// `19.12.2025 08:49`, `2025/12/19`.
fn local(text: &str) -> Option<Meaning> {
    let text = text.trim();
    let mut rest = text;
    let (a, a_digits) = number(&mut rest, 4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '/' | '.' | '-'))?;
    rest = &rest[1..];
    let (b, b_digits) = number(&mut rest, 2)?;
    rest = rest.strip_prefix(separator)?;
    let (c, c_digits) = number(&mut rest, 4)?;
    let comma = rest.starts_with(',');
    rest = rest.strip_prefix(',').unwrap_or(rest);
    let spaced = rest.trim_start_matches(is_blank);
    // A time stands apart from its date.
    if spaced.len() == rest.len() && !comma && !rest.is_empty() {
        rest = rest.strip_prefix('T')?;
    } else {
        rest = spaced;
    }
    let (time, marker) = if rest.is_empty() { (0, "") } else { clock(&mut rest)? };
    let offset = zone(rest)?;
    let at = |year: u32, month: u32, day: u32| {
        let days = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.to_epoch_days();
        let time = i64::from(days) * DAY + time - offset;
        YEARS.contains(&time).then_some(time)
    };
    if a_digits == 4 && b_digits <= 2 && c_digits <= 2 {
        return at(a, b, c).map(Meaning::At);
    }
    if a_digits > 2 || b_digits > 2 || c_digits != 4 {
        return None;
    }
    if separator == '.' {
        return at(c, b, a).map(Meaning::At);
    }
    // The English portal writes no leading zeros; programs that put the day first do.
    let padded = (a_digits == 2 && a < 10) || (b_digits == 2 && b < 10);
    let portal = separator == '/' && comma && !padded && matches!(marker, "AM" | "PM");
    match (at(c, b, a), at(c, a, b)) {
        (Some(time), Some(same)) if time == same => Some(Meaning::At(time)),
        (Some(day_first), Some(month_first)) => {
            Some(Meaning::Either(Either { day_first, month_first, portal }))
        }
        (Some(time), None) => Some(Meaning::Shows(Order::DayFirst, time)),
        (None, Some(time)) => Some(Meaning::Shows(Order::MonthFirst, time)),
        (None, None) => None,
    }
}

/// Blanks, also those that browsers put before AM.
const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{202f}' | '\u{2009}')
}

/// Takes a number of at most so many digits; returns it and how many there were.
fn number(rest: &mut &str, most: usize) -> Option<(u32, usize)> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest.get(..digits).filter(|_| (1..=most).contains(&digits))?.parse().ok()?;
    *rest = &rest[digits..];
    Some((number, digits))
}

/// Takes a time of day, with or without seconds; returns it in microseconds, and its marker of the half of the day.
fn clock<'t>(rest: &mut &'t str) -> Option<(Micros, &'t str)> {
    let (mut hour, _) = number(rest, 2)?;
    let separator = rest.chars().next().filter(|c| matches!(c, ':' | '.'))?;
    *rest = &rest[1..];
    let (minute, _) = number(rest, 2).filter(|(_, digits)| *digits == 2)?;
    let (mut second, mut micros) = (0, 0);
    if let Some(more) = rest.strip_prefix(separator) {
        *rest = more;
        second = number(rest, 2).filter(|(_, digits)| *digits == 2)?.0;
        if let Some(more) = rest.strip_prefix(['.', ',']) {
            let digits = more.bytes().take_while(u8::is_ascii_digit).count();
            // Digits past the microsecond are cut, as everywhere.
            let kept = more.get(..digits.min(6)).filter(|kept| !kept.is_empty())?;
            micros = kept.parse::<i64>().ok()? * 10_i64.pow(6 - u32::try_from(kept.len()).ok()?);
            *rest = &more[digits..];
        }
    }
    *rest = rest.trim_start_matches(is_blank);
    let marker = half(rest);
    if let Some((text, afternoon)) = marker {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
        *rest = rest[text.len()..].trim_start_matches(is_blank);
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    Some((seconds * 1_000_000 + micros, marker.map_or("", |(text, _)| text)))
}

/// The marker of the half of the day that a text starts with, and whether it is the second half.
fn half(text: &str) -> Option<(&str, bool)> {
    ["am", "pm", "a.m.", "p.m.", "a. m.", "p. m."].into_iter().find_map(|marker| {
        let found = text.get(..marker.len()).filter(|found| found.eq_ignore_ascii_case(marker))?;
        Some((found, marker.starts_with('p')))
    })
}

/// Reads what may follow a time: nothing, UTC, or an offset; returns the offset.
fn zone(rest: &str) -> Option<Micros> {
    let rest = rest.trim();
    if rest.is_empty() || ["z", "utc", "gmt"].iter().any(|zone| zone.eq_ignore_ascii_case(rest)) {
        return Some(0);
    }
    // The reader of ISO times knows every offset and its bounds.
    let zero = parse_iso_time("2000-01-01T00:00:00Z")?;
    let starts = rest.starts_with(['+', '-']);
    let moved = parse_iso_time(&format!("2000-01-01T00:00:00{rest}")).filter(|_| starts)?;
    Some(zero - moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::format_time;

    fn shown(text: &str) -> String {
        match meaning(text) {
            Meaning::None => "none".to_owned(),
            Meaning::At(time) => format_time(time),
            Meaning::Shows(Order::DayFirst, time) => format!("day first {}", format_time(time)),
            Meaning::Shows(Order::MonthFirst, time) => format!("month first {}", format_time(time)),
            Meaning::Either(e) => format!(
                "{} or {}{}",
                format_time(e.day_first),
                format_time(e.month_first),
                if e.portal { ", portal" } else { "" }
            ),
        }
    }

    #[test]
    fn dates_as_programs_write_them() {
        for (text, expected) in [
            ("2025-12-19T08:49:37.587Z", "2025-12-19T08:49:37.587Z"),
            ("/Date(1655685815737)/", "2022-06-20T00:43:35.737Z"),
            ("/Date(1655685815737+0200)/", "2022-06-20T00:43:35.737Z"),
            ("19/12/2025 08:49:37", "day first 2025-12-19T08:49:37Z"),
            ("19/12/2025, 08:49:37.587", "day first 2025-12-19T08:49:37.587Z"),
            ("12/19/2025 8:49 PM", "month first 2025-12-19T20:49:00Z"),
            ("12/19/2025, 12:00:00.5\u{202f}AM", "month first 2025-12-19T00:00:00.500Z"),
            ("05/01/2026 09:10:11", "2026-01-05T09:10:11Z or 2026-05-01T09:10:11Z"),
            ("1/5/2026, 9:10:11.123 AM", "2026-05-01T09:10:11.123Z or 2026-01-05T09:10:11.123Z, portal"),
            ("5/1/2026, 9:10:11 am", "2026-01-05T09:10:11Z or 2026-05-01T09:10:11Z"),
            ("05/01/2026, 9:10:11 AM", "2026-01-05T09:10:11Z or 2026-05-01T09:10:11Z"),
            ("5/01/2026, 9:10:11 AM", "2026-01-05T09:10:11Z or 2026-05-01T09:10:11Z"),
            ("05/1/2026, 9:10:11 AM", "2026-01-05T09:10:11Z or 2026-05-01T09:10:11Z"),
            ("10/5/2026, 9:10:11 AM", "2026-05-10T09:10:11Z or 2026-10-05T09:10:11Z, portal"),
            ("05/05/2026 09:10", "2026-05-05T09:10:00Z"),
            ("05.01.2026 09:10:11", "2026-01-05T09:10:11Z"),
            ("05.01.2026, 09.10.11", "2026-01-05T09:10:11Z"),
            ("05-01-2026", "2026-01-05T00:00:00Z or 2026-05-01T00:00:00Z"),
            ("2026/01/05 9:10", "2026-01-05T09:10:00Z"),
            ("2026-01-05 09:10", "2026-01-05T09:10:00Z"),
            ("19/12/2025 08:49:37 +01:00", "day first 2025-12-19T07:49:37Z"),
            ("19/12/2025 08:49:37 UTC", "day first 2025-12-19T08:49:37Z"),
            ("05.13.2026", "none"),
            ("31/31/2026", "none"),
            ("05/01/26 09:10", "none"),
            ("05/01/2026 25:10", "none"),
            ("05/01/2026 13:10 PM", "none"),
            ("05/01/2026 09:10 CET", "none"),
            ("05/01/2026x", "none"),
            ("05/01", "none"),
            ("soon", "none"),
            ("", "none"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn the_instant_of_the_id_decides() {
        let Meaning::Either(either) = meaning("05/01/2026 23:10:11") else { panic!("two readings") };
        let time = |text: &str| parse_iso_time(text).expect("time");
        assert_eq!(either.order_by(time("2026-01-06T00:10:11Z")), Some(Order::DayFirst));
        assert_eq!(either.order_by(time("2026-05-01T22:10:11Z")), Some(Order::MonthFirst));
        assert_eq!(either.order_by(time("2026-03-01T00:00:00Z")), None);
    }

    #[test]
    fn a_file_has_one_order_or_none() {
        let either = |portal| Either { day_first: 0, month_first: 1, portal };
        let mut evidence = Evidence::default();
        assert_eq!(evidence.order(), None);
        evidence.doubts(either(true));
        assert_eq!((evidence.order(), evidence.is_assumed()), (Some(Order::MonthFirst), true));
        let mut mixed = evidence;
        mixed.doubts(either(false));
        assert_eq!((mixed.order(), mixed.is_assumed()), (None, false));
        evidence.shows(Order::DayFirst);
        assert_eq!((evidence.order(), evidence.is_assumed()), (Some(Order::DayFirst), false));
        evidence.shows(Order::MonthFirst);
        assert_eq!(evidence.order(), None);
    }
}

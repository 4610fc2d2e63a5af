//! Instants and lengths of time as they are typed.
//!
//! In: the name of an option and its text. Out: an instant, a number of days, or an error that shows what is accepted. All
//! times are UTC unless they name an offset. The formats of the audit log are read elsewhere: a record is not typed by hand.

use super::error::CliError;
use crate::model::time::{DAY, Micros, day_of, day_start, parse_day, parse_iso_time};

/// Longest span that can be asked for, in days: ten years, longer than Azure DevOps keeps audit logs.
const MAX_DAYS: i64 = 3650;

/// What a bare day stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// Its first instant.
    Start,
    /// Its last instant.
    Last,
    /// The first instant after it.
    After,
}

/// Reads an instant: a day, a time to the minute or finer, or RFC 3339.
pub(super) fn instant(option: &str, text: &str, bare: Bare) -> Result<Micros, CliError> {
    parse(text, bare).ok_or_else(|| {
        CliError::new(format!("invalid time \"{text}\" for {option}"))
            .hint("write it as 2026-03-31 (a day), \"2026-03-31 05:00\" (UTC) or 2026-03-31T05:00:00Z")
    })
}

/// The same without an error.
pub(super) fn parse(text: &str, bare: Bare) -> Option<Micros> {
    let text = text.trim();
    if let Some(day) = parse_day(text) {
        return Some(match bare {
            Bare::Start => day_start(day),
            Bare::Last => day_start(day) + DAY - 1,
            Bare::After => day_start(day) + DAY,
        });
    }
    parse_iso_time(text).or_else(|| parse_iso_time(&with_seconds(text)?))
}

/// `2026-03-31 05:00` and `2026-03-31T05:00+02:00` with `:00` in the place of the seconds that they lack.
fn with_seconds(text: &str) -> Option<String> {
    let (minute, rest) = text.split_at_checked(16)?;
    let is_minute = minute.as_bytes().get(13) == Some(&b':') && !rest.starts_with([':', '.', ',']);
    is_minute.then(|| format!("{minute}:00{rest}"))
}

/// Reads a number of days: `90d`, `90` or `13w`.
pub(super) fn days(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let (number, length) = match text.strip_suffix('w') {
        Some(weeks) => (weeks, 7),
        None => (text.strip_suffix('d').unwrap_or(&text), 1),
    };
    let days = number.trim_end().parse::<i64>().ok()?.checked_mul(length)?;
    (1..=MAX_DAYS).contains(&days).then_some(days)
}

/// Reads where a span that ends at `end` begins: a number of days before it, or an instant.
pub(super) fn start(option: &str, text: &str, end: Micros) -> Result<Micros, CliError> {
    let start = days(text).map(|days| end - days * DAY).or_else(|| parse(text, Bare::Start));
    start
        .filter(|start| *start < end && end - start <= MAX_DAYS * DAY)
        .ok_or_else(|| wrong_span(option, text))
}

/// Reads the length of a window that ends with the day of `as_of`, in days: a length, or its first day.
pub(super) fn window(option: &str, text: &str, as_of: Micros) -> Result<i32, CliError> {
    let since = || parse(text, Bare::Start).map(|from| i64::from(day_of(as_of) - day_of(from)) + 1);
    let days = days(text).or_else(since).filter(|days| (1..=MAX_DAYS).contains(days));
    days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| wrong_span(option, text))
}

fn wrong_span(option: &str, text: &str) -> CliError {
    CliError::new(format!("invalid value \"{text}\" for {option}"))
        .hint(format!("write it as 90d, 13w or 2026-03-31 (a day before the end), from 1 to {MAX_DAYS} days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        parse_iso_time(text).expect("a time")
    }

    #[test]
    fn an_instant_may_be_a_day_or_lack_its_seconds() {
        let five = at("2026-10-31T05:00:00Z");
        for text in
            ["2026-10-31 05:00", "2026-10-31T05:00Z", "2026-10-31T07:00+02:00", " 2026-10-31 05:00:00 "]
        {
            assert_eq!(parse(text, Bare::Last), Some(five), "{text}");
        }
        let midnight = at("2026-10-31T00:00:00Z");
        let bare = |bare| parse("2026-10-31", bare).expect("a day");
        assert_eq!(
            [bare(Bare::Start), bare(Bare::Last), bare(Bare::After)],
            [midnight, midnight + DAY - 1, midnight + DAY]
        );
        for text in [
            "",
            "05:00",
            "2026-10-31 5",
            "2026-10-31 05:61",
            "2026-10-31 05:00:",
            "31.10.2026 noon",
            "äöüäöüäöüäöüäöü05",
        ] {
            let error = instant("--as-of", text, Bare::Last).expect_err(text).render();
            assert!(error.contains("for --as-of") && error.contains("hint: write it as"), "{error}");
        }
    }

    #[test]
    fn a_span_is_a_length_or_a_first_day() {
        assert_eq!(
            (days("90d"), days("13w"), days("7"), days("2W")),
            (Some(90), Some(91), Some(7), Some(14))
        );
        assert_eq!(
            (days("0d"), days("-1d"), days("999w"), days("d"), days("9999999999999999999w")),
            (None, None, None, None, None)
        );
        let end = at("2026-10-31T12:00:00Z");
        assert_eq!(start("--since", "2026-08-20", end).ok(), Some(at("2026-08-20")));
        assert_eq!(start("--since", "2w", end).ok(), Some(end - 14 * DAY));
        assert_eq!(window("--window", "13w", end).ok(), Some(91));
        assert_eq!(window("--window", "2026-10-30", end).ok(), Some(2));
        for text in ["soon", "0d", "2026-11-01", "1999-01-01"] {
            assert!(start("--since", text, end).is_err() && window("--window", text, end).is_err(), "{text}");
        }
    }
}

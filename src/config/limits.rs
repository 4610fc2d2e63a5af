//! `[limits]`: how much time and memory a query or a detection of the user may take.
//!
//! In: texts such as `5m` and `4GB`, of the file or of the command line. Out: [`Limits`].

use std::time::Duration;

/// Time that an ad hoc query, or a detection of `--queries`, may take. The whole compiled-in pack takes 15 s on a lake
/// of 36 million events; a single query that takes twenty times as long does not end by itself.
pub const TIME: Duration = Duration::from_secs(300);

/// Memory that it may take, in bytes, tables included: twice what the compiled-in pack takes on that lake.
pub const MEMORY: u64 = 4_000_000_000;

/// Limits that somebody set; what nobody set has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time.
    pub time: Option<Duration>,
    /// Memory in bytes.
    pub memory: Option<u64>,
}

/// Reads a length of time: `500ms`, `90s`, `5m`, `2h`, up to a day.
///
/// # Errors
/// What is expected.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    number_of(text, &UNITS).filter(|ms| (1..=86_400_000).contains(ms)).map(Duration::from_millis).ok_or_else(
        || format!("invalid time \"{text}\": expected a number with a unit such as 90s, 5m or 2h, up to 24h"),
    )
}

/// Reads a size of memory: `512MB`, `4GB`, from 50 MB on.
///
/// # Errors
/// What is expected.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] =
        [("MB", 1_000_000), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    number_of(text, &UNITS).filter(|bytes| *bytes >= 50_000_000).ok_or_else(|| {
        format!("invalid size \"{text}\": expected a number with a unit such as 512MB or 4GB, from 50MB on")
    })
}

/// A whole number and its unit, in the smallest of the units.
fn number_of(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Writes a length of time as [`parse_time`] reads it.
#[must_use]
pub fn time_text(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

/// Writes a size as [`parse_memory`] reads it, in whole megabytes or gigabytes.
#[must_use]
pub fn memory_text(bytes: u64) -> String {
    if bytes.is_multiple_of(1_000_000_000) {
        format!("{}GB", bytes / 1_000_000_000)
    } else {
        format!("{}MB", bytes / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_with_their_unit() {
        for (text, ms) in [("500ms", 500), ("90s", 90_000), ("5m", 300_000), (" 2 h ", 7_200_000)] {
            assert_eq!(parse_time(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for (text, bytes) in [("512MB", 512_000_000), ("4gb", 4_000_000_000), ("1GiB", 1 << 30)] {
            assert_eq!(parse_memory(text), Ok(bytes), "{text}");
        }
        for text in ["", "5", "m", "0s", "-1s", "1.5h", "25h", "5 days", "99999999999999999999s"] {
            assert!(
                parse_time(text).is_err_and(|e| e.contains(&format!("\"{text}\"")) && e.contains("5m")),
                "{text}"
            );
        }
        for text in ["", "4", "1MB", "GB", "4TB", "-4GB"] {
            assert!(parse_memory(text).is_err_and(|e| e.contains("4GB")), "{text}");
        }
        assert_eq!([time_text(TIME), time_text(Duration::from_millis(1_500))], ["5m", "1500ms"]);
        assert_eq!([memory_text(MEMORY), memory_text(512_000_000)], ["4GB", "512MB"]);
    }
}

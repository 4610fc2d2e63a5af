//! Numbers as charts write and scale them. In: counts. Out: words, pixels and axis steps.

/// Adds up without overflow; a wrong file must not stop a report.
pub fn total(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

/// Writes `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number in at most four characters: `999`, `1.2k`, `12k`, `1.2M`; rounded down.
#[must_use]
pub fn compact(number: u64) -> String {
    let mut unit = 1_u64;
    let mut name = "";
    for next in ["k", "M", "G", "T", "P", "E"] {
        if number / unit < 1000 {
            break;
        }
        unit *= 1000;
        name = next;
    }
    let whole = number / unit;
    let tenth = number % unit / (unit / 10).max(1);
    if unit > 1 && whole < 10 && tenth > 0 {
        format!("{whole}.{tenth}{name}")
    } else {
        format!("{whole}{name}")
    }
}

/// Writes a number whole up to `whole`, shortened above, for places of fixed width.
#[must_use]
pub fn short(number: u64, whole: u64) -> String {
    if number <= whole { thousands(number) } else { compact(number) }
}

/// Writes a share as whole percent; never 0 % for something and never 100 % for less than all.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".into();
    }
    if part >= whole {
        return "100 %".into();
    }
    let share = (part as f64 * 100.0 / whole as f64).round();
    if share < 1.0 {
        "<1 %".into()
    } else if share > 99.0 {
        ">99 %".into()
    } else {
        format!("{share:.0} %")
    }
}

/// Writes `1 token` or `2 tokens`.
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// Chooses a verb's form.
#[must_use]
pub const fn pick<'a>(number: u64, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

/// Scales `part` of `whole` to pixels; anything above nothing shows.
#[must_use]
pub fn scale(part: u64, whole: u64, pixels: i32) -> i32 {
    if part == 0 || whole == 0 {
        return 0;
    }
    ((part as f64 / whole as f64 * f64::from(pixels)).round() as i32).clamp(3.min(pixels), pixels)
}

/// Chooses about `about` round steps from nothing up to at least `most`.
#[must_use]
pub fn steps(most: u64, about: u64) -> Vec<u64> {
    let most = most.clamp(1, u64::MAX / 4);
    let raw = most.div_ceil(about.max(1)).max(1);
    let mut unit = 1_u64;
    while unit.saturating_mul(10) <= raw {
        unit *= 10;
    }
    let step = [1, 2, 5, 10].iter().map(|m| unit.saturating_mul(*m)).find(|s| *s >= raw).unwrap_or(raw);
    let count = most.div_ceil(step);
    (0..=count).map(|i| i.saturating_mul(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_for_people() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
        assert_eq!(
            [999, 1000, 1234, 12_345, 999_999, 1_200_000].map(compact),
            ["999", "1k", "1.2k", "12k", "999k", "1.2M"]
        );
        assert_eq!(compact(u64::MAX), "18E");
        assert_eq!(percent(1, 1000), "<1 %");
        assert_eq!(percent(999, 1000), ">99 %");
        assert_eq!(percent(1, 3), "33 %");
    }

    #[test]
    fn steps_are_round_and_reach_the_top() {
        assert_eq!(steps(87, 4), [0, 50, 100]);
        assert_eq!(steps(3, 4), [0, 1, 2, 3]);
        assert_eq!(steps(0, 4), [0, 1]);
        assert!(steps(u64::MAX, 4).len() < 8);
    }

    #[test]
    fn small_counts_stay_visible() {
        assert_eq!(scale(1, 1_000_000, 500), 3);
        assert_eq!(scale(0, 10, 500), 0);
        assert_eq!(scale(u64::MAX, 1, 500), 500);
    }
}

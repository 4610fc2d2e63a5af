//! The days in which a review takes its decisions.
//!
//! In: text such as `2026-10-01..` or `2026-10-01..2026-12-31`. Out: a [`Period`].

use super::time::{Day, day_text, parse_day};

/// A span of days, open to the future where it has no last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
}

impl Period {
    /// Reads `2026-10-01..` and `2026-10-01..2026-12-31`; nothing where the text is neither, or ends before it begins.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let day = |text: &str| (text.len() == 10).then(|| parse_day(text)).flatten();
        let (from, to) = text.trim().split_once("..")?;
        let from = day(from.trim())?;
        let to = match to.trim() {
            "" => None,
            to => Some(day(to)?),
        };
        to.is_none_or(|to| from <= to).then_some(Self { from, to })
    }

    /// Returns true if the day is in the period.
    #[must_use]
    pub fn contains(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Returns the period as the end of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self.to {
            None => format!("since {}", day_text(self.from)),
            Some(to) => format!("from {} to {}", day_text(self.from), day_text(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_a_first_day_and_may_have_a_last() {
        let open = Period::parse("2026-10-01..").expect("a period");
        let first = parse_day("2026-10-01").expect("a day");
        assert!(open.contains(first) && open.contains(first + 1000) && !open.contains(first - 1));
        assert_eq!(open.words(), "since 2026-10-01");
        let closed = Period::parse(" 2026-10-01 .. 2026-12-31 ").expect("a period");
        assert!(closed.contains(first + 91) && !closed.contains(first + 92));
        assert_eq!(closed.words(), "from 2026-10-01 to 2026-12-31");
        for bad in
            ["", "..", "2026-10-01", "..2026-10-01", "2026-10-02..2026-10-01", "2026-10-01..x", "1.10.2026.."]
        {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
    }
}

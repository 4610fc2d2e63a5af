//! For which spans the lake holds an organisation's log, and how that is known.

use super::time::{Day, Micros, Span};

text_enum! {
    /// How it is known that a span is held.
    Basis {
        /// Windows that `pull` finished.
        Pulled = "pulled",
        /// `import --covers`.
        Declared = "declared",
        /// First to last event of files; a filtered export looks whole.
        Inferred = "inferred",
        /// More than one of these.
        Mixed = "mixed",
    }
}

/// A span inside the coverage for which the log is missing or suspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The span.
    pub span: Span,
    /// Why, in words.
    pub reason: String,
}

/// What the lake holds of one organisation inside the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Organisation.
    pub org: String,
    /// First to last instant held, cut to the window.
    pub span: Span,
    /// How that is known.
    pub basis: Basis,
    /// Gaps, in time order.
    pub gaps: Vec<Gap>,
    /// Whole UTC days held without a gap, in order.
    pub covered: Vec<Day>,
    /// How many areas occur; under three, a filtered export is likely.
    pub areas: u32,
    /// Events in the window.
    pub events: u64,
}

impl Coverage {
    /// Counts covered days that lie wholly inside `life`.
    #[must_use]
    pub fn covered_days_within(&self, from: Option<Micros>, to: Option<Micros>) -> u32 {
        let inside = |day: &&Day| {
            let start = super::time::day_start(**day);
            from.is_none_or(|from| from <= start) && to.is_none_or(|to| start + super::time::DAY <= to)
        };
        u32::try_from(self.covered.iter().filter(inside).count()).unwrap_or(u32::MAX)
    }
}

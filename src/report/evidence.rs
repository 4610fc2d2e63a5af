//! What a run had to judge each organisation by: lists, users, usage records and days of the log.
//!
//! In: what the run read. Out: one [`Evidence`] an organisation, which the manifest keeps, so that a later run can say of
//! each difference whether both sides could have seen it.

use crate::model::coverage::Coverage;
use crate::model::time::{Day, Micros, Span, day_of, day_start, day_text, parse_day, parse_time};
use serde::{Deserialize, Serialize};

/// The evidence on one organisation. A manifest without a field leaves it unknown, which reads as "none".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Organisation.
    pub org: String,
    /// When the list of its tokens was taken.
    pub inventory_taken: Option<String>,
    /// Whether that list is complete.
    pub inventory_complete: bool,
    /// Users whose tokens were listed.
    pub users_listed: u64,
    /// People of the user lists.
    pub users: u64,
    /// Those of them whose state is known.
    pub user_states: u64,
    /// Those of them whose last access is known.
    pub last_access: u64,
    /// People with usage records.
    pub usage_users: u64,
    /// Days of which the usage records are there, first and last of each stretch.
    pub usage_days: Vec<[String; 2]>,
    /// Days of the window that are covered without a gap, first and last of each stretch.
    pub covered: Vec<[String; 2]>,
    /// First day of the log.
    pub log_from: Option<String>,
    /// Events of each day from then on.
    pub log_events: Vec<u64>,
}

impl Evidence {
    /// Writes down the days of the log, as (day, events).
    pub fn set_log(&mut self, mut days: Vec<(Day, u64)>) {
        days.sort_unstable();
        let Some(first) = days.first().map(|(day, _)| *day) else { return };
        self.log_from = Some(day_text(first));
        for (day, events) in days {
            let at = usize::try_from(day - first).unwrap_or_default();
            self.log_events.resize(self.log_events.len().max(at + 1), 0);
            self.log_events[at] += events;
        }
    }

    /// Writes down the days without a gap.
    pub fn set_covered(&mut self, coverage: &Coverage) {
        self.covered = stretches(coverage.covered.iter().copied());
    }

    /// Writes down the days that lie completely in spans of usage records.
    pub fn set_usage(&mut self, spans: &[Span]) {
        let mut days: Vec<Day> = spans.iter().flat_map(|span| complete_days(*span)).collect();
        days.sort_unstable();
        days.dedup();
        self.usage_days = stretches(days.into_iter());
    }

    /// The instant of the list.
    #[must_use]
    pub fn taken(&self) -> Option<Micros> {
        self.inventory_taken.as_deref().and_then(parse_time)
    }

    /// Events of each day of the log that has any.
    pub fn log(&self) -> impl Iterator<Item = (Day, u64)> {
        let first = self.log_from.as_deref().and_then(parse_day);
        let counted = first.into_iter().flat_map(|first| (first..).zip(self.log_events.iter().copied()));
        counted.filter(|(_, events)| *events > 0)
    }
}

/// Complete days of a span, at most ten years of them: a record with a wrong date spans centuries.
fn complete_days(span: Span) -> std::ops::Range<Day> {
    let first = day_of(span.from) + i32::from(day_start(day_of(span.from)) < span.from);
    first..day_of(span.to).clamp(first, first + 3660)
}

/// Sorted days as stretches, each by its first and last day.
fn stretches(days: impl Iterator<Item = Day>) -> Vec<[String; 2]> {
    let mut out: Vec<(Day, Day)> = Vec::new();
    for day in days {
        match out.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => out.push((day, day)),
        }
    }
    out.into_iter().map(|(first, last)| [day_text(first), day_text(last)]).collect()
}

/// The days of stretches.
pub fn days(stretches: &[[String; 2]]) -> impl Iterator<Item = Day> {
    stretches.iter().filter_map(|[first, last]| Some(parse_day(first)?..=parse_day(last)?)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY;

    #[test]
    fn days_come_back_as_they_were_written_down() {
        let mut evidence = Evidence::default();
        evidence.set_log(vec![(12, 3), (10, 1), (12, 2)]);
        assert_eq!(evidence.log_events, [1, 0, 5]);
        assert_eq!(evidence.log().collect::<Vec<_>>(), [(10, 1), (12, 5)]);
        let span = |from: i64, to: i64| Span { from, to };
        evidence.set_usage(&[span(DAY - 1, 4 * DAY), span(3 * DAY, 5 * DAY + 1), span(9 * DAY, 10 * DAY)]);
        assert_eq!(days(&evidence.usage_days).collect::<Vec<_>>(), [1, 2, 3, 4, 9]);
        let text = serde_json::to_string(&evidence).expect("JSON");
        assert_eq!(serde_json::from_str::<Evidence>(&text).expect("JSON"), evidence);
        assert_eq!(serde_json::from_str::<Evidence>("{}").expect("JSON"), Evidence::default());
    }
}

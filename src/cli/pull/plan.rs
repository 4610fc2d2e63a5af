//! What to ask for: the spans that the lake does not hold whole yet, cut into days.

use crate::cli::error::CliError;
use crate::cli::instants::{Bare, instant, start};
use crate::lake::index::Cover;
use crate::model::coverage::Basis;
use crate::model::time::{DAY, HOUR, Micros, Span};
use crate::source::azure_devops::audit::{DayWindow, day_windows};

/// What is asked for around each window: whether its ends are inclusive is not documented.
const OVERLAP: Micros = 5 * 60 * 1_000_000;

/// What is asked for again at the end of what an earlier run holds. Events arrive late (streams ship every half hour,
/// the latency of queries is not documented), and the clocks of machine and service differ.
const SETTLING: Micros = 6 * HOUR;

/// What the service keeps. Source: facts, section 1.
const KEPT_DAYS: i64 = 90;

/// The span of a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// What is wanted.
    pub span: Span,
    /// Before this the service has deleted what it had, so that nothing from before can be called whole.
    pub oldest: Micros,
    /// The machine's clock.
    pub now: Micros,
    /// Whether the end was set to a time before now.
    pub past: bool,
}

impl Plan {
    /// Reads `--since` and `--until`; a bare day as the start means its first instant, as the end its last.
    pub(super) fn new(since: &str, until: Option<&str>, now: Micros) -> Result<Self, CliError> {
        let to = match until {
            Some(text) => instant("--until", text, Bare::After)?.min(now),
            None => now,
        };
        let span = Span { from: start("--since", since, to)?, to };
        Ok(Self { span, oldest: now - KEPT_DAYS * DAY, now, past: to < now })
    }

    /// Windows to ask for, newest first.
    pub(super) fn missing(&self, covers: &[Cover], org: &str) -> Vec<DayWindow> {
        let mut held: Vec<Span> = covers
            .iter()
            .filter(|c| c.org == org && c.basis == Basis::Pulled)
            .map(|c| Span { from: c.span.from, to: c.span.to - SETTLING })
            .filter(|s| s.from < s.to)
            .collect();
        held.sort();
        let mut gaps = Vec::new();
        let mut at = self.span.from;
        for span in held {
            let to = span.from.min(self.span.to);
            if at < to {
                gaps.push(Span { from: at, to });
            }
            at = at.max(span.to);
        }
        if at < self.span.to {
            gaps.push(Span { from: at, to: self.span.to });
        }
        let cut = |gap: Span| {
            let recent = Span { from: gap.from.max(self.oldest), ..gap };
            let old = Span { to: gap.to.min(self.oldest), ..gap };
            let mut windows = day_windows(recent, OVERLAP);
            windows.extend(day_windows(old, OVERLAP));
            windows
        };
        gaps.into_iter().rev().flat_map(cut).collect()
    }

    /// The part of a window that can be called whole: what the service knew when it answered, by its own clock,
    /// and had not deleted yet.
    pub(super) fn whole(&self, span: Span, server_time: Option<Micros>) -> Option<Span> {
        let from = server_time.map_or(span.from, |server| span.from.max(server - KEPT_DAYS * DAY));
        let to = server_time.map_or(span.to, |server| span.to.min(server));
        (span.from >= self.oldest && from < to).then_some(Span { from, to })
    }
}

/// Takes every pulled span that touches `span` out of `covers` and returns all of them as one: years of daily runs
/// leave one span, not thousands.
pub(super) fn join(covers: &mut Vec<Cover>, org: &str, mut span: Span) -> Span {
    loop {
        let touching = covers.iter().position(|c| {
            c.org == org && c.basis == Basis::Pulled && c.span.from <= span.to && span.from <= c.span.to
        });
        let Some(at) = touching else { return span };
        let other = covers.swap_remove(at).span;
        span = Span { from: span.from.min(other.from), to: span.to.max(other.to) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_iso_time;

    fn time(text: &str) -> Micros {
        parse_iso_time(text).expect("time")
    }

    fn cover(from: Micros, to: Micros) -> Cover {
        Cover { org: "contoso".to_owned(), span: Span { from, to }, basis: Basis::Pulled }
    }

    fn asked(plan: &Plan, covers: &[Cover]) -> Vec<Span> {
        plan.missing(covers, "contoso").into_iter().map(|w| w.span).collect()
    }

    #[test]
    fn since_and_until() {
        let now = time("2026-03-10T12:00:00Z");
        let plan = |since, until| Plan::new(since, until, now);
        let usual = plan("90d", None).expect("usual");
        assert_eq!((usual.span.from, usual.span.to, usual.past), (now - 90 * DAY, now, false));
        assert_eq!(usual.oldest, usual.span.from);
        let day = plan("3", Some("2026-03-05")).expect("a day");
        assert_eq!(day.span, Span { from: time("2026-03-03"), to: time("2026-03-06") });
        assert!(day.past);
        // A first day, weeks, and a time without seconds.
        let dated = plan("2026-03-01", Some("2026-03-05 05:00")).expect("dates");
        assert_eq!(dated.span, Span { from: time("2026-03-01"), to: time("2026-03-05T05:00:00Z") });
        assert_eq!(plan("13w", None).expect("weeks").span.from, now - 91 * DAY);
        // The future is not there yet.
        assert_eq!(plan("1d", Some("2027-01-01")).expect("future").span.to, now);
        for (since, until) in [
            ("0d", None),
            ("-1d", None),
            ("soon", None),
            ("9999d", None),
            ("2026-03-11", None),
            ("1d", Some("noon")),
        ] {
            let error = plan(since, until).expect_err(since).render();
            assert!(error.contains("hint: write it as"), "{error}");
        }
    }

    #[test]
    fn a_second_run_asks_for_what_is_new_and_the_overlap() {
        let first = time("2026-03-09T10:00:00Z");
        let plan = Plan::new("90d", None, first + DAY).expect("plan");
        let windows = plan.missing(&[cover(first - 90 * DAY, first)], "contoso");
        let spans: Vec<Span> = windows.iter().map(|w| w.span).collect();
        let midnight = time("2026-03-10");
        assert_eq!(
            spans,
            [Span { from: midnight, to: first + DAY }, Span { from: first - SETTLING, to: midnight }]
        );
        assert_eq!(windows[1].asked.from, first - SETTLING - OVERLAP);
        // Nobody else's covers count, nor what a file was declared to hold.
        let declared = Cover { basis: Basis::Declared, ..cover(0, first) };
        assert_eq!(asked(&plan, &[declared]).len(), 91);
    }

    #[test]
    fn a_killed_run_leaves_gaps_that_are_asked_for() {
        let now = time("2026-03-10T12:00:00Z");
        let plan = Plan::new("9d", None, now).expect("plan");
        let old = time("2026-03-04T10:00:00Z");
        let covers = [cover(time("2026-03-09"), now - HOUR), cover(old - 90 * DAY, old)];
        let spans = asked(&plan, &covers);
        assert_eq!(spans[0], Span { from: now - HOUR - SETTLING, to: now });
        assert_eq!(spans[1], Span { from: time("2026-03-08"), to: time("2026-03-09") });
        // The older run's end is settled again too, although it is not the newest.
        assert_eq!(spans.last(), Some(&Span { from: old - SETTLING, to: time("2026-03-05") }));
    }

    #[test]
    fn more_than_ninety_days_are_asked_for_but_not_called_whole() {
        let now = time("2026-06-10T12:00:00Z");
        let plan = Plan::new("100d", None, now).expect("plan");
        let spans = asked(&plan, &[]);
        assert_eq!(spans.len(), 102);
        assert!(spans.is_sorted_by(|a, b| a.from >= b.to));
        let whole: Vec<&Span> = spans.iter().filter(|s| plan.whole(**s, None).is_some()).collect();
        assert_eq!(whole.last().map(|s| s.from), Some(now - 90 * DAY));
    }

    #[test]
    fn whole_is_what_the_service_knew() {
        let now = time("2026-06-10T12:00:00Z");
        let plan = Plan::new("90d", None, now).expect("plan");
        let today = Span { from: time("2026-06-10"), to: now };
        assert_eq!(plan.whole(today, None), Some(today));
        assert_eq!(plan.whole(today, Some(now - HOUR)), Some(Span { to: now - HOUR, ..today }));
        assert_eq!(plan.whole(today, Some(now + HOUR)), Some(today));
        assert_eq!(plan.whole(today, Some(now - DAY)), None);
        // By the time the oldest day is asked for, its oldest hour may be gone.
        let oldest = Span { from: plan.oldest, to: plan.oldest + DAY };
        assert_eq!(plan.whole(oldest, Some(now + HOUR)).map(|s| s.from), Some(plan.oldest + HOUR));
    }

    #[test]
    fn spans_that_touch_become_one() {
        let other = Cover { org: "other".to_owned(), ..cover(0, 100) };
        let mut covers = vec![cover(0, 10), cover(20, 30), cover(50, 60), other.clone()];
        assert_eq!(join(&mut covers, "contoso", Span { from: 10, to: 25 }), Span { from: 0, to: 30 });
        covers.sort();
        assert_eq!(covers, [cover(50, 60), other]);
    }
}

//! The instant at which a run stands.
//!
//! In: what `--as-of` says, or the lake. Out: the instant. Without the option it is the newest that the lake knows of, never
//! the wall clock, so that a run repeats byte for byte. One event with a wrong date then moves the window to where nothing
//! is: that cannot be told from an organisation that went silent, but it must not go unsaid.

use super::error::CliError;
use super::instants::{Bare, instant};
use super::ui::Ui;
use crate::lake::Lake;
use crate::model::coverage::Basis;
use crate::model::noun::counted;
use crate::model::time::{DAY, Day, Micros, Span, Window, day_of, day_start, day_text, format_time};
use std::collections::BTreeMap;

/// So many days without an event before the newest are no rhythm that an organisation has.
const APART: i32 = 30;

/// So many organisations are named with their days.
const MOST_NAMED: usize = 30;

/// So few days after such a stretch may be there by mistake.
const FEW: usize = 3;

/// Reads `--as-of`; a bare day means its end.
pub(super) fn parse(text: &str) -> Result<Micros, CliError> {
    instant("--as-of", text, Bare::Last)
}

/// The latest coverage end over the selected organisations; warns where a wrong date may have made it.
pub(super) fn newest(lake: &Lake, orgs: &[String], ui: &Ui) -> Micros {
    let days = || lake.index.days.iter().filter(|d| orgs.contains(&d.org));
    let covers = || lake.index.covers.iter().filter(|c| orgs.contains(&c.org));
    // A span ends before its end: a day declared whole ends at its last microsecond, so it stays the last day.
    let covered = covers().map(|c| c.span.to - 1);
    let taken = lake.index.snapshots.iter().filter(|s| orgs.contains(&s.org)).map(|s| s.taken);
    let as_of = days().map(|d| d.last_time).chain(covered).max().or_else(|| taken.max()).unwrap_or_default();
    let seen: Vec<Day> = days().map(|d| d.day).collect();
    let vouched: Vec<Span> = covers().map(|c| c.span).collect();
    let declared = covers().filter(|c| c.basis == Basis::Declared).map(|c| c.span.to - 1).max();
    if let Some(doubt) = doubts(as_of, super::now(), seen, &vouched, declared) {
        ui.warn(&doubt);
    }
    as_of
}

/// Refuses an instant whose window contains no part of any organisation's log: nothing could be found in it, and no finding
/// would read as good news. An organisation that ends earlier than the others is no reason, nor is a lake without a log.
pub(super) fn check(lake: &Lake, text: &str, window: Window) -> Result<(), CliError> {
    let known = known_days(lake);
    let inside = |[first, last]: &[Day; 2]| *first <= window.last_day() && *last >= window.first_day();
    let days = lake.index.days.iter().filter(|d| d.first_time <= window.as_of).map(|d| [d.day, d.day]);
    let covers = lake.index.covers.iter().filter(|c| c.span.from <= window.as_of);
    let covers = covers.map(|c| [day_of(c.span.from), day_of(c.span.to - 1)]);
    if known.is_empty() || days.chain(covers).any(|span| inside(&span)) {
        return Ok(());
    }
    let mut error = CliError::new(format!(
        "no event and no covered day lies in the window of --as-of \"{text}\", {} to {}",
        day_text(window.first_day()),
        day_text(window.last_day())
    ));
    for (org, [first, last]) in known.iter().take(MOST_NAMED) {
        error = error.hint(format!("the log of {org} goes from {} to {}", day_text(*first), day_text(*last)));
    }
    if known.len() > MOST_NAMED {
        error = error.hint(format!(
            "{} organisations more: `patwatch lake show` lists them",
            known.len() - MOST_NAMED
        ));
    }
    Err(error)
}

/// First and last day of the log of each organisation: of its events, and of what it is known to cover.
fn known_days(lake: &Lake) -> BTreeMap<&str, [Day; 2]> {
    let days = lake.index.days.iter().map(|d| (d.org.as_str(), [d.day, d.day]));
    let covers = lake.index.covers.iter();
    let covers = covers.map(|c| (c.org.as_str(), [day_of(c.span.from), day_of(c.span.to - 1)]));
    let mut known = BTreeMap::new();
    for (org, [first, last]) in days.chain(covers) {
        let span = known.entry(org).or_insert([first, last]);
        *span = [span[0].min(first), span[1].max(last)];
    }
    known
}

/// What speaks against an instant as the one at which a run should stand.
fn doubts(
    as_of: Micros,
    now: Micros,
    mut seen: Vec<Day>,
    vouched: &[Span],
    declared: Option<Micros>,
) -> Option<String> {
    seen.sort_unstable();
    seen.dedup();
    let mend = |day: Day| format!("if a date is wrong, name the instant, such as --as-of {}", day_text(day));
    let at = format_time(as_of);
    if as_of > now.saturating_add(DAY) {
        let past = seen.iter().rev().find(|day| **day <= day_of(now)).copied().unwrap_or(day_of(now));
        let days = day_of(as_of) - day_of(now);
        return Some(format!(
            "this run stands at {at}, the newest instant that is known, which is {} in the future: what it finds missing may only be too old; {}",
            counted(days, "day"),
            mend(past)
        ));
    }
    // The last long stretch without an event that nobody vouches for.
    let whole = |from: Day, to: Day| {
        vouched.iter().any(|span| span.from <= day_start(from + 1) && span.to >= day_start(to))
    };
    let apart = seen.windows(2).enumerate().rev().find(|(_, pair)| pair[1] - pair[0] > APART);
    if let Some((index, pair)) = apart
        && seen.len() - index - 1 <= FEW
        && !whole(pair[0], pair[1])
    {
        return Some(format!(
            "this run stands at {at}, but no event is known of the {} days from {} to {}, and of {} after: what it finds missing may only be too old; {}",
            pair[1] - pair[0] - 1,
            day_text(pair[0] + 1),
            day_text(pair[1] - 1),
            counted(seen.len() - index - 1, "day"),
            mend(pair[0])
        ));
    }
    let last = *seen.last()?;
    (declared? == as_of && day_of(as_of) - last > APART).then(|| {
        format!(
            "this run stands at {at}, the end of what --covers declared, {} days after the newest event: what it finds missing may only be too old; {}",
            day_of(as_of) - last,
            mend(last)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_day;

    fn at(text: &str) -> Micros {
        parse(text).expect("a time")
    }

    fn days(from: &str, n: i32) -> Vec<Day> {
        let first = parse_day(from).expect("a day");
        (first..first + n).collect()
    }

    #[test]
    fn a_date_in_the_future_is_told_with_its_mend() {
        let seen = [days("2026-01-01", 90), days("2036-01-01", 1)].concat();
        let doubt = doubts(at("2036-01-01"), at("2026-04-02"), seen, &[], None).expect("a doubt");
        assert!(doubt.contains("2036-01-01T23:59:59.999999Z") && doubt.contains("3561 days"), "{doubt}");
        assert!(doubt.contains("--as-of 2026-03-31"), "{doubt}");
        // Clocks differ.
        assert_eq!(doubts(at("2026-04-02"), at("2026-04-01"), days("2026-01-01", 92), &[], None), None);
    }

    #[test]
    fn few_days_far_from_the_rest_are_told() {
        let now = at("2030-01-01");
        let seen = [days("2026-01-01", 90), days("2026-06-01", 2)].concat();
        let doubt = doubts(at("2026-06-02"), now, seen.clone(), &[], None).expect("a doubt");
        assert!(doubt.contains("61 days from 2026-04-01 to 2026-05-31, and of 2 days after"), "{doubt}");
        assert!(doubt.contains("--as-of 2026-03-31"), "{doubt}");
        // Somebody vouches that there was nothing.
        let whole = Span { from: at("2026-01-01"), to: at("2026-06-02") };
        assert_eq!(doubts(at("2026-06-02"), now, seen, &[whole], None), None);
        // A month's rest long ago is none of this.
        let seen = [days("2026-01-01", 9), days("2026-06-01", 40)].concat();
        assert_eq!(doubts(at("2026-07-10"), now, seen, &[], None), None);
        assert_eq!(doubts(at("2026-07-10"), now, Vec::new(), &[], None), None);
    }

    #[test]
    fn a_declared_end_far_from_the_events_is_told() {
        let (now, end) = (at("2030-01-01"), at("2027-01-01"));
        let doubt = doubts(end, now, days("2026-01-01", 90), &[], Some(end)).expect("a doubt");
        assert!(doubt.contains("--covers") && doubt.contains("276 days"), "{doubt}");
        assert_eq!(doubts(end, now, days("2026-12-01", 20), &[], Some(end)), None);
    }
}

//! Coverage: which days of an organisation's log are held whole, how that is known, and where the gaps are.
//!
//! In: what the index says of each day, spans that were pulled or declared, and the events that switch auditing
//! or a stream. Out: one [`Coverage`] an organisation.

use crate::model::coverage::{Basis, Coverage, Gap};
use crate::model::event::Shape;
use crate::model::noun::counted;
use crate::model::time::{DAY, Day, HOUR, Micros, Span, Window, day_of, day_start, day_text};
use std::collections::BTreeSet;

/// Events that must have been expected before a silence counts as a gap (design, section 5).
const QUIET_EXPECTED: f64 = 20.0;

/// One day, as the index holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDay {
    /// The day.
    pub day: Day,
    /// Events.
    pub rows: u64,
    /// First event.
    pub first_time: Micros,
    /// Last event.
    pub last_time: Micros,
    /// Bits of the shapes that fed it.
    pub shapes: u8,
    /// Events per hour that show the rhythm.
    pub hours: Vec<u32>,
    /// Areas that occur.
    pub areas: Vec<String>,
}

/// Something that switches the log off or on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// When.
    pub time: Micros,
    /// Whether it went on.
    pub on: bool,
    /// Whether it is a stream, not auditing itself.
    pub stream: bool,
}

/// What is known of one organisation.
#[derive(Debug, Clone, Default)]
pub struct Held<'a> {
    /// Organisation.
    pub org: &'a str,
    /// Days, in order, none after the run's instant.
    pub days: Vec<HeldDay>,
    /// Spans known to be whole.
    pub covers: Vec<(Span, Basis)>,
    /// Days of which records could not be read.
    pub lost: Vec<Span>,
    /// Switches, in time order.
    pub switches: Vec<Switch>,
}

/// Judges one organisation.
#[must_use]
pub fn judge(held: &Held<'_>, window: Window) -> Coverage {
    let to_limit = window.as_of + 1;
    let clip = |span: Span| Span { from: span.from.max(window.from), to: span.to.min(to_limit) };
    let known: Vec<(Span, Basis)> =
        held.covers.iter().map(|(s, b)| (clip(*s), *b)).filter(|(s, _)| s.from < s.to).collect();
    let inside: Vec<&HeldDay> =
        held.days.iter().filter(|d| d.last_time >= window.from && d.first_time <= window.as_of).collect();
    let seen = match (inside.first(), inside.last()) {
        (Some(first), Some(last)) => {
            Some(clip(Span { from: first.first_time, to: last.last_time.saturating_add(1) }))
        }
        _ => None,
    };
    let span = known
        .iter()
        .map(|(s, _)| *s)
        .chain(seen)
        .reduce(|a, b| Span { from: a.from.min(b.from), to: a.to.max(b.to) });
    let areas: BTreeSet<&str> = inside.iter().flat_map(|d| d.areas.iter().map(String::as_str)).collect();
    let events = inside.iter().map(|d| d.rows).sum();
    let Some(span) = span else {
        let nothing = Span { from: window.from, to: window.from };
        return Coverage {
            org: held.org.to_owned(),
            span: nothing,
            basis: Basis::Inferred,
            gaps: Vec::new(),
            covered: Vec::new(),
            areas: 0,
            events: 0,
        };
    };
    let within_known = |from: Micros, to: Micros| known.iter().any(|(s, _)| s.from <= from && to <= s.to);
    let basis = basis(&known, seen, within_known);
    let mut gaps = Vec::new();
    missing_days(&mut gaps, &inside, span, within_known);
    switched_off(&mut gaps, held, &inside, span);
    quiet(&mut gaps, held, &inside, span, within_known);
    for lost in held.lost.iter().filter(|lost| lost.overlaps(&span)) {
        let span = Span { from: lost.from.max(span.from), to: lost.to.min(span.to) };
        gaps.push(Gap { span, reason: "records of these days could not be read".to_owned() });
    }
    gaps.sort_by(|a, b| (a.span, &a.reason).cmp(&(b.span, &b.reason)));
    gaps.dedup();
    let covered = (day_of(span.from)..=day_of(span.to))
        .filter(|day| {
            let whole = Span { from: day_start(*day), to: day_start(*day) + DAY };
            // The window's last day ends with the run's instant; it is whole only where that is its last microsecond.
            span.from <= whole.from && whole.to <= span.to && !gaps.iter().any(|g| g.span.overlaps(&whole))
        })
        .collect();
    let areas = u32::try_from(areas.len()).unwrap_or(u32::MAX);
    Coverage { org: held.org.to_owned(), span, basis, gaps, covered, areas, events }
}

fn basis(known: &[(Span, Basis)], seen: Option<Span>, within: impl Fn(Micros, Micros) -> bool) -> Basis {
    let mut kinds: BTreeSet<Basis> = known.iter().map(|(_, basis)| *basis).collect();
    if let Some(seen) = seen {
        // Adjoining spans (a window a day) hold a span together even where none holds it alone.
        let mut at = seen.from;
        let mut spans: Vec<Span> = known.iter().map(|(s, _)| *s).collect();
        spans.sort();
        for span in spans {
            if span.from <= at {
                at = at.max(span.to);
            }
        }
        if at < seen.to && !within(seen.from, seen.to) {
            kinds.insert(Basis::Inferred);
        }
    }
    match kinds.len() {
        0 => Basis::Inferred,
        1 => kinds.into_iter().next().unwrap_or(Basis::Inferred),
        _ => Basis::Mixed,
    }
}

fn missing_days(gaps: &mut Vec<Gap>, days: &[&HeldDay], span: Span, known: impl Fn(Micros, Micros) -> bool) {
    let present: BTreeSet<Day> = days.iter().map(|d| d.day).collect();
    let mut missing: Vec<Day> = Vec::new();
    for day in day_of(span.from)..=day_of(span.to - 1) {
        let (from, to) = (day_start(day).max(span.from), (day_start(day) + DAY).min(span.to));
        if !present.contains(&day) && !known(from, to) {
            missing.push(day);
        }
    }
    for run in missing.chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let reason = if first == last {
            format!("no event on {}", day_text(first))
        } else {
            format!("no event from {} to {}", day_text(first), day_text(last))
        };
        let span = Span { from: day_start(first).max(span.from), to: (day_start(last) + DAY).min(span.to) };
        gaps.push(Gap { span, reason });
    }
}

fn switched_off(gaps: &mut Vec<Gap>, held: &Held<'_>, days: &[&HeldDay], span: Span) {
    for stream in [false, true] {
        let mut off: Option<Micros> = None;
        let switches = held.switches.iter().filter(|s| s.stream == stream).map(|s| (s.time, s.on));
        for (time, on) in switches.chain([(span.to, true)]) {
            match (on, off) {
                (false, None) => off = Some(time),
                (true, Some(from)) => {
                    off = None;
                    let silent = Span { from: from.max(span.from), to: time.min(span.to) };
                    if silent.from >= silent.to {
                        continue;
                    }
                    if stream {
                        stream_gap(gaps, days, silent);
                    } else {
                        gaps.push(Gap { span: silent, reason: "auditing was switched off".to_owned() });
                    }
                }
                _ => {}
            }
        }
    }
}

/// A stream that is off leaves a gap on the days that only streams fed.
fn stream_gap(gaps: &mut Vec<Gap>, days: &[&HeldDay], silent: Span) {
    for day in days.iter().filter(|d| d.shapes != 0 && d.shapes & !Shape::STREAM_BITS == 0) {
        let whole = Span { from: day_start(day.day), to: day_start(day.day) + DAY };
        if whole.overlaps(&silent) {
            let span = Span { from: whole.from.max(silent.from), to: whole.to.min(silent.to) };
            gaps.push(Gap { span, reason: "the stream that fed this day was switched off".to_owned() });
        }
    }
}

/// Silences in which the organisation's own rhythm by hour of the week let at least twenty events be expected.
fn quiet(
    gaps: &mut Vec<Gap>,
    held: &Held<'_>,
    days: &[&HeldDay],
    span: Span,
    known: impl Fn(Micros, Micros) -> bool,
) {
    let rhythm = rhythm(held);
    let by_day: std::collections::BTreeMap<Day, &HeldDay> = days.iter().map(|d| (d.day, *d)).collect();
    let (first, last) = (span.from.div_euclid(HOUR), (span.to - 1).div_euclid(HOUR));
    let mut run: Option<(i64, f64)> = None;
    for hour in first..=last + 1 {
        let day = day_of(hour * HOUR);
        let index = usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
        // A missing day is a gap of its own and no part of a quiet span, unless somebody vouches for the day:
        // then it is a day without an event, which may be too quiet to be believed.
        let silent = hour <= last
            && match by_day.get(&day) {
                Some(day) => day.hours.get(index) == Some(&0),
                None => known(day_start(day).max(span.from), (day_start(day) + DAY).min(span.to)),
            };
        if silent {
            let (from, expected) = run.unwrap_or((hour, 0.0));
            run = Some((from, expected + rhythm[hour_of_week(hour)]));
        } else if let Some((from, expected)) = run.take()
            && expected >= QUIET_EXPECTED
        {
            let span = Span { from: (from * HOUR).max(span.from), to: (hour * HOUR).min(span.to) };
            let hours = hour - from;
            gaps.push(Gap {
                span,
                reason: format!(
                    "{} where about {expected:.0} events were to be expected",
                    counted(hours, "quiet hour")
                ),
            });
        }
    }
}

/// Mean events by hour of the week over the days that are held.
fn rhythm(held: &Held<'_>) -> [f64; 168] {
    let (mut sums, mut weeks) = ([0.0; 168], [0.0; 168]);
    for day in &held.days {
        for (hour, n) in day.hours.iter().enumerate() {
            let at = hour_of_week(i64::from(day.day) * 24 + i64::try_from(hour).unwrap_or(0));
            sums[at] += f64::from(*n);
            weeks[at] += 1.0;
        }
    }
    let mut mean = [0.0; 168];
    for i in 0..168 {
        // Fewer than three weeks are no rhythm.
        mean[i] = if weeks[i] >= 3.0 { sums[i] / weeks[i] } else { 0.0 };
    }
    mean
}

/// Hour of the week of an hour since 1970, Monday 00:00 UTC first; 1970-01-01 was a Thursday.
fn hour_of_week(hour: i64) -> usize {
    usize::try_from((hour + 3 * 24).rem_euclid(168)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: Day, per_hour: u32) -> HeldDay {
        HeldDay {
            day,
            rows: u64::from(per_hour) * 24,
            first_time: day_start(day),
            last_time: day_start(day) + DAY - 1,
            shapes: Shape::Api.bit(),
            hours: vec![per_hour; 24],
            areas: ["Git", "Token", "Project"].map(str::to_owned).to_vec(),
        }
    }

    fn window(last: Day, days: i32) -> Window {
        Window::ending(day_start(last) + DAY - 1, days)
    }

    #[test]
    fn whole_days_count_and_missing_ones_are_gaps() {
        let days: Vec<HeldDay> = (0..40).filter(|d| !(10..13).contains(d)).map(|d| day(d, 2)).collect();
        let held = Held { org: "o", days, ..Held::default() };
        let coverage = judge(&held, window(39, 90));
        assert_eq!(coverage.basis, Basis::Inferred);
        assert_eq!(coverage.covered.len(), 37);
        assert_eq!(coverage.gaps.len(), 1);
        assert_eq!(coverage.gaps[0].reason, "no event from 1970-01-11 to 1970-01-13");
    }

    #[test]
    fn a_declared_span_makes_empty_days_whole() {
        let days: Vec<HeldDay> = (0..40).filter(|d| *d != 10).map(|d| day(d, 0)).collect();
        let covers = vec![(Span { from: 0, to: 40 * DAY }, Basis::Declared)];
        let coverage = judge(&Held { org: "o", days, covers, ..Held::default() }, window(39, 90));
        assert_eq!((coverage.basis, coverage.covered.len(), coverage.gaps.len()), (Basis::Declared, 40, 0));
    }

    #[test]
    fn silence_against_the_rhythm_is_a_gap() {
        let mut days: Vec<HeldDay> = (0..40).map(|d| day(d, 5)).collect();
        days[20].hours[3..9].fill(0);
        let coverage = judge(&Held { org: "o", days, ..Held::default() }, window(39, 90));
        assert_eq!(coverage.gaps.len(), 1, "{:?}", coverage.gaps);
        assert_eq!(coverage.covered.len(), 39);
    }

    #[test]
    fn a_day_that_somebody_vouches_for_can_still_be_too_quiet() {
        let days: Vec<HeldDay> = (0..40).filter(|d| *d != 20).map(|d| day(d, 5)).collect();
        let covers = vec![(Span { from: 0, to: 40 * DAY }, Basis::Declared)];
        let coverage = judge(&Held { org: "o", days, covers, ..Held::default() }, window(39, 90));
        assert_eq!(coverage.gaps.len(), 1, "{:?}", coverage.gaps);
        assert_eq!(coverage.covered.len(), 39);
    }

    #[test]
    fn auditing_off_is_a_gap_and_a_stream_only_where_it_fed() {
        let days: Vec<HeldDay> = (0..40).map(|d| day(d, 0)).collect();
        let off = |stream| {
            vec![Switch { time: 5 * DAY, on: false, stream }, Switch { time: 7 * DAY, on: true, stream }]
        };
        let held = Held { org: "o", days: days.clone(), switches: off(false), ..Held::default() };
        assert_eq!(judge(&held, window(39, 90)).covered.len(), 38);
        let held = Held { org: "o", days: days.clone(), switches: off(true), ..Held::default() };
        assert_eq!(judge(&held, window(39, 90)).covered.len(), 40);
        let fed: Vec<HeldDay> =
            days.into_iter().map(|d| HeldDay { shapes: Shape::Splunk.bit(), ..d }).collect();
        let held = Held { org: "o", days: fed, switches: off(true), ..Held::default() };
        assert_eq!(judge(&held, window(39, 90)).covered.len(), 38);
    }

    #[test]
    fn the_first_and_last_day_of_files_are_not_whole() {
        let mut days: Vec<HeldDay> = (0..40).map(|d| day(d, 0)).collect();
        days[0].first_time += HOUR;
        days[39].last_time -= HOUR;
        let as_of = days[39].last_time;
        let coverage = judge(&Held { org: "o", days, ..Held::default() }, Window::ending(as_of, 90));
        assert_eq!(coverage.covered.len(), 38);
    }
}

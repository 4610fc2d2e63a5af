//! Time across a picture. In: a span and two edges. Out: positions, date labels that do not touch, gaps shaded.

use chrono::{Datelike, NaiveDate};

use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::counted;
use super::text;
use super::theme::{GREY, GRID, Ink, SMALL};
use crate::model::time::{DAY, Day, Micros, Span, day_of, day_start, day_text, format_time};

/// First and last day that four digits of year can write.
const DAYS: (Day, Day) = (-719_162, 2_932_896);

/// Ground of a gap.
const GAP: Ink = (232, 232, 232);
/// Lines of a gap.
const GAP_LINE: Ink = (190, 190, 190);

/// Brings an instant into the years 1 to 9999, where dates can be written.
#[must_use]
pub fn sane(time: Micros) -> Micros {
    time.clamp(day_start(DAYS.0), day_start(DAYS.1))
}

/// Writes a day, whatever its number.
#[must_use]
pub fn day_label(day: Day) -> String {
    day_text(day.clamp(DAYS.0, DAYS.1))
}

/// Writes an instant to the second.
#[must_use]
pub fn time_label(time: Micros) -> String {
    let time = sane(time);
    format_time(time - time.rem_euclid(1_000_000))
}

/// First and last day in order and within what can be written.
#[must_use]
pub fn sane_days((from, to): (Day, Day)) -> (Day, Day) {
    let from = from.clamp(DAYS.0, DAYS.1 - 1);
    (from, to.clamp(from, DAYS.1 - 1))
}

/// A span of time laid over a span of pixels.
#[derive(Debug, Clone, Copy)]
pub struct TimeAxis {
    span: Span,
    x0: i32,
    x1: i32,
}

impl TimeAxis {
    /// Lays whole days over the pixels from `x0` to `x1`.
    #[must_use]
    pub fn days(days: (Day, Day), x0: i32, x1: i32) -> Self {
        let (from, to) = sane_days(days);
        Self { span: Span { from: day_start(from), to: day_start(to + 1) }, x0, x1 }
    }

    /// Where `time` lies; outside the span, the nearer edge.
    #[must_use]
    pub fn x(&self, time: Micros) -> i32 {
        let time = time.clamp(self.span.from, self.span.to);
        let part = (time - self.span.from) as f64 / (self.span.to - self.span.from).max(1) as f64;
        self.x0 + (part * f64::from(self.x1 - self.x0)).round() as i32
    }

    /// Whether `time` lies in the span.
    #[must_use]
    pub const fn holds(&self, time: Micros) -> bool {
        self.span.contains(time)
    }

    /// Whether any part of `span` lies in the axis' span.
    #[must_use]
    pub const fn shows(&self, span: &Span) -> bool {
        span.overlaps(&self.span)
    }

    /// Whether `day` lies in the span, whatever its number.
    #[must_use]
    pub fn holds_day(&self, day: Day) -> bool {
        (day_of(self.span.from)..day_of(self.span.to)).contains(&day)
    }

    /// Draws grid lines from `top` to `bottom` and dates under them.
    pub fn draw(&self, canvas: &mut Canvas, top: i32, bottom: i32) {
        let room = text::width("2026-12-30", SMALL) + 30;
        let marks = self.marks(room);
        for (day, label) in marks {
            let x = self.x(day_start(day));
            canvas.line((x, top), (x, bottom + 12), GRID, 2);
            // The last label may hang over the plot; it must not leave the picture.
            let half = text::width(&label, SMALL) / 2;
            let at = x.clamp(canvas.area.x0 + half, (canvas.area.x1 - half).max(canvas.area.x0 + half));
            canvas.text(&label, (at, bottom + 48), SMALL, GREY, Anchor::Middle);
        }
    }

    /// Days to mark with their label: every n days, months or years, as the room allows.
    fn marks(&self, room: i32) -> Vec<(Day, String)> {
        let (from, to) = (day_of(self.span.from), day_of(self.span.to - 1));
        let days = f64::from(to - from + 1);
        let per_label = days * f64::from(room) / f64::from((self.x1 - self.x0).max(1));
        if per_label <= 14.0 {
            let step = [1, 2, 7, 14].into_iter().find(|s| f64::from(*s) >= per_label).unwrap_or(14);
            return (from..=to).step_by(step as usize).map(|day| (day, day_label(day))).collect();
        }
        let months = (per_label / 28.0).ceil() as i32;
        let step =
            [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200].into_iter().find(|s| *s >= months).unwrap_or(6000);
        let Some(first) = date_of(from) else { return Vec::new() };
        let mut month = first.year() * 12 + first.month0() as i32;
        month += (step - month.rem_euclid(step)) % step;
        let mut marks = Vec::new();
        while let Some(day) = first_of(month) {
            if day > to {
                break;
            }
            if day >= from {
                let label = day_label(day);
                marks.push((day, if step < 12 { label[..7].to_owned() } else { label[..4].to_owned() }));
            }
            month += step;
        }
        marks
    }

    /// Shades gaps inside `area` and says so above each that has room; overlapping ones are drawn once.
    pub fn shade(&self, canvas: &mut Canvas, area: Area, gaps: &[(String, Span, String)]) {
        let mut labelled = i32::MIN;
        for span in merged(gaps.iter().map(|(_, span, _)| *span)) {
            if !span.overlaps(&self.span) {
                continue;
            }
            let (x0, x1) = (self.x(span.from), self.x(span.to));
            let band = Area::new(x0, area.y0, x1.max(x0 + 4), area.y1);
            canvas.fill(band, GAP);
            // Lines in a sliver cannot be seen, and thousands of them make the file large.
            if band.width() >= 20 {
                canvas.hatch(band, Hatch::Rising, GAP_LINE);
            }
            let half = text::width("gap", SMALL) / 2;
            let at = i32::midpoint(x0, x1).clamp(self.x0 + half, self.x1 - half);
            if at - half > labelled {
                canvas.text("gap", (at, area.y0 - 12), SMALL, GREY, Anchor::Middle);
                labelled = at + half + 20;
            }
        }
    }

    /// Says in one line which gaps are shaded; nothing where there are none.
    #[must_use]
    pub fn gap_note(&self, gaps: &[(String, Span, String)]) -> Option<String> {
        let mut inside = gaps.iter().filter(|(_, span, _)| span.overlaps(&self.span));
        let (org, span, reason) = inside.next()?;
        let rest = inside.count() as u64;
        let (from, to) = (day_label(day_of(span.from)), day_label(day_of(span.to.saturating_sub(1))));
        let when = if from == to { from } else { format!("{from} to {to}") };
        let org = text::brief(org, 24);
        let more = match rest {
            0 => String::new(),
            n => format!("; and {}, see the chart \"coverage\"", counted(n, "more gap", "more gaps")),
        };
        let reason = text::brief(reason, 60);
        Some(format!("Shaded: no log for {org} on {when} ({reason}){more}"))
    }
}

/// Joins overlapping and touching spans.
fn merged(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = spans.filter(|s| s.from < s.to).collect();
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from <= last.to.saturating_add(DAY / 24) => last.to = last.to.max(span.to),
            _ => out.push(span),
        }
    }
    out
}

fn date_of(day: Day) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(day)
}

/// The first day of a month counted from year 0.
fn first_of(month: i32) -> Option<Day> {
    let date = NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1)?;
    Some(date.to_epoch_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_day;

    #[test]
    fn labels_never_touch() {
        for days in [1, 2, 10, 45, 90, 400, 2_000, 40_000] {
            let from = parse_day("2026-01-15").expect("day");
            let axis = TimeAxis::days((from, from + days - 1), 400, 2300);
            let marks = axis.marks(220);
            for pair in marks.windows(2) {
                let apart = axis.x(day_start(pair[1].0)) - axis.x(day_start(pair[0].0));
                assert!(apart >= 200, "{days} days: {} and {} are {apart} apart", pair[0].1, pair[1].1);
            }
            assert!(days > 400 || !marks.is_empty(), "{days} days have no mark");
        }
    }

    #[test]
    fn impossible_days_are_written_anyway() {
        assert_eq!(day_label(Day::MAX).len(), 10);
        assert_eq!(day_label(Day::MIN).len(), 10);
        let _ = TimeAxis::days((Day::MAX, Day::MIN), 0, 100).x(Micros::MAX);
    }
}

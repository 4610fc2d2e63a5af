//! Coverage: a row an organisation over the window; whole days held are filled, the rest is said in words.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{counted, pick, thousands};
use super::text;
use super::theme::{self, BLACK, BLUE, BODY, GREY, SMALL, STRONG, TRACK, VERMILLION, WHITE};
use super::time_axis::{TimeAxis, day_label, sane_days};
use crate::model::time::{DAY, Day, Span, day_of, day_start};
use crate::report::series::Series;

pub(super) struct Coverage;

/// Rows that one picture holds.
const MOST: usize = 30;
const ROW: i32 = 108;
const LABELS: i32 = 480;
const COUNTS: i32 = 410;

/// One organisation's row.
struct Row<'a> {
    org: &'a str,
    days: Vec<Day>,
    gaps: Vec<(Span, &'a str)>,
}

/// Least covered first, since those carry least; equals by name.
fn rows(series: &Series) -> Vec<Row<'_>> {
    let (from, to) = sane_days(series.days);
    let mut rows: Vec<Row<'_>> = series
        .coverage
        .iter()
        .map(|(org, _, days)| {
            let mut days: Vec<Day> = days.iter().copied().filter(|d| (from..=to).contains(d)).collect();
            days.sort_unstable();
            days.dedup();
            let mut gaps: Vec<_> = series
                .gaps
                .iter()
                .filter(|(of, span, _)| of == org && span.from < span.to)
                .map(|(_, span, reason)| (*span, reason.as_str()))
                .collect();
            gaps.sort_unstable();
            Row { org, days, gaps }
        })
        .collect();
    rows.sort_by(|a, b| (a.days.len(), a.org).cmp(&(b.days.len(), b.org)));
    rows
}

fn window_days(series: &Series) -> u64 {
    let (from, to) = sane_days(series.days);
    u64::from(from.abs_diff(to)) + 1
}

/// Joins neighbouring days to spans, so that a covered quarter is one rectangle.
fn runs(days: &[Day]) -> Vec<(Day, Day)> {
    let mut out: Vec<(Day, Day)> = Vec::new();
    for day in days {
        match out.last_mut() {
            Some((_, end)) if *end + 1 == *day => *end = *day,
            _ => out.push((*day, *day)),
        }
    }
    out
}

/// Says where the log is missing: the first gap and how many more there are.
fn gap_words(row: &Row<'_>, window: u64) -> String {
    let missing = window.saturating_sub(row.days.len() as u64);
    let Some((span, reason)) = row.gaps.first() else {
        return if missing == 0 {
            "no gap".into()
        } else {
            format!("{} not held, without a known reason", counted(missing, "day", "days"))
        };
    };
    let (from, to) = (day_label(day_of(span.from)), day_label(day_of(span.to.saturating_sub(1))));
    let when = if from == to { from } else { format!("{from} to {to}") };
    let reason = text::brief(reason, 80);
    match row.gaps.len() as u64 - 1 {
        0 => format!("gap {when}: {reason}"),
        n => format!("gap {when}: {reason}; and {}", counted(n, "more gap", "more gaps")),
    }
}

impl Chart for Coverage {
    fn name(&self) -> &'static str {
        "coverage"
    }

    fn title(&self) -> &'static str {
        "Whole UTC days of the window that the lake holds without a gap, by organisation, least first"
    }

    fn describe(&self) -> &'static str {
        "For which days the log is there at all; silence on any other day says nothing."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let rows = rows(series);
        let window = window_days(series);
        let least = rows.first()?;
        let whole = rows.iter().filter(|r| r.days.len() as u64 >= window).count() as u64;
        let days =
            if window == 1 { "the one day".to_owned() } else { format!("all {} days", thousands(window)) };
        let org = text::brief(least.org, 40);
        Some(if whole == rows.len() as u64 {
            format!("The log covers {days} of {}", counted(whole, "organisation", "organisations"))
        } else {
            format!(
                "{} of {} {} covered on {days}; the least, {org}, on {}",
                thousands(whole),
                counted(rows.len() as u64, "organisation", "organisations"),
                pick(whole, "is", "are"),
                thousands(least.days.len() as u64)
            )
        })
    }

    fn nothing(&self) -> &'static str {
        "The lake holds no organisation's log in this window"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 170 + ROW * series.coverage.len().clamp(3, MOST) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let rows = rows(series);
        let shown = &rows[..rows.len().min(MOST)];
        let window = window_days(series);
        let area = canvas.area;
        let (x0, x1) = (area.x0 + LABELS, area.x1 - COUNTS);
        let axis = TimeAxis::days(series.days, x0, x1);
        let bottom = area.y0 + ROW * shown.len() as i32;
        // Ticks only: lines would run through the words under the bars.
        axis.draw(canvas, bottom, bottom);
        for (i, row) in shown.iter().enumerate() {
            let y = area.y0 + ROW * i as i32;
            let (top, base) = (y + 10, y + 54);
            canvas.label(&text::name(row.org), (x0 - 24, y + 44), BODY, BLACK, Anchor::End, LABELS - 30);
            canvas.fill(Area::new(x0, top, x1, base), TRACK);
            for (from, to) in runs(&row.days) {
                let end = axis.x(day_start(to).saturating_add(DAY));
                canvas.fill(Area::new(axis.x(day_start(from)), top, end, base), BLUE);
            }
            for (span, _) in &row.gaps {
                let gap = Area::new(axis.x(span.from), top, axis.x(span.to), base);
                // Asked of the span: a day of a long window can be less than a pixel.
                if axis.shows(span) {
                    let gap = Area { x1: gap.x1.max(gap.x0 + 6), ..gap };
                    canvas.fill(gap, WHITE);
                    if gap.width() >= 20 {
                        canvas.hatch(gap, Hatch::Crossed, VERMILLION);
                        canvas.outline(gap, VERMILLION, 2);
                    } else {
                        canvas.fill(gap, VERMILLION);
                    }
                }
            }
            let words = gap_words(row, window);
            canvas.label(&words, (x0, y + 94), SMALL, GREY, Anchor::Start, area.x1 - x0);
            let words = format!("{} of {} d", thousands(row.days.len() as u64), thousands(window));
            canvas.label(&words, (area.x1, y + 44), STRONG, BLACK, Anchor::End, COUNTS - 20);
        }
        let mut words = "Filled: covered. Crossed: a known gap. Empty: not held".to_owned();
        if rows.len() > shown.len() {
            let out = counted((rows.len() - shown.len()) as u64, "organisation", "organisations");
            words = format!("{words}. {out} with more covered days left out");
        }
        canvas.label(&words, (area.x0, bottom + 112), SMALL, GREY, Anchor::Start, area.width());
    }
}

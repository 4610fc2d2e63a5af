//! Activity over time: a panel a kind of sign-in, gaps shaded, each panel on its own scale.
//!
//! Panels and not a stack: a stack of eight kinds is read by colour, and a busy kind would flatten the PATs.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas};
use super::numbers::{compact, counted, percent, scale, thousands, total};
use super::text;
use super::theme::{self, BLACK, BLUE, GREY, GRID, NEUTRAL, SMALL, STRONG};
use super::time_axis::{TimeAxis, sane_days};
use crate::model::time::{DAY, day_start};
use crate::report::series::Series;

pub(super) struct Activity;

/// Kinds of sign-in that are drawn apart.
const MOST_PANELS: usize = 8;
/// Width of the labels left of the panels.
const LABELS: i32 = 470;
/// Bars that can stand side by side and still be seen.
const MOST_BARS: usize = 400;

/// Names a kind as people say it.
fn kind(name: &str) -> &str {
    match name {
        "pat" => "PAT",
        "session" => "Session token",
        "interactive" => "Browser",
        "entra" => "Entra token",
        "service" => "Service",
        "ssh" => "SSH key",
        "none" => "No sign-in",
        "other" => "Unknown sign-in",
        other => other,
    }
}

/// Days that one bar stands for.
fn days_per_bar(days: usize) -> usize {
    [1, 7, 28].into_iter().find(|n| days / n <= MOST_BARS).unwrap_or(days / MOST_BARS + 1)
}

/// Panels: name and numbers per bar; the kinds past the eighth share the last panel.
fn panels(series: &Series) -> (Vec<(String, Vec<u64>)>, usize) {
    let (from, to) = sane_days(series.days);
    let days = (to - from) as usize + 1;
    let per_bar = days_per_bar(days);
    let bars = |values: &[u64]| -> Vec<u64> {
        values[..values.len().min(days)].chunks(per_bar).map(|c| total(c.iter().copied())).collect()
    };
    let mut out: Vec<(String, Vec<u64>)> = Vec::new();
    let mut kinds: Vec<_> = series.activity.iter().filter(|(_, v)| v.iter().any(|n| *n > 0)).collect();
    kinds.sort_by_key(|(name, _)| name != "pat");
    for (name, values) in kinds {
        if out.len() < MOST_PANELS {
            out.push((kind(name).to_owned(), bars(values)));
        } else if let Some((last, sums)) = out.last_mut() {
            *last = "Further kinds".into();
            let more = bars(values);
            sums.resize(sums.len().max(more.len()), 0);
            for (sum, n) in sums.iter_mut().zip(more) {
                *sum = sum.saturating_add(n);
            }
        }
    }
    (out, per_bar)
}

impl Chart for Activity {
    fn name(&self) -> &'static str {
        "activity"
    }

    fn title(&self) -> &'static str {
        "Audited events over time (UTC) by kind of sign-in; each panel has its own scale up to its busiest bar"
    }

    fn describe(&self) -> &'static str {
        "When PATs and the other kinds of sign-in were at work, and where the log has gaps."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let all = total(series.activity.iter().flat_map(|(_, n)| n.iter().copied()));
        let pats = total(
            series.activity.iter().filter(|(name, _)| name == "pat").flat_map(|(_, n)| n.iter().copied()),
        );
        (all > 0).then(|| {
            format!(
                "PATs made {} of {} ({})",
                thousands(pats),
                counted(all, "audited event", "audited events"),
                percent(pats, all)
            )
        })
    }

    fn nothing(&self) -> &'static str {
        "The window holds no event"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 180 + 190 * panels(series).0.len().max(2) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let (panels, per_bar) = panels(series);
        let area = canvas.area;
        let (x0, x1) = (area.x0 + LABELS, area.x1);
        let bottom = area.y1 - 150;
        let axis = TimeAxis::days(series.days, x0, x1);
        axis.shade(canvas, Area::new(x0, area.y0, x1, bottom), &series.gaps);
        axis.draw(canvas, area.y0, bottom);
        let step = (bottom - area.y0) / panels.len().max(1) as i32;
        let first = day_start(sane_days(series.days).0);
        for (i, (name, bars)) in panels.iter().enumerate() {
            let top = area.y0 + step * i as i32;
            let base = top + step - 4;
            let most = bars.iter().copied().max().unwrap_or(0);
            let ink = if name == "PAT" { BLUE } else { NEUTRAL };
            canvas.label(&text::name(name), (area.x0, top + 62), STRONG, BLACK, Anchor::Start, LABELS - 30);
            let sum = total(bars.iter().copied());
            let words = counted(sum, "event", "events");
            canvas.label(&words, (area.x0, top + 104), SMALL, GREY, Anchor::Start, LABELS - 30);
            let unit = if per_bar == 1 { "busiest day" } else { "busiest bar" };
            let words = format!("{unit} {}", compact(most));
            canvas.label(&words, (area.x0, top + 144), SMALL, GREY, Anchor::Start, LABELS - 30);
            for (bar, n) in bars.iter().enumerate().filter(|(_, n)| **n > 0) {
                let at = |bar: usize| axis.x(first.saturating_add((bar * per_bar) as i64 * DAY));
                let (left, right) = (at(bar), at(bar + 1));
                let gap = if right - left > 8 { 3 } else { i32::from(right - left > 2) };
                let height = scale(*n, most, step - 34);
                canvas.fill(Area::new(left, base - height, (right - gap).max(left + 2), base), ink);
            }
            canvas.line((x0, base), (x1, base), if i + 1 == panels.len() { GREY } else { GRID }, 3);
        }
        let notes = axis.gap_note(&series.gaps).unwrap_or_else(|| "No gap in the log is known".into());
        let notes = format!("One bar is {}. {notes}", counted(per_bar as u64, "day", "days"));
        canvas.label(&notes, (area.x0, area.y1 - 30), SMALL, GREY, Anchor::Start, area.width());
    }
}

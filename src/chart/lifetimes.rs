//! Lifetimes and ends: a bar a token from creation to end date, the run's instant as a line, and the end in words.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{counted, thousands};
use super::text;
use super::theme::{self, BLACK, BLUE, BODY, GREY, Ink, SMALL, VERMILLION, WHITE};
use super::time_axis::{TimeAxis, day_label, sane};
use crate::model::time::{DAY, Micros, day_of, day_start};
use crate::report::series::{Lifetime, Series};

pub(super) struct Lifetimes;

/// Rows that one picture holds.
const MOST: usize = 40;
const ROW: i32 = 54;
const LABELS: i32 = 560;
/// Room for the end in words.
const ENDS: i32 = 500;
/// 2026-12-01: tokens for all organisations stop working, says Microsoft.
const GLOBAL_END: Micros = 20_788 * DAY;
/// A token that ends this soon goes before others.
const SOON: Micros = 14 * DAY;
/// Longest stretch before and after the run that the axis shows.
const REACH: i32 = 730;

/// The rows to show in the order of their end, and how many were left out.
///
/// Most urgent: live tokens that end soon or exceed the policy, then other live ones, then ended ones.
fn rows(series: &Series) -> (Vec<&Lifetime>, usize) {
    let rank = |row: &Lifetime| {
        let live = row.to >= series.as_of;
        let soon = row.to < series.as_of.saturating_add(SOON);
        match (live, soon || row.over_policy) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        }
    };
    let mut rows: Vec<_> = series.lifetimes.iter().collect();
    rows.sort_by(|a, b| (rank(a), a.to, a.from, &a.label).cmp(&(rank(b), b.to, b.from, &b.label)));
    let left_out = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    rows.sort_by(|a, b| (a.to, a.from, &a.label).cmp(&(b.to, b.from, &b.label)));
    (rows, left_out)
}

/// The axis: all shown lives, cut to two years around the run.
fn axis(series: &Series, rows: &[&Lifetime], x0: i32, x1: i32) -> TimeAxis {
    let today = day_of(sane(series.as_of));
    let from = rows.iter().map(|r| day_of(sane(r.from))).min().unwrap_or(today);
    let to = rows.iter().map(|r| day_of(sane(r.to))).max().unwrap_or(today);
    let low = from.clamp(today - REACH, today) - 1;
    let high = to.clamp(today, today + REACH) + 1;
    TimeAxis::days((low, high), x0, x1)
}

/// Says when a token ends, seen from the run.
fn end_words(row: &Lifetime, as_of: Micros) -> String {
    let day = day_label(day_of(sane(row.to)));
    let left = i64::from(day_of(sane(row.to))) - i64::from(day_of(sane(as_of)));
    match left {
        n if n.unsigned_abs() > 3_650 => day,
        0 if row.to >= as_of => format!("{day}, today"),
        0 => format!("{day}, ended today"),
        n if n > 0 => format!("{day}, in {} d", thousands(n.unsigned_abs())),
        n => format!("{day}, {} d ago", thousands(n.unsigned_abs())),
    }
}

fn limit(series: &Series) -> String {
    series.max_lifetime_days.map_or_else(
        || "the policy allows".to_owned(),
        |days| counted(u64::try_from(days).unwrap_or(0), "day", "days"),
    )
}

impl Chart for Lifetimes {
    fn name(&self) -> &'static str {
        "lifetimes"
    }

    fn title(&self) -> &'static str {
        "Life of each token from creation to end date (UTC), soonest end first"
    }

    fn describe(&self) -> &'static str {
        "Which tokens end soon, which live longer than the policy allows, and which reach all organisations."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let over = series.lifetimes.iter().filter(|r| r.over_policy).count() as u64;
        let all = series.lifetimes.len() as u64;
        let verb = if over == 1 { "lives" } else { "live" };
        let tokens = if all == 1 { "token" } else { "tokens" };
        (all > 0).then(|| {
            let limit = limit(series);
            format!("{} of {} {tokens} {verb} longer than {limit}", thousands(over), thousands(all))
        })
    }

    fn nothing(&self) -> &'static str {
        "No token has a known creation and end date"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 316 + ROW * rows(series).0.len().max(4) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let (rows, left_out) = rows(series);
        let area = canvas.area;
        let (x0, x1) = (area.x0 + LABELS, area.x1 - ENDS);
        let axis = axis(series, &rows, x0, x1);
        let top = area.y0 + 60;
        let bottom = top + ROW * rows.len().max(1) as i32;
        axis.draw(canvas, top, bottom);
        let as_of = axis.x(series.as_of);
        for (i, row) in rows.iter().enumerate() {
            let y = top + ROW * i as i32;
            let name = text::name(&row.label);
            let name = if row.all_orgs { format!("◆ {name}") } else { name };
            let ink = if row.to < series.as_of { GREY } else { BLACK };
            canvas.label(&name, (x0 - 24, y + 39), BODY, ink, Anchor::End, LABELS - 34);
            bar(canvas, &axis, row, series, y);
            canvas.label(
                &end_words(row, series.as_of),
                (x1 + 40, y + 39),
                BODY,
                ink,
                Anchor::Start,
                ENDS - 44,
            );
        }
        canvas.line((as_of, top - 14), (as_of, bottom), BLACK, 4);
        let words = format!("run, {}", day_label(day_of(sane(series.as_of))));
        let half = text::width(&words, SMALL) / 2 + 4;
        let run_at = as_of.clamp(x0 + half, x1 - half);
        canvas.text(&words, (run_at, top - 24), SMALL, BLACK, Anchor::Middle);
        if rows.iter().any(|row| row.all_orgs) && axis.holds(GLOBAL_END) {
            let x = axis.x(GLOBAL_END);
            for y in (top - 14..bottom).step_by(24) {
                canvas.line((x, y), (x, (y + 12).min(bottom)), VERMILLION, 4);
            }
            let words = "◆ end, 2026-12-01";
            let reach = text::width(words, SMALL) / 2 + 4;
            let at = x.clamp(x0 + reach, x1 - reach + ENDS);
            // Where the two words would touch, the line and the note below must do.
            if (at - run_at).abs() > half + reach + 20 {
                canvas.text(words, (at, top - 24), SMALL, VERMILLION, Anchor::Middle);
            }
        }
        canvas.text("Ends", (x1 + 40, top - 24), SMALL, GREY, Anchor::Start);
        notes(canvas, series, left_out, rows.len(), bottom);
    }
}

/// One life: full until its end, hatched where it exceeds the policy, pointed where the axis cuts it.
fn bar(canvas: &mut Canvas, axis: &TimeAxis, row: &Lifetime, series: &Series, y: i32) {
    let (from, to) = (sane(row.from), sane(row.to).max(sane(row.from)));
    let (left, right) = (axis.x(from), axis.x(to).max(axis.x(from) + 4));
    let (top, bottom) = (y + 11, y + ROW - 11);
    let ended = row.to < series.as_of;
    let ink: Ink = if ended { theme::NEUTRAL } else { BLUE };
    canvas.fill(Area::new(left, top, right, bottom), ink);
    if row.over_policy {
        let limit = series.max_lifetime_days.filter(|days| *days >= 0);
        let allowed = limit.map_or(from, |days| from.saturating_add(days.saturating_mul(DAY)).min(to));
        let excess = Area::new(axis.x(sane(allowed)).min(right - 8).max(left), top, right, bottom);
        canvas.bar(excess, VERMILLION, Hatch::Rising);
    }
    let middle = i32::midpoint(top, bottom);
    if !axis.holds(from) {
        canvas.polygon(&[(left - 16, middle), (left + 2, top), (left + 2, bottom)], ink);
    }
    if !axis.holds(to) {
        let ink = if row.over_policy { VERMILLION } else { ink };
        canvas.polygon(&[(right + 16, middle), (right - 2, top), (right - 2, bottom)], ink);
    }
    if let Some(last) = row.last_observed.filter(|last| axis.holds(*last)) {
        let x = axis.x(day_start(day_of(last)));
        canvas.fill(Area::new(x - 6, top - 5, x + 6, bottom + 5), WHITE);
        canvas.fill(Area::new(x - 3, top - 5, x + 3, bottom + 5), BLACK);
    }
}

fn notes(canvas: &mut Canvas, series: &Series, left_out: usize, shown: usize, bottom: i32) {
    let area = canvas.area;
    let over = match series.max_lifetime_days {
        Some(_) => format!("Hatched: beyond {}.", limit(series)),
        None => "Hatched: longer than the policy allows.".to_owned(),
    };
    let marks = format!("{over} Upright mark: last audited event. Grey: ended.");
    canvas.label(&marks, (area.x0, bottom + 112), SMALL, GREY, Anchor::Start, area.width());
    let global = "◆ reaches all organisations; the end date of such tokens is 2026-12-01.";
    canvas.label(global, (area.x0, bottom + 158), SMALL, GREY, Anchor::Start, area.width());
    let words = if left_out == 0 && shown == 1 {
        "The one token with known dates is shown.".to_owned()
    } else if left_out == 0 {
        format!("All {} with known dates are shown.", counted(shown as u64, "token", "tokens"))
    } else {
        format!(
            "{shown} of {} shown, {} left out: first those that end within 14 days or exceed the policy.",
            counted((shown + left_out) as u64, "token", "tokens"),
            thousands(left_out as u64)
        )
    };
    canvas.label(&words, (area.x0, bottom + 204), SMALL, GREY, Anchor::Start, area.width());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_time;

    #[test]
    fn the_end_of_global_tokens_is_the_day_microsoft_names() {
        assert_eq!(parse_time("2026-12-01T00:00:00Z"), Some(GLOBAL_END));
    }

    #[test]
    fn keeps_the_urgent_and_counts_the_rest() {
        let row = |to, over_policy| Lifetime {
            label: format!("t{to}"),
            from: 0,
            to,
            last_observed: None,
            all_orgs: false,
            over_policy,
        };
        let as_of = 1_000 * DAY;
        let mut series = Series { as_of, ..Series::default() };
        series.lifetimes = (0..100).map(|i| row((900 + i * 5) * DAY, i == 99)).collect();
        let (rows, left_out) = rows(&series);
        assert_eq!((rows.len(), left_out), (MOST, 60));
        assert!(rows.iter().all(|r| r.to >= as_of), "ended tokens are the least urgent");
        assert!(rows.last().expect("rows").over_policy, "policy excess is never left out first");
    }
}

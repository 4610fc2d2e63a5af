//! Findings by family and severity: a stacked bar a family, and beside it the numbers it is made of.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas};
use super::numbers::{counted, pick, scale, short, thousands, total};
use super::text;
use super::theme::{self, BLACK, BODY, GREY, HEADING, SEVERITY, STRONG, TRACK, WHITE};
use crate::report::series::Series;

pub(super) struct Findings;

/// The families there are; one more row would be data from elsewhere.
const MOST_ROWS: usize = 12;
/// Width of a column of numbers.
const COLUMN: i32 = 180;

fn rows(series: &Series) -> Vec<(String, [u64; 5])> {
    let mut rows: Vec<_> = series.findings.iter().take(MOST_ROWS).cloned().collect();
    let rest = series.findings.get(MOST_ROWS..).unwrap_or_default();
    if !rest.is_empty() {
        let sums = [0, 1, 2, 3, 4].map(|i| total(rest.iter().map(|(_, n)| n[i])));
        rows.push((format!("{} other families", rest.len()), sums));
    }
    rows
}

impl Chart for Findings {
    fn name(&self) -> &'static str {
        "findings"
    }

    fn title(&self) -> &'static str {
        "Number of findings by family and severity"
    }

    fn describe(&self) -> &'static str {
        "Which family of detections found most, and how severe the findings are."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let all = total(series.findings.iter().flat_map(|(_, n)| n.iter().copied()));
        let severe = total(series.findings.iter().flat_map(|(_, n)| n[3..].iter().copied()));
        // The first of equals, so that the words follow the order of the rows.
        let (family, most) = series
            .findings
            .iter()
            .map(|(family, n)| (family, total(n.iter().copied())))
            .reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let family = text::brief(family, 40);
        (all > 0).then(|| {
            format!(
                "{} of {} {} critical or high; the largest family is {family} ({})",
                thousands(severe),
                counted(all, "finding", "findings"),
                pick(severe, "is", "are"),
                thousands(most)
            )
        })
    }

    fn nothing(&self) -> &'static str {
        "No detection found anything"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 150 + 140 * rows(series).len().max(3) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let rows = rows(series);
        let area = canvas.area;
        let most = rows.iter().map(|(_, n)| total(n.iter().copied())).max().unwrap_or(0);
        let table = area.x1 - 6 * COLUMN;
        let (x0, x1) = (area.x0 + 330, table - 10);
        let head = area.y0 + 60;
        let right = |i: usize| table + (i as i32 + 1) * COLUMN;
        for (i, (name, ink, hatch)) in SEVERITY.iter().rev().enumerate() {
            // The swatch over each column makes the table the legend.
            let swatch = Area::new(right(i) - 120, head - 50 - 40, right(i), head - 50);
            canvas.bar(swatch, *ink, *hatch);
            canvas.text(name, (right(i), head), BODY, BLACK, Anchor::End);
        }
        canvas.text("all", (right(5), head), HEADING, BLACK, Anchor::End);
        for (row, (family, numbers)) in rows.iter().enumerate() {
            let top = head + 40 + 140 * row as i32;
            let (bottom, middle) = (top + 90, top + 57);
            canvas.label(&text::name(family), (x0 - 30, middle), BODY, BLACK, Anchor::End, 300);
            canvas.fill(Area::new(x0, top, x1, bottom), TRACK);
            let mut at = x0;
            for (i, (_, ink, hatch)) in SEVERITY.iter().enumerate().rev() {
                let end = (at + scale(numbers[i], most, x1 - x0)).min(x1);
                let part = Area::new(at, top, end, bottom);
                canvas.bar(part, *ink, *hatch);
                canvas.line((end, top), (end, bottom), WHITE, 3);
                at = end;
            }
            for (i, number) in numbers.iter().rev().enumerate() {
                let (words, ink) =
                    if *number == 0 { ("0".into(), GREY) } else { (short(*number, 99_999), BLACK) };
                canvas.text(&words, (right(i), middle), BODY, ink, Anchor::End);
            }
            let all = total(numbers.iter().copied());
            canvas.text(&short(all, 99_999), (right(5), middle), STRONG, BLACK, Anchor::End);
        }
    }
}

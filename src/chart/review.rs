//! Completeness of the access review: a bar an organisation with its tokens in force, decided, not done and open.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{counted, scale, thousands, total};
use super::text;
use super::theme::{self, BLACK, BODY, GREY, Ink, SMALL, STRONG, TRACK};
use crate::report::series::Series;

pub(super) struct Review;

/// Rows that one picture holds.
const MOST: usize = 30;
const ROW: i32 = 84;
const LABELS: i32 = 480;
const COUNTS: i32 = 410;

/// The states in the order of the series, with colour and hatch.
const STATES: [(&str, Ink, Hatch); 4] = [
    ("decided, done", theme::BLUE, Hatch::Plain),
    ("not done", theme::VERMILLION, Hatch::Rising),
    ("not known", theme::SKY, Hatch::Falling),
    ("open", theme::NEUTRAL, Hatch::Crossed),
];
/// Where the open tokens stand among the states.
const OPEN: usize = 3;

fn open_first(series: &Series) -> Vec<&(String, [u64; 4])> {
    let mut rows: Vec<_> = series.review.iter().collect();
    rows.sort_by(|a, b| b.1[OPEN].cmp(&a.1[OPEN]).then_with(|| a.0.cmp(&b.0)));
    rows
}

impl Chart for Review {
    fn name(&self) -> &'static str {
        "review"
    }

    fn title(&self) -> &'static str {
        "Tokens in force by what became of their review, by organisation, most open first"
    }

    fn describe(&self) -> &'static str {
        "How far the access review has come, and which decisions the log does not show as carried out."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        series.review_sentence.clone().filter(|_| !series.review.is_empty())
    }

    fn nothing(&self) -> &'static str {
        "No decision on a token is known and no review period is set"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 210 + ROW * series.review.len().clamp(3, MOST) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let rows = open_first(series);
        let shown = &rows[..rows.len().min(MOST)];
        let most = rows.iter().map(|(_, row)| total(*row)).max().unwrap_or(0);
        let area = canvas.area;
        let (x0, x1) = (area.x0 + LABELS, area.x1 - COUNTS);
        let mut x = x0;
        for (name, ink, hatch) in STATES {
            canvas.bar(Area::new(x, area.y0 + 12, x + 44, area.y0 + 44), ink, hatch);
            canvas.text(name, (x + 60, area.y0 + 40), BODY, GREY, Anchor::Start);
            x += 60 + text::width(name, BODY) + 60;
        }
        let top = area.y0 + 80;
        for (i, (org, row)) in shown.iter().enumerate() {
            let y = top + ROW * i as i32;
            let all = total(*row);
            canvas.label(&text::name(org), (x0 - 24, y + 50), BODY, BLACK, Anchor::End, LABELS - 30);
            let mut left = x0;
            canvas.fill(Area::new(x0, y + 16, x0 + scale(all, most, x1 - x0), y + 64), TRACK);
            for (number, (_, ink, hatch)) in row.iter().zip(STATES).filter(|(n, _)| **n > 0) {
                let right = (left + scale(*number, most, x1 - x0)).min(x1);
                canvas.bar(Area::new(left, y + 16, right, y + 64), ink, hatch);
                left = right;
            }
            let words = format!("{} of {}", thousands(all.saturating_sub(row[OPEN])), thousands(all));
            canvas.label(&words, (area.x1, y + 50), STRONG, BLACK, Anchor::End, COUNTS - 20);
        }
        let bottom = top + ROW * shown.len() as i32;
        let mut words = "At the right: decided tokens of those in force".to_owned();
        if rows.len() > shown.len() {
            let out = counted((rows.len() - shown.len()) as u64, "organisation", "organisations");
            words = format!("{words}. {out} with fewer open tokens left out");
        }
        canvas.label(&words, (area.x0, bottom + 60), SMALL, GREY, Anchor::Start, area.width());
    }
}

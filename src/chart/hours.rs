//! Hour of the week: a heat map of PAT events, each cell with its number.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Face};
use super::numbers::{compact, counted, percent, short, total};
use super::text;
use super::theme::{self, BLACK, BODY, GREY, SMALL, STRONG};
use crate::report::series::Series;

pub(super) struct Hours;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The 168 numbers, whatever the series holds.
fn cells(series: &Series) -> Vec<u64> {
    let mut cells = series.hours.clone();
    cells.resize(168, 0);
    cells
}

impl Chart for Hours {
    fn name(&self) -> &'static str {
        "hours"
    }

    fn title(&self) -> &'static str {
        "Number of PAT events by weekday and hour of the day (UTC) over the whole window"
    }

    fn describe(&self) -> &'static str {
        "At which hours of the week PATs work; machines run round the clock, people do not."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let cells = cells(series);
        let all = total(cells.iter().copied());
        let weekend = total(cells[120..].iter().copied());
        let top = cells.iter().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        (all > 0).then(|| {
            format!(
                "{} of {} on weekends; busiest hour: {} {:02}:00 UTC",
                percent(weekend, all),
                counted(all, "PAT event", "PAT events"),
                DAYS[top.0 / 24],
                top.0 % 24
            )
        })
    }

    fn nothing(&self) -> &'static str {
        "The window holds no PAT event"
    }

    fn height(&self, _series: &Series) -> i32 {
        1240
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let cells = cells(series);
        let most = cells.iter().copied().max().unwrap_or(0).max(1);
        let area = canvas.area;
        let (x0, x1) = (area.x0 + 230, area.x1 - 180);
        let (top, rows) = (area.y0 + 70, 100);
        let at = |hour: i32| x0 + (x1 - x0) * hour / 24;
        for hour in 0..24 {
            canvas.text(
                &format!("{hour:02}"),
                ((at(hour) + at(hour + 1)) / 2, top - 18),
                SMALL,
                GREY,
                Anchor::Middle,
            );
        }
        canvas.text("all", (area.x1, top - 18), SMALL, GREY, Anchor::End);
        for (day, name) in DAYS.iter().enumerate() {
            let y = top + rows * day as i32;
            canvas.text(name, (x0 - 24, y + 62), BODY, BLACK, Anchor::End);
            let row = &cells[day * 24..day * 24 + 24];
            for (hour, count) in row.iter().enumerate() {
                let (left, right) = (at(hour as i32), at(hour as i32 + 1));
                // The root spreads small numbers, which a straight scale would leave white.
                let ink = if *count == 0 {
                    theme::TRACK
                } else {
                    theme::heat(0.12 + 0.88 * (*count as f64 / most as f64).sqrt())
                };
                canvas.fill(Area::new(left + 2, y + 2, right - 2, y + rows - 2), ink);
                if *count > 0 {
                    let middle = ((left + right) / 2, y + 60);
                    let words = compact(*count);
                    let wide = text::width(&words, SMALL) > right - left - 10;
                    let face = if wide { Face { em: 25, bold: false } } else { SMALL };
                    canvas.text(&words, middle, face, theme::ink_on(ink), Anchor::Middle);
                }
            }
            let sum = short(total(row.iter().copied()), 99_999);
            canvas.text(&sum, (area.x1, y + 62), STRONG, BLACK, Anchor::End);
        }
        let words = "Hours in UTC, 09 stands for 09:00 to 09:59. Empty cells: no event. k = thousand, M = million, rounded down";
        canvas.label(words, (area.x0, top + 7 * rows + 56), SMALL, GREY, Anchor::Start, area.width());
    }
}

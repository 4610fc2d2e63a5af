//! Granted against used scopes: a matrix of scopes by what the log says of them, a bar and a number a cell.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{compact, counted, pick, scale, thousands, total};
use super::text;
use super::theme::{self, BLACK, BODY, GREY, GRID, HEADING, Ink, SMALL, TRACK};
use crate::report::series::{ScopeCount, Series};

pub(super) struct Scopes;

/// Rows that one picture holds.
const MOST: usize = 40;
const ROW: i32 = 54;
const LABELS: i32 = 640;

/// Column heads with colour and hatch.
const STATES: [(&str, &str, Ink, Hatch); 4] = [
    ("used", "an event needed it", theme::BLUE, Hatch::Plain),
    ("not seen", "use would have shown", theme::ORANGE, Hatch::Falling),
    ("cannot be seen", "use may leave no trace", theme::NEUTRAL, Hatch::Upright),
    ("beyond grant", "needed, not granted", theme::VERMILLION, Hatch::Crossed),
];

const fn numbers(row: &ScopeCount) -> [u64; 4] {
    [row.used, row.not_seen, row.cannot_be_seen, row.beyond_grant]
}

/// Tokens that hold the scope.
const fn held(row: &ScopeCount) -> u64 {
    row.used.saturating_add(row.not_seen).saturating_add(row.cannot_be_seen)
}

/// Most held first; equals by name, so that the order never depends on the input's.
fn rows(series: &Series) -> Vec<&ScopeCount> {
    let mut rows: Vec<_> = series.scopes.iter().filter(|row| numbers(row).iter().any(|n| *n > 0)).collect();
    rows.sort_by(|a, b| {
        (held(b), b.beyond_grant).cmp(&(held(a), a.beyond_grant)).then_with(|| a.scope.cmp(&b.scope))
    });
    rows
}

impl Chart for Scopes {
    fn name(&self) -> &'static str {
        "scopes"
    }

    fn title(&self) -> &'static str {
        "Number of tokens by scope and by what the log says of the scope's use; most held first"
    }

    fn describe(&self) -> &'static str {
        "Which granted scopes were used, which were not although use would have shown, and which the log cannot show."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let rows = rows(series);
        let held = total(rows.iter().map(|r| held(r)));
        let quiet = total(rows.iter().map(|r| r.not_seen));
        let beyond = total(rows.iter().map(|r| r.beyond_grant));
        let mut words = format!(
            "{} of {} {} no use that would have been seen",
            thousands(quiet),
            counted(held, "scope grant", "scope grants"),
            pick(quiet, "shows", "show")
        );
        if beyond > 0 {
            words = format!("{words}; {} beyond the grant", counted(beyond, "need", "needs"));
        }
        (!rows.is_empty()).then_some(words)
    }

    fn nothing(&self) -> &'static str {
        "No token has a known grant or a use that needs a scope"
    }

    fn height(&self, series: &Series) -> i32 {
        theme::HEAD + theme::FOOT + 210 + ROW * rows(series).len().clamp(4, MOST) as i32
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let rows = rows(series);
        let shown = &rows[..rows.len().min(MOST)];
        let most = rows.iter().flat_map(|r| numbers(r)).max().unwrap_or(0);
        let area = canvas.area;
        let column = (area.width() - LABELS) / 4;
        let head = area.y0 + 40;
        for (i, (name, words, _, _)) in STATES.iter().enumerate() {
            let x = area.x0 + LABELS + column * i as i32;
            canvas.label(name, (x, head), HEADING, BLACK, Anchor::Start, column - 20);
            canvas.label(words, (x, head + 44), SMALL, GREY, Anchor::Start, column - 20);
        }
        canvas.text("Scope", (area.x0, head), HEADING, BLACK, Anchor::Start);
        let top = head + 70;
        for (i, row) in shown.iter().enumerate() {
            let y = top + ROW * i as i32;
            if i % 2 == 0 {
                canvas.fill(Area::new(area.x0, y, area.x1, y + ROW), (248, 248, 248));
            }
            canvas.label(
                &text::name(&row.scope),
                (area.x0 + 8, y + 39),
                BODY,
                BLACK,
                Anchor::Start,
                LABELS - 40,
            );
            for (state, number) in numbers(row).into_iter().enumerate() {
                let (_, _, ink, hatch) = STATES[state];
                let x = area.x0 + LABELS + column * state as i32;
                // The number's room is kept free beside the longest bar.
                let room = column - 150;
                let bar = Area::new(x, y + 10, x + scale(number, most, room), y + ROW - 10);
                canvas.fill(Area::new(x, y + 10, x + 3, y + ROW - 10), GRID);
                canvas.bar(bar, ink, hatch);
                let (words, ink) = if number == 0 { ("0".into(), GREY) } else { (compact(number), BLACK) };
                canvas.text(&words, (bar.x1 + 16, y + 39), BODY, ink, Anchor::Start);
            }
        }
        let end = top + ROW * shown.len() as i32;
        canvas.fill(Area::new(area.x0, end, area.x1, end + 3), TRACK);
        let left_out = rows.len() - shown.len();
        let words = if left_out == 0 {
            format!("All {} of the tokens are shown", counted(rows.len() as u64, "scope", "scopes"))
        } else {
            let out = counted(left_out as u64, "scope", "scopes");
            format!("The {MOST} most held of {} scopes; {out} left out", thousands(rows.len() as u64))
        };
        canvas.label(&words, (area.x0, end + 56), SMALL, GREY, Anchor::Start, area.width());
    }
}

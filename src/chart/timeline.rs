//! One token's timeline: its life, its events per day, its networks and its clients on one axis.

use super::canvas::{Anchor, Area, Canvas};
use super::numbers::{compact, counted, scale, short, total};
use super::text;
use super::theme::{self, BLACK, BLUE, BODY, GREEN, GREY, GRID, HEADING, Ink, SMALL, TRACK, VERMILLION};
use super::time_axis::{TimeAxis, day_label, sane};
use crate::model::time::{DAY, Day, Micros, day_of, day_start};
use crate::report::series::{Lane, Series, TokenTimeline};

/// What is drawn.
pub(super) const TITLE: &str =
    "Life of the token, audited events per day, and the networks and clients they came from (UTC)";

const LABELS: i32 = 560;
const COUNTS: i32 = 270;
const ROW: i32 = 58;
const LIFE_ROW: i32 = 58;
const LIFE_ROWS: usize = 5;
const BARS: i32 = 300;
/// Networks, and clients, that are drawn apart.
const MOST_LANES: usize = 8;

/// The sentence on top.
pub(super) fn finding(timeline: &TokenTimeline) -> String {
    let label = text::brief(&timeline.label, 48);
    let events = total(timeline.per_day.iter().map(|(_, n)| *n));
    let days = timeline.per_day.iter().filter(|(_, n)| *n > 0).count() as u64;
    if events == 0 {
        return format!("{label}: no audited event in the window");
    }
    let mut words =
        format!("{label}: {} on {}", counted(events, "event", "events"), counted(days, "day", "days"));
    let parts = [
        ("from", timeline.networks.len(), "network", "networks"),
        ("with", timeline.clients.len(), "client", "clients"),
    ];
    for (link, number, one, many) in parts.into_iter().filter(|p| p.1 > 0) {
        words = format!("{words} {link} {}", counted(number as u64, one, many));
    }
    words
}

/// Lanes to draw, and the number left out.
fn shown(lanes: &[Lane]) -> (&[Lane], usize) {
    let n = lanes.len().min(MOST_LANES);
    (&lanes[..n], lanes.len() - n)
}

fn section(lanes: &[Lane]) -> i32 {
    let (shown, left_out) = shown(lanes);
    if lanes.is_empty() { 0 } else { 84 + ROW * shown.len() as i32 + if left_out > 0 { 44 } else { 0 } }
}

/// Draws the whole picture.
pub(super) fn picture(timeline: &TokenTimeline) -> Canvas {
    let source = theme::source(&Series { days: timeline.days, as_of: timeline.as_of, ..Series::default() });
    if timeline.per_day.is_empty() && timeline.life.is_empty() {
        return super::nothing(&finding(timeline), TITLE, &source);
    }
    let (x0, x1) = (theme::MARGIN + LABELS, theme::WIDTH - theme::MARGIN - COUNTS);
    let axis = TimeAxis::days(timeline.days, x0, x1);
    let (life, life_left_out) = place(&axis, &timeline.life, x0, theme::WIDTH - theme::MARGIN);
    let life_rows = life.iter().map(|l| l.row + 1).max().unwrap_or(1) as i32;
    let life_end = theme::HEAD + 20 + LIFE_ROW * life_rows;
    let bars_end = life_end + 30 + BARS;
    let lanes_end = bars_end + section(&timeline.networks) + section(&timeline.clients) + 20;
    let mut canvas = theme::frame(lanes_end + 150 + theme::FOOT, &finding(timeline), TITLE, &source);
    let canvas = &mut canvas;
    axis.shade(canvas, Area::new(x0, theme::HEAD, x1, lanes_end), &timeline.gaps);
    axis.draw(canvas, theme::HEAD, lanes_end);
    let as_of = axis.x(timeline.as_of);
    canvas.line((as_of, theme::HEAD), (as_of, lanes_end), BLACK, 3);
    draw_life(canvas, &life);
    draw_bars(canvas, timeline, &axis, (x0, x1), (life_end + 30, bars_end));
    let mut y = bars_end;
    for (head, lanes, ink) in [("Networks", &timeline.networks, BLUE), ("Clients", &timeline.clients, GREEN)]
    {
        draw_lanes(canvas, head, lanes, ink, &axis, (x0, x1), y);
        y += section(lanes);
    }
    let mut notes = axis.gap_note(&timeline.gaps).unwrap_or_else(|| "No gap in the log is known".into());
    if life_left_out > 0 {
        notes = format!("{} of its life left out. {notes}", counted(life_left_out as u64, "event", "events"));
    }
    let notes = format!("Black line: the run. {notes}");
    let room = canvas.area.width();
    canvas.label(&notes, (theme::MARGIN, lanes_end + 112), SMALL, GREY, Anchor::Start, room);
    canvas.clone()
}

/// A life event with its place.
struct Placed {
    words: String,
    x: i32,
    row: usize,
    /// Whether the words stand left of the mark.
    left: bool,
    /// -1 before the window, 1 after it.
    outside: i32,
}

/// Gives each life event the first row where its words touch no other; the rest is counted.
fn place(axis: &TimeAxis, life: &[(Micros, String)], x0: i32, x1: i32) -> (Vec<Placed>, usize) {
    let mut taken: [Vec<(i32, i32)>; LIFE_ROWS] = Default::default();
    let mut placed = Vec::new();
    let mut left_out = 0;
    for (time, what) in life {
        let time = sane(*time);
        let x = axis.x(time);
        let words = text::fit(&format!("{} {what}", day_label(day_of(time))), BODY, 780);
        let width = text::width(&words, BODY) + 40;
        let left = x + width > x1;
        let room = if left { (x - width, x + 24) } else { (x - 24, x + width) };
        let free = |row: &Vec<(i32, i32)>| row.iter().all(|(a, b)| room.1 <= *a || *b <= room.0);
        match taken.iter().position(free) {
            Some(row) if room.0 >= x0 - 24 => {
                taken[row].push(room);
                let outside = if axis.holds(time) {
                    0
                } else if x <= x0 {
                    -1
                } else {
                    1
                };
                placed.push(Placed { words, x, row, left, outside });
            }
            _ => left_out += 1,
        }
    }
    (placed, left_out)
}

fn draw_life(canvas: &mut Canvas, life: &[Placed]) {
    let (x, y) = (theme::MARGIN, theme::HEAD + 50);
    canvas.text("Life", (x, y), HEADING, BLACK, Anchor::Start);
    for event in life {
        let (x, y) = (event.x, theme::HEAD + 20 + LIFE_ROW * event.row as i32 + 22);
        // A diamond in the window, an arrow where the event lies outside.
        let points = match event.outside {
            0 => [(x - 14, y), (x, y - 14), (x + 14, y), (x, y + 14)],
            -1 => [(x - 8, y), (x + 14, y - 14), (x + 14, y + 14), (x - 8, y)],
            _ => [(x + 8, y), (x - 14, y - 14), (x - 14, y + 14), (x + 8, y)],
        };
        canvas.polygon(&points, VERMILLION);
        let (at, anchor) = if event.left { (x - 24, Anchor::End) } else { (x + 24, Anchor::Start) };
        // A plate keeps grid and gap lines out of the words.
        let width = text::width(&event.words, BODY);
        let left = if event.left { at - width } else { at };
        canvas.fill(Area::new(left - 6, y - 22, left + width + 6, y + 24), theme::WHITE);
        canvas.text(&event.words, (at, y + 12), BODY, BLACK, anchor);
    }
}

fn draw_bars(
    canvas: &mut Canvas,
    timeline: &TokenTimeline,
    axis: &TimeAxis,
    (x0, x1): (i32, i32),
    (top, base): (i32, i32),
) {
    let most = timeline.per_day.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let x = theme::MARGIN;
    canvas.text("Events per day", (x, top + 70), HEADING, BLACK, Anchor::Start);
    let words = format!("busiest day {}", compact(most));
    canvas.text(&words, (x, top + 114), SMALL, GREY, Anchor::Start);
    for (day, n) in &timeline.per_day {
        let height = scale(*n, most, base - top - 20);
        cell(canvas, axis, *day, BLUE, (base - height, base));
    }
    canvas.line((x0, base), (x1, base), GREY, 3);
    let events = total(timeline.per_day.iter().map(|(_, n)| *n));
    canvas.text("events", (theme::WIDTH - x, base - 56), SMALL, GREY, Anchor::End);
    canvas.text(&short(events, 9_999_999), (theme::WIDTH - x, base - 12), BODY, BLACK, Anchor::End);
}

/// Fills the part of a row that belongs to a day of the window.
fn cell(canvas: &mut Canvas, axis: &TimeAxis, day: Day, ink: Ink, (top, base): (i32, i32)) {
    // Asked first: the start of a day far outside cannot be computed.
    if axis.holds_day(day) {
        let (left, right) = (axis.x(day_start(day)), axis.x(day_start(day).saturating_add(DAY)));
        let gap = if right - left > 8 { 3 } else { 0 };
        canvas.fill(Area::new(left, top, (right - gap).max(left + 3), base), ink);
    }
}

fn draw_lanes(
    canvas: &mut Canvas,
    head: &str,
    lanes: &[Lane],
    ink: Ink,
    axis: &TimeAxis,
    (x0, x1): (i32, i32),
    top: i32,
) {
    if lanes.is_empty() {
        return;
    }
    let (lanes, left_out) = shown(lanes);
    canvas.text(head, (theme::MARGIN, top + 66), HEADING, BLACK, Anchor::Start);
    for (i, lane) in lanes.iter().enumerate() {
        let y = top + 84 + ROW * i as i32;
        canvas.label(
            &text::name(&lane.label),
            (theme::MARGIN, y + 38),
            BODY,
            BLACK,
            Anchor::Start,
            LABELS - 30,
        );
        if lane.days.is_empty() {
            let words = "days not known";
            canvas.text(words, (x0 + 16, y + 38), SMALL, GREY, Anchor::Start);
        } else {
            canvas.fill(Area::new(x0, y + 24, x1, y + 28), TRACK);
        }
        for (day, _) in lane.days.iter().filter(|(_, n)| *n > 0) {
            cell(canvas, axis, *day, ink, (y + 8, y + ROW - 12));
        }
        let words = short(lane.events, 999_999);
        canvas.text(&words, (theme::WIDTH - theme::MARGIN, y + 38), BODY, BLACK, Anchor::End);
    }
    let end = top + 84 + ROW * lanes.len() as i32;
    if left_out > 0 {
        let words = format!("and {left_out} more with fewer events");
        canvas.text(&words, (theme::MARGIN, end + 24), SMALL, GREY, Anchor::Start);
    }
    canvas.line((x0, end), (x1, end), GRID, 2);
}

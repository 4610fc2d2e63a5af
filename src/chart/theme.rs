//! The one look of all charts: size, font, colours, and the frame with finding, subtitle and source.
//!
//! In: a chart's words. Out: a canvas with the frame drawn. Sizes are pixels at 300 dpi, so that a picture
//! prints 8 inches wide and its smallest text at 7 points.

use std::sync::OnceLock;

use plotters::style::{FontStyle, register_font};

use super::canvas::{Anchor, Canvas, Face, Hatch};
use super::text;
use super::time_axis::{day_label, sane_days, time_label};
use crate::report::series::Series;

/// A colour as red, green, blue.
pub type Ink = (u8, u8, u8);

/// Width of every picture.
pub const WIDTH: i32 = 2400;
/// Usual height of a picture.
pub const HEIGHT: i32 = 1400;
/// Dots per metre that stand for 300 dpi.
pub const DOTS_PER_METRE: u32 = 11_811;
/// White border.
pub const MARGIN: i32 = 80;
/// Height that the frame takes above the plot.
pub const HEAD: i32 = 290;
/// Height that the frame takes below the plot.
pub const FOOT: i32 = 110;

/// The finding on top.
pub const TITLE: Face = Face { em: 54, bold: true };
/// The line under it, and column heads.
pub const HEADING: Face = Face { em: 35, bold: true };
/// Labels and numbers.
pub const BODY: Face = Face { em: 34, bold: false };
/// Emphasised numbers.
pub const STRONG: Face = Face { em: 34, bold: true };
/// Axis numbers, notes and the source.
pub const SMALL: Face = Face { em: 30, bold: false };

/// Ground.
pub const WHITE: Ink = (255, 255, 255);
/// Text.
pub const BLACK: Ink = (26, 26, 26);
/// Secondary text; 7:1 on white.
pub const GREY: Ink = (84, 84, 84);
/// Grid lines.
pub const GRID: Ink = (214, 214, 214);
/// Ground of bars' full length.
pub const TRACK: Ink = (240, 240, 240);
/// Marks that carry no message of their own.
pub const NEUTRAL: Ink = (140, 140, 140);
/// Okabe and Ito's blue: the main colour.
pub const BLUE: Ink = (0, 114, 178);
/// Their sky blue.
pub const SKY: Ink = (86, 180, 233);
/// Their orange.
pub const ORANGE: Ink = (230, 159, 0);
/// Their vermillion: what needs attention.
pub const VERMILLION: Ink = (213, 94, 0);
/// Their bluish green.
pub const GREEN: Ink = (0, 158, 115);
/// A brown darker than vermillion, so that the severities also order by lightness.
pub const BROWN: Ink = (127, 39, 4);

/// Colour and hatch per severity, info first.
pub const SEVERITY: [(&str, Ink, Hatch); 5] = [
    ("info", (200, 200, 200), Hatch::Plain),
    ("low", SKY, Hatch::Rising),
    ("medium", ORANGE, Hatch::Plain),
    ("high", VERMILLION, Hatch::Falling),
    ("critical", BROWN, Hatch::Plain),
];

/// The family that SVG text asks for, and the name the font is registered under. Both must be one text,
/// since plotters writes the name it draws with into the SVG.
pub const FAMILY: &str = "DejaVu Sans, sans-serif";

static REGISTERED: OnceLock<bool> = OnceLock::new();

/// Registers the compiled-in font on first use; `false` where the font data is broken.
pub fn registered() -> bool {
    *REGISTERED.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok()
            && register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold()).is_ok()
    })
}

/// The weight in plotters' words.
#[must_use]
pub const fn style(face: Face) -> FontStyle {
    if face.bold { FontStyle::Bold } else { FontStyle::Normal }
}

/// Draws ground, finding, subtitle and source, and leaves the rest as [`Canvas::area`].
#[must_use]
pub fn frame(height: i32, finding: &str, subtitle: &str, source: &str) -> Canvas {
    let mut canvas = Canvas::new(height);
    let room = WIDTH - 2 * MARGIN;
    let lines = text::balance(finding, TITLE, room, 2);
    // One line of title sits lower, so that the gap to the subtitle stays the same.
    let mut y = if lines.len() > 1 { 96 } else { 128 };
    for line in &lines {
        canvas.text(line, (MARGIN, y), TITLE, BLACK, Anchor::Start);
        y += 66;
    }
    canvas.label(subtitle, (MARGIN, y + 2), BODY, GREY, Anchor::Start, room);
    let base = height - 44;
    canvas.line((MARGIN, base - 48), (WIDTH - MARGIN, base - 48), GRID, 2);
    canvas.label(source, (MARGIN, base), SMALL, GREY, Anchor::Start, room);
    canvas.area.x0 = MARGIN;
    canvas.area.x1 = WIDTH - MARGIN;
    canvas.area.y0 = HEAD;
    canvas.area.y1 = height - FOOT;
    canvas
}

/// Names where the numbers come from, over which window, and the instant of the run.
#[must_use]
pub fn source(series: &Series) -> String {
    if series.days == (0, 0) && series.as_of == 0 {
        return "Source: Azure DevOps audit log; patwatch".into();
    }
    let (from, to) = sane_days(series.days);
    format!(
        "Source: Azure DevOps audit log, {} to {} (UTC), as of {}; patwatch",
        day_label(from),
        day_label(to),
        time_label(series.as_of)
    )
}

/// Black or white, whichever reads better on `ground`.
#[must_use]
pub fn ink_on(ground: Ink) -> Ink {
    let light = 299 * u32::from(ground.0) + 587 * u32::from(ground.1) + 114 * u32::from(ground.2);
    if light > 140_000 { BLACK } else { WHITE }
}

/// A step between white and the darkest blue, for heat maps.
#[must_use]
pub fn heat(part: f64) -> Ink {
    const RAMP: [(f64, f64, f64); 4] =
        [(240.0, 246.0, 251.0), (158.0, 202.0, 225.0), (49.0, 130.0, 189.0), (8.0, 48.0, 107.0)];
    let at = part.clamp(0.0, 1.0) * 3.0;
    let low = (at.floor() as usize).min(2);
    let (a, b, t) = (RAMP[low], RAMP[low + 1], at - low as f64);
    let mix = |a: f64, b: f64| (a + (b - a) * t).round() as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

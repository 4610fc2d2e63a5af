//! A picture as a list of shapes in pixels at 300 dpi. In: what a chart draws. Out: what [`render`](super::render) replays.
//!
//! Charts draw here and not on a backend, so that PNG and SVG have one geometry, and so that a test can
//! ask whether two texts overlap or leave the picture, which pixels cannot tell.

use super::text;
use super::theme::{Ink, WIDTH};

/// A rectangle; `x1` and `y1` lie outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x0: i32,
    /// Upper edge.
    pub y0: i32,
    /// Right edge.
    pub x1: i32,
    /// Lower edge.
    pub y1: i32,
}

impl Area {
    /// Builds a rectangle from its edges.
    #[must_use]
    pub const fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> i32 {
        self.x1 - self.x0
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> i32 {
        self.y1 - self.y0
    }
}

/// Which end of a text its position names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text starts there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// Size and weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// Em in pixels; 33 is 8 points at 300 dpi.
    pub em: i32,
    /// Whether it is bold.
    pub bold: bool,
}

/// Lines laid over a fill, so that it can be told apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hatch {
    /// No lines.
    Plain,
    /// Lines that rise to the right.
    Rising,
    /// Lines that fall to the right.
    Falling,
    /// Both.
    Crossed,
    /// Upright lines.
    Upright,
}

/// One shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A filled rectangle.
    Fill(Area, Ink),
    /// A line of some width.
    Line((i32, i32), (i32, i32), Ink, u32),
    /// A filled polygon.
    Polygon(Vec<(i32, i32)>, Ink),
    /// A text on a baseline.
    Text {
        /// Cleaned text.
        text: String,
        /// Horizontal position; the anchor says of what.
        x: i32,
        /// Baseline.
        y: i32,
        /// Size and weight.
        face: Face,
        /// Colour.
        ink: Ink,
        /// What `x` names.
        anchor: Anchor,
    },
}

/// The picture under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Height in pixels; the width is the theme's.
    pub height: i32,
    /// Where the chart may draw; the frame owns the rest.
    pub area: Area,
    /// What was drawn, in order.
    pub shapes: Vec<Shape>,
}

impl Canvas {
    /// Starts an empty picture.
    #[must_use]
    pub const fn new(height: i32) -> Self {
        Self { height, area: Area::new(0, 0, WIDTH, height), shapes: Vec::new() }
    }

    /// Fills a rectangle; nothing happens where it has no extent.
    pub fn fill(&mut self, area: Area, ink: Ink) {
        if area.width() > 0 && area.height() > 0 {
            self.shapes.push(Shape::Fill(area, ink));
        }
    }

    /// Draws a line.
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), ink: Ink, width: u32) {
        self.shapes.push(Shape::Line(from, to, ink, width));
    }

    /// Draws the four edges of a rectangle.
    pub fn outline(&mut self, area: Area, ink: Ink, width: u32) {
        let Area { x0, y0, x1, y1 } = area;
        for (from, to) in
            [((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))]
        {
            self.line(from, to, ink, width);
        }
    }

    /// Fills a rectangle that can be told from others without colour.
    pub fn bar(&mut self, area: Area, ink: Ink, hatch: Hatch) {
        self.fill(area, ink);
        if hatch != Hatch::Plain && area.width() > 0 && area.height() > 0 {
            self.hatch(area, hatch, super::theme::WHITE);
            // Without an edge the last line of the hatch eats the end of the bar.
            let Area { x0, y0, x1, y1 } = area;
            self.outline(Area::new(x0 + 1, y0 + 1, x1 - 1, y1 - 1), ink, 3);
        }
    }

    /// Fills a polygon.
    pub fn polygon(&mut self, points: &[(i32, i32)], ink: Ink) {
        self.shapes.push(Shape::Polygon(points.to_vec(), ink));
    }

    /// Writes one line of text on the baseline `y`; hostile characters do not survive.
    pub fn text(&mut self, text: &str, (x, y): (i32, i32), face: Face, ink: Ink, anchor: Anchor) {
        let text = text::clean(text);
        if !text.is_empty() {
            self.shapes.push(Shape::Text { text, x, y, face, ink, anchor });
        }
    }

    /// Writes `text` cut to `room` pixels.
    pub fn label(&mut self, text: &str, at: (i32, i32), face: Face, ink: Ink, anchor: Anchor, room: i32) {
        let text = text::fit(text, face, room);
        self.text(&text, at, face, ink, anchor);
    }

    /// Lays hatch lines over a rectangle. Lines of neighbours continue each other, since they hang on
    /// the picture's origin and not on the rectangle's.
    pub fn hatch(&mut self, area: Area, hatch: Hatch, ink: Ink) {
        const STEP: i32 = 18;
        const WIDTH: u32 = 3;
        let Area { x0, y0, x1, y1 } = area;
        if area.width() <= 0 || area.height() <= 0 {
            return;
        }
        let first = |low: i32| low + (STEP - low.rem_euclid(STEP)) % STEP;
        if matches!(hatch, Hatch::Rising | Hatch::Crossed) {
            for c in (first(x0 + y0)..x1 + y1).step_by(STEP as usize) {
                let (left, right) = (x0.max(c - y1), x1.min(c - y0));
                self.line((left, c - left), (right, c - right), ink, WIDTH);
            }
        }
        if matches!(hatch, Hatch::Falling | Hatch::Crossed) {
            for c in (first(x0 - y1)..x1 - y0).step_by(STEP as usize) {
                let (left, right) = (x0.max(c + y0), x1.min(c + y1));
                self.line((left, left - c), (right, right - c), ink, WIDTH);
            }
        }
        if hatch == Hatch::Upright {
            for x in (first(x0 + 1)..x1).step_by(STEP as usize) {
                self.line((x, y0), (x, y1), ink, WIDTH);
            }
        }
    }
}

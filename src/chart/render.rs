//! Replays a picture on plotters' backends. In: a [`Canvas`]. Out: PNG bytes at 300 dpi, or SVG text.
//!
//! No system font is touched, and nothing in the output names a machine or a time, so equal
//! pictures are equal bytes.

use std::collections::HashSet;

use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, PathElement, Polygon, RGBColor, Rectangle,
    SVGBackend, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, TextStyle};

use super::ChartError;
use super::canvas::{Anchor, Canvas, Shape};
use super::theme::{self, FAMILY, Ink, WIDTH};

/// How a backend turns a text size and its upper edge into what it draws; the two of plotters differ.
#[derive(Clone, Copy)]
struct Metrics {
    /// Size to ask for, in em.
    size: f64,
    /// Distance from the upper edge to the baseline, in the size asked for.
    baseline: f64,
    /// Whether letters are set one by one, since the backend spaces them unevenly.
    by_letter: bool,
}

/// The bitmap backend: size is ascent plus descent (1.164 em), baseline half a size down.
const BITMAP: Metrics = Metrics { size: 1.164, baseline: 0.5, by_letter: true };
/// The SVG backend: font-size is size / 1.24, the baseline 0.76 of that down.
const VECTOR: Metrics = Metrics { size: 1.24, baseline: 0.76 / 1.24, by_letter: false };

const fn colour(ink: Ink) -> RGBColor {
    RGBColor(ink.0, ink.1, ink.2)
}

fn replay<B: DrawingBackend>(
    canvas: &Canvas,
    target: &DrawingArea<B, Shift>,
    metrics: Metrics,
) -> Result<(), ChartError> {
    let failed = |e: &dyn std::fmt::Display| ChartError::Draw(e.to_string());
    target.fill(&colour(theme::WHITE)).map_err(|e| failed(&e))?;
    for shape in &canvas.shapes {
        let drawn = match shape {
            Shape::Fill(area, ink) => target.draw(&Rectangle::new(
                [(area.x0, area.y0), (area.x1, area.y1)],
                ShapeStyle::from(colour(*ink)).filled(),
            )),
            Shape::Line(from, to, ink, width) => target.draw(&PathElement::new(
                vec![*from, *to],
                ShapeStyle::from(colour(*ink)).stroke_width(*width),
            )),
            Shape::Polygon(points, ink) => {
                target.draw(&Polygon::new(points.clone(), ShapeStyle::from(colour(*ink)).filled()))
            }
            Shape::Text { text, x, y, face, ink, anchor } => {
                let size = f64::from(face.em) * metrics.size;
                let top = y - (size * metrics.baseline).round() as i32;
                let h_pos = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let font = FontDesc::new(FontFamily::Name(FAMILY), size, theme::style(*face));
                let ink = colour(*ink);
                let style = TextStyle::from(font).color(&ink);
                let letters = super::metrics::of(*face).filter(|_| metrics.by_letter);
                match letters {
                    Some(letters) => {
                        let width = letters.width(text, face.em);
                        let left = match anchor {
                            Anchor::Start => *x,
                            Anchor::Middle => x - width / 2,
                            Anchor::End => x - width,
                        };
                        letters.place(text, face.em).into_iter().try_for_each(|(c, at)| {
                            target.draw(&Text::new(c.to_string(), (left + at, top), style.clone()))
                        })
                    }
                    None => {
                        let style = style.pos(Pos::new(h_pos, VPos::Top));
                        target.draw(&Text::new(text.as_str(), (*x, top), style))
                    }
                }
            }
        };
        drawn.map_err(|e| failed(&e))?;
    }
    target.present().map_err(|e| failed(&e))
}

/// Every ink that the picture uses on purpose.
fn inks(canvas: &Canvas) -> HashSet<Ink> {
    let ink = |shape: &Shape| match shape {
        Shape::Fill(_, ink)
        | Shape::Line(_, _, ink, _)
        | Shape::Polygon(_, ink)
        | Shape::Text { ink, .. } => *ink,
    };
    canvas.shapes.iter().map(ink).chain([theme::WHITE]).collect()
}

/// Draws the picture as rows of red, green, blue.
pub(super) fn pixels(canvas: &Canvas) -> Result<Vec<u8>, ChartError> {
    if !theme::registered() {
        return Err(ChartError::Font);
    }
    let (width, height) = (WIDTH as u32, canvas.height.max(1) as u32);
    let mut pixels = vec![255_u8; width as usize * height as usize * 3];
    let target = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
    replay(canvas, &target, BITMAP)?;
    drop(target);
    Ok(pixels)
}

/// Draws the picture as PNG with 300 dpi noted in it.
pub(super) fn png(canvas: &Canvas) -> Result<Vec<u8>, ChartError> {
    let (width, height) = (WIDTH as u32, canvas.height.max(1) as u32);
    let pixels = pixels(canvas)?;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    let indexed = super::palette::index(&pixels, width as usize, &inks(canvas));
    let data = match indexed {
        Some(indexed) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(indexed.colours);
            indexed.pixels
        }
        None => {
            encoder.set_color(png::ColorType::Rgb);
            pixels
        }
    };
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    // Flat colours compress best unfiltered.
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: theme::DOTS_PER_METRE,
        yppu: theme::DOTS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    let failed = |e: png::EncodingError| ChartError::Draw(e.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&data).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

/// Draws the picture as SVG that carries its finding and description for screen readers.
pub(super) fn svg(canvas: &Canvas, finding: &str, describe: &str) -> Result<String, ChartError> {
    if !theme::registered() {
        return Err(ChartError::Font);
    }
    let mut drawn = String::new();
    {
        let target = SVGBackend::with_string(&mut drawn, (WIDTH as u32, canvas.height.max(1) as u32))
            .into_drawing_area();
        replay(canvas, &target, VECTOR)?;
    }
    // plotters sizes the picture in its own pixels; on a screen half of that is right, and a page
    // that embeds it can still scale it by its viewBox.
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>{body}",
        WIDTH / 2,
        canvas.height / 2,
        WIDTH,
        canvas.height,
        escape(&super::text::clean(finding)),
        escape(&super::text::clean(describe)),
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

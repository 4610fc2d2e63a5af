//! Charts for print and screen. In: the report's [`Series`], or one token's [`TokenTimeline`]. Out: PNG or SVG.
//!
//! One file a chart, each listed once in [`list`]. A chart states its finding as a sentence computed from
//! the data and records shapes on a [`Canvas`](canvas::Canvas); [`theme`] owns the look, [`render`] the files.
//! Nothing is read by colour alone: every number that matters is written, and fills carry hatches.

pub mod canvas;
mod metrics;
pub mod numbers;
mod palette;
mod render;
pub mod text;
pub mod theme;
pub mod time_axis;

mod activity;
mod ages;
mod coverage;
pub mod evaluation;
mod findings;
mod hours;
mod lifetimes;
mod review;
mod risk;
mod scopes;
mod timeline;
mod verdicts;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use crate::report::series::{Series, TokenTimeline};
use canvas::{Anchor, Area, Canvas};

/// A chart of the whole run.
pub trait Chart: Sync {
    /// The word the command line takes, and the name of the file.
    fn name(&self) -> &'static str;

    /// What is drawn and in which unit: the line under the finding.
    fn title(&self) -> &'static str;

    /// What a reader learns from it, in one sentence.
    fn describe(&self) -> &'static str;

    /// The finding as a sentence, or nothing where there is nothing to draw.
    fn finding(&self, series: &Series) -> Option<String>;

    /// What to say where there is nothing to draw.
    fn nothing(&self) -> &'static str;

    /// Height of the picture in pixels.
    fn height(&self, _series: &Series) -> i32 {
        theme::HEIGHT
    }

    /// Draws inside [`Canvas::area`]; only called when there is a finding.
    fn draw(&self, series: &Series, canvas: &mut Canvas);
}

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// No chart has that name.
    #[error("there is no chart \"{name}\"; the charts are {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The font in the program is broken.
    #[error("the font built into patwatch cannot be read; rebuild patwatch with an unchanged dejavu crate")]
    Font,
    /// The picture could not be drawn or encoded.
    #[error("the chart could not be drawn: {0}; please report this with the command line used")]
    Draw(String),
}

/// Every chart, in the order reports show them.
#[must_use]
pub fn list() -> &'static [&'static dyn Chart] {
    &[
        &verdicts::Verdicts,
        &findings::Findings,
        &activity::Activity,
        &lifetimes::Lifetimes,
        &scopes::Scopes,
        &ages::Ages,
        &risk::Risk,
        &hours::Hours,
        &review::Review,
        &coverage::Coverage,
    ]
}

fn names() -> String {
    list().iter().map(|chart| chart.name()).collect::<Vec<_>>().join(", ")
}

/// Draws the chart `name` as PNG at print resolution.
///
/// # Errors
///
/// When no chart has that name, or the picture cannot be encoded.
pub fn png(name: &str, series: &Series) -> Result<Vec<u8>, ChartError> {
    render::png(&picture(find(name)?, series))
}

/// Draws the chart `name` as SVG.
///
/// # Errors
///
/// When no chart has that name, or the picture cannot be drawn.
pub fn svg(name: &str, series: &Series) -> Result<String, ChartError> {
    let chart = find(name)?;
    render::svg(&picture(chart, series), &headline(chart, series), chart.describe())
}

/// Draws one token's timeline as PNG at print resolution.
///
/// # Errors
///
/// When the picture cannot be encoded.
pub fn timeline_png(timeline: &TokenTimeline) -> Result<Vec<u8>, ChartError> {
    render::png(&timeline::picture(timeline))
}

/// Draws one token's timeline as SVG.
///
/// # Errors
///
/// When the picture cannot be drawn.
pub fn timeline_svg(timeline: &TokenTimeline) -> Result<String, ChartError> {
    render::svg(&timeline::picture(timeline), &timeline::finding(timeline), timeline::TITLE)
}

/// Draws an evaluation as PNG at print resolution.
///
/// # Errors
///
/// When the picture cannot be encoded.
pub fn evaluation_png(board: &evaluation::Scoreboard) -> Result<Vec<u8>, ChartError> {
    render::png(&evaluation::picture(board))
}

/// Draws an evaluation as SVG.
///
/// # Errors
///
/// When the picture cannot be drawn.
pub fn evaluation_svg(board: &evaluation::Scoreboard) -> Result<String, ChartError> {
    render::svg(&evaluation::picture(board), &evaluation::finding(board), evaluation::TITLE)
}

/// The sentence on top of a chart, also for captions and alternative texts.
#[must_use]
pub fn headline(chart: &dyn Chart, series: &Series) -> String {
    chart.finding(series).unwrap_or_else(|| chart.nothing().to_owned())
}

fn find(name: &str) -> Result<&'static dyn Chart, ChartError> {
    list()
        .iter()
        .copied()
        .find(|chart| chart.name() == name)
        .ok_or_else(|| ChartError::Unknown { name: text::clean(name) })
}

fn picture(chart: &dyn Chart, series: &Series) -> Canvas {
    let source = theme::source(series);
    match chart.finding(series) {
        Some(finding) => {
            let mut canvas = theme::frame(chart.height(series), &finding, chart.title(), &source);
            chart.draw(series, &mut canvas);
            canvas
        }
        None => nothing(chart.nothing(), chart.title(), &source),
    }
}

/// A small picture that says in words that there is nothing to draw.
fn nothing(why: &str, title: &str, source: &str) -> Canvas {
    let mut canvas = theme::frame(640, why, title, source);
    let at = ((canvas.area.x0 + canvas.area.x1) / 2, (canvas.area.y0 + canvas.area.y1) / 2 - 5);
    let plate = Area { y1: canvas.area.y1 - 30, ..canvas.area };
    canvas.outline(plate, theme::GRID, 2);
    canvas.text("Nothing to draw", at, theme::BODY, theme::GREY, Anchor::Middle);
    canvas
}

//! Distribution of the tokens' risk: a column for every ten points, with its number.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{compact, counted, pick, scale, thousands, total};
use super::theme::{BLACK, BLUE, BODY, GREY, SMALL, STRONG, VERMILLION};
use crate::report::series::Series;

pub(super) struct Risk;

/// From here on a score is called high.
const HIGH: f64 = 50.0;

/// Scores from 0 to 100; one that is no number says nothing and is left out.
fn scores(series: &Series) -> Vec<f64> {
    series.risks.iter().filter(|r| !r.is_nan()).map(|r| r.clamp(0.0, 100.0)).collect()
}

impl Chart for Risk {
    fn name(&self) -> &'static str {
        "risk"
    }

    fn title(&self) -> &'static str {
        "Number of tokens by risk in points from 0 to 100"
    }

    fn describe(&self) -> &'static str {
        "Whether risk lies on a few tokens or on many; the dossier of each token says what its points are made of."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let scores = scores(series);
        let high = scores.iter().filter(|r| **r >= HIGH).count() as u64;
        let top = scores.iter().copied().reduce(f64::max)?;
        let all = counted(scores.len() as u64, "token", "tokens");
        Some(format!(
            "{} of {all} {} {HIGH:.0} points of risk; the highest has {top:.0}",
            thousands(high),
            pick(high, "reaches", "reach")
        ))
    }

    fn nothing(&self) -> &'static str {
        "No token is known, so there is no risk to show"
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let scores = scores(series);
        let mut bins = [0_u64; 10];
        for score in &scores {
            bins[((score / 10.0) as usize).min(9)] += 1;
        }
        let most = bins.iter().copied().max().unwrap_or(0);
        let area = canvas.area;
        let (top, base) = (area.y0 + 60, area.y1 - 130);
        let step = area.width() / 10;
        for (i, count) in bins.iter().enumerate() {
            let left = area.x0 + step * i as i32;
            let bar = Area::new(left + 8, base - scale(*count, most, base - top), left + step - 8, base);
            let high = i as f64 * 10.0 >= HIGH;
            let (ink, hatch) = if high { (VERMILLION, Hatch::Rising) } else { (BLUE, Hatch::Plain) };
            canvas.bar(bar, ink, hatch);
            let (words, ink) = if *count == 0 { ("0".into(), GREY) } else { (compact(*count), BLACK) };
            canvas.text(&words, (left + step / 2, bar.y0 - 16), STRONG, ink, Anchor::Middle);
            let label = if i == 9 { "90–100".to_owned() } else { format!("{}–{}", i * 10, i * 10 + 9) };
            canvas.text(&label, (left + step / 2, base + 50), BODY, BLACK, Anchor::Middle);
        }
        canvas.line((area.x0, base), (area.x1, base), GREY, 3);
        let sum = total(bins);
        let words = format!(
            "Points of risk, rounded down. Hatched: {HIGH:.0} points and more. {}",
            counted(sum, "token", "tokens")
        );
        canvas.label(&words, (area.x0, area.y1 - 20), SMALL, GREY, Anchor::Start, area.width());
    }
}

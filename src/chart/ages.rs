//! Age since creation, or since one token replaced another: a column an age class, with its number.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{compact, counted, percent, pick, scale, thousands, total};
use super::theme::{BLACK, BLUE, BODY, GREY, SMALL, STRONG, VERMILLION};
use crate::report::series::Series;

pub(super) struct Ages;

/// Classes that have room side by side.
const MOST: usize = 12;

/// Age classes: label, tokens, and the days that every token in it has passed.
fn classes(series: &Series) -> Vec<(String, u64, i64)> {
    let mut out = Vec::new();
    let mut low = 0_i64;
    let last = series.ages.len().min(MOST).saturating_sub(1);
    for (i, (upper, tokens)) in series.ages.iter().take(MOST).enumerate() {
        let tokens = if i == last { total(series.ages[i..].iter().map(|(_, n)| *n)) } else { *tokens };
        let past = if i == 0 { 0 } else { low.saturating_sub(1) };
        let label = match (i == 0, i == last) {
            (true, true) => "any age".to_owned(),
            (true, false) => format!("up to {}", days(*upper)),
            (false, true) => format!("over {}", days(past)),
            (false, false) => format!("{}–{}", days(low), days(*upper)),
        };
        out.push((label, tokens, past));
        low = upper.saturating_add(1);
    }
    out
}

/// Writes a number of days; a class may have a bound no calendar holds.
fn days(number: i64) -> String {
    thousands(u64::try_from(number).unwrap_or(0).min(99_999))
}

/// The bound that the finding speaks of: the policy's where the classes have it, else the highest that
/// some token has passed.
fn bound(series: &Series, classes: &[(String, u64, i64)]) -> i64 {
    let policy = series.max_lifetime_days.filter(|days| classes.iter().any(|c| c.2 == *days));
    policy.unwrap_or_else(|| classes.iter().filter(|c| c.1 > 0).map(|c| c.2).max().unwrap_or(0))
}

impl Chart for Ages {
    fn name(&self) -> &'static str {
        "ages"
    }

    fn title(&self) -> &'static str {
        "Number of tokens by days since creation or last rotation"
    }

    fn describe(&self) -> &'static str {
        "How long ago the tokens were made, or one replaced another; a longer end date renews nothing, and a regeneration does not show."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let classes = classes(series);
        let all = total(classes.iter().map(|c| c.1));
        let bound = bound(series, &classes);
        let over = total(classes.iter().filter(|c| c.2 >= bound).map(|c| c.1));
        (all > 0).then(|| {
            let tokens = counted(all, "token", "tokens");
            if bound > 0 {
                format!(
                    "{} of {tokens} {} made or last rotated more than {} days ago",
                    thousands(over),
                    pick(over, "was", "were"),
                    days(bound)
                )
            } else {
                let label = classes.first().map_or("", |c| c.0.as_str());
                match classes.len() {
                    1 => format!("{tokens} of known age"),
                    _ => format!(
                        "All {tokens} {} made or last rotated {label} days ago",
                        pick(all, "was", "were")
                    ),
                }
            }
        })
    }

    fn nothing(&self) -> &'static str {
        "No token has a known age"
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let classes = classes(series);
        let bound = bound(series, &classes);
        let all = total(classes.iter().map(|c| c.1));
        let most = classes.iter().map(|c| c.1).max().unwrap_or(0);
        let area = canvas.area;
        let (top, base) = (area.y0 + 80, area.y1 - 130);
        let step = area.width() / classes.len().max(1) as i32;
        let half = (step / 2 - 14).min(150);
        for (i, (label, tokens, past)) in classes.iter().enumerate() {
            let x = area.x0 + step * i as i32 + step / 2;
            let bar = Area::new(x - half, base - scale(*tokens, most, base - top), x + half, base);
            let old = bound > 0 && *past >= bound;
            let (ink, hatch) = if old { (VERMILLION, Hatch::Rising) } else { (BLUE, Hatch::Plain) };
            canvas.bar(bar, ink, hatch);
            let face = if step < 260 { SMALL } else { STRONG };
            canvas.label(&compact(*tokens), (x, bar.y0 - 52), face, BLACK, Anchor::Middle, step - 10);
            canvas.label(&percent(*tokens, all), (x, bar.y0 - 14), SMALL, GREY, Anchor::Middle, step - 10);
            let face = if step < 260 { SMALL } else { BODY };
            canvas.label(label, (x, base + 50), face, BLACK, Anchor::Middle, step - 6);
        }
        canvas.line((area.x0, base), (area.x1, base), GREY, 3);
        let words = if bound > 0 {
            format!("Days since creation or last rotation. Hatched: more than {} days", days(bound))
        } else {
            "Days since creation or last rotation".to_owned()
        };
        canvas.label(&words, (area.x0, area.y1 - 20), SMALL, GREY, Anchor::Start, area.width());
    }
}

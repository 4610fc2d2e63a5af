//! Tokens by use verdict: one bar a verdict with number, share and what the word means.

use super::Chart;
use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{counted, percent, scale, short, thousands, total};
use super::text;
use super::theme::{self, BLACK, BODY, GREY, Ink, SMALL, STRONG, TRACK};
use crate::model::verdict::UseState;
use crate::report::series::Series;

pub(super) struct Verdicts;

/// What each verdict means, with its colour and hatch.
fn meaning(verdict: UseState) -> (&'static str, Ink, Hatch) {
    match verdict {
        UseState::Observed => ("made an audited event in the window", theme::BLUE, Hatch::Plain),
        UseState::Possible => {
            ("usage records show such a PAT of the owner, not which one", theme::SKY, Hatch::Rising)
        }
        UseState::NotObserved => {
            ("no audited event in enough covered days; reads leave no trace", theme::ORANGE, Hatch::Falling)
        }
        UseState::RuledOut => {
            ("usage records show no PAT call by the owner at all", theme::VERMILLION, Hatch::Plain)
        }
        UseState::NotJudged => ("the evidence does not carry an answer", theme::NEUTRAL, Hatch::Crossed),
    }
}

/// Every known verdict with its number, then whatever else the series holds.
fn rows(series: &Series) -> Vec<(String, u64, &'static str, Ink, Hatch)> {
    let count = |name: &str| total(series.verdicts.iter().filter(|(n, _)| n == name).map(|(_, c)| *c));
    let mut rows: Vec<_> = UseState::ALL
        .iter()
        .map(|v| {
            let (words, ink, hatch) = meaning(*v);
            (v.as_str().to_owned(), count(v.as_str()), words, ink, hatch)
        })
        .collect();
    let known = |name: &str| UseState::ALL.iter().any(|v| v.as_str() == name);
    let others = total(series.verdicts.iter().filter(|(n, _)| !known(n)).map(|(_, c)| *c));
    if others > 0 {
        rows.push((
            "other".into(),
            others,
            "a verdict this chart does not know",
            theme::NEUTRAL,
            Hatch::Upright,
        ));
    }
    rows
}

impl Chart for Verdicts {
    fn name(&self) -> &'static str {
        "verdicts"
    }

    fn title(&self) -> &'static str {
        "Is the token used? Number and share of tokens by verdict"
    }

    fn describe(&self) -> &'static str {
        "How many tokens were seen at work, how many were not, and for how many the log carries no answer."
    }

    fn finding(&self, series: &Series) -> Option<String> {
        let rows = rows(series);
        let all = total(rows.iter().map(|r| r.1));
        let of = |state: UseState| total(rows.iter().filter(|r| r.0 == state.as_str()).map(|r| r.1));
        (all > 0).then(|| {
            let changed = format!(
                "{} of {} made an audited event",
                thousands(of(UseState::Observed)),
                counted(all, "token", "tokens")
            );
            match of(UseState::RuledOut) {
                0 => changed,
                n => format!("{changed}; usage records rule {} out", counted(n, "token", "tokens")),
            }
        })
    }

    fn nothing(&self) -> &'static str {
        "No token is known, so none is judged"
    }

    fn draw(&self, series: &Series, canvas: &mut Canvas) {
        let rows = rows(series);
        let all = total(rows.iter().map(|r| r.1));
        let area = canvas.area;
        let numbers = 420;
        let bar_x1 = area.x1 - numbers;
        let step = area.height() / rows.len() as i32;
        for (i, (name, count, words, ink, hatch)) in rows.iter().enumerate() {
            let y = area.y0 + step * i as i32;
            canvas.text(name, (area.x0, y + 44), STRONG, BLACK, Anchor::Start);
            let after = area.x0 + text::width(name, STRONG) + 30;
            canvas.label(words, (after, y + 44), BODY, GREY, Anchor::Start, area.x1 - after);
            let (top, bottom) = (y + 66, y + 66 + (step - 100).clamp(40, 90));
            canvas.fill(Area::new(area.x0, top, bar_x1, bottom), TRACK);
            let bar = Area::new(area.x0, top, area.x0 + scale(*count, all, bar_x1 - area.x0), bottom);
            canvas.bar(bar, *ink, *hatch);
            let middle = (top + bottom) / 2 + 12;
            canvas.text(&short(*count, 9_999_999), (area.x1 - 170, middle), STRONG, BLACK, Anchor::End);
            canvas.text(&percent(*count, all), (area.x1, middle), SMALL, GREY, Anchor::End);
        }
    }
}

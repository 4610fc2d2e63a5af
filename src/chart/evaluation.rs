//! Recall of each simulated attack, by the pack and by other rules, and what each costs in false alerts.
//!
//! In: a [`Scoreboard`], filled by the command line from an evaluation. Out: a picture. A bar a set of rules,
//! the numbers beside it; the swatches over the columns are the legend.

use super::canvas::{Anchor, Area, Canvas, Hatch};
use super::numbers::{counted, thousands};
use super::text;
use super::theme::{
    self, BLACK, BLUE, BODY, GREY, GRID, HEADING, Ink, NEUTRAL, ORANGE, SMALL, STRONG, TRACK,
};

/// One set of rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contender {
    /// What it is called.
    pub name: String,
    /// Share of all labelled anomalies that it found.
    pub recall: f64,
    /// False alerts a day for each 1,000 tokens.
    pub false_alerts: f64,
}

/// One kind of attack.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scored {
    /// What it is called.
    pub name: String,
    /// Share found, by contender.
    pub recalls: Vec<f64>,
}

/// Everything that the chart draws.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scoreboard {
    /// Organisations.
    pub runs: u64,
    /// Tokens of all of them.
    pub tokens: u64,
    /// Labelled anomalies.
    pub labels: u64,
    /// Sets of rules, the pack first.
    pub contenders: Vec<Contender>,
    /// Attacks.
    pub scenarios: Vec<Scored>,
}

/// What is drawn: the line under the finding.
pub(super) const TITLE: &str = "Share of labelled attacks found, by kind; simulated organisations";
/// Rules that find room; more would be a table.
const MOST: usize = 4;
/// Rows that find room.
const MOST_ROWS: usize = 60;
/// Width of a column of numbers.
const COLUMN: i32 = 250;
const INKS: [(Ink, Hatch); MOST] =
    [(BLUE, Hatch::Plain), (ORANGE, Hatch::Falling), (NEUTRAL, Hatch::Rising), (GREY, Hatch::Crossed)];

fn percent(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    // Short of everything must not read as everything.
    if share < 1.0 && share >= 0.995 { ">99 %".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

fn rate(value: f64) -> String {
    match value {
        v if !v.is_finite() => "-".to_owned(),
        v if v >= 10.0 => thousands(v.round() as u64),
        v => format!("{v:.2}"),
    }
}

/// The sentence on top.
pub(super) fn finding(board: &Scoreboard) -> String {
    let mut parts =
        board.contenders.iter().take(MOST).map(|c| {
            format!("{} {} at {}", text::brief(&c.name, 30), percent(c.recall), rate(c.false_alerts))
        });
    match parts.next() {
        Some(first) if board.labels > 0 => {
            let rest: Vec<String> = parts.collect();
            let others = if rest.is_empty() { String::new() } else { format!("; {}", rest.join("; ")) };
            format!("Anomalies found, at false alerts a day per 1,000 tokens: {first}{others}")
        }
        _ => "No labelled anomaly was scored".to_owned(),
    }
}

/// Draws the picture.
pub(super) fn picture(board: &Scoreboard) -> Canvas {
    let contenders = &board.contenders[..board.contenders.len().min(MOST)];
    let rows = &board.scenarios[..board.scenarios.len().min(MOST_ROWS)];
    let count = contenders.len().max(1) as i32;
    let pitch = 22 * count + 30;
    let height = theme::HEAD + theme::FOOT + 250 + pitch * rows.len().max(2) as i32;
    let source = format!(
        "Source: patwatch evaluate, {} with {}; patwatch",
        counted(board.runs, "simulated organisation", "simulated organisations"),
        counted(board.tokens, "token", "tokens")
    );
    let mut canvas = theme::frame(height, &finding(board), TITLE, &source);
    let area = canvas.area;
    let table = area.x1 - COLUMN * count;
    let (x0, x1) = (area.x0 + 620, table - 10);
    let head = area.y0 + 60;
    let right = |i: usize| table + (i as i32 + 1) * COLUMN;
    for (i, (contender, (ink, hatch))) in contenders.iter().zip(INKS).enumerate() {
        canvas.bar(Area::new(right(i) - 120, head - 90, right(i), head - 50), ink, hatch);
        canvas.label(&contender.name, (right(i), head), SMALL, BLACK, Anchor::End, COLUMN - 20);
    }
    let mut top = head + 40;
    for row in rows {
        let middle = top + 11 * count + 12;
        canvas.label(&text::name(&row.name), (x0 - 30, middle), BODY, BLACK, Anchor::End, 580);
        for (i, (recall, (ink, hatch))) in row.recalls.iter().zip(INKS).take(contenders.len()).enumerate() {
            let y = top + 22 * i as i32;
            let share = if recall.is_finite() { recall.clamp(0.0, 1.0) } else { 0.0 };
            canvas.fill(Area::new(x0, y, x1, y + 18), TRACK);
            let end = x0 + (f64::from(x1 - x0) * share).round() as i32;
            canvas.bar(Area::new(x0, y, end, y + 18), ink, hatch);
            let ink = if share < 0.95 { GREY } else { BLACK };
            canvas.text(&percent(*recall), (right(i), middle), BODY, ink, Anchor::End);
        }
        top += pitch;
    }
    canvas.line((area.x0, top + 4), (area.x1, top + 4), GRID, 2);
    let sums: [(&str, fn(&Contender) -> String); 2] = [
        ("All labelled anomalies", |c| percent(c.recall)),
        ("False alerts a day per 1,000 tokens", |c| rate(c.false_alerts)),
    ];
    for (line, (label, of)) in sums.into_iter().enumerate() {
        let y = top + 60 + 56 * line as i32;
        canvas.text(label, (x1, y), HEADING, BLACK, Anchor::End);
        for (i, contender) in contenders.iter().enumerate() {
            canvas.text(&of(contender), (right(i), y), STRONG, BLACK, Anchor::End);
        }
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Scoreboard {
        let contender =
            |name: &str, recall, false_alerts| Contender { name: name.to_owned(), recall, false_alerts };
        Scoreboard {
            runs: 10,
            tokens: 10_000,
            labels: 800,
            contenders: vec![contender("patwatch", 0.998, 0.21), contender("others", 0.5, 271.4)],
            scenarios: (0..27)
                .map(|n| Scored { name: format!("attack-{n}"), recalls: vec![1.0, f64::from(n) / 27.0] })
                .collect(),
        }
    }

    #[test]
    fn says_what_it_shows() {
        let finding = finding(&board());
        assert!(finding.contains("patwatch >99 % at 0.21; others 50 % at 271"), "{finding}");
        assert_eq!(super::finding(&Scoreboard::default()), "No labelled anomaly was scored");
    }

    #[test]
    fn draws_any_board() {
        let wild = Scoreboard {
            contenders: vec![
                Contender {
                    name: "x".repeat(300),
                    recall: f64::NAN,
                    false_alerts: f64::INFINITY
                };
                9
            ],
            scenarios: vec![Scored { name: "\u{202e}<b>".to_owned(), recalls: vec![f64::NAN; 9] }; 200],
            labels: 3,
            ..Scoreboard::default()
        };
        for board in [board(), wild, Scoreboard::default()] {
            let svg = super::super::evaluation_svg(&board).expect("svg");
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{}", &svg[svg.len() - 20..]);
            assert!(!svg.contains("<b>"));
            assert!(super::super::evaluation_png(&board).expect("png").starts_with(b"\x89PNG"));
        }
    }
}

//! The pack beside other rules, scored on the same labels: summaries in, one table out, as text or Markdown.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::interval::{Mean, Rate};
use super::summary::{Summary, SummaryRow};
use crate::model::finding::Family;

/// Rules other than the pack, and how they did. They know anomalies only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What they are called.
    pub name: String,
    /// Their score on the same runs.
    pub summary: Summary,
}

/// The score of the pack, and of the rules it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The pack.
    #[serde(flatten)]
    pub pack: Summary,
    /// The others.
    #[serde(default)]
    pub baselines: Vec<Baseline>,
}

const NONE: &str = "-";

fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

fn share(rate: Rate) -> String {
    rate.share.map_or_else(|| NONE.to_owned(), percent)
}

fn duration(hours: Option<f64>) -> String {
    match hours {
        None => NONE.to_owned(),
        Some(hours) if hours < 1.0 => format!("{:.0} min", hours * 60.0),
        Some(hours) => format!("{hours:.1} h"),
    }
}

fn interval(mean: &Mean) -> String {
    format!("{:.2} ({:.2} to {:.2})", mean.mean, mean.low, mean.high)
}

impl Comparison {
    fn header(&self) -> Vec<String> {
        let ours = [
            "family",
            "scenario",
            "found",
            "recall",
            "95 % interval",
            "by an alert",
            "precision",
            "alerts",
            "delay",
        ];
        ours.into_iter().map(str::to_owned).chain(self.baselines.iter().map(|b| b.name.clone())).collect()
    }

    fn line(&self, row: &SummaryRow) -> Vec<String> {
        let anomaly = row.family == Family::Anomaly;
        let only = |text: String| if anomaly { text } else { NONE.to_owned() };
        let mut line = vec![
            row.family.to_string(),
            row.scenario.clone().unwrap_or_else(|| "all".to_owned()),
            format!("{}/{}", row.recall.hits, row.recall.of),
            share(row.recall),
            match row.recall.share {
                Some(_) => format!("{} to {}", percent(row.recall.low), percent(row.recall.high)),
                None => NONE.to_owned(),
            },
            only(share(row.recall_medium)),
            share(row.precision),
            only(format!("{:.2}", row.said_per_day_per_1000.mean)),
            only(duration(row.delay_median_hours)),
        ];
        for other in &self.baselines {
            let theirs = other.summary.row(row.family, row.scenario.as_deref());
            line.push(only(theirs.map_or_else(|| NONE.to_owned(), |r| share(r.recall))));
        }
        line
    }

    fn lines(&self) -> Vec<Vec<String>> {
        self.pack.rows.iter().map(|row| self.line(row)).collect()
    }

    /// One line for each set of rules: anomalies found, and at what price.
    fn contest(&self) -> Vec<Vec<String>> {
        let head = ["rules", "anomalies found", "recall", "95 % interval over runs", "precision"];
        let mut lines = vec![
            head.into_iter()
                .map(str::to_owned)
                .chain(["alerts a day per 1,000 tokens".to_owned(), "false ones".to_owned()])
                .collect::<Vec<_>>(),
        ];
        let all = std::iter::once(("patwatch", &self.pack))
            .chain(self.baselines.iter().map(|b| (b.name.as_str(), &b.summary)));
        for (name, summary) in all {
            let Some(row) = summary.row(Family::Anomaly, None) else { continue };
            let over = &row.recall_over_runs;
            lines.push(vec![
                name.to_owned(),
                format!("{}/{}", row.recall.hits, row.recall.of),
                share(row.recall),
                format!("{} to {}", percent(over.low), percent(over.high)),
                share(row.precision),
                interval(&summary.alerts_per_day_per_1000),
                interval(&summary.false_alerts_per_day_per_1000),
            ]);
        }
        lines
    }

    fn notes(&self) -> String {
        let pack = &self.pack;
        let mut text = format!(
            "{} of {} labels found in {} run(s) over {} tokens.\n",
            pack.overall.hits, pack.overall.of, pack.runs, pack.tokens
        );
        let _ = writeln!(
            text,
            "False alerts a day per 1,000 tokens: {} (95 % interval over runs).",
            interval(&pack.false_alerts_per_day_per_1000)
        );
        if !pack.not_run.is_empty() {
            let _ = writeln!(text, "Not run, so not measured: {}.", pack.not_run.join(", "));
        }
        text
    }

    /// Writes the tables as text, one line a row, columns aligned.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![self.header()];
        lines.extend(self.lines());
        let mut text = aligned(&lines);
        if !self.baselines.is_empty() {
            text.push('\n');
            text.push_str(&aligned(&self.contest()));
        }
        let _ = write!(text, "\n{}", self.notes());
        text.push_str(
            "By an alert: found at medium severity or above. Precision and alerts (a day per 1,000 tokens): of the detections that found it.\n",
        );
        text
    }

    /// Writes the tables as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = markdown(&self.contest());
        text.push('\n');
        let mut lines = vec![self.header()];
        lines.extend(self.lines());
        text.push_str(&markdown(&lines));
        let _ = write!(text, "\n{}", self.notes());
        text
    }
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

fn markdown(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        // Names of baselines come from the command line.
        let cells: Vec<String> =
            line.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if at == 0 {
            let _ = writeln!(text, "|{}", "---|".repeat(line.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Evaluation, combine, evaluate};
    use serde_json::json;

    fn run(found: bool) -> Evaluation {
        let finding = json!({"detection": "PAT-A001", "family": "anomaly", "severity": "high", "org": "o",
            "subject": {"kind": "token", "id": "t", "name": null},
            "first_time": "2026-01-02T03:00:00Z", "last_time": "2026-01-02T03:00:00Z"});
        let body = json!({"window": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-11T00:00:00Z"},
            "counts": {"tokens": 50}, "findings": if found { vec![finding] } else { vec![] },
            "not_run": [{"detection": "PAT-X", "reason": "r"}]})
        .to_string();
        let truth = br#"[{"org":"o","token_id":"t","scenario":"burst","family":"anomaly",
            "from":"2026-01-02T00:00:00Z","to":"2026-01-02T01:00:00Z"}]"#;
        evaluate(body.as_bytes(), None, truth).expect("run")
    }

    #[test]
    fn runs_are_pooled_and_shown() {
        let summary = combine(&[run(true), run(false)]);
        assert_eq!((summary.overall.hits, summary.overall.of, summary.tokens), (1, 2, 100));
        assert_eq!(summary.rows.len(), 2);
        assert_eq!(summary.rows[0].precision, Rate::new(1, 1));
        let comparison = Comparison { pack: summary, baselines: Vec::new() };
        let text = comparison.to_text();
        assert!(text.contains("burst") && text.contains("50.0 %") && text.contains("3.0 h"), "{text}");
        assert!(text.contains("Not run, so not measured: PAT-X."), "{text}");
        let json = serde_json::to_string(&comparison).expect("json");
        assert_eq!(serde_json::from_str::<Comparison>(&json).expect("back").pack.rows.len(), 2);
        assert!(combine(&[]).rows.is_empty());
    }

    #[test]
    fn baselines_stand_in_the_same_table() {
        let comparison = Comparison {
            pack: combine(&[run(true)]),
            baselines: vec![Baseline { name: "a|b".to_owned(), summary: combine(&[run(false)]) }],
        };
        let text = comparison.to_text();
        let burst = text.lines().find(|l| l.contains("burst")).expect("row");
        assert!(burst.contains("100.0 %") && burst.trim_end().ends_with("0.0 %"), "{text}");
        let markdown = comparison.to_markdown();
        assert!(markdown.contains("a\\|b"), "{markdown}");
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows: Vec<&str> = markdown.lines().filter(|l| l.starts_with('|')).collect();
        assert_eq!(columns(rows[0]), columns(rows[2]), "{markdown}");
    }
}

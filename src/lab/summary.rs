//! Several evaluations together: pooled rates with intervals, as JSON and as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::interval::{Mean, Rate};
use super::score::Evaluation;
use crate::model::finding::Family;

/// One row of the table: a family, or a scenario of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// Family.
    pub family: Family,
    /// Scenario; none in the row of the whole family.
    pub scenario: Option<String>,
    /// Pooled over all runs, with its Wilson interval.
    pub recall: Rate,
    /// Mean over runs, with its bootstrap interval.
    pub recall_over_runs: Mean,
    /// Only in the row of a whole family.
    pub precision: Option<Rate>,
    /// Median hours from the beginning of a label to the first finding.
    pub delay_median_hours: Option<f64>,
    /// Nine of ten labels were found within so many hours.
    pub delay_p90_hours: Option<f64>,
}

/// The score of several runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this shape.
    pub schema_version: u32,
    /// How many runs.
    pub runs: usize,
    /// Tokens of all runs.
    pub tokens: u64,
    /// All labels of all runs.
    pub overall: Rate,
    /// Families, each followed by its scenarios.
    pub rows: Vec<SummaryRow>,
    /// A day for each 1,000 tokens: mean over runs with its bootstrap interval.
    pub false_alerts_per_day_per_1000: Mean,
    /// Detections that did not run in some run.
    pub not_run: Vec<String>,
}

/// Puts evaluations together; one is enough, but only several say how sure the numbers are.
#[must_use]
pub fn combine(evaluations: &[Evaluation]) -> Summary {
    let nothing = Rate::new(0, 0);
    let mut keys: BTreeMap<(Family, Option<String>), Vec<&super::score::ScenarioScore>> = BTreeMap::new();
    for score in evaluations.iter().flat_map(|e| &e.scores) {
        keys.entry((score.family, score.scenario.clone())).or_default().push(score);
    }
    let rows = keys
        .into_iter()
        .map(|((family, scenario), scores)| {
            let mut delays: Vec<f64> = scores.iter().flat_map(|s| s.delays_hours.iter().copied()).collect();
            delays.sort_by(f64::total_cmp);
            let at =
                |share: usize| delays.get((delays.len() * share / 100).min(delays.len().max(1) - 1)).copied();
            let shares: Vec<f64> = scores.iter().filter_map(|s| s.recall.share).collect();
            let precision = scenario.is_none().then(|| {
                let all = evaluations.iter().flat_map(|e| &e.precision).filter(|p| p.family == family);
                all.fold(nothing, |sum, p| sum.and(p.precision))
            });
            SummaryRow {
                family,
                scenario,
                recall: scores.iter().fold(nothing, |sum, s| sum.and(s.recall)),
                recall_over_runs: Mean::of(&shares),
                precision,
                delay_median_hours: at(50),
                delay_p90_hours: at(90),
            }
        })
        .collect();
    let alerts: Vec<f64> = evaluations.iter().map(|e| e.false_alerts_per_day_per_1000).collect();
    let mut not_run: Vec<String> = evaluations.iter().flat_map(|e| e.not_run.clone()).collect();
    not_run.sort();
    not_run.dedup();
    Summary {
        schema_version: 1,
        runs: evaluations.len(),
        tokens: evaluations.iter().map(|e| e.tokens).sum(),
        overall: evaluations.iter().fold(nothing, |sum, e| sum.and(e.overall)),
        rows,
        false_alerts_per_day_per_1000: Mean::of(&alerts),
        not_run,
    }
}

fn share(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

impl Summary {
    /// Writes the table as text, one line a row, columns aligned.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            ["family", "scenario", "found", "recall", "95 % interval", "precision", "delay (median)"]
                .map(str::to_owned),
        ];
        for row in &self.rows {
            lines.push([
                row.family.to_string(),
                row.scenario.clone().unwrap_or_else(|| "all".to_owned()),
                format!("{}/{}", row.recall.hits, row.recall.of),
                row.recall.share.map_or_else(|| "-".to_owned(), share),
                format!("{} to {}", share(row.recall.low), share(row.recall.high)),
                row.precision.and_then(|p| p.share).map_or_else(|| "-".to_owned(), share),
                row.delay_median_hours.map_or_else(|| "-".to_owned(), |hours| format!("{hours:.1} h")),
            ]);
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..7).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        }
        let alerts = &self.false_alerts_per_day_per_1000;
        let _ = writeln!(
            text,
            "\n{} of {} labels found in {} run(s) over {} tokens.\n\
             False alerts a day per 1,000 tokens: {:.2} (95 % interval over runs {:.2} to {:.2}).",
            self.overall.hits, self.overall.of, self.runs, self.tokens, alerts.mean, alerts.low, alerts.high
        );
        if !self.not_run.is_empty() {
            let _ = writeln!(text, "Not run, so not measured: {}.", self.not_run.join(", "));
        }
        text
    }
}

impl Evaluation {
    /// Writes the score of this one run as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        combine(std::slice::from_ref(self)).to_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::evaluate;
    use serde_json::json;

    #[test]
    fn runs_are_pooled_and_shown() {
        let body = |found: bool| {
            let finding = json!({"detection": "PAT-A001", "family": "anomaly", "severity": "high", "org": "o",
                "subject": {"kind": "token", "id": "t", "name": null},
                "first_time": "2026-01-02T03:00:00Z", "last_time": "2026-01-02T03:00:00Z"});
            json!({"window": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-11T00:00:00Z"}, "counts": {"tokens": 50},
                   "findings": if found { vec![finding] } else { vec![] }, "not_run": [{"detection": "PAT-X", "reason": "r"}]})
            .to_string()
        };
        let truth = br#"[{"org":"o","token_id":"t","scenario":"burst","family":"anomaly",
            "from":"2026-01-02T00:00:00Z","to":"2026-01-02T01:00:00Z"}]"#;
        let runs: Vec<Evaluation> =
            [true, false].iter().map(|f| evaluate(body(*f).as_bytes(), None, truth).expect("run")).collect();
        let summary = combine(&runs);
        assert_eq!((summary.overall.hits, summary.overall.of, summary.tokens), (1, 2, 100));
        assert_eq!(summary.rows.len(), 2);
        assert_eq!(summary.rows[0].precision, Some(Rate::new(1, 1)));
        let text = summary.to_text();
        assert!(text.contains("burst") && text.contains("50.0 %") && text.contains("3.0 h"), "{text}");
        assert!(text.contains("Not run, so not measured: PAT-X."), "{text}");
        let json = serde_json::to_string(&summary).expect("json");
        assert_eq!(serde_json::from_str::<Summary>(&json).expect("back").rows.len(), 2);
        assert!(combine(&[]).rows.is_empty());
    }
}

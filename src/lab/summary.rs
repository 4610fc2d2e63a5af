//! Several evaluations together: pooled rates with their intervals, for one set of rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interval::{Mean, Rate};
use super::score::{Evaluation, FalseAlert, ScenarioScore};
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
    /// The same as `recall`, counting findings of medium severity and above only.
    pub recall_medium: Rate,
    /// Of what the detections that found it say; in the row of a family, of all its detections.
    pub precision: Rate,
    /// What those detections say, a day for each 1,000 tokens; alerts for `anomaly`.
    pub said_per_day_per_1000: Mean,
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
    /// All alerts, a day for each 1,000 tokens: mean over runs with its bootstrap interval.
    pub alerts_per_day_per_1000: Mean,
    /// Alerts that no label explains, likewise.
    pub false_alerts_per_day_per_1000: Mean,
    /// Those alerts, so that a reader can go and look; one list a run.
    pub false_alerts: Vec<Vec<FalseAlert>>,
    /// Detections that did not run in some run.
    pub not_run: Vec<String>,
}

/// Puts evaluations together; one is enough, but only several say how sure the numbers are.
#[must_use]
pub fn combine(evaluations: &[Evaluation]) -> Summary {
    let nothing = Rate::new(0, 0);
    let mut keys: BTreeMap<(Family, Option<String>), Vec<(&Evaluation, &ScenarioScore)>> = BTreeMap::new();
    for run in evaluations {
        for score in &run.scores {
            keys.entry((score.family, score.scenario.clone())).or_default().push((run, score));
        }
    }
    let rows = keys
        .into_iter()
        .map(|((family, scenario), scores)| {
            let mut delays: Vec<f64> =
                scores.iter().flat_map(|(_, s)| s.delays_hours.iter().copied()).collect();
            delays.sort_by(f64::total_cmp);
            let at =
                |share: usize| delays.get((delays.len() * share / 100).min(delays.len().max(1) - 1)).copied();
            let shares: Vec<f64> = scores.iter().filter_map(|(_, s)| s.recall.share).collect();
            let said: Vec<f64> = scores
                .iter()
                .map(|(run, s)| s.precision.of as f64 / run.days / run.tokens.max(1) as f64 * 1_000.0)
                .collect();
            let pooled = |of: fn(&ScenarioScore) -> Rate| {
                scores.iter().fold(nothing, |sum, (_, score)| sum.and(of(score)))
            };
            SummaryRow {
                family,
                scenario,
                recall: pooled(|s| s.recall),
                recall_over_runs: Mean::of(&shares),
                recall_medium: pooled(|s| s.recall_medium),
                precision: pooled(|s| s.precision),
                said_per_day_per_1000: Mean::of(&said),
                delay_median_hours: at(50),
                delay_p90_hours: at(90),
            }
        })
        .collect();
    let mean = |of: fn(&Evaluation) -> f64| Mean::of(&evaluations.iter().map(of).collect::<Vec<_>>());
    let mut not_run: Vec<String> = evaluations.iter().flat_map(|e| e.not_run.clone()).collect();
    not_run.sort();
    not_run.dedup();
    Summary {
        schema_version: 1,
        runs: evaluations.len(),
        tokens: evaluations.iter().map(|e| e.tokens).sum(),
        overall: evaluations.iter().fold(nothing, |sum, e| sum.and(e.overall)),
        rows,
        alerts_per_day_per_1000: mean(|e| e.alerts_per_day_per_1000),
        false_alerts_per_day_per_1000: mean(|e| e.false_alerts_per_day_per_1000),
        false_alerts: evaluations.iter().map(|e| e.false_alerts.clone()).collect(),
        not_run,
    }
}

impl Summary {
    /// The row of a family, or of a scenario of it.
    #[must_use]
    pub fn row(&self, family: Family, scenario: Option<&str>) -> Option<&SummaryRow> {
        self.rows.iter().find(|row| row.family == family && row.scenario.as_deref() == scenario)
    }
}

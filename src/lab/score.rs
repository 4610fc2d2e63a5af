//! Scores one run: written findings, tokens and truth in, recall, precision, alerts and delay out.
//!
//! The rules are section 7 of the design. A label is found if a finding of its family on the same
//! organisation and token (no token: the organisation) overlaps `[from, to + 24 h]`. An alert is an
//! `anomaly` finding of medium severity or above on one token and one day, the day on which it begins; it
//! is false if no anomaly label of that token overlaps it. The other families are scored per token.
//!
//! A label may be found by a finding of low severity, which raises no alert. So that recall and alert rate
//! can be held against each other, every score also counts what was found at medium severity and above.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::LabError;
use super::inputs::{self, Hit, Wanted, touch};
use super::interval::Rate;
use crate::model::finding::{Family, SubjectKind};
use crate::model::time::{DAY, HOUR, Micros, day_of, day_text};

/// The score of one family or one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioScore {
    /// The family that the labels ask for.
    pub family: Family,
    /// The scenario; none in the row of a whole family.
    pub scenario: Option<String>,
    /// Labels found, of labels there.
    pub recall: Rate,
    /// The same, counting findings of medium severity and above only.
    pub recall_medium: Rate,
    /// Right of all that the detections which found it say (in the row of a family: all its detections);
    /// in alerts for `anomaly`, in organisations for `posture`, in tokens for the others.
    pub precision: Rate,
    /// Hours from the beginning of each label that was found to the first finding of it.
    pub delays_hours: Vec<f64>,
}

/// One alert that no label explains; kept so that a reader can go and look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FalseAlert {
    /// Organisation.
    pub org: String,
    /// The token, or whatever the finding is about.
    pub subject: String,
    /// The UTC day.
    pub day: String,
    /// The detections that said so, blank separated.
    pub detections: String,
}

/// A label that nothing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Family of the label.
    pub family: Family,
    /// Scenario of the label.
    pub scenario: String,
    /// The token; none where the organisation is meant.
    pub token_id: Option<String>,
}

/// The score of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of this shape.
    pub schema_version: u32,
    /// Tokens of the run.
    pub tokens: u64,
    /// Days of the run.
    pub days: f64,
    /// All labels.
    pub overall: Rate,
    /// Per family, then per scenario within it.
    pub scores: Vec<ScenarioScore>,
    /// Labels that nothing found.
    pub missed: Vec<Missed>,
    /// Alerts, right or wrong.
    pub alerts: u64,
    /// The same, a day for each 1,000 tokens.
    pub alerts_per_day_per_1000: f64,
    /// Alerts that no label explains.
    pub false_alerts: Vec<FalseAlert>,
    /// The same, a day for each 1,000 tokens.
    pub false_alerts_per_day_per_1000: f64,
    /// Detections that did not run; a run with some is no measure of the pack.
    pub not_run: Vec<String>,
}

/// Scores `findings.json` against `truth.json`; `tokens.json`, where given, says how many tokens there are.
///
/// # Errors
/// When an input is not of its contract's shape, or holds a time that is none.
pub fn evaluate(findings: &[u8], tokens: Option<&[u8]>, truth: &[u8]) -> Result<Evaluation, LabError> {
    let said = inputs::findings(findings)?;
    let tokens = match tokens {
        Some(bytes) => inputs::count_tokens(bytes)?,
        None => said.tokens,
    };
    let wanted = inputs::truth(truth)?;
    let board = Board::new(&said.hits, &wanted);
    let days = ((said.window.to - said.window.from) as f64 / DAY as f64).max(1.0);
    let rate = |count: usize| count as f64 / days / (tokens.max(1) as f64) * 1_000.0;
    let (scores, missed) = board.scores(&wanted);
    let whole = |of: &dyn Fn(&Rate) -> u64| {
        scores.iter().filter(|s| s.scenario.is_none()).map(|s| of(&s.recall)).sum::<u64>()
    };
    let false_alerts = board.false_alerts();
    let alerts = board.units.keys().filter(|unit| unit.0 == Family::Anomaly).count();
    Ok(Evaluation {
        schema_version: 1,
        tokens,
        days,
        overall: Rate::new(whole(&|r| r.hits), whole(&|r| r.of)),
        scores,
        missed,
        alerts: alerts as u64,
        alerts_per_day_per_1000: rate(alerts),
        false_alerts_per_day_per_1000: rate(false_alerts.len()),
        false_alerts,
        not_run: said.not_run,
    })
}

/// What is counted in a family's precision: (family, organisation, subject, day); the day is the first
/// instant for `anomaly` only.
type Unit<'a> = (Family, &'a str, &'a str, Option<i32>);

/// Findings sorted for looking up. A thousand tokens make tens of thousands of findings in a noisy rule set.
struct Board<'a> {
    by_subject: HashMap<(&'a str, &'a str), Vec<&'a Hit>>,
    by_org: HashMap<&'a str, Vec<&'a Hit>>,
    /// Per unit, which detections named it, and whether a label explains what each said.
    units: BTreeMap<Unit<'a>, BTreeMap<&'a str, bool>>,
}

impl<'a> Board<'a> {
    fn new(hits: &'a [Hit], wanted: &'a [Wanted]) -> Self {
        let mut board = Self { by_subject: HashMap::new(), by_org: HashMap::new(), units: BTreeMap::new() };
        let mut of_token: HashMap<(&str, &str), Vec<&Wanted>> = HashMap::new();
        let mut no_token: HashMap<&str, Vec<&Wanted>> = HashMap::new();
        let mut of_org: HashMap<&str, Vec<&Wanted>> = HashMap::new();
        for label in wanted {
            match &label.token {
                Some(token) => of_token.entry((&label.org, token)).or_default().push(label),
                None => no_token.entry(&label.org).or_default().push(label),
            }
            of_org.entry(&label.org).or_default().push(label);
        }
        for hit in hits {
            if hit.kind == SubjectKind::Token {
                board.by_subject.entry((&hit.org, &hit.subject)).or_default().push(hit);
            }
            board.by_org.entry(&hit.org).or_default().push(hit);
            let alert = hit.family == Family::Anomaly;
            if alert && !hit.loud {
                continue;
            }
            let right = |labels: Option<&Vec<&Wanted>>| {
                labels.is_some_and(|labels| labels.iter().any(|label| justifies(label, hit)))
            };
            let right = if hit.kind == SubjectKind::Token {
                right(of_token.get(&(hit.org.as_str(), hit.subject.as_str())))
                    || right(no_token.get(hit.org.as_str()))
            } else {
                right(of_org.get(hit.org.as_str()))
            };
            let day = alert.then(|| day_of(hit.span.from));
            let unit = board.units.entry((hit.family, &hit.org, &hit.subject, day)).or_default();
            *unit.entry(&hit.detection).or_default() |= right;
        }
        board
    }

    /// Findings that may find `label`.
    fn near<'s>(&'s self, label: &'s Wanted) -> &'s [&'a Hit] {
        let list = match &label.token {
            Some(token) => self.by_subject.get(&(label.org.as_str(), token.as_str())),
            None => self.by_org.get(label.org.as_str()),
        };
        list.map_or(&[], Vec::as_slice)
    }

    fn scores(&self, wanted: &[Wanted]) -> (Vec<ScenarioScore>, Vec<Missed>) {
        let (mut rows, mut missed) = (Vec::new(), Vec::new());
        for family in Family::ALL {
            let of_family: Vec<&Wanted> = wanted.iter().filter(|w| w.family == *family).collect();
            let scenarios: BTreeSet<&str> = of_family.iter().map(|w| w.scenario.as_str()).collect();
            let said = self.units.keys().any(|unit| unit.0 == *family);
            if !of_family.is_empty() || said {
                rows.push(self.score(*family, None, &of_family, &mut missed));
            }
            for scenario in scenarios {
                let labels: Vec<&Wanted> =
                    of_family.iter().copied().filter(|w| w.scenario == scenario).collect();
                rows.push(self.score(*family, Some(scenario.to_owned()), &labels, &mut Vec::new()));
            }
        }
        (rows, missed)
    }

    fn score(
        &self,
        family: Family,
        scenario: Option<String>,
        labels: &[&Wanted],
        missed: &mut Vec<Missed>,
    ) -> ScenarioScore {
        let mut delays_hours = Vec::new();
        let mut loud = 0;
        let mut finders: BTreeSet<&str> = BTreeSet::new();
        for label in labels {
            let found: Vec<&Hit> = self
                .near(label)
                .iter()
                .copied()
                .filter(|hit| hit.family == family && touch(hit, label))
                .collect();
            finders.extend(found.iter().map(|hit| hit.detection.as_str()));
            loud += u64::from(found.iter().any(|hit| hit.loud));
            match found.iter().map(|hit| hit.span.from).min() {
                Some(first) => delays_hours.push(hours((first - label.span.from).max(0))),
                None => missed.push(Missed {
                    family,
                    scenario: label.scenario.clone(),
                    token_id: label.token.clone(),
                }),
            }
        }
        delays_hours.sort_by(f64::total_cmp);
        let all = labels.len() as u64;
        let counted = |said: &BTreeMap<&str, bool>| -> Option<bool> {
            let ours: Vec<bool> = said
                .iter()
                .filter(|(detection, _)| scenario.is_none() || finders.contains(*detection))
                .map(|(_, right)| *right)
                .collect();
            (!ours.is_empty()).then(|| ours.contains(&true))
        };
        let verdicts: Vec<bool> = self
            .units
            .iter()
            .filter(|(unit, _)| unit.0 == family)
            .filter_map(|(_, said)| counted(said))
            .collect();
        let right = verdicts.iter().filter(|right| **right).count() as u64;
        ScenarioScore {
            family,
            recall: Rate::new(delays_hours.len() as u64, all),
            recall_medium: Rate::new(loud, all),
            precision: Rate::new(right, verdicts.len() as u64),
            scenario,
            delays_hours,
        }
    }

    /// Alerts of which no detection is explained.
    fn false_alerts(&self) -> Vec<FalseAlert> {
        let wrong = self.units.iter().filter_map(|(unit, said)| {
            let (Family::Anomaly, org, subject, Some(day)) = unit else { return None };
            (!said.values().any(|right| *right)).then(|| FalseAlert {
                org: (*org).to_owned(),
                subject: (*subject).to_owned(),
                day: day_text(*day),
                detections: said.keys().copied().collect::<Vec<_>>().join(" "),
            })
        });
        wrong.collect()
    }
}

fn hours(time: Micros) -> f64 {
    time as f64 / HOUR as f64
}

/// Whether `label` makes it right that `hit` was said.
///
/// An anomaly of a subject that is no token (a user, a project) is explained by any anomaly or posture label
/// of its organisation at that time, since labels do not name such subjects.
fn justifies(label: &Wanted, hit: &Hit) -> bool {
    let family = label.family == hit.family
        || (hit.family == Family::Anomaly
            && hit.kind != SubjectKind::Token
            && label.family == Family::Posture);
    // A label of a token speaks for that token; the lookup by organisation gives labels of all of them.
    let same = match &label.token {
        Some(token) if hit.family != Family::Anomaly || hit.kind == SubjectKind::Token => {
            hit.kind == SubjectKind::Token && hit.subject == *token
        }
        _ => true,
    };
    family && same && touch(hit, label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn finding(family: &str, severity: &str, token: &str, first: &str, last: &str) -> Value {
        json!({"detection": "PAT-A001", "family": family, "severity": severity, "org": "o",
               "subject": {"kind": "token", "id": token, "name": null}, "first_time": first, "last_time": last})
    }

    fn run(findings: &[Value], labels: &[Value]) -> Evaluation {
        let body = json!({
            "window": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-11T00:00:00Z"},
            "counts": {"tokens": 100}, "findings": findings, "not_run": [],
        });
        let truth = serde_json::to_vec(labels).expect("truth");
        evaluate(body.to_string().as_bytes(), None, &truth).expect("evaluation")
    }

    fn label(family: &str, token: Value, from: &str, to: &str) -> Value {
        json!({"org": "O", "token_id": token, "scenario": "s", "family": family, "from": from, "to": to})
    }

    #[test]
    fn grace_ends_after_a_day() {
        let truth = [label("anomaly", json!("T"), "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z")];
        let near = finding("anomaly", "high", "t", "2026-01-03T01:00:00Z", "2026-01-03T01:00:00Z");
        let late = finding("anomaly", "high", "t", "2026-01-03T01:00:01Z", "2026-01-03T02:00:00Z");
        let score = run(&[near], &truth);
        assert_eq!((score.overall.hits, score.false_alerts.len()), (1, 0));
        assert!((score.scores[0].delays_hours[0] - 25.0).abs() < 1e-9);
        let score = run(&[late], &truth);
        assert_eq!((score.overall.hits, score.false_alerts.len()), (0, 1));
        assert!((score.false_alerts_per_day_per_1000 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_alert_is_a_token_and_a_day() {
        let at = |severity, time| finding("anomaly", severity, "x", time, time);
        let score = run(
            &[
                at("medium", "2026-01-02T01:00:00Z"),
                at("critical", "2026-01-02T09:00:00Z"),
                at("medium", "2026-01-04T09:00:00Z"),
                at("low", "2026-01-05T09:00:00Z"),
            ],
            &[],
        );
        assert_eq!(score.false_alerts.len(), 2);
        let anomaly = score.scores.iter().find(|p| p.family == Family::Anomaly).expect("row");
        assert_eq!((anomaly.precision.hits, anomaly.precision.of), (0, 2));
    }

    #[test]
    fn the_family_must_agree_and_a_null_token_means_the_organisation() {
        let truth = [
            label("posture", Value::Null, "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z"),
            label("use", json!("u"), "2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z"),
        ];
        let posture = finding("posture", "high", "whoever", "2026-01-02T00:30:00Z", "2026-01-02T00:30:00Z");
        let wrong = finding("hygiene", "high", "u", "2026-01-02T00:30:00Z", "2026-01-02T00:30:00Z");
        let mut timeless = finding("use", "low", "u", "", "");
        (timeless["first_time"], timeless["last_time"]) = (Value::Null, Value::Null);
        let score = run(&[posture.clone(), wrong], &truth);
        assert_eq!((score.overall.hits, score.overall.of), (1, 2));
        assert_eq!(run(&[posture, timeless], &truth).overall.hits, 2);
    }

    #[test]
    fn a_quiet_finding_finds_and_raises_no_alert() {
        let truth = [label("anomaly", json!("t"), "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z")];
        let at = |id: &str, severity, token, time| {
            let mut row = finding("anomaly", severity, token, time, time);
            row["detection"] = json!(id);
            row
        };
        let score = run(
            &[
                at("QUIET", "low", "t", "2026-01-02T00:30:00Z"),
                at("LOUD", "high", "x", "2026-01-05T00:30:00Z"),
                at("LOUD", "high", "y", "2026-01-05T00:30:00Z"),
            ],
            &truth,
        );
        let row = &score.scores[1];
        assert_eq!((row.recall.hits, row.recall_medium.hits), (1, 0));
        // The detection that found it says nothing wrong; the family's other detection does.
        assert_eq!((row.precision.of, score.scores[0].precision.of), (0, 2));
        assert_eq!((score.alerts, score.false_alerts.len(), score.missed.len()), (2, 2, 0));
    }

    #[test]
    fn what_was_missed_is_named() {
        let truth = [label("anomaly", json!("T"), "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z")];
        let missed = run(&[], &truth).missed;
        assert_eq!((missed[0].scenario.as_str(), missed[0].token_id.as_deref()), ("s", Some("t")));
    }

    #[test]
    fn bad_inputs_are_named() {
        let truth = b"[]";
        assert!(matches!(evaluate(b"{}", None, truth), Err(LabError::Read { input: "findings", .. })));
        let body = br#"{"window":{"from":"x","to":"y"},"counts":{"tokens":1},"findings":[]}"#;
        let error = evaluate(body, None, truth).expect_err("no time");
        assert!(error.to_string().contains("RFC 3339"), "{error}");
    }
}

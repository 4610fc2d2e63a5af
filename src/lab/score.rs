//! Scores one run: written findings, tokens and truth in, recall, precision, false alerts and delay out.
//!
//! The rules are section 7 of the design. A label is found if a finding of its family on the same
//! organisation and token (no token: the organisation) overlaps `[from, to + 24 h]`. An alert is an
//! `anomaly` finding of medium severity or above on one token and one day, the day on which it begins; it
//! is false if no anomaly label of that token overlaps it. The other families are scored per token.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::LabError;
use super::interval::Rate;
use crate::model::finding::{Family, Severity, SubjectKind};
use crate::model::time::{DAY, HOUR, Micros, Span, day_of, day_text, parse_time};

/// The score of one family or one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioScore {
    /// The family that the labels ask for.
    pub family: Family,
    /// The scenario; none in the row of a whole family.
    pub scenario: Option<String>,
    /// Labels found, of labels there.
    pub recall: Rate,
    /// Hours from the beginning of each label that was found to the first finding of it.
    pub delays_hours: Vec<f64>,
}

/// How far the flagged tokens of a family are rightly flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyPrecision {
    /// The family.
    pub family: Family,
    /// Right, of all: alerts for `anomaly`, organisations for `posture`, tokens for the others.
    pub precision: Rate,
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
    /// Per family.
    pub precision: Vec<FamilyPrecision>,
    /// Alerts that no label explains.
    pub false_alerts: Vec<FalseAlert>,
    /// The same, a day for each 1,000 tokens.
    pub false_alerts_per_day_per_1000: f64,
    /// Detections that did not run; a run with some is no measure of the pack.
    pub not_run: Vec<String>,
}

#[derive(Deserialize)]
struct Findings {
    window: Window,
    counts: Counts,
    findings: Vec<Finding>,
    #[serde(default)]
    not_run: Vec<NotRun>,
}

#[derive(Deserialize)]
struct Window {
    from: String,
    to: String,
}

#[derive(Deserialize)]
struct Counts {
    tokens: u64,
}

#[derive(Deserialize)]
struct NotRun {
    detection: String,
}

#[derive(Deserialize)]
struct Finding {
    detection: String,
    family: Family,
    severity: Severity,
    org: String,
    subject: Subject,
    first_time: Option<String>,
    last_time: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    kind: SubjectKind,
    id: String,
}

#[derive(Deserialize)]
struct Truth {
    org: String,
    token_id: Option<String>,
    scenario: String,
    family: Family,
    from: String,
    to: String,
}

/// A finding with its times read; without times it holds for the whole window.
struct Hit {
    detection: String,
    family: Family,
    alert: bool,
    org: String,
    kind: SubjectKind,
    subject: String,
    span: Span,
}

/// A label with its times read, a day of grace behind it.
struct Wanted {
    org: String,
    token: Option<String>,
    scenario: String,
    family: Family,
    span: Span,
}

fn time(input: &'static str, text: &str) -> Result<Micros, LabError> {
    parse_time(text).ok_or_else(|| LabError::Time { input, text: text.to_owned() })
}

fn read<T: for<'a> Deserialize<'a>>(input: &'static str, bytes: &[u8]) -> Result<T, LabError> {
    serde_json::from_slice(bytes).map_err(|source| LabError::Read { input, source })
}

/// Scores `findings.json` against `truth.json`; `tokens.json`, where given, says how many tokens there are.
///
/// # Errors
/// When an input is not of its contract's shape, or holds a time that is none.
pub fn evaluate(findings: &[u8], tokens: Option<&[u8]>, truth: &[u8]) -> Result<Evaluation, LabError> {
    let findings: Findings = read("findings", findings)?;
    let window =
        Span { from: time("findings", &findings.window.from)?, to: time("findings", &findings.window.to)? };
    let tokens = match tokens {
        Some(bytes) => count_tokens(bytes)?,
        None => findings.counts.tokens,
    };
    let hits = findings.findings.into_iter().map(|f| hit(f, window)).collect::<Result<Vec<_>, _>>()?;
    let truth: Vec<Truth> = read("truth", truth)?;
    let wanted = truth.into_iter().map(wanted).collect::<Result<Vec<_>, _>>()?;
    let days = ((window.to - window.from) as f64 / DAY as f64).max(1.0);
    let (false_alerts, alerts) = false_alerts(&hits, &wanted);
    let per_day = false_alerts.len() as f64 / days / (tokens.max(1) as f64) * 1_000.0;
    let scores = scores(&hits, &wanted);
    let whole = |of: &dyn Fn(&Rate) -> u64| {
        scores.iter().filter(|s| s.scenario.is_none()).map(|s| of(&s.recall)).sum::<u64>()
    };
    Ok(Evaluation {
        schema_version: 1,
        tokens,
        days,
        overall: Rate::new(whole(&|r| r.hits), whole(&|r| r.of)),
        precision: Family::ALL
            .iter()
            .map(|f| precision(*f, &hits, &wanted, &alerts, &false_alerts))
            .collect(),
        scores,
        false_alerts_per_day_per_1000: per_day,
        false_alerts,
        not_run: findings.not_run.into_iter().map(|n| n.detection).collect(),
    })
}

/// Counts the rows of `tokens.json`, whatever the object around them is called.
fn count_tokens(bytes: &[u8]) -> Result<u64, LabError> {
    let body: serde_json::Value = read("tokens", bytes)?;
    let rows = body.as_array().or_else(|| body.get("tokens")?.as_array());
    Ok(rows.map_or(0, |rows| rows.len() as u64))
}

fn hit(finding: Finding, window: Span) -> Result<Hit, LabError> {
    let at = |text: &Option<String>| text.as_deref().map(|t| time("findings", t)).transpose();
    let (first, last) = (at(&finding.first_time)?, at(&finding.last_time)?);
    let from = first.or(last).unwrap_or(window.from);
    let to = last.or(first).unwrap_or(window.to);
    Ok(Hit {
        detection: finding.detection,
        family: finding.family,
        alert: finding.family == Family::Anomaly && finding.severity >= Severity::Medium,
        org: finding.org.to_lowercase(),
        kind: finding.subject.kind,
        subject: finding.subject.id.to_lowercase(),
        span: Span { from, to },
    })
}

fn wanted(label: Truth) -> Result<Wanted, LabError> {
    let span = Span { from: time("truth", &label.from)?, to: time("truth", &label.to)? + DAY };
    Ok(Wanted {
        org: label.org.to_lowercase(),
        token: label.token_id.map(|id| id.to_lowercase()),
        scenario: label.scenario,
        family: label.family,
        span,
    })
}

/// Whether the two share an instant, ends included: a label may be one instant long.
fn touch(hit: &Hit, wanted: &Wanted) -> bool {
    hit.span.from <= wanted.span.to && wanted.span.from <= hit.span.to
}

fn same_subject(hit: &Hit, wanted: &Wanted) -> bool {
    hit.org == wanted.org
        && match &wanted.token {
            Some(id) => hit.kind == SubjectKind::Token && hit.subject == *id,
            None => true,
        }
}

fn explains(wanted: &Wanted, hit: &Hit) -> bool {
    hit.family == wanted.family && same_subject(hit, wanted) && touch(hit, wanted)
}

fn scores(hits: &[Hit], wanted: &[Wanted]) -> Vec<ScenarioScore> {
    let mut rows = Vec::new();
    for family in Family::ALL {
        let of_family: Vec<&Wanted> = wanted.iter().filter(|w| w.family == *family).collect();
        let scenarios: BTreeSet<&str> = of_family.iter().map(|w| w.scenario.as_str()).collect();
        if !of_family.is_empty() {
            rows.push(score(*family, None, &of_family, hits));
        }
        for scenario in scenarios {
            let labels: Vec<&Wanted> = of_family.iter().copied().filter(|w| w.scenario == scenario).collect();
            rows.push(score(*family, Some(scenario.to_owned()), &labels, hits));
        }
    }
    rows
}

fn score(family: Family, scenario: Option<String>, labels: &[&Wanted], hits: &[Hit]) -> ScenarioScore {
    let mut delays_hours = Vec::new();
    for label in labels {
        let first = hits.iter().filter(|h| explains(label, h)).map(|h| h.span.from).min();
        if let Some(first) = first {
            delays_hours.push((first - label.span.from).max(0) as f64 / HOUR as f64);
        }
    }
    delays_hours.sort_by(f64::total_cmp);
    let recall = Rate::new(delays_hours.len() as u64, labels.len() as u64);
    ScenarioScore { family, scenario, recall, delays_hours }
}

/// A subject on a day, the unit in which alerts are counted.
type SubjectDay = (String, String, String);

fn subject_day(hit: &Hit) -> SubjectDay {
    (hit.org.clone(), hit.subject.clone(), day_text(day_of(hit.span.from)))
}

/// Returns the alerts that no anomaly label explains, and every alert there is.
///
/// A subject that is no token (a user, a project) is explained by any anomaly or posture label of its
/// organisation at that time, since labels do not name such subjects.
fn false_alerts(hits: &[Hit], wanted: &[Wanted]) -> (Vec<FalseAlert>, BTreeSet<SubjectDay>) {
    let explained = |hit: &Hit| {
        wanted.iter().any(|w| {
            let family = match hit.kind {
                SubjectKind::Token => w.family == Family::Anomaly && same_subject(hit, w),
                _ => matches!(w.family, Family::Anomaly | Family::Posture) && hit.org == w.org,
            };
            family && touch(hit, w)
        })
    };
    let alerts: BTreeSet<SubjectDay> = hits.iter().filter(|h| h.alert).map(subject_day).collect();
    let (mut right, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    for hit in hits.iter().filter(|h| h.alert) {
        if explained(hit) { &mut right } else { &mut wrong }.insert(subject_day(hit));
    }
    let list = wrong.difference(&right).map(|key| {
        let said: BTreeSet<&str> =
            hits.iter().filter(|h| h.alert && subject_day(h) == *key).map(|h| h.detection.as_str()).collect();
        FalseAlert {
            org: key.0.clone(),
            subject: key.1.clone(),
            day: key.2.clone(),
            detections: said.into_iter().collect::<Vec<_>>().join(" "),
        }
    });
    (list.collect(), alerts)
}

fn precision(
    family: Family,
    hits: &[Hit],
    wanted: &[Wanted],
    alerts: &BTreeSet<SubjectDay>,
    false_alerts: &[FalseAlert],
) -> FamilyPrecision {
    let precision = if family == Family::Anomaly {
        Rate::new((alerts.len() - false_alerts.len()) as u64, alerts.len() as u64)
    } else {
        let flagged: BTreeSet<(&str, &str)> = hits
            .iter()
            .filter(|h| h.family == family)
            .map(|h| (h.org.as_str(), h.subject.as_str()))
            .collect();
        let right: BTreeSet<(&str, &str)> = hits
            .iter()
            .filter(|h| h.family == family && wanted.iter().any(|w| explains(w, h)))
            .map(|h| (h.org.as_str(), h.subject.as_str()))
            .collect();
        Rate::new(right.len() as u64, flagged.len() as u64)
    };
    FamilyPrecision { family, precision }
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
        let anomaly = score.precision.iter().find(|p| p.family == Family::Anomaly).expect("row");
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
    fn bad_inputs_are_named() {
        let truth = b"[]";
        assert!(matches!(evaluate(b"{}", None, truth), Err(LabError::Read { input: "findings", .. })));
        let body = br#"{"window":{"from":"x","to":"y"},"counts":{"tokens":1},"findings":[]}"#;
        let error = evaluate(body, None, truth).expect_err("no time");
        assert!(error.to_string().contains("RFC 3339"), "{error}");
    }
}

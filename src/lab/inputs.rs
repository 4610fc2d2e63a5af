//! What an evaluation reads: `findings.json`, `tokens.json` and `truth.json` in, hits and wanted labels out.

use serde::Deserialize;

use super::LabError;
use crate::model::finding::{Family, Severity, SubjectKind};
use crate::model::time::{DAY, Micros, Span, parse_time};

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
pub(super) struct Hit {
    pub(super) detection: String,
    pub(super) family: Family,
    /// Whether somebody is to look at it: medium severity or above.
    pub(super) loud: bool,
    pub(super) org: String,
    pub(super) kind: SubjectKind,
    pub(super) subject: String,
    pub(super) span: Span,
}

/// A label with its times read, a day of grace behind it.
pub(super) struct Wanted {
    pub(super) org: String,
    pub(super) token: Option<String>,
    pub(super) scenario: String,
    pub(super) family: Family,
    pub(super) span: Span,
}

/// Everything that findings say of themselves.
pub(super) struct Said {
    pub(super) window: Span,
    pub(super) tokens: u64,
    pub(super) hits: Vec<Hit>,
    pub(super) not_run: Vec<String>,
}

/// Whether the two share an instant, ends included: a label may be one instant long.
pub(super) fn touch(hit: &Hit, wanted: &Wanted) -> bool {
    hit.span.from <= wanted.span.to && wanted.span.from <= hit.span.to
}

fn time(input: &'static str, text: &str) -> Result<Micros, LabError> {
    parse_time(text).ok_or_else(|| LabError::Time { input, text: text.to_owned() })
}

fn read<T: for<'a> Deserialize<'a>>(input: &'static str, bytes: &[u8]) -> Result<T, LabError> {
    serde_json::from_slice(bytes).map_err(|source| LabError::Read { input, source })
}

/// Reads findings.
pub(super) fn findings(bytes: &[u8]) -> Result<Said, LabError> {
    let findings: Findings = read("findings", bytes)?;
    let window =
        Span { from: time("findings", &findings.window.from)?, to: time("findings", &findings.window.to)? };
    Ok(Said {
        window,
        tokens: findings.counts.tokens,
        hits: findings.findings.into_iter().map(|f| hit(f, window)).collect::<Result<_, _>>()?,
        not_run: findings.not_run.into_iter().map(|n| n.detection).collect(),
    })
}

/// Reads labels.
pub(super) fn truth(bytes: &[u8]) -> Result<Vec<Wanted>, LabError> {
    let truth: Vec<Truth> = read("truth", bytes)?;
    truth.into_iter().map(wanted).collect()
}

/// Counts the rows of `tokens.json`, whatever the object around them is called.
pub(super) fn count_tokens(bytes: &[u8]) -> Result<u64, LabError> {
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
        loud: finding.severity >= Severity::Medium,
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

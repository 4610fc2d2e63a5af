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
    #[serde(default)]
    list: Vec<Entry>,
}

/// One entry of what a finding gathers.
#[derive(Deserialize)]
struct Entry {
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

/// A finding, or one entry of its list, with its times read; without times it holds for the whole window.
#[derive(Clone)]
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
        hits: findings.findings.into_iter().map(|f| hits(f, window)).collect::<Result<Vec<_>, _>>()?.concat(),
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

/// The hits of a finding: one for each entry of its list, since the time between two entries shows nothing.
fn hits(finding: Finding, window: Span) -> Result<Vec<Hit>, LabError> {
    let span = |first: &Option<String>, last: &Option<String>| -> Result<Span, LabError> {
        let at = |text: &Option<String>| text.as_deref().map(|t| time("findings", t)).transpose();
        let (first, last) = (at(first)?, at(last)?);
        Ok(Span { from: first.or(last).unwrap_or(window.from), to: last.or(first).unwrap_or(window.to) })
    };
    let spans: Vec<Span> = match finding.list.as_slice() {
        [] => vec![span(&finding.first_time, &finding.last_time)?],
        list => list.iter().map(|e| span(&e.first_time, &e.last_time)).collect::<Result<_, _>>()?,
    };
    let hit = |span| Hit {
        detection: finding.detection.clone(),
        family: finding.family,
        loud: finding.severity >= Severity::Medium,
        org: finding.org.to_lowercase(),
        kind: finding.subject.kind,
        subject: finding.subject.id.to_lowercase(),
        span,
    };
    Ok(spans.into_iter().map(hit).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_two_entries_of_a_list_is_no_hit() {
        let text = r#"{"window": {"from": "2026-01-01T00:00:00Z", "to": "2026-03-31T00:00:00Z"}, "counts": {"tokens": 1},
            "findings": [{"detection": "PAT-P015", "family": "posture", "severity": "low", "org": "contoso",
                "subject": {"kind": "user", "id": "ann"}, "first_time": "2026-01-10T00:00:00Z", "last_time": "2026-03-10T00:00:00Z",
                "list": [{"name": "b", "first_time": "2026-03-10T00:00:00Z", "last_time": "2026-03-10T00:00:00Z"},
                    {"name": "a", "first_time": "2026-01-10T00:00:00Z", "last_time": "2026-01-11T00:00:00Z"}]}]}"#;
        let said = findings(text.as_bytes()).expect("findings");
        let label = |day: &str| {
            let truth = format!(
                r#"[{{"org": "contoso", "token_id": null, "scenario": "s", "family": "posture", "from": "{day}T00:00:00Z", "to": "{day}T01:00:00Z"}}]"#
            );
            let wanted = truth_of(&truth);
            said.hits.iter().filter(|hit| touch(hit, &wanted)).count()
        };
        assert_eq!((label("2026-01-10"), label("2026-02-10"), label("2026-03-10")), (1, 0, 1));
    }

    fn truth_of(text: &str) -> Wanted {
        truth(text.as_bytes()).expect("truth").remove(0)
    }
}

//! Findings as SARIF 2.1.0, keeping severity *and* confidence.
//!
//! `level` and `security-severity` follow the severity, `precision` and `rank` the confidence; both words
//! stand in `properties` as well. Rules are all detections, run or not. A result's message is the whole
//! sentence: viewers show little else.

use super::subject;
use crate::model::event_id::EventId;
use crate::model::finding::{Confidence, DetectionMeta, Family, Finding, Severity, SubjectKind};
use crate::model::time::format_time;
use crate::output::{Format, Result, Style, VERSION, long_list, words};
use crate::report::Report;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::io;

/// `--format sarif`.
#[derive(Debug)]
pub struct Sarif;

impl Format<Report> for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn extension(&self) -> &'static str {
        "sarif"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        let (index, place) = (index(report), place(report));
        let (taken, left_out) = taken(&report.findings, MAX_RESULTS);
        let log = log(report, &left_out);
        long_list::write(&log, ("results", 3), &taken, |f| result(f, &index, &place), to)
    }
}

/// Most results of a run. GitHub and Azure DevOps refuse a run with more than 25,000; one fewer is below that limit however it
/// is counted.
const MAX_RESULTS: usize = 24_999;

/// The findings that become results, in their order, and those that are left out: the least severe, and of one severity
/// those that a decision covers.
fn taken(findings: &[Finding], most: usize) -> (Vec<&Finding>, Vec<&Finding>) {
    if findings.len() <= most {
        return (findings.iter().collect(), Vec::new());
    }
    let mut places: Vec<usize> = (0..findings.len()).collect();
    let worth = |i: &usize| {
        let f = &findings[*i];
        (std::cmp::Reverse(f.severity), f.suppressed.is_some(), std::cmp::Reverse(f.confidence))
    };
    places.sort_by_key(worth);
    let (mut kept, mut rest) = (places[..most].to_vec(), places[most..].to_vec());
    kept.sort_unstable();
    rest.sort_unstable();
    let of = |places: Vec<usize>| places.into_iter().map(|i| &findings[i]).collect();
    (of(kept), of(rest))
}

/// What the run says of results that it leaves out.
fn notice(left_out: &[&Finding]) -> Option<Value> {
    let of = |s: Severity| left_out.iter().filter(|f| f.severity == s).count();
    let counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|s| (of(*s), s))
        .filter(|(n, _)| *n > 0)
        .map(|(n, s)| format!("{n} {s}"))
        .collect();
    (!left_out.is_empty()).then(|| {
        json!({
            "level": "warning",
            "message": { "text": format!(
                "{} findings are left out, the least severe first, since code-scanning services refuse a run with more than 25,000 results: {}. findings.json and findings.csv have all.",
                left_out.len(),
                counts.join(", ")
            ) },
        })
    })
}

/// What a URI reference cannot hold as it is.
const URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#')
    .add(b'?')
    .add(b'{')
    .add(b'}')
    .add(b'%')
    .add(b'\\')
    .add(b'^')
    .add(b'|')
    .add(b'[')
    .add(b']')
    .add(b':');

/// The file, its results left out: [`result`] makes each.
#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    invocations: Value,
    artifacts: Vec<Value>,
    column_kind: &'static str,
    results: [(); 0],
    properties: Value,
}

/// Where the rule of each detection stands.
fn index(report: &Report) -> HashMap<&str, usize> {
    report.detections.iter().enumerate().map(|(i, d)| (d.id.as_str(), i)).collect()
}

/// What results point at: the first audit file that was read.
fn place(report: &Report) -> String {
    let audit = report.inputs.iter().find(|i| i.kind.contains("audit")).or_else(|| report.inputs.first());
    audit.map_or_else(|| "audit-log".to_owned(), |i| uri(&i.name))
}

fn log(report: &Report, left_out: &[&Finding]) -> Log {
    let run = Run {
        tool: json!({ "driver": {
            "name": "patwatch",
            "semanticVersion": VERSION,
            "rules": report.detections.iter().map(rule).collect::<Vec<_>>(),
            "properties": { "pack_sha256": report.pack_sha256, "config_sha256": report.config_sha256 },
        } }),
        invocations: json!([{
            "executionSuccessful": !report.not_run.iter().any(|n| n.failed),
            "toolExecutionNotifications": report.not_run.iter().map(|n| json!({
                "level": if n.failed { "error" } else { "note" },
                "message": { "text": format!("{} did not run: {}", n.detection, n.reason) },
                "associatedRule": { "id": n.detection },
            })).chain(report.blind.iter().map(|b| json!({
                "level": "note",
                "message": { "text": words::blind(b) },
                "associatedRule": { "id": b.detection },
            }))).chain(report.settings.sentences().into_iter().map(|text| json!({
                "level": "note",
                "message": { "text": text },
            }))).chain(notice(left_out)).collect::<Vec<_>>(),
        }]),
        artifacts: artifacts(report),
        column_kind: "unicodeCodePoints",
        results: [],
        properties: json!({
            "as_of": format_time(report.as_of),
            "window_from": format_time(report.window.from),
        }),
    };
    Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }
}

/// The inputs, each once: the schema asks for unique elements, and a lake may have read one file twice.
fn artifacts(report: &Report) -> Vec<Value> {
    // What brought nothing to read, such as a prune, is no artifact.
    let files = report.inputs.iter().filter(|i| !i.sha256.is_empty());
    let unique: BTreeSet<(&str, &str, &str)> =
        files.map(|i| (i.name.as_str(), i.sha256.as_str(), i.kind.as_str())).collect();
    unique
        .into_iter()
        .map(|(name, sha256, kind)| {
            json!({
                "location": { "uri": uri(name) },
                "hashes": { "sha-256": sha256 },
                "description": { "text": kind },
            })
        })
        .collect()
}

fn uri(name: &str) -> String {
    // The colon of a scheme stays; one in a file name would read as a scheme.
    if let Some(rest) = name.strip_prefix("https://") {
        return format!("https://{}", utf8_percent_encode(rest, URI));
    }
    let encoded = utf8_percent_encode(name, URI).to_string();
    if encoded.is_empty() { "audit-log".to_owned() } else { encoded }
}

fn rule(d: &DetectionMeta) -> Value {
    let mut tags = vec!["security".to_owned(), d.family.to_string()];
    tags.extend(d.attack.iter().cloned());
    tags.extend(d.controls.iter().cloned());
    tags.sort_unstable();
    tags.dedup();
    let help = if d.rationale.is_empty() { d.fix.clone() } else { format!("{}\n\n{}", d.fix, d.rationale) };
    let mut rule = json!({
        "id": d.id,
        "name": d.slug,
        "shortDescription": { "text": filled(&d.title) },
        "fullDescription": { "text": filled(if d.rationale.is_empty() { &d.title } else { &d.rationale }) },
        "help": { "text": filled(&help) },
        "defaultConfiguration": { "level": level(d.severity) },
        "properties": {
            "tags": tags,
            "precision": d.confidence,
            "problem.severity": level(d.severity),
            "security-severity": score(d.severity),
            "severity": d.severity,
            "confidence": d.confidence,
            "references": d.references,
            "equivalents": d.equivalents,
        },
    });
    if let Some(link) = d.references.iter().find(|r| r.starts_with("https://")) {
        rule["helpUri"] = link.as_str().into();
    }
    rule
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    kind: &'static str,
    rank: f64,
    message: Text<'a>,
    locations: [Location<'a>; 1],
    partial_fingerprints: Fingerprints<'a>,
    occurrence_count: u64,
    properties: Properties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Suppression; 1]>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: Physical<'a>,
    logical_locations: [Logical<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact<'a>,
}

#[derive(Serialize)]
struct Artifact<'a> {
    uri: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    name: &'a str,
    fully_qualified_name: String,
    kind: SubjectKind,
}

#[derive(Serialize)]
struct Fingerprints<'a> {
    #[serde(rename = "patwatch/v1")]
    first: &'a str,
}

/// What SARIF has no place for.
#[derive(Serialize)]
struct Properties<'a> {
    severity: Severity,
    confidence: Confidence,
    #[serde(rename = "security-severity")]
    score: &'static str,
    family: Family,
    org: &'a str,
    owner: Option<&'a str>,
    first_time: Option<String>,
    last_time: Option<String>,
    evidence: &'a Map<String, Value>,
    event_ids: &'a [EventId],
    fix: &'a str,
    controls: &'a [String],
    attack: &'a [String],
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

fn result<'a>(f: &'a Finding, index: &HashMap<&str, usize>, place: &'a str) -> Found<'a> {
    Found {
        rule_id: &f.detection,
        rule_index: index.get(f.detection.as_str()).copied(),
        level: level(f.severity),
        kind: "fail",
        rank: rank(f.confidence),
        message: Text { text: filled(&f.message) },
        locations: [Location {
            physical_location: Physical { artifact_location: Artifact { uri: place } },
            logical_locations: [Logical {
                name: subject(f),
                fully_qualified_name: format!("{}/{}", f.org, f.subject.id),
                kind: f.subject.kind,
            }],
        }],
        partial_fingerprints: Fingerprints { first: &f.fingerprint },
        occurrence_count: f.count.max(1),
        properties: Properties {
            severity: f.severity,
            confidence: f.confidence,
            score: score(f.severity),
            family: f.family,
            org: &f.org,
            owner: f.owner.as_deref(),
            first_time: f.first_time.map(format_time),
            last_time: f.last_time.map(format_time),
            evidence: &f.evidence,
            event_ids: &f.event_ids,
            fix: &f.fix,
            controls: &f.controls,
            attack: &f.attack,
        },
        suppressions: f.suppressed.as_ref().map(|s| {
            let until = s.until.map(|t| format!(" until {}", format_time(t))).unwrap_or_default();
            [Suppression {
                kind: "external",
                status: "accepted",
                justification: format!("{} by {}{until}: {}", s.decision, s.who(), filled(&s.reason)),
            }]
        }),
    }
}

/// SARIF refuses empty text.
fn filled(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the band that viewers give the word.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "1.0",
    }
}

const fn rank(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 90.0,
        Confidence::Medium => 60.0,
        Confidence::Low => 30.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(report: &Report) -> Value {
        let bytes = crate::output::to_bytes(&Sarif, report).expect("renders");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[test]
    fn keeps_grades_suppressions_and_rules() {
        let report = crate::output::sample::report();
        let log = written(&report);
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(report.detections.len()));
        for (f, r) in report.findings.iter().zip(run["results"].as_array().expect("results")) {
            assert_eq!(r["properties"]["severity"], f.severity.as_str());
            assert_eq!(r["properties"]["confidence"], f.confidence.as_str());
            assert_eq!(r.get("suppressions").is_some(), f.suppressed.is_some());
            let rule = &run["tool"]["driver"]["rules"][r["ruleIndex"].as_u64().expect("index") as usize];
            assert_eq!(rule["id"], r["ruleId"]);
        }
        let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().map(Vec::len);
        assert_eq!(notes, Some(report.not_run.len() + report.blind.len()));
    }

    #[test]
    fn results_beyond_the_limit_are_left_out_least_severe_first_and_reported() {
        let mut report = crate::output::sample::report();
        let one = report.findings[0].clone();
        report.findings = (0..MAX_RESULTS + 3)
            .map(|i| {
                let severity = if i == 5 { Severity::Low } else { Severity::High };
                Finding { severity, fingerprint: format!("{i:032x}"), suppressed: None, ..one.clone() }
            })
            .collect();
        report.findings[7].suppressed =
            crate::output::sample::report().findings.into_iter().find_map(|f| f.suppressed);
        let log = written(&report);
        let results = log["runs"][0]["results"].as_array().expect("results");
        assert_eq!(results.len(), MAX_RESULTS);
        let has = |i: usize| {
            let print = format!("{i:032x}");
            results.iter().any(|r| r["partialFingerprints"]["patwatch/v1"] == print.as_str())
        };
        assert!(has(0) && !has(5) && !has(7) && !has(MAX_RESULTS + 2));
        let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
        assert!(notes.contains("3 findings are left out") && notes.contains("2 high, 1 low"), "{notes}");
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a skipped check must say so")]
    fn the_schema_accepts_it_where_one_is_at_hand() {
        let Ok(path) = std::env::var("PATWATCH_SARIF_SCHEMA") else {
            eprintln!("skipped: set PATWATCH_SARIF_SCHEMA to the public schema");
            return;
        };
        let schema: Value =
            serde_json::from_slice(&std::fs::read(path).expect("schema")).expect("JSON schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let log = written(&crate::output::sample::report());
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

//! Findings as OCSF 1.3 Detection Findings (class 2004), one JSON array, for a SIEM.
//!
//! Source of ids and names: the public OCSF schema, class `detection_finding`. Times are milliseconds since
//! 1970; `time` is the finding's last event, else the instant of the run: never the wall clock.

use super::{subject, title};
use crate::model::finding::{Confidence, Finding, Severity, SubjectKind};
use crate::output::{Format, Result, Style, VERSION, exact};
use crate::report::Report;
use serde_json::{Value, json};
use std::io;

/// Technique ids with their names (MITRE ATT&CK, enterprise).
const TECHNIQUES: &str = include_str!("../../../queries/catalogue/attack-techniques.csv");

/// `--format ocsf`.
#[derive(Debug)]
pub struct Ocsf;

impl Format<Report> for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        let events: Vec<Value> = report.findings.iter().map(|f| event(report, f)).collect();
        exact::write_pretty(&events, to)?;
        writeln!(to)?;
        Ok(())
    }
}

fn event(report: &Report, f: &Finding) -> Value {
    let millis = |t: i64| t.div_euclid(1000);
    let severity_id = match f.severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    };
    let severity =
        if f.severity == Severity::Info { "Informational".to_owned() } else { capital(f.severity.as_str()) };
    let confidence_id = match f.confidence {
        Confidence::Low => 1,
        Confidence::Medium => 2,
        Confidence::High => 3,
    };
    let (status_id, status) = if f.suppressed.is_some() { (3, "Suppressed") } else { (1, "New") };
    let references: &[String] =
        report.detections.iter().find(|d| d.id == f.detection).map_or(&[], |d| &d.references);
    let mut event = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "time": millis(f.last_time.unwrap_or(report.as_of)),
        "severity_id": severity_id,
        "severity": severity,
        "confidence_id": confidence_id,
        "confidence": capital(f.confidence.as_str()),
        "status_id": status_id,
        "status": status,
        "count": f.count,
        "message": f.message,
        "metadata": {
            "version": "1.3.0",
            "uid": f.fingerprint,
            "product": { "name": "patwatch", "vendor_name": "patwatch", "version": VERSION },
        },
        "finding_info": {
            "uid": f.fingerprint,
            "title": title(report, f),
            "desc": f.message,
            "types": [f.family],
            "analytic": {
                "uid": f.detection, "name": f.slug, "type_id": 1, "type": "Rule", "version": report.pack_sha256,
            },
            "attacks": f.attack.iter()
                .map(|t| json!({ "version": "ATT&CK", "technique": { "uid": t, "name": technique(t) } })).collect::<Vec<_>>(),
            "related_events": f.event_ids.iter()
                .map(|id| json!({ "uid": id })).collect::<Vec<_>>(),
        },
        "evidences": [{ "data": f.evidence }],
        "remediation": { "desc": &*f.fix, "references": references },
        "resources": [resource(f)],
        "unmapped": { "org": f.org, "controls": &*f.controls, "suppressed": f.suppressed.as_ref().map(|s| json!({
            "decision": s.decision, "reviewer": s.reviewer, "reviewer_is_owner": s.reviewer_is_owner, "reason": s.reason,
            "until": s.until.map(crate::model::time::format_time),
        })) },
    });
    if let Some(time) = f.first_time {
        event["start_time"] = millis(time).into();
        event["finding_info"]["first_seen_time"] = millis(time).into();
    }
    if let Some(time) = f.last_time {
        event["end_time"] = millis(time).into();
        event["finding_info"]["last_seen_time"] = millis(time).into();
    }
    event
}

fn resource(f: &Finding) -> Value {
    let kind = match f.subject.kind {
        SubjectKind::Token => "personal access token",
        SubjectKind::User => "user",
        SubjectKind::Org => "organisation",
        SubjectKind::Project => "project",
        SubjectKind::Other => "other",
    };
    let mut resource = json!({ "uid": f.subject.id, "name": subject(f), "type": kind, "namespace": f.org });
    if let Some(owner) = &f.owner {
        // Foreign readers of the class ask for the account that a user belongs to: here the organisation.
        resource["owner"] = json!({
            "name": owner, "uid": owner, "type": "User", "type_id": 1,
            "account": { "name": f.org, "uid": f.org, "type": "Other", "type_id": 99 },
        });
    }
    resource
}

/// Returns the name that MITRE ATT&CK gives a technique; an unknown one, as a user's pack may bring, keeps its id.
fn technique(id: &str) -> &str {
    let named = TECHNIQUES.lines().filter_map(|l| l.split_once(',')).find(|(technique, _)| *technique == id);
    named.map_or(id, |(_, name)| name)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_have_names() {
        assert_eq!(technique("T1528"), "Steal Application Access Token");
        assert_eq!(technique("T9999"), "T9999");
    }

    #[test]
    fn has_what_the_class_requires() {
        let report = crate::output::sample::report();
        let bytes = crate::output::to_bytes(&Ocsf, &report).expect("renders");
        let events: Vec<Value> = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(events.len(), report.findings.len());
        for e in &events {
            for key in ["activity_id", "category_uid", "class_uid", "time", "type_uid", "severity_id"] {
                assert!(e[key].is_number(), "{key}");
            }
            assert_eq!(e["type_uid"].as_u64(), Some(e["class_uid"].as_u64().expect("u64") * 100 + 1));
            assert!(e["finding_info"]["uid"].is_string() && e["metadata"]["product"].is_object());
        }
    }
}

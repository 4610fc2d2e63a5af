//! `manifest.json`: what the bundle was made from and what it holds, by hash.
//!
//! In: a report, the run's facts, the other files of the bundle. Out: JSON without a wall clock, so that two
//! runs over the same evidence give the same bytes.

use super::Result;
use super::bundle::Written;
use crate::model::time::{day_text, format_time};
use crate::report::Report;
use crate::report::review::Approved;
use serde_json::{Value, json};

/// What only the command line knows of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The command line, without `--output` and `--lake`.
    pub command_line: Vec<String>,
    /// SHA-256 of the program, where it could be read.
    pub tool_sha256: Option<String>,
    /// Mark of the key that the pseudonyms come from, where there are pseudonyms.
    pub pseudonyms: Option<String>,
}

/// Returns the manifest of `files`.
///
/// # Errors
/// Those of JSON.
pub fn manifest(report: &Report, facts: &RunFacts, files: &[Written]) -> Result<Vec<u8>> {
    let outputs: Vec<Value> =
        files.iter().map(|f| json!({ "path": f.path, "sha256": f.sha256, "bytes": f.bytes })).collect();
    // Counts that do not add up are a fact about the run: said, not repaired.
    let add_up = report.inputs.iter().all(|i| i.read == i.kept + i.duplicate + i.rejected);
    let sum = |of: fn(&crate::report::Input) -> u64| report.inputs.iter().map(of).sum::<u64>();
    let inputs: Vec<Value> = report.inputs.iter().map(input).collect();
    let value = json!({
        "schema_version": 1,
        "as_of": format_time(report.as_of),
        "window": {
            "from": format_time(report.window.from),
            "to": format_time(report.window.as_of),
            "days": report.window.days,
        },
        "tool": {
            "name": "patwatch",
            "version": super::VERSION,
            "sha256": facts.tool_sha256,
            "pack_sha256": report.pack_sha256,
            "config_sha256": report.config_sha256,
        },
        "command_line": facts.command_line,
        "inputs": inputs,
        "records": {
            "read": sum(|i| i.read),
            "kept": sum(|i| i.kept),
            "duplicate": sum(|i| i.duplicate),
            "rejected": sum(|i| i.rejected),
            "add_up": add_up,
            "masked": sum(|i| i.masked.total()),
        },
        "counts": {
            "events": report.events,
            "tokens": report.tokens.len(),
            "findings": report.findings.len(),
            "suppressed": report.findings.iter().filter(|f| f.suppressed.is_some()).count(),
            "open": report.findings.iter().filter(|f| f.suppressed.is_none()).count(),
            "decisions": report.tokens.iter().filter(|t| t.decision.is_some()).count()
                + report.decisions_elsewhere.len(),
            "unattributed": report.unattributed.len(),
            "detections": report.detections.len(),
            "not_run": report.not_run.len(),
        },
        "population": report.population,
        "not_looked_at": {
            "off": report.settings.off,
            "severity": report.settings.severity,
            "least_severity": report.settings.least_severity,
            "below": report.settings.below,
            "not_shown": report.settings.not_shown(),
            "exceptions": report.approved.iter().map(exception).collect::<Vec<_>>(),
        },
        "evidence": report.evidence,
        "detections": report.digests.iter().map(|(id, digest)| json!({ "id": id, "digest": digest })).collect::<Vec<_>>(),
        "pseudonyms": facts.pseudonyms.as_ref().map(|key| json!({ "key": key })),
        "compared_with": report.comparison.as_ref().map(|c| json!({
            "as_of": c.earlier_as_of,
            "findings_sha256": c.earlier_sha256[0],
            "tokens_sha256": c.earlier_sha256[1],
        })),
        "outputs": outputs,
    });
    let mut bytes = Vec::new();
    super::exact::write_pretty(&value, &mut bytes)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn exception(a: &Approved) -> Value {
    json!({
        "detection": a.approval.detection, "subject": a.approval.subject, "org": a.approval.org,
        "owner": a.approval.owner, "reason": a.approval.reason,
        "approved_on": a.approval.approved_on.map(day_text), "end_date": day_text(a.approval.end_date),
        "holds": a.holds, "covers": a.covers, "not_covered": a.passes,
    })
}

fn input(i: &crate::report::Input) -> Value {
    json!({
        "name": i.name, "kind": i.kind, "sha256": i.sha256, "read": i.read, "kept": i.kept,
        "duplicate": i.duplicate, "rejected": i.rejected, "reasons": i.reasons, "masked": i.masked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_and_counts_add_up() {
        let files = [Written { path: "a.txt".to_owned(), sha256: "ba78".to_owned(), bytes: 3 }];
        let report = crate::output::sample::report();
        let bytes = manifest(&report, &RunFacts::default(), &files).expect("renders");
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(value["outputs"], json!([{ "path": "a.txt", "sha256": "ba78", "bytes": 3 }]));
        assert_eq!(value["records"]["add_up"], true);
        let r = &value["records"];
        let n = |k: &str| r[k].as_u64().expect("a number");
        assert_eq!(n("read"), n("kept") + n("duplicate") + n("rejected"));
    }
}

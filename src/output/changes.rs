//! `changes.json`: what changed since an earlier bundle, for programs.
//!
//! In: a comparison and the report it belongs to. Out: JSON, version 1.

use super::Result;
use crate::model::time::format_time;
use crate::report::compare::{Comparison, Kind, News};
use crate::report::{Report, SCHEMA_VERSION};
use serde_json::{Value, json};

/// Returns the file.
///
/// # Errors
/// Those of JSON.
pub fn changes(report: &Report, c: &Comparison) -> Result<Vec<u8>> {
    let counts = |of: &dyn Fn(Kind) -> usize, same: u64| {
        json!({
            "new": of(Kind::New), "resolved": of(Kind::Resolved), "changed": of(Kind::Changed),
            "not_compared": of(Kind::NotCompared), "same": same,
        })
    };
    let findings: Vec<Value> = c
        .findings
        .iter()
        .map(|f| {
            json!({
                "kind": f.kind, "fingerprint": f.fingerprint, "detection": f.detection, "severity": f.severity,
                "org": f.org, "subject": { "kind": f.subject.0, "id": f.subject.1, "name": f.subject.2 },
                "owner": f.owner, "message": f.message, "why": f.why, "differences": f.differences,
                "missing": f.missing, "of_changed_detection": f.of_changed_detection, "added": f.added,
            })
        })
        .collect();
    let value = json!({
        "schema_version": SCHEMA_VERSION,
        "as_of": format_time(report.as_of),
        "earlier": {
            "as_of": c.earlier_as_of,
            "findings_sha256": c.earlier_sha256[0],
            "tokens_sha256": c.earlier_sha256[1],
        },
        "notes": c.notes,
        "news": News::of(c),
        "counts": {
            "findings": counts(&|k| c.findings_of(k), c.findings_same),
            "findings_with_later_events": c.findings_again,
            "tokens": counts(&|k| c.tokens_of(k), c.tokens_same),
        },
        "findings": findings,
        "tokens": c.tokens,
    });
    let mut bytes = Vec::new();
    super::exact::write_pretty(&value, &mut bytes)?;
    bytes.push(b'\n');
    Ok(bytes)
}

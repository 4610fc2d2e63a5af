//! What changed since an earlier bundle.
//!
//! In: `findings.json`, `tokens.json` and `manifest.json` of that bundle, and the report of now. Out: findings
//! that are new, resolved or changed, by fingerprint, and tokens likewise. What this run did not look at is not
//! called resolved.

mod earlier;
mod gone;

use super::{Report, SCHEMA_VERSION, TokenReport};
use crate::model::finding::{Family, Finding};
use crate::model::time::{format_time, parse_time};
use earlier::text;
use gone::{gone, lists_tokens};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub use earlier::{Earlier, read};

text_enum! {
    /// What became of a finding or token.
    Kind {
        New = "new",
        Resolved = "resolved",
        Changed = "changed",
        /// This run did not look at it, so nothing is known.
        NotCompared = "not compared",
    }
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// What differs.
    pub field: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// One finding that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FindingChange {
    /// What became of it.
    pub kind: Kind,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Detection id.
    pub detection: String,
    /// Severity, as of the newer side that has it.
    pub severity: String,
    /// Organisation.
    pub org: String,
    /// What it is about: kind, id, name.
    pub subject: (String, String, Option<String>),
    /// Owner of the token.
    pub owner: Option<String>,
    /// Its sentence.
    pub message: String,
    /// Why it is new or resolved, as far as it can be told.
    pub why: String,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// One token that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TokenChange {
    /// What became of it: new, resolved (no longer listed or seen) or changed.
    pub kind: Kind,
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Everything that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Comparison {
    /// The instant that the earlier bundle stands at.
    pub earlier_as_of: String,
    /// SHA-256 of its `findings.json` and `tokens.json`.
    pub earlier_sha256: [String; 2],
    /// What to know before reading on.
    pub notes: Vec<String>,
    /// Findings, worst first: new, changed, resolved, not compared.
    pub findings: Vec<FindingChange>,
    /// Findings that are as they were.
    pub findings_same: u64,
    /// Tokens, by organisation and id.
    pub tokens: Vec<TokenChange>,
    /// Tokens that are as they were.
    pub tokens_same: u64,
}

impl Comparison {
    /// Counts findings of a kind.
    #[must_use]
    pub fn findings_of(&self, kind: Kind) -> usize {
        self.findings.iter().filter(|f| f.kind == kind).count()
    }

    /// Counts tokens of a kind.
    #[must_use]
    pub fn tokens_of(&self, kind: Kind) -> usize {
        self.tokens.iter().filter(|t| t.kind == kind).count()
    }
}

/// Why an earlier bundle cannot be compared with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CompareError {
    /// A file is no JSON.
    #[error("{file} is no JSON ({why}); give the folder that `patwatch report --output` wrote")]
    Json {
        /// Which.
        file: &'static str,
        /// Why.
        why: String,
    },
    /// A file lacks what every version holds.
    #[error(
        "{file} has no \"{field}\"; it is no file of patwatch, so give the folder that `patwatch report --output` wrote"
    )]
    Shape {
        /// Which.
        file: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// A newer patwatch wrote it.
    #[error(
        "{file} has schema version {found}, and this patwatch knows versions up to {SCHEMA_VERSION}; upgrade patwatch, or compare with a bundle of this one"
    )]
    Newer {
        /// Which.
        file: &'static str,
        /// Its version.
        found: u64,
    },
}

/// Compares the report of now with an earlier bundle.
#[must_use]
pub fn compare(earlier: &Earlier, now: &Report) -> Comparison {
    let mut comparison = Comparison {
        earlier_as_of: format_time(earlier.as_of),
        earlier_sha256: earlier.sha256.clone(),
        notes: earlier.notes.clone(),
        ..Comparison::default()
    };
    let notes = &mut comparison.notes;
    if earlier.as_of > now.as_of {
        notes.push("The earlier bundle stands at a later instant than this run.".to_owned());
    }
    if !earlier.pack.is_empty() && earlier.pack != now.pack_sha256 {
        notes.push(
            "The detections differ between the two runs, so a finding may be new or resolved because of that."
                .to_owned(),
        );
    }
    if !earlier.config.is_empty() && earlier.config != now.config_sha256 {
        notes.push(
            "The configuration differs between the two runs, so a finding may be new or resolved because of that."
                .to_owned(),
        );
    }
    findings(earlier, now, &mut comparison);
    tokens(earlier, now, &mut comparison);
    comparison
}

fn orgs(now: &Report) -> BTreeSet<&str> {
    let covered = now.coverage.iter().map(|c| c.org.as_str());
    covered
        .chain(now.population.iter().map(|p| p.org.as_str()))
        .chain(now.tokens.iter().map(|t| t.token.org.as_str()))
        .collect()
}

fn findings(earlier: &Earlier, now: &Report, comparison: &mut Comparison) {
    let before: BTreeMap<&str, &Value> =
        earlier.findings.iter().filter_map(|f| Some((text(f, "fingerprint")?, f))).collect();
    let known: BTreeSet<(&str, &str)> =
        earlier.tokens.iter().filter_map(|t| Some((text(t, "org")?, text(t, "token_id")?))).collect();
    let mut changes = Vec::new();
    for finding in &now.findings {
        let change = |kind, why: &str, differences| FindingChange {
            kind,
            fingerprint: finding.fingerprint.clone(),
            detection: finding.detection.clone(),
            severity: finding.severity.to_string(),
            org: finding.org.clone(),
            subject: (
                finding.subject.kind.to_string(),
                finding.subject.id.clone(),
                finding.subject.name.clone(),
            ),
            owner: finding.owner.clone(),
            message: finding.message.clone(),
            why: why.to_owned(),
            differences,
        };
        let Some(old) = before.get(finding.fingerprint.as_str()) else {
            let of_token = finding.subject.kind == crate::model::finding::SubjectKind::Token;
            let why = if !earlier.orgs.contains(&finding.org) {
                "The earlier run did not look at the organisation."
            } else if of_token && !known.contains(&(finding.org.as_str(), finding.subject.id.as_str())) {
                "The token is new."
            } else if finding.first_time.is_some_and(|t| t > earlier.as_of) {
                "It happened since."
            } else {
                ""
            };
            changes.push(change(Kind::New, why, Vec::new()));
            continue;
        };
        let differences = finding_differences(old, finding);
        if differences.is_empty() {
            comparison.findings_same += 1;
        } else {
            changes.push(change(Kind::Changed, "", differences));
        }
    }
    let present: BTreeSet<&str> = now.findings.iter().map(|f| f.fingerprint.as_str()).collect();
    for (fingerprint, old) in before.iter().filter(|(f, _)| !present.contains(**f)) {
        let (kind, why) = gone(old, now);
        let subject = &old["subject"];
        changes.push(FindingChange {
            kind,
            fingerprint: (*fingerprint).to_owned(),
            detection: text(old, "detection").unwrap_or_default().to_owned(),
            severity: text(old, "severity").unwrap_or_default().to_owned(),
            org: text(old, "org").unwrap_or_default().to_owned(),
            subject: (
                text(subject, "kind").unwrap_or_default().to_owned(),
                text(subject, "id").unwrap_or_default().to_owned(),
                text(subject, "name").map(str::to_owned),
            ),
            owner: text(old, "owner").map(str::to_owned),
            message: text(old, "message").unwrap_or_default().to_owned(),
            why,
            differences: Vec::new(),
        });
    }
    let grade = |c: &FindingChange| {
        c.severity.parse::<crate::model::finding::Severity>().map_or(0, |s| s as usize + 1)
    };
    let order = |k: Kind| match k {
        Kind::New => 0,
        Kind::Changed => 1,
        Kind::Resolved => 2,
        Kind::NotCompared => 3,
    };
    changes.sort_by(|a, b| {
        (order(a.kind), std::cmp::Reverse(grade(a)), &a.detection, &a.org, &a.subject, &a.fingerprint).cmp(&(
            order(b.kind),
            std::cmp::Reverse(grade(b)),
            &b.detection,
            &b.org,
            &b.subject,
            &b.fingerprint,
        ))
    });
    comparison.findings = changes;
}

fn finding_differences(old: &Value, new: &Finding) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut differ = |field: &str, before: Option<&str>, after: &str| {
        if let Some(before) = before
            && before != after
        {
            out.push(Difference {
                field: field.to_owned(),
                before: before.to_owned(),
                after: after.to_owned(),
            });
        }
    };
    differ("severity", text(old, "severity"), new.severity.as_str());
    differ("confidence", text(old, "confidence"), new.confidence.as_str());
    let decision = |d: Option<&str>| d.unwrap_or("none").to_owned();
    let before = old.get("suppressed").map(|s| decision(text(s, "decision")));
    let after = decision(new.suppressed.as_ref().map(|s| s.decision.as_str()));
    differ("decision", before.as_deref(), &after);
    // A state holds until the run's instant, so its end moves by itself; what happened again is news.
    if matches!(new.family, Family::Anomaly | Family::Posture)
        && let (Some(before), Some(after)) = (text(old, "last_time").and_then(parse_time), new.last_time)
        && after > before
    {
        differ("last event", Some(&format_time(before)), &format_time(after));
    }
    out
}

fn tokens(earlier: &Earlier, now: &Report, comparison: &mut Comparison) {
    let mut before: BTreeMap<(&str, &str), &Value> =
        earlier.tokens.iter().filter_map(|t| Some(((text(t, "org")?, text(t, "token_id")?), t))).collect();
    let mut changes = Vec::new();
    for token in &now.tokens {
        let key = (token.token.org.as_str(), token.token.token_id.as_str());
        let (kind, differences) = match before.remove(&key) {
            None if !earlier.orgs.contains(key.0) => (Kind::NotCompared, Vec::new()),
            None => (Kind::New, Vec::new()),
            Some(old) => (Kind::Changed, token_differences(old, token)),
        };
        if kind == Kind::Changed && differences.is_empty() {
            comparison.tokens_same += 1;
            continue;
        }
        changes.push(TokenChange {
            kind,
            org: key.0.to_owned(),
            token_id: key.1.to_owned(),
            name: token.token.name.clone(),
            owner: token.token.owner.clone(),
            differences,
        });
    }
    let here = orgs(now);
    for ((org, token_id), old) in before {
        changes.push(TokenChange {
            kind: if here.contains(org) && lists_tokens(now, org) {
                Kind::Resolved
            } else {
                Kind::NotCompared
            },
            org: org.to_owned(),
            token_id: token_id.to_owned(),
            name: text(old, "name").map(str::to_owned),
            owner: text(old, "owner").map(str::to_owned),
            differences: Vec::new(),
        });
    }
    changes.sort_by(|a, b| (a.kind, &a.org, &a.token_id).cmp(&(b.kind, &b.org, &b.token_id)));
    comparison.tokens = changes;
}

fn token_differences(old: &Value, new: &TokenReport) -> Vec<Difference> {
    let (token, verdicts) = (&new.token, &new.verdicts);
    let mut out = Vec::new();
    let mut differ = |field: &str, before: Option<String>, after: String| {
        if let Some(before) = before
            && before != after
        {
            out.push(Difference { field: field.to_owned(), before, after });
        }
    };
    let said = |value: Option<&str>| value.map(str::to_owned);
    let maybe =
        |field: &str| old.get(field).map(|v| v.as_str().map_or_else(|| "unknown".to_owned(), str::to_owned));
    let list = |value: &Value| -> Option<String> {
        Some(value.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
    };
    differ("use", said(text(&old["use"], "verdict")), verdicts.usage.verdict.to_string());
    differ("state", said(text(old, "state")), token.state.to_string());
    differ("owner", maybe("owner"), token.owner.clone().unwrap_or_else(|| "unknown".to_owned()));
    differ("owner's state", said(text(old, "owner_state")), token.owner_state.to_string());
    differ("end date", maybe("valid_to"), token.valid_to.map_or_else(|| "unknown".to_owned(), format_time));
    if let Some(scopes) = &token.scopes {
        differ("scopes", list(&old["scopes"]), scopes.join(" "));
    }
    differ("advice", said(text(&old["advice"], "action")), verdicts.advice.action.to_string());
    if let Some(decision) = old.get("decision") {
        let words = |d: &str, s: &str| format!("{d} ({s})");
        let before = match (text(decision, "decision"), text(decision, "status")) {
            (Some(d), Some(s)) => words(d, s),
            _ => "none".to_owned(),
        };
        let after = new
            .decision
            .as_ref()
            .map_or_else(|| "none".to_owned(), |d| words(d.decision.choice.as_str(), d.status.as_str()));
        differ("decision", Some(before), after);
    }
    let scopes: BTreeMap<&str, &str> = old["scope"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| Some((text(s, "scope")?, text(s, "state")?)))
        .collect();
    for row in &verdicts.scope {
        if let Some(before) = scopes.get(row.scope.as_str()) {
            differ(&row.scope, Some((*before).to_owned()), row.state.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(report: &Report) -> Earlier {
        use crate::output::{findings, to_bytes, tokens};
        let findings = to_bytes(&findings::json::Json, report).expect("JSON");
        read(&findings, &to_bytes(&tokens::json::Json, report).expect("JSON"), None).expect("a bundle")
    }

    #[test]
    fn the_same_report_has_not_changed() {
        let report = crate::output::sample::report();
        let c = compare(&bundle(&report), &report);
        assert_eq!((c.findings.as_slice(), c.tokens.as_slice(), c.notes.len()), (&[][..], &[][..], 0));
        assert_eq!(c.findings_same, report.findings.len() as u64);
        assert_eq!(c.tokens_same, report.tokens.len() as u64);
    }

    #[test]
    fn each_change_is_told_with_its_reason() {
        use crate::model::finding::Severity;
        use crate::model::token::TokenState;
        use crate::model::verdict::UseState;
        let old = crate::output::sample::report();
        let earlier = bundle(&old);
        let mut now = old.clone();
        // Gone because the token was revoked; not looked at because the detection did not run; simply gone.
        now.findings
            .retain(|f| f.detection != "PAT-H002" && f.detection != "PAT-P001" && f.detection != "PAT-S001");
        now.not_run[0].detection = "PAT-P001".into();
        let id = old.findings.iter().find(|f| f.detection == "PAT-S001").map(|f| f.subject.id.clone());
        let revoked = now.tokens.iter_mut().find(|t| Some(&t.token.token_id) == id.as_ref()).expect("it");
        revoked.token.state = TokenState::Revoked;
        revoked.verdicts.usage.verdict = UseState::NotJudged;
        now.findings[0].severity = Severity::Low;
        let mut fresh = now.findings[1].clone();
        fresh.fingerprint = "ee".repeat(32);
        now.findings.push(fresh);
        now.pack_sha256 = "other".into();
        let c = compare(&earlier, &now);
        let why = |detection: &str, kind: Kind| {
            let found = c.findings.iter().find(|f| f.detection == detection && f.kind == kind);
            found.map(|f| f.why.clone()).unwrap_or_else(|| panic!("{detection} {kind}: {:#?}", c.findings))
        };
        assert!(why("PAT-S001", Kind::Resolved).contains("revoked"));
        assert!(why("PAT-P001", Kind::NotCompared).contains("did not run"));
        assert!(why("PAT-H002", Kind::Resolved).contains("no longer found"));
        assert_eq!((c.findings_of(Kind::New), c.findings_of(Kind::Changed)), (1, 1));
        let changed = c.findings.iter().find(|f| f.kind == Kind::Changed).expect("one");
        assert_eq!(changed.differences[0].field, "severity");
        let token = c.tokens.iter().find(|t| Some(&t.token_id) == id.as_ref()).expect("the token");
        let fields: Vec<&str> = token.differences.iter().map(|d| d.field.as_str()).collect();
        assert!(fields.contains(&"state") && fields.contains(&"use"), "{fields:?}");
        assert!(c.notes[0].contains("detections differ"));

        // An organisation that this run leaves out is not resolved.
        let mut part = old.clone();
        part.findings.retain(|f| f.org != "fabrikam");
        part.tokens.retain(|t| t.token.org != "fabrikam");
        part.coverage.retain(|c| c.org != "fabrikam");
        part.population.retain(|p| p.org != "fabrikam");
        let c = compare(&earlier, &part);
        assert_eq!((c.findings_of(Kind::Resolved), c.tokens_of(Kind::Resolved)), (0, 0));
        assert!(c.findings_of(Kind::NotCompared) > 0 && c.tokens_of(Kind::NotCompared) > 0);
    }

    #[test]
    fn what_is_no_bundle_says_so() {
        let good = br#"{"schema_version":1,"as_of":"2026-01-01T00:00:00Z","findings":[],"tokens":[]}"#;
        assert!(read(good, good, None).is_ok());
        assert!(matches!(read(b"<html>", good, None), Err(CompareError::Json { file: "findings.json", .. })));
        assert!(matches!(read(b"{}", good, None), Err(CompareError::Shape { .. })));
        assert!(matches!(read(b"[1]", good, None), Err(CompareError::Shape { .. })));
        let newer = br#"{"schema_version":7,"as_of":"2026-01-01T00:00:00Z","findings":[]}"#;
        let error = read(newer, good, None).expect_err("newer");
        assert!(error.to_string().contains("version 7"), "{error}");
        let lacks = br#"{"schema_version":1,"as_of":"2026-01-01T00:00:00Z"}"#;
        assert!(matches!(read(good, lacks, None), Err(CompareError::Shape { field: "tokens", .. })));
        let older = br#"{"as_of":"2026-01-01T00:00:00Z","findings":[],"tokens":[]}"#;
        assert!(read(older, good, None).expect("older").notes[0].contains("older schema"));
        let manifest = br#"{"outputs":[{"path":"findings.json","sha256":"00"}],"pseudonyms":{"key":"ab"}}"#;
        let read = read(good, good, Some(manifest)).expect("reads");
        assert!(read.notes[0].contains("changed since") && read.pseudonyms.as_deref() == Some("ab"));
    }
}

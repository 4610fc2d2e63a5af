//! What changed since an earlier bundle.
//!
//! In: `findings.json`, `tokens.json` and `manifest.json` of that bundle, and the report of now. Out: findings
//! that are new, resolved or changed, by fingerprint, tokens likewise, and which tokens need something new. Both sides
//! need the same classes of evidence; where one lacks a class, the difference is "not compared", with the reason.

mod earlier;
mod facts;
mod findings;
mod gone;
mod missing;
mod news;
mod sides;
mod tokens;

use super::{Report, SCHEMA_VERSION};
use crate::model::noun::counted;
use crate::model::time::format_time;
use std::collections::BTreeSet;

pub use earlier::{Earlier, read};
pub use missing::{Class, Missing, Side};
pub use news::News;
use sides::Sides;

text_enum! {
    /// What became of a finding or token.
    Kind {
        New = "new",
        Resolved = "resolved",
        Changed = "changed",
        /// One side could not see it, so nothing is known.
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
    /// The class of evidence that one side lacks, where it is not compared.
    pub missing: Option<Missing>,
    /// Whether this run has it and no decision covers it.
    pub open: bool,
    /// Whether it comes from a detection that is new or changed since.
    pub of_changed_detection: bool,
    /// Entries of its list that the earlier bundle lacks.
    pub added: Vec<String>,
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
    /// Why it is new, gone or not compared, as far as it can be told.
    pub why: String,
    /// The class of evidence that one side lacks, where it is not compared.
    pub missing: Option<Missing>,
    /// What is advised now, where the token needs something new: other advice, or a new high or critical finding.
    pub needs: Option<String>,
    /// Whether it needed something before and needs nothing now.
    pub eased: bool,
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
    /// Findings that are as they were, but for later events.
    pub findings_same: u64,
    /// Those of them with later events.
    pub findings_again: u64,
    /// Tokens: those that need something new first, then by kind, organisation and id.
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
    let sides = Sides::new(earlier, now);
    let mut comparison = Comparison {
        earlier_as_of: format_time(earlier.as_of),
        earlier_sha256: earlier.sha256.clone(),
        notes: [earlier.notes.clone(), notes(&sides)].concat(),
        ..Comparison::default()
    };
    findings::compare(&sides, &mut comparison);
    tokens::compare(&sides, &mut comparison);
    comparison
}

/// What to know before reading on: everything that keeps the two runs from being compared in full.
fn notes(sides: &Sides<'_>) -> Vec<String> {
    let (earlier, now) = (sides.earlier, sides.now);
    let mut notes = Vec::new();
    if earlier.as_of > now.as_of {
        notes.push("The earlier bundle stands at a later instant than this run.".to_owned());
    }
    if let Some(days) = earlier.window_days.filter(|days| *days != now.window.days) {
        notes.push(format!(
            "The earlier run looked back {}, and this one {}: findings that come or go with the window are not compared.",
            counted(days, "day"),
            now.window.days
        ));
    }
    if let Some(least) = earlier.least_severity {
        notes.push(format!(
            "The earlier bundle shows findings from severity {least} up: lesser ones are not compared."
        ));
    }
    let here: BTreeSet<String> = orgs(now).into_iter().map(str::to_owned).collect();
    let list = |orgs: Vec<&String>| orgs.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let added: Vec<&String> = here.difference(&earlier.orgs).collect();
    if !added.is_empty() {
        notes.push(format!("The earlier run did not look at {}: nothing of it is compared.", list(added)));
    }
    let left: Vec<&String> = earlier.orgs.difference(&here).collect();
    if !left.is_empty() {
        notes.push(format!("This run does not look at {}: nothing of it is compared.", list(left)));
    }
    for (org, side) in
        here.intersection(&earlier.orgs).flat_map(|org| [(org, Side::Earlier), (org, Side::Now)])
    {
        if let Some(missing) = sides.lacking(org, side).filter(|m| m.class != Class::Log) {
            notes.push(format!("{org}: {}", missing.why));
        }
    }
    if !earlier.version.is_empty() && earlier.version != crate::report::VERSION {
        notes.push(format!(
            "The earlier bundle is of patwatch {}, and this run of {}.",
            earlier.version,
            crate::report::VERSION
        ));
    }
    for (differs, what) in [
        (!earlier.pack.is_empty() && earlier.pack != now.pack_sha256, "The detections differ"),
        (!earlier.config.is_empty() && earlier.config != now.config_sha256, "The configuration differs"),
    ] {
        if differs {
            notes.push(format!(
                "{what} between the two runs: findings of new or changed detections are counted apart and are not new."
            ));
        }
    }
    notes
}

fn orgs(now: &Report) -> BTreeSet<&str> {
    let covered = now.coverage.iter().map(|c| c.org.as_str());
    covered
        .chain(now.population.iter().map(|p| p.org.as_str()))
        .chain(now.tokens.iter().map(|t| t.token.org.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn bundle(report: &Report) -> Earlier {
        use crate::output::manifest::{RunFacts, manifest};
        use crate::output::{findings, to_bytes, tokens};
        let findings = to_bytes(&findings::json::Json, report).expect("JSON");
        let manifest = manifest(report, &RunFacts::default(), &[]).expect("JSON");
        read(&findings, &to_bytes(&tokens::json::Json, report).expect("JSON"), Some(&manifest))
            .expect("a bundle")
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

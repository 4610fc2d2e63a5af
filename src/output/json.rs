//! The JSON of findings and tokens, version 1: structs of their own, so that a change inside patwatch
//! cannot change what scripts read.
//!
//! In: a [`Report`]. Out: values that serialise in the order of the contract's schemas, which tests
//! validate. Fields may be added here, none renamed or dropped without a new version.

mod claim;
mod finding;
mod token;

use crate::model::coverage::Coverage;
use crate::model::finding::{Blind, NotRun};
use crate::model::time::{Micros, format_time};
use crate::report::settings::Settings;
use crate::report::{Report, Unattributed};
use serde::Serialize;

pub use crate::report::SCHEMA_VERSION;
pub use finding::{FindingV1, SuppressedV1, finding, suppressed};
pub use token::{TokenV1, token};

/// The file `findings.json`.
#[derive(Debug, Serialize)]
pub struct FindingsV1<'a> {
    schema_version: u32,
    as_of: String,
    window: WindowV1,
    tool: ToolV1<'a>,
    coverage: Vec<CoverageV1<'a>>,
    counts: CountsV1,
    /// One row a finding, in the report's order.
    findings: Vec<FindingV1<'a>>,
    not_run: Vec<NotRunV1<'a>>,
    /// Detections that ran and could not match: no event of their actions has a field that they need.
    blind: Vec<BlindV1<'a>>,
    /// What the user took out of the run, or changed in it.
    not_looked_at: &'a Settings,
}

/// The file `tokens.json`.
#[derive(Debug, Serialize)]
pub struct TokensV1<'a> {
    schema_version: u32,
    as_of: String,
    window: WindowV1,
    tool: ToolV1<'a>,
    coverage: Vec<CoverageV1<'a>>,
    /// One row a token and organisation, in the report's order.
    tokens: Vec<TokenV1<'a>>,
    unattributed: Vec<UnattributedV1<'a>>,
}

#[derive(Debug, Serialize)]
struct WindowV1 {
    from: String,
    to: String,
}

#[derive(Debug, Serialize)]
struct ToolV1<'a> {
    name: &'static str,
    version: &'static str,
    pack_sha256: &'a str,
    config_sha256: &'a str,
}

#[derive(Debug, Serialize)]
struct CoverageV1<'a> {
    org: &'a str,
    from: String,
    to: String,
    basis: &'static str,
    covered_days: usize,
    gaps: Vec<GapV1<'a>>,
    areas: u32,
    events: u64,
}

#[derive(Debug, Serialize)]
struct GapV1<'a> {
    from: String,
    to: String,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct CountsV1 {
    events: u64,
    tokens: usize,
    findings: usize,
}

#[derive(Debug, Serialize)]
struct BlindV1<'a> {
    org: &'a str,
    detection: &'a str,
    fields: &'a [String],
    events: u64,
}

#[derive(Debug, Serialize)]
pub(in crate::output) struct NotRunV1<'a> {
    detection: &'a str,
    reason: &'a str,
    failed: bool,
}

#[derive(Debug, Serialize)]
struct UnattributedV1<'a> {
    org: &'a str,
    credential: &'a str,
    candidates: &'a [String],
    events: u64,
}

/// Returns the shape of `findings.json`, its rows left out: [`finding`] makes each.
#[must_use]
pub fn findings(report: &Report) -> FindingsV1<'_> {
    FindingsV1 {
        schema_version: SCHEMA_VERSION,
        as_of: format_time(report.as_of),
        window: window(report),
        tool: tool(report),
        coverage: report.coverage.iter().map(coverage).collect(),
        counts: CountsV1 {
            events: report.events,
            tokens: report.tokens.len(),
            findings: report.findings.len(),
        },
        findings: Vec::new(),
        not_run: report.not_run.iter().map(not_run).collect(),
        blind: report.blind.iter().map(blind).collect(),
        not_looked_at: &report.settings,
    }
}

/// Returns the shape of `tokens.json`, its rows left out: [`token`] makes each.
#[must_use]
pub fn tokens(report: &Report) -> TokensV1<'_> {
    TokensV1 {
        schema_version: SCHEMA_VERSION,
        as_of: format_time(report.as_of),
        window: window(report),
        tool: tool(report),
        coverage: report.coverage.iter().map(coverage).collect(),
        tokens: Vec::new(),
        unattributed: report.unattributed.iter().map(unattributed).collect(),
    }
}

fn time(time: Option<Micros>) -> Option<String> {
    time.map(format_time)
}

fn window(report: &Report) -> WindowV1 {
    WindowV1 { from: format_time(report.window.from), to: format_time(report.window.as_of) }
}

fn tool(report: &Report) -> ToolV1<'_> {
    ToolV1 {
        name: "patwatch",
        version: super::VERSION,
        pack_sha256: &report.pack_sha256,
        config_sha256: &report.config_sha256,
    }
}

fn coverage(c: &Coverage) -> CoverageV1<'_> {
    let gap = |g: &'_ crate::model::coverage::Gap| (format_time(g.span.from), format_time(g.span.to));
    CoverageV1 {
        org: &c.org,
        from: format_time(c.span.from),
        to: format_time(c.span.to),
        basis: c.basis.as_str(),
        covered_days: c.covered.len(),
        gaps: c
            .gaps
            .iter()
            .map(|g| {
                let (from, to) = gap(g);
                GapV1 { from, to, reason: &g.reason }
            })
            .collect(),
        areas: c.areas,
        events: c.events,
    }
}

fn blind(b: &Blind) -> BlindV1<'_> {
    BlindV1 { org: &b.org, detection: &b.detection, fields: &b.fields, events: b.events }
}

/// Returns a detection that did not run as it is written.
pub(in crate::output) fn not_run(n: &NotRun) -> NotRunV1<'_> {
    NotRunV1 { detection: &n.detection, reason: &n.reason, failed: n.failed }
}

fn unattributed(u: &Unattributed) -> UnattributedV1<'_> {
    UnattributedV1 { org: &u.org, credential: &u.credential, candidates: &u.candidates, events: u.events }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[allow(clippy::print_stderr, reason = "a skipped check must say so")]
    fn check(schema: &str, value: &impl Serialize) {
        // Beside the project, or one folder further up where the project is a second work tree.
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = ["../shared/contract", "../../shared/contract"].map(|p| root.join(p).join(schema));
        let Some(path) = places.into_iter().find(|p| p.exists()) else {
            eprintln!("skipped: the contract folder is not beside the project");
            return;
        };
        let schema: Value =
            serde_json::from_slice(&std::fs::read(path).expect("a schema")).expect("a schema is JSON");
        let value = serde_json::to_value(value).expect("JSON");
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("the schema is a schema");
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let required = schema["required"].as_array().expect("required");
        let order: Vec<&str> = value.as_object().expect("object").keys().map(String::as_str).collect();
        let wanted: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        // Fields may be added; they come after those of the schema.
        assert_eq!(order[..wanted.len()], wanted, "fields come in the order of the schema");
    }

    #[test]
    fn keeps_the_contract() {
        let report = super::super::sample::report();
        check("findings.schema.json", &findings(&report));
        check("tokens.schema.json", &tokens(&report));
    }
}

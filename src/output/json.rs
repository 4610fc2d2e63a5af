//! The JSON of findings and tokens, version 1: structs of their own, so that a change inside patwatch
//! cannot change what scripts read.
//!
//! In: a [`Report`]. Out: values that serialise in the order of the contract's schemas, which tests
//! validate. Fields may be added here, none renamed or dropped without a new version.

use crate::model::coverage::Coverage;
use crate::model::event_id::EventId;
use crate::model::finding::{Finding, NotRun, Subject};
use crate::model::lineage::{Dependence, Lineage};
use crate::model::time::{DAY, Micros, day_text, format_time};
use crate::model::verdict::ScopeVerdict;
use crate::report::review::Standing;
use crate::report::{Report, TokenReport, Unattributed};
use serde::Serialize;
use serde_json::{Map, Value};

pub use crate::report::SCHEMA_VERSION;

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
struct NotRunV1<'a> {
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

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingV1<'a> {
    fingerprint: &'a str,
    detection: &'a str,
    slug: &'a str,
    family: &'static str,
    severity: &'static str,
    confidence: &'static str,
    org: &'a str,
    subject: &'a Subject,
    owner: Option<&'a str>,
    first_time: Option<String>,
    last_time: Option<String>,
    count: u64,
    message: &'a str,
    evidence: &'a Map<String, Value>,
    event_ids: &'a [EventId],
    fix: &'a str,
    controls: &'a [String],
    attack: &'a [String],
    suppressed: Option<SuppressedV1<'a>>,
}

/// The decision that a finding stands under.
#[derive(Debug, Serialize)]
pub struct SuppressedV1<'a> {
    decision: &'a str,
    reviewer: &'a str,
    until: Option<String>,
    decided_on: Option<String>,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct DecisionV1<'a> {
    decision: &'static str,
    reviewer: &'a str,
    decided_on: String,
    reason: &'a str,
    end_date: Option<String>,
    holds: bool,
    status: &'static str,
    note: &'a str,
}

/// One token with its verdicts.
#[derive(Debug, Serialize)]
pub struct TokenV1<'a> {
    org: &'a str,
    token_id: &'a str,
    name: Option<&'a str>,
    owner: Option<&'a str>,
    owner_id: Option<&'a str>,
    owner_state: &'static str,
    known_from: Vec<&'static str>,
    state: &'static str,
    all_orgs: Option<bool>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    #[serde(rename = "use")]
    usage: UseV1<'a>,
    scope: Vec<ScopeV1<'a>>,
    observed_scopes: Option<&'a [String]>,
    proposed_scopes: Option<&'a [String]>,
    reduced_scopes: Option<&'a [String]>,
    risk: f64,
    findings: &'a [String],
    scopes: Option<&'a [String]>,
    advice: AdviceV1<'a>,
    risk_parts: Vec<RiskPartV1<'a>>,
    revoked_at: Option<String>,
    leaked_at: Option<String>,
    owner_gone_at: Option<String>,
    reaches_unseen_orgs: bool,
    decision: Option<DecisionV1<'a>>,
    other_orgs: &'a [String],
    joined_by_name: bool,
    owner_facts: OwnerV1<'a>,
    rotation: RotationV1<'a>,
    dependence: DependenceV1<'a>,
}

#[derive(Debug, Serialize)]
struct OwnerV1<'a> {
    admin_of: &'a [String],
    last_access: Option<String>,
    last_pat: Option<String>,
    tokens: u64,
}

#[derive(Debug, Serialize)]
struct RotationV1<'a> {
    /// From 1 on; null where nothing links the token to another.
    generation: Option<usize>,
    generations: Vec<GenerationV1<'a>>,
    last_rotation: Option<String>,
    secret_since: Option<String>,
    secret_days: Option<i64>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct GenerationV1<'a> {
    token_id: &'a str,
    name: Option<&'a str>,
    from: Option<String>,
    to: Option<String>,
    overlap_days: Option<i64>,
}

#[derive(Debug, Serialize)]
struct DependenceV1<'a> {
    worker: &'static str,
    reason: &'a str,
    integrations: Vec<IntegrationV1<'a>>,
    ask: &'a str,
    move_to: Option<&'a str>,
    ends_for_all: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct IntegrationV1<'a> {
    client: &'a str,
    network: &'a str,
    projects: &'a [String],
    actions: &'a [String],
    events: u64,
    first_day: String,
    last_day: String,
    cadence: &'a str,
}

#[derive(Debug, Serialize)]
struct UseV1<'a> {
    verdict: &'static str,
    confidence: &'static str,
    reason: &'a str,
    last_observed: Option<String>,
    last_observed_ever: Option<String>,
    events: u64,
    event_ids: &'a [String],
    covered_days: u32,
}

#[derive(Debug, Serialize)]
struct ScopeV1<'a> {
    scope: &'a str,
    state: &'static str,
    visibility: &'static str,
    confidence: &'static str,
    event_ids: &'a [String],
    unseen_operations: &'a [String],
    actions: Vec<ActionV1<'a>>,
}

#[derive(Debug, Serialize)]
struct ActionV1<'a> {
    action: &'a str,
    events: u64,
}

#[derive(Debug, Serialize)]
struct AdviceV1<'a> {
    action: &'static str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct RiskPartV1<'a> {
    points: f64,
    reason: &'a str,
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

fn not_run(n: &NotRun) -> NotRunV1<'_> {
    NotRunV1 { detection: &n.detection, reason: &n.reason, failed: n.failed }
}

fn unattributed(u: &Unattributed) -> UnattributedV1<'_> {
    UnattributedV1 { org: &u.org, credential: &u.credential, candidates: &u.candidates, events: u.events }
}

/// Returns one finding.
#[must_use]
pub fn finding(f: &Finding) -> FindingV1<'_> {
    FindingV1 {
        fingerprint: &f.fingerprint,
        detection: &f.detection,
        slug: &f.slug,
        family: f.family.as_str(),
        severity: f.severity.as_str(),
        confidence: f.confidence.as_str(),
        org: &f.org,
        subject: &f.subject,
        owner: f.owner.as_deref(),
        first_time: time(f.first_time),
        last_time: time(f.last_time),
        count: f.count,
        message: &f.message,
        evidence: &f.evidence,
        event_ids: &f.event_ids,
        fix: &f.fix,
        controls: &f.controls,
        attack: &f.attack,
        suppressed: suppressed(f),
    }
}

/// Returns the decision that a finding stands under, if any.
#[must_use]
pub fn suppressed(f: &Finding) -> Option<SuppressedV1<'_>> {
    f.suppressed.as_ref().map(|s| SuppressedV1 {
        decision: &s.decision,
        reviewer: &s.reviewer,
        until: time(s.until),
        decided_on: s.decided_on.map(day_text),
        reason: &s.reason,
    })
}

/// Returns one token.
#[must_use]
pub fn token(t: &TokenReport) -> TokenV1<'_> {
    let (token, verdicts) = (&t.token, &t.verdicts);
    let usage = &verdicts.usage;
    TokenV1 {
        org: &token.org,
        token_id: &token.token_id,
        name: token.name.as_deref(),
        owner: token.owner.as_deref(),
        owner_id: token.owner_id.as_deref(),
        owner_state: token.owner_state.as_str(),
        known_from: token.known_from.iter().map(|k| k.as_str()).collect(),
        state: token.state.as_str(),
        all_orgs: token.all_orgs,
        valid_from: time(token.valid_from),
        valid_to: time(token.valid_to),
        usage: UseV1 {
            verdict: usage.verdict.as_str(),
            confidence: usage.confidence.as_str(),
            reason: &usage.reason,
            last_observed: time(usage.last_observed),
            last_observed_ever: time(usage.last_observed_ever),
            events: usage.events,
            event_ids: &usage.event_ids,
            covered_days: usage.covered_days,
        },
        scope: verdicts.scope.iter().map(scope).collect(),
        observed_scopes: verdicts.observed_scopes.as_deref(),
        proposed_scopes: verdicts.proposed_scopes.as_deref(),
        reduced_scopes: verdicts.reduced_scopes.as_deref(),
        risk: risk(verdicts.risk),
        findings: &t.findings,
        scopes: token.scopes.as_deref(),
        advice: AdviceV1 { action: verdicts.advice.action.as_str(), reason: &verdicts.advice.reason },
        risk_parts: verdicts
            .risk_parts
            .iter()
            .map(|p| RiskPartV1 { points: p.points, reason: &p.reason })
            .collect(),
        revoked_at: time(token.revoked_at),
        leaked_at: time(token.leaked_at),
        owner_gone_at: time(token.owner_gone_at),
        reaches_unseen_orgs: token.reaches_unseen_orgs,
        decision: t.decision.as_ref().map(decision),
        other_orgs: &token.other_orgs,
        joined_by_name: token.joined_by_name,
        owner_facts: OwnerV1 {
            admin_of: &token.owner_facts.admin_of,
            last_access: time(token.owner_facts.last_access),
            last_pat: time(token.owner_facts.last_pat),
            tokens: token.owner_facts.tokens,
        },
        rotation: rotation(&t.lineage),
        dependence: dependence(&t.dependence),
    }
}

fn decision(standing: &Standing) -> DecisionV1<'_> {
    let d = &standing.decision;
    DecisionV1 {
        decision: d.choice.as_str(),
        reviewer: &d.reviewer,
        decided_on: day_text(d.decided_on),
        reason: &d.reason,
        end_date: d.end_date.map(day_text),
        holds: standing.holds,
        status: standing.status.as_str(),
        note: &standing.note,
    }
}

fn rotation(line: &Lineage) -> RotationV1<'_> {
    RotationV1 {
        generation: (!line.generations.is_empty()).then_some(line.at + 1),
        generations: line
            .generations
            .iter()
            .map(|g| GenerationV1 {
                token_id: &g.token_id,
                name: g.name.as_deref(),
                from: time(g.from),
                to: time(g.to),
                overlap_days: g.overlap.map(|o| o.div_euclid(DAY)),
            })
            .collect(),
        last_rotation: time(line.secret_since.filter(|_| line.rotated)),
        secret_since: time(line.secret_since),
        secret_days: line.secret_days,
        notes: &line.notes,
    }
}

fn dependence(d: &Dependence) -> DependenceV1<'_> {
    DependenceV1 {
        worker: d.worker.as_str(),
        reason: &d.reason,
        integrations: d
            .integrations
            .iter()
            .map(|i| IntegrationV1 {
                client: &i.client,
                network: &i.network,
                projects: &i.projects,
                actions: &i.actions,
                events: i.events,
                first_day: day_text(i.days.0),
                last_day: day_text(i.days.1),
                cadence: &i.cadence,
            })
            .collect(),
        ask: &d.ask,
        move_to: d.move_to.as_deref(),
        ends_for_all: d.ends_for_all.as_deref(),
    }
}

/// Returns a risk that JSON can hold and the contract allows.
fn risk(risk: f64) -> f64 {
    if risk.is_finite() { risk.clamp(0.0, 100.0) } else { 0.0 }
}

fn scope(s: &ScopeVerdict) -> ScopeV1<'_> {
    ScopeV1 {
        scope: &s.scope,
        state: s.state.as_str(),
        visibility: s.visibility.as_str(),
        confidence: s.confidence.as_str(),
        event_ids: &s.event_ids,
        unseen_operations: &s.unseen_operations,
        actions: s.actions.iter().map(|(action, events)| ActionV1 { action, events: *events }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(order, wanted, "fields come in the order of the schema");
    }

    #[test]
    fn keeps_the_contract() {
        let report = super::super::sample::report();
        check("findings.schema.json", &findings(&report));
        check("tokens.schema.json", &tokens(&report));
    }

    #[test]
    fn a_risk_that_is_no_number_does_not_break_the_file() {
        assert_eq!(risk(f64::NAN), 0.0);
        assert_eq!(risk(120.0), 100.0);
    }
}

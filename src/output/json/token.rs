//! A row of `tokens.json`.
//!
//! In: a [`TokenReport`]. Out: its fields in the order of the contract: what is known of the token, its verdicts, and what
//! follows for whoever decides about it.

use super::claim::{ClaimV1, claims};
use super::time;
use crate::model::lineage::{Dependence, Lineage};
use crate::model::time::{DAY, day_text};
use crate::model::verdict::ScopeVerdict;
use crate::report::TokenReport;
use crate::report::review::Standing;
use serde::Serialize;

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
    /// What changed about the token since the decision.
    changed: &'a [&'static str],
    reviewer_is_owner: bool,
    /// Not carried out after the days of grace.
    overdue: bool,
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
    /// Under full access: the observed scopes without those that only events under an open anomaly needed, and those.
    start_scopes: Option<&'a [String]>,
    strange_scopes: &'a [String],
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
    claims: Vec<ClaimV1<'a>>,
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
    /// Fields whose claims carry it.
    rests_on: Vec<&'static str>,
    /// Whom to ask, where that is not the owner.
    ask: Option<&'static str>,
    /// Since when, the last event, how many events, and the covered days of a silence.
    since: Option<String>,
    last: Option<String>,
    events: Option<u64>,
    covered_days: Option<u32>,
}

#[derive(Debug, Serialize)]
struct RiskPartV1<'a> {
    points: f64,
    reason: &'a str,
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
        start_scopes: verdicts.start_scopes.as_deref(),
        strange_scopes: &verdicts.strange_scopes,
        advice: AdviceV1 {
            action: verdicts.advice.action.as_str(),
            reason: &verdicts.advice.reason,
            rests_on: verdicts.advice.rests_on.iter().map(|f| f.as_str()).collect(),
            ask: verdicts.advice.ask,
            since: time(verdicts.advice.facts.since),
            last: time(verdicts.advice.facts.last),
            events: verdicts.advice.facts.events,
            covered_days: verdicts.advice.facts.covered_days,
        },
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
        claims: claims(&token.claims),
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
        changed: &standing.changed,
        reviewer_is_owner: standing.reviewer_is_owner,
        overdue: standing.overdue,
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
        last_rotation: time(line.begun.filter(|_| line.rotated)),
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

    #[test]
    fn a_risk_that_is_no_number_does_not_break_the_file() {
        assert_eq!(risk(f64::NAN), 0.0);
        assert_eq!(risk(120.0), 100.0);
    }
}

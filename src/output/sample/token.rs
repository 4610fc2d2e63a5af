//! The tokens of the sample: every verdict and every advice.

use super::{HOSTILE, as_of};
use crate::model::finding::Confidence;
use crate::model::lineage::{Dependence, Lineage};
use crate::model::time::{DAY, HOUR, day_of};
use crate::model::token::{Grant, KnownFrom, LifeEvent, OwnerFacts, OwnerState, Token, TokenState};
use crate::model::verdict::{
    Action, Advice, RiskPart, ScopeState, ScopeVerdict, UseState, UseVerdict, Verdicts, Visibility,
};
use crate::report::{Activity, TokenReport};

/// A row of the sample: name, owner, state, verdict, advice with reason, risk.
pub(super) type Row = (&'static str, &'static str, TokenState, UseState, Action, &'static str, f64);

pub(super) const ROWS: &[Row] = &[
    (
        "release-agent",
        "ana.ruiz@contoso.example",
        TokenState::Active,
        UseState::Observed,
        Action::Revoke,
        "used after it was revoked on 2026-03-12",
        96.0,
    ),
    (
        "old laptop",
        "removed.user@contoso.example",
        TokenState::Active,
        UseState::NotObserved,
        Action::Revoke,
        "owner removed on 2026-02-02; the token is valid until 2026-12-01",
        88.0,
    ),
    (
        "wiki-export",
        "ben.osei@contoso.example",
        TokenState::Active,
        UseState::RuledOut,
        Action::Revoke,
        "unused: no PAT call by ben.osei@contoso.example in the Usage records of contoso, 2026-01-01 to 2026-03-31",
        61.0,
    ),
    (
        "terraform-prod",
        "carla.neri@contoso.example",
        TokenState::Active,
        UseState::Observed,
        Action::Reduce,
        "vso.graph_manage would have been seen and was not, in 84 covered days",
        58.0,
    ),
    (
        "build-cache",
        "dev.patel@contoso.example",
        TokenState::Active,
        UseState::NotObserved,
        Action::AskOwner,
        "no audited event in 84 covered days; vso.packaging and vso.code would not have been seen",
        44.0,
    ),
    (
        "nightly-sync",
        "eva.lind@contoso.example",
        TokenState::Active,
        UseState::Possible,
        Action::AskOwner,
        "usage records show the owner calling with a PAT of this class; 3 tokens share it",
        37.0,
    ),
    (
        "new-starter",
        "finn.moore@contoso.example",
        TokenState::Active,
        UseState::NotJudged,
        Action::Watch,
        "12 covered days are fewer than 30",
        21.0,
    ),
    (
        "legacy",
        "gil.adams@contoso.example",
        TokenState::Expired,
        UseState::NotObserved,
        Action::None,
        "",
        5.0,
    ),
];

/// Returns token number `i` of an organisation.
pub(super) fn token(i: usize, row: &Row, org: &str) -> TokenReport {
    let (name, owner, state, verdict, action, reason, risk) = *row;
    let as_of = as_of();
    let observed = verdict == UseState::Observed;
    let scopes: Vec<String> =
        ["vso.build_execute", "vso.code", "vso.graph_manage"].iter().map(|s| (*s).to_owned()).collect();
    let ids: Vec<String> = (0..7).map(|n| format!("00000000-0000-4000-8000-{i:06}{n:06}")).collect();
    let scope = |scope: &str, state, visibility| ScopeVerdict {
        scope: scope.to_owned(),
        state,
        visibility,
        confidence: Confidence::Medium,
        event_ids: if state == ScopeState::Used { ids.clone() } else { Vec::new() },
        last_time: (state == ScopeState::Used).then(|| as_of - DAY),
        unseen_operations: if visibility == Visibility::Full {
            Vec::new()
        } else {
            vec!["Git pull and clone".to_owned(), "Pull Requests: list".to_owned()]
        },
        actions: if state == ScopeState::Used {
            vec![("Pipelines.PipelineModified".to_owned(), 41), ("Pipelines.PipelineCreated".to_owned(), 3)]
        } else {
            Vec::new()
        },
        covered_days: 84,
    };
    let life = vec![
        LifeEvent {
            time: as_of - 300 * DAY,
            event_id: format!("11111111-0000-4000-8000-{i:012}"),
            action: "Token.PatCreateEvent".to_owned(),
            text: format!("created as {name}, valid until 2026-12-01"),
            actor: owner.to_owned(),
            network: "203.0.113.0/24".to_owned(),
            client: "browser".to_owned(),
        },
        LifeEvent {
            time: as_of - 40 * DAY,
            event_id: format!("11111111-0000-4000-9000-{i:012}"),
            action: "Token.PatUpdateEvent".to_owned(),
            text: "extended or regenerated: the log does not say which".to_owned(),
            actor: owner.to_owned(),
            network: "198.51.100.0/24".to_owned(),
            client: "az devops CLI".to_owned(),
        },
    ];
    let activity = if observed {
        let days = (0..84)
            .filter(|d| (d + i as i32) % 7 < 5)
            .map(|d| (day_of(as_of) - 83 + d, (d as u64 * 7 + i as u64 * 3) % 23 + 1));
        Activity {
            per_day: days.collect(),
            actions: vec![
                ("Pipelines.PipelineModified".into(), 1041),
                ("Git.RefUpdatePoliciesBypassed".into(), 3),
            ],
            networks: vec![("203.0.113.0/24".into(), 1000), ("2001:db8:12::/48".into(), 44)],
            clients: vec![("Terraform provider".into(), 1000), ("curl".into(), 44)],
            projects: vec![("Payments".into(), 900), (HOSTILE[3].into(), 144)],
            hours: (0..168).map(|h| if h % 24 > 7 && h % 24 < 18 { 6 } else { 0 }).collect(),
        }
    } else {
        Activity::default()
    };
    let used = if observed { ScopeState::Used } else { ScopeState::NotSeen };
    TokenReport {
        token: Token {
            org: org.to_owned(),
            token_id: format!("a7c1{i:04x}-0000-4000-8000-00000000{i:04x}"),
            name: Some(name.to_owned()),
            owner: Some(owner.to_owned()),
            owner_id: Some(format!("b0000000-0000-4000-8000-00000000{i:04x}")),
            owner_state: if owner.starts_with("removed") { OwnerState::Removed } else { OwnerState::Active },
            owner_gone_at: owner.starts_with("removed").then(|| as_of - 57 * DAY),
            known_from: vec![KnownFrom::Inventory, KnownFrom::Ledger],
            state,
            scopes: Some(scopes.clone()),
            grants: vec![Grant {
                since: as_of - 300 * DAY,
                scopes: Some(scopes.clone()),
                ..Grant::default()
            }],
            all_orgs: Some(i.is_multiple_of(3)),
            reaches_unseen_orgs: i.is_multiple_of(3),
            valid_from: Some(as_of - 300 * DAY),
            valid_to: Some(as_of + (i as i64 * 40 - 30) * DAY),
            revoked_at: (i == 0).then(|| as_of - 19 * DAY),
            leaked_at: None,
            life,
            other_orgs: Vec::new(),
            joined_by_name: false,
            owner_facts: OwnerFacts::default(),
            claims: Vec::new(),
        },
        verdicts: Verdicts {
            usage: UseVerdict {
                verdict,
                confidence: Confidence::Medium,
                reason: reason.to_owned(),
                last_observed: observed.then(|| as_of - DAY - 3 * HOUR),
                last_observed_ever: i.is_multiple_of(2).then(|| as_of - DAY - 3 * HOUR),
                events: if observed { 1044 } else { 0 },
                event_ids: if observed { ids.clone() } else { Vec::new() },
                covered_days: if verdict == UseState::NotJudged { 12 } else { 84 },
                seen_in: Vec::new(),
            },
            scope: vec![
                scope("vso.build_execute", used, Visibility::Partial),
                scope("vso.code", ScopeState::CannotBeSeen, Visibility::None),
                scope("vso.graph_manage", ScopeState::NotSeen, Visibility::Full),
            ],
            observed_scopes: Some(vec!["vso.build_execute".into()]),
            start_scopes: None,
            strange_scopes: Vec::new(),
            proposed_scopes: Some(vec!["vso.build_execute".into(), "vso.code".into()]),
            reduced_scopes: Some(vec!["vso.build".into(), "vso.code".into()]),
            advice: Advice::new(action, reason),
            risk,
            risk_parts: vec![
                RiskPart { points: risk * 0.6, reason: "high-privilege scope vso.graph_manage".into() },
                RiskPart { points: risk * 0.4, reason: "longer life than the policy allows".into() },
            ],
        },
        findings: Vec::new(),
        activity,
        decision: None,
        lineage: Lineage::default(),
        dependence: Dependence::default(),
    }
}

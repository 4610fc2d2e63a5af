//! The scope verdict: is the token wider than its use?
//!
//! In: one token's grant and the actions of its events. Out: a row a scope, the least set that the events need,
//! and two proposals. Neither proposal drops a needed scope or one whose use could not have been seen.

use super::usage::most;
use crate::model::catalogue::{ActionInfo, Catalogue, Certainty, catalogue};
use crate::model::coverage::Coverage;
use crate::model::finding::{Confidence, MAX_EVENT_IDS};
use crate::model::time::Micros;
use crate::model::token::{Token, is_full_scope};
use crate::model::verdict::{ScopeState, ScopeVerdict, Visibility};
use std::collections::{BTreeMap, BTreeSet};

/// Events of one token and action that can prove a need: origins and orphans, never cascade events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// Action id.
    pub action: String,
    /// Origins: (time, event id).
    pub origins: Vec<(Micros, String)>,
    /// Events whose origin is not in the lake.
    pub orphans: Vec<(Micros, String)>,
    /// How many there are of both; the lists may hold the newest alone.
    pub events: u64,
}

/// The answers on the grant of one token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// One row a scope.
    pub rows: Vec<ScopeVerdict>,
    /// Least set that the events need.
    pub observed: Option<Vec<String>>,
    /// Safe proposal.
    pub proposed: Option<Vec<String>>,
    /// Proposal to confirm with the owner.
    pub reduced: Option<Vec<String>>,
}

/// What was found for one scope.
#[derive(Debug, Default)]
struct Use {
    confidence: Option<Confidence>,
    events: Vec<(Micros, String)>,
    actions: BTreeMap<String, u64>,
}

impl Use {
    fn add(&mut self, proof: &Proof, certainty: Certainty, system: bool) {
        let confidence = match certainty {
            _ if proof.origins.is_empty() || system => Confidence::Low,
            Certainty::Documented => Confidence::High,
            Certainty::Inferred => Confidence::Medium,
            Certainty::Guess | Certainty::Unknown => Confidence::Low,
        };
        self.confidence = self.confidence.max(Some(confidence));
        self.events.extend(proof.origins.iter().chain(&proof.orphans).cloned());
        *self.actions.entry(proof.action.clone()).or_default() += proof.events;
    }

    fn row(mut self, scope: &str, state: ScopeState) -> ScopeVerdict {
        self.events.sort_by(|a, b| b.cmp(a));
        self.events.dedup();
        ScopeVerdict {
            scope: scope.to_owned(),
            state,
            visibility: catalogue().visibility(scope),
            confidence: self.confidence.unwrap_or(Confidence::Low),
            event_ids: self.events.into_iter().take(MAX_EVENT_IDS).map(|(_, id)| id).collect(),
            unseen_operations: Vec::new(),
            actions: self.actions.into_iter().collect(),
        }
    }
}

/// Answers for one token. `enough` says whether its covered days suffice and nothing ambiguous could be it.
#[must_use]
pub fn judge(token: &Token, proofs: &[Proof], coverage: Option<&Coverage>, enough: bool) -> Answer {
    let known = catalogue();
    let granted = token.scopes.as_deref().unwrap_or_default();
    let mut used: BTreeMap<String, Use> = BTreeMap::new();
    let mut beyond: BTreeMap<String, Use> = BTreeMap::new();
    let mut needs: Vec<Vec<String>> = Vec::new();
    let full = granted.iter().find(|s| is_full_scope(s));
    for proof in proofs {
        let Some(info) = known.action(&proof.action) else {
            // An action that the catalogue lacks still shows that a full-access token was used.
            if let Some(full) = full {
                used.entry(full.clone()).or_default().add(proof, Certainty::Unknown, false);
            }
            continue;
        };
        let at = proof.origins.iter().chain(&proof.orphans).map(|(time, _)| *time).max();
        let in_force = grant_at(token, at);
        let users = users_of(known, info, granted);
        for scope in &users {
            used.entry(scope.clone()).or_default().add(proof, info.certainty, info.system);
        }
        if info.any_of.is_empty() {
            continue;
        }
        let allowed_then = in_force.is_none_or(|g| !users_of(known, info, g).is_empty());
        if token.scopes.is_some()
            && full.is_none()
            && users.is_empty()
            && !allowed_then
            && is_provable(info, proof)
        {
            beyond.entry(info.any_of[0].clone()).or_default().add(proof, info.certainty, false);
        }
        needs.push(needed(known, info, granted));
    }
    let observed = least_cover(known, &needs);
    let mut rows: Vec<ScopeVerdict> = Vec::new();
    for scope in granted {
        rows.push(match used.remove(scope) {
            Some(found) => found.row(scope, ScopeState::Used),
            None => silent(known, scope, coverage, enough),
        });
    }
    // Under full access, and where the grant is unknown, what events needed is all there is to tell.
    if full.is_some() || token.scopes.is_none() {
        for scope in observed.iter().filter(|s| !granted.contains(s)) {
            let mut found = Use::default();
            for proof in proofs {
                if let Some(info) = known.action(&proof.action)
                    && info.any_of.iter().any(|a| known.gives(scope, a))
                {
                    found.add(proof, info.certainty, info.system);
                }
            }
            rows.push(found.row(scope, ScopeState::Used));
        }
    }
    for (scope, found) in beyond {
        rows.push(found.row(&scope, ScopeState::BeyondGrant));
    }
    rows.sort_by(|a, b| (&a.scope, a.state).cmp(&(&b.scope, b.state)));
    let propose = token.scopes.is_some() && full.is_none();
    let lowered = |mostly: bool| {
        propose.then(|| {
            lower(known, granted, &rows, &needs, &|v| {
                v == Visibility::Full || mostly && v == Visibility::Mostly
            })
        })
    };
    Answer { observed: Some(observed), proposed: lowered(false), reduced: lowered(true), rows }
}

/// The grant in force at `time`, where the ledger tells of more than one.
fn grant_at(token: &Token, time: Option<Micros>) -> Option<&[String]> {
    let time = time?;
    let then = token.grants.iter().rev().find(|g| g.since <= time);
    then.and_then(|g| g.scopes.as_deref()).or(token.scopes.as_deref())
}

/// Only documented needs, origins, and never `Security.*`, which other calls raise as a side effect.
fn is_provable(info: &ActionInfo, proof: &Proof) -> bool {
    info.certainty == Certainty::Documented
        && !info.system
        && !proof.origins.is_empty()
        && !proof.action.starts_with("Security.")
}

/// Granted scopes that an action shows in use: for each scope that would do, itself where granted, else every
/// granted scope that includes it.
fn users_of(known: &Catalogue, info: &ActionInfo, granted: &[String]) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    for need in &info.any_of {
        if granted.contains(need) {
            users.insert(need.clone());
        } else {
            users.extend(granted.iter().filter(|g| known.gives(g, need)).cloned());
        }
    }
    users
}

/// The alternatives of an action's need that the grant allows; all of them where it allows none.
fn needed(known: &Catalogue, info: &ActionInfo, granted: &[String]) -> Vec<String> {
    let allowed: Vec<String> =
        info.any_of.iter().filter(|need| granted.iter().any(|g| known.gives(g, need))).cloned().collect();
    if allowed.is_empty() { info.any_of.clone() } else { allowed }
}

/// The least set that meets every need: single needs first, then for each choice the first that is not met yet.
fn least_cover(known: &Catalogue, needs: &[Vec<String>]) -> Vec<String> {
    let mut chosen: BTreeSet<String> = needs.iter().filter(|n| n.len() == 1).map(|n| n[0].clone()).collect();
    for need in needs.iter().filter(|n| n.len() > 1) {
        if !need.iter().any(|n| chosen.iter().any(|c| known.gives(c, n))) {
            chosen.insert(need[0].clone());
        }
    }
    known.least(&chosen)
}

/// A granted scope that no event needed.
fn silent(known: &Catalogue, scope: &str, coverage: Option<&Coverage>, enough: bool) -> ScopeVerdict {
    let visibility = known.visibility(scope);
    let info = known.scopes.get(scope);
    let (state, confidence) = match visibility {
        Visibility::Full if enough => (ScopeState::NotSeen, Confidence::High.min(most(coverage))),
        Visibility::Mostly if enough => (ScopeState::NotSeen, Confidence::Medium.min(most(coverage))),
        // Too few days, or a credential that could be this token: silence proves nothing.
        Visibility::Full | Visibility::Mostly => (ScopeState::CannotBeSeen, Confidence::Low),
        Visibility::Unknown => (ScopeState::CannotBeSeen, Confidence::Low),
        Visibility::Partial | Visibility::None => (ScopeState::CannotBeSeen, Confidence::High),
    };
    ScopeVerdict {
        scope: scope.to_owned(),
        state,
        visibility,
        confidence,
        event_ids: Vec::new(),
        unseen_operations: info.map(|i| i.unseen_operations.clone()).unwrap_or_default(),
        actions: Vec::new(),
    }
}

/// Lowers each not-seen scope of a visibility that `lowers` to the highest scopes it includes that are used or
/// cannot be seen; everything else stays.
fn lower(
    known: &Catalogue,
    granted: &[String],
    rows: &[ScopeVerdict],
    needs: &[Vec<String>],
    lowers: &dyn Fn(Visibility) -> bool,
) -> Vec<String> {
    let state = |scope: &str| {
        rows.iter().find(|r| r.scope == scope && r.state != ScopeState::BeyondGrant).map(|r| r.state)
    };
    let (lowered, stays): (Vec<&String>, Vec<&String>) =
        granted.iter().partition(|s| state(s) == Some(ScopeState::NotSeen) && lowers(known.visibility(s)));
    let mut result: BTreeSet<String> = stays.into_iter().cloned().collect();
    for scope in lowered {
        let Some(info) = known.scopes.get(scope) else { continue };
        let keeps: BTreeSet<String> = info
            .includes
            .iter()
            .filter(|i| {
                needs.iter().any(|need| need.contains(i))
                    || !matches!(known.visibility(i), Visibility::Full | Visibility::Mostly)
            })
            .cloned()
            .collect();
        for kept in known.least(&keeps) {
            if !result.iter().any(|r| known.gives(r, &kept)) {
                result.insert(kept);
            }
        }
    }
    result.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::{coverage, token};

    fn proof(action: &str) -> Proof {
        Proof { action: action.into(), origins: vec![(1, "e1".into())], orphans: vec![], events: 1 }
    }

    fn state(answer: &Answer, scope: &str) -> Option<ScopeState> {
        answer.rows.iter().find(|r| r.scope == scope).map(|r| r.state)
    }

    #[test]
    fn used_not_seen_cannot_be_seen() {
        let t = token("vso.code_manage vso.variablegroups_manage vso.serviceendpoint_manage vso.work_write");
        let a = judge(&t, &[proof("Git.RepositoryCreated")], Some(&coverage(60)), true);
        assert_eq!(state(&a, "vso.code_manage"), Some(ScopeState::Used));
        assert_eq!(state(&a, "vso.variablegroups_manage"), Some(ScopeState::NotSeen));
        assert_eq!(state(&a, "vso.serviceendpoint_manage"), Some(ScopeState::NotSeen));
        assert_eq!(state(&a, "vso.work_write"), Some(ScopeState::CannotBeSeen));
        let proposed = a.proposed.expect("known grant");
        assert_eq!(
            proposed,
            ["vso.code_manage", "vso.serviceendpoint_manage", "vso.variablegroups_write", "vso.work_write"]
        );
        let reduced = a.reduced.expect("known grant");
        assert_eq!(
            reduced,
            ["vso.code_manage", "vso.serviceendpoint_query", "vso.variablegroups_write", "vso.work_write"]
        );
        assert_eq!(a.observed.expect("events"), ["vso.code_manage"]);
    }

    #[test]
    fn an_included_scope_is_used_through_its_holder_alone() {
        let create = [proof("Library.VariableGroupModified")];
        let a = judge(&token("vso.variablegroups_manage"), &create, Some(&coverage(60)), true);
        assert_eq!(state(&a, "vso.variablegroups_manage"), Some(ScopeState::Used));
        let both = token("vso.project_write vso.project_manage");
        let a = judge(&both, &[proof("Project.UpdateRenameCompleted")], Some(&coverage(60)), true);
        assert_eq!(state(&a, "vso.project_write"), Some(ScopeState::Used));
        assert_eq!(state(&a, "vso.project_manage"), Some(ScopeState::NotSeen));
    }

    #[test]
    fn beyond_the_grant_needs_a_documented_origin() {
        let t = token("vso.code");
        let a =
            judge(&t, &[proof("Library.AgentPoolCreated"), proof("Security.ModifyPermission")], None, false);
        assert_eq!(state(&a, "vso.agentpools_manage"), Some(ScopeState::BeyondGrant));
        assert_eq!(state(&a, "vso.security_manage"), None);
        let orphan = Proof {
            orphans: vec![(1, "e".into())],
            ..Proof { action: "Library.AgentPoolCreated".into(), ..Proof::default() }
        };
        assert_eq!(state(&judge(&t, &[orphan], None, false), "vso.agentpools_manage"), None);
    }

    #[test]
    fn full_access_lists_what_events_needed() {
        let a = judge(
            &token("app_token"),
            &[proof("Git.RepositoryCreated"), proof("Library.VariableGroupCreated")],
            None,
            true,
        );
        assert_eq!(state(&a, "app_token"), Some(ScopeState::Used));
        assert_eq!(a.observed.expect("events"), ["vso.code_manage", "vso.variablegroups_write"]);
        assert_eq!((a.proposed, a.reduced), (None, None));
    }

    #[test]
    fn too_few_days_lower_nothing() {
        let a = judge(&token("vso.variablegroups_manage"), &[], Some(&coverage(10)), false);
        assert_eq!(state(&a, "vso.variablegroups_manage"), Some(ScopeState::CannotBeSeen));
        assert_eq!(a.proposed.expect("known"), ["vso.variablegroups_manage"]);
    }
}

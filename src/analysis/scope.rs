//! The scope verdict: is the token wider than its use?
//!
//! In: one token's grant and the actions of its events. Out: a row a scope, the least set that the events need,
//! and two proposals. Neither proposal drops a needed scope or one whose use could not have been seen.

use super::usage::most;
use crate::model::catalogue::{ActionInfo, Catalogue, Certainty, catalogue};
use crate::model::coverage::Coverage;
use crate::model::event_id::Stamp;
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
    /// Origins, newest first.
    pub origins: Vec<Stamp>,
    /// Events whose origin is not in the lake, newest first.
    pub orphans: Vec<Stamp>,
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

/// What bounds the answer beside the events.
#[derive(Debug, Clone, Default)]
pub struct Bounds<'a> {
    /// Coverage of the token's organisation, then of every other organisation of the run that it reaches: one secret is
    /// judged by what it did in all of them.
    pub coverage: Vec<Option<&'a Coverage>>,
    /// So many covered days must be silent in each.
    pub min_covered_days: i64,
    /// Whether a credential that nobody is known to own could be this token.
    pub ambiguous: bool,
}

impl Bounds<'_> {
    /// The covered days of `token` since it has held `scope`, in the organisation that has the fewest.
    fn days(&self, token: &Token, scope: &str) -> u32 {
        let (from, to) = (token.held_since(scope), token.known_end());
        let days = |held: &Option<&Coverage>| held.map_or(0, |c| c.covered_days_within(from, to));
        self.coverage.iter().map(days).min().unwrap_or_default()
    }

    /// The most confidence that silence may have: that of the coverage known worst.
    fn most(&self) -> Confidence {
        self.coverage.iter().map(|held| most(*held)).min().unwrap_or(Confidence::Low)
    }
}

/// What was found for one scope.
#[derive(Debug, Default)]
struct Use {
    confidence: Option<Confidence>,
    events: Vec<Stamp>,
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
        // The newest of a whole are among the newest of its parts.
        for list in [&proof.origins, &proof.orphans] {
            self.events.extend(list.iter().take(MAX_EVENT_IDS).cloned());
        }
        *self.actions.entry(proof.action.clone()).or_default() +=
            (proof.origins.len() + proof.orphans.len()) as u64;
    }

    fn row(mut self, scope: &str, state: ScopeState, covered_days: u32) -> ScopeVerdict {
        self.events.sort_by(|a, b| b.cmp(a));
        self.events.dedup();
        ScopeVerdict {
            scope: scope.to_owned(),
            state,
            visibility: catalogue().visibility(scope),
            confidence: self.confidence.unwrap_or(Confidence::Low),
            last_time: self.events.first().map(|(time, _)| *time),
            event_ids: self.events.into_iter().take(MAX_EVENT_IDS).map(|(_, id)| id.to_string()).collect(),
            unseen_operations: Vec::new(),
            actions: self.actions.into_iter().collect(),
            covered_days,
        }
    }
}

/// Answers for one token.
#[must_use]
pub fn judge(token: &Token, proofs: &[Proof], bounds: &Bounds<'_>) -> Answer {
    let known = catalogue();
    let granted = token.scopes.as_deref().unwrap_or_default();
    let mut used: BTreeMap<String, Use> = BTreeMap::new();
    let mut beyond: BTreeMap<String, Use> = BTreeMap::new();
    let mut needs: Vec<Vec<String>> = Vec::new();
    let mut unmapped: BTreeSet<String> = BTreeSet::new();
    let full = granted.iter().find(|s| is_full_scope(s));
    for proof in proofs {
        let info = known.action(&proof.action).filter(|info| !info.any_of.is_empty());
        let Some(info) = info else {
            // An action whose scope nobody knows still shows that full access was used; of a narrower grant it
            // could have needed any scope of its area.
            if let Some(full) = full {
                used.entry(full.clone()).or_default().add(proof, Certainty::Unknown, false);
            }
            unmapped.extend(could_need(known, &proof.action, granted));
            continue;
        };
        for scope in users_of(known, info, granted) {
            used.entry(scope).or_default().add(proof, info.certainty, info.system);
        }
        if full.is_none()
            && let Some(outside) = beyond_grant(token, known, info, proof)
        {
            beyond.entry(info.any_of[0].clone()).or_default().add(&outside, info.certainty, false);
        }
        needs.push(needed(known, info, granted));
    }
    let chosen = cover(known, &needs);
    let observed = known.least(&chosen);
    let mut rows: Vec<ScopeVerdict> = Vec::new();
    for scope in granted {
        rows.push(match used.remove(scope) {
            Some(found) => found.row(scope, ScopeState::Used, bounds.days(token, scope)),
            // Dropping a scope takes nothing from a token that keeps full access.
            None if full.is_some() && !is_full_scope(scope) => continue,
            None => silent(token, scope, bounds, unmapped.contains(scope)),
        });
    }
    // Under full access, and where the grant is unknown, what events needed is all there is to tell.
    if full.is_some() || token.scopes.is_none() {
        // What only full access gives says so in its own row, and must not stand in for what the rest needed.
        let narrow: Vec<Vec<String>> =
            needs.iter().filter(|need| !need.iter().all(|s| is_full_scope(s))).cloned().collect();
        for scope in cover(known, &narrow).iter().filter(|s| !granted.contains(s)) {
            let mut found = Use::default();
            for proof in proofs {
                if let Some(info) = known.action(&proof.action)
                    && info.any_of.iter().any(|a| a == scope)
                {
                    found.add(proof, info.certainty, info.system);
                }
            }
            rows.push(found.row(scope, ScopeState::Used, bounds.days(token, scope)));
        }
    }
    for (scope, found) in beyond {
        rows.push(found.row(&scope, ScopeState::BeyondGrant, bounds.days(token, &scope)));
    }
    rows.sort_by(|a, b| (&a.scope, a.state).cmp(&(&b.scope, b.state)));
    let propose = token.scopes.is_some() && full.is_none();
    let proposal = |lowers: &dyn Fn(Visibility) -> bool| {
        propose.then(|| super::proposal::lower(known, granted, &rows, &needs, lowers))
    };
    let proposed = proposal(&|v| {
        // What the token did in organisations that the run does not see was not seen either, so the safe
        // proposal leaves its grant alone; the other one is for the owner to confirm.
        !token.reaches_unseen_orgs && v == Visibility::Full
    });
    let reduced = proposal(&|v| matches!(v, Visibility::Full | Visibility::Mostly));
    Answer { observed: Some(observed), proposed, reduced, rows }
}

/// What the token may have held at an instant: every grant that could have been in force then; nothing where it
/// is not known.
fn grants_at(token: &Token, time: Micros) -> Option<Vec<&[String]>> {
    let at = token.grants.iter().rposition(|g| g.since <= time)?;
    let mut could = vec![token.grants[at].scopes.as_deref()?];
    // A list tells the grant of its day; the change to it came at some time since the grant before it.
    if let Some(next) = token.grants.get(at + 1).filter(|g| g.listed) {
        could.push(next.scopes.as_deref()?);
    }
    Some(could)
}

/// The events of a proof that no grant in force at their time gives.
///
/// Only documented needs, origins, and never `Security.*`, which other calls raise as a side effect.
fn beyond_grant(token: &Token, known: &Catalogue, info: &ActionInfo, proof: &Proof) -> Option<Proof> {
    let provable = info.certainty == Certainty::Documented
        && !info.system
        && !proof.action.to_ascii_lowercase().starts_with("security.");
    token.scopes.as_ref().filter(|_| provable)?;
    let outside = |time: Micros| {
        grants_at(token, time)
            .is_some_and(|could| could.iter().all(|grant| users_of(known, info, grant).is_empty()))
    };
    let origins: Vec<_> = proof.origins.iter().filter(|(time, _)| outside(*time)).cloned().collect();
    (!origins.is_empty()).then(|| Proof { action: proof.action.clone(), origins, orphans: Vec::new() })
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

/// Granted scopes that an action of unknown need could have used: those that known actions of its area use, or
/// all where the area is new too.
fn could_need(known: &Catalogue, action: &str, granted: &[String]) -> Vec<String> {
    let area = |id: &str| id.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = area(action);
    let neighbours: Vec<&ActionInfo> =
        known.actions.values().filter(|a| area(&a.action) == wanted && !a.any_of.is_empty()).collect();
    let could = |scope: &&String| {
        neighbours.is_empty() || neighbours.iter().any(|a| a.any_of.iter().any(|n| known.gives(scope, n)))
    };
    granted.iter().filter(could).cloned().collect()
}

/// The alternatives of an action's need that the grant allows; all of them where it allows none.
fn needed(known: &Catalogue, info: &ActionInfo, granted: &[String]) -> Vec<String> {
    let allowed: Vec<String> =
        info.any_of.iter().filter(|need| granted.iter().any(|g| known.gives(g, need))).cloned().collect();
    if allowed.is_empty() { info.any_of.clone() } else { allowed }
}

/// Scopes that meet every need: single needs first, then for each choice the first that is not met yet.
fn cover(known: &Catalogue, needs: &[Vec<String>]) -> BTreeSet<String> {
    let mut chosen: BTreeSet<String> = needs.iter().filter(|n| n.len() == 1).map(|n| n[0].clone()).collect();
    for need in needs.iter().filter(|n| n.len() > 1) {
        if !need.iter().any(|n| chosen.iter().any(|c| known.gives(c, n))) {
            chosen.insert(need[0].clone());
        }
    }
    chosen
}

/// A granted scope that no event is known to have needed.
fn silent(token: &Token, scope: &str, bounds: &Bounds<'_>, unmapped: bool) -> ScopeVerdict {
    let known = catalogue();
    let visibility = known.visibility(scope);
    let info = known.scopes.get(scope);
    let covered_days = bounds.days(token, scope);
    let enough = i64::from(covered_days) >= bounds.min_covered_days && !bounds.ambiguous && !unmapped;
    // What it did in organisations that the run does not see, nobody saw.
    let most = if token.reaches_unseen_orgs { Confidence::Low } else { bounds.most() };
    let (state, confidence) = match visibility {
        Visibility::Full if enough => (ScopeState::NotSeen, Confidence::High.min(most)),
        Visibility::Mostly if enough => (ScopeState::NotSeen, Confidence::Medium.min(most)),
        // Too few days, a credential that could be this token, or an action of its area whose need nobody knows:
        // silence proves nothing.
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
        last_time: None,
        unseen_operations: info.map(|i| i.unseen_operations.clone()).unwrap_or_default(),
        actions: Vec::new(),
        covered_days,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::{coverage, token};
    use crate::model::coverage::Basis;
    use crate::model::time::DAY;
    use crate::model::token::{Grant, split_scopes};

    fn judge(token: &Token, proofs: &[Proof], coverage: Option<&Coverage>, enough: bool) -> Answer {
        let min_covered_days = if enough { 30 } else { i64::MAX };
        super::judge(token, proofs, &Bounds { coverage: vec![coverage], min_covered_days, ambiguous: false })
    }

    fn granted_since(since: Micros, scopes: &str) -> Grant {
        Grant { since, scopes: Some(split_scopes(scopes)), ..Grant::default() }
    }

    fn proof(action: &str) -> Proof {
        Proof { action: action.into(), origins: vec![(1, "e1".into())], orphans: vec![] }
    }

    fn state(answer: &Answer, scope: &str) -> Option<ScopeState> {
        answer.rows.iter().find(|r| r.scope == scope).map(|r| r.state)
    }

    #[test]
    fn under_full_access_no_other_scope_is_called_idle() {
        let t = token("app_token vso.variablegroups_manage vso.serviceendpoint_manage");
        let a = judge(&t, &[], Some(&coverage(60)), true);
        assert!(a.rows.iter().all(|r| r.state != ScopeState::NotSeen), "{:?}", a.rows);
        assert_eq!((a.proposed, a.reduced), (None, None));
        assert_eq!(a.rows.iter().map(|r| r.scope.as_str()).collect::<Vec<_>>(), ["app_token"]);
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
    fn silence_before_a_scope_was_granted_says_nothing_of_it() {
        let grants = vec![granted_since(0, "vso.code"), granted_since(40 * DAY, "vso.code vso.graph_manage")];
        let t = Token { grants, valid_from: Some(0), ..token("vso.code vso.graph_manage") };
        let held = coverage(60);
        let row = |min_covered_days| {
            let bounds = Bounds { coverage: vec![Some(&held)], min_covered_days, ambiguous: false };
            let answer = super::judge(&t, &[], &bounds);
            answer.rows.into_iter().find(|row| row.scope == "vso.graph_manage").expect("a row")
        };
        assert_eq!((row(30).state, row(30).covered_days), (ScopeState::CannotBeSeen, 20));
        assert_eq!((row(20).state, row(20).covered_days), (ScopeState::NotSeen, 20));
    }

    #[test]
    fn silence_is_trusted_as_far_as_the_organisation_known_worst() {
        let t = token("vso.variablegroups_manage");
        let (held, inferred) = (coverage(60), Coverage { basis: Basis::Inferred, ..coverage(60) });
        let confidence = |token: &Token, coverage: Vec<Option<&Coverage>>| {
            let bounds = Bounds { coverage, min_covered_days: 30, ambiguous: false };
            super::judge(token, &[], &bounds).rows[0].confidence
        };
        assert_eq!(confidence(&t, vec![Some(&held)]), Confidence::High);
        assert_eq!(confidence(&t, vec![Some(&held), Some(&inferred)]), Confidence::Medium);
        let elsewhere = Token { reaches_unseen_orgs: true, ..t };
        assert_eq!(confidence(&elsewhere, vec![Some(&held)]), Confidence::Low);
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
        let t = Token { grants: vec![granted_since(0, "vso.code")], ..token("vso.code") };
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

    #[test]
    fn each_event_is_judged_by_the_grant_in_force_at_its_time() {
        let at = |time| {
            [Proof {
                action: "Library.AgentPoolCreated".into(),
                origins: vec![(time, format!("e{time}").as_str().into())],
                orphans: vec![],
            }]
        };
        let beyond = |t: &Token, time| {
            let answer = judge(t, &at(time), Some(&coverage(60)), true);
            state(&answer, "vso.agentpools_manage") == Some(ScopeState::BeyondGrant)
        };
        let narrowed = Token {
            grants: vec![granted_since(0, "vso.agentpools_manage vso.code"), granted_since(10, "vso.code")],
            ..token("vso.code")
        };
        assert!(!beyond(&narrowed, 5) && beyond(&narrowed, 15));
        let widened = Token {
            grants: vec![granted_since(0, "vso.code"), granted_since(10, "vso.agentpools_manage")],
            ..token("vso.agentpools_manage")
        };
        let early = judge(&widened, &at(5), Some(&coverage(60)), true);
        let states: Vec<ScopeState> = early.rows.iter().map(|r| r.state).collect();
        assert_eq!(states, [ScopeState::Used, ScopeState::BeyondGrant], "needed then, and given now");
        assert!(!beyond(&widened, 15));
        // Before the first grant that is known, nobody knows what it held.
        let late = Token { grants: vec![granted_since(10, "vso.code")], ..token("vso.code") };
        assert!(!beyond(&late, 5) && beyond(&late, 15));
        // A list that differs from the log: the change came somewhere between.
        let listed = Grant { listed: true, ..granted_since(20, "vso.agentpools_manage") };
        let between =
            Token { grants: vec![granted_since(0, "vso.code"), listed], ..token("vso.agentpools_manage") };
        assert!(!beyond(&between, 15));
    }

    #[test]
    fn an_action_of_unknown_need_protects_the_scopes_of_its_area() {
        let t = token("vso.auditstreams_manage vso.variablegroups_manage");
        let a = judge(&t, &[proof("Library.VariableGroupCloned")], Some(&coverage(60)), true);
        assert_eq!(state(&a, "vso.variablegroups_manage"), Some(ScopeState::CannotBeSeen));
        assert_eq!(state(&a, "vso.auditstreams_manage"), Some(ScopeState::NotSeen));
        let a = judge(&t, &[proof("Brand.New")], Some(&coverage(60)), true);
        assert_eq!(a.proposed, t.scopes, "an area that nobody knows could be any scope's");
        let full = judge(&token("app_token"), &[proof("Billing.Quantity.Update")], None, true);
        assert_eq!(state(&full, "app_token"), Some(ScopeState::Used));
    }

    #[test]
    fn full_access_has_a_row_for_every_scope_that_events_need() {
        let proofs = [proof("Policy.PolicyConfigModified"), proof("Git.RepositoryCreated")];
        let a = judge(&token("app_token"), &proofs, None, true);
        assert_eq!(state(&a, "vso.code_write"), Some(ScopeState::Used));
        assert_eq!(state(&a, "vso.code_manage"), Some(ScopeState::Used));
        assert_eq!(a.observed.expect("events"), ["vso.code_manage"]);
        // One action that only full access gives does not swallow the rows of the others.
        let either =
            ["Git.RepositoryCreated", "Library.AgentPoolCreated", "Billing.Quantity.Update"].map(proof);
        let with = judge(&token("app_token"), &either, None, true);
        assert_eq!(state(&with, "vso.code_manage"), Some(ScopeState::Used));
        assert_eq!(state(&with, "vso.agentpools_manage"), Some(ScopeState::Used));
        let a = judge(&Token { scopes: None, ..token("") }, &proofs, None, true);
        assert_eq!(a.rows.len(), 2, "only used ones where the grant is unknown");
        assert_eq!((a.proposed, a.reduced), (None, None));
    }

    #[test]
    fn every_scope_that_would_have_allowed_it_is_used() {
        let pool = [proof("Library.AgentPoolCreated")];
        let a = judge(&token("vso.environment_manage vso.machinegroup_manage"), &pool, None, true);
        assert!(a.rows.iter().all(|r| r.state == ScopeState::Used), "{:?}", a.rows);
        let group = [proof("Library.VariableGroupCreated")];
        let a = judge(&token("vso.variablegroups_write vso.variablegroups_manage"), &group, None, true);
        assert!(a.rows.iter().all(|r| r.state == ScopeState::Used), "{:?}", a.rows);
    }

    #[test]
    fn organisations_that_are_not_seen_leave_the_safe_proposal_alone() {
        let t = Token { reaches_unseen_orgs: true, all_orgs: Some(true), ..token("vso.auditstreams_manage") };
        let a = judge(&t, &[], Some(&coverage(60)), true);
        assert_eq!(state(&a, "vso.auditstreams_manage"), Some(ScopeState::NotSeen));
        assert_eq!(a.proposed, t.scopes);
        assert_ne!(a.reduced, t.scopes);
    }

    #[test]
    fn an_orphan_counts_with_low_confidence_and_any_certainty_protects() {
        let orphan = Proof {
            orphans: vec![(1, "e".into())],
            ..Proof { action: "Library.VariableGroupModified".into(), ..Proof::default() }
        };
        let a = judge(&token("vso.variablegroups_manage"), &[orphan], Some(&coverage(60)), true);
        assert_eq!((a.rows[0].state, a.rows[0].confidence), (ScopeState::Used, Confidence::Low));
    }
}

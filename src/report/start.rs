//! Where to start with a token of full access: the scopes that its own work needed.
//!
//! In: the least set that its events need, the answer on each scope, its findings. Out: that set without the scopes that only
//! events under an open anomaly needed, and those scopes. A thief's work is no reason to grant its scopes.

use crate::model::finding::{Family, Finding, Severity};
use crate::model::verdict::{ScopeState, ScopeVerdict};
use std::collections::HashSet;

/// Splits `observed` into the scopes to start with and those that only strange events needed.
#[must_use]
pub fn split(
    observed: &[String],
    rows: &[ScopeVerdict],
    findings: &[&Finding],
) -> (Vec<String>, Vec<String>) {
    let open = findings
        .iter()
        .filter(|f| f.family == Family::Anomaly && f.severity >= Severity::Medium && f.suppressed.is_none());
    let strange: HashSet<String> = open.flat_map(|f| &f.event_ids).map(ToString::to_string).collect();
    let only_strange = |scope: &&String| {
        let row = rows.iter().find(|row| row.scope == **scope && row.state == ScopeState::Used);
        row.is_some_and(|row| {
            // Of more events than are listed, some may be the owner's.
            let events: u64 = row.actions.iter().map(|(_, n)| n).sum();
            !row.event_ids.is_empty()
                && row.event_ids.len() as u64 >= events
                && row.event_ids.iter().all(|id| strange.contains(id))
        })
    };
    let (held_back, start): (Vec<&String>, Vec<&String>) = observed.iter().partition(only_strange);
    (start.into_iter().cloned().collect(), held_back.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::finding;
    use crate::model::finding::{Confidence, Suppression};
    use crate::model::verdict::Visibility;

    const IDS: [&str; 2] = ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"];

    fn row(scope: &str, ids: &[&str], events: u64) -> ScopeVerdict {
        ScopeVerdict {
            scope: scope.to_owned(),
            state: ScopeState::Used,
            visibility: Visibility::Full,
            confidence: Confidence::High,
            event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            last_time: None,
            unseen_operations: Vec::new(),
            actions: vec![("Git.X".into(), events)],
            covered_days: 60,
        }
    }

    #[test]
    fn a_scope_that_only_events_under_an_open_anomaly_needed_is_left_out_and_named() {
        let observed = vec!["vso.auditstreams_manage".to_owned(), "vso.code_manage".to_owned()];
        let odd = Finding { event_ids: vec![IDS[0].into()], ..finding() };
        let strange = |rows: &[ScopeVerdict], found: &[&Finding]| split(&observed, rows, found).1;
        let both = [row(&observed[0], &IDS[..1], 1), row(&observed[1], &IDS, 2)];
        assert_eq!(strange(&both, &[&odd]), ["vso.auditstreams_manage"], "the other has an event of its own");
        let many = [row(&observed[0], &IDS[..1], 200), both[1].clone()];
        assert!(strange(&many, &[&odd]).is_empty(), "not all of its events are listed");
        let decided = Suppression {
            decision: "keep".into(),
            reviewer: "r".into(),
            until: None,
            decided_on: None,
            reason: String::new(),
            reviewer_is_owner: false,
        };
        let known = Finding { suppressed: Some(decided), ..odd.clone() };
        let low = Finding { severity: Severity::Low, ..odd };
        assert!(strange(&both, &[&known, &low]).is_empty(), "no open anomaly");
    }
}

//! Narrower grants to offer.
//!
//! In: the granted scopes with what the log says on each, and what the events need. Out: the scopes of a proposal.
//! No proposal drops a scope that events needed, or one whose use would not have been seen.

use crate::model::catalogue::Catalogue;
use crate::model::verdict::{ScopeState, ScopeVerdict, Visibility};
use std::collections::BTreeSet;

/// Lowers each not-seen scope of a visibility that `lowers` to the highest scopes it includes that are needed or
/// cannot be seen; everything else stays.
///
/// "Cannot be seen" is asked of the *included* scopes too, though nobody granted them by name: whoever holds
/// `vso.serviceendpoint_manage` reads endpoints with it, the log shows no reading, and a token that is lowered to
/// nothing would lose it. So a proposal never ends below an included scope whose use this same proposal would not
/// dare to judge: for the safe one all but `full` visibility, for the other all but `full` and `mostly`. The price
/// is a read scope too many; the other reading breaks automation on no evidence.
#[must_use]
pub fn lower(
    known: &Catalogue,
    granted: &[String],
    rows: &[ScopeVerdict],
    needs: &[Vec<String>],
    lowers: &dyn Fn(Visibility) -> bool,
) -> Vec<String> {
    let not_seen = |scope: &str| rows.iter().any(|r| r.scope == scope && r.state == ScopeState::NotSeen);
    let (lowered, stays): (Vec<&String>, Vec<&String>) =
        granted.iter().partition(|s| not_seen(s) && lowers(known.visibility(s)));
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for scope in lowered {
        let Some(info) = known.scopes.get(scope) else { continue };
        let keeps = |i: &&String| needs.iter().any(|need| need.contains(i)) || !lowers(known.visibility(i));
        kept.extend(info.includes.iter().filter(keeps).cloned());
    }
    // Scopes that stay give some of them already; those that stay are never thinned out themselves.
    let kept = known.least(&kept);
    let missing = kept.into_iter().filter(|k| !stays.iter().any(|s| known.gives(s, k)));
    let mut result: BTreeSet<String> = missing.collect();
    result.extend(stays.into_iter().cloned());
    result.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::scope::{Bounds, judge};
    use crate::analysis::tests_support::{coverage, token};
    use crate::model::catalogue::catalogue;

    /// Both proposals for a grant of which nothing was seen in enough days.
    fn proposals(scopes: &str) -> (Vec<String>, Vec<String>) {
        let held = coverage(60);
        let answer = judge(&token(scopes), &[], &Bounds { coverage: vec![Some(&held)], ..Bounds::default() });
        (answer.proposed.expect("known grant"), answer.reduced.expect("known grant"))
    }

    #[test]
    fn a_proposal_never_ends_below_an_included_scope_that_it_cannot_see() {
        // Nobody granted the read scope by name; whoever holds the write scope reads with it all the same.
        let (safe, reduced) = proposals("vso.serviceendpoint_manage");
        assert_eq!(safe, ["vso.serviceendpoint_manage"], "mostly visible is not fully visible");
        assert_eq!(reduced, ["vso.serviceendpoint_query"]);
        for scope in catalogue().scopes.values().filter(|s| !crate::model::token::is_full_scope(&s.scope)) {
            let (safe, reduced) = proposals(&scope.scope);
            for included in &scope.includes {
                let gives = |list: &[String]| list.iter().any(|s| catalogue().gives(s, included));
                match catalogue().visibility(included) {
                    Visibility::Full => {}
                    Visibility::Mostly => assert!(gives(&safe), "{} lost {included}", scope.scope),
                    _ => assert!(gives(&safe) && gives(&reduced), "{} lost {included}", scope.scope),
                }
            }
        }
    }

    #[test]
    fn what_stays_is_not_thinned_out_and_nothing_is_added_twice() {
        let (safe, _) =
            proposals("vso.code vso.code_write vso.variablegroups_manage vso.variablegroups_write");
        assert_eq!(safe, ["vso.code", "vso.code_write", "vso.variablegroups_write"]);
    }
}

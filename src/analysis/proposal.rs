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

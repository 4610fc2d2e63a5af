//! Whether a decision to reduce a token was carried out.
//!
//! In: the state that was decided on, with the proposals of that day, and the state now. Out: a [`Reduction`]. Scopes are
//! compared by what they give, since a proposal may replace a scope by a lower one that the grant did not name.

use crate::model::catalogue::catalogue;
use crate::model::decision::Fixed;
use crate::model::token::split_scopes;

/// What became of a decision to reduce.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reduction {
    /// Done, and how that is known.
    Done(String),
    /// Not done, and what is still there.
    NotDone(String),
    /// The grant then or now is not known.
    Unknown,
    /// The token is not narrower but other than it was, or wider.
    Wider,
}

/// Compares what a token gives now with what it gave, and with what was proposed.
pub(super) fn check(then: &Fixed, now: &Fixed) -> Reduction {
    let (Some(granted), Some(gives)) = (&then.scopes, &now.scopes) else { return Reduction::Unknown };
    let (granted, gives) = (split_scopes(granted), split_scopes(gives));
    if !within(&gives, &granted) {
        return Reduction::Wider;
    }
    // A proposal that lowers nothing asks for nothing, and one that leaves nothing cannot be followed: a PAT has a scope.
    let proposals: Vec<Vec<String>> = [&then.proposed, &then.reduced]
        .into_iter()
        .flatten()
        .map(|list| split_scopes(list))
        .filter(|list| !list.is_empty() && !within(&granted, list))
        .collect();
    if within(&granted, &gives) {
        let narrower_reach = then.all_orgs == Some(true) && now.all_orgs == Some(false);
        return if narrower_reach && proposals.is_empty() {
            Reduction::Done("It no longer reaches all organisations.".to_owned())
        } else {
            Reduction::NotDone("the same scopes".to_owned())
        };
    }
    if proposals.is_empty() {
        return Reduction::Done("Its scopes are fewer than they were.".to_owned());
    }
    if proposals.iter().any(|list| within(&gives, list)) {
        return Reduction::Done("Its scopes give no more than was proposed.".to_owned());
    }
    let more: Vec<&str> = gives
        .iter()
        .filter(|scope| !proposals.iter().any(|list| within(std::slice::from_ref(*scope), list)))
        .map(String::as_str)
        .collect();
    Reduction::NotDone(format!("fewer scopes, and still more than was proposed ({})", more.join(" ")))
}

/// Returns true if `these` give nothing that `those` do not give.
fn within(these: &[String], those: &[String]) -> bool {
    these.iter().all(|scope| those.iter().any(|other| catalogue().gives(other, scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(scopes: &str) -> Fixed {
        Fixed { scopes: Some(scopes.to_owned()), all_orgs: Some(false), ..Fixed::default() }
    }

    fn proposing(scopes: &str, proposed: &str, reduced: &str) -> Fixed {
        let list = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Fixed { proposed: list(proposed), reduced: list(reduced), ..grant(scopes) }
    }

    fn is_done(then: &Fixed, now: &str) -> bool {
        matches!(check(then, &grant(now)), Reduction::Done(_))
    }

    #[test]
    fn a_proposal_that_was_followed_is_done() {
        // Both proposals replace a scope by lower ones that the grant did not name.
        let then = proposing(
            "vso.code_manage vso.variablegroups_manage",
            "vso.code_manage vso.variablegroups_write",
            "vso.code_write vso.variablegroups_write",
        );
        assert!(is_done(&then, "vso.code_manage vso.variablegroups_write"), "the safe one");
        assert!(is_done(&then, "vso.code_write vso.variablegroups_write"), "the one to confirm");
        assert!(is_done(&then, "vso.code"), "less than both");
        assert!(!is_done(&then, "vso.code_manage vso.variablegroups_manage"), "nothing done");
        let part = check(&then, &grant("vso.code vso.variablegroups_manage"));
        let Reduction::NotDone(what) = part else { panic!("{part:?}") };
        assert!(what.contains("more than was proposed (vso.variablegroups_manage)"), "{what}");
    }

    #[test]
    fn without_a_proposal_anything_narrower_is_done() {
        assert!(is_done(&grant("vso.build vso.code_write"), "vso.code"));
        assert!(is_done(&grant("app_token"), "vso.code"), "full access was replaced");
        let idle = proposing("vso.build vso.code", "vso.build vso.code", "");
        assert!(is_done(&idle, "vso.code"), "a proposal that lowers nothing asks for nothing");
        let nothing = Fixed { proposed: Some(String::new()), ..grant("vso.build vso.code") };
        assert!(is_done(&nothing, "vso.code"), "a PAT has a scope");
        assert_eq!(check(&grant("vso.code"), &grant("vso.build")), Reduction::Wider);
        assert_eq!(check(&grant("vso.code"), &grant("app_token")), Reduction::Wider);
        assert_eq!(check(&grant("vso.code"), &Fixed::default()), Reduction::Unknown);
        assert_eq!(check(&Fixed::default(), &grant("vso.code")), Reduction::Unknown);
        assert_eq!(
            check(&grant("vso.code"), &grant("vso.code")),
            Reduction::NotDone("the same scopes".into())
        );
        let global = Fixed { all_orgs: Some(true), ..grant("vso.code") };
        assert!(is_done(&global, "vso.code"), "its reach was reduced");
    }
}

//! What a reviewer is told to do with one token.
//!
//! In: the token, its answers and its findings. Out: one word and the sentence that argues it. `revoke` is said
//! only for leaked, owner gone, ruled-out and revoked-but-used tokens (design, section 5); else the owner is
//! asked.

use crate::model::finding::{Family, Finding, Severity};
use crate::model::token::{OwnerState, Token, TokenState};
use crate::model::verdict::{Action, Advice, ScopeState, ScopeVerdict, UseState, UseVerdict, Visibility};

/// Advises on one token.
#[must_use]
pub fn advise(token: &Token, usage: &UseVerdict, scope: &[ScopeVerdict], findings: &[&Finding]) -> Advice {
    let say = |action, reason: &str| Advice { action, reason: reason.to_owned() };
    let used_after = findings.iter().any(|f| f.slug == "used-after-its-end");
    if token.state == TokenState::Revoked && used_after {
        return say(
            Action::Revoke,
            "It was used after it was revoked: make sure that it is gone, and look at what it did.",
        );
    }
    if token.is_over() {
        return say(Action::None, "It is out of force.");
    }
    if token.leaked_at.is_some() {
        return say(Action::Revoke, "It was found in a public place.");
    }
    if matches!(token.owner_state, OwnerState::Removed | OwnerState::Disabled) {
        return say(
            Action::Revoke,
            "Its owner can no longer sign in; the token works again if access returns.",
        );
    }
    if usage.verdict == UseState::RuledOut {
        return say(Action::Revoke, "Usage records of the whole judged span show no PAT call by its owner.");
    }
    let anomaly = findings.iter().any(|f| f.family == Family::Anomaly && f.severity >= Severity::Medium);
    if anomaly {
        return say(Action::AskOwner, "It behaves unlike its past: ask the owner whether that was them.");
    }
    if usage.verdict == UseState::NotObserved {
        return say(
            Action::AskOwner,
            "No audited change in the covered days; reads and pushes would not have been seen, so ask whether it is needed.",
        );
    }
    let not_seen = |v: Visibility| scope.iter().any(|s| s.state == ScopeState::NotSeen && s.visibility == v);
    if not_seen(Visibility::Full) {
        return say(Action::Reduce, "It holds scopes whose every use is audited and of which none was seen.");
    }
    if not_seen(Visibility::Mostly) {
        return say(
            Action::AskOwner,
            "It holds scopes whose use is mostly audited and was not seen: confirm the reduced list with the owner.",
        );
    }
    if token.is_full_access() {
        return say(
            Action::AskOwner,
            "It has full access: start from the scopes that its audited changes needed, and ask what else it does.",
        );
    }
    if usage.verdict == UseState::NotJudged {
        return say(Action::Watch, "There is not enough to judge it by.");
    }
    say(Action::None, "Nothing stands out.")
}

//! Words that stay: patwatch's own and those of Azure DevOps.
//!
//! In: a text of the evidence. Out: whether it says nothing of who or what is meant.

use crate::model::catalogue::catalogue;
use crate::model::client::is_product;
use crate::model::identity::is_guid;
use crate::model::time::parse_time;

/// Tells whether a text of the evidence is a word of patwatch or Azure DevOps, a number, a time or an id.
pub(super) fn is_own_word(text: &str) -> bool {
    let c = catalogue();
    is_guid(text)
        || parse_time(text).is_some()
        || text.parse::<f64>().is_ok()
        || c.actions.contains_key(text)
        || text.split_whitespace().all(|s| c.scopes.contains_key(s))
        || is_product(text)
        || is_vocabulary(text)
        || text.split(", ").all(is_kind_of_finding)
}

/// Tells whether a text is the id of a detection or one of the kinds that PAT-A031 counts.
fn is_kind_of_finding(text: &str) -> bool {
    const KINDS: [&str; 9] =
        ["place", "client", "action", "amount", "breadth", "end of life", "waking", "hour", "creation"];
    let number = text.strip_prefix("PAT-").and_then(|rest| rest.get(1..));
    KINDS.contains(&text) || number.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Tells whether a text is a word that patwatch's own sentences and columns are made of.
pub(super) fn is_vocabulary(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "a" | "an"
            | "the"
            | "was"
            | "is"
            | "in"
            | "of"
            | "to"
            | "by"
            | "for"
            | "from"
            | "and"
            | "not"
            | "token"
            | "tokens"
            | "user"
            | "org"
            | "project"
            | "organisation"
            | "true"
            | "false"
            | "pat"
            | "session"
            | "interactive"
            | "entra"
            | "service"
            | "ssh"
            | "none"
            | "other"
            | "active"
            | "disabled"
            | "removed"
            | "unknown"
            | "expired"
            | "revoked"
            | "inventory"
            | "ledger"
            | "events"
            | "observed"
            | "possible"
            | "ruled-out"
            | "not-observed"
            | "not-judged"
            | "full"
            | "mostly"
            | "partial"
            | "used"
            | "not-seen"
            | "cannot-be-seen"
            | "beyond-grant"
            | "low"
            | "medium"
            | "high"
            | "critical"
            | "info"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_findings_are_own_words() {
        assert!(is_own_word("action, client, place") && is_own_word("PAT-A001, PAT-A019"));
        assert!(!is_own_word("place, Alice") && !is_own_word("PAT-secret"));
    }
}

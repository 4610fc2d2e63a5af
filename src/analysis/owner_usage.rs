//! Usage records of a token's owner: they name the person and the kind of credential, never the token.
//!
//! In: a token, its organisation's usage records, all tokens. Out: calls that the owner made with PATs, those that fit the
//! token, and how many tokens share them.

use super::usage::OwnerUsage;
use crate::model::identity::person_key;
use crate::model::inventory::UsageRow;
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::time::{Span, Window};
use crate::model::token::Token;

/// What usage records say of a token's owner.
pub(super) fn of(
    token: &Token,
    spans: &[Span],
    rows: &[UsageRow],
    tokens: &[Token],
    window: Window,
) -> OwnerUsage {
    let owner_key = token.owner_id.as_deref().and_then(person_key);
    let named = |row: &UsageRow| {
        let user = row.user.trim();
        !user.is_empty() && token.owner.as_deref().is_some_and(|o| o.eq_ignore_ascii_case(user))
    };
    let by_id = |row: &UsageRow| owner_key.is_some() && person_key(&row.user_id) == owner_key;
    let class_known = token.scopes.is_some();
    let full = token.is_full_access();
    let same_class = |class: &Mechanism<'_>| {
        (!class_known || class.full_scope_hint() == full)
            && token.all_orgs.is_none_or(|all| class.all_orgs_hint() == all)
    };
    // Records that name users without ids, or the owner under another id, rule nothing out for the owner.
    let unsure = rows.iter().any(|r| r.user_id.is_empty() || named(r) && !by_id(r));
    let mut usage =
        OwnerUsage { spans: spans.to_vec(), by_id: owner_key.is_some() && !unsure, ..OwnerUsage::default() };
    let ends = token.known_end();
    for row in rows.iter().filter(|r| by_id(r) || named(r)) {
        let mechanism = Mechanism::parse(&row.mechanism);
        if mechanism.kind != MechanismKind::Pat || row.start > window.as_of {
            continue;
        }
        let calls = u64::try_from(row.count.max(1)).unwrap_or(1);
        usage.calls += calls;
        // Calls before the token was made, after its end or before the window are none of its own here.
        let alive = token.valid_from.is_none_or(|from| from <= row.end)
            && ends.is_none_or(|to| row.start < to)
            && row.end >= window.from;
        if alive && same_class(&mechanism) {
            usage.calls_of_class += calls;
        }
    }
    let sharing = tokens
        .iter()
        .filter(|t| {
            t.org == token.org && t.owner_id.is_some() && t.owner_id == token.owner_id && !t.is_over()
        })
        .filter(|t| t.is_full_access() == full && t.all_orgs == token.all_orgs);
    usage.sharing = sharing.count() as u64;
    usage
}

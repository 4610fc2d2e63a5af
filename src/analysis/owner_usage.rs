//! Usage records of a token's owner: they name the person and the kind of credential, never the token.
//!
//! In: a token, its organisation's usage records, all tokens. Out: calls that the owner made with PATs, those that fit the
//! token, those that may be either, and how many tokens share them.

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
    let by_id_alone = !unsure && rows.iter().any(by_id);
    let mut usage = OwnerUsage { spans: spans.to_vec(), by_id: by_id_alone, ..OwnerUsage::default() };
    let ends = token.known_end();
    for row in rows.iter().filter(|r| by_id(r) || named(r)) {
        let mechanism = Mechanism::parse(&row.mechanism);
        if row.start > window.as_of {
            continue;
        }
        let calls = u64::try_from(row.count.max(1)).unwrap_or(1);
        match mechanism.kind {
            MechanismKind::Pat => {}
            MechanismKind::None | MechanismKind::Other => {
                usage.unclear += calls;
                continue;
            }
            _ => continue,
        }
        usage.calls += calls;
        // Calls before the token was made, after its end or before the window are none of its own here.
        let alive = token.valid_from.is_none_or(|from| from <= row.end)
            && ends.is_none_or(|to| row.start < to)
            && row.end >= window.from;
        if alive && same_class(&mechanism) {
            usage.calls_of_class += calls;
        }
    }
    // A token that ended inside the window may have made the calls too; what is not known of one rules it in.
    let end = |t: &Token| [t.valid_to, t.revoked_at].into_iter().flatten().min();
    let lived = |t: &&Token| end(t).is_none_or(|end| end > window.from);
    let sharing = tokens
        .iter()
        .filter(|t| t.org == token.org && (t.token_id == token.token_id || same_owner(t, token)))
        .filter(|t| t.token_id == token.token_id || lived(t))
        .filter(|t| t.scopes.is_none() || !class_known || t.is_full_access() == full)
        .filter(|t| t.all_orgs.is_none() || token.all_orgs.is_none() || t.all_orgs == token.all_orgs);
    usage.sharing = sharing.count() as u64;
    usage
}

/// Returns true if two tokens have one owner, by id in either spelling or by user name.
fn same_owner(a: &Token, b: &Token) -> bool {
    let key = |t: &Token| t.owner_id.as_deref().and_then(person_key);
    match (key(a), key(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.owner.as_deref().zip(b.owner.as_deref()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::time::{DAY, HOUR};
    use crate::model::token::TokenState;

    const OWNER: &str = "11111111-1111-4111-8111-111111111111";

    fn usage(records: &[(&str, &str)]) -> OwnerUsage {
        let owned = Token { owner_id: Some(OWNER.into()), owner: Some("ann@x".into()), ..token("vso.code") };
        let rows: Vec<UsageRow> = records
            .iter()
            .map(|(user_id, mechanism)| UsageRow {
                user_id: (*user_id).to_owned(),
                user: if *user_id == OWNER { "ann@x".into() } else { "bob@x".into() },
                mechanism: (*mechanism).to_owned(),
                start: DAY,
                end: DAY + HOUR,
                count: 2,
                ..UsageRow::default()
            })
            .collect();
        let window = Window { from: 0, as_of: 90 * DAY, days: 90 };
        of(&owned, &[], &rows, std::slice::from_ref(&owned), window)
    }

    #[test]
    fn who_is_not_in_the_records_was_not_matched() {
        let other = "22222222-2222-4222-8222-222222222222";
        assert!(!usage(&[]).by_id);
        assert!(!usage(&[(other, "AAD_Cookie")]).by_id, "the records may have been cut to others");
        assert!(usage(&[(other, "PAT"), (OWNER, "AAD_Cookie")]).by_id);
    }

    #[test]
    fn every_token_of_the_owner_that_may_have_made_the_calls_is_counted() {
        let owned = Token { owner_id: Some(OWNER.into()), owner: Some("ann@x".into()), ..token("vso.code") };
        let window = Window { from: 0, as_of: 90 * DAY, days: 90 };
        let sharing = |other: Token| of(&owned, &[], &[], &[owned.clone(), other], window).sharing;
        let second = || Token { token_id: "second".into(), ..owned.clone() };
        assert_eq!(sharing(second()), 2);
        let cuid = OWNER.replace("-4111-8", "-7111-8");
        assert_eq!(sharing(Token { owner_id: Some(cuid), ..second() }), 2, "one person under two ids");
        assert_eq!(
            sharing(Token { owner_id: None, owner: Some("Ann@x".into()), ..second() }),
            2,
            "by user name"
        );
        let revoked = Token { state: TokenState::Revoked, revoked_at: Some(50 * DAY), ..second() };
        assert_eq!(sharing(revoked), 2, "it lived in the window");
        assert_eq!(sharing(Token { scopes: None, all_orgs: None, ..second() }), 2, "of unknown class");
        assert_eq!(sharing(Token { all_orgs: Some(true), ..second() }), 1);
        assert_eq!(sharing(Token { valid_to: Some(-DAY), ..second() }), 1, "over before the window");
        let other = "22222222-2222-4222-8222-222222222222";
        assert_eq!(sharing(Token { owner_id: Some(other.into()), ..second() }), 1);
    }

    #[test]
    fn a_call_of_unknown_mechanism_may_have_been_made_with_a_pat() {
        for (mechanism, calls, unclear) in
            [("PAT", 2, 0), ("", 0, 2), ("Basic", 0, 2), ("PersonalAccessToken", 0, 2), ("AAD_Cookie", 0, 0)]
        {
            let told = usage(&[(OWNER, mechanism)]);
            assert_eq!((told.calls, told.unclear), (calls, unclear), "{mechanism}");
        }
    }
}

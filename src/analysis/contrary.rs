//! What the events of a token say against its list: who used it, and what the class of its mechanism names.
//!
//! In: tokens, the attributed uses and the people. Out: uses by somebody who is not the owner, and classes that
//! name a wider grant than the one in force.

use super::attribution::Attribution;
use super::people::People;
use super::uses::CredentialUse;
use crate::model::identity::person_key;
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::time::Micros;
use crate::model::token::{Token, is_full_scope};
use std::collections::{BTreeMap, BTreeSet};

text_enum! {
    /// How two people are known to be different.
    KnownBy {
        /// By two ids that no list joins.
        Id = "id",
        /// By user names alone, which change.
        Name = "name",
    }
}

/// Somebody who used a token and is not its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUser {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// Label of the user.
    pub actor: String,
    /// Storage key of the user.
    pub actor_id: String,
    /// How the two are known to differ.
    pub known_by: KnownBy,
}

/// A mechanism class that names a wider grant than the token's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassConflict {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// The class.
    pub class: String,
    /// `scopes` or `reach`.
    pub field: &'static str,
    /// What list or event say.
    pub granted: String,
    /// Whether a list says so; else an event does.
    pub listed: bool,
    /// First event with the class against that grant.
    pub first_time: Micros,
    /// Last such event.
    pub last_time: Micros,
}

/// Everything that the two questions are asked of.
pub struct Evidence<'a> {
    /// Tokens of the run.
    pub tokens: &'a [Token],
    /// Row of each token by organisation and visible credential.
    pub token_of: &'a BTreeMap<(&'a str, &'a str), usize>,
    /// Uses of every PAT credential.
    pub uses: &'a [CredentialUse],
    /// How credentials were joined.
    pub attributions: &'a [Attribution],
    /// People by organisation.
    pub people: &'a BTreeMap<String, People>,
    /// Whether a list or an event names the owner of each token, so that it is not known from use alone.
    pub owner_told: &'a [bool],
}

/// Finds those who used a token and are not its owner.
///
/// A PAT acts as its owner, so such a use means a wrong list, a wrong join, or an account that changed hands.
#[must_use]
pub fn other_users(of: &Evidence<'_>) -> Vec<OtherUser> {
    let away: BTreeSet<(&str, &str)> = of
        .attributions
        .iter()
        .filter(|a| a.listed_in.is_some())
        .map(|a| (a.org.as_str(), a.visible.as_str()))
        .collect();
    let mut found: BTreeMap<(usize, &str, &str), KnownBy> = BTreeMap::new();
    for one in of.uses {
        let key = (one.org.as_str(), one.credential.as_str());
        let Some(&at) = of.token_of.get(&key) else { continue };
        let token = &of.tokens[at];
        if !of.owner_told[at] {
            continue;
        }
        let Some(mut known_by) = difference(token, one, of.people.get(&one.org)) else { continue };
        // A storage key belongs to one organisation: ids of two of them say nothing of one person.
        if away.contains(&key) {
            known_by = KnownBy::Name;
        }
        found.entry((at, one.actor.as_str(), one.actor_id.as_str())).or_insert(known_by);
    }
    found
        .into_iter()
        .map(|((at, actor, actor_id), known_by)| OtherUser {
            org: of.tokens[at].org.clone(),
            token_id: of.tokens[at].token_id.clone(),
            actor: actor.to_owned(),
            actor_id: actor_id.to_owned(),
            known_by,
        })
        .collect()
}

/// How the user of a token differs from its owner; nothing where they are, or may well be, one person.
fn difference(token: &Token, one: &CredentialUse, people: Option<&People>) -> Option<KnownBy> {
    let person = |texts: [Option<&str>; 2]| {
        people.and_then(|p| texts.into_iter().flatten().filter(|t| !t.is_empty()).find_map(|t| p.find(t)))
    };
    let owner = person([token.owner_id.as_deref(), token.owner.as_deref()]);
    let user = person([Some(&one.actor_id), Some(&one.actor)]);
    if let (Some(owner), Some(user)) = (owner, user)
        && std::ptr::eq(owner, user)
    {
        return None;
    }
    let name = |text: &str| text.trim().to_lowercase();
    let same_name = token.owner.as_deref().is_some_and(|o| name(o) == name(&one.actor));
    match (token.owner_id.as_deref().and_then(person_key), person_key(&one.actor_id)) {
        (Some(owner), Some(user)) if owner == user => None,
        _ if same_name => None,
        (Some(_), Some(_)) => Some(KnownBy::Id),
        // Display names are written in many ways; two user names differ.
        _ => {
            let upns = token.owner.as_deref().is_some_and(|o| o.contains('@')) && one.actor.contains('@');
            upns.then_some(KnownBy::Name)
        }
    }
}

/// Finds classes that name full access or all organisations where list or event say less.
#[must_use]
pub fn class_conflicts(of: &Evidence<'_>) -> Vec<ClassConflict> {
    let mut found: BTreeMap<(usize, &'static str, &str), ClassConflict> = BTreeMap::new();
    for one in of.uses {
        let Some(&at) = of.token_of.get(&(one.org.as_str(), one.credential.as_str())) else { continue };
        let token = &of.tokens[at];
        let class = Mechanism { class: &one.class, kind: MechanismKind::Pat, credential: "" };
        let mut add = |field, granted: String, listed: bool, since: Micros| {
            let conflict = ClassConflict {
                org: token.org.clone(),
                token_id: token.token_id.clone(),
                class: one.class.clone(),
                field,
                granted,
                listed,
                first_time: one.first_time.max(since),
                last_time: one.last_time,
            };
            let held = found.entry((at, field, one.class.as_str())).or_insert_with(|| conflict.clone());
            held.first_time = held.first_time.min(conflict.first_time);
            if conflict.last_time > held.last_time {
                *held = ClassConflict { first_time: held.first_time, ..conflict };
            }
        };
        // The grant in force at the last use with the class; a later grant does not contradict the class.
        let in_force = token.grants.iter().rev().find(|g| g.since <= one.last_time);
        if class.full_scope_hint()
            && let Some(grant) = in_force
            && let Some(scopes) = &grant.scopes
            && !scopes.iter().any(|s| is_full_scope(s))
        {
            add("scopes", scopes.join(" "), grant.listed, grant.since);
        }
        if class.all_orgs_hint() && token.all_orgs == Some(false) {
            let told = token.grants.iter().rev().filter(|g| g.since <= one.last_time);
            let told = told.clone().find(|g| g.all_orgs.is_some());
            // A later event took the reach away: the class was right when it was seen.
            let narrowed = token
                .grants
                .iter()
                .any(|g| g.since > one.last_time && g.all_orgs == Some(false) && !g.listed)
                && told.is_none_or(|g| g.all_orgs == Some(true));
            if !narrowed {
                let listed = told.is_none_or(|g| g.listed);
                add("reach", "one organisation".to_owned(), listed, told.map_or(Micros::MIN, |g| g.since));
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::inventory::UserRow;
    use crate::model::token::{Grant, split_scopes};

    const OWNER: &str = "bbbbbbbb-0000-6111-9222-333333333333";
    const OTHER: &str = "cccccccc-0000-6111-9222-333333333333";

    fn used(class: &str, actor: &str, actor_id: &str) -> CredentialUse {
        CredentialUse {
            org: "o".into(),
            credential: "c".into(),
            class: class.into(),
            actor: actor.into(),
            actor_id: actor_id.into(),
            n: 1,
            n_ever: 1,
            first_time: 50,
            last_time: 100,
            last_in_window: Some(100),
        }
    }

    fn asked<T>(token: Token, used: CredentialUse, users: &[UserRow], ask: fn(&Evidence<'_>) -> T) -> T {
        let users: Vec<(Option<Micros>, UserRow)> = users.iter().map(|u| (Some(0), u.clone())).collect();
        let people = BTreeMap::from([("o".to_owned(), People::build(&users, &[], &[], &[]))]);
        let uses = [used];
        ask(&Evidence {
            tokens: &[token],
            token_of: &BTreeMap::from([(("o", "c"), 0)]),
            uses: &uses,
            attributions: &[],
            people: &people,
            owner_told: &[true],
        })
    }

    fn owned(by: &str, id: &str) -> Token {
        Token { owner: Some(by.into()), owner_id: (!id.is_empty()).then(|| id.into()), ..token("vso.code") }
    }

    #[test]
    fn another_person_by_id_is_told_apart_from_one_by_name() {
        let of = |token, used| asked(token, used, &[], other_users).first().map(|o| o.known_by);
        let ann = || owned("ann@x.example", OWNER);
        assert_eq!(of(ann(), used("PAT", "bob@x.example", OTHER)), Some(KnownBy::Id));
        assert_eq!(of(ann(), used("PAT", "ann@x.example", OWNER)), None);
        let cuid = OWNER.replace("-6111-", "-7111-");
        assert_eq!(of(ann(), used("PAT", "ann.old@x.example", &cuid)), None, "storage key and CUID");
        assert_eq!(of(ann(), used("PAT", "Ann@x.example", OTHER)), None, "one user name is one person");
        let nameless = || owned("ann@x.example", "");
        assert_eq!(of(nameless(), used("PAT", "bob@x.example", OTHER)), Some(KnownBy::Name));
        assert_eq!(
            of(owned("Ann", ""), used("PAT", "bob@x.example", OTHER)),
            None,
            "a display name says little"
        );
    }

    #[test]
    fn ids_that_a_list_joins_are_one_person() {
        let row = UserRow {
            storage_key: Some(OWNER.into()),
            cuid: Some(OTHER.into()),
            upn: "ann@x.example".into(),
            ..UserRow::default()
        };
        let ann = owned("Ann", OWNER);
        let used = used("PAT", "ann.former@x.example", OTHER);
        assert_eq!(asked(ann.clone(), used.clone(), &[row], other_users), []);
        assert_eq!(asked(ann, used, &[], other_users).len(), 1);
    }

    #[test]
    fn a_class_contradicts_the_grant_in_force_and_no_other() {
        let grant =
            |since, scopes: &str| Grant { since, scopes: Some(split_scopes(scopes)), ..Grant::default() };
        let of = |grants: Vec<Grant>, class: &str| {
            let token = Token { grants, ..owned("ann@x.example", OWNER) };
            asked(token, used(class, "ann@x.example", OWNER), &[], class_conflicts)
        };
        let found = of(vec![Grant { listed: true, ..grant(0, "vso.code") }], "PAT_Unscoped");
        assert_eq!(
            (found[0].field, found[0].granted.as_str(), found[0].listed),
            ("scopes", "vso.code", true)
        );
        assert_eq!(of(vec![grant(0, "vso.code")], "PAT"), []);
        assert_eq!(of(vec![grant(0, "app_token")], "PAT_Unscoped"), []);
        assert_eq!(
            of(vec![grant(0, "app_token"), grant(150, "vso.code")], "PAT_Unscoped"),
            [],
            "narrowed since"
        );
        assert_eq!(of(vec![], "PAT_Unscoped"), [], "no grant is known");
        let found = of(vec![grant(0, "vso.code")], "PAT_Global");
        assert_eq!(
            (found.len(), found[0].field),
            (1, "reach"),
            "the token of these tests is for one organisation"
        );
    }
}

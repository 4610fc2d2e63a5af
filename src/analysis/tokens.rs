//! Inventory, ledger and events merged into one row a token and organisation, the differences kept.
//!
//! In: the inventory of an organisation at its latest, the ledger, the attributions. Out: [`Token`]s. The
//! inventory wins, unless the ledger tells of a later change.

use super::attribution::Attribution;
use super::inventory::Inventory;
use super::ledger::{Entry, Ledger};
use super::people::People;
use crate::model::identity::person_key;
use crate::model::inventory::InventoryRow;
use crate::model::time::{DAY, Micros, format_time};
use crate::model::token::{Grant, KnownFrom, OwnerFacts, OwnerState, Token, TokenState, split_scopes};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that tells of tokens.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// Inventories by organisation.
    pub inventories: BTreeMap<String, Inventory>,
    /// The ledger.
    pub ledger: Ledger,
    /// People by organisation.
    pub people: BTreeMap<String, People>,
    /// Organisation ids to names, as the lake knows them.
    pub scopes: BTreeMap<String, String>,
    /// Organisations that this run judges; what a token did in others is not seen.
    pub orgs: Vec<String>,
    /// Attributions.
    pub attributions: &'a [Attribution],
    /// Class hints by (organisation, token id): full scope, all organisations.
    pub hints: BTreeMap<(String, String), (bool, bool)>,
    /// Owners that events show, by (organisation, token id): storage key and label.
    pub actors: BTreeMap<(String, String), (String, String)>,
    /// The run's instant.
    pub as_of: Micros,
}

/// Merges everything into tokens, by organisation and id.
#[must_use]
pub fn merge(sources: &Sources<'_>) -> Vec<Token> {
    let mut keys: BTreeSet<(String, String)> = sources.ledger.keys().cloned().collect();
    for (org, inventory) in &sources.inventories {
        keys.extend(inventory.rows().iter().map(|r| (org.clone(), r.token_id.clone())));
    }
    let mut listed_in: BTreeMap<(String, String), &str> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for attribution in sources.attributions {
        let Some(token_id) = &attribution.token_id else { continue };
        let key = (attribution.org.clone(), token_id.clone());
        if let Some(org) = &attribution.listed_in {
            listed_in.insert(key.clone(), org);
        }
        seen.insert(key.clone());
        keys.insert(key);
    }
    let mut rows: BTreeMap<(&str, &str), &InventoryRow> = BTreeMap::new();
    for (org, inventory) in &sources.inventories {
        for row in inventory.rows() {
            rows.insert((org, &row.token_id), row);
        }
    }
    keys.iter()
        .map(|key| {
            let (org, token_id) = key;
            let home = listed_in.get(key).copied().unwrap_or(org);
            let row = rows.get(&(home, token_id.as_str())).copied();
            let entry = sources.ledger.get(&(home.to_owned(), token_id.clone()));
            one(sources, org, token_id, home, row, entry, seen.contains(key))
        })
        .collect()
}

fn one(
    sources: &Sources<'_>,
    org: &str,
    token_id: &str,
    home: &str,
    row: Option<&InventoryRow>,
    entry: Option<&Entry>,
    seen: bool,
) -> Token {
    let key = (org.to_owned(), token_id.to_owned());
    let inventory = sources.inventories.get(home);
    let taken = inventory.map_or(Micros::MIN, Inventory::taken);
    // A change that the log tells after the list was taken is newer than the list.
    let newest = entry.and_then(|e| e.grants.last());
    let later = newest.filter(|g| row.is_none() || g.since > taken);
    let listed = row.and_then(|r| r.scopes.as_deref()).map(split_scopes).filter(|s| !s.is_empty());
    let (_, global_hint) = sources.hints.get(&key).copied().unwrap_or_default();
    let scopes = later
        .and_then(|g| g.scopes.clone())
        .or_else(|| listed.clone())
        .or_else(|| newest.and_then(|g| g.scopes.clone()));
    // The mechanism's class is a hint (facts, section 3): it can say "all", and its silence says nothing.
    let hinted = || (seen && global_hint).then_some(true);
    let all_orgs =
        row.and_then(|r| r.targets.all()).or_else(|| entry.and_then(|e| e.all_orgs)).or_else(hinted);
    let valid_from = row.and_then(|r| r.valid_from).or_else(|| entry.and_then(|e| e.valid_from));
    let valid_to = later
        .and_then(|g| g.valid_to)
        .or_else(|| row.and_then(|r| r.valid_to))
        .or_else(|| entry.and_then(|e| e.valid_to));
    let revoked_at = entry.and_then(|e| e.revoked_at);
    let mut known_from = Vec::new();
    for (known, from) in [
        (row.is_some(), KnownFrom::Inventory),
        (entry.is_some(), KnownFrom::Ledger),
        (seen, KnownFrom::Events),
    ] {
        if known {
            known_from.push(from);
        }
    }
    let mut token = Token {
        org: org.to_owned(),
        token_id: token_id.to_owned(),
        name: name(row, entry, taken),
        owner: None,
        owner_id: None,
        owner_state: OwnerState::Unknown,
        owner_gone_at: None,
        known_from,
        state: TokenState::Unknown,
        scopes,
        grants: grants(row, entry, listed, taken),
        all_orgs,
        reaches_unseen_orgs: false,
        valid_from,
        valid_to,
        revoked_at,
        leaked_at: entry.and_then(|e| e.leaked_at),
        life: entry.map(|e| e.life.clone()).unwrap_or_default(),
        other_orgs: Vec::new(),
        joined_by_name: entry.is_some_and(|e| e.joined_by_name),
        owner_facts: OwnerFacts::default(),
    };
    reach(&mut token, sources, row, entry);
    own(&mut token, sources, row, entry);
    token.state = state(&token, row, entry, inventory, sources.as_of);
    token
}

fn own(token: &mut Token, sources: &Sources<'_>, row: Option<&InventoryRow>, entry: Option<&Entry>) {
    let actor = sources.actors.get(&(token.org.clone(), token.token_id.clone()));
    token.owner_id = row
        .and_then(|r| r.user_id.clone())
        .or_else(|| entry.and_then(|e| e.owner_id.clone()))
        .or_else(|| actor.map(|(id, _)| id.clone()).filter(|id| !id.is_empty()));
    // What events say of somebody else is no name of the owner that the list tells.
    let same = |id: &str| {
        let (own, other) = (token.owner_id.as_deref().and_then(person_key), person_key(id));
        own.is_none() || other.is_none() || own == other
    };
    let words = [
        row.and_then(|r| r.owner().cloned()),
        entry.filter(|e| e.owner_id.as_deref().is_none_or(same)).and_then(|e| e.owner.clone()),
        actor.filter(|(id, _)| same(id)).map(|(_, label)| label.clone()),
    ];
    let people = sources.people.get(&token.org);
    let names = || token.owner_id.iter().chain(words.iter().flatten());
    let person = people.and_then(|people| names().find_map(|text| people.find(text)));
    let label = person
        .map(|p| p.label.clone())
        .filter(|l| !l.is_empty())
        .or_else(|| words.iter().flatten().next().cloned());
    let owner_id = token.owner_id.clone().or_else(|| person.and_then(|p| p.id.clone()));
    token.owner = label
        .map(|l| if l.contains('@') { l.to_lowercase() } else { l })
        .filter(|l| !l.is_empty())
        .or_else(|| owner_id.clone());
    token.owner_id = owner_id;
    if let Some(person) = person {
        token.owner_state = person.state;
        token.owner_gone_at = person.gone_at;
    }
}

/// The newer of the two names.
fn name(row: Option<&InventoryRow>, entry: Option<&Entry>, taken: Micros) -> Option<String> {
    let listed = row.and_then(|r| r.name.clone());
    let told = entry.and_then(|e| e.name.clone());
    if entry.and_then(|e| e.named_at).is_some_and(|at| at > taken) {
        told.or(listed)
    } else {
        listed.or(told)
    }
}

/// Every grant that is known, oldest first: those that events tell, and the listed one where it says something
/// else. A list taken before the first change tells what was in force until then.
fn grants(
    row: Option<&InventoryRow>,
    entry: Option<&Entry>,
    listed: Option<Vec<String>>,
    taken: Micros,
) -> Vec<Grant> {
    let mut grants = entry.map(|e| e.grants.clone()).unwrap_or_default();
    let Some(scopes) = listed else { return grants };
    let valid_to = row.and_then(|r| r.valid_to);
    let born = row.and_then(|r| r.valid_from).or_else(|| entry.and_then(|e| e.valid_from));
    let created = entry.is_some_and(|e| e.created.is_some());
    let before = grants.iter().rposition(|g| g.since <= taken);
    match before {
        Some(at) if grants[at].scopes.as_ref() == Some(&scopes) => {}
        // The list differs from what the log told last: a change that the log does not hold.
        Some(at) => {
            grants.insert(at + 1, Grant { since: taken, scopes: Some(scopes), valid_to, listed: true })
        }
        None if created => {}
        None => {
            let since = born.unwrap_or(Micros::MIN);
            grants.insert(0, Grant { since, scopes: Some(scopes), valid_to, listed: true });
        }
    }
    grants
}

/// Which other organisations the token reaches: those of this run by name, the others as a flag.
fn reach(token: &mut Token, sources: &Sources<'_>, row: Option<&InventoryRow>, entry: Option<&Entry>) {
    let told = entry.map(|e| &e.targets).filter(|t| !t.is_empty());
    let Some(targets) = row.and_then(|r| r.targets.listed()).or(told) else {
        token.reaches_unseen_orgs = token.all_orgs == Some(true);
        return;
    };
    let judged = |id: &String| sources.scopes.get(id).filter(|name| sources.orgs.contains(name));
    // With no organisation's id known at all, a single target is taken for the one that lists the token.
    if targets.len() == 1 && sources.scopes.is_empty() {
        return;
    }
    token.reaches_unseen_orgs = targets.iter().any(|id| judged(id).is_none());
    token.other_orgs = targets.iter().filter_map(judged).filter(|org| **org != token.org).cloned().collect();
    token.other_orgs.sort();
    token.other_orgs.dedup();
}

/// What the log tells of a token that the latest list of its organisation contradicts, as a sentence.
///
/// A list that is older than the last event says nothing against it, and of a list without a date nobody knows.
#[must_use]
pub fn differs(sources: &Sources<'_>, token: &Token) -> Option<String> {
    let inventory = sources.inventories.get(&token.org).filter(|i| i.is_dated())?;
    let entry = sources.ledger.get(&(token.org.clone(), token.token_id.clone()))?;
    let row = inventory.row(&token.token_id);
    if entry.last_change.is_none_or(|at| at > inventory.taken()) {
        return None;
    }
    let Some(row) = row else {
        let gone = entry.revoked_at.is_some() || entry.expired_at.is_some() || token.is_over();
        return (inventory.is_complete() && !gone)
            .then(|| "events created it and none ended it, and the complete list leaves it out".to_owned());
    };
    let mut parts = Vec::new();
    if row.is_valid == Some(true)
        && let Some(at) = entry.revoked_at
    {
        parts.push(format!("an event revoked it at {}, and the later list calls it valid", format_time(at)));
    }
    let listed = row.scopes.as_deref().map(split_scopes).filter(|s| !s.is_empty());
    let told = entry.grants.last().and_then(|g| g.scopes.clone());
    if let (Some(listed), Some(told)) = (listed, told)
        && listed != told
    {
        parts.push(format!("events grant {}, the later list {}", told.join(" "), listed.join(" ")));
    }
    if let (Some(listed), Some(told)) = (row.valid_to, entry.valid_to)
        && (listed - told).abs() > DAY
    {
        parts.push(format!(
            "events end it at {}, the later list at {}",
            format_time(told),
            format_time(listed)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn state(
    token: &Token,
    row: Option<&InventoryRow>,
    entry: Option<&Entry>,
    inventory: Option<&Inventory>,
    as_of: Micros,
) -> TokenState {
    if token.revoked_at.is_some_and(|t| t <= as_of) {
        let valid_since =
            inventory.filter(|_| row.is_some_and(|r| r.is_valid == Some(true))).map(Inventory::taken);
        // An event that named its token by owner and name alone against a later list that calls it valid: neither
        // is sure, so neither is said.
        let doubted = token.joined_by_name && valid_since.is_some_and(|at| token.revoked_at < Some(at));
        return if doubted { TokenState::Unknown } else { TokenState::Revoked };
    }
    let ended = token.valid_to.is_some_and(|to| to <= as_of);
    let said_expired = entry
        .is_some_and(|e| e.expired_at.is_some_and(|at| token.valid_to.is_none_or(|to| to <= at.max(as_of))));
    if ended || said_expired {
        return TokenState::Expired;
    }
    match row {
        // The list calls it invalid although its end has not come: somebody ended it.
        Some(row) if row.is_valid == Some(false) => TokenState::Revoked,
        Some(_) if inventory.is_some_and(Inventory::is_complete) && token.valid_to.is_some() => {
            TokenState::Active
        }
        _ => TokenState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::attribution::How;
    use crate::analysis::inventory::List;
    use crate::model::inventory::Targets;

    const ID: &str = "aaaaaaaa-0000-1111-2222-333333333333";

    fn row() -> InventoryRow {
        InventoryRow {
            token_id: ID.into(),
            scopes: Some("vso.code vso.build".into()),
            targets: Targets::Listed(vec!["s1".into()]),
            valid_to: Some(100),
            is_valid: Some(true),
            ..InventoryRow::default()
        }
    }

    fn with(rows: Vec<InventoryRow>, complete: bool, as_of: Micros) -> Vec<Token> {
        let inventory = List { taken: 50, complete, rows, ..List::default() }.into();
        let sources = Sources {
            inventories: BTreeMap::from([("o".to_owned(), inventory)]),
            scopes: BTreeMap::from([("s1".to_owned(), "o".to_owned())]),
            orgs: vec!["o".to_owned()],
            as_of,
            ..Sources::default()
        };
        merge(&sources)
    }

    #[test]
    fn active_needs_a_complete_list() {
        assert_eq!(with(vec![row()], true, 60)[0].state, TokenState::Active);
        assert_eq!(with(vec![row()], false, 60)[0].state, TokenState::Unknown);
        assert_eq!(with(vec![row()], true, 100)[0].state, TokenState::Expired);
        let invalid = InventoryRow { is_valid: Some(false), ..row() };
        assert_eq!(with(vec![invalid], true, 60)[0].state, TokenState::Revoked);
    }

    #[test]
    fn who_used_a_token_does_not_lend_its_owner_a_name() {
        let (owner, other) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
        let of = |actor: &str| {
            let listed = InventoryRow { user_id: Some(owner.into()), ..row() };
            let inventory = List { taken: 50, complete: true, rows: vec![listed], ..List::default() }.into();
            let used = ((String::from("o"), ID.to_owned()), (actor.to_owned(), String::from("ann@x")));
            let sources = Sources {
                inventories: BTreeMap::from([("o".to_owned(), inventory)]),
                orgs: vec!["o".to_owned()],
                actors: BTreeMap::from([used]),
                as_of: 60,
                ..Sources::default()
            };
            merge(&sources)[0].owner.clone()
        };
        assert_eq!(of(owner).as_deref(), Some("ann@x"));
        assert_eq!(of(other).as_deref(), Some(owner));
    }

    #[test]
    fn a_list_without_targets_leaves_the_reach_unknown() {
        let silent = InventoryRow { targets: Targets::Unknown, ..row() };
        let token = &with(vec![silent], true, 60)[0];
        assert_eq!((token.all_orgs, token.reaches_unseen_orgs), (None, false));
        assert!(!token.is_for_one_org());
    }

    #[test]
    fn a_global_token_used_here_brings_its_grant_along() {
        let attribution = Attribution {
            org: "p".into(),
            visible: ID[..28].into(),
            how: How::Prefix,
            token_id: Some(ID.into()),
            listed_in: Some("o".into()),
            candidates: vec![],
        };
        let global = InventoryRow { targets: Targets::AllOrganisations, ..row() };
        let inventory = List { taken: 50, complete: true, rows: vec![global], ..List::default() }.into();
        let sources = Sources {
            inventories: BTreeMap::from([("o".to_owned(), inventory)]),
            attributions: &[attribution],
            as_of: 60,
            ..Sources::default()
        };
        let tokens = merge(&sources);
        assert_eq!(tokens.len(), 2);
        assert_eq!(
            (tokens[1].org.as_str(), tokens[1].all_orgs, tokens[1].state),
            ("p", Some(true), TokenState::Active)
        );
        assert!(tokens.iter().all(|t| t.reaches_unseen_orgs));
    }

    #[test]
    fn a_dated_list_and_older_events_that_differ_say_so() {
        use crate::model::token::Grant;
        let grant = |scopes: &str| Grant {
            since: 10,
            scopes: Some(split_scopes(scopes)),
            valid_to: None,
            listed: false,
        };
        let said = |dated, taken, entry: Entry, rows: Vec<InventoryRow>| {
            let inventory = List { taken, dated, complete: true, rows, ..List::default() }.into();
            let sources = Sources {
                inventories: BTreeMap::from([("o".to_owned(), inventory)]),
                ledger: BTreeMap::from([(("o".to_owned(), ID.to_owned()), entry)]),
                orgs: vec!["o".to_owned()],
                as_of: 60,
                ..Sources::default()
            };
            differs(&sources, &merge(&sources)[0])
        };
        let entry =
            |scopes: &str| Entry { grants: vec![grant(scopes)], last_change: Some(10), ..Entry::default() };
        let wider = said(true, 50, entry("vso.code"), vec![row()]).expect("differs");
        assert_eq!(wider, "events grant vso.code, the later list vso.build vso.code");
        assert_eq!(said(true, 50, entry("vso.build vso.code"), vec![row()]), None);
        assert_eq!(said(true, 5, entry("vso.code"), vec![row()]), None, "the list is older");
        assert_eq!(said(false, 50, entry("vso.code"), vec![row()]), None, "nobody knows how old the list is");
        assert!(said(true, 50, entry("vso.code"), vec![]).expect("missing").contains("leaves it out"));
        let revoked = Entry { revoked_at: Some(10), ..entry("vso.build vso.code") };
        assert!(said(true, 50, revoked, vec![row()]).expect("differs").contains("calls it valid"));
    }
}

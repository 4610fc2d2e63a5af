//! Who and what is known before any event is attributed, in the words that attribution matches by.
//!
//! In: what was gathered, lists of users and tokens, the ledger. Out: people by organisation, tokens that are known, with
//! every text that names their owners, and credentials with their actors.

use super::attribution::{Credential, Known};
use super::ledger::{Ledger, Listed};
use super::people::People;
use super::run::{Gathered, Inputs};
use super::uses::CredentialUse;
use crate::model::identity::person_key;
use std::collections::{BTreeMap, BTreeSet};

/// People of each organisation, from its lists of users and from events.
pub(super) fn people(told: &Gathered, inputs: &Inputs<'_>) -> BTreeMap<String, People> {
    inputs
        .orgs
        .iter()
        .map(|org| {
            let users = inputs.users.get(org).map_or(&[][..], Vec::as_slice);
            let actors: Vec<(String, String, String)> = told
                .actors
                .iter()
                .filter(|(o, ..)| o == org)
                .map(|(_, id, label)| {
                    let upn = if label.contains('@') { label.clone() } else { String::new() };
                    let named = || told.names.get(&(org.clone(), id.clone())).cloned().unwrap_or_default();
                    (id.clone(), upn, if label.contains('@') { named() } else { label.clone() })
                })
                .collect();
            let changes = told.access.get(org).map_or(&[][..], Vec::as_slice);
            let mut people = People::build(users, &actors, changes);
            people.note_groups(told.groups.get(org).map_or(&[][..], Vec::as_slice));
            (org.clone(), people)
        })
        .collect()
}

/// Owners by every text that names them.
pub(super) fn owner_texts(
    people: &BTreeMap<String, People>,
    org: &str,
    texts: impl Iterator<Item = String>,
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for text in texts {
        if let Some(person) = people.get(org).and_then(|p| p.find(&text)) {
            all.extend(person.id.clone());
            all.extend([person.label.to_lowercase(), person.name.to_lowercase()]);
        }
        all.extend(person_key(&text));
        all.insert(text.to_lowercase());
    }
    all.into_iter().filter(|t| !t.is_empty()).collect()
}

/// Tokens of the inventories, as the ledger asks for them.
pub(super) fn listed(inputs: &Inputs<'_>, people: &BTreeMap<String, People>) -> Vec<Listed> {
    inputs
        .inventories
        .iter()
        .flat_map(|(org, inventory)| {
            inventory.rows().into_iter().map(move |row| Listed {
                org: org.clone(),
                token_id: row.token_id.clone(),
                name: row.name.clone().unwrap_or_default(),
                owner: owner_texts(people, org, row.user_id.iter().chain(row.owner()).cloned()),
                valid_from: row.valid_from,
                valid_to: row.valid_to,
            })
        })
        .collect()
}

/// Tokens that an inventory lists or an event made, as attribution asks for them.
pub(super) fn known(inputs: &Inputs<'_>, ledger: &Ledger, people: &BTreeMap<String, People>) -> Vec<Known> {
    let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
    for (org, inventory) in &inputs.inventories {
        for row in inventory.rows() {
            let targets = row.targets.listed().into_iter().flatten();
            known.insert(
                (org.clone(), row.token_id.clone()),
                Known {
                    org: org.clone(),
                    token_id: row.token_id.clone(),
                    owner: owner_texts(people, org, row.user_id.iter().chain(row.owner()).cloned()),
                    all_orgs: row.targets.all() == Some(true),
                    targets: targets.filter_map(|t| inputs.scopes.get(t)).cloned().collect(),
                },
            );
        }
    }
    for ((org, token_id), entry) in ledger {
        known.entry((org.clone(), token_id.clone())).or_insert_with(|| Known {
            org: org.clone(),
            token_id: token_id.clone(),
            owner: owner_texts(people, org, entry.owner_id.iter().chain(&entry.owner).cloned()),
            all_orgs: entry.all_orgs == Some(true),
            targets: BTreeSet::new(),
        });
    }
    known.into_values().collect()
}

/// Credentials that events show, each with every text that names its actors.
pub(super) fn credentials(uses: &[CredentialUse]) -> Vec<Credential> {
    let mut by_key: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for one in uses {
        let actors = by_key.entry((&one.org, &one.credential)).or_default();
        actors.extend(
            [one.actor_id.to_lowercase(), one.actor.to_lowercase()].into_iter().filter(|a| !a.is_empty()),
        );
        actors.extend(person_key(&one.actor_id));
    }
    by_key
        .into_iter()
        .map(|((org, visible), actors)| Credential {
            org: org.to_owned(),
            visible: visible.to_owned(),
            actors,
        })
        .collect()
}

//! Who and what is known before any event is attributed, in the words that attribution matches by.
//!
//! In: what was gathered, lists of users and tokens, the ledger. Out: people by organisation, tokens that are known, with
//! every text that names their owners, and credentials with their actors.

use super::attribution::{Credential, Known};
use super::claims::token::Reach;
use super::ledger::{Ledger, Listed};
use super::people::{Actor, People};
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
            let named = |id: &String| told.names.get(&(org.clone(), id.clone())).cloned().unwrap_or_default();
            let actors = told.actors.iter().filter(|(o, _)| o == org).map(|(_, actor)| {
                let name = if actor.upn.is_empty() { actor.name.clone() } else { named(&actor.id) };
                Actor { name, ..actor.clone() }
            });
            let actors: Vec<Actor> = actors.collect();
            let changes = told.access.get(org).map_or(&[][..], Vec::as_slice);
            let sign_ins = told.sign_ins.get(org).map_or(&[][..], Vec::as_slice);
            let mut people = People::build(users, &actors, changes, sign_ins);
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
            all.extend(person.id.as_deref().and_then(person_key));
            all.extend([person.label.to_lowercase(), person.name.to_lowercase()]);
        }
        all.extend(person_key(&text));
        all.insert(text.to_lowercase());
    }
    all.into_iter().filter(|t| !t.is_empty()).collect()
}

/// Tokens of the inventories, as the ledger asks for them: the newest row of each that states a value.
pub(super) fn listed(inputs: &Inputs<'_>, people: &BTreeMap<String, People>) -> Vec<Listed> {
    let mut listed: BTreeMap<(&str, &str), Listed> = BTreeMap::new();
    for (org, inventory) in &inputs.inventories {
        for row in inventory.lists.iter().rev().flat_map(|list| &list.rows) {
            let slot = listed.entry((org, &row.token_id)).or_insert_with(|| Listed {
                org: org.clone(),
                token_id: row.token_id.clone(),
                ..Listed::default()
            });
            if slot.name.is_empty() {
                slot.name = row.name.clone().unwrap_or_default();
            }
            slot.owner.extend(owner_texts(people, org, owners_of(row)));
            slot.valid_from = slot.valid_from.or(row.valid_from);
            slot.valid_to = slot.valid_to.or(row.valid_to);
        }
    }
    listed.into_values().collect()
}

fn owners_of(row: &crate::model::inventory::InventoryRow) -> impl Iterator<Item = String> {
    [&row.user_id, &row.owner_upn, &row.owner_name]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
}

/// Tokens that an inventory lists or an event made, as attribution asks for them. A reach that any claim states counts: a
/// candidate too many makes a credential ambiguous, one too few gives it to the wrong token.
pub(super) fn known(inputs: &Inputs<'_>, ledger: &Ledger, people: &BTreeMap<String, People>) -> Vec<Known> {
    let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
    let mut slot = |org: &str, token_id: &str, owners: Vec<String>, reach: &[Reach]| {
        let token = known.entry((org.to_owned(), token_id.to_owned())).or_insert_with(|| Known {
            org: org.to_owned(),
            token_id: token_id.to_owned(),
            owner: Vec::new(),
            all_orgs: false,
            targets: BTreeSet::new(),
        });
        token.owner.extend(owner_texts(people, org, owners.into_iter()));
        token.owner.sort();
        token.owner.dedup();
        for reach in reach {
            match reach {
                Reach::All => token.all_orgs = true,
                Reach::Only(ids) => {
                    token.targets.extend(ids.iter().filter_map(|id| inputs.scopes.get(id)).cloned());
                }
            }
        }
    };
    for (org, inventory) in &inputs.inventories {
        for row in inventory.lists.iter().flat_map(|list| &list.rows) {
            let reach: Vec<Reach> = super::claims::token::reach_of(row).into_iter().collect();
            slot(org, &row.token_id, owners_of(row).collect(), &reach);
        }
    }
    for ((org, token_id), entry) in ledger {
        let said = &entry.said;
        let owners = if said.owners.is_empty() { &said.creators } else { &said.owners };
        let reach: Vec<Reach> = said.reach.iter().map(|r| r.value.clone()).collect();
        slot(org, token_id, owners.iter().map(|o| o.value.clone()).collect(), &reach);
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

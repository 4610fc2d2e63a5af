//! What is said of one token: claims of lists, of `Token.*` events and of its use, field by field.
//!
//! In: rows of lists, events, credentials. Out: the stated values of each field, ready to be resolved. A column or key that
//! is missing makes no claim.

use super::Stated;
use crate::model::claim::{Claim, Field, Join, Source};
use crate::model::inventory::{InventoryRow, Targets};
use crate::model::time::{Micros, format_time};
use crate::model::token::split_scopes;

/// Organisations that a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of its owner's.
    All,
    /// These, by id; none where it is only known that it is not for all.
    Only(Vec<String>),
}

impl Reach {
    /// The reach, as outputs write it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::All => "all organisations".to_owned(),
            Self::Only(ids) if ids.is_empty() => "not all organisations".to_owned(),
            Self::Only(ids) => ids.join(" "),
        }
    }

    /// Returns true if both speak of the same organisations, as far as both are known.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Only(a), Self::Only(b)) => {
                let sorted = |ids: &[String]| ids.iter().cloned().collect::<std::collections::BTreeSet<_>>();
                a.is_empty() || b.is_empty() || sorted(a) == sorted(b)
            }
            _ => false,
        }
    }
}

/// Everything that is said of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Display names.
    pub names: Vec<Stated<String>>,
    /// Owners that lists and events name: ids, user names, display names.
    pub owners: Vec<Stated<String>>,
    /// Who created it, where the event names no owner.
    pub creators: Vec<Stated<String>>,
    /// Who used it: a PAT acts as its owner.
    pub users: Vec<Stated<String>>,
    /// Granted scopes, sorted.
    pub scopes: Vec<Stated<Vec<String>>>,
    /// Scopes that the mechanism's class hints at.
    pub class_scopes: Vec<Stated<Vec<String>>>,
    /// Reach.
    pub reach: Vec<Stated<Reach>>,
    /// Reach that the mechanism's class hints at.
    pub class_reach: Vec<Stated<Reach>>,
    /// Creation.
    pub created: Vec<Stated<Micros>>,
    /// End dates.
    pub ends: Vec<Stated<Micros>>,
    /// Whether the service accepts it: what lists say, and changes that only a valid token can have.
    pub valid: Vec<Stated<bool>>,
    /// That it was valid when it was made.
    pub made_valid: Vec<Stated<bool>>,
    /// Revocations.
    pub revoked: Vec<Stated<Micros>>,
    /// Discoveries in public.
    pub leaked: Vec<Stated<Micros>>,
}

/// How a text names a person.
#[must_use]
pub fn join_of_person(text: &str) -> Join {
    if crate::model::identity::guid(text).is_some() {
        Join::Id
    } else if text.contains('@') {
        Join::UserName
    } else {
        Join::DisplayName
    }
}

/// A list as claims see it: when it was taken, and whether it is complete for the owner of a row.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// When; nothing where nobody said.
    pub taken: Option<Micros>,
    /// Whether it lists all that the owner has.
    pub complete: bool,
}

impl Said {
    /// Adds what another source says of the same token.
    pub fn extend(&mut self, other: &Self) {
        self.names.extend_from_slice(&other.names);
        self.owners.extend_from_slice(&other.owners);
        self.creators.extend_from_slice(&other.creators);
        self.users.extend_from_slice(&other.users);
        self.scopes.extend_from_slice(&other.scopes);
        self.class_scopes.extend_from_slice(&other.class_scopes);
        self.reach.extend_from_slice(&other.reach);
        self.class_reach.extend_from_slice(&other.class_reach);
        self.created.extend_from_slice(&other.created);
        self.ends.extend_from_slice(&other.ends);
        self.valid.extend_from_slice(&other.valid);
        self.made_valid.extend_from_slice(&other.made_valid);
        self.revoked.extend_from_slice(&other.revoked);
        self.leaked.extend_from_slice(&other.leaked);
    }

    /// Adds what a row of a list says.
    pub fn add_row(&mut self, row: &InventoryRow, list: Listing) {
        let claim = |field, value: String| Claim {
            complete: list.complete,
            ..Claim::new(field, value, list.taken, Source::List)
        };
        if let Some(name) = &row.name {
            self.names.push(Stated { value: name.clone(), claim: claim(Field::Name, name.clone()) });
        }
        for owner in [&row.user_id, &row.owner_upn, &row.owner_name].into_iter().flatten() {
            let claim = claim(Field::Owner, owner.clone()).joined(join_of_person(owner));
            self.owners.push(Stated { value: owner.clone(), claim });
        }
        if let Some(scopes) = row.scopes.as_deref().map(split_scopes).filter(|s| !s.is_empty()) {
            let claim = claim(Field::Scopes, scopes.join(" "));
            self.scopes.push(Stated { value: scopes, claim });
        }
        if let Some(reach) = reach_of(row) {
            let claim = claim(Field::Reach, reach.words());
            self.reach.push(Stated { value: reach, claim });
        }
        if let Some(from) = row.valid_from {
            self.created.push(Stated { value: from, claim: claim(Field::Created, format_time(from)) });
        }
        if let Some(to) = row.valid_to {
            self.ends.push(Stated { value: to, claim: claim(Field::Ends, format_time(to)) });
        }
        if let Some(valid) = row.is_valid {
            self.valid.push(Stated { value: valid, claim: claim(Field::State, validity(valid).to_owned()) });
        }
    }
}

/// How a validity is written.
#[must_use]
pub fn validity(valid: bool) -> &'static str {
    if valid { "valid" } else { "invalid" }
}

/// The reach that a row states.
#[must_use]
pub fn reach_of(row: &InventoryRow) -> Option<Reach> {
    match &row.targets {
        Targets::Unknown => None,
        Targets::AllOrganisations => Some(Reach::All),
        Targets::Listed(ids) => Some(Reach::Only(ids.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_makes_no_claim() {
        let mut said = Said::default();
        let row = InventoryRow { token_id: "t".into(), scopes: Some(" ".into()), ..InventoryRow::default() };
        said.add_row(&row, Listing { taken: Some(1), complete: true });
        assert!(said.names.is_empty() && said.owners.is_empty() && said.scopes.is_empty());
        assert!(said.ends.is_empty() && said.valid.is_empty() && said.reach.is_empty());
    }

    #[test]
    fn an_owner_is_joined_by_the_strongest_text_of_its_row() {
        let mut said = Said::default();
        let row = InventoryRow {
            user_id: Some("11111111-1111-4111-8111-111111111111".into()),
            owner_upn: Some("ann@x".into()),
            owner_name: Some("Ann".into()),
            ..InventoryRow::default()
        };
        said.add_row(&row, Listing { taken: None, complete: false });
        let joins: Vec<Join> = said.owners.iter().map(|o| o.claim.join).collect();
        assert_eq!(joins, [Join::Id, Join::UserName, Join::DisplayName]);
    }

    #[test]
    fn a_reach_of_unknown_organisations_agrees_with_any_that_is_not_all() {
        let only = |ids: &[&str]| Reach::Only(ids.iter().map(|s| (*s).to_owned()).collect());
        assert!(only(&[]).agrees(&only(&["a"])) && only(&["a", "b"]).agrees(&only(&["b", "a"])));
        assert!(!only(&["a"]).agrees(&Reach::All) && !only(&["a"]).agrees(&only(&["b"])));
    }
}

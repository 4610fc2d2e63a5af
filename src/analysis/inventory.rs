//! The lists of PATs of one organisation, each as it was taken, and what they say together.
//!
//! In: lists in any order, with how far each one goes. Out: an [`Inventory`] that keeps them apart, oldest first, so that
//! a field can be resolved by the newest list that states it, and the current row of each token. A list replaces older rows
//! of those users alone all of whose tokens it lists. Rows that are SSH keys or OAuth authorisations are counted and left
//! out. Which users a list covers is measured against the users list, never read from the layout of a file.

use crate::model::identity::{cuid_of_descriptor, person_key};
use crate::model::inventory::{InventoryRow, UserRow};
use crate::model::time::Micros;
use crate::model::token::OwnerState;
use std::collections::{BTreeMap, BTreeSet};

/// One list of PATs as it was taken.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// When it was taken.
    pub taken: Micros,
    /// Whether that instant is known, not assumed from the newest event for want of a better one.
    pub dated: bool,
    /// Whether it lists every PAT of the organisation.
    pub complete: bool,
    /// Owners, by person key, all of whose PATs it lists.
    pub complete_for: BTreeSet<String>,
    /// Its rows; in an [`Inventory`] PATs alone.
    pub rows: Vec<InventoryRow>,
    /// Users whose tokens were listed.
    pub users_listed: u64,
    /// Users whose tokens could not be listed.
    pub users_failed: u64,
}

/// The lists of one organisation.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Every list that counts, oldest first. A token that a newer list leaves out keeps its older rows: it does not
    /// disappear, but no list calls it valid any more.
    pub lists: Vec<List>,
    /// Distinct SSH keys and OAuth authorisations.
    pub not_pats: u64,
    /// Users whose tokens were listed.
    pub users_listed: u64,
    /// Users whose tokens could not be listed.
    pub users_failed: u64,
}

impl From<List> for Inventory {
    fn from(list: List) -> Self {
        Self::of(vec![list])
    }
}

/// The instant from which lists count: a dated complete list replaces all that were taken before it. Lists taken at the
/// same instant belong together. `lists` states of each when it was taken, and whether it is dated and complete.
#[must_use]
pub fn counts_from(lists: impl IntoIterator<Item = (Micros, bool)>) -> Option<Micros> {
    lists.into_iter().filter(|(_, replaces)| *replaces).map(|(taken, _)| taken).max()
}

impl List {
    /// Returns true if it lists all PATs of an owner, by person key.
    #[must_use]
    pub fn is_complete_for(&self, owner: Option<&str>) -> bool {
        self.complete || owner.is_some_and(|owner| self.complete_for.contains(owner))
    }

    /// Returns true if this list replaces the rows that `older` has of an owner. Whether a list without a date is newer
    /// than a dated one is not known, so it never takes a row away from that.
    fn replaces(&self, older: &Self, owner: Option<&str>) -> bool {
        self.taken > older.taken && (self.dated || !older.dated) && self.is_complete_for(owner)
    }
}

impl Inventory {
    /// Puts lists together; rows that are not PATs are counted and dropped.
    #[must_use]
    pub fn of(mut lists: Vec<List>) -> Self {
        lists.sort_by_key(|l| l.taken);
        let (mut not_pats, mut owners) = (BTreeSet::new(), BTreeSet::new());
        for list in &mut lists {
            let (pats, others): (Vec<InventoryRow>, Vec<InventoryRow>) =
                std::mem::take(&mut list.rows).into_iter().partition(InventoryRow::is_pat);
            owners.extend(pats.iter().filter_map(owner_key));
            owners.extend(list.complete_for.iter().cloned());
            not_pats.extend(others.into_iter().map(|row| row.token_id));
            list.rows = pats;
        }
        // Lists name the same users again and again, and a complete one counts those without tokens as well.
        let most = lists.iter().map(|l| l.users_listed).max().unwrap_or_default();
        let since = lists.iter().rposition(|l| l.complete).unwrap_or(0);
        let users_failed = lists[since..].iter().map(|l| l.users_failed).max().unwrap_or_default();
        Self {
            not_pats: not_pats.len() as u64,
            users_listed: most.max(owners.len() as u64),
            users_failed,
            lists,
        }
    }

    /// Measures the lists against the users of the organisation: those taken at one instant are complete where they
    /// cover every user that may own PATs.
    pub fn measure(&mut self, users: &[&UserRow]) {
        // Graph names a user by one id, entitlements by another; the descriptor joins the two.
        let mut population: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for user in users.iter().filter(|u| may_own_pats(u)) {
            let name = if user.descriptor.is_empty() { user.upn.as_str() } else { user.descriptor.as_str() };
            let name = if name.is_empty() { user.storage_key.as_deref().unwrap_or_default() } else { name };
            population.entry(name).or_default().extend(person_keys(user));
        }
        if population.is_empty() {
            return;
        }
        for together in self.lists.chunk_by_mut(|a, b| a.taken == b.taken && a.dated == b.dated) {
            let covered: BTreeSet<String> =
                together.iter().flat_map(|l| l.complete_for.iter().cloned()).collect();
            if population.values().all(|keys| !keys.is_disjoint(&covered)) {
                together.iter_mut().for_each(|list| list.complete = true);
            }
        }
    }

    /// Returns true if one of the lists is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lists.iter().any(|l| l.complete)
    }

    /// Returns true if one of the lists holds all PATs of a user, by any id of theirs.
    #[must_use]
    pub fn is_complete_for(&self, user_id: Option<&str>) -> bool {
        let key = user_id.and_then(person_key);
        self.lists.iter().any(|l| l.is_complete_for(key.as_deref()))
    }

    /// Returns true if it is known when the newest list was taken.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.lists.last().is_some_and(|l| l.dated)
    }

    /// When the list was taken that everything newer adds to: the newest complete one, else the oldest that still states
    /// something.
    #[must_use]
    pub fn taken(&self) -> Micros {
        let complete = counts_from(self.lists.iter().map(|l| (l.taken, l.complete)));
        let states = |list: &&List| list.rows.iter().any(|row| !self.is_replaced(list, row));
        complete
            .or_else(|| self.lists.iter().find(states).map(|l| l.taken))
            .or_else(|| self.lists.last().map(|l| l.taken))
            .unwrap_or_default()
    }

    /// The newest row of each token.
    #[must_use]
    pub fn rows(&self) -> Vec<&InventoryRow> {
        let mut seen = BTreeSet::new();
        let all = self.lists.iter().rev().flat_map(|list| list.rows.iter().map(move |row| (list, row)));
        all.filter(|(list, row)| !self.is_replaced(list, row))
            .map(|(_, row)| row)
            .filter(|row| seen.insert(row.token_id.as_str()))
            .collect()
    }

    /// The newest row of one token.
    #[must_use]
    pub fn row(&self, token_id: &str) -> Option<&InventoryRow> {
        let all = self.lists.iter().rev().flat_map(|list| list.rows.iter().map(move |row| (list, row)));
        all.filter(|(_, row)| row.token_id == token_id)
            .find(|(list, row)| !self.is_replaced(list, row))
            .map(|(_, row)| row)
    }

    /// Returns true if a newer list holds everything that `list` could say of the owner of `row`.
    fn is_replaced(&self, list: &List, row: &InventoryRow) -> bool {
        let mut newer = self.lists.iter().rev().take_while(|l| l.taken > list.taken).peekable();
        if newer.peek().is_none() {
            return false;
        }
        let owner = owner_key(row);
        newer.any(|l| l.replaces(list, owner.as_deref()))
    }
}

/// One input of an import that lists tokens, and what its pages say of their end.
#[derive(Debug, Clone, Default)]
pub struct Part<'a> {
    /// Its rows, those that are not PATs included.
    pub rows: Vec<&'a InventoryRow>,
    /// Pages that say that more follow.
    pub open: u64,
    /// Pages that say that they are the last.
    pub closed: u64,
    /// Pages that do not say it, and rows outside a page.
    pub unstated: u64,
    /// Whether the last page says that more follow.
    pub goes_on: bool,
    /// Whether every record of it could be read.
    pub whole: bool,
}

impl Part<'_> {
    /// Users whose tokens it lists. Pages of SSH keys alone say nothing of PATs, and the list of one's own tokens names no
    /// user.
    fn owners(&self) -> BTreeSet<String> {
        let rows = self.rows.iter().filter(|r| !r.is_public && r.source == "tokenadmin");
        rows.filter_map(|r| owner_key(r)).collect()
    }
}

/// The users all of whose tokens are listed by the inputs of one import: the last page of each says that it is the last,
/// and every record was read. Inputs with records that could not be read, and with several users or none, leave open
/// whose records those were.
#[must_use]
pub fn complete_owners(parts: &[Part<'_>]) -> BTreeSet<String> {
    let (mut complete, mut broken) = (BTreeSet::new(), BTreeSet::new());
    for part in parts {
        let owners = part.owners();
        if !part.whole {
            if owners.len() != 1 {
                return BTreeSet::new();
            }
            broken.extend(owners);
        } else if part.unstated == 0
            && part.closed > 0
            && (part.open == 0 || owners.len() == 1 && !part.goes_on)
        {
            complete.extend(owners);
        }
    }
    complete.retain(|owner| !broken.contains(owner));
    complete
}

/// The key of a row's owner; none where the row names the owner in words alone.
fn owner_key(row: &InventoryRow) -> Option<String> {
    row.user_id.as_deref().and_then(person_key)
}

/// Groups, service principals, identities of services and deleted accounts own no PATs that work.
fn may_own_pats(user: &UserRow) -> bool {
    let person =
        user.descriptor.is_empty() || ["aad.", "msa."].iter().any(|p| user.descriptor.starts_with(p));
    let other = matches!(user.subject_kind.as_str(), "group" | "servicePrincipal");
    person && !other && !user.deleted && user.state != Some(OwnerState::Removed)
}

/// Every key by which a list may name the user.
fn person_keys(user: &UserRow) -> BTreeSet<String> {
    let cuid = cuid_of_descriptor(&user.descriptor);
    let ids = [&user.storage_key, &user.cuid, &cuid];
    ids.into_iter().flatten().filter_map(|id| person_key(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(taken: Micros, complete: bool, rows: &[(&str, &str)]) -> List {
        let row = |(id, name): &(&str, &str)| InventoryRow {
            token_id: (*id).to_owned(),
            name: Some((*name).to_owned()),
            ..InventoryRow::default()
        };
        List { taken, dated: true, complete, rows: rows.iter().map(row).collect(), ..List::default() }
    }

    fn names(inventory: &Inventory) -> Vec<&str> {
        let mut names: Vec<&str> = inventory.rows().into_iter().filter_map(|r| r.name.as_deref()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_complete_list_replaces_what_came_before_and_later_rows_win() {
        let inventory = Inventory::of(vec![
            list(9, false, &[("b", "b9")]),
            list(1, true, &[("a", "a1"), ("c", "c1")]),
            list(5, true, &[("a", "a5"), ("b", "b5")]),
            list(5, false, &[("d", "d5")]),
        ]);
        assert_eq!(inventory.lists.iter().map(|l| l.taken).collect::<Vec<_>>(), [1, 5, 5, 9]);
        assert_eq!(names(&inventory), ["a5", "b9", "d5"]);
        assert_eq!((inventory.taken(), inventory.is_complete()), (5, true));
        assert_eq!(inventory.row("b").and_then(|r| r.name.as_deref()), Some("b9"));
        assert!(inventory.row("c").is_none());
    }

    #[test]
    fn partial_lists_add_up() {
        let inventory = Inventory::of(vec![list(1, false, &[("a", "a1")]), list(2, false, &[("b", "b2")])]);
        assert_eq!(names(&inventory), ["a1", "b2"]);
        assert_eq!((inventory.taken(), inventory.is_complete()), (1, false));
    }

    const ANN: &str = "e0729319-5632-68c1-9625-b53fe559bcd7";
    const BEN: &str = "0d5e1c1a-7a11-6c1a-9b1f-6b8a1f0c0001";

    fn key(user: &str) -> String {
        person_key(user).expect("a key")
    }

    /// A list of (token, owner), complete for some.
    fn of(taken: Micros, dated: bool, rows: &[(&str, &str)], complete_for: &[&str]) -> List {
        let row = |(id, owner): &(&str, &str)| InventoryRow {
            token_id: (*id).to_owned(),
            user_id: Some((*owner).to_owned()),
            source: "tokenadmin",
            ..InventoryRow::default()
        };
        let complete_for = complete_for.iter().map(|user| key(user)).collect();
        List { taken, dated, complete_for, rows: rows.iter().map(row).collect(), ..List::default() }
    }

    fn ids(lists: &[List]) -> Vec<String> {
        let mut ids: Vec<String> =
            Inventory::of(lists.to_vec()).rows().into_iter().map(|r| r.token_id.clone()).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn the_page_of_a_user_replaces_the_rows_of_that_user_alone() {
        let all = of(1, true, &[("a1", ANN), ("a2", ANN), ("b1", BEN)], &[ANN, BEN]);
        let page = of(2, true, &[("a2", ANN), ("a3", ANN)], &[ANN]);
        assert_eq!(ids(&[all.clone(), page.clone()]), ["a2", "a3", "b1"]);
        let open = List { complete_for: BTreeSet::new(), ..page.clone() };
        assert_eq!(ids(&[all.clone(), open]), ["a1", "a2", "a3", "b1"], "more pages follow it");
        let undated = List { dated: false, ..page };
        assert_eq!(ids(&[all.clone(), undated.clone()]), ["a1", "a2", "a3", "b1"], "it may be the older one");
        assert_eq!(ids(&[List { dated: false, ..all.clone() }, undated]), ["a2", "a3", "b1"]);
        let inventory = Inventory::of(vec![all, of(2, true, &[("a2", ANN)], &[ANN])]);
        assert!(inventory.row("a1").is_none() && inventory.row("b1").is_some());
        let first: Vec<&str> = inventory.lists[0].rows.iter().map(|row| row.token_id.as_str()).collect();
        assert_eq!(first, ["a1", "a2", "b1"], "no token disappears");
        assert_eq!((inventory.taken(), inventory.is_complete(), inventory.users_listed), (1, false, 2));
        assert!(inventory.is_complete_for(Some(BEN)) && !inventory.is_complete_for(None));
    }

    #[test]
    fn lists_are_complete_where_they_cover_every_user_that_may_own_tokens() {
        let user = |id: &str| UserRow { storage_key: Some(id.to_owned()), ..UserRow::default() };
        let group = UserRow { subject_kind: "group".into(), ..UserRow::default() };
        let gone = UserRow { deleted: true, ..user("11111111-1111-4111-8111-111111111111") };
        let measured = |lists: &[List], users: &[&UserRow]| {
            let mut inventory = Inventory::of(lists.to_vec());
            inventory.measure(users);
            inventory.is_complete()
        };
        let (ann, ben) = (user(ANN), user(BEN));
        let (a, b) = (of(1, true, &[("a", ANN)], &[ANN]), of(1, true, &[("b", BEN)], &[BEN]));
        let users = [&ann, &ben, &group, &gone];
        assert!(measured(&[a.clone(), b.clone()], &users));
        assert!(!measured(std::slice::from_ref(&a), &users));
        assert!(!measured(&[a.clone(), List { taken: 2, ..b.clone() }], &users), "not at one instant");
        assert!(!measured(&[a, b], &[&group]), "no users list");
    }

    #[test]
    fn a_user_is_complete_where_the_last_page_says_so_and_every_record_was_read() {
        let list = of(1, true, &[("a", ANN)], &[]);
        let both = of(1, true, &[("a", ANN), ("b", BEN)], &[]);
        let part = |list: &'static [InventoryRow], open, closed| Part {
            rows: list.iter().collect(),
            open,
            closed,
            whole: true,
            ..Part::default()
        };
        let ann: &'static [InventoryRow] = list.rows.leak();
        let all: &'static [InventoryRow] = both.rows.leak();
        let owners = |parts: &[Part<'_>]| complete_owners(parts).len();
        assert_eq!(owners(&[part(ann, 0, 1)]), 1);
        assert_eq!(owners(&[part(ann, 1, 0)]), 0);
        assert_eq!(owners(&[part(ann, 1, 0), part(ann, 0, 1)]), 1);
        assert_eq!(owners(&[part(ann, 1, 1)]), 1, "two pages in one file");
        assert_eq!(owners(&[Part { goes_on: true, ..part(ann, 1, 1) }]), 0);
        assert_eq!(owners(&[part(all, 1, 1)]), 0, "whose page goes on is not known");
        assert_eq!(owners(&[part(all, 0, 2)]), 2);
        assert_eq!(owners(&[Part { unstated: 1, ..part(ann, 0, 0) }]), 0, "nothing says where it ends");
        assert_eq!(owners(&[Part { whole: false, ..part(ann, 1, 0) }, part(ann, 0, 1)]), 0);
        assert_eq!(owners(&[Part { whole: false, ..part(&[], 0, 1) }, part(all, 0, 1)]), 0);
        let mut keys = list_of_keys();
        keys.is_public = true;
        let keys: &'static [InventoryRow] = vec![keys].leak();
        assert_eq!(owners(&[part(keys, 0, 1)]), 0, "a page of SSH keys");
    }

    fn list_of_keys() -> InventoryRow {
        of(1, true, &[("k", ANN)], &[]).rows.remove(0)
    }

    #[test]
    fn rows_that_are_not_pats_are_counted_and_left_out() {
        let mut listed = list(1, true, &[("a", "a"), ("k", "key")]);
        listed.rows[1].is_public = true;
        let inventory = Inventory::of(vec![listed.clone(), listed]);
        assert_eq!((names(&inventory), inventory.not_pats), (vec!["a"], 1));
    }
}

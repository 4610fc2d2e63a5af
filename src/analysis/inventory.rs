//! The lists of PATs of one organisation, each as it was taken, and what they say together.
//!
//! In: lists in any order, with how far each one goes. Out: an [`Inventory`] that keeps them apart, oldest first, so that
//! a field can be resolved by the newest list that states it, and the current row of each token. Rows that are SSH keys or
//! OAuth authorisations are counted and left out.

use crate::model::inventory::InventoryRow;
use crate::model::time::Micros;
use std::collections::BTreeSet;

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
    /// Every list that counts, oldest first.
    pub lists: Vec<List>,
    /// Rows that are not PATs.
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

/// The instant from which lists count, from the instant of each and whether it is complete: a complete list replaces all
/// that were taken before it. Lists taken at the same instant belong together.
#[must_use]
pub fn counts_from(lists: impl IntoIterator<Item = (Micros, bool)>) -> Option<Micros> {
    lists.into_iter().filter(|(_, complete)| *complete).map(|(taken, _)| taken).max()
}

impl Inventory {
    /// Puts lists together; rows that are not PATs are counted and dropped.
    #[must_use]
    pub fn of(mut lists: Vec<List>) -> Self {
        lists.sort_by_key(|l| l.taken);
        let mut not_pats: BTreeSet<String> = BTreeSet::new();
        for list in &mut lists {
            let (pats, others) = std::mem::take(&mut list.rows).into_iter().partition(InventoryRow::is_pat);
            list.rows = pats;
            not_pats.extend(others.into_iter().map(|row: InventoryRow| row.token_id));
        }
        let users_listed = lists.iter().map(|l| l.users_listed).sum();
        let users_failed = lists.iter().map(|l| l.users_failed).sum();
        Self { lists, not_pats: not_pats.len() as u64, users_listed, users_failed }
    }

    /// Returns true if one of the lists is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lists.iter().any(|l| l.complete)
    }

    /// Returns true if it is known when the newest list was taken.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.lists.last().is_some_and(|l| l.dated)
    }

    /// When the list was taken that everything newer adds to: the newest complete one, else the oldest.
    #[must_use]
    pub fn taken(&self) -> Micros {
        counts_from(self.lists.iter().map(|l| (l.taken, l.complete)))
            .or_else(|| self.lists.first().map(|l| l.taken))
            .unwrap_or_default()
    }

    /// Lists that count, newest first.
    fn newest_first(&self) -> impl Iterator<Item = &List> {
        let from = self.taken();
        self.lists.iter().rev().take_while(move |l| l.taken >= from)
    }

    /// The newest row of each token.
    #[must_use]
    pub fn rows(&self) -> Vec<&InventoryRow> {
        let mut seen = BTreeSet::new();
        self.newest_first().flat_map(|l| &l.rows).filter(|r| seen.insert(r.token_id.as_str())).collect()
    }

    /// The newest row of one token.
    #[must_use]
    pub fn row(&self, token_id: &str) -> Option<&InventoryRow> {
        self.newest_first().flat_map(|l| &l.rows).find(|r| r.token_id == token_id)
    }
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

    #[test]
    fn rows_that_are_not_pats_are_counted_and_left_out() {
        let mut listed = list(1, true, &[("a", "a"), ("k", "key")]);
        listed.rows[1].is_public = true;
        let inventory = Inventory::of(vec![listed.clone(), listed]);
        assert_eq!((names(&inventory), inventory.not_pats), (vec!["a"], 1));
    }
}

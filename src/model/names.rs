//! Texts as numbers: a key of several texts is then cheap to hash, and no file's columns need stay in memory.
//!
//! In: texts of many files. Out: one number a distinct text, in order of first appearance.

use super::text::TextColumn;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

/// Texts numbered over many files.
#[derive(Debug, Default, Clone)]
pub struct Names {
    values: TextColumn,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Names {
    pub(super) fn with_room(values: usize, bytes: usize) -> Self {
        let (values, index) = (TextColumn::with_room(values, bytes), HashTable::with_capacity(values));
        Self { values, index, ..Self::default() }
    }

    pub(super) fn shrink(&mut self) {
        self.values.shrink();
        let (values, hasher) = (&self.values, &self.hasher);
        self.index.shrink_to_fit(|&number| hasher.hash_one(values.get(number as usize)));
    }

    pub(super) fn capacity(&self) -> usize {
        self.values.capacity() + self.index.capacity() * 5
    }

    /// The number of a text, a new one if need be.
    #[inline(never)]
    pub fn number(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        if let Some(&number) = self.index.find(hash, |&number| self.values.is(number as usize, text)) {
            return number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(text);
        let (values, hasher) = (&self.values, &self.hasher);
        self.index.insert_unique(hash, number, |&number| hasher.hash_one(values.get(number as usize)));
        number
    }

    /// The number of a text that has one.
    #[must_use]
    pub fn known(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.index.find(hash, |&number| self.values.is(number as usize, text)).copied()
    }

    /// The text of a number; that of none is empty.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        let number = number as usize;
        if number < self.values.len() { self.values.get(number) } else { "" }
    }

    /// The texts by number.
    #[must_use]
    pub const fn values(&self) -> &TextColumn {
        &self.values
    }

    /// Counts the bytes of all texts.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.values.bytes()
    }

    /// Counts texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether no text has a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Every text, in the order of the numbers.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter()
    }

    /// Numbers every text of a column; the position is its code there.
    pub fn numbers(&mut self, texts: &Self) -> Vec<u32> {
        texts.texts().map(|text| self.number(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_the_number_its_text() {
        let mut names = Names::default();
        let texts = ["b", "", "a", "b", "längere", "", "a"];
        assert_eq!(texts.map(|text| names.number(text)), [0, 1, 2, 0, 3, 1, 2]);
        assert_eq!(names.texts().collect::<Vec<_>>(), ["b", "", "a", "längere"]);
        assert_eq!(
            (names.known("a"), names.known("c"), names.text(3), names.text(9)),
            (Some(2), None, "längere", "")
        );
        let mut others = Names::default();
        others.number("a");
        assert_eq!(others.numbers(&names), [1, 2, 0, 3]);
        let many: Vec<u32> = (0..5000).map(|n| names.number(&format!("t{n}"))).collect();
        assert!((0..5000).all(|n| names.known(&format!("t{n}")) == Some(many[n])));
    }
}

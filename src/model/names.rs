//! Texts as numbers: a key of several texts is then cheap to hash, and no file's columns need stay in memory.
//!
//! In: texts of many files. Out: one number a distinct text, in order of first appearance.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

/// Texts numbered over many files. They lie in one piece: an allocation each would cost more than to find it again.
#[derive(Debug, Default, Clone)]
pub struct Names {
    all: String,
    /// Where each text ends in `all`, and the next begins.
    ends: Vec<usize>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Names {
    /// The number of a text, a new one if need be.
    pub fn number(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        let (all, ends) = (&self.all, &self.ends);
        if let Some(number) = self.index.find(hash, |number| at(all, ends, *number) == text) {
            return *number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.all.push_str(text);
        self.ends.push(self.all.len());
        let (all, ends, hasher) = (&self.all, &self.ends, &self.hasher);
        self.index.insert_unique(hash, number, |number| hasher.hash_one(at(all, ends, *number)));
        number
    }

    /// The number of a text that has one.
    #[must_use]
    pub fn known(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.index.find(hash, |number| self.text(*number) == text).copied()
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        at(&self.all, &self.ends, number)
    }

    /// Counts the bytes of all texts.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.all.len()
    }

    /// Counts texts.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether no text has a number.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every text, in the order of the numbers.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len())
            .map(|number| at(&self.all, &self.ends, u32::try_from(number).unwrap_or(u32::MAX)))
    }

    /// Numbers every text of a column; the position is its code there.
    pub fn numbers(&mut self, texts: &Self) -> Vec<u32> {
        texts.texts().map(|text| self.number(text)).collect()
    }
}

fn at<'a>(all: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let Some(to) = ends.get(number) else { return "" };
    let from = number.checked_sub(1).map_or(0, |before| ends[before]);
    &all[from..*to]
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

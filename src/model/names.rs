//! Texts as numbers: a key of several texts is then cheap to hash, and no file's columns need stay in memory.
//!
//! In: texts of many files. Out: one number a distinct text, in order of first appearance.

use hashbrown::HashMap;

/// Texts numbered over many files.
#[derive(Debug, Default, Clone)]
pub struct Names {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    /// The number of a text, a new one if need be.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    /// The number of a text that has one.
    #[must_use]
    pub fn known(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// Every text, in the order of the numbers.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Numbers every text of a column; the position is its code there.
    pub fn numbers(&mut self, texts: &[String]) -> Vec<u32> {
        texts.iter().map(|text| self.number(text)).collect()
    }
}

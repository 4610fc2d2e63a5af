//! Texts end to end in one buffer: an allocation each would cost more than what is done with them.
//!
//! In: texts. Out: the same by number.

use super::identity::is_plain_guid;
use super::secret::Masked;

/// A column of text that seldom repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    ends: Vec<usize>,
    bytes: String,
}

impl TextColumn {
    /// Takes texts that lie end to end, and where each ends; nothing where an end lies inside of a character or beyond.
    #[must_use]
    pub fn of(bytes: String, ends: Vec<usize>) -> Option<Self> {
        ends.iter().all(|end| bytes.is_char_boundary(*end)).then_some(Self { ends, bytes })
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    /// Returns row `i`.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> &str {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[start..self.ends[i]]
    }

    /// Counts rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// Counts the bytes of all rows.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Masks credentials in the rows with `mask`, and counts them.
    pub(super) fn mask(&mut self, mask: impl Fn(&str, &mut Masked) -> Option<String>, count: &mut Masked) {
        let mut changed: Vec<(usize, String)> = Vec::new();
        for (i, text) in self.iter().enumerate() {
            // Most texts of the columns of ids are GUIDs, which is quick to see.
            if !is_plain_guid(text)
                && let Some(masked) = mask(text, count)
            {
                changed.push((i, masked));
            }
        }
        if changed.is_empty() {
            return;
        }
        let old = std::mem::take(self);
        let mut changed = changed.into_iter().peekable();
        for (i, text) in old.iter().enumerate() {
            match changed.next_if(|(at, _)| *at == i) {
                Some((_, masked)) => self.push(&masked),
                None => self.push(text),
            }
        }
    }

    /// Tells whether row `i` is `text`; false where there is no such row.
    #[inline]
    pub(super) fn is(&self, i: usize, text: &str) -> bool {
        let Some(&end) = self.ends.get(i) else { return false };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        end - start == text.len()
            && self.bytes.as_bytes().get(start..end).is_some_and(|held| same(held, text.as_bytes()))
    }

    pub(super) fn with_room(rows: usize, bytes: usize) -> Self {
        Self { ends: Vec::with_capacity(rows), bytes: String::with_capacity(bytes) }
    }

    pub(super) fn shrink(&mut self) {
        self.ends.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    pub(super) fn capacity(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.bytes.capacity()
    }
}

impl<'a> FromIterator<&'a str> for TextColumn {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut column = Self::default();
        texts.into_iter().for_each(|text| column.push(text));
        column
    }
}

/// Compares texts of one length: mostly they are short and equal, and a call costs more than the comparison.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (Some(ends_a), Some(ends_b)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else { return a == b };
    a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).all(|(a, b)| a == b) && ends_a == ends_b
}

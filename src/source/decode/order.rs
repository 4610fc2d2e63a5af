//! The keys of the records before, in their order: the next record mostly has the same, so that a key is known by one
//! comparison.

use super::fields::{Key, key_of, key_of_spelling, starts_upper};
use super::walk::plain_end;

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// The key that it stands for.
    pub key: Option<Key>,
    /// Whether it starts with a capital.
    pub upper: bool,
    /// Whether it is another spelling of the key, which does not count where the record has the key itself.
    pub respelled: bool,
}

impl Name {
    fn of(name: &str) -> Self {
        let key = key_of(name);
        let respelled = if key.is_none() { key_of_spelling(name) } else { None };
        Self { key: key.or(respelled), upper: starts_upper(name), respelled: respelled.is_some() }
    }
}

/// Names that were met, in their order.
#[derive(Debug, Default)]
pub(super) struct Order {
    known: Vec<(Quoted, Name)>,
    next: usize,
}

impl Order {
    /// So many names are remembered, and so many that a record leaves out are skipped in search of the next.
    const KEPT: usize = 64;
    const SKIPPED: usize = 3;

    /// Starts with the first name again.
    pub(super) const fn rewind(&mut self) {
        self.next = 0;
    }

    /// Tells what a name stands for.
    pub(super) fn name(&mut self, name: &str) -> Name {
        let ahead = self.known.get(self.next..).unwrap_or_default();
        if let Some(skip) = ahead.iter().take(Self::SKIPPED).position(|(known, _)| known.is(name)) {
            let found = ahead[skip].1;
            self.next += skip + 1;
            return found;
        }
        let found = Name::of(name);
        if self.known.len() < Self::KEPT
            && let Some(quoted) = Quoted::new(name)
        {
            let at = self.next.min(self.known.len());
            self.known.insert(at, (quoted, found));
            self.next = at + 1;
        }
        found
    }

    /// Tells what the name in quotes at `at` stands for, and where it ends; nothing where that is not plain to see.
    #[inline]
    pub(super) fn quoted(&mut self, text: &str, at: usize) -> Option<(Name, usize)> {
        let ahead = self.known.get(self.next..).unwrap_or_default();
        for (skip, (known, name)) in ahead.iter().take(Self::SKIPPED).enumerate() {
            if known.starts(text.as_bytes(), at) {
                self.next += skip + 1;
                return Some((*name, at + known.len()));
            }
        }
        let start = at + 1;
        let end = plain_end(text.as_bytes(), start);
        let ends = text.as_bytes().get(at) == Some(&b'"') && text.as_bytes().get(end) == Some(&b'"');
        ends.then(|| Some((self.name(text.get(start..end)?), end + 1))).flatten()
    }
}

/// A name in its quotes, as machine words to compare with.
#[derive(Debug)]
struct Quoted {
    words: [u64; Self::WORDS],
    masks: [u64; Self::WORDS],
    text: String,
}

impl Quoted {
    const WORDS: usize = 4;
    const ROOM: usize = Self::WORDS * 8;

    /// Nothing for a name beyond the length of any key: it is not worth keeping.
    fn new(name: &str) -> Option<Self> {
        let text = format!("\"{name}\"");
        let mut bytes = [0; Self::ROOM];
        let mut mask = [0; Self::ROOM];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        mask.get_mut(..text.len())?.fill(u8::MAX);
        Some(Self { words: words(&bytes), masks: words(&mask), text })
    }

    fn len(&self) -> usize {
        self.text.len()
    }

    fn is(&self, name: &str) -> bool {
        self.text.len() == name.len() + 2 && self.text[1..].starts_with(name)
    }

    #[inline]
    fn starts(&self, text: &[u8], at: usize) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(head) => {
                let found = words(head);
                (0..Self::WORDS).fold(0, |all, i| all | (found[i] ^ self.words[i]) & self.masks[i]) == 0
            }
            None => rest.starts_with(self.text.as_bytes()),
        }
    }
}

#[inline]
fn words(bytes: &[u8; Quoted::ROOM]) -> [u64; Quoted::WORDS] {
    let mut words = [0; Quoted::WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_order_and_out_of_it() {
        let mut order = Order::default();
        let all = ["id", "Category", "nothing", &"x".repeat(99), "data", "id"];
        for round in [&all[..], &all[2..], &["novel", "id"], &all] {
            order.rewind();
            for name in round {
                let text = format!("{{\"{name}\":");
                assert_eq!(order.quoted(&text, 1), Some((Name::of(name), name.len() + 3)), "{name}");
            }
        }
        for text in ["id", "\"id", "\"i\\u0064\"", "\"a\u{1}\"", ""] {
            assert_eq!(order.quoted(text, 0), None, "{text}");
        }
    }
}

//! Rows as columns: what sources hand to the lake, one organisation and one day at a time.
//!
//! In: [`EventRow`]s. Out: columns of codes and bytes. Text that repeats (actors, actions, agents) is kept
//! once and named by code; text that does not (ids, details, data) lies end to end in one buffer. A batch
//! counts what it has allocated, so that an import can stay inside a byte budget.

use super::event::{EventRow, Shape};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

/// A column of text that seldom repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    ends: Vec<usize>,
    bytes: String,
}

impl TextColumn {
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

    /// Tells whether row `i` is `text`; false where there is no such row.
    #[inline]
    fn is(&self, i: usize, text: &str) -> bool {
        let Some(&end) = self.ends.get(i) else { return false };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        end - start == text.len()
            && self.bytes.as_bytes().get(start..end).is_some_and(|held| same(held, text.as_bytes()))
    }

    fn with_room(rows: usize, bytes: usize) -> Self {
        Self { ends: Vec::with_capacity(rows), bytes: String::with_capacity(bytes) }
    }

    fn shrink(&mut self) {
        self.ends.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    fn capacity(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.bytes.capacity()
    }
}

/// Compares texts of one length: mostly they are short and equal, and a call costs more than the comparison.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (Some(ends_a), Some(ends_b)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else { return a == b };
    a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).all(|(a, b)| a == b) && ends_a == ends_b
}

/// A column of text that repeats.
#[derive(Debug, Clone, Default)]
pub struct DictColumn {
    codes: Vec<u32>,
    values: TextColumn,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl DictColumn {
    fn with_room(rows: usize, room: DictRoom) -> Self {
        Self {
            codes: Vec::with_capacity(rows),
            values: TextColumn::with_room(room.values, room.bytes),
            index: HashTable::with_capacity(room.values),
            ..Self::default()
        }
    }

    fn room(&self) -> DictRoom {
        DictRoom { values: self.values.len(), bytes: self.values.bytes.len() }
    }

    fn shrink(&mut self) {
        self.codes.shrink_to_fit();
        self.values.shrink();
        let (values, hasher) = (&self.values, &self.hasher);
        self.index.shrink_to_fit(|&code| hasher.hash_one(values.get(code as usize)));
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: &str) {
        // Runs of one value are the rule in a log, so the last code is tried before the table.
        let mut code = self.codes.last().copied().unwrap_or_default();
        self.push_near(text, &mut code);
    }

    /// Adds a row whose code may be `code`; corrects the code where it is not.
    #[inline]
    fn push_near(&mut self, text: &str, code: &mut u32) {
        if !self.values.is(*code as usize, text) {
            *code = self.code_of(text);
        }
        self.codes.push(*code);
    }

    #[inline(never)]
    fn code_of(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        if let Some(&code) = self.index.find(hash, |&code| self.values.is(code as usize, text)) {
            return code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(text);
        let (values, hasher) = (&self.values, &self.hasher);
        self.index.insert_unique(hash, code, |&code| hasher.hash_one(values.get(code as usize)));
        code
    }

    /// Returns row `i`.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> &str {
        self.values.get(self.codes[i] as usize)
    }

    /// Returns the code of row `i`: an index into [`Self::values`].
    #[must_use]
    #[inline]
    pub fn code(&self, i: usize) -> u32 {
        self.codes[i]
    }

    /// The distinct values, in order of first appearance.
    #[must_use]
    pub fn values(&self) -> &TextColumn {
        &self.values
    }

    /// Counts rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Tells whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    fn capacity(&self) -> usize {
        self.codes.capacity() * 4 + self.values.capacity() + self.index.capacity() * 5
    }
}

/// How much room the distinct values of a column take.
#[derive(Debug, Clone, Copy, Default)]
struct DictRoom {
    values: usize,
    bytes: usize,
}

/// Declares the batch with its columns once, so that push, read and size cannot drift apart.
macro_rules! batch {
    (dict { $($d:ident),+ $(,)? } text { $($t:ident),+ $(,)? }) => {
        /// The events of one organisation and one UTC day, as columns. Field meanings: [`EventRow`].
        #[derive(Debug, Clone, Default)]
        pub struct EventBatch {
            /// See [`EventRow::time`].
            pub time: Vec<i64>,
            /// Bits of [`Shape`]s that the event arrived in.
            pub shapes: Vec<u8>,
            /// See [`EventRow::folded`].
            pub folded: Vec<u32>,
            $(#[doc = concat!("See [`EventRow::", stringify!($d), "`].")] pub $d: DictColumn,)+
            $(#[doc = concat!("See [`EventRow::", stringify!($t), "`].")] pub $t: TextColumn,)+
        }

        /// How much room a batch takes, so that the next one like it is not grown piece by piece.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Room {
            rows: usize,
            $($d: DictRoom,)+
            $($t: usize,)+
        }

        /// The codes of a row, as a guess at those of one that is like it.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Like {
            $($d: u32,)+
        }

        impl EventBatch {
            /// Starts a batch with room for what `room` was learnt from, and a little more.
            #[must_use]
            pub fn with_room(room: &Room) -> Self {
                let more = |n: usize| n + n / 8;
                let rows = more(room.rows);
                Self {
                    time: Vec::with_capacity(rows),
                    shapes: Vec::with_capacity(rows),
                    folded: Vec::with_capacity(rows),
                    $($d: DictColumn::with_room(
                        rows,
                        DictRoom { values: more(room.$d.values), bytes: more(room.$d.bytes) },
                    ),)+
                    $($t: TextColumn::with_room(rows, more(room.$t)),)+
                }
            }

            /// The room that the rows take.
            #[must_use]
            pub fn room(&self) -> Room {
                Room { rows: self.time.len(), $($d: self.$d.room(),)+ $($t: self.$t.bytes.len(),)+ }
            }

            /// Gives back what was reserved and is not used.
            pub fn shrink(&mut self) {
                self.time.shrink_to_fit();
                self.shapes.shrink_to_fit();
                self.folded.shrink_to_fit();
                $(self.$d.shrink();)+
                $(self.$t.shrink();)+
            }

            /// Adds an event.
            pub fn push(&mut self, row: &EventRow<'_>) {
                self.push_merged(row, row.shape.bit());
            }

            /// Adds an event that may be like another; keeps what it is like for the next. A wrong guess costs time alone.
            pub fn push_like(&mut self, row: &EventRow<'_>, like: &mut Like) {
                self.time.push(row.time);
                self.shapes.push(row.shape.bit());
                self.folded.push(row.folded);
                $(self.$d.push_near(row.$d, &mut like.$d);)+
                $(self.$t.push(row.$t);)+
            }

            /// Adds an event that arrived in several shapes.
            pub fn push_merged(&mut self, row: &EventRow<'_>, shapes: u8) {
                self.time.push(row.time);
                self.shapes.push(shapes);
                self.folded.push(row.folded);
                $(self.$d.push(row.$d);)+
                $(self.$t.push(row.$t);)+
            }

            /// Returns row `i`; its `shape` is the first of its shapes, all are in [`Self::shapes`].
            #[must_use]
            pub fn row(&self, i: usize) -> EventRow<'_> {
                let shape = Shape::ALL.iter().copied().find(|s| self.shapes[i] & s.bit() != 0);
                EventRow {
                    time: self.time[i],
                    folded: self.folded[i],
                    shape: shape.unwrap_or(Shape::Api),
                    $($d: self.$d.get(i),)+
                    $($t: self.$t.get(i),)+
                }
            }

            /// Returns the bytes that the batch has allocated, used or not.
            #[must_use]
            pub fn capacity(&self) -> usize {
                self.time.capacity() * 8 + self.shapes.capacity() + self.folded.capacity() * 4
                    $(+ self.$d.capacity())+
                    $(+ self.$t.capacity())+
            }
        }
    };
}

batch! {
    dict {
        action, area, category, mechanism, actor_upn, actor_name, actor_id, actor_cuid, actor_client_id,
        address, user_agent, project_id, project, scope_type, scope_id, scope_name,
    }
    text { event_id, correlation_id, activity_id, details, data }
}

impl Room {
    /// Counts the rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl EventBatch {
    /// Counts events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_change_nothing() {
        let (mut plain, mut guessed) = (EventBatch::default(), EventBatch::default());
        let mut like = Like { action: 7, address: 1, ..Like::default() };
        for action in ["A.B", "", "C.D", "C.D", "A.B", "A.", ""] {
            let row = EventRow { action, mechanism: "m", address: action, ..EventRow::EMPTY };
            plain.push(&row);
            guessed.push_like(&row, &mut like);
        }
        guessed.shrink();
        for i in 0..plain.len() {
            assert_eq!(plain.row(i), guessed.row(i));
            assert_eq!(plain.action.code(i), guessed.action.code(i));
        }
        assert_eq!(plain.action.values(), guessed.action.values());
    }

    #[test]
    fn gives_back_what_was_pushed() {
        let mut batch = EventBatch::default();
        let mut rows = Vec::new();
        for (i, action) in ["A.B", "A.B", "C.D", ""].iter().enumerate() {
            let row = EventRow { action, time: i as i64, data: "{}", ..EventRow::EMPTY };
            batch.push(&row);
            rows.push(row);
        }
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(&batch.row(i), row);
        }
        assert_eq!(batch.action.values().len(), 3);
        assert!(batch.capacity() > 0);
    }
}

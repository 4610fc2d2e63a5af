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

/// A column of text that repeats.
#[derive(Debug, Clone, Default)]
pub struct DictColumn {
    codes: Vec<u32>,
    values: TextColumn,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl DictColumn {
    fn with_room(rows: usize) -> Self {
        Self { codes: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: &str) {
        let code = self.code_of(text);
        self.codes.push(code);
    }

    fn code_of(&mut self, text: &str) -> u32 {
        // Runs of one value are the rule in a log, so the last code is tried before the table.
        if let Some(&last) = self.codes.last()
            && self.values.get(last as usize) == text
        {
            return last;
        }
        let hash = self.hasher.hash_one(text);
        if let Some(&code) = self.index.find(hash, |&code| self.values.get(code as usize) == text) {
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
            $($t: usize,)+
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
                    $($d: DictColumn::with_room(rows),)+
                    $($t: TextColumn::with_room(rows, more(room.$t)),)+
                }
            }

            /// The room that the rows take.
            #[must_use]
            pub fn room(&self) -> Room {
                Room { rows: self.time.len(), $($t: self.$t.bytes.len(),)+ }
            }

            /// Gives back what was reserved and is not used.
            pub fn shrink(&mut self) {
                self.time.shrink_to_fit();
                self.shapes.shrink_to_fit();
                self.folded.shrink_to_fit();
                $(self.$d.codes.shrink_to_fit();)+
                $(self.$t.shrink();)+
            }

            /// Adds an event.
            pub fn push(&mut self, row: &EventRow<'_>) {
                self.push_merged(row, row.shape.bit());
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

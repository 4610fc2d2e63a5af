//! Rows as columns: what sources hand to the lake, one organisation and one day at a time.
//!
//! In: [`EventRow`]s. Out: columns of codes and bytes. Text that repeats (actors, actions, agents) is kept
//! once and named by code; text that does not (ids, details, data) lies end to end in one buffer. A batch
//! counts what it has allocated, so that an import can stay inside a byte budget.

use super::event::{EventRow, Shape};
use super::names::Names;
use super::secret::{self, Masked};
pub use super::text::TextColumn;

/// A column of text that repeats.
#[derive(Debug, Clone, Default)]
pub struct DictColumn {
    codes: Vec<u32>,
    names: Names,
}

impl DictColumn {
    /// Takes codes and the values that they stand for.
    ///
    /// # Panics
    /// In debug builds, when a code is beyond the values.
    #[must_use]
    pub fn of(codes: Vec<u32>, names: Names) -> Self {
        debug_assert!(codes.iter().all(|code| (*code as usize) < names.len()), "a code is beyond the values");
        Self { codes, names }
    }

    fn with_room(rows: usize, room: DictRoom) -> Self {
        Self { codes: Vec::with_capacity(rows), names: Names::with_room(room.values, room.bytes) }
    }

    fn room(&self) -> DictRoom {
        DictRoom { values: self.names.len(), bytes: self.names.bytes() }
    }

    fn shrink(&mut self) {
        self.codes.shrink_to_fit();
        self.names.shrink();
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
        if !self.names.values().is(*code as usize, text) {
            *code = self.names.number(text);
        }
        self.codes.push(*code);
    }

    /// Masks credentials in the values, and counts them row by row.
    fn mask(&mut self, count: &mut Masked) {
        let mut changed: Vec<(Option<String>, Masked)> = Vec::new();
        for (i, value) in self.names.texts().enumerate() {
            let mut found = Masked::default();
            if let Some(text) = secret::masked(value, &mut found) {
                changed.resize_with(self.names.len(), Default::default);
                changed[i] = (Some(text), found);
            }
        }
        if changed.is_empty() {
            return;
        }
        // Values that differ in a secret alone become one.
        let mut names = Names::default();
        let codes = self.names.texts().zip(&changed);
        let codes: Vec<u32> =
            codes.map(|(value, (masked, _))| names.number(masked.as_deref().unwrap_or(value))).collect();
        for code in &mut self.codes {
            count.merge(&changed[*code as usize].1, 1);
            *code = codes[*code as usize];
        }
        self.names = names;
    }

    /// Returns row `i`.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> &str {
        self.names.values().get(self.codes[i] as usize)
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
        self.names.values()
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
        self.codes.capacity() * 4 + self.names.capacity()
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
            /// The text columns.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($d),)+ $(stringify!($t),)+];

            /// Sets every text column, by its name.
            pub fn fill(
                &mut self,
                repeated: impl Fn(&str) -> DictColumn,
                seldom_alike: impl Fn(&str) -> TextColumn,
            ) {
                $(self.$d = repeated(stringify!($d));)+
                $(self.$t = seldom_alike(stringify!($t));)+
            }

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
                Room { rows: self.time.len(), $($d: self.$d.room(),)+ $($t: self.$t.bytes(),)+ }
            }

            /// Masks every credential in every text, and counts them.
            pub fn mask(&mut self, count: &mut Masked) {
                $(self.$d.mask(count);)+
                $(self.$t.mask(if stringify!($t) == "data" { secret::masked_json } else { secret::masked }, count);)+
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
    fn credentials_are_masked_in_every_column_and_counted_by_row() {
        let one = "abcd".repeat(13);
        let other = "wxyz".repeat(13);
        let data = format!(r#"{{"a":"{one}","n":1}}"#);
        let mut batch = EventBatch::default();
        for text in [one.as_str(), &other, "plain", &one] {
            batch.push(&EventRow {
                user_agent: text,
                details: text,
                data: &data,
                action: "A.B",
                ..EventRow::EMPTY
            });
        }
        let mut count = Masked::default();
        batch.mask(&mut count);
        assert_eq!(count.total(), 3 + 3 + 4);
        for (i, text) in ["[redacted]", "[redacted]", "plain", "[redacted]"].iter().enumerate() {
            let row = batch.row(i);
            assert_eq!((row.user_agent, row.details, row.action), (*text, *text, "A.B"));
            assert_eq!(row.data, r#"{"a":"[redacted]","n":1}"#);
        }
        assert_eq!(batch.user_agent.values().len(), 2, "the values stay distinct");
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

//! One row of a table in, its cells out.
//!
//! In: a row as the framing cuts it, where every quote opens a cell, closes it or stands doubled in one.

use super::Columns;
use super::fields::{Fields, Form};
use super::walk::next;
use std::borrow::Cow;

/// The cells of a row.
#[derive(Clone)]
pub(super) struct Cells<'a> {
    /// What is left, from the start of a cell; nothing behind the last one.
    rest: Option<&'a str>,
    delimiter: u8,
}

/// A cell as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// Its text, without the quotes around it.
    text: &'a str,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

impl<'a> Cells<'a> {
    pub(super) const fn new(row: &'a str, delimiter: u8) -> Self {
        Self { rest: if row.is_empty() { None } else { Some(row) }, delimiter }
    }

    fn quoted(&mut self, inside: &'a str) -> Cell<'a> {
        let bytes = inside.as_bytes();
        let mut doubled = false;
        let mut at = next(bytes, 0, b'"');
        while at < bytes.len() {
            if bytes.get(at + 1) != Some(&b'"') {
                // Behind a closing quote stands a delimiter or nothing.
                self.rest = inside.get(at + 2..);
                return Cell { text: inside.get(..at).unwrap_or_default(), doubled };
            }
            doubled = true;
            at = next(bytes, at + 2, b'"');
        }
        self.rest = None;
        Cell { text: inside, doubled }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        let rest = self.rest?;
        if let Some(inside) = rest.strip_prefix('"') {
            return Some(self.quoted(inside));
        }
        let end = next(rest.as_bytes(), 0, self.delimiter);
        self.rest = rest.get(end + 1..);
        Some(Cell { text: rest.get(..end).unwrap_or_default(), doubled: false })
    }
}

impl<'a> Cell<'a> {
    /// The text that it stands for.
    pub(super) fn plain(self) -> Cow<'a, str> {
        if !self.doubled {
            return Cow::Borrowed(self.text);
        }
        let mut text = String::with_capacity(self.text.len());
        self.append(&mut text);
        Cow::Owned(text)
    }

    fn append(self, into: &mut String) {
        let mut rest = self.text;
        loop {
            let quote = next(rest.as_bytes(), 0, b'"');
            let Some(piece) = rest.get(..=quote) else { break };
            into.push_str(piece);
            rest = rest.get(quote + 2..).unwrap_or_default();
        }
        into.push_str(rest);
    }
}

/// Fills `fields` from the cells of a row; tells how many there are.
pub(super) fn read<'a>(fields: &mut Fields<'a>, cells: Cells<'a>, columns: &Columns) -> usize {
    fields.clear();
    let mut columns = columns.iter();
    let mut n = 0;
    for cell in cells {
        n += 1;
        let Some((_, Some(key))) = columns.next() else { continue };
        if cell.text.is_empty() {
            continue;
        }
        match key.form() {
            Form::Text if cell.doubled => cell.append(fields.own_text(key)),
            Form::Text => fields.set_text(key, cell.text),
            Form::Json | Form::Mark => fields.set_cell(key, cell.plain()),
        }
    }
    // No API writes CSV: what is not a table's row is an export.
    fields.pascal = true;
    n
}

/// The cells of a row as texts.
#[cfg(test)]
pub(in crate::source) fn cells_of(row: &str, delimiter: u8) -> Vec<String> {
    Cells::new(row, delimiter).map(|cell| cell.plain().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_row() {
        for (row, expected) in [
            ("", vec![]),
            ("a", vec!["a"]),
            (",", vec!["", ""]),
            ("a,,\"b,\"", vec!["a", "", "b,"]),
            ("\"\"", vec![""]),
            ("\"\"\"\"", vec!["\""]),
            ("\"\"\"a\"\" é\",x,", vec!["\"a\" é", "x", ""]),
            ("\"two\nlines\",\"\"", vec!["two\nlines", ""]),
        ] {
            let found: Vec<Cow<'_, str>> = Cells::new(row, b',').map(Cell::plain).collect();
            assert_eq!(found, expected, "{row}");
        }
    }
}

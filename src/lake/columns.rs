//! Columns of a file as they are stored: texts as codes, numbers as they stand.
//!
//! In: what [`super::decode`] reads. Out: rows that are cheap to go through by the million, since most texts repeat.

use crate::model::text::TextColumn;

/// Some columns of a file.
#[derive(Debug, Default)]
pub struct Columns {
    pub(super) height: usize,
    pub(super) columns: Vec<(String, Cells)>,
}

impl Columns {
    /// Counts rows.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// A column, where the file has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, cells)| cells)
    }
}

/// The rows of a column.
#[derive(Debug)]
pub enum Cells {
    /// Texts.
    Text(Text),
    /// Whole numbers, instants or days; flags as 0 and 1.
    Numbers(Numbers),
}

/// Rows of text: one code a row, one text a code. Two codes may stand for the same text; code 0 stands for none.
#[derive(Debug)]
pub struct Text {
    /// One a row.
    pub codes: Vec<u32>,
    values: TextColumn,
}

impl Text {
    /// Takes the values one after the other, the first of them empty, with where each ends.
    pub(super) fn new(codes: Vec<u32>, all: Vec<u8>, ends: Vec<usize>) -> Option<Self> {
        simdutf8::basic::from_utf8(&all).ok()?;
        let values = TextColumn::of(String::from_utf8(all).ok()?, ends)?;
        let whole = !values.is_empty() && values.get(0).is_empty();
        (whole && codes.iter().all(|code| (*code as usize) < values.len())).then_some(Self { codes, values })
    }

    /// Counts values, "none" among them.
    #[must_use]
    pub fn values(&self) -> usize {
        self.values.len()
    }

    /// The text of a code.
    #[must_use]
    pub fn value(&self, code: u32) -> &str {
        self.values.get(code as usize)
    }
}

/// Rows of numbers; none reads as 0.
#[derive(Debug, Default)]
pub struct Numbers {
    /// One a row.
    pub values: Vec<i64>,
    /// Which rows have one; empty where all have.
    pub valid: Vec<bool>,
}

impl Numbers {
    /// The number of a row, or none.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<i64> {
        self.valid.get(row).is_none_or(|valid| *valid).then(|| self.values[row])
    }

    /// Each row's number, or none.
    pub fn known(&self) -> impl Iterator<Item = Option<i64>> {
        (0..self.values.len()).map(|row| self.at(row))
    }
}

impl FromIterator<Option<i64>> for Numbers {
    fn from_iter<I: IntoIterator<Item = Option<i64>>>(rows: I) -> Self {
        let (values, valid): (Vec<i64>, Vec<bool>) =
            rows.into_iter().map(|row| (row.unwrap_or_default(), row.is_some())).unzip();
        Self { values, valid: if valid.contains(&false) { valid } else { Vec::new() } }
    }
}

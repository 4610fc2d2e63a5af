//! Columns of a file as they are stored: texts as codes, numbers as they stand.
//!
//! In: what [`super::decode`] reads. Out: rows that are cheap to go through by the million, since most texts repeat.

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
    all: String,
    /// Where each value ends in `all`, and the next begins.
    ends: Vec<u32>,
}

impl Text {
    /// Takes the values one after the other, the first of them empty, with where each ends.
    pub(super) fn new(codes: Vec<u32>, all: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let all = match simdutf8::basic::from_utf8(&all) {
            Ok(_) => String::from_utf8(all).ok()?,
            Err(_) => return None,
        };
        let whole = ends.first() == Some(&0) && ends.iter().all(|end| all.is_char_boundary(*end as usize));
        (whole && codes.iter().all(|code| (*code as usize) < ends.len())).then_some(Self { codes, all, ends })
    }

    /// Counts values, "none" among them.
    #[must_use]
    pub const fn values(&self) -> usize {
        self.ends.len()
    }

    /// The text of a code.
    #[must_use]
    pub fn value(&self, code: u32) -> &str {
        let at = code as usize;
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[from as usize..self.ends[at] as usize]
    }

    /// The text of a row; none reads as empty.
    #[must_use]
    pub fn cell(&self, row: usize) -> &str {
        self.value(self.codes[row])
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
    /// Each row's number, or none.
    pub fn known(&self) -> impl Iterator<Item = Option<i64>> {
        let valid = |row: usize| self.valid.get(row).is_none_or(|valid| *valid);
        self.values.iter().enumerate().map(move |(row, value)| valid(row).then_some(*value))
    }
}

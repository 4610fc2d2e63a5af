//! Rows of a table by column: texts, whole numbers, flags.
//!
//! In: a file of the lake and the columns to read, or rows that a query gave. Out: columns, whichever way they lie in memory.
//! What a file or row lacks reads as empty, 0, false or none.

use super::LakeError;
use super::columns::{Cells, Columns, Text};
use super::decode::{self, Group};
use super::view::day_of_file;
use crate::model::names::Names;
use crate::model::time::Day;
use hashbrown::HashMap;
use polars::prelude::{
    DataFrame, DataType, ParallelStrategy, ParquetReader, PolarsError, SerReader as _, StringChunked,
};
use polars_arrow::array::Array as _;
use std::path::Path;

/// Texts of a column as numbers; 0 stands for no text.
#[derive(Debug, Default)]
pub struct Texts {
    /// One number a row.
    pub codes: Vec<u32>,
    /// The text of each number.
    pub texts: Names,
}

impl Texts {
    /// The number of a text, where it has one; no row need have it.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<u32> {
        self.texts.known(text)
    }

    /// The text of a row.
    #[must_use]
    pub fn text(&self, row: usize) -> &str {
        self.texts.text(self.codes[row])
    }
}

/// Rows of one file, or of a table in memory.
#[derive(Debug)]
pub struct Table {
    form: Form,
    /// The day that the file holds.
    pub day: Option<Day>,
}

/// How the rows lie in memory.
#[derive(Debug)]
pub(crate) enum Form {
    /// As patwatch stores them.
    Stored(Columns),
    /// As Polars read what another program wrote, or a query gave them.
    Frame(DataFrame),
}

impl Table {
    /// Reads some columns of a file, those that it has.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read(path: &Path, columns: &[&str]) -> Result<Self, LakeError> {
        Self::read_groups(path, columns, |_| true)
    }

    /// Reads some columns of a file that has all of them: for what is made of them and kept.
    ///
    /// # Errors
    /// When it cannot be opened, is no Parquet or lacks a column.
    pub fn read_all(path: &Path, columns: &[&str]) -> Result<Self, LakeError> {
        let table = Self::read(path, columns)?;
        let has = |name: &str| match &table.form {
            Form::Stored(stored) => stored.get(name).is_some(),
            Form::Frame(frame) => frame.column(name).is_ok(),
        };
        match columns.iter().find(|name| !has(name)) {
            Some(name) => {
                Err(LakeError::Damaged { path: path.to_owned(), why: format!("it has no column {name}") })
            }
            None => Ok(table),
        }
    }

    /// Reads some columns, those that the file has, of the row groups that are wanted, where it tells of them.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read_groups(
        path: &Path,
        columns: &[&str],
        wanted: impl Fn(Group<'_>) -> bool,
    ) -> Result<Self, LakeError> {
        Self::either(path, columns, decode::read(path, columns, wanted)?)
    }

    /// The same of the rows that lie between those with one of these texts in a column, for files sorted by it.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read_near(path: &Path, columns: &[&str], key: &str, texts: &[String]) -> Result<Self, LakeError> {
        Self::either(path, columns, decode::read_near(path, columns, key, texts)?)
    }

    fn either(path: &Path, columns: &[&str], stored: Option<Columns>) -> Result<Self, LakeError> {
        match stored {
            Some(stored) => Ok(Self { form: Form::Stored(stored), day: day_of_file(path) }),
            None => Self::read_foreign(path, columns),
        }
    }

    /// Reads some columns of a file through Polars, those that it has, in the calling thread: callers read many files at a
    /// time.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read_foreign(path: &Path, columns: &[&str]) -> Result<Self, LakeError> {
        let failed = |e: PolarsError| LakeError::columns(path, &e);
        let file = std::fs::File::open(path).map_err(|e| LakeError::io("read", path, e))?;
        let mut reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
        let schema = reader.schema().map_err(failed)?;
        let known = columns.iter().filter(|c| schema.get(c).is_some()).map(|c| (*c).to_owned()).collect();
        let frame = reader.with_columns(Some(known)).finish().map_err(failed)?;
        Ok(Self { form: Form::Frame(frame), day: day_of_file(path) })
    }

    /// Rows that a query gave.
    pub(crate) const fn of(frame: DataFrame) -> Self {
        Self { form: Form::Frame(frame), day: None }
    }

    pub(crate) const fn form(&self) -> &Form {
        &self.form
    }

    /// Counts rows.
    #[must_use]
    pub fn height(&self) -> usize {
        match &self.form {
            Form::Stored(stored) => stored.height(),
            Form::Frame(frame) => frame.height(),
        }
    }

    /// A text column as numbers.
    #[must_use]
    pub fn texts(&self, name: &str) -> Texts {
        let found = match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Text(text)) => Some(numbered(text)),
                _ => None,
            },
            Form::Frame(frame) => {
                frame.column(name).ok().and_then(|column| column.str().ok()).map(numbered_views)
            }
        };
        found.unwrap_or_else(|| Texts { codes: vec![0; self.height()], texts: no_names() })
    }

    /// The cells of a text column that seldom repeats.
    #[must_use]
    pub fn cells(&self, name: &str) -> Vec<&str> {
        let found = match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Text(text)) => Some(text.codes.iter().map(|code| text.value(*code)).collect()),
                _ => None,
            },
            Form::Frame(frame) => frame
                .column(name)
                .ok()
                .and_then(|column| column.str().ok())
                .map(|column| column.iter().map(Option::unwrap_or_default).collect()),
        };
        found.unwrap_or_else(|| vec![""; self.height()])
    }

    /// Whole numbers, instants or days; none reads as 0.
    #[must_use]
    pub fn ints(&self, name: &str) -> Vec<i64> {
        let frame = match &self.form {
            Form::Stored(stored) => {
                return match stored.get(name) {
                    Some(Cells::Numbers(numbers)) => numbers.values.clone(),
                    _ => vec![0; self.height()],
                };
            }
            Form::Frame(frame) => frame,
        };
        let cast = frame.column(name).ok().and_then(|c| c.cast(&DataType::Int64).ok());
        let Some(values) = cast.as_ref().and_then(|c| c.i64().ok()) else { return vec![0; self.height()] };
        let mut all = Vec::with_capacity(values.len());
        for array in values.downcast_iter() {
            match array.null_count() {
                0 => all.extend_from_slice(array.values()),
                _ => all.extend(array.iter().map(|value| value.copied().unwrap_or_default())),
            }
        }
        all
    }

    /// The same, where none stays none.
    #[must_use]
    pub fn known_ints(&self, name: &str) -> Vec<Option<i64>> {
        let none = || vec![None; self.height()];
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Numbers(numbers)) => numbers.known().collect(),
                _ => none(),
            },
            Form::Frame(frame) => {
                let cast = frame.column(name).ok().and_then(|c| c.cast(&DataType::Int64).ok());
                cast.as_ref().and_then(|c| c.i64().ok()).map_or_else(none, |values| values.iter().collect())
            }
        }
    }

    /// Flags; none reads as false.
    #[must_use]
    pub fn flags(&self, name: &str) -> Vec<bool> {
        let known = self.known_flags(name).into_iter();
        known.map(Option::unwrap_or_default).collect()
    }

    /// The same, where none stays none.
    #[must_use]
    pub fn known_flags(&self, name: &str) -> Vec<Option<bool>> {
        let none = || vec![None; self.height()];
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Numbers(numbers)) => numbers.known().map(|flag| Some(flag? != 0)).collect(),
                _ => none(),
            },
            Form::Frame(frame) => match frame.column(name).ok().and_then(|c| c.bool().ok()) {
                Some(values) => values.iter().collect(),
                None => none(),
            },
        }
    }
}

/// Names of which no text is the first.
fn no_names() -> Names {
    let mut names = Names::default();
    names.number("");
    names
}

fn numbered(text: &Text) -> Texts {
    let mut texts = no_names();
    let count = u32::try_from(text.values()).unwrap_or(u32::MAX);
    let numbers: Vec<u32> = (0..count).map(|code| texts.number(text.value(code))).collect();
    let codes = text.codes.iter().map(|code| numbers[*code as usize]).collect();
    Texts { codes, texts }
}

/// Cells of a dictionary share their view of the text, so most are numbered without a look at it.
fn numbered_views(column: &StringChunked) -> Texts {
    let mut texts = no_names();
    let mut codes = Vec::with_capacity(column.len());
    for array in column.downcast_iter() {
        let mut views: HashMap<u128, u32> = HashMap::with_capacity(256);
        let (mut last, mut code) = (0, 0);
        let valid = array.validity();
        for (row, view) in array.views().iter().enumerate() {
            if valid.is_some_and(|valid| !valid.get_bit(row)) {
                codes.push(0);
                continue;
            }
            let view = view.as_u128();
            if view != last {
                last = view;
                code = *views.entry(view).or_insert_with(|| texts.number(array.value(row)));
            }
            codes.push(code);
        }
    }
    Texts { codes, texts }
}

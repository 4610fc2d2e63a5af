//! Rows of the lake's day files without SQL: what is counted or looked up row by row, and would cost too much as
//! a table of cells.
//!
//! In: a table and names of columns. Out: the files' rows as columns, texts as codes, read by several threads and
//! handed on newest day first.

use super::{Columns, Cut, Engine, EngineError, EngineErrorKind, Source, guarded, schema, tables};
use crate::lake::frame::Table;
use crate::lake::view::day_of_file;
use crate::lake::{LakeError, tail};
use crate::model::time::{Day, day_of};
use hashbrown::HashMap;
use pl::IntoColumn as _;
use polars::prelude as pl;
use polars_arrow::array::{Array as _, Utf8ViewArray};
use rayon::prelude::*;
use std::path::PathBuf;

/// Texts of a column as numbers; 0 stands for no text.
#[derive(Debug, Default)]
pub struct Texts {
    /// One number a row.
    pub codes: Vec<u32>,
    /// The text of each number.
    pub texts: Vec<String>,
}

impl Texts {
    /// The number of a text, where any row has it.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<u32> {
        self.texts.iter().position(|t| t == text).and_then(|at| u32::try_from(at).ok())
    }

    /// The text of a row.
    #[must_use]
    pub fn text(&self, row: usize) -> &str {
        &self.texts[self.codes[row] as usize]
    }
}

/// Rows of one file, or of a table in memory.
#[derive(Debug)]
pub struct Part {
    frame: pl::DataFrame,
    /// The day that the file holds.
    pub day: Option<Day>,
}

impl Part {
    pub(super) fn of(frame: pl::DataFrame) -> Self {
        Self { frame, day: None }
    }

    /// Counts rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// Some rows as a table of the schema; `tokens` makes their column `token_id`, where it is wanted.
    pub(super) fn rows(
        &self,
        def: &schema::TableDef,
        wanted: &Columns,
        rows: &pl::IdxCa,
        tokens: impl Fn(&pl::IdxCa) -> Result<pl::Column, EngineError>,
    ) -> Result<pl::DataFrame, EngineError> {
        let mut made: Vec<pl::Column> = Vec::with_capacity(wanted.len());
        for column in def.columns.iter().filter(|c| wanted.contains(c.name)) {
            let dtype = tables::dtype(column.kind);
            let cells = match self.frame.column(column.name) {
                _ if column.name == "token_id" => tokens(rows)?,
                Ok(cells) => compact(cells.take(rows)?),
                Err(_) => pl::Column::full_null(column.name.into(), rows.len(), &dtype),
            };
            made.push(if *cells.dtype() == dtype { cells } else { cells.cast(&dtype)? });
        }
        Ok(pl::DataFrame::new(rows.len(), made)?)
    }

    /// The same rows piece by piece, as the file holds them: rows that are taken of several pieces are copied with
    /// their texts, those of one share them.
    pub(super) fn pieces(&self) -> Vec<Self> {
        let mut frame = self.frame.clone();
        frame.align_chunks();
        frame.split_chunks().map(|frame| Self { frame, day: self.day }).collect()
    }

    fn column(&self, name: &str) -> Option<&pl::StringChunked> {
        self.frame.column(name).ok()?.str().ok()
    }

    /// A text column as numbers. Cells of a dictionary share their view of the text, so most are numbered without a
    /// look at it.
    #[must_use]
    pub fn texts(&self, name: &str) -> Texts {
        let mut all = Texts { codes: Vec::with_capacity(self.height()), texts: vec![String::new()] };
        let Some(column) = self.column(name) else {
            all.codes.resize(self.height(), 0);
            return all;
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        for array in column.downcast_iter() {
            let mut views: HashMap<u128, u32> = HashMap::with_capacity(256);
            let (mut last, mut code) = (0, 0);
            let valid = array.validity();
            for (row, view) in array.views().iter().enumerate() {
                if valid.is_some_and(|valid| !valid.get_bit(row)) {
                    all.codes.push(0);
                    continue;
                }
                let view = view.as_u128();
                if view != last {
                    last = view;
                    code = *views.entry(view).or_insert_with(|| {
                        let text = array.value(row);
                        if text.is_empty() {
                            return 0;
                        }
                        *known.entry_ref(text).or_insert_with(|| {
                            all.texts.push(text.to_owned());
                            u32::try_from(all.texts.len() - 1).unwrap_or(0)
                        })
                    });
                }
                all.codes.push(code);
            }
        }
        all
    }

    /// The cells of a text column that seldom repeats; no text reads as empty.
    #[must_use]
    pub fn cells(&self, name: &str) -> Vec<&str> {
        match self.column(name) {
            Some(column) => column.iter().map(Option::unwrap_or_default).collect(),
            None => vec![""; self.height()],
        }
    }

    /// Whole numbers, instants or days; none reads as 0.
    #[must_use]
    pub fn ints(&self, name: &str) -> Vec<i64> {
        let cast = self.frame.column(name).ok().and_then(|c| c.cast(&pl::DataType::Int64).ok());
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
    pub(super) fn known_ints(&self, name: &str) -> Vec<Option<i64>> {
        let cast = self.frame.column(name).ok().and_then(|c| c.cast(&pl::DataType::Int64).ok());
        match cast.as_ref().and_then(|c| c.i64().ok()) {
            Some(values) => values.iter().collect(),
            None => vec![None; self.height()],
        }
    }

    /// Flags; none reads as false.
    #[must_use]
    pub fn flags(&self, name: &str) -> Vec<bool> {
        match self.frame.column(name).ok().and_then(|c| c.bool().ok()) {
            Some(values) => values.iter().map(Option::unwrap_or_default).collect(),
            None => vec![false; self.height()],
        }
    }
}

fn damaged(error: LakeError) -> EngineError {
    EngineError::new(EngineErrorKind::Query, error.to_string(), "Run `patwatch lake verify`.")
}

/// Lets go of texts that few of the rows show: a cell shares the piece of the file that its text lies in.
fn compact(column: pl::Column) -> pl::Column {
    let Ok(texts) = column.str() else { return column };
    let wasteful = |array: &Utf8ViewArray| array.total_buffer_len() > 4 * array.total_bytes_len() + (1 << 14);
    if !texts.downcast_iter().any(wasteful) {
        return column;
    }
    let arrays = texts.downcast_iter().map(|array| array.clone().gc());
    pl::StringChunked::from_chunk_iter(texts.name().clone(), arrays).into_column()
}

impl Engine {
    /// Goes through the files of a table, newest day first: `make` digests each, several at a time, and `take` gets
    /// what it made, in order.
    ///
    /// # Errors
    /// When the table was not handed in or a file cannot be read.
    pub fn each_day<T: Send>(
        &self,
        table: &str,
        columns: &[&'static str],
        make: impl Fn(&Part) -> T + Sync,
        take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        self.each_day_from(None, table, columns, make, take)
    }

    /// The same, where rows that come before the first with a value in the column `from` may be left out.
    pub(super) fn each_day_from<T: Send>(
        &self,
        from: Option<&'static str>,
        table: &str,
        columns: &[&'static str],
        make: impl Fn(&Part) -> T + Sync,
        mut take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        let (Some(source), Some(def)) = (self.sources.get(table), schema::table(table)) else {
            return Err(Self::missing(table));
        };
        if source.files.is_empty() {
            take(make(&self.part(def, source, None, columns)?));
            return Ok(());
        }
        let mut files: Vec<&PathBuf> = source.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(day_of_file(file)));
        // As many at a time as keep the threads busy and no more in memory.
        for some in files.chunks(rayon::current_num_threads() * 2) {
            let made: Vec<Result<T, EngineError>> = some
                .par_iter()
                .map(|file| {
                    let part = match from {
                        Some(from) => self.part_from(from, def, source, file, columns),
                        None => self.part(def, source, Some(file), columns),
                    };
                    part.map(|part| make(&part))
                })
                .collect();
            for one in made {
                take(one?);
            }
        }
        Ok(())
    }

    /// Tells whether the run sees every row of a day.
    fn sees_whole(&self, source: &Source, day: Option<Day>) -> bool {
        let (first, last) = (self.window.first_day(), day_of(self.window.as_of));
        day.is_some_and(|day| (source.cut == Cut::None || day >= first) && day < last)
    }

    /// The rows of a file from the first on that has a value in a column, or all of them.
    fn part_from(
        &self,
        from: &'static str,
        def: &schema::TableDef,
        source: &Source,
        file: &PathBuf,
        columns: &[&'static str],
    ) -> Result<Part, EngineError> {
        let day = day_of_file(file);
        if !self.sees_whole(source, day) {
            return self.part(def, source, Some(file), columns);
        }
        let table = tail::read(file, columns, from).map_err(damaged)?;
        Ok(Part { frame: table.into_frame(), day })
    }

    /// The rows of a file that the run sees; without a file, those of the table in memory.
    pub(super) fn part(
        &self,
        def: &schema::TableDef,
        source: &Source,
        file: Option<&PathBuf>,
        columns: &[&'static str],
    ) -> Result<Part, EngineError> {
        let day = file.and_then(|f| day_of_file(f));
        if let (true, Some(file)) = (self.sees_whole(source, day), file) {
            let table = Table::read_known(file, columns).map_err(damaged)?;
            return Ok(Part { frame: table.into_frame(), day });
        }
        // Through a plan, which cuts what the run does not see.
        let files: Vec<PathBuf> = file.into_iter().cloned().collect();
        let frame = if files.is_empty() { source.frame.clone() } else { tables::scan(def, &files)? };
        let source = Source { frame, files, cut: source.cut, needs_token: false };
        let frame = self.of_source(def, &source)?;
        let frame = frame.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
        let frame = guarded(|| Ok(frame.collect()?))?;
        Ok(Part { frame, day })
    }
}

//! Rows of the lake's day files without SQL: what is counted or looked up row by row, and would cost too much as
//! a table of cells.
//!
//! In: a table and names of columns. Out: the files' rows as columns, texts as codes, read by several threads and
//! handed on newest day first.

use super::attributed::Tokens;
use super::{Columns, Cut, Engine, EngineError, EngineErrorKind, Source, guarded, schema, tables};
use crate::lake::LakeError;
use crate::lake::columns::{Cells, Columns as Stored, Text};
use crate::lake::decode::{self, Group};
use crate::lake::frame::Table;
use crate::lake::view::day_of_file;
use crate::model::names::Names;
use crate::model::time::{Day, day_of};
use hashbrown::HashMap;
use pl::{IntoColumn as _, NewChunkedArray as _};
use polars::prelude as pl;
use polars_arrow::array::{Array as _, Utf8ViewArray};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

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
pub struct Part {
    form: Form,
    /// The day that the file holds.
    pub day: Option<Day>,
}

/// How the rows lie in memory.
#[derive(Debug)]
enum Form {
    /// As the file stores them.
    Stored(Stored),
    /// As a query gave them.
    Frame(pl::DataFrame),
}

impl Part {
    pub(super) fn of(frame: pl::DataFrame) -> Self {
        Self { form: Form::Frame(frame), day: None }
    }

    /// Counts rows.
    #[must_use]
    pub fn height(&self) -> usize {
        match &self.form {
            Form::Stored(stored) => stored.height(),
            Form::Frame(frame) => frame.height(),
        }
    }

    /// Some rows as a table of the schema; `tokens` tells whose they are, where that is wanted.
    pub(super) fn rows(
        &self,
        def: &schema::TableDef,
        wanted: &Columns,
        rows: &[pl::IdxSize],
        tokens: &Tokens,
    ) -> Result<pl::DataFrame, EngineError> {
        let mut made: Vec<pl::Column> = Vec::with_capacity(wanted.len());
        let mut index = None;
        for column in def.columns.iter().filter(|c| wanted.contains(c.name)) {
            let dtype = tables::dtype(column.kind);
            let cells = match &self.form {
                _ if column.name == "token_id" => {
                    let own = tokens.of(self);
                    Some(tokens.take(rows.iter().map(|row| own[*row as usize]))?)
                }
                Form::Stored(stored) => {
                    stored.get(column.name).map(|cells| taken(column.name, cells, rows)).transpose()?
                }
                Form::Frame(frame) => {
                    let index = index.get_or_insert_with(|| pl::IdxCa::from_slice("rows".into(), rows));
                    frame.column(column.name).ok().map(|cells| cells.take(index)).transpose()?.map(compact)
                }
            };
            made.push(match cells {
                Some(cells) if *cells.dtype() == dtype => cells,
                Some(cells) => cells.cast(&dtype)?,
                None => pl::Column::full_null(column.name.into(), rows.len(), &dtype),
            });
        }
        Ok(pl::DataFrame::new(rows.len(), made)?)
    }

    /// A text column as numbers.
    #[must_use]
    pub fn texts(&self, name: &str) -> Texts {
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Text(text)) => numbered(text),
                _ => self.no_texts(),
            },
            Form::Frame(frame) => match frame.column(name).ok().and_then(|column| column.str().ok()) {
                Some(column) => numbered_views(column),
                None => self.no_texts(),
            },
        }
    }

    fn no_texts(&self) -> Texts {
        Texts { codes: vec![0; self.height()], texts: no_names() }
    }

    /// The cells of a text column that seldom repeats; no text reads as empty.
    #[must_use]
    pub fn cells(&self, name: &str) -> Vec<&str> {
        let none = || vec![""; self.height()];
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Text(text)) => text.codes.iter().map(|code| text.value(*code)).collect(),
                _ => none(),
            },
            Form::Frame(frame) => match frame.column(name).ok().and_then(|column| column.str().ok()) {
                Some(column) => column.iter().map(Option::unwrap_or_default).collect(),
                None => none(),
            },
        }
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
        let cast = frame.column(name).ok().and_then(|c| c.cast(&pl::DataType::Int64).ok());
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
        let none = || vec![None; self.height()];
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Numbers(numbers)) => numbers.known().collect(),
                _ => none(),
            },
            Form::Frame(frame) => {
                let cast = frame.column(name).ok().and_then(|c| c.cast(&pl::DataType::Int64).ok());
                cast.as_ref().and_then(|c| c.i64().ok()).map_or_else(none, |values| values.iter().collect())
            }
        }
    }

    /// Flags; none reads as false.
    #[must_use]
    pub fn flags(&self, name: &str) -> Vec<bool> {
        let none = || vec![false; self.height()];
        match &self.form {
            Form::Stored(stored) => match stored.get(name) {
                Some(Cells::Numbers(numbers)) => numbers.values.iter().map(|value| *value != 0).collect(),
                _ => none(),
            },
            Form::Frame(frame) => match frame.column(name).ok().and_then(|c| c.bool().ok()) {
                Some(values) => values.iter().map(Option::unwrap_or_default).collect(),
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
fn numbered_views(column: &pl::StringChunked) -> Texts {
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

/// Some rows of a stored column; a text or number that a row lacks is null.
fn taken(name: &str, cells: &Cells, rows: &[pl::IdxSize]) -> Result<pl::Column, EngineError> {
    let text = match cells {
        Cells::Text(text) => text,
        Cells::Numbers(numbers) => {
            let rows = rows.iter().map(|row| numbers.at(*row as usize));
            return Ok(pl::Int64Chunked::from_iter_options(name.into(), rows).into_column());
        }
    };
    let cell = |code: u32| (code != 0).then(|| text.value(code));
    let codes = rows.iter().map(|row| text.codes[*row as usize]);
    if text.values() > rows.len() {
        return Ok(pl::StringChunked::from_iter_options(name.into(), codes.map(cell)).into_column());
    }
    // Rows that share a text share its bytes.
    let count = u32::try_from(text.values()).unwrap_or(u32::MAX);
    let values = pl::StringChunked::from_iter_options(name.into(), (0..count).map(cell)).into_column();
    Ok(values.take(&pl::IdxCa::from_vec("rows".into(), codes.collect()))?)
}

/// The rows of a file, read as they are stored.
fn stored(
    file: &Path,
    columns: &[&'static str],
    wanted: impl Fn(Group<'_>) -> bool,
) -> Result<Part, EngineError> {
    part_of(file, columns, decode::read(file, columns, wanted).map_err(damaged)?)
}

/// The same of the rows that lie between those with one of these texts in a column, for files sorted by it.
pub(super) fn stored_near(
    file: &Path,
    columns: &[&'static str],
    key: &str,
    texts: &[String],
) -> Result<Part, EngineError> {
    part_of(file, columns, decode::read_near(file, columns, key, texts).map_err(damaged)?)
}

/// The rows of a file as they were read; Polars reads what patwatch did not write.
fn part_of(file: &Path, columns: &[&str], stored: Option<Stored>) -> Result<Part, EngineError> {
    let form = match stored {
        Some(stored) => Form::Stored(stored),
        None => Form::Frame(Table::read_known(file, columns).map_err(damaged)?.into_frame()),
    };
    Ok(Part { form, day: day_of_file(file) })
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

/// So many results may be ahead of the one that is taken, or one more than there are threads: they keep those busy, and
/// no more is in memory.
const AHEAD: usize = 4;

/// Makes results by several threads and takes them in order by this one, while those that follow are made.
fn in_order<T: Send, E>(
    count: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    if rayon::current_thread_index().is_some() {
        // One of the threads that would do the work must not wait for it.
        return (0..count).try_for_each(|at| take(make(at)));
    }
    let (send, receive) = std::sync::mpsc::channel();
    rayon::in_place_scope(|scope| {
        let begin = |at: usize| {
            let (send, make) = (send.clone(), &make);
            if at < count {
                scope.spawn(move |_| {
                    let made = std::panic::catch_unwind(AssertUnwindSafe(|| make(at)));
                    // Nobody takes it any more where one before it failed.
                    let _ = send.send((at, made));
                });
            }
        };
        let ahead = AHEAD.max(rayon::current_num_threads() + 1);
        (0..ahead).for_each(begin);
        let mut early = BTreeMap::new();
        for at in 0..count {
            while !early.contains_key(&at) {
                let Ok((at, made)) = receive.recv() else { return Ok(()) };
                early.insert(at, made);
            }
            match early.remove(&at) {
                Some(Ok(made)) => take(made)?,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => {}
            }
            begin(at + ahead);
        }
        Ok(())
    })
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

    /// The same, where row groups without any value in the text column `from` may be left out.
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
        let one = |at: usize| {
            let file = files[at];
            let part = match from {
                Some(from) if self.sees_whole(source, day_of_file(file)) => {
                    stored(file, columns, |group| !group.is_without(from))
                }
                _ => self.part(def, source, Some(file), columns),
            };
            part.map(|part| make(&part))
        };
        in_order(files.len(), one, |made| {
            take(made?);
            Ok(())
        })
    }

    /// Tells whether the run sees every row of a day's file; a fold of days holds nothing that a run does not see.
    fn sees_whole(&self, source: &Source, day: Option<Day>) -> bool {
        let (first, last) = (self.window.first_day(), day_of(self.window.as_of));
        let is_fold = source.cut == Cut::None && !source.files.is_empty();
        day.map_or(is_fold, |day| (source.cut == Cut::None || day >= first) && day < last)
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
            return stored(file, columns, |_| true);
        }
        // Through a plan, which cuts what the run does not see.
        let files: Vec<PathBuf> = file.into_iter().cloned().collect();
        let frame = if files.is_empty() { source.frame.clone() } else { tables::scan(def, &files)? };
        let source = Source { frame, files, cut: source.cut, needs_token: false };
        let frame = self.of_source(def, &source)?;
        let frame = frame.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
        let frame = guarded(|| Ok(frame.collect()?))?;
        Ok(Part { form: Form::Frame(frame), day })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_in_order_and_the_first_fault_ends_it() {
        let mut taken = Vec::new();
        let take = |n| {
            if n >= 60 {
                return Err(n);
            }
            taken.push(n);
            Ok(())
        };
        let made = in_order(50, |at| at * 2, take);
        assert_eq!((made, taken.len()), (Err(60), 30));
        assert!(taken.iter().enumerate().all(|(at, n)| at * 2 == *n));
        let inside = rayon::scope(|_| in_order(3, |at| at, |_| Err::<(), &str>("fault")));
        assert_eq!(inside, Err("fault"));
        let panics = std::panic::catch_unwind(|| in_order(9, |at| assert!(at < 5), |()| Ok::<(), ()>(())));
        assert!(panics.is_err());
    }
}

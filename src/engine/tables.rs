//! In-memory tables: plain Rust columns in, a typed table of the schema out.
//!
//! A column that is not given is filled with nulls of its type, so that callers give only what they know;
//! a column that the schema does not have, or of another type, is an error.

use super::days::damaged;
use super::rows::{Cell, Rows};
use super::schema::{self, Kind, TableDef};
use super::{Columns, EngineError, EngineErrorKind};
use crate::lake::decode;
use crate::model::event_id::EventId;
use crate::model::names::Names;
use crate::model::time::{Day, Micros};
use pl::{IntoColumn as _, IntoLazy as _, IntoSeries as _, NamedFrom as _, NewChunkedArray as _};
use polars::prelude as pl;
use polars_arrow::array::{MutableBinaryViewArray, Utf8ViewArray};
use std::path::PathBuf;

/// A table that can be registered with the engine.
#[derive(Clone)]
pub struct Table {
    pub(super) name: &'static str,
    pub(super) frame: pl::LazyFrame,
    /// Whether `token_id` is to be joined in: it was not given, but the credential was.
    pub(super) needs_token: bool,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Table {
    /// Builds a table of the schema from rows that an engine gave.
    ///
    /// # Errors
    /// When the schema has no such table.
    pub fn from_rows(name: &str, rows: &Rows) -> Result<Self, EngineError> {
        let mut builder = TableBuilder::new(name);
        for column in schema::table(name).into_iter().flat_map(|def| &def.columns) {
            let Some(cells) = rows.index(column.name).map(|at| &rows.cells[at]) else { continue };
            let at = 0..cells.len();
            let name = column.name;
            builder = match column.kind {
                Kind::Text => {
                    builder.text(name, cells.iter().map(|c| c.as_text().map(str::to_owned)).collect())
                }
                Kind::Int => builder.int(name, cells.iter().map(Cell::as_int).collect()),
                Kind::Float => builder.float(name, at.map(|row| rows.float(row, name)).collect()),
                Kind::Bool => builder.bool(name, at.map(|row| rows.bool(row, name)).collect()),
                Kind::Time => builder.time(name, cells.iter().map(Cell::as_time).collect()),
                Kind::Date => builder.date(name, at.map(|row| rows.date(row, name)).collect()),
            };
        }
        builder.build()
    }
}

/// Collects the columns of a table.
#[derive(Debug)]
pub struct TableBuilder {
    name: String,
    columns: Vec<(String, Kind, pl::Column)>,
}

macro_rules! adders {
    ($($(#[$doc:meta])* $name:ident($value:ty) $kind:ident => $make:expr;)+) => {
        impl TableBuilder {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, name: &str, values: Vec<Option<$value>>) -> Self {
                let make: fn(&str, Vec<Option<$value>>) -> pl::Series = $make;
                self.columns.push((name.to_owned(), Kind::$kind, make(name, values).into()));
                self
            })+
        }
    };
}

adders! {
    /// Adds a text column; empty text becomes null.
    text(String) Text => |name, values| {
        let values: Vec<Option<String>> = values.into_iter().map(|v| v.filter(|t| !t.is_empty())).collect();
        pl::Series::new(name.into(), values)
    };
    /// Adds an integer column.
    int(i64) Int => |name, values| pl::Series::new(name.into(), values);
    /// Adds a float column.
    float(f64) Float => |name, values| pl::Series::new(name.into(), values);
    /// Adds a column of flags.
    bool(bool) Bool => |name, values| pl::Series::new(name.into(), values);
    /// Adds a column of instants.
    time(Micros) Time => |name, values| retype(pl::Series::new(name.into(), values), Kind::Time);
    /// Adds a column of days.
    date(Day) Date => |name, values| retype(pl::Series::new(name.into(), values), Kind::Date);
}

/// The same numbers as instants or days; a cast between the two cannot fail.
fn retype(series: pl::Series, kind: Kind) -> pl::Series {
    series.cast(&dtype(kind)).unwrap_or(series)
}

impl TableBuilder {
    /// Starts a table of the schema.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), columns: Vec::new() }
    }

    /// Builds the table, with the schema's columns in the schema's order.
    ///
    /// # Errors
    /// When the schema has no such table or column, the types differ, or the columns differ in length.
    pub fn build(self) -> Result<Table, EngineError> {
        let fault = |text: String| {
            EngineError::new(EngineErrorKind::Schema, text, "Change the table, or src/engine/schema.rs.")
        };
        let def =
            schema::table(&self.name).ok_or_else(|| fault(format!("there is no table \"{}\"", self.name)))?;
        let height = self.columns.first().map_or(0, |(_, _, c)| c.len());
        let mut given = self.columns;
        let has = |name: &str| given.iter().any(|(n, ..)| n == name);
        let needs_token = has("credential") && !has("token_id") && def.column("token_id").is_some();
        for (name, kind, column) in &given {
            match def.column(name) {
                None => return Err(fault(format!("table {} has no column \"{name}\"", def.name))),
                Some(c) if c.kind != *kind => {
                    return Err(fault(format!(
                        "column {}.{name} is {}, not {}",
                        def.name,
                        c.kind.as_str(),
                        kind.as_str()
                    )));
                }
                Some(_) if column.len() != height => {
                    return Err(fault(format!(
                        "column {}.{name} has {} values where the first has {height}",
                        def.name,
                        column.len()
                    )));
                }
                Some(_) => {}
            }
        }
        let columns = def
            .columns
            .iter()
            .map(|c| match given.iter().position(|(name, ..)| name == c.name) {
                Some(i) => given.swap_remove(i).2,
                None => pl::Column::full_null(c.name.into(), height, &dtype(c.kind)),
            })
            .collect();
        let frame = pl::DataFrame::new(height, columns)?;
        Ok(Table { name: def.name, frame: frame.lazy(), needs_token })
    }
}

/// An empty table with the columns of the schema.
pub(super) fn empty(def: &TableDef) -> pl::LazyFrame {
    let columns: Vec<pl::Column> =
        def.columns.iter().map(|c| pl::Column::full_null(c.name.into(), 0, &dtype(c.kind))).collect();
    pl::DataFrame::new(0, columns).unwrap_or_default().lazy()
}

/// Scans Parquet files lazily, with the columns of the schema in its order. Files of a month and files of a day
/// hold different columns, so each kind is scanned by itself.
pub(super) fn scan(def: &TableDef, files: &[PathBuf]) -> Result<pl::LazyFrame, EngineError> {
    scan_all(def, files).map_err(|error| blame(error, files))
}

fn scan_all(def: &TableDef, files: &[PathBuf]) -> Result<pl::LazyFrame, EngineError> {
    let (months, days): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|file| {
        let folder = file.parent().and_then(|f| f.file_name()).and_then(|f| f.to_str());
        folder.is_some_and(|f| f.starts_with("month="))
    });
    match (months.is_empty(), days.is_empty()) {
        (true, true) => Ok(empty(def)),
        (false, true) => scan_alike(def, &months),
        (true, false) => scan_alike(def, &days),
        (false, false) => {
            Ok(pl::concat([scan_alike(def, &months)?, scan_alike(def, &days)?], pl::UnionArgs::default())?)
        }
    }
}

/// Names the damaged file behind an error, where there is one: the reader of scans names none.
pub(super) fn blame<'a>(error: EngineError, files: impl IntoIterator<Item = &'a PathBuf>) -> EngineError {
    // What is wrong with a query is no reason to read a whole lake.
    let of_a_file = |word: &&str| error.text.to_ascii_lowercase().contains(*word);
    let may_be =
        ["parquet", "decompress", "zstd", "corrupt", "utf8", "utf-8", "thrift", "gave up", "os error"];
    if error.kind == EngineErrorKind::Refused || !may_be.iter().any(of_a_file) {
        return error;
    }
    files.into_iter().find_map(|file| decode::check(file).err()).map_or(error, damaged)
}

/// Partition folders are not parsed: `org` is a stored text column, since `org=007` must stay text.
fn scan_alike(def: &TableDef, files: &[&PathBuf]) -> Result<pl::LazyFrame, EngineError> {
    let paths = files.iter().map(|f| pl::PlRefPath::try_from_path(f)).collect::<Result<Vec<_>, _>>()?;
    let args = pl::ScanArgsParquet {
        glob: false,
        hive_options: pl::HiveOptions { enabled: Some(false), ..pl::HiveOptions::default() },
        allow_missing_columns: true,
        ..pl::ScanArgsParquet::default()
    };
    let mut frame = pl::LazyFrame::scan_parquet_files(paths.into(), args)?;
    let found = frame.collect_schema()?;
    let columns: Vec<pl::Expr> = def
        .columns
        .iter()
        .map(|c| match found.get(c.name) {
            Some(d) if *d == dtype(c.kind) => pl::col(c.name),
            Some(_) => pl::col(c.name).cast(dtype(c.kind)),
            None => pl::lit(pl::NULL).cast(dtype(c.kind)).alias(c.name),
        })
        .collect();
    Ok(frame.select(columns))
}

/// The Polars type of a column.
pub(super) fn dtype(kind: Kind) -> pl::DataType {
    match kind {
        Kind::Bool => pl::DataType::Boolean,
        Kind::Int => pl::DataType::Int64,
        Kind::Float => pl::DataType::Float64,
        Kind::Text => pl::DataType::String,
        Kind::Time => pl::DataType::Datetime(pl::TimeUnit::Microseconds, None),
        Kind::Date => pl::DataType::Date,
    }
}

/// Frames with the same columns of a table as one; without any, an empty one with those that are wanted.
pub(super) fn stacked(
    def: &TableDef,
    wanted: &Columns,
    frames: impl IntoIterator<Item = pl::DataFrame>,
) -> Result<pl::DataFrame, EngineError> {
    let mut frames = frames.into_iter();
    let none = || {
        let columns = def.columns.iter().filter(|c| wanted.contains(c.name));
        pl::DataFrame::new(
            0,
            columns.map(|c| pl::Column::full_null(c.name.into(), 0, &dtype(c.kind))).collect(),
        )
    };
    let mut whole = frames.next().map_or_else(none, Ok)?;
    for frame in frames {
        whole.vstack_mut_owned(frame)?;
    }
    Ok(whole)
}

/// Every text of some names, by number.
pub(super) fn texts(names: &Names) -> pl::Series {
    pl::StringChunked::from_iter_values("texts".into(), names.texts()).into_series()
}

/// A text column of event ids; an empty one is null.
pub(super) fn ids<'a>(name: &str, ids: impl Iterator<Item = &'a EventId>) -> pl::Column {
    let mut texts = MutableBinaryViewArray::<str>::with_capacity(ids.size_hint().0);
    let mut room = [0; 36];
    for id in ids {
        match id.text(&mut room) {
            "" => texts.push_null(),
            text => texts.push_value(text),
        }
    }
    pl::StringChunked::with_chunk(name.into(), Utf8ViewArray::from(texts)).into_column()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::collect::collect;

    #[test]
    fn fills_and_refuses() {
        let table = TableBuilder::new("gaps").text("org", vec![Some("contoso".into()), None]).build();
        assert_eq!(collect(|| Ok(table.expect("fits").frame)).expect("collects").shape(), (2, 4));
        assert!(TableBuilder::new("gaps").text("organisation", vec![]).build().is_err());
        assert!(TableBuilder::new("gaps").int("org", vec![Some(1)]).build().is_err());
        assert!(TableBuilder::new("nothing").build().is_err());
        let uneven = TableBuilder::new("gaps").text("org", vec![None]).text("reason", vec![]);
        assert!(uneven.build().is_err());
    }
}

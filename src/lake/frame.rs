//! Columns to Parquet and back: the one place where the lake meets Polars.
//!
//! In: named columns of plain values. Out: a file written beside its target, synced and renamed, so that a
//! reader never sees half of one.

use super::LakeError;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, IntoColumn as _, NamedFrom as _, NewChunkedArray as _,
    ParquetCompression, ParquetReader, ParquetWriter, SerReader as _, Series, StatisticsOptions, TimeUnit,
};
use std::io::Write as _;
use std::path::Path;

/// Rows in a row group: small enough that one token's rows of a day touch one or two groups.
const ROW_GROUP: usize = 16_384;

/// A table being built, column by column.
#[derive(Debug, Default)]
pub struct Frame {
    columns: Vec<Column>,
    height: usize,
}

impl Frame {
    /// Starts a table of `height` rows.
    #[must_use]
    pub fn new(height: usize) -> Self {
        Self { columns: Vec::new(), height }
    }

    /// A table that exists already.
    pub(super) fn of(frame: DataFrame) -> Self {
        Self { height: frame.height(), columns: frame.into_columns() }
    }

    /// Adds text; an empty text becomes null.
    #[must_use]
    pub fn text<'a>(mut self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<Option<&str>> = values.map(|v| (!v.is_empty()).then_some(v)).collect();
        self.columns.push(Column::new(name.into(), values));
        self
    }

    /// Adds whole numbers.
    #[must_use]
    pub fn int(mut self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.columns.push(Column::new(name.into(), values.collect::<Vec<_>>()));
        self
    }

    /// Adds flags.
    #[must_use]
    pub fn flag(mut self, name: &str, values: impl Iterator<Item = Option<bool>>) -> Self {
        let values: Vec<Option<bool>> = values.collect();
        self.columns.push(BooleanChunked::from_slice_options(name.into(), &values).into_column());
        self
    }

    /// Adds instants.
    #[must_use]
    pub fn time(mut self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        let series = Series::new(name.into(), values.collect::<Vec<_>>());
        let kind = DataType::Datetime(TimeUnit::Microseconds, None);
        // The cast is between two readings of one integer and cannot fail.
        self.columns.push(series.cast(&kind).unwrap_or(series).into_column());
        self
    }

    /// Adds days.
    #[must_use]
    pub fn date(mut self, name: &str, values: impl Iterator<Item = Option<i32>>) -> Self {
        let series = Series::new(name.into(), values.collect::<Vec<_>>());
        self.columns.push(series.cast(&DataType::Date).unwrap_or(series).into_column());
        self
    }

    /// Writes the table to `path`, beside it first; returns the bytes written.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn write(self, path: &Path) -> Result<Vec<u8>, LakeError> {
        let bytes = self.to_bytes(path)?;
        write_atomically(path, &bytes)?;
        Ok(bytes)
    }

    /// Encodes the table as Parquet; `path` names it in errors.
    ///
    /// # Errors
    /// When columns differ in length, which is a fault of patwatch.
    pub fn to_bytes(self, path: &Path) -> Result<Vec<u8>, LakeError> {
        let mut frame =
            DataFrame::new(self.height, self.columns).map_err(|e| LakeError::columns(path, &e))?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(ZstdLevel::try_new(1).ok()))
            .with_statistics(StatisticsOptions::full())
            .with_row_group_size(Some(ROW_GROUP))
            .finish(&mut frame)
            .map_err(|e| LakeError::columns(path, &e))?;
        Ok(bytes)
    }
}

/// Writes `bytes` beside `path`, syncs, and renames into place.
///
/// # Errors
/// When the folder cannot be made or written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    let failed = |e| LakeError::io("write", path, e);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    super::make_folder(folder)?;
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// A table read back from Parquet.
#[derive(Debug)]
pub struct Table {
    frame: DataFrame,
}

impl Table {
    /// Reads the whole file.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read(path: &Path) -> Result<Self, LakeError> {
        let file = std::fs::File::open(path).map_err(|e| LakeError::io("read", path, e))?;
        let frame = ParquetReader::new(file).finish().map_err(|e| LakeError::columns(path, &e))?;
        Ok(Self { frame })
    }

    /// Reads some columns of the file.
    ///
    /// # Errors
    /// When it cannot be opened, is no Parquet or lacks a column.
    pub fn read_columns(path: &Path, columns: &[&str]) -> Result<Self, LakeError> {
        let file = std::fs::File::open(path).map_err(|e| LakeError::io("read", path, e))?;
        let frame = ParquetReader::new(file)
            .with_columns(Some(columns.iter().map(|c| (*c).to_owned()).collect()))
            .finish()
            .map_err(|e| LakeError::columns(path, &e))?;
        Ok(Self { frame })
    }

    /// Counts rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// Returns a text column; null reads as empty, and so does a column that an older version lacks.
    #[must_use]
    pub fn text(&self, name: &str) -> TextCells {
        TextCells { column: self.frame.column(name).ok().cloned(), height: self.height() }
    }

    /// Returns whole numbers, instants or days as integers.
    #[must_use]
    pub fn int(&self, name: &str) -> Vec<Option<i64>> {
        let cast = self.frame.column(name).ok().and_then(|c| c.cast(&DataType::Int64).ok());
        match cast.as_ref().and_then(|c| c.i64().ok()) {
            Some(values) => values.iter().collect(),
            None => vec![None; self.height()],
        }
    }

    /// Returns flags.
    #[must_use]
    pub fn flag(&self, name: &str) -> Vec<Option<bool>> {
        match self.frame.column(name).ok().and_then(|c| c.bool().ok()) {
            Some(values) => values.iter().collect(),
            None => vec![None; self.height()],
        }
    }
}

/// The cells of one text column.
#[derive(Debug)]
pub struct TextCells {
    column: Option<Column>,
    height: usize,
}

impl TextCells {
    /// Returns the cells, null as empty text.
    #[must_use]
    pub fn cells(&self) -> Vec<&str> {
        match self.column.as_ref().and_then(|c| c.str().ok()) {
            Some(values) => values.iter().map(Option::unwrap_or_default).collect(),
            None => vec![""; self.height],
        }
    }
}

//! Columns to Parquet and back: the one place where the lake meets Polars.
//!
//! In: named columns of plain values. Out: a file written beside its target, synced and renamed, so that a
//! reader never sees half of one.

use super::{LakeError, pages};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use polars::prelude::{
    Column, DataFrame, DataType, ParallelStrategy, ParquetReader, PolarsError, SerReader as _,
};
use polars_arrow::array::{
    Array, BooleanArray, DictionaryArray, MutableArray as _, MutableBinaryViewArray, PrimitiveArray,
};
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, IntegerType, TimeUnit};
use polars_parquet::write::{
    CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, StatisticsOptions, Version,
    WriteOptions, array_to_columns,
};
use std::hash::BuildHasher as _;
use std::io::Write as _;
use std::path::Path;

/// Rows in a row group: small enough that one token's rows of a day touch one or two groups.
const ROW_GROUP: usize = 16_384;

type Arrays = Vec<Box<dyn Array>>;

/// A table being built, column by column.
#[derive(Debug, Default)]
pub struct Frame {
    columns: Vec<(Field, Statistics, Arrays)>,
    height: usize,
}

/// What a reader can learn of a column without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistics {
    /// Least, greatest, and how many are null.
    Full,
    /// How many are null: long texts are not searched by range.
    Nulls,
}

impl Frame {
    /// Starts a table of `height` rows.
    #[must_use]
    pub fn new(height: usize) -> Self {
        Self { columns: Vec::new(), height }
    }

    /// Adds text; an empty text becomes null.
    #[must_use]
    pub fn text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        let arrays =
            values.chunks(ROW_GROUP).map(|rows| by_value(rows).unwrap_or_else(|| plain(rows))).collect();
        self.add(name, ArrowDataType::Utf8View, Statistics::Full, arrays)
    }

    /// Adds text that seldom repeats and is long; an empty text becomes null.
    #[must_use]
    pub fn long_text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        let arrays = values.chunks(ROW_GROUP).map(plain).collect();
        self.add(name, ArrowDataType::Utf8View, Statistics::Nulls, arrays)
    }

    /// Adds text that never repeats or nearly so; an empty text becomes null.
    #[must_use]
    pub fn unique_text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        let arrays = values.chunks(ROW_GROUP).map(plain).collect();
        self.add(name, ArrowDataType::Utf8View, Statistics::Full, arrays)
    }

    /// Adds text as codes, each an index into `values`; an empty text becomes null.
    #[must_use]
    pub fn coded_text<V: AsRef<str>>(self, name: &str, codes: &[u32], values: &[V]) -> Self {
        let mut local = vec![u32::MAX; values.len()];
        let arrays = codes.chunks(ROW_GROUP).map(|rows| by_code(rows, values, &mut local)).collect();
        self.add(name, ArrowDataType::Utf8View, Statistics::Full, arrays)
    }

    /// Adds text of which most rows have none: `cells` are those that have, by row, in order.
    #[must_use]
    pub fn sparse_text<V: AsRef<str>>(self, name: &str, cells: &[(usize, V)]) -> Self {
        let height = self.height;
        if cells.len() > height / 4 {
            let mut values = vec![""; height];
            for (row, text) in cells {
                values[*row] = text.as_ref();
            }
            return self.text(name, values.into_iter());
        }
        let mut rest = cells;
        let arrays = (0..height).step_by(ROW_GROUP).map(|start| {
            let rows = ROW_GROUP.min(height - start);
            let own = rest.partition_point(|(row, _)| *row < start + rows);
            let (now, later) = rest.split_at(own);
            rest = later;
            sparse(rows, start, now)
        });
        let arrays = arrays.collect();
        self.add(name, ArrowDataType::Utf8View, Statistics::Full, arrays)
    }

    /// Adds whole numbers.
    #[must_use]
    pub fn int(self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.numbers(name, ArrowDataType::Int64, values)
    }

    /// Adds flags.
    #[must_use]
    pub fn flag(self, name: &str, values: impl Iterator<Item = Option<bool>>) -> Self {
        let values: Vec<Option<bool>> = values.collect();
        let boxed = |rows: &[Option<bool>]| -> Box<dyn Array> { Box::new(BooleanArray::from(rows)) };
        let arrays = values.chunks(ROW_GROUP).map(boxed).collect();
        self.add(name, ArrowDataType::Boolean, Statistics::Full, arrays)
    }

    /// Adds instants.
    #[must_use]
    pub fn time(self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.numbers(name, ArrowDataType::Timestamp(TimeUnit::Microsecond, None), values)
    }

    /// Adds days.
    #[must_use]
    pub fn date(self, name: &str, values: impl Iterator<Item = Option<i32>>) -> Self {
        let values: Vec<Option<i32>> = values.collect();
        let boxed = |rows: &[Option<i32>]| -> Box<dyn Array> {
            Box::new(PrimitiveArray::<i32>::from(rows).to(ArrowDataType::Date32))
        };
        let arrays = values.chunks(ROW_GROUP).map(boxed).collect();
        self.add(name, ArrowDataType::Date32, Statistics::Full, arrays)
    }

    fn numbers(self, name: &str, kind: ArrowDataType, values: impl Iterator<Item = Option<i64>>) -> Self {
        let values: Vec<Option<i64>> = values.collect();
        let boxed = |rows: &[Option<i64>]| -> Box<dyn Array> {
            Box::new(PrimitiveArray::<i64>::from(rows).to(kind.clone()))
        };
        let arrays = values.chunks(ROW_GROUP).map(boxed).collect();
        self.add(name, kind.clone(), Statistics::Full, arrays)
    }

    fn add(mut self, name: &str, kind: ArrowDataType, statistics: Statistics, arrays: Arrays) -> Self {
        self.columns.push((Field::new(name.into(), kind, true), statistics, arrays));
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
        let failed = |why: String| LakeError::Damaged { path: path.to_owned(), why };
        let options = |statistics| WriteOptions {
            statistics: StatisticsOptions {
                min_value: statistics == Statistics::Full,
                max_value: statistics == Statistics::Full,
                distinct_count: false,
                null_count: true,
                binary_statistics_truncate_length: None,
            },
            version: Version::V1,
            // Told by each page; see `pages`.
            compression: CompressionOptions::Uncompressed,
            data_page_size: None,
        };
        let schema: ArrowSchema = self.columns.iter().map(|(field, ..)| field.clone()).collect();
        let mut file = FileWriter::try_new(Vec::new(), schema, options(Statistics::Full))
            .map_err(|e| failed(e.to_string()))?;
        let types = file.parquet_schema().fields().to_vec();
        for (group, start) in (0..self.height).step_by(ROW_GROUP).enumerate() {
            let rows = ROW_GROUP.min(self.height - start);
            let mut columns = Vec::with_capacity(self.columns.len());
            for ((field, statistics, arrays), kind) in self.columns.iter().zip(&types) {
                let array = arrays.get(group).filter(|array| array.len() == rows);
                let array = array.ok_or_else(|| failed(format!("column {} has other rows", field.name)))?;
                let coded = matches!(array.dtype(), ArrowDataType::Dictionary(..));
                // Numbers are tried as a dictionary by the writer itself.
                let texts = matches!(array.dtype(), ArrowDataType::Utf8View | ArrowDataType::Boolean);
                let encoding = if coded || !texts { Encoding::RleDictionary } else { Encoding::Plain };
                let options = options(*statistics);
                let pages = array_to_columns(array, kind.clone(), options, &[encoding])
                    .map_err(|e| failed(e.to_string()))?;
                for pages in pages {
                    let packed = pages::pack(pages).map_err(|e| failed(e.to_string()))?;
                    columns.push(Ok(DynStreamingIterator::new(packed)));
                }
            }
            file.write(rows as u64, DynIter::new(columns.into_iter())).map_err(|e| failed(e.to_string()))?;
        }
        file.end(None).map_err(|e| failed(e.to_string()))?;
        Ok(file.into_inner())
    }
}

/// Rows as they stand.
fn plain(rows: &[&str]) -> Box<dyn Array> {
    let mut array = MutableBinaryViewArray::<str>::with_capacity(rows.len());
    for row in rows {
        array.push((!row.is_empty()).then_some(*row));
    }
    array.freeze().boxed()
}

/// Rows as a dictionary in order of first appearance; nothing where most differ, which is then no gain.
fn by_value(rows: &[&str]) -> Option<Box<dyn Array>> {
    let hasher = DefaultHashBuilder::default();
    let mut index: HashTable<u32> = HashTable::new();
    // Null is code 0, so that a column of nulls costs no hashing.
    let mut values: Vec<&str> = vec![""];
    let mut keys = Vec::with_capacity(rows.len());
    let mut last = ("", 0);
    for row in rows {
        if row.is_empty() {
            keys.push(0);
            continue;
        }
        if *row == last.0 {
            keys.push(last.1);
            continue;
        }
        let hash = hasher.hash_one(*row);
        let found = index.find(hash, |&code| values[code as usize] == *row).copied();
        let code = match found {
            Some(code) => code,
            None if values.len() > 64 && values.len() * 2 > rows.len() => return None,
            None => {
                let code = u32::try_from(values.len()).unwrap_or(u32::MAX);
                values.push(row);
                index.insert_unique(hash, code, |&code| hasher.hash_one(values[code as usize]));
                code
            }
        };
        last = (row, code);
        keys.push(code);
    }
    let mut local = vec![u32::MAX; values.len()];
    Some(by_code(&keys, &values, &mut local))
}

/// Rows from `start` on as a dictionary; those that `cells` leave out are null.
fn sparse<V: AsRef<str>>(rows: usize, start: usize, cells: &[(usize, V)]) -> Box<dyn Array> {
    let mut keys = vec![0; rows];
    let mut valid = MutableBitmap::from_len_zeroed(rows);
    let mut index: HashMap<&str, u32> = HashMap::new();
    let mut texts = MutableBinaryViewArray::<str>::new();
    for (row, text) in cells.iter().map(|(row, text)| (row - start, text.as_ref())) {
        keys[row] = *index.entry(text).or_insert_with(|| {
            texts.push(Some(text));
            u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
        });
        valid.set(row, true);
    }
    dictionary(keys, Some(valid.into()), texts)
}

/// Rows as a dictionary, from the codes of a greater one; `local` holds `u32::MAX` for each of its values.
fn by_code<V: AsRef<str>>(rows: &[u32], values: &[V], local: &mut [u32]) -> Box<dyn Array> {
    let mut used: Vec<u32> = Vec::new();
    let mut texts = MutableBinaryViewArray::<str>::new();
    let mut keys: Vec<u32> = Vec::with_capacity(rows.len());
    let mut nulls = None;
    for &code in rows {
        let slot = &mut local[code as usize];
        if *slot == u32::MAX {
            let text = values[code as usize].as_ref();
            used.push(code);
            if text.is_empty() {
                nulls = Some(code);
                *slot = 0;
            } else {
                *slot = u32::try_from(texts.len()).unwrap_or(u32::MAX);
                texts.push(Some(text));
            }
        }
        keys.push(*slot);
    }
    for code in used {
        local[code as usize] = u32::MAX;
    }
    let valid = nulls.map(|null| rows.iter().map(|&code| code != null).collect::<Bitmap>());
    dictionary(keys, valid, texts)
}

fn dictionary(
    keys: Vec<u32>,
    valid: Option<Bitmap>,
    mut texts: MutableBinaryViewArray<str>,
) -> Box<dyn Array> {
    if texts.is_empty() {
        // A key must point somewhere, even where every row is null.
        texts.push(Some(""));
    }
    let (texts, keys) = (texts.freeze(), PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), valid));
    let kind = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::Utf8View), false);
    match DictionaryArray::try_new(kind, keys.clone(), texts.clone().boxed()) {
        Ok(array) => array.boxed(),
        // Every key was made beside its text; the plain form holds the same rows.
        Err(_) => {
            let text = |key: Option<&u32>| key.and_then(|key| texts.get(*key as usize)).unwrap_or_default();
            plain(&keys.iter().map(text).collect::<Vec<_>>())
        }
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

    /// Columns that were computed.
    pub(super) fn of(frame: DataFrame) -> Self {
        Self { frame }
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

    /// Reads some columns of the file, those that it has, in the calling thread: for callers that read many files
    /// at a time.
    ///
    /// # Errors
    /// When it cannot be opened or is no Parquet.
    pub fn read_known(path: &Path, columns: &[&str]) -> Result<Self, LakeError> {
        let failed = |e: PolarsError| LakeError::columns(path, &e);
        let file = std::fs::File::open(path).map_err(|e| LakeError::io("read", path, e))?;
        let mut reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
        let schema = reader.schema().map_err(failed)?;
        let known = columns.iter().filter(|c| schema.get(c).is_some()).map(|c| (*c).to_owned()).collect();
        let frame = reader.with_columns(Some(known)).finish().map_err(failed)?;
        Ok(Self { frame })
    }

    /// Gives the columns to the engine.
    pub(crate) fn into_frame(self) -> DataFrame {
        self.frame
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

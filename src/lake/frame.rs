//! Columns to Parquet.
//!
//! In: named columns of plain values. Out: a file written beside its target, synced and renamed, so that a
//! reader never sees half of one.

use super::LakeError;
use super::encode::{self, Statistics};
use super::pages::{self, Content, Pages};
use crate::model::hash::Hashed;
use hashbrown::{DefaultHashBuilder, HashTable};
use polars::prelude::PolarsResult;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, TimeUnit};
use polars_parquet::parquet::schema::types::{ParquetType, PrimitiveType};
use polars_parquet::write::{
    CompressionOptions, DynIter, DynStreamingIterator, FileWriter, Page, StatisticsOptions, Version,
    WriteOptions, to_parquet_type,
};
use std::hash::BuildHasher as _;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Rows in a row group: small enough that one token's rows of a day touch one or two groups.
const ROW_GROUP: usize = 16_384;

/// A table being built, column by column; each is encoded and compressed when it is added.
#[derive(Debug, Default)]
pub struct Frame {
    /// Each with its row groups.
    columns: Vec<(Field, Vec<Pages>)>,
    height: usize,
    /// The first fault, told when the table is written.
    fault: Option<String>,
}

impl Frame {
    /// Starts a table of `height` rows.
    #[must_use]
    pub fn new(height: usize) -> Self {
        Self { height, ..Self::default() }
    }

    /// Adds text; an empty text becomes null.
    #[must_use]
    pub fn text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        self.add(name, ArrowDataType::Utf8View, &values, |rows, kind| match by_value(rows) {
            Some((codes, values)) => encode::coded(&codes, &values, &mut vec![u32::MAX; values.len()], kind),
            None => encode::plain(rows, Statistics::Full, kind),
        })
    }

    /// Adds text that seldom repeats and is long; an empty text becomes null.
    #[must_use]
    pub fn long_text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        let encode = |rows: &[&str], kind: &_| encode::plain(rows, Statistics::Nulls, kind);
        self.add(name, ArrowDataType::Utf8View, &values, encode)
    }

    /// Adds text that never repeats or nearly so; an empty text becomes null.
    #[must_use]
    pub fn unique_text<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.collect();
        let kind = ArrowDataType::Utf8View;
        self.add_groups(name, kind, values.len(), Content::Ids, |start, count, kind| {
            encode::plain(&values[start..start + count], Statistics::Full, kind)
        })
    }

    /// Adds text as codes, each an index into `values`; an empty text becomes null.
    #[must_use]
    pub fn coded_text<V: AsRef<str>>(self, name: &str, codes: &[u32], values: &[V]) -> Self {
        let mut local = vec![u32::MAX; values.len()];
        self.add(name, ArrowDataType::Utf8View, codes, |rows, kind| {
            encode::coded(rows, values, &mut local, kind)
        })
    }

    /// Adds the same text to every row.
    #[must_use]
    pub fn same_text(self, name: &str, text: &str) -> Self {
        let codes = vec![0; self.height];
        self.coded_text(name, &codes, &[text])
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
        self.add_groups(name, ArrowDataType::Utf8View, height, Content::Any, |start, rows, kind| {
            let (now, later) = rest.split_at(rest.partition_point(|(row, _)| *row < start + rows));
            rest = later;
            encode::sparse(rows, start, now, kind)
        })
    }

    /// Adds whole numbers.
    #[must_use]
    pub fn int(self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.add(name, ArrowDataType::Int64, &values.collect::<Vec<_>>(), encode::numbers)
    }

    /// Adds flags.
    #[must_use]
    pub fn flag(self, name: &str, values: impl Iterator<Item = Option<bool>>) -> Self {
        self.add(name, ArrowDataType::Boolean, &values.collect::<Vec<_>>(), encode::flags)
    }

    /// Adds instants.
    #[must_use]
    pub fn time(self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Self {
        let kind = ArrowDataType::Timestamp(TimeUnit::Microsecond, None);
        self.add(name, kind, &values.collect::<Vec<_>>(), encode::numbers)
    }

    /// Adds days.
    #[must_use]
    pub fn date(self, name: &str, values: impl Iterator<Item = Option<i32>>) -> Self {
        self.add(name, ArrowDataType::Date32, &values.collect::<Vec<_>>(), encode::numbers)
    }

    fn add<T>(
        self,
        name: &str,
        kind: ArrowDataType,
        rows: &[T],
        mut encode: impl FnMut(&[T], &PrimitiveType) -> PolarsResult<Vec<Page>>,
    ) -> Self {
        self.add_groups(name, kind, rows.len(), Content::Any, |start, count, kind| {
            encode(&rows[start..start + count], kind)
        })
    }

    /// Adds a column of `height` rows, row group by row group.
    fn add_groups(
        mut self,
        name: &str,
        kind: ArrowDataType,
        height: usize,
        content: Content,
        mut encode: impl FnMut(usize, usize, &PrimitiveType) -> PolarsResult<Vec<Page>>,
    ) -> Self {
        let field = Field::new(name.into(), kind, true);
        if height != self.height {
            let fault = || format!("column {name} has {height} rows, not {}", self.height);
            self.fault.get_or_insert_with(fault);
            return self;
        }
        let groups = to_parquet_type(&field).and_then(|kind| match kind {
            ParquetType::PrimitiveType(kind) => (0..height)
                .step_by(ROW_GROUP)
                .map(|start| {
                    encode(start, ROW_GROUP.min(height - start), &kind)
                        .and_then(|pages| pages::pack(pages, content))
                })
                .collect(),
            ParquetType::GroupType { .. } => Ok(Vec::new()),
        });
        match groups {
            Ok(groups) => self.columns.push((field, groups)),
            Err(error) => drop(self.fault.get_or_insert_with(|| format!("column {name}: {error}"))),
        }
        self
    }

    /// Writes the table to `path`, beside it first.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn write(self, path: &Path) -> Result<(), LakeError> {
        replace(path, |file| {
            let mut file = self.put(BufWriter::with_capacity(BUFFER, file), path)?;
            file.flush().map_err(|e| LakeError::io("write", path, e))
        })
    }

    /// Writes the table to `path`, beside it first; returns the SHA-256 of the file in hex.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn write_hashed(self, path: &Path) -> Result<String, LakeError> {
        replace(path, |file| {
            let hashed = self.put(Hashed::new(BufWriter::with_capacity(BUFFER, file)), path)?;
            let (mut file, sha256, _) = hashed.finish();
            file.flush().map_err(|e| LakeError::io("write", path, e))?;
            Ok(sha256)
        })
    }

    /// Puts the table together as Parquet; `path` names it in errors.
    ///
    /// # Errors
    /// When columns differ in length, which is a fault of patwatch.
    pub fn to_bytes(self, path: &Path) -> Result<Vec<u8>, LakeError> {
        self.put(Vec::new(), path)
    }

    fn put<W: Write>(self, to: W, path: &Path) -> Result<W, LakeError> {
        if let Some(fault) = self.fault {
            return Err(LakeError::Damaged { path: path.to_owned(), why: fault });
        }
        let failed = |why: String| LakeError::io("write", path, said(&why));
        let options = WriteOptions {
            // Told by each page; see `encode`.
            statistics: StatisticsOptions::full(),
            version: Version::V1,
            // Told by each page; see `pages`.
            compression: CompressionOptions::Uncompressed,
            data_page_size: None,
        };
        let schema: ArrowSchema = self.columns.iter().map(|(field, _)| field.clone()).collect();
        let mut file = FileWriter::try_new(to, schema, options).map_err(|e| failed(e.to_string()))?;
        let mut columns: Vec<_> = self.columns.into_iter().map(|(_, groups)| groups.into_iter()).collect();
        for start in (0..self.height).step_by(ROW_GROUP) {
            let rows = ROW_GROUP.min(self.height - start);
            let group = columns.iter_mut().filter_map(|groups| groups.next());
            let group: Vec<_> = group.map(|pages| Ok(DynStreamingIterator::new(pages))).collect();
            file.write(rows as u64, DynIter::new(group.into_iter())).map_err(|e| failed(e.to_string()))?;
        }
        file.end(None).map_err(|e| failed(e.to_string()))?;
        Ok(file.into_inner())
    }
}

/// Small writes, such as headers of pages, are gathered up to so many bytes.
const BUFFER: usize = 1 << 16;

/// Rows as codes in order of first appearance, with the texts; nothing where most differ, which is then no gain.
fn by_value<'a>(rows: &[&'a str]) -> Option<(Vec<u32>, Vec<&'a str>)> {
    let hasher = DefaultHashBuilder::default();
    let mut index: HashTable<u32> = HashTable::new();
    // Null is code 0, so that a column of nulls costs no hashing.
    let mut values: Vec<&str> = vec![""];
    let mut keys = Vec::with_capacity(rows.len());
    let mut last = ("", 0);
    for row in rows {
        if *row == last.0 {
            keys.push(last.1);
            continue;
        }
        if row.is_empty() {
            keys.push(0);
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
    Some((keys, values))
}

/// What the system said of a write, which the Parquet writer takes for a fault of the file and hands on as text.
fn said(why: &str) -> std::io::Error {
    let said = why.split_once("underlying IO error: ").map_or(why, |(_, said)| said);
    let code = said.split_once("(os error ").and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
    code.map_or_else(|| std::io::Error::other(said), std::io::Error::from_raw_os_error)
}

/// Writes `bytes` beside `path`, syncs, and renames into place.
///
/// # Errors
/// When the folder cannot be made or written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    replace(path, |file| file.write_all(bytes).map_err(|e| LakeError::io("write", path, e)))
}

/// Moves a file that is written into its place.
pub(super) fn move_file(from: &Path, to: &Path) -> Result<(), LakeError> {
    to.parent().map_or(Ok(()), super::make_folder)?;
    std::fs::rename(from, to).map_err(|e| LakeError::io("write", to, e))
}

/// Has a file written beside `path`, syncs it, and renames it into place.
fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> Result<T, LakeError>,
) -> Result<T, LakeError> {
    let failed = |e| LakeError::io("write", path, e);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    super::make_folder(folder)?;
    let mut file =
        tempfile::Builder::new().prefix(super::leftovers::WRITING).tempfile_in(folder).map_err(failed)?;
    let written = write(file.as_file_mut())?;
    #[cfg(test)]
    small_disk::check(path).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(written)
}

/// A disk of few bytes, for tests: what lies below a folder may not grow beyond it.
#[cfg(test)]
pub(super) mod small_disk {
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, PoisonError};

    static DISKS: Mutex<Vec<(PathBuf, u64)>> = Mutex::new(Vec::new());

    /// Gives the folder `bytes` more than it has now.
    pub fn leave(root: &Path, bytes: u64) {
        let size = size(root) + bytes;
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|(known, _)| known != root);
        disks.push((root.to_owned(), size));
    }

    /// Refuses a file that has just been written and does not fit any more.
    pub(super) fn check(path: &Path) -> std::io::Result<()> {
        let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        let full = disks.iter().any(|(root, most)| path.starts_with(root) && size(root) > *most);
        // As Linux says it.
        if full { Err(std::io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }

    fn size(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let of =
            |path: PathBuf| if path.is_dir() { size(&path) } else { path.metadata().map_or(0, |m| m.len()) };
        entries.map(|entry| of(entry.path())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with no room left.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(28))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_called_so() {
        let error = Frame::new(0).put(Full, Path::new("x.parquet")).map(drop).expect_err("no room");
        let text = error.to_string();
        assert!(text.starts_with("cannot write x.parquet: "), "{text}");
        assert!(text.contains("os error 28") && !text.contains("damaged"), "{text}");
    }
}

//! Reads a day from the first row on that has a value in a column.
//!
//! In: a day file, which lies sorted by credential. Out: its rows without those that nobody's credential made; row groups
//! of such rows alone are not read at all.

use super::LakeError;
use super::frame::Table;
use polars::prelude::{ParallelStrategy, ParquetReader, PolarsError, SerReader as _};
use std::path::Path;

/// Reads some columns of the file, those that it has, from the first row on that has a value in `column`.
///
/// # Errors
/// When it cannot be opened or is no Parquet.
pub fn read(path: &Path, columns: &[&str], column: &str) -> Result<Table, LakeError> {
    let failed = |e: PolarsError| LakeError::columns(path, &e);
    let first = Table::read_known(path, &[column])?.text(column);
    let cells = first.cells();
    let Some(skip) = cells.iter().position(|cell| !cell.is_empty()) else {
        return Table::read_known(path, columns);
    };
    let file = std::fs::File::open(path).map_err(|e| LakeError::io("read", path, e))?;
    let mut reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
    let schema = reader.schema().map_err(failed)?;
    let known = columns.iter().filter(|c| schema.get(c).is_some()).map(|c| (*c).to_owned()).collect();
    let reader = reader.with_columns(Some(known)).with_slice(Some((skip, cells.len() - skip)));
    Ok(Table::of(reader.finish().map_err(failed)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::frame::Frame;

    #[test]
    fn rows_before_the_first_value_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for (none, some) in [(0, 3), (5, 0), (40_000, 2), (16_384, 20_000)] {
            let path = folder.path().join("x.parquet");
            let text = |n: usize| if n < none { "" } else { "c" };
            let rows = none + some;
            let numbers = (0..rows).map(|n| i64::try_from(n).ok());
            let frame = Frame::new(rows).text("credential", (0..rows).map(text)).int("n", numbers);
            frame.write(&path).unwrap();
            let table = read(&path, &["n", "lacking"], "credential").unwrap();
            let left = if some == 0 { 0 } else { none };
            assert_eq!(table.int("n"), (left..rows).map(|n| i64::try_from(n).ok()).collect::<Vec<_>>());
        }
    }
}

//! Parquet pages to rows: the way back from [`super::encode`].
//!
//! In: a file of the lake, names of columns, and which row groups are worth reading. Out: its columns as they are stored.
//! Written by hand because most columns are dictionaries: a reader that makes rows of text of them, a view each, leaves
//! millions of rows to be numbered again.

mod pages;

use super::LakeError;
use super::columns::{Cells, Columns};
use pages::{Column, Stop, code};
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, FileMetadata, RowGroupMetadata};
use polars_parquet::parquet::read::read_metadata;
use polars_parquet::parquet::statistics::Statistics;
use std::fs::File;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// What the footer tells of a row group.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    group: &'a RowGroupMetadata,
    footer: &'a [u8],
}

impl Group<'_> {
    fn told(&self, column: &str) -> Option<Statistics> {
        let one = self.group.parquet_columns().iter().find(|c| name(c) == column)?;
        one.statistics(self.footer)?.ok()
    }

    /// Tells whether no row has a value in a text column.
    #[must_use]
    pub fn is_without(&self, column: &str) -> bool {
        let Some(Statistics::Binary(told)) = self.told(column) else { return false };
        told.null_count.is_some_and(|nulls| usize::try_from(nulls) == Ok(self.group.num_rows()))
    }

    /// Tells whether a row may have one of these in a text column.
    #[must_use]
    pub fn may_hold(&self, column: &str, texts: &[String]) -> bool {
        let Some(Statistics::Binary(told)) = self.told(column) else { return true };
        let (Some(least), Some(most)) = (told.min_value, told.max_value) else { return true };
        texts.iter().any(|text| least.as_slice() <= text.as_bytes() && text.as_bytes() <= most.as_slice())
    }
}

fn name(column: &ColumnChunkMetadata) -> &str {
    column.descriptor().path_in_schema.first().map_or("", |name| name.as_str())
}

/// Reads some columns of a file, those that it has, of the row groups that are wanted; nothing where another program
/// wrote it in a way that patwatch does not.
///
/// # Errors
/// When it cannot be opened or is no Parquet.
pub fn read(
    path: &Path,
    names: &[&str],
    wanted: impl Fn(Group<'_>) -> bool,
) -> Result<Option<Columns>, LakeError> {
    told(path, |file| {
        let footer = read_metadata(file)?;
        let groups = groups(&footer, wanted).map(|group| (group, 0..group.num_rows())).collect();
        read_from(file, &footer, names, groups)
    })
}

/// Reads a whole file and forgets it: for whoever has to know which of many is damaged.
///
/// # Errors
/// When it cannot be opened, is no Parquet, or a column of it cannot be read.
pub fn check(path: &Path) -> Result<(), LakeError> {
    told(path, |file| {
        let footer = read_metadata(file)?;
        let columns = footer.schema_descr.columns().iter();
        let names: Vec<&str> =
            columns.filter_map(|c| c.path_in_schema.first()).map(|name| name.as_str()).collect();
        let groups = groups(&footer, |_| true).map(|group| (group, 0..group.num_rows())).collect();
        read_from(file, &footer, &names, groups)
    })
    .map(|_| ())
}

/// Counts the rows of a file, as its footer tells.
///
/// # Errors
/// When it cannot be opened or is no Parquet.
pub fn count(path: &Path) -> Result<usize, LakeError> {
    let footer = |file: &mut File| Ok(Columns { height: read_metadata(file)?.num_rows, columns: Vec::new() });
    Ok(told(path, footer)?.map_or(0, |columns| columns.height()))
}

/// Reads some columns of the rows from the first to the last of a row group with one of these texts in the column `key`;
/// where rows are sorted by it those are all that have one, and few others.
///
/// # Errors
/// When it cannot be opened or is no Parquet.
pub fn read_near(
    path: &Path,
    names: &[&str],
    key: &str,
    texts: &[String],
) -> Result<Option<Columns>, LakeError> {
    told(path, |file| {
        let footer = read_metadata(file)?;
        let mut chosen = Vec::new();
        for group in groups(&footer, |group| group.may_hold(key, texts)) {
            let own = read_from(file, &footer, &[key], vec![(group, 0..group.num_rows())])?;
            let Some(Cells::Text(own)) = own.get(key) else { return Err(Stop::Foreign) };
            let count = code(own.values())?;
            let asked: Vec<bool> =
                (0..count).map(|code| texts.iter().any(|t| t == own.value(code))).collect();
            let has = |code: &u32| asked[*code as usize];
            if let (Some(first), Some(last)) =
                (own.codes.iter().position(has), own.codes.iter().rposition(has))
            {
                chosen.push((group, first..last + 1));
            }
        }
        read_from(file, &footer, names, chosen)
    })
}

fn told(
    path: &Path,
    read: impl FnOnce(&mut File) -> Result<Columns, Stop>,
) -> Result<Option<Columns>, LakeError> {
    let mut file = File::open(path).map_err(|e| LakeError::io("read", path, e))?;
    // The reader of pages takes what a footer says for granted.
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| read(&mut file)));
    match read.unwrap_or_else(|_| Err(Stop::Damaged("what it says of itself makes no sense".to_owned()))) {
        Ok(columns) => Ok(Some(columns)),
        Err(Stop::Foreign) => Ok(None),
        Err(Stop::Damaged(why)) => Err(LakeError::Damaged { path: path.to_owned(), why }),
    }
}

fn groups(
    footer: &FileMetadata,
    wanted: impl Fn(Group<'_>) -> bool,
) -> impl Iterator<Item = &RowGroupMetadata> {
    let told = |group| Group { group, footer: &footer.footer_buf };
    footer.row_groups.iter().filter(move |group| wanted(told(group)))
}

/// Reads some columns of some rows of each row group.
fn read_from(
    file: &mut File,
    footer: &FileMetadata,
    names: &[&str],
    groups: Vec<(&RowGroupMetadata, Range<usize>)>,
) -> Result<Columns, Stop> {
    let height: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let mut all = Columns { height, columns: Vec::new() };
    let known = footer.schema_descr.columns();
    for name in names {
        let own = |place: &usize| known[*place].path_in_schema.first().is_some_and(|own| own == name);
        let Some(place) = (0..known.len()).find(own) else { continue };
        let kind = known[place].descriptor.primitive_type.physical_type;
        let mut column = Column::new(kind, height)?;
        for (group, rows) in &groups {
            let after = column.height() + rows.len();
            column.add(file, group.parquet_columns().get(place).ok_or(Stop::Foreign)?, rows)?;
            if column.height() != after {
                return Err(Stop::Damaged(format!("the rows of column {name} do not add up")));
            }
        }
        let cells = column.finish().ok_or_else(|| Stop::Damaged(format!("column {name} is no text")))?;
        all.columns.push(((*name).to_owned(), cells));
    }
    // Without a column nothing shows that there are as many rows as the file says.
    if all.columns.is_empty() && height > 0 {
        return Err(Stop::Damaged(format!("it has none of the columns {}", names.join(", "))));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;

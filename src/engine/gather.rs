//! Some rows of a table as a frame that a query can read.
//!
//! In: a table as it is stored, the numbers of rows, the columns that are wanted. Out: a frame of the schema, in which rows
//! that share a text share its bytes.

use super::attributed::Tokens;
use super::{Columns, EngineError, schema, tables};
use crate::lake::columns::Cells;
use crate::lake::table::{Form, Table};
use pl::{IntoColumn as _, NewChunkedArray as _};
use polars::prelude as pl;
use polars_arrow::array::Utf8ViewArray;

/// Some rows as a table of the schema; `tokens` tells whose they are, where that is wanted.
pub(super) fn rows_of(
    table: &Table,
    def: &schema::TableDef,
    wanted: &Columns,
    rows: &[pl::IdxSize],
    tokens: &Tokens,
) -> Result<pl::DataFrame, EngineError> {
    let mut made: Vec<pl::Column> = Vec::with_capacity(wanted.len());
    let mut index = None;
    for column in def.columns.iter().filter(|c| wanted.contains(c.name)) {
        let dtype = tables::dtype(column.kind);
        let cells = match table.form() {
            _ if column.name == "token_id" => {
                let own = tokens.of(table);
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

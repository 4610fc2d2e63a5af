//! CSV: text in, blocks of rows out. The header decides what the rows are.
//!
//! Rows are cut where line ends stand outside quotes, as long as every quote opens or closes a whole cell. From the first
//! one that does not, the `csv` crate goes on alone: it knows what to make of any quote.

mod careful;
mod rows;

use super::KindHint;
use super::block::{Block, Layout, MAX_RECORD, Sizes, begin};
use super::decode::Columns;
use super::nested::Stop;
use rows::Finder;
use std::io::Read;
use std::sync::Arc;

/// Reads the header in the first bytes of a text: columns and delimiter, where the rows can be decoded.
///
/// # Errors
/// The names of the columns, where they are of no known kind.
pub(super) fn header(head: &[u8], hint: KindHint) -> Result<(Columns, u8), String> {
    let line = head.split(|b| *b == b'\n' || *b == b'\r').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(line);
    let mut names = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut names).unwrap_or(false);
    let names = csv::StringRecord::from_byte_record_lossy(names);
    let columns = Columns::of_names(names.iter());
    if read && columns.len() > 1 && columns.are_known(hint) {
        Ok((columns, delimiter))
    } else {
        Err(columns.names())
    }
}

/// What all rows of a table have in common.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// What the cells are.
    pub columns: Arc<Columns>,
    /// What stands between them.
    pub delimiter: u8,
}

/// A row in the text of its block, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub start: usize,
    pub end: usize,
    /// Line where it starts.
    pub line: u64,
}

/// Cuts `input`, header included, into blocks of rows. Returns a sentence where it had to end early.
pub(super) fn cut(
    input: &mut dyn Read,
    columns: Columns,
    delimiter: u8,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<Option<String>, Stop> {
    let table = Table { columns: Arc::new(columns), delimiter };
    let mut tail: Vec<u8> = Vec::new();
    let mut finder = Finder::new(delimiter);
    // Bytes in the blocks before.
    let mut before = 0;
    let mut sizes = Sizes::new();
    loop {
        let mut bytes = buffer().ok_or(Stop::Asked)?;
        let mut len = begin(&mut bytes, sizes.next(), &mut tail);
        finder.rewind();
        let ended = loop {
            match input.read(&mut bytes[len..]) {
                Ok(0) => break true,
                Ok(n) => len += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            finder.look(&bytes[..len]);
            if finder.irregular {
                break false;
            }
            if len == bytes.len() {
                if !finder.rows.is_empty() {
                    break false;
                }
                if len > MAX_RECORD {
                    finder.irregular = true;
                    break false;
                }
                bytes.resize(len * 2, 0);
            }
        };
        if ended {
            finder.finish(&bytes[..len]);
        }
        tail.extend_from_slice(&bytes[finder.taken..len]);
        let irregular = finder.irregular;
        let rows = std::mem::take(&mut finder.rows);
        let line = rows.first().map_or(finder.line, |row| row.line);
        let last = ended && !irregular;
        if last || !rows.is_empty() {
            let layout = Layout::Rows(table.clone(), rows);
            if !emit(Block { bytes, len, line, layout, last }) {
                return Err(Stop::Asked);
            }
        }
        before += finder.taken;
        if irregular {
            let start = careful::Start { line: finder.line, header: finder.header, offset: before };
            return careful::cut(&mut tail.as_slice().chain(input), &table, start, buffer, emit);
        }
        if ended {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests;

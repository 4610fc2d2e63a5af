//! CSV: text in, blocks of rows out. The header decides what the rows are.
//!
//! Rows are cut where line ends stand outside quotes, as long as every quote opens or closes a whole cell. From the first
//! one that does not, a reader goes on that takes any quote as the `csv` crate does, and notices one that is never closed.

mod careful;
mod rows;

use super::KindHint;
use super::block::{Block, Layout, MAX_RECORD, Sizes, begin};
use super::decode::{Columns, contains_record};
use super::nested::Stop;
use rows::Finder;
use std::io::Read;
use std::sync::Arc;

/// The header of a table, as far as its rows can be decoded.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// Its columns.
    pub columns: Columns,
    /// What stands between cells.
    pub delimiter: u8,
    /// What comes before it.
    pub preamble: Preamble,
}

/// What programs write in front of a header: `#TYPE ...` of Windows PowerShell, `sep=;` for Excel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Preamble {
    pub bytes: usize,
    pub lines: u64,
}

/// Why a text has no header of a table that can be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// The columns are of no known kind: their names.
    Unknown(String),
    /// A list of tokens that cannot be read in full: what is missing.
    Tokens(String),
}

/// Rows that are searched for audit records in their cells, where the columns are of no known kind.
const SEARCHED_ROWS: usize = 20;

/// Reads the header in the first bytes of a text.
///
/// # Errors
/// When there is none whose rows can be decoded.
pub(super) fn header(head: &[u8], hint: KindHint) -> Result<Header, NoHeader> {
    let preamble = preamble(head);
    let text = &head[preamble.bytes..];
    let line = text.split(|b| *b == b'\n' || *b == b'\r').find(|line| !line.is_empty()).unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',');
    let reader = |text| {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text)
    };
    let mut names = csv::ByteRecord::new();
    let read = reader(line).read_byte_record(&mut names).unwrap_or(false);
    let names = csv::StringRecord::from_byte_record_lossy(names);
    let columns = Columns::of_names(names.iter());
    if !read || columns.len() < 2 {
        return Err(NoHeader::Unknown(columns.names()));
    }
    if let Some(missing) = columns.missing_of_tokens(hint) {
        return Err(NoHeader::Tokens(missing));
    }
    // A table of another tool may hold the records as text.
    let searched = || {
        let rows = reader(text).into_byte_records().skip(1).take(SEARCHED_ROWS).map_while(Result::ok);
        let in_row =
            |row: csv::ByteRecord| row.iter().any(|cell| contains_record(&String::from_utf8_lossy(cell)));
        matches!(hint, KindHint::Auto | KindHint::Audit) && rows.into_iter().any(in_row)
    };
    if columns.are_known(hint) || searched() {
        Ok(Header { columns, delimiter, preamble })
    } else {
        Err(NoHeader::Unknown(columns.names()))
    }
}

/// Measures what comes before the header.
fn preamble(head: &[u8]) -> Preamble {
    let mut preamble = Preamble::default();
    for line in head.split_inclusive(|b| *b == b'\n') {
        let text = line.trim_ascii();
        let separator =
            text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep=")) && text.len() < 7;
        if !text.is_empty() && !text.starts_with(b"#TYPE ") && !separator {
            break;
        }
        preamble.bytes += line.len();
        preamble.lines += 1;
    }
    if preamble.bytes < head.len() { preamble } else { Preamble::default() }
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
    /// What is wrong with it, where it is no row.
    pub fault: Option<RowFault>,
}

/// Why the text from here to the end of its line is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowFault {
    /// A quote opens a cell that nothing closes.
    Unclosed,
    /// No end within the length of the longest record.
    TooLong,
}

/// Cuts `input`, which starts with the header, into blocks of rows.
pub(super) fn cut(
    input: &mut dyn Read,
    header: Header,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<(), Stop> {
    let Header { columns, delimiter, preamble } = header;
    let table = Table { columns: Arc::new(columns), delimiter };
    let mut tail: Vec<u8> = Vec::new();
    let mut finder = Finder::new(delimiter, preamble.lines + 1);
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
        if irregular {
            let start = careful::Start { line: finder.line, header: finder.header };
            return careful::cut(&mut tail.as_slice().chain(input), &table, start, buffer, emit);
        }
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;

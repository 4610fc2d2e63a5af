//! Rows of tables whose quotes follow no rule, as the `csv` crate reads them.
//!
//! In: text from the start of a row. Out: blocks of the same rows, written anew with every cell in quotes.

use super::{Row, Table};
use crate::source::block::{Block, Layout, MAX_RECORD, Sizes};
use crate::source::nested::Stop;
use std::cell::Cell;
use std::io::Read;

/// So much is read at once.
const STEP: usize = 1 << 18;

/// Where the text starts.
pub(super) struct Start {
    /// Its line.
    pub line: u64,
    /// Whether its first row is the header.
    pub header: bool,
    /// How many bytes of the table lie before.
    pub offset: usize,
}

/// Makes an end where a quote is never closed: else one row would swallow the rest of the input.
struct Guard<'a> {
    input: &'a mut dyn Read,
    /// Bytes taken in since the last whole row.
    since: &'a Cell<usize>,
    /// Bytes to give before that, step by step: what a reader from the table's start has at hand by then.
    before: [usize; 2],
}

impl Read for Guard<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.since.get() > MAX_RECORD {
            return Ok(0);
        }
        if let Some(left) = self.before.iter_mut().find(|left| **left > 0) {
            let most = (*left).min(into.len());
            let n = self.input.read(&mut into[..most])?;
            *left = if n == 0 { 0 } else { *left - n };
            return Ok(n);
        }
        let n = self.input.read(into)?;
        self.since.set(self.since.get() + n);
        Ok(n)
    }
}

/// Cuts the rest of a table into blocks of rows. Returns a sentence where it had to end early.
pub(super) fn cut(
    input: &mut dyn Read,
    table: &Table,
    start: Start,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<Option<String>, Stop> {
    let since = Cell::new(0);
    // A byte alone, so that a byte order mark inside the table is none to the reader.
    let before = if start.offset == 0 { [0; 2] } else { [1, STEP - 1 - start.offset % STEP] };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(table.delimiter)
        .has_headers(start.header)
        .flexible(true)
        .buffer_capacity(STEP)
        .from_reader(Guard { input, since: &since, before });
    let mut broken: Option<u64> = None;
    let mut sizes = Sizes::new();
    let mut row = csv::ByteRecord::new();
    loop {
        let mut bytes = buffer().ok_or(Stop::Asked)?;
        bytes.clear();
        let mut rows = Vec::new();
        let size = sizes.next();
        let mut ended = false;
        while bytes.len() < size {
            match reader.read_byte_record(&mut row) {
                Ok(true) => {
                    let endless = since.replace(0) > MAX_RECORD;
                    let line = row.position().map_or(0, csv::Position::line) + start.line - 1;
                    let from = bytes.len();
                    if endless {
                        // What it swallowed is no row; what comes behind may be one again.
                        broken = broken.or(Some(line));
                    } else {
                        write(&row, table.delimiter, &mut bytes);
                    }
                    rows.push(Row { start: from, end: bytes.len(), line });
                }
                Ok(false) => {
                    ended = true;
                    break;
                }
                Err(error) => match error.into_kind() {
                    csv::ErrorKind::Io(error) => return Err(error.into()),
                    // Flexible rows of bytes know no other error.
                    _ => {
                        ended = true;
                        break;
                    }
                },
            }
        }
        let line = rows.first().map_or(0, |row| row.line);
        let layout = Layout::Rows(table.clone(), rows);
        let len = bytes.len();
        if !emit(Block { bytes, len, line, layout, last: ended }) {
            return Err(Stop::Asked);
        }
        if ended {
            let sentence = |line| {
                format!("a quote in line {line} is never closed; the 16 MB behind it were not read as rows")
            };
            return Ok(broken.map(sentence));
        }
    }
}

/// Writes a row with every cell in quotes.
fn write(row: &csv::ByteRecord, delimiter: u8, into: &mut Vec<u8>) {
    for (i, cell) in row.iter().enumerate() {
        if i > 0 {
            into.push(delimiter);
        }
        into.push(b'"');
        let mut copied = 0;
        for quote in memchr::memchr_iter(b'"', cell) {
            into.extend_from_slice(&cell[copied..=quote]);
            copied = quote;
        }
        into.extend_from_slice(&cell[copied..]);
        into.push(b'"');
    }
}

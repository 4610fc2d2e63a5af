//! Rows of tables whose quotes follow no rule, as the `csv` crate reads them.
//!
//! In: text from the start of a row. Out: blocks of the same rows, written anew with every cell in quotes.

use super::{Row, Table};
use crate::source::block::{Block, Layout, MAX_RECORD, Sizes};
use crate::source::nested::Stop;
use std::cell::{Cell, RefCell};
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

/// Tells where rows stand: the reader counts the line ends in front of a row to it.
struct Lines {
    /// What was read and not yet dropped; rows are told of up to `from`.
    text: Vec<u8>,
    from: usize,
    /// That place as the reader counts bytes, and its line.
    taken: u64,
    line: u64,
}

impl Lines {
    /// The line of a row that the reader looked for from `start` on and found the end of at `end`.
    fn of_row(&mut self, start: u64, end: u64) -> u64 {
        let ends = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() as u64;
        let place = |at: u64| usize::try_from(at.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        let rest = &self.text[self.from..];
        let text = &rest[..place(end).min(rest.len())];
        let start = place(start).min(text.len());
        let blank = text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (before, row) = text.split_at(start + blank);
        let line = self.line + ends(before);
        self.line = line + ends(row);
        self.from += text.len();
        self.taken = end;
        line
    }

    fn add(&mut self, text: &[u8]) {
        self.text.drain(..self.from);
        self.from = 0;
        self.text.extend_from_slice(text);
    }
}

/// Makes an end where a quote is never closed: else one row would swallow the rest of the input.
struct Guard<'a> {
    input: &'a mut dyn Read,
    lines: &'a RefCell<Lines>,
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
            self.lines.borrow_mut().add(&into[..n]);
            return Ok(n);
        }
        let n = self.input.read(into)?;
        self.since.set(self.since.get() + n);
        self.lines.borrow_mut().add(&into[..n]);
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
    let lines = RefCell::new(Lines { text: Vec::new(), from: 0, taken: 0, line: start.line });
    // A byte alone, so that a byte order mark inside the table is none to the reader.
    let before = if start.offset == 0 { [0; 2] } else { [1, STEP - 1 - start.offset % STEP] };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(table.delimiter)
        .has_headers(start.header)
        .flexible(true)
        .buffer_capacity(STEP)
        .from_reader(Guard { input, lines: &lines, since: &since, before });
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
                    let found = row.position().map_or(0, csv::Position::byte);
                    let line = lines.borrow_mut().of_row(found, reader.position().byte());
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

//! Rows of tables whose quotes follow no rule.
//!
//! In: text from the start of a row. Out: blocks of the rows that the `csv` crate finds, each cell in quotes again. What is
//! more: a quote that is never closed costs its own line and nothing else. It is noticed by the next quote that opens a cell
//! inside of the open one, by the end of the text, or because the cell is longer than any cell of an audit log.

use super::{Row, RowFault, Table};
use crate::source::block::{Block, Layout, MAX_RECORD, Sizes};
use crate::source::nested::Stop;
use std::io::Read;

/// So much is read at once.
const STEP: usize = 1 << 18;
/// A cell in quotes that goes on over line ends for more than this is one whose quote is never closed. The bound keeps the
/// search for its end short.
const LONGEST_CELL: usize = 1 << 20;

/// Where the text starts.
pub(super) struct Start {
    /// Its line.
    pub line: u64,
    /// Whether its first row is the header.
    pub header: bool,
}

/// What a look at the start of a row found; places count from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A row that ends before this byte.
    Row(usize),
    /// The end of the text.
    End,
    /// The text at hand ends first.
    More,
    /// A quote at this place is never closed.
    Unclosed(usize),
}

/// Cuts the rest of a table into blocks of rows.
pub(super) fn cut(
    input: &mut dyn Read,
    table: &Table,
    start: Start,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<(), Stop> {
    let mut text = Text { input, bytes: Vec::new(), at: 0, ended: false };
    let Start { mut line, mut header } = start;
    if header {
        while text.rest().len() < 3 && text.more()? {}
        // The crate drops a byte order mark in front of a table.
        text.at += if text.rest().starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    }
    let mut sizes = Sizes::new();
    let mut ended = false;
    while !ended {
        let mut bytes = buffer().ok_or(Stop::Asked)?;
        bytes.clear();
        let mut rows = Vec::new();
        let size = sizes.next();
        while bytes.len() < size {
            let begin = bytes.len();
            line += text.skip_blank()?;
            let found = loop {
                match row(text.rest(), text.ended, table.delimiter, &mut bytes) {
                    Found::More if text.rest().len() <= MAX_RECORD => {
                        bytes.truncate(begin);
                        text.more()?;
                    }
                    found => break found,
                }
            };
            let (end, at, fault) = match found {
                Found::End => {
                    ended = true;
                    break;
                }
                Found::Row(end) => (end, 0, None),
                Found::Unclosed(quote) => (text.line_end(quote)?, quote, Some(RowFault::Unclosed)),
                Found::More => (text.line_end(0)?, 0, Some(RowFault::TooLong)),
            };
            if fault.is_some() {
                bytes.truncate(begin);
            }
            let taken = &text.rest()[..end];
            let line_of_row = line + line_ends(&taken[..at.min(taken.len())]);
            line += line_ends(taken);
            text.at += end;
            if !std::mem::take(&mut header) || fault.is_some() {
                rows.push(Row { start: begin, end: bytes.len(), line: line_of_row, fault });
            } else {
                bytes.truncate(begin);
            }
        }
        let line = rows.first().map_or(line, |row| row.line);
        let layout = Layout::Rows(table.clone(), rows);
        let len = bytes.len();
        if !emit(Block { bytes, len, line, layout, last: ended }) {
            return Err(Stop::Asked);
        }
    }
    Ok(())
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// The text at hand, from a row on.
struct Text<'i> {
    input: &'i mut dyn Read,
    bytes: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Text<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Reads more; false at the end. What is at hand is at least doubled, so that a long row is not looked at too often.
    fn more(&mut self) -> Result<bool, Stop> {
        self.bytes.drain(..self.at);
        self.at = 0;
        let wanted = self.bytes.len() + self.bytes.len().max(STEP);
        while self.bytes.len() < wanted && !self.ended {
            let had = self.bytes.len();
            self.bytes.resize(had + STEP, 0);
            let read = self.input.read(&mut self.bytes[had..]);
            self.bytes.truncate(had + read.as_ref().copied().unwrap_or_default());
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(!self.ended)
    }

    /// Goes past the line ends in front of a row; returns how many lines that were.
    fn skip_blank(&mut self) -> Result<u64, Stop> {
        let mut lines = 0;
        loop {
            let blank = self.rest().iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            lines += line_ends(&self.rest()[..blank]);
            self.at += blank;
            if !self.rest().is_empty() || self.ended {
                return Ok(lines);
            }
            self.more()?;
        }
    }

    /// Where the line that contains a place ends, which counts from the row's start.
    fn line_end(&mut self, from: usize) -> Result<usize, Stop> {
        let mut looked = from;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest()[looked..]) {
                return Ok(looked + end + 1);
            }
            looked = self.rest().len();
            if looked > 2 * MAX_RECORD {
                // No line is that long: it is dropped piece by piece.
                self.at += looked - from;
                looked = from;
            }
            if !self.more()? && self.rest().len() == looked {
                return Ok(looked);
            }
        }
    }
}

/// Copies the row that `text` starts with into `into`, every cell in quotes; `ended` says that the text goes no further.
fn row(text: &[u8], ended: bool, delimiter: u8, into: &mut Vec<u8>) -> Found {
    if text.is_empty() {
        return if ended { Found::End } else { Found::More };
    }
    let mut at = 0;
    loop {
        into.push(b'"');
        if text.get(at) == Some(&b'"') {
            match quoted(text, at, ended, delimiter, into) {
                Ok(end) => at = end,
                Err(found) => return found,
            }
        }
        // What stands behind a closing quote belongs to the cell.
        let rest = &text[at..];
        let end = memchr::memchr3(delimiter, b'\r', b'\n', rest);
        if end.is_none() && !ended {
            return Found::More;
        }
        let end = end.unwrap_or(rest.len());
        doubled(&rest[..end], into);
        into.push(b'"');
        at += end;
        if text.get(at) != Some(&delimiter) {
            return Found::Row(at);
        }
        into.push(delimiter);
        at += 1;
    }
}

/// Copies the inside of a cell whose quote is at `open`; returns the place behind its closing quote.
fn quoted(text: &[u8], open: usize, ended: bool, delimiter: u8, into: &mut Vec<u8>) -> Result<usize, Found> {
    let mut at = open + 1;
    let mut spread = false;
    loop {
        let Some(length) = memchr::memchr(b'"', &text[at..]) else {
            let rest = &text[at..];
            let lines = spread || rest.iter().take(LONGEST_CELL).any(|b| matches!(b, b'\r' | b'\n'));
            let goes_on = lines && text.len() - open > LONGEST_CELL;
            return match ended {
                // Only the last line breaks off inside a cell; what goes on over lines swallows rows.
                true if lines && !rest.trim_ascii().is_empty() => Err(Found::Unclosed(open)),
                true => {
                    into.extend_from_slice(rest);
                    Ok(text.len())
                }
                false if goes_on => Err(Found::Unclosed(open)),
                false => Err(Found::More),
            };
        };
        let quote = at + length;
        spread |= memchr::memchr2(b'\r', b'\n', &text[at..quote]).is_some();
        if spread && quote - open > LONGEST_CELL {
            return Err(Found::Unclosed(open));
        }
        into.extend_from_slice(&text[at..quote]);
        match text.get(quote + 1) {
            Some(b'"') => {
                into.extend_from_slice(b"\"\"");
                at = quote + 2;
            }
            None if !ended => return Err(Found::More),
            None | Some(b'\r' | b'\n') => return Ok(quote + 1),
            Some(next) if *next == delimiter => return Ok(quote + 1),
            // This one opens a cell of a later row.
            Some(_)
                if spread && (text[quote - 1] == delimiter || matches!(text[quote - 1], b'\r' | b'\n')) =>
            {
                return Err(Found::Unclosed(open));
            }
            Some(_) => return Ok(quote + 1),
        }
    }
}

/// Copies a cell with its quotes doubled.
fn doubled(cell: &[u8], into: &mut Vec<u8>) {
    let mut copied = 0;
    for quote in memchr::memchr_iter(b'"', cell) {
        into.extend_from_slice(&cell[copied..=quote]);
        copied = quote;
    }
    into.extend_from_slice(&cell[copied..]);
}

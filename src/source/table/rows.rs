//! Where rows end: sixty-four bytes at a time, as long as quotes open and close whole cells.
//!
//! Exactly the rows that the `csv` crate finds in the same text. It takes a carriage return for the end of a row and leaves
//! the line feed behind it to the row that follows; a row's line is where its first cell stands all the same.

use super::Row;
use crate::source::quotes::within;
use wide::u8x16;

/// Bytes that are looked at together.
const WIDE: usize = 64;

/// Finds the rows of a block, as its text arrives.
pub(super) struct Finder {
    delimiter: u8,
    /// The rows found.
    pub rows: Vec<Row>,
    /// The text up to here is done with.
    pub taken: usize,
    /// The line of that place.
    pub line: u64,
    /// Whether the header is still to come.
    pub header: bool,
    /// Whether what comes next follows no rule.
    pub irregular: bool,
    /// The text up to here was looked at.
    seen: usize,
    /// Where the row at hand starts, and its line.
    start: usize,
    start_line: u64,
    /// Line ends up to `seen`, counted from the first line of the table.
    ends: u64,
    /// What the last byte looked at was, as the lowest bit: in quotes, a quote that closed a cell, one of those that a
    /// cell may start behind, a carriage return.
    inside: u64,
    closed: u64,
    starts: u64,
    returned: u64,
}

/// Which of some bytes are what, a bit a byte, the first in the lowest.
#[derive(Clone, Copy, Default)]
struct Masks {
    quotes: u64,
    delimiters: u64,
    feeds: u64,
    returns: u64,
}

impl Finder {
    /// Starts with a table whose header is at a line.
    pub(super) const fn new(delimiter: u8, line: u64) -> Self {
        Self {
            delimiter,
            rows: Vec::new(),
            taken: 0,
            line,
            header: true,
            irregular: false,
            seen: 0,
            start: 0,
            start_line: line,
            ends: line,
            inside: 0,
            closed: 0,
            starts: 1,
            returned: 0,
        }
    }

    /// Starts with a new block, which starts with what was not yet taken.
    pub(super) const fn rewind(&mut self) {
        self.taken = 0;
        self.seen = 0;
        self.start = 0;
        self.start_line = self.line;
        self.ends = self.line;
        self.inside = 0;
        self.closed = 0;
        self.starts = 1;
        self.returned = 0;
    }

    /// Looks at what is new in `text`, as far as it can be seen whole.
    pub(super) fn look(&mut self, text: &[u8]) {
        while !self.irregular
            && let Some(bytes) = text.get(self.seen..).and_then(<[u8]>::first_chunk)
        {
            self.step(bytes, text);
        }
    }

    /// Looks at the rest of `text`, which is the end of the table.
    pub(super) fn finish(&mut self, text: &[u8]) {
        self.look(text);
        if self.irregular {
            return;
        }
        // The end is as good as a line end, and one too many is a blank line.
        let mut bytes = [b'\n'; WIDE];
        let rest = &text[self.seen..];
        bytes[..rest.len()].copy_from_slice(rest);
        self.step(&bytes, text);
        self.irregular |= self.inside != 0;
        self.taken = self.taken.min(text.len());
    }

    fn step(&mut self, bytes: &[u8; WIDE], text: &[u8]) {
        if self.header && self.seen == 0 && bytes.starts_with(b"\xEF\xBB\xBF") {
            // A second byte order mark: rather for the crate.
            self.irregular = true;
            return;
        }
        let m = masks(bytes, self.delimiter);
        let within = within(m.quotes) ^ self.inside;
        let (opens, closes) = (m.quotes & within, m.quotes & !within);
        // A quote may open a cell, or stand behind one that seemed to close it: then the two are one quote in the cell.
        let starts = m.delimiters | m.feeds | closes;
        let stray = opens & !(starts << 1 | self.starts);
        let closed = closes << 1 | self.closed;
        let loose = closed & !(m.delimiters | m.feeds | m.returns | opens);
        let returns = m.returns & !within;
        let halves = (returns << 1 | self.returned) & !m.feeds;
        let amiss = stray | loose | halves;
        let mut feeds = m.feeds & !within;
        if amiss != 0 {
            // Rows that end before it are whole.
            feeds &= (amiss & amiss.wrapping_neg()) - 1;
            self.irregular = true;
        }
        while feeds != 0 {
            let bit = feeds & feeds.wrapping_neg();
            feeds ^= bit;
            let at = self.seen + bit.trailing_zeros() as usize;
            self.row(text, at, u64::from((m.feeds & (bit - 1)).count_ones()));
        }
        self.ends += u64::from(m.feeds.count_ones());
        self.inside = 0_u64.wrapping_sub(within >> 63);
        (self.closed, self.starts, self.returned) = (closes >> 63, starts >> 63, returns >> 63);
        self.seen += WIDE;
    }

    /// Takes the row that ends with the line feed at `at`, with so many line ends before it since `seen`.
    fn row(&mut self, text: &[u8], at: usize, ends: u64) {
        let start = std::mem::replace(&mut self.start, at + 1);
        let line = std::mem::replace(&mut self.start_line, self.ends + ends + 1);
        let returned = at > start && text.get(at - 1) == Some(&b'\r');
        let end = if returned { at - 1 } else { at };
        if start >= end {
            return;
        }
        if !std::mem::take(&mut self.header) {
            self.rows.push(Row { start, end, line, fault: None });
        }
        // Behind a carriage return the line feed is still to come.
        self.taken = if returned { at } else { at + 1 };
        self.line = self.ends + ends + u64::from(!returned);
    }
}

fn masks(bytes: &[u8; WIDE], delimiter: u8) -> Masks {
    let mut m = Masks::default();
    for (i, part) in bytes.as_chunks().0.iter().enumerate() {
        let part = u8x16::new(*part);
        let bits = |byte: u8| u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * i);
        m.quotes |= bits(b'"');
        m.delimiters |= bits(delimiter);
        m.feeds |= bits(b'\n');
        m.returns |= bits(b'\r');
    }
    m
}

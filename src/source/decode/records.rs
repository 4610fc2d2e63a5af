//! The text of a block in, its records one by one: lines, records end to end, rows of tables.

use super::cells::{self, Cells};
use super::event::Refusal;
use super::fields::Fields;
use super::{Decoder, Place, Whole, fast};
use crate::source::block::{Block, Cut, Fault, MAX_RECORD};
use crate::source::table::{Row, RowFault, Table};

/// So much text is checked at once for being text.
const STRETCH: usize = 1 << 17;

impl Decoder {
    /// Takes a record a line.
    pub(super) fn lines(&mut self, bytes: &[u8], block: &Block) {
        let mut fields = Fields::default();
        let (mut start, mut number) = (0, block.line);
        let open = bytes.len() - memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let fault = match open > MAX_RECORD {
            true => Some(Fault::TooLong),
            false => block.last.then_some(Fault::CutOff),
        };
        while start < bytes.len() {
            let end = stretch(bytes, start);
            // So little at a time that it is still close at hand when it is read.
            match simdutf8::basic::from_utf8(&bytes[start..end]) {
                Ok(text) => {
                    let mut at = 0;
                    while at < text.len() {
                        at = self.line(&mut fields, text, at, number, fault);
                        number += 1;
                    }
                }
                Err(_) => {
                    for line in bytes[start..end].split_inclusive(|b| *b == b'\n') {
                        let text = String::from_utf8_lossy(line);
                        self.line(&mut Fields::default(), &text, 0, number, fault);
                        number += 1;
                    }
                }
            }
            start = end;
        }
    }

    /// Takes the line at `at`; returns where the next one starts. `open` is what is wrong with one that does not end.
    fn line<'a>(
        &mut self,
        fields: &mut Fields<'a>,
        text: &'a str,
        at: usize,
        number: u64,
        open: Option<Fault>,
    ) -> usize {
        let mut place = Place { line: number, fault: None, columns: None, org: None, depth: 0 };
        if let Some((end, next)) = fast::line(fields, text, at) {
            self.sound(fields, text.get(at..end).unwrap_or_default(), place);
            return next;
        }
        let rest = text.get(at..).unwrap_or_default();
        let ends = memchr::memchr(b'\n', rest.as_bytes());
        let line = rest.get(..ends.unwrap_or(rest.len())).unwrap_or_default();
        if ends.is_none() {
            place.fault = open;
        }
        // Each of the files that were joined to this one may have brought a mark.
        let record = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').trim_end_matches(',');
        if !matches!(record, "" | "[" | "]" | "\u{1e}") {
            self.record(fields, record, place);
        }
        at + line.len() + 1
    }

    /// Takes records end to end.
    pub(super) fn records(&mut self, bytes: &[u8], cuts: &[Cut]) {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let mut fields = Fields::default();
        let mut start = 0;
        for cut in cuts {
            let place = Place {
                line: cut.line,
                fault: cut.fault,
                columns: cut.columns.as_deref(),
                org: cut.org.as_deref(),
                depth: 0,
            };
            match text.and_then(|text| text.get(start..cut.end)) {
                Some(record) => self.record(&mut fields, record, place),
                None => self.lossy(&bytes[start..cut.end], place),
            }
            start = cut.end;
        }
    }

    /// Takes the rows of a table; `last` tells that the input ends with them.
    pub(super) fn rows(&mut self, bytes: &[u8], table: &Table, rows: &[Row], last: bool) {
        let mut fields = Fields::default();
        let twins = table.columns.twins();
        for (i, row) in rows.iter().enumerate() {
            if let Some(fault) = row.fault {
                self.bad_row(fault, row.line);
                continue;
            }
            let bytes = &bytes[row.start..row.end];
            let last = last && i + 1 == rows.len();
            if !twins.is_empty()
                && let Some(pair) = differing(&twins, &String::from_utf8_lossy(bytes), table.delimiter)
            {
                self.chunk.refused = Some(table.columns.ambiguous(pair, row.line));
                return;
            }
            match simdutf8::basic::from_utf8(bytes) {
                Ok(text) => self.row(&mut fields, text, row.line, table, last),
                Err(_) => {
                    let text = String::from_utf8_lossy(bytes);
                    self.row(&mut Fields::default(), &text, row.line, table, last);
                }
            }
        }
    }

    fn bad_row(&mut self, fault: RowFault, line: u64) {
        self.chunk.parsed.read += 1;
        let reason = match fault {
            RowFault::Unclosed => "a quote that is never closed",
            RowFault::TooLong => "record too long",
        };
        let place = Place { line, fault: None, columns: None, org: None, depth: 0 };
        self.reject(place, &Refusal::new(reason, ""));
    }

    fn row<'a>(&mut self, fields: &mut Fields<'a>, text: &'a str, line: u64, table: &Table, last: bool) {
        let columns = &*table.columns;
        let place = Place { line, fault: None, columns: Some(columns), org: None, depth: 0 };
        self.chunk.parsed.read += 1;
        let cells = Cells::new(text, table.delimiter);
        let found = cells::read(fields, cells.clone(), columns);
        if found < columns.len() {
            self.chunk.cut |= last;
            let detail = format!("{found} cells of {}", columns.len());
            self.reject(place, &Refusal::new(if last { "cut off" } else { "too few cells" }, &detail));
            return;
        }
        // An unquoted delimiter in a cell shifts all cells after it; empty cells at the end shift nothing.
        let surplus = found - columns.len();
        if surplus > 0 && cells.clone().skip(columns.len()).any(|cell| !cell.plain().trim().is_empty()) {
            let detail = format!("{found} cells of {}", columns.len());
            self.reject(place, &Refusal::new("too many cells", &detail));
            return;
        }
        let taken = self.route(fields, &Whole::Cells(cells), place);
        self.settle(taken, place);
    }
}

/// Returns the first pair of columns whose cells differ in a row.
fn differing(twins: &[(usize, usize)], row: &str, delimiter: u8) -> Option<(usize, usize)> {
    let cells: Vec<_> = Cells::new(row, delimiter).map(cells::Cell::plain).collect();
    let cell = |at: usize| cells.get(at).map(|cell| cell.trim());
    twins.iter().copied().find(|(first, second)| cell(*first) != cell(*second))
}

/// Where the next stretch of whole lines ends.
fn stretch(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let Some(near) = rest.get(..STRETCH) else { return bytes.len() };
    let end = memchr::memrchr(b'\n', near).or_else(|| memchr::memchr(b'\n', rest));
    end.map_or(bytes.len(), |end| start + end + 1)
}
